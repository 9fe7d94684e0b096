"""A written finding for each barrier: number, interval, evidence, source, and what would have to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2glab.barriers import Barrier, Transformation, load_catalogue
from v2glab.evidence import InputError
from v2glab.procedures._analyse_barriers_inputs import Inputs

if TYPE_CHECKING:
    import pandas as pd

#: Below this share of the largest loss a rule is said to cost nothing here.
_NOTHING = 1e-4


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
    """Return one row a rule, costliest first: rule, and the finding in plain words."""
    import pandas as pd

    catalogue = load_catalogue()
    currency = inputs.market.tariff.currency
    largest = max(float(rules["shapley"].abs().max()), 1e-9)
    rows = []
    for row in rules.itertuples():
        barrier = catalogue.barriers[str(row.rule)]
        numbers = _numbers(row, currency, largest)
        text = " ".join(
            (
                f"{barrier.name}: {numbers}",
                _setting(inputs.rules[barrier.id]),
                _source(barrier, catalogue.sources),
                _change(barrier),
            )
        )
        rows.append([barrier.id, text])
    return pd.DataFrame(rows, columns=["rule", "finding"])


def _numbers(row: object, currency: str, largest: float) -> str:
    get = row.__getattribute__
    shapley, low, high = (float(get(n)) for n in ("shapley", "shapley_low", "shapley_high"))
    first, last = float(get("first_in")), float(get("last_in"))
    if max(abs(shapley), abs(first), abs(last)) < _NOTHING * largest:
        return "costs nothing here, alone or with the others."
    text = (
        f"costs {shapley:.2f} {currency} a vehicle and year (95 % interval {low:.2f} to {high:.2f}) as its "
        f"share of what all rules cost; {first:.2f} if it were the only rule; lifting it alone brings back "
        f"{last:.2f}."
    )
    if first > 2 * max(last, 0.0) and first > _NOTHING * largest:
        return f"{text} Other rules take its place when it goes."
    if last > 2 * max(first, 0.0):
        return f"{text} It bites mostly together with other rules."
    return text


def _setting(change: Transformation) -> str:
    spread = f" ± {change.uncertainty:g} (standard uncertainty)" if change.uncertainty else ""
    unit = "" if change.unit == "1" else f" {change.unit}"
    return f"Setting: {change.value:g}{spread}{unit}, {change.value_source}."


def _source(barrier: Barrier, sources: dict[str, str]) -> str:
    if not barrier.sourced:
        return "No source was read that says so: not fit for publication."
    cited = "; ".join(sources[name] for name in barrier.sources if name != "founding")
    return f"Source: {cited}."


def _change(barrier: Barrier) -> str:
    where = ", ".join(j.name for j in barrier.jurisdictions)
    return f"To change: {barrier.remedy} (holds in: {where})."
