"""Small random rates that Utilityrate5 can bill too: equal limits in all periods, one direction a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from v2glab.barriers.tariffs import Metering, Rate

_PRICE = st.integers(0, 60).map(lambda cents: cents / 100)
_DEMAND = st.integers(0, 30).map(float)


def _schedule(draw: st.DrawFn, periods: int) -> list[list[int]]:
    """Two seasons, each with at most three spans of hours."""
    seasons = []
    for _ in range(2):
        cuts = sorted(draw(st.lists(st.integers(0, 24), min_size=2, max_size=2)))
        a, b, c = (draw(st.integers(0, periods - 1)) for _ in range(3))
        seasons.append([a] * cuts[0] + [b] * (cuts[1] - cuts[0]) + [c] * (24 - cuts[1]))
    return [seasons[1] if 5 <= month < 9 else seasons[0] for month in range(12)]


def _limits(draw: st.DrawFn, scale: float) -> list[float | None]:
    steps = draw(st.lists(st.integers(1, 20), max_size=2))
    return [*(float(v) * scale for v in np.cumsum(steps)), None]


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    """A rate with time of use, tiers in some unit, demand charges, fixed and minimum charges."""
    periods = draw(st.integers(1, 3))
    unit, scale = draw(
        st.sampled_from([("kWh", 300.0), ("kWh/kW", 40.0), ("kWh daily", 10.0), ("kWh/kW daily", 1.5)])
    )
    limits = _limits(draw, scale)
    document: dict[str, Any] = {
        "name": "random",
        "currency": "USD",
        "energyratestructure": [
            [
                {
                    "max": limit,
                    "rate": draw(_PRICE),
                    "adj": draw(_PRICE) / 10,
                    "sell": draw(_PRICE),
                    "unit": unit,
                }
                for limit in limits
            ]
            for _ in range(periods)
        ],
        "energyweekdayschedule": _schedule(draw, periods),
        "energyweekendschedule": _schedule(draw, periods),
        "fixedchargefirstmeter": draw(st.integers(0, 40)),
        "mincharge": draw(st.sampled_from([0.0, 25.0, 900.0])),
        "minchargeunits": draw(st.sampled_from(["$/month", "$/year"])),
    }
    if draw(st.booleans()):
        count = draw(st.integers(1, 2))
        demand_limits = _limits(draw, 3.0)
        document["demandratestructure"] = [
            [{"max": limit, "rate": draw(_DEMAND)} for limit in demand_limits] for _ in range(count)
        ]
        document["demandweekdayschedule"] = _schedule(draw, count)
        document["demandweekendschedule"] = _schedule(draw, count)
    elif draw(st.booleans()):
        document["lookbackpercent"] = 0.75
        document["lookbackrange"] = draw(st.integers(1, 11))
        document["lookbackmonths"] = draw(st.lists(st.booleans(), min_size=12, max_size=12))
    if draw(st.booleans()) or "lookbackpercent" in document:
        document["flatdemandstructure"] = [
            [{"max": limit, "rate": draw(_DEMAND)} for limit in _limits(draw, 4.0)] for _ in range(2)
        ]
        document["flatdemandmonths"] = [draw(st.integers(0, 1))] * 5 + [1] * 4 + [0] * 3
    return Rate.model_validate(document)


@st.composite
def meterings(draw: st.DrawFn) -> Metering:
    """A metering rule that Utilityrate5 knows too."""
    rule, credit = draw(
        st.sampled_from(
            [
                ("net_metering", "kwh"),
                ("net_metering", "money"),
                ("net_billing", "paid"),
                ("net_billing", "carried"),
            ]
        )
    )
    return Metering(rule=rule, credit=credit, true_up_month=draw(st.integers(1, 12)))


def meter(seed: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return load and export, kW, never both in one step; summers export more."""
    rng = np.random.default_rng(seed)
    season = np.cos(2 * np.pi * (np.arange(steps) / steps - 0.5))
    net = rng.normal(1.0, 4.0, steps) - rng.uniform(0.0, 4.0) * season
    return np.maximum(net, 0.0), np.maximum(-net, 0.0)
