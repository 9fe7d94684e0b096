"""One module a field test; each is called by one notebook and by the command line."""

from v2glab.procedures._procedure import (
    NAMES,
    NOTEBOOKS,
    Context,
    Parameters,
    Procedure,
    Sample,
    load_procedure,
    validate_parameters,
)

__all__ = [
    "NAMES",
    "NOTEBOOKS",
    "Context",
    "Parameters",
    "Procedure",
    "Sample",
    "load_procedure",
    "validate_parameters",
]
