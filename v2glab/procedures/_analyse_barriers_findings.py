"""A written finding for each barrier: number, interval, evidence, source, and what would have to change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from v2glab.barriers import Barrier, BarrierEvidence, Transformation, load_catalogue
from v2glab.evidence import InputError
from v2glab.procedures._analyse_barriers_inputs import Inputs

if TYPE_CHECKING:
    import pandas as pd

#: Below this share of the largest loss a rule is said to cost nothing here.
_NOTHING = 1e-4

#: What each kind of change sets, in words; a kind that is not here is named by itself.
_WORDS = {
    "levy_refund_share": "share of levies refunded",
    "export_price_ratio": "price of export as a share of that of import",
    "flat_price": "one price for all hours (1: yes)",
    "export_cap_kw": "most power towards the grid",
    "discharge_share": "share of the rated power that can be given",
    "discharge_efficiency": "efficiency of discharging",
    "start_delay_s": "wait before export",
    "trips_per_year": "trips",
    "settlement_minutes": "settlement interval",
    "discharge_cap_kwh_per_year": "most energy out of the battery",
    "session_share": "share of sessions in which export is possible",
    "plug_in_share": "share of sessions that take place",
    "fixed_cost_eur_per_year": "cost of taking part",
    "eligible_share": "share of the time in which export is permitted",
    "demand_charge_eur_per_kw_month": "price of the month's highest power",
    "bid_least_kw": "least bid",
    "bid_block_h": "length of a bid",
    "bid_symmetric": "the same power both ways (1: yes)",
    "reserve_share": "share of the reserve that counts",
    "penalty_eur_per_mwh": "penalty for what is not delivered",
    "no_stacking": "one service only (1: yes)",
    "grid_charge_or_export": "charge from the grid or export, not both (1: yes)",
}


def refuse_unsourced(names: list[str]) -> None:
    """Refuse to publish numbers for rules whose source nobody has read.

    Raises
    ------
    InputError
        There is such a rule.
    """
    barriers = load_catalogue().barriers
    unsourced = [name for name in names if not barriers[name].sourced]
    if unsourced:
        raise InputError(
            f"publishing with rules without a source that was read: {', '.join(unsourced)}",
            "a source for each rule, with evidence_quality = 'read'",
            "leave these rules out, or read a source and enter it in datasets/barriers/",
        )


def findings(inputs: Inputs, rules: pd.DataFrame) -> pd.DataFrame:
    """Return one row a rule, costliest first: the finding in plain words, and its parts.

    Parts are ``cost``, ``setting_text``, ``evidence``, ``source`` and ``change``; ``finding`` holds all.
    """
    import pandas as pd

    catalogue = load_catalogue()
    currency = inputs.market.tariff.currency
    largest = max(float(rules["shapley"].abs().max()), 1e-9)
    total = float(rules["shapley"].sum())
    rows = []
    for row in rules.itertuples():
        barrier = catalogue.barriers[str(row.rule)]
        parts = {
            "cost": _cost(row, currency, largest, total, single=len(inputs.years) == 1),
            "setting_text": _setting(inputs.rules[barrier.id]),
            "evidence": _evidence(barrier, inputs, catalogue.sources),
            "source": _source(barrier, catalogue.sources),
            "change": _change(barrier),
        }
        finding = f"{barrier.name}: {' '.join(filter(None, parts.values()))}"
        rows.append({"rule": barrier.id, "title": barrier.name, **parts, "finding": finding})
    return pd.DataFrame(rows)


def _cost(row: object, currency: str, largest: float, total: float, *, single: bool) -> str:
    get = row.__getattribute__
    shapley, low, high = (float(get(n)) for n in ("shapley", "shapley_low", "shapley_high"))
    first, last = float(get("first_in")), float(get("last_in"))
    if max(abs(shapley), abs(first), abs(last)) < _NOTHING * largest:
        return "costs nothing here, alone or with the others."
    interval = "no interval: a single vehicle" if single else f"95 % interval {low:.2f} to {high:.2f}"
    share = f", {_percent(shapley / total)}" if total > 0 else ""
    text = (
        f"costs {shapley:.2f} {currency} a vehicle and year ({interval}) as its share of what all rules "
        f"cost{share}; {first:.2f} if it were the only rule; lifting it alone brings back {last:.2f}."
    )
    if first > 2 * max(last, 0.0) and first > _NOTHING * largest:
        return f"{text} Other rules take its place when it goes."
    if last > 2 * max(first, 0.0):
        return f"{text} It bites mostly together with other rules."
    return text


def _percent(share: float) -> str:
    return "less than 1 %" if abs(share) < 0.005 else f"{100 * share:.0f} %"


def _setting(change: Transformation) -> str:
    spread = f" ± {change.uncertainty:.2g} (standard uncertainty)" if change.uncertainty else ""
    unit = "" if change.unit == "1" else f" {change.unit}"
    what = _WORDS.get(change.kind, change.kind.replace("_", " "))
    return f"Setting: {what} {change.value:.4g}{spread}{unit}; {change.value_source}."


def _evidence(barrier: Barrier, inputs: Inputs, sources: dict[str, str]) -> str:
    """Return what the lab says, and from which run; else how it could be measured."""
    # The keys of sources in brackets are for the catalogue; the finding names the sources in full.
    known = re.sub(r"\s*\[(\w+)\]", lambda key: "" if key[1] in sources else key[0], barrier.evidence).strip(
        " ;"
    )
    known = f"Known: {known}." if known else ""
    said = [item for item in inputs.evidence if item.barrier == barrier.id]
    if not said or inputs.lab is None:
        if "measured" in inputs.rules[barrier.id].value_source:
            return known
        return f"{known} Not measured here; it can be, with: {barrier.measured_with}.".strip()
    return f"{known} Evidence of {inputs.lab.run}: {'; '.join(map(_said, said))}.".strip()


def _said(item: BarrierEvidence) -> str:
    if item.value is None:
        what = "seen to act" if item.state == "flagged" else f"refused, {item.reason}"
    else:
        spread = "" if not item.uncertainty else f" ± {item.uncertainty:.2g}"
        what = f"{item.value:.4g}{spread}{'' if item.unit == '1' else f' {item.unit}'}"
    return f"{what} by {item.origin}{f', {item.outcome}' if item.outcome else ''}"


def _source(barrier: Barrier, sources: dict[str, str]) -> str:
    cited = "; ".join(sources[name] for name in barrier.sources if name != "founding")
    if barrier.sourced:
        return f"Source: {cited}."
    named = f" Named, but not read for it: {cited}." if cited else ""
    return f"No source was read that says so: not fit for publication.{named}"


def _change(barrier: Barrier) -> str:
    places = []
    for place in barrier.jurisdictions:
        dates = [f"from {place.in_force}"] if place.in_force else []
        dates += [f"until {place.repealed}"] if place.repealed else []
        places.append(f"{place.name} {' '.join(dates)}".strip())
    return f"To change: {barrier.remedy} (holds in: {', '.join(places)})."
