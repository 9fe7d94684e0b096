"""The same cars under several rule books: what is left, and what each rule takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from v2glab.views._analyse_barriers_heat_maps import matrix
from v2glab.views._analyse_barriers_money import books

if TYPE_CHECKING:
    from v2glab.evidence import Result


def plot_compare_jurisdictions(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Return two panels: the value left in each place with its interval, and the heat map of rules."""
    from bokeh.layouts import column

    return column(books(result), matrix(result), sizing_mode="stretch_width")
