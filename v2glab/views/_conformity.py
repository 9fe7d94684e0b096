"""Figures of a conformity suite: a map of all tests, and the panels of the one that is chosen."""

from __future__ import annotations

from typing import Any

from v2glab.evidence import Result
from v2glab.views._conformity_data import Columns, SuiteColumns, suite_columns
from v2glab.views._conformity_panels import Panels, test_panels

_TILE_PX = 21
#: Outcomes, the worst first.
_WORST = ("fail", "inconclusive", "pass", "not applicable")
#: Shows another test in the panels: rows are cut out of the columns of all tests.
_CHOOSE = """
const place = tests.selected.indices[0]
if (place == null) return
const test = Object.fromEntries(Object.entries(tests.data).map(([name, values]) => [name, values[place]]))
const cut = (source, first, last) => Object.fromEntries(Object.entries(source.data).map(
  ([name, values]) => [name, Array.prototype.slice.call(values, first, last)]))
const rows = cut(all_verdicts, test.first_verdict, test.last_verdict)
for (const name in ranges) ranges[name].setv({start: test[name + '_low'], end: test[name + '_high']})
ladder.factors = rows.row.slice().reverse()
verdicts.data = rows
samples.data = cut(all_samples, test.first_sample, test.last_sample)
heading.setv({text: test.heading, text_color: test.colour})
subheading.text = test.test + ', ' + test.clause + (test.reason ? '\\n' + test.reason : '')
"""


def plot_conformity(result: Result) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Draw every test of a suite: a tile each, and panels with the one that was clicked.

    The panels hold the grid, what the plant did with the limits of each verdict shaded, and how much of each
    limit is used. First shown is the first test that failed, else the first that is open and was played.
    """
    from bokeh.layouts import column
    from bokeh.models import ColumnDataSource, CustomJS

    columns = suite_columns(result)
    place = _first(columns.tests)
    if place is None:
        return column()
    panels = test_panels(columns, place)
    tests = ColumnDataSource(columns.tests)
    tests.selected.indices = [place]
    arguments = {
        "tests": tests,
        "all_verdicts": ColumnDataSource(columns.verdicts),
        "all_samples": ColumnDataSource(columns.samples),
        **_targets(panels),
    }
    tests.selected.js_on_change("indices", CustomJS(args=arguments, code=_CHOOSE))
    return column(_map(columns, tests), panels.layout, sizing_mode="stretch_width")


def _first(tests: Columns) -> int | None:
    """Return the place of the test to begin with; one without a curve only when no other is left."""

    def rank(place: int) -> tuple[bool, bool, int]:
        played = tests["last_sample"][place] > tests["first_sample"][place]
        outcome = tests["outcome"][place]
        return outcome != _WORST[0], not played, _WORST.index(outcome)

    return min(range(len(tests.get("outcome", []))), key=rank, default=None)


def plot_conformity_test(result: Result, test: str) -> Any:  # noqa: ANN401 -- a Bokeh layout
    """Draw one test.

    Raises
    ------
    UsageError
        There is no such test.
    """
    return test_panels(suite_columns(result, test), 0).layout


def _targets(panels: Panels) -> dict[str, Any]:
    return {
        "verdicts": panels.verdicts,
        "samples": panels.samples,
        "ladder": panels.ladder.y_range,
        "ranges": panels.ranges,
        "heading": panels.heading,
        "subheading": panels.subheading,
    }


def _map(columns: SuiteColumns, tests: Any) -> Any:  # noqa: ANN401
    """Draw one tile a test, one line a family; symbol and colour are the outcome."""
    from bokeh.models import HoverTool, TapTool
    from bokeh.plotting import figure

    families = list(dict.fromkeys(columns.tests["family"]))
    most = max(columns.tests["place"]) + 1
    plot = figure(
        sizing_mode="stretch_width",
        height=_TILE_PX * len(families) + 60,
        x_range=(-0.7, max(most, 30) - 0.3),
        y_range=families[::-1],
        title="Every test, by family. Click a tile to see stimulus, response, limits and verdicts below.",
        tools="",
        toolbar_location=None,
        output_backend="canvas",
    )
    look = {"line_color": "#ffffff", "line_width": 1.5, "fill_alpha": 0.85}
    tiles = plot.rect(
        "place", "family", 0.94, 0.86, source=tests, fill_color="colour", **look,
        selection_line_color="#111111", selection_line_width=3, selection_fill_alpha=1.0,
        nonselection_fill_alpha=0.85, nonselection_line_color="#ffffff",
    )  # fmt: skip
    plot.text(
        "place", "family", "symbol", source=tests, text_color="#ffffff", text_align="center",
        text_baseline="middle", text_font_size="9pt", nonselection_text_alpha=1.0,
    )  # fmt: skip
    tips = [("test", "@test"), ("", "@heading"), ("clause", "@clause"), ("reason", "@reason")]
    plot.add_tools(HoverTool(tooltips=tips, renderers=[tiles]), TapTool(renderers=[tiles]))
    plot.xaxis.visible = False
    plot.grid.grid_line_color = None
    plot.outline_line_color = None
    return plot
