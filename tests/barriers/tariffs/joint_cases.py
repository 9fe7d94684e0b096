"""Small vehicle-years for tests of problems whose steps hang together."""

from __future__ import annotations

from typing import Any

import numpy as np

from v2glab.barriers import Frame, Market, Services, Vehicle, VehicleYear, Window
from v2glab.barriers.tariffs import Contract, Metering, Rate, marginal_prices, tariff_of

#: 1 January 2018, a Monday; UTC has no clock changes, and Utilityrate5's year begins on a Monday.
START_S, ZONE = 1_514_764_800, "UTC"
PEAK = [0] * 8 + [1] * 12 + [0] * 4


def rate(**changes: Any) -> Rate:
    """Return a rate of two periods, with peak hours from 8 to 20; changes replace its fields."""
    fields: dict[str, Any] = {
        "label": "test",
        "currency": "USD",
        "energyratestructure": [[{"rate": 0.10, "sell": 0.05}], [{"rate": 0.30, "sell": 0.15}]],
        "energyweekdayschedule": [PEAK] * 12,
        "energyweekendschedule": [[0] * 24] * 12,
        "dgrules": "Net Billing Instantaneous",
    }
    return Rate.model_validate(fields | changes)


def two_tiers(limit: float, low: float, high: float, unit: str = "kWh") -> list[list[dict[str, Any]]]:
    """Return two periods whose second tier differs by the same amount in both."""
    return [
        [
            {"max": limit, "rate": p, "sell": 0.04, "unit": unit},
            {"rate": p + high - low, "sell": 0.04, "unit": unit},
        ]
        for p in (low, low + 0.2)
    ]


def year_of(hours: list[tuple[int, int, float]]) -> VehicleYear:
    """Return sessions from hour to hour of the window, each with its energy at the meter."""
    starts, ends, energy = zip(*hours, strict=True)
    return VehicleYear(
        "car",
        tuple(range(len(hours))),
        START_S + 3600 * np.array(starts, dtype=np.int64),
        START_S + 3600 * np.array(ends, dtype=np.int64),
        np.array(energy, dtype=np.float64),
        365.0,
    )


def contract_frame(
    found: Rate,
    hours: list[tuple[int, int, float]],
    *,
    days: int,
    load_kwh: np.ndarray | None = None,
    metering: Metering | None = None,
    vehicle: Vehicle | None = None,
) -> Frame:
    """Return a frame of one car under a rate, over whole months from the start."""
    window = Window(START_S, days * 96)
    rule = metering or found.metering
    assert rule is not None
    prices = marginal_prices(found, START_S, 900, window.steps, ZONE, metering=rule)
    contract = Contract(found, rule, ZONE, START_S, 900, window.steps)
    services = Services(True, load_kwh)
    market = Market(
        tariff_of(found, ZONE), prices.buy_per_kwh, window, prices.sell_per_kwh, contract, services
    )
    return Frame(
        year_of(hours), vehicle or Vehicle(battery_kwh=40.0, charge_kw=8.0, discharge_kw=8.0), market
    )
