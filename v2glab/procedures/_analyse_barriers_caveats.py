"""What a reader has to know before quoting a number of a barrier analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2glab.barriers import SampledAttribution, load_catalogue
from v2glab.procedures._analyse_barriers_inputs import Inputs
from v2glab.procedures._analyse_barriers_pricing import Priced
from v2glab.procedures._analyse_barriers_services import service_caveats

if TYPE_CHECKING:
    from v2glab.procedures.analyse_barriers import BarrierParameters

#: Fewer price years than these are said to be few.
_FEW_YEARS = 3


def caveats(inputs: Inputs, priced: Priced, parameters: BarrierParameters) -> list[str]:
    """Return what a reader has to know before quoting a number."""
    vehicle = inputs.vehicle
    days = np.array([year.days for year in inputs.years])
    years, draws = priced.attribution.value.shape[1:3]
    over = ["vehicles"] + ["price years"] * (years > 1) + ["draws of measured parameters"] * (draws > 1)
    out = [
        "Perfect foresight of prices and trips: an upper bound on what a real controller reaches"
        + (f"; table 'foresight' has a plan over {parameters.horizon_h} h." if parameters.horizon_h else "."),
        "Price taker: the vehicles do not move the price.",
        f"Sample: {len(inputs.years)} vehicles; intervals are over {' and '.join(over)}, not over settings.",
        f"Records of {days.min():.0f} to {days.max():.0f} days count as 365; seasons may weigh unevenly.",
        _prices(inputs),
        f"Every user has the same car: {vehicle.battery_kwh:g} kWh, {vehicle.charge_kw:g} kW in, "
        f"{vehicle.discharge_kw:g} kW out, efficiency {vehicle.charge_efficiency:g} and "
        f"{vehicle.discharge_efficiency:g}, {vehicle.reserve_share:.0%} kept for driving.",
        "What a session delivered is taken to be what the road took since the session before.",
        *service_caveats(inputs, parameters),
        f"Tariff {inputs.market.tariff.id}: {inputs.market.tariff.source}.",
    ]
    if years < _FEW_YEARS:
        out.append(f"{years} price year(s): the price year moves values most; at least three are advised.")
    if years > 1:
        out.append(
            "Energy, power over the year, settings of the car and foresight are those of the first price "
            f"year, {inputs.price_years[0]}."
        )
    if priced.gap_eur:
        out.append(
            f"Not every problem was solved exactly: up to {priced.gap_eur:.2g} "
            f"{inputs.market.tariff.currency} a vehicle and record may be missing; facts name the methods."
        )
    if isinstance(priced.attribution, SampledAttribution):
        out.append(
            f"{len(inputs.rules)} rules are too many for the full table: Shapley values are means over "
            f"{len(priced.attribution.orders)} sampled orders; sampling_error has their standard error."
        )
    endless = sum(issue.kind == "no plug-out" for issue in inputs.issues)
    if endless:
        out.append(
            f"{endless} sessions without plug-out are left out with their energy; their users stay in."
        )
    if vehicle.wear_eur_per_kwh == 0 and not vehicle.wear_curve:
        out.append("Battery wear is not priced; give wear_eur_per_kwh or wear_curve to do so.")
    out += _measured(inputs)
    catalogue = load_catalogue()
    unsourced = [name for name in inputs.rules if not catalogue.barriers[name].sourced]
    if unsourced:
        out.append(f"Not fit for publication before a source is read for: {', '.join(unsourced)}.")
    moving = [name for name in inputs.rules if catalogue.barriers[name].touches_mobility]
    if moving:
        out.append(f"The mobility baseline itself is changed by: {', '.join(moving)}.")
    return out


def _measured(inputs: Inputs) -> list[str]:
    """Return what to know of the numbers that a run set."""
    out = []
    unknown = [name for name, rule in inputs.rules.items() if "uncertainty not known" in rule.value_source]
    if unknown:
        out.append(
            f"Measured, but with an uncertainty that is not known and so not counted: {', '.join(unknown)}."
        )
    if inputs.rules.get("connector_ac_dc") and any(
        e.barrier == "connector_ac_dc" and e.state == "set" for e in inputs.evidence
    ):
        out.append(
            "The measured efficiency of the station counts on top of the car's discharging efficiency "
            f"({inputs.vehicle.discharge_efficiency:g}): give the battery's alone."
        )
    if inputs.rules.get("submetering") and any(
        e.barrier == "submetering" and e.state == "set" for e in inputs.evidence
    ):
        out.append(
            "submetering costs nothing only where the rule admits the station's own meter for billing."
        )
    unverified = [row.limit.id for row in inputs.grid.within if row.limit.confidence != "read"]
    if unverified:
        out.append(
            f"Time limits of markets are from memory, to be verified: {', '.join(dict.fromkeys(unverified))}."
        )
    if any(row.measured == "command" for row in inputs.grid.within):
        out.append("The round trip of a command is a part only of an activation or of telemetry.")
    return out


def _prices(inputs: Inputs) -> str:
    since = _date(inputs.market.window.start_s)
    if inputs.prices[0] is None:
        return f"Prices of the rate lie over sessions from {since} on; public holidays count as weekdays."
    return (
        f"Prices of {', '.join(inputs.price_years)} lie over sessions from {since} on, "
        "by month, day and hour (UTC), whatever the weekday."
    )


def _date(second: int) -> str:
    return str(np.datetime64(second, "s").astype("datetime64[D]"))
