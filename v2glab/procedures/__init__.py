"""One module a field test; each is called by one notebook and by the command line."""

from v2glab.procedures._procedure import (
    NAMES,
    Context,
    Parameters,
    Procedure,
    Sample,
    load_procedure,
    validate_parameters,
)

__all__ = ["NAMES", "Context", "Parameters", "Procedure", "Sample", "load_procedure", "validate_parameters"]
