"""Numbers as people read them: as many digits as the uncertainty allows, and never more."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from v2glab.evidence import Criterion, Outcome

MOST_DECIMALS = 9

#: Word, symbol and colour of each outcome: never the colour alone.
SYMBOL = {
    Outcome.PASS: "✔",
    Outcome.FAIL: "✘",
    Outcome.INCONCLUSIVE: "?",
    Outcome.NOT_APPLICABLE: "–",
}


def rounded(value: float, spread: float | None) -> str:
    """Return a value rounded to the second significant digit of its expanded uncertainty.

    Two digits of an uncertainty are enough (JCGM 100:2008, 7.2.6). Without one, or with zero, the value has
    four significant digits.
    """
    if not spread or not math.isfinite(spread):
        return _plain(f"{value:.4g}")
    places = decimals(spread)
    if places > MOST_DECIMALS or abs(value) >= 1e12:
        return _plain(f"{value:.6g}")
    return _plain(f"{round(value, places):.{max(places, 0)}f}")


def decimals(spread: float) -> int:
    """Return the decimals that show two significant digits of a positive number; negative above 100."""
    return 1 - math.floor(math.log10(abs(spread)))


def spread_text(spread: float | None) -> str:
    """Return an expanded uncertainty with two significant digits, or a dash."""
    if spread is None or not math.isfinite(spread):
        return "–"
    return "0" if spread == 0 else rounded(spread, spread)


def with_unit(text: str, unit: str) -> str:
    """Append a unit; the unit of a plain number is not written."""
    return text if unit == "1" else f"{text} {unit}"


def limit_text(criterion: Criterion) -> str:
    """Return the bound of a criterion; equal bounds become ``= 1``, and a plain number has no unit."""
    if criterion.lower is not None and criterion.lower == criterion.upper:
        return with_unit(f"= {criterion.lower:g}", criterion.unit)
    shown = criterion.limit_text()
    return shown.removesuffix(" 1") if criterion.unit == "1" else shown


def utc_text(time_ns: object) -> str:
    """Return a time of a record as UTC to the second, or a dash for what is not a time."""
    if not isinstance(time_ns, int) or isinstance(time_ns, bool):
        return "–"
    try:
        return datetime.fromtimestamp(time_ns // 10**9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return "–"


def _plain(text: str) -> str:
    """Drop the sign of a negative zero."""
    return text.removeprefix("-") if float(text) == 0 else text
