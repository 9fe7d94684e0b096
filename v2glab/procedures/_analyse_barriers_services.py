"""What the services that are stacked earn together and apart, and what a reader has to know of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from v2glab.barriers import ARBITRAGE, OWN_USE, RESPONSE, Services, Terms, VehicleValuer
from v2glab.procedures._analyse_barriers_inputs import Inputs

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.procedures.analyse_barriers import BarrierParameters


def services_table(inputs: Inputs) -> dict[str, pd.DataFrame]:
    """Return the value without rules of each choice of services, in the first price year; empty for one.

    Whatever is chosen, a building that stands behind the meter stays there: without self-consumption the
    vehicle leaves it alone, but charges from its surplus as smart charging would.
    """
    import pandas as pd

    services = inputs.market.services
    if len(services.names) < 2:
        return {}
    rows = []
    for size in range(1, len(services.names) + 1):
        for names in combinations(services.names, size):
            market = replace(inputs.market, services=_only(services, names))
            valuers = [VehicleValuer(year, inputs.vehicle, market) for year in inputs.years]
            values = np.array([valuer.value(Terms()) for valuer in valuers])
            methods = sorted({method for valuer in valuers for method in valuer.methods})
            rows.append(["+".join(names), size, float(values.mean()), "; ".join(methods)])
    return {"services": pd.DataFrame(rows, columns=["services", "count", "value", "methods"])}


def _only(services: Services, names: tuple[str, ...]) -> Services:
    return Services(
        ARBITRAGE in names,
        services.net_load_kwh if OWN_USE in names else None,
        services.response if RESPONSE in names else None,
    )


def service_caveats(inputs: Inputs, parameters: BarrierParameters) -> list[str]:
    """Return what to know of services and of a tariff whose terms tie steps together."""
    market, out = inputs.market, []
    services = market.services
    names = services.names
    if names == (ARBITRAGE,):
        out.append(
            "Value is the bill saved against smart charging alone at the same prices; no other service."
        )
    else:
        out.append(
            f"Value is what {', '.join(names)} earn together against smart charging alone, behind the same "
            "meter and at the same prices."
        )
    if services.net_load_kwh is not None:
        which = parameters.own_use or "a synthetic house"
        out.append(f"Every vehicle stands behind the meter of the same building: {which}.")
    if services.response is not None:
        which = parameters.frequency or "a synthetic frequency"
        out.append(
            f"Frequency response follows {which} repeated over the year, its calls evened out over each "
            f"hour; capacity earns {parameters.reserve_per_mw_h:g} a MW and hour, an assumption unless "
            f"given; bids are those of {parameters.fleet} vehicles that are plugged in like the sample."
        )
    if market.contract is not None:
        out.append(
            "Terms of the rate tie steps together: whole local months are dispatched at once by HiGHS, and "
            "the true bill of each plan is booked; a meter without earlier peaks is assumed. Settings of the "
            "car are not varied."
        )
    return out
