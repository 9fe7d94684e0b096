"""The same cars under several rule books: what is left, and what each rule takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2glab.views._analyse_barriers_parts import matrix, panel, unit

if TYPE_CHECKING:
    from v2glab.evidence import Result


def plot_compare_jurisdictions(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return two panels: the value left in each place with its interval, and the heat map of rules."""
    from bokeh.layouts import row

    return row(_left(result), matrix(result), sizing_mode="stretch_width")


def _left(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh figure
    table = result.tables["books"]
    names = [str(name) for name in table["jurisdiction"]]
    out = panel(
        "Value left with all rules, 95 % interval over vehicles",
        y_range=names[::-1],
        x_axis_label=unit(result),
        tooltips=[("", "@y"), ("", "@right{0.00}")],
    )
    out.hbar(y=names, left=0, right=table["value"].tolist(), height=0.6, color="#1f4e79", alpha=0.8)
    out.segment(
        table["value_low"].tolist(), names, table["value_high"].tolist(), names, color="black", line_width=2
    )
    return out
