"""Latency as a barrier: measured command and handshake times against what markets allow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from v2glab.barriers._segments import Floats
from v2glab.barriers._terms import Transformation
from v2glab.evidence import InputError

Kind = Literal["activation", "telemetry", "handshake"]

#: What each limit is held against. The round trip of a command is part of every activation and of every
#: telemetry value that is asked for: within the limit it proves nothing, beyond it everything.
_HELD_AGAINST: dict[str, tuple[str, ...]] = {
    "activation": ("activation", "command"),
    "telemetry": ("telemetry", "command"),
    "handshake": ("handshake",),
}


class MarketLimit(BaseModel):
    """The longest time that a market allows for something."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    product: str
    kind: Kind
    limit_s: float = Field(gt=0, lt=1e6)
    source: str = Field(min_length=1)
    confidence: Literal["read", "memory, verify"]


@dataclass(frozen=True, slots=True)
class WithinLimit:
    """Share of ``count`` latencies within a limit, its 95 % interval, and the latencies' 95th percentile.

    ``measured`` is the kind of the latencies; ``command`` is a part only of what the limit speaks of.
    """

    limit: MarketLimit
    measured: str
    count: int
    share: float
    low: float
    high: float
    p95_s: float


def parse_limits(document: Mapping[str, Any], where: str) -> tuple[MarketLimit, ...]:
    """Build market limits from a parsed TOML document.

    Raises
    ------
    InputError
        An entry is wrong.
    """
    found = []
    entries = document.get("limit", [])
    for position, entry in enumerate(entries if isinstance(entries, list) else [entries], start=1):
        try:
            found.append(MarketLimit.model_validate(entry))
        except ValidationError as error:
            raise InputError(
                f"{where}, limit {position}: {error}", "the fields of a limit", "mend that entry"
            ) from error
    return tuple(found)


def within_limits(samples: Mapping[str, Floats], limits: Sequence[MarketLimit]) -> list[WithinLimit]:
    """Hold latencies of each kind against the limits that speak of it, or of something it is a part of.

    The interval is Wilson's (Journal of the American Statistical Association 22, 1927), which stays within 0
    and 1 for shares near the ends.
    """
    out = []
    for limit, measured in ((one, kind) for one in limits for kind in _HELD_AGAINST[one.kind]):
        values = samples.get(measured)
        if values is None or not values.size:
            continue
        n, share = values.size, float((values <= limit.limit_s).mean())
        z2 = 1.959964**2
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = math.sqrt(z2) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        low, high = max(middle - half, 0.0), min(middle + half, 1.0)
        out.append(WithinLimit(limit, measured, n, share, low, high, float(np.percentile(values, 95))))
    return out


def handshake_delay(samples: Mapping[str, Floats], rule: Transformation, where: str) -> Transformation:
    """Return the rule with the mean of measured handshakes as its delay, and the mean's standard uncertainty
    (type A, JCGM 100:2008, 4.2.3).

    Raises
    ------
    InputError
        Fewer than two handshakes were measured.
    """
    values = samples.get("handshake", np.zeros(0))
    if values.size < 2:
        raise InputError(
            f"{where}: {values.size} handshakes", "at least two", "measure more, or leave the file out"
        )
    return rule.model_copy(
        update={
            "value": float(values.mean()),
            "uncertainty": float(values.std(ddof=1) / math.sqrt(values.size)),
            "value_source": f"measured: mean of {values.size} handshakes in {where}",
        }
    )


def telemetry_share(within: Sequence[WithinLimit], own: Transformation) -> Transformation:
    """Return the rule with the share of telemetry in time for the strictest limit, as what passes.

    Standard uncertainty is a quarter of the 95 % interval's width (JCGM 100:2008, 4.3.4, for two standard
    deviations each way). Without measured telemetry the rule stays as it is.
    """
    rows = [row for row in within if row.limit.kind == "telemetry" == row.measured]
    if not rows:
        return own
    worst = min(rows, key=lambda row: row.share)
    return own.model_copy(
        update={
            "value": worst.share,
            "uncertainty": (worst.high - worst.low) / 4,
            "value_source": f"measured: {worst.count} values, {worst.share:.1%} within the "
            f"{worst.limit.limit_s:g} s of {worst.limit.id}",
        }
    )
