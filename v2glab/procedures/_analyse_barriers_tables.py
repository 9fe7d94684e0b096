"""The tables and caveats of a barrier analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2glab.barriers import Attribution, bootstrap, load_catalogue
from v2glab.procedures._analyse_barriers_inputs import Inputs

if TYPE_CHECKING:
    import pandas as pd


def tables(inputs: Inputs, attribution: Attribution, seed: int) -> dict[str, pd.DataFrame]:
    """Return all tables of the record; money is the tariff's currency per vehicle and year."""
    return {
        "rules": _rules(inputs, attribution, seed),
        "waterfall": _waterfall(attribution),
        "rule_sets": _rule_sets(attribution, seed),
        "vehicles": _vehicles(inputs, attribution),
        "left_out": _left_out(inputs),
        "barrier_evidence": _evidence(inputs),
    }


def caveats(inputs: Inputs) -> list[str]:
    """Return what a reader has to know before quoting a number."""
    vehicle = inputs.vehicle
    days = np.array([year.days for year in inputs.years])
    out = [
        "Perfect foresight of prices and trips: an upper bound on what a real controller reaches.",
        "Price taker: the vehicles do not move the price.",
        f"Sample: {len(inputs.years)} vehicles; intervals are over vehicles, not over years or settings.",
        f"Records of {days.min():.0f} to {days.max():.0f} days count as 365; seasons may weigh unevenly.",
        _prices(inputs),
        f"Every user has the same car: {vehicle.battery_kwh:g} kWh, {vehicle.charge_kw:g} kW in, "
        f"{vehicle.discharge_kw:g} kW out, efficiency {vehicle.charge_efficiency:g} and "
        f"{vehicle.discharge_efficiency:g}, {vehicle.reserve_share:.0%} kept for driving.",
        "What a session delivered is taken to be what the road took since the session before.",
        "Value is the bill saved against smart charging alone at the same prices; no other service.",
        f"Tariff {inputs.market.tariff.id}: {inputs.market.tariff.source}.",
    ]
    endless = sum(issue.kind == "no plug-out" for issue in inputs.issues)
    if endless:
        out.append(
            f"{endless} sessions without plug-out are left out with their energy; their users stay in."
        )
    if vehicle.wear_eur_per_kwh == 0:
        out.append("Battery wear is not priced; give wear_eur_per_kwh to do so.")
    catalogue = load_catalogue()
    unsourced = [name for name in inputs.rules if not catalogue.barriers[name].sourced]
    if unsourced:
        out.append(f"Not fit for publication before a source is read for: {', '.join(unsourced)}.")
    moving = [name for name in inputs.rules if catalogue.barriers[name].touches_mobility]
    if moving:
        out.append(f"The mobility baseline itself is changed by: {', '.join(moving)}.")
    return out


def _prices(inputs: Inputs) -> str:
    since = _date(inputs.market.window.start_s)
    if inputs.prices is None:
        return f"Prices of the rate lie over sessions from {since} on; public holidays count as weekdays."
    return (
        f"Prices of {inputs.prices.year} lie over sessions from {since} on, "
        "by month, day and hour (UTC), whatever the weekday."
    )


def _date(second: int) -> str:
    return str(np.datetime64(second, "s").astype("datetime64[D]"))


def _rules(inputs: Inputs, attribution: Attribution, seed: int) -> pd.DataFrame:
    import pandas as pd

    catalogue = load_catalogue()
    columns = zip(
        attribution.rules, attribution.shapley(), attribution.first_in(), attribution.last_in(), strict=True
    )
    rows = []
    for name, shapley, first, last in columns:
        change, barrier = inputs.rules[name], catalogue.barriers[name]
        row: dict[str, object] = {
            "rule": name,
            "title": barrier.name,
            "layer": barrier.layer,
            "kind": change.kind,
            "setting": change.value,
            "unit": change.unit,
            "value_source": change.value_source,
            "evidence_quality": barrier.evidence_quality,
        }
        for label, share in (("shapley", shapley), ("first_in", first), ("last_in", last)):
            estimate = bootstrap(share, seed=seed)
            row[label] = estimate.mean
            row[f"{label}_low"], row[f"{label}_high"] = estimate.low, estimate.high
        rows.append(row)
    return pd.DataFrame(rows).sort_values("shapley", ascending=False, kind="stable", ignore_index=True)


def _waterfall(attribution: Attribution) -> pd.DataFrame:
    import pandas as pd

    steps = attribution.waterfall()
    value = float(attribution.value[0].mean())
    rows = [{"step": "no rules", "change": value, "value_after": value}]
    for name, loss in steps:
        value -= loss
        rows.append({"step": name, "change": -loss, "value_after": value})
    rows.append({"step": "all rules", "change": value, "value_after": value})
    return pd.DataFrame(rows)


def _rule_sets(attribution: Attribution, seed: int) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for number, value in enumerate(attribution.value):
        chosen = [name for i, name in enumerate(attribution.rules) if number >> i & 1]
        estimate = bootstrap(value, seed=seed)
        rows.append(
            {
                "rules": "+".join(chosen),
                "count": len(chosen),
                "value": estimate.mean,
                "value_low": estimate.low,
                "value_high": estimate.high,
            }
        )
    return pd.DataFrame(rows)


def _vehicles(inputs: Inputs, attribution: Attribution) -> pd.DataFrame:
    import pandas as pd

    shares = attribution.shapley()
    table = pd.DataFrame(
        {
            "user": [year.user for year in inputs.years],
            "days": [year.days for year in inputs.years],
            "sessions": [len(year.rows) for year in inputs.years],
            "energy_kwh": [float(year.energy_kwh.sum()) for year in inputs.years],
            "value_without_rules": attribution.value[0],
            "value_with_all_rules": attribution.value[-1],
        }
    )
    return table.assign(**{f"lost_{name}": shares[i] for i, name in enumerate(attribution.rules)})


def _left_out(inputs: Inputs) -> pd.DataFrame:
    import pandas as pd

    columns = ["user", "row", "kind", "found", "remedy"]
    return pd.DataFrame([[getattr(i, c) for c in columns] for i in inputs.issues], columns=columns)


def _evidence(inputs: Inputs) -> pd.DataFrame:
    import pandas as pd

    columns = [
        "barrier",
        "state",
        "verdict",
        "outcome",
        "parameter",
        "value",
        "unit",
        "uncertainty",
        "reason",
    ]
    table = pd.DataFrame([[getattr(e, c) for c in columns] for e in inputs.evidence], columns=columns)
    numeric = ["value", "uncertainty"]
    return table.astype({name: "float64" if name in numeric else "str" for name in columns}).assign(
        records=[" ".join(e.records) for e in inputs.evidence]
    )
