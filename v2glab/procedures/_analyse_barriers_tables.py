"""The tables of a barrier analysis."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers import Attribution, SampledAttribution, bootstrap, load_catalogue
from v2glab.procedures._analyse_barriers_behaviour import behaviour_tables
from v2glab.procedures._analyse_barriers_findings import findings
from v2glab.procedures._analyse_barriers_inputs import Inputs
from v2glab.procedures._analyse_barriers_pricing import Priced

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.procedures.analyse_barriers import BarrierParameters

Floats = NDArray[np.float64]


def tables(
    inputs: Inputs, priced: Priced, seed: int, parameters: BarrierParameters
) -> dict[str, pd.DataFrame]:
    """Return all tables of the record; money is the tariff's currency per vehicle and year."""
    rules = _rules(inputs, priced, seed)
    return {
        "rules": rules,
        "rules_by_year": _rules_by_year(inputs, priced, seed),
        "waterfall": _waterfall(priced),
        "rule_sets": _rule_sets(priced, seed),
        "interactions": _interactions(priced),
        "minimal_sets": _minimal_sets(priced),
        "vehicles": _vehicles(inputs, priced),
        **behaviour_tables(inputs, priced, parameters.horizon_h),
        "findings": findings(inputs, rules),
        "left_out": _left_out(inputs),
        "barrier_evidence": evidence_table(inputs),
        **_grid(inputs),
    }


def _rules(inputs: Inputs, priced: Priced, seed: int) -> pd.DataFrame:
    import pandas as pd

    catalogue = load_catalogue()
    found = priced.attribution
    columns = zip(
        found.rules,
        found.shapley(),
        found.first_in(),
        found.last_in(),
        found.sampling_error,
        strict=True,
    )
    rows = []
    for name, shapley, first, last, sampling in columns:
        change, barrier = inputs.rules[name], catalogue.barriers[name]
        row: dict[str, object] = {
            "rule": name,
            "title": barrier.name,
            "layer": barrier.layer,
            "kind": change.kind,
            "setting": change.value,
            "unit": change.unit,
            "setting_uncertainty": change.uncertainty,
            "value_source": change.value_source,
            "sources": " ".join(barrier.sources),
            "evidence_quality": barrier.evidence_quality,
            "sampling_error": float(sampling),
        }
        for label, share in (("shapley", shapley), ("first_in", first), ("last_in", last)):
            row |= _spread(label, share, seed)
        rows.append(row)
    return pd.DataFrame(rows).sort_values("shapley", ascending=False, kind="stable", ignore_index=True)


def _spread(label: str, values: Floats, seed: int) -> dict[str, object]:
    estimate = bootstrap(values, seed=seed)
    return {label: estimate.mean, f"{label}_low": estimate.low, f"{label}_high": estimate.high}


def _rules_by_year(inputs: Inputs, priced: Priced, seed: int) -> pd.DataFrame:
    """Return the measures of each rule in each price year by itself; intervals are over vehicles."""
    import pandas as pd

    rows = []
    for number, year in enumerate(inputs.price_years):
        found = priced.nominal.only(number)
        measures = (found.shapley(), found.first_in(), found.last_in())
        for name, shapley, first, last in zip(found.rules, *measures, strict=True):
            row: dict[str, object] = {"price_year": year, "rule": name}
            for label, share in (("shapley", shapley), ("first_in", first), ("last_in", last)):
                row |= _spread(label, share, seed)
            rows.append(row)
        ends = (("value without rules", found.value[0]), ("value with all rules", found.value[-1]))
        for name, values in ends:
            rows.append({"price_year": year, "rule": name, **_spread("shapley", values, seed)})
    return pd.DataFrame(rows)


def _waterfall(priced: Priced) -> pd.DataFrame:
    import pandas as pd

    found = priced.nominal
    value = float(found.value[0].mean())
    rows = [{"step": "no rules", "change": value, "value_after": value}]
    for name, loss in found.waterfall():
        value -= loss
        rows.append({"step": name, "change": -loss, "value_after": value})
    rows.append({"step": "all rules", "change": value, "value_after": value})
    return pd.DataFrame(rows)


def _rule_sets(priced: Priced, seed: int) -> pd.DataFrame:
    """Return every rule set with its value, and the Harsanyi dividend of its loss where the table is full."""
    import pandas as pd

    found = priced.attribution
    sets = found.sets if isinstance(found, SampledAttribution) else range(len(found.value))
    full = isinstance(found, Attribution)
    dividends = priced.nominal.harsanyi().mean(axis=(1, 2)) if full else np.full(len(sets), np.nan)  # type: ignore[union-attr]
    rows = []
    for number, value, dividend in zip(sets, found.value, dividends, strict=True):
        chosen = [name for i, name in enumerate(found.rules) if number >> i & 1]
        rows.append(
            {
                "rules": "+".join(chosen),
                "count": len(chosen),
                **_spread("value", value, seed),
                "dividend": float(dividend),
            }
        )
    return pd.DataFrame(rows)


def _interactions(priced: Priced) -> pd.DataFrame:
    """Return pairs of rules: dividend and interaction index, below zero where one stands in for the other."""
    import pandas as pd

    columns = ["rule", "with_rule", "dividend", "interaction"]
    found = priced.nominal
    if isinstance(found, SampledAttribution):
        return pd.DataFrame(columns=columns)
    dividends, pairs = found.harsanyi(), found.interaction()
    rows = [
        [a, b, float(dividends[1 << i | 1 << j].mean()), float(pairs[i, j].mean())]
        for i, a in enumerate(found.rules)
        for j, b in enumerate(found.rules)
        if i < j
    ]
    return pd.DataFrame(rows, columns=columns)


def _minimal_sets(priced: Priced) -> pd.DataFrame:
    """Return the least sets of rules whose lifting frees a tenth, half and nine tenths of the loss."""
    import pandas as pd

    columns = ["share", "rules", "count", "freed"]
    found = priced.nominal
    if isinstance(found, SampledAttribution):
        return pd.DataFrame(columns=columns)
    rows = [
        [share, "+".join(names), len(names), freed]
        for share in (0.1, 0.5, 0.9)
        for names, freed in found.minimal_sets(share)
    ]
    return pd.DataFrame(rows, columns=columns)


def _vehicles(inputs: Inputs, priced: Priced) -> pd.DataFrame:
    import pandas as pd

    parts = []
    for number, price_year in enumerate(inputs.price_years):
        found = priced.nominal.only(number)
        shares = found.shapley()
        table = pd.DataFrame(
            {
                "price_year": price_year,
                "user": [year.user for year in inputs.years],
                "days": [year.days for year in inputs.years],
                "sessions": [len(year.rows) for year in inputs.years],
                "energy_kwh": [float(year.energy_kwh.sum()) for year in inputs.years],
                "value_without_rules": found.value[0],
                "value_with_all_rules": found.value[-1],
            }
        )
        parts.append(table.assign(**{f"lost_{name}": shares[i] for i, name in enumerate(found.rules)}))
    return pd.concat(parts, ignore_index=True)


def _grid(inputs: Inputs) -> dict[str, pd.DataFrame]:
    """Return what recorded events and measured latencies cost, where there are any."""
    import pandas as pd

    found: dict[str, pd.DataFrame] = {}
    if inputs.grid.losses:
        found["grid_events"] = pd.DataFrame([asdict(loss) for loss in inputs.grid.losses])
    if inputs.grid.samples:
        parts = [pd.DataFrame({"kind": k, "latency_s": np.sort(v)}) for k, v in inputs.grid.samples.items()]
        found["latency_samples"] = pd.concat(parts, ignore_index=True)
        found["latency"] = pd.DataFrame(
            [
                {
                    "limit": row.limit.id,
                    "product": row.limit.product,
                    "kind": row.limit.kind,
                    "measured": row.measured,
                    "limit_s": row.limit.limit_s,
                    "count": row.count,
                    "share": row.share,
                    "low": row.low,
                    "high": row.high,
                    "p95_s": row.p95_s,
                    "source": row.limit.source,
                    "confidence": row.limit.confidence,
                }
                for row in inputs.grid.within
            ]
        )
    return found


def _left_out(inputs: Inputs) -> pd.DataFrame:
    import pandas as pd

    columns = ["user", "row", "kind", "found", "remedy"]
    return pd.DataFrame([[getattr(i, c) for c in columns] for i in inputs.issues], columns=columns)


def evidence_table(inputs: Inputs) -> pd.DataFrame:
    """Return what a run says about barriers: one row a verdict or quantity; empty without a run."""
    import pandas as pd

    columns = [
        "barrier",
        "state",
        "verdict",
        "outcome",
        "procedure",
        "quantity",
        "parameter",
        "value",
        "unit",
        "uncertainty",
        "reason",
    ]
    table = pd.DataFrame([[getattr(e, c) for c in columns] for e in inputs.evidence], columns=columns)
    numeric = ["value", "uncertainty"]
    return table.astype({name: "float64" if name in numeric else "str" for name in columns}).assign(
        records=["; ".join(e.records) for e in inputs.evidence]
    )
