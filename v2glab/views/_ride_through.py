"""What a recording demanded of each category: a table for the terminal, and a page that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from v2glab.evidence import Result
from v2glab.gridcodes import Demand, GridCode
from v2glab.views._gridcodes import one_line
from v2glab.views._judge_recording import regions_figure, rms_figure
from v2glab.views._numbers import rounded, spread_text
from v2glab.views._page import embedded, html_page
from v2glab.views._report_parts import pairs, text

if TYPE_CHECKING:
    from rich.table import Table

_NAMES = ("category", "what the recording asks", "conclusive", "may trip at", "must have ceased by")
_MARGINS = ("margin to free trip ± U", "margin to due trip ± U")
_FOOTER = "Written by v2glab. U is the expanded uncertainty (coverage factor 2)."
WORDS = {
    "stay": "must stay connected",
    "may trip": "may trip",
    "must trip": "must trip",
    "no limit known": "no limit known",
}


def demand_cells(demand: Demand) -> tuple[str, ...]:
    """Return category, answer, whether it holds, times and margins as text."""
    margins = (
        _margin(demand.margin_s, demand.u_margin_s, demand.margin_region),
        _margin(demand.trip_margin_s, demand.u_trip_margin_s, demand.trip),
    )
    return (
        demand.assessment.category,
        WORDS[demand.asked],
        "yes" if demand.conclusive else "no",
        _seconds(demand.may_trip_at_s),
        _seconds(demand.must_trip_at_s),
        *margins,
    )


def rich_demands(demands: Sequence[Demand]) -> Table:
    """Return one row a category."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name in (*_NAMES, *_MARGINS):
        table.add_column(name, overflow="fold")
    for demand in demands:
        cells = (Text(one_line(cell)) for cell in demand_cells(demand))
        table.add_row(*cells, style=None if demand.conclusive else "yellow")
    return table


def render_ride_through(
    code: GridCode, demands: Sequence[Demand], results: Sequence[Result], facts: dict[str, Any]
) -> str:
    """Return a page: answers, why they may not hold, the disturbance over the regions of each category.

    ``results`` are those of the same categories; ``facts`` is what to say of the recording.
    """
    from bokeh.layouts import gridplot

    trips = [code.category(result.facts["category"]).voltage_trips for result in results]
    figures = [regions_figure(result, several) for result, several in zip(results, trips, strict=True)]
    columns = min(2, len(figures))
    layout = {
        "regions": gridplot(figures, ncols=columns, toolbar_location=None),
        "rms": _marked(rms_figure(results[0]), demands),
    }
    scripts, drawn = embedded(layout)
    name = text(facts.get("recording", "recording"))
    body = [
        f"<header><h1>Ride-through of a recording</h1><p class=sub>{name}, judged by {text(code.standard)}, "
        f"{text(code.edition)}.</p></header>",
        f"<h2>What the recording asks</h2>{_table(demands)}{_reasons(demands)}",
        f"<h2>The disturbance over the regions</h2><div class=figure>{drawn['regions']}</div>",
        f"<h2>RMS voltage</h2><div class=figure>{drawn['rms']}</div>",
        f"<h2>Recording</h2>{pairs(facts)}",
    ]
    return html_page(f"Ride-through: {name}", "".join(body), scripts, footer=_FOOTER)


def _marked(plot: Any, demands: Sequence[Demand]) -> Any:  # noqa: ANN401 -- a bokeh figure
    """Mark when each category was free to trip, and when it had to have ceased."""
    from bokeh.models import Label, Span

    for position, demand in enumerate(demands):
        for time_s, words, colour in (
            (demand.may_trip_at_s, "may trip", "#8a5a00"),
            (demand.must_trip_at_s, "must have ceased", "#a4161a"),
        ):
            if time_s is not None:
                line = {"line_color": colour, "line_dash": "dashed"}
                plot.add_layout(Span(location=time_s, dimension="height", **line))
                label = f"{demand.assessment.category}: {words}"
                style = {"text_font_size": "8pt", "text_color": colour, "y_units": "screen"}
                plot.add_layout(Label(x=time_s, y=4 + 12 * position, x_offset=4, text=label, **style))
    return plot


def _table(demands: Sequence[Demand]) -> str:
    head = "".join(f"<th>{text(name[:1].upper() + name[1:])}</th>" for name in (*_NAMES, *_MARGINS))
    rows = "".join(
        f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in demand_cells(demand))}</tr>" for demand in demands
    )
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _reasons(demands: Sequence[Demand]) -> str:
    items = [
        f"<li>Category {text(d.assessment.category)}: {text(reason)}</li>"
        for d in demands
        for reason in d.reasons
    ]
    left_out = [
        f"<li>Category {text(d.assessment.category)}: not judged: {text(', '.join(d.left_out))}</li>"
        for d in demands
        if d.left_out
    ]
    if not items and not left_out:
        return ""
    return f"<h3>What stands against an answer</h3><ul class=check>{''.join(items + left_out)}</ul>"


def _margin(value: float | None, u: float | None, where: str) -> str:
    if value is None:
        return "–"
    if u is None:
        return f"{value:.4g} s in {where}, U not stated"
    return f"{rounded(value, 2 * u)} ± {spread_text(2 * u)} s in {where}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f} s"
