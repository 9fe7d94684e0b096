"""Tables, figures and panels for notebooks, terminal and report.

Names are loaded on first use; ``plot_<procedure>`` of every procedure is among them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.views._analyse_barriers import barrier_figure, export_barrier_figures
    from v2glab.views._analyse_barriers_report import barrier_report
    from v2glab.views._compare import compare_runs
    from v2glab.views._conformity import plot_conformity_test
    from v2glab.views._gridcodes import (
        one_line,
        render_codes,
        rich_codes,
        rich_pairs,
        rich_rows,
        selected_rows,
    )
    from v2glab.views._gridcodes_plot import select_code
    from v2glab.views._live import live_series
    from v2glab.views._panels import parameter_panel
    from v2glab.views._registry import plot
    from v2glab.views._report import render_report
    from v2glab.views._ride_through import render_ride_through, rich_demands
    from v2glab.views._show import show
    from v2glab.views._tables import quantity_table, verdict_table
    from v2glab.views._terminal import rich_verdicts

_MODULE_OF = {
    "barrier_figure": "_analyse_barriers",
    "barrier_report": "_analyse_barriers_report",
    "export_barrier_figures": "_analyse_barriers",
    "compare_runs": "_compare",
    "live_series": "_live",
    "parameter_panel": "_panels",
    "plot": "_registry",
    "plot_conformity_test": "_conformity",
    "quantity_table": "_tables",
    "one_line": "_gridcodes",
    "render_codes": "_gridcodes",
    "render_report": "_report",
    "render_ride_through": "_ride_through",
    "rich_codes": "_gridcodes",
    "rich_demands": "_ride_through",
    "rich_pairs": "_gridcodes",
    "rich_rows": "_gridcodes",
    "rich_verdicts": "_terminal",
    "select_code": "_gridcodes_plot",
    "selected_rows": "_gridcodes",
    "show": "_show",
    "verdict_table": "_tables",
}

__all__ = [
    "barrier_figure",
    "barrier_report",
    "compare_runs",
    "export_barrier_figures",
    "live_series",
    "one_line",
    "parameter_panel",
    "plot",
    "plot_conformity_test",
    "quantity_table",
    "render_codes",
    "render_report",
    "render_ride_through",
    "rich_codes",
    "rich_demands",
    "rich_pairs",
    "rich_rows",
    "rich_verdicts",
    "select_code",
    "selected_rows",
    "show",
    "verdict_table",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- the module protocol asks for it
    """Load a public name on first use."""
    if name in _MODULE_OF:
        return getattr(import_module(f"v2glab.views.{_MODULE_OF[name]}"), name)
    if name.startswith("plot_"):
        from v2glab.views._registry import figure_function

        function = figure_function(name.removeprefix("plot_"))
        if function is not None:
            return function
    raise AttributeError(f"module 'v2glab.views' has no attribute {name!r}")
