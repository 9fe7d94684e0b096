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
    from v2glab.views._vehicle_page import render_slac, render_vehicle_trace
    from v2glab.views._vehicle_slac import plot_slac, slac_phases
    from v2glab.views._vehicle_terminal import (
        finding_lines,
        profile_line,
        rich_exchanges,
        rich_sessions,
        rich_slac,
    )
    from v2glab.views._vehicle_trace import plot_vehicle_trace

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
    "finding_lines": "_vehicle_terminal",
    "plot_slac": "_vehicle_slac",
    "plot_vehicle_trace": "_vehicle_trace",
    "profile_line": "_vehicle_terminal",
    "render_slac": "_vehicle_page",
    "render_vehicle_trace": "_vehicle_page",
    "rich_exchanges": "_vehicle_terminal",
    "rich_sessions": "_vehicle_terminal",
    "rich_slac": "_vehicle_terminal",
    "slac_phases": "_vehicle_slac",
}

__all__ = [
    "barrier_figure",
    "barrier_report",
    "compare_runs",
    "export_barrier_figures",
    "finding_lines",
    "live_series",
    "one_line",
    "parameter_panel",
    "plot",
    "plot_conformity_test",
    "plot_slac",
    "plot_vehicle_trace",
    "profile_line",
    "quantity_table",
    "render_codes",
    "render_report",
    "render_ride_through",
    "render_slac",
    "render_vehicle_trace",
    "rich_codes",
    "rich_demands",
    "rich_exchanges",
    "rich_pairs",
    "rich_rows",
    "rich_sessions",
    "rich_slac",
    "rich_verdicts",
    "select_code",
    "selected_rows",
    "show",
    "slac_phases",
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
