"""Which figure belongs to which procedure."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from v2glab.evidence import Result, UsageError
from v2glab.procedures import NAMES


def figure_function(procedure: str) -> Callable[[Result], Any] | None:
    """Return ``plot_<procedure>`` of the module ``v2glab.views._<procedure>``; ``None`` when there is none.

    Only names of procedures are looked up: the name may come out of a record that somebody else wrote.
    """
    module = f"v2glab.views._{procedure}"
    if procedure not in NAMES or find_spec(module) is None:
        return None
    function: Callable[[Result], Any] = getattr(import_module(module), f"plot_{procedure}")
    return function


def plot(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure or layout
    """Draw the figure of a result.

    Raises
    ------
    UsageError
        Its procedure has no figure.
    """
    function = figure_function(result.procedure)
    if function is None:
        known = ", ".join(name for name in NAMES if find_spec(f"v2glab.views._{name}"))
        raise UsageError(
            f"no figure for procedure {result.procedure!r}", f"one of: {known}", "show its tables instead"
        )
    return function(result)
