"""Sessions of the vehicle link in the terminal: messages against their limits, findings, runs of SLAC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from v2glab.views._gridcodes import one_line
from v2glab.views._vehicle_data import CLOSE, LATE, by_message, exchanges

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from v2glab.diagnosis import Finding
    from v2glab.links.capture import CapturedSession
    from v2glab.links.slac import Report, Seen

_BAR = 16
#: Lowest block of a column of eight steps.
_BLOCKS = "▁▂▃▄▅▆▇█"


def rich_exchanges(frame: pd.DataFrame) -> Table:
    """Return one row a message: how often, how long the answer took, its limit and the margin.

    Parameters
    ----------
    frame
        Table of a trace, as ``Trace.frame()`` returns it.
    """
    from rich.text import Text

    table = _table(
        ("message", ""), ("times", "r"), ("median", "r"), ("slowest", "r"), ("limit", "r"), ("margin", "r")
    )
    table.add_column("of the limit", no_wrap=True)
    table.add_column("response", overflow="fold")
    for times in by_message(exchanges(frame)):
        share = None if times.slowest_s is None or not times.limit_s else times.slowest_s / times.limit_s
        style = (
            "" if share is None else "bold red" if share > LATE else "yellow" if share > CLOSE else "green"
        )
        cells = (times.middle_s, times.slowest_s, times.limit_s, times.margin_s)
        said = ", ".join((*times.codes, *times.notes)) + (f" ({times.late} late)" if times.late else "")
        table.add_row(
            Text(one_line(times.message)),
            str(times.count),
            *(Text(ms_text(c)) for c in cells),
            Text("–" if share is None else _bar(share), style=style),
            Text(one_line(said), style="red" if times.notes or "FAILED" in said else ""),
        )
    return table


def rich_sessions(sessions: Sequence[CapturedSession]) -> Table:
    """Return one row a session of a capture: ends, protocol, messages, negotiation, what is wrong."""
    from rich.text import Text

    table = _table(("", "r"), ("begins", "r"), ("vehicle", ""), ("charger", ""), ("protocol", ""))
    for name in ("messages", "late", "negotiation"):
        table.add_column(name, justify="right")
    table.add_column("what is wrong", overflow="fold")
    start = min((s.began_ns for s in sessions), default=0)
    for number, s in enumerate(sessions, start=1):
        late = sum(r.margin_s is not None and r.margin_s < 0 for r in s.records)
        closed = f"{s.undeciphered} records closed" if s.undeciphered else ""
        wrong = [f"{s.cause.phase}: {s.cause.text}" if s.cause else "", closed]
        wrong += [r.response_code for r in s.records if r.response_code.startswith("FAILED")][:1]
        table.add_row(
            str(number),
            f"{(s.began_ns - start) / 1e9:.3f} s",
            Text(s.vehicle),
            Text(s.charger),
            Text(one_line(s.protocol or "–")),
            str(len(s.records)),
            Text(str(late or ""), style="bold red"),
            ms_text(s.timing.total_s) if s.timing else "–",
            Text(one_line(", ".join(w for w in wrong if w)), style="red"),
        )
    return table


def rich_slac(trace: Sequence[Seen]) -> Table:
    """Return one row a frame of SLAC, equal ones in a row together; answers with limit and margin."""
    from rich.text import Text

    table = _table(
        ("at", "r"), ("frame", ""), ("sent by", ""), ("answered in", "r"), ("limit", "r"), ("margin", "r")
    )
    for count, seen in _gathered(trace):
        late = seen.margin_s is not None and seen.margin_s < 0
        style = "bold red" if late or seen.note else ""
        name = f"{seen.name} × {count}" if count > 1 else seen.name
        table.add_row(
            f"{seen.at_s:.3f} s",
            Text(one_line(f"{name} {seen.note}".strip()), style=style),
            Text(one_line(seen.source)),
            *(Text(ms_text(v), style=style) for v in (seen.elapsed_s, seen.limit_s, seen.margin_s)),
        )
    return table


def profile_line(report: Report) -> str:
    """Return an attenuation profile as one line of columns, lowest and highest level, and its mean."""
    levels = report.groups_db
    if not levels:
        return "no groups"
    low, high = min(levels), max(levels)
    steps = [_BLOCKS[(7 * (v - low)) // max(high - low, 1)] for v in levels]
    mean = report.attenuation
    told = report.no_attenuation if mean is None else f"mean {mean.value:.1f} dB ({report.level})"
    return f"{''.join(steps)}  {low} to {high} dB, {told}"


def finding_lines(findings: Iterable[Finding]) -> list[str]:
    """Return findings as lines of text: code, cause, evidence, remedy."""
    lines: list[str] = []
    for f in findings:
        doubt = "" if f.certainty == "established" else " (suspected)"
        lines += [f"{f.code}  {f.title}{doubt}", f"  cause:    {f.cause}"]
        lines += [f"  {'evidence:' if k == 0 else '':<9} {line}" for k, line in enumerate(f.evidence)]
        lines += [f"  remedy:   {f.remedy}", ""]
    return [one_line(line) for line in lines]


def ms_text(value: float | None) -> str:
    """Return seconds as milliseconds, or a dash."""
    if value is None:
        return "–"
    return f"{value * 1e3:.2f} ms" if abs(value) < 0.01 else f"{value * 1e3:.0f} ms"


def _gathered(trace: Sequence[Seen]) -> list[tuple[int, Seen]]:
    rows: list[tuple[int, Seen]] = []
    for seen in trace:
        last = rows[-1] if rows else None
        alike = last is not None and (last[1].name, last[1].source) == (seen.name, seen.source)
        if last is not None and alike and seen.elapsed_s is None and not seen.note and not last[1].note:
            rows[-1] = (last[0] + 1, last[1])
        else:
            rows.append((1, seen))
    return rows


def _bar(share: float) -> str:
    filled = max(min(round(share * _BAR), _BAR), 0)
    return f"{'█' * filled}{'·' * (_BAR - filled)} {share * 100:.3g} %"


def _table(*columns: tuple[str, str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name, side in columns:
        table.add_column(name, justify="right" if side == "r" else "left", overflow="fold")
    return table
