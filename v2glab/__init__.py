"""v2glab: a workbench that finds out, with evidence, what stops a site from exporting.

The names below are loaded on first use, so that ``import v2glab`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.campaigns import open_run
    from v2glab.station import open_station

__version__ = "0.1.0"
__all__ = ["__version__", "open_run", "open_station"]

_LAZY = {"open_run": "v2glab.campaigns", "open_station": "v2glab.station"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- the module protocol asks for it
    """Load a public name on first use."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'v2glab' has no attribute {name!r}")
