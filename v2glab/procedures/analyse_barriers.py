"""Say what each rule costs the owners of bidirectional vehicles, by counterfactuals on real sessions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydantic import Field

from v2glab.barriers import Attribution, Valuation, Vehicle, attribute, bootstrap, combine
from v2glab.evidence import Quantity, Result, Verdict, judge, load_criteria
from v2glab.procedures._analyse_barriers_inputs import Inputs, gather
from v2glab.procedures._analyse_barriers_tables import caveats, tables
from v2glab.procedures._procedure import Context, Parameters, Procedure
from v2glab.resources import find_data

DEFAULT_RULES = (
    "double_levy,export_price_ratio,export_limit,anti_islanding,"
    "settlement_interval,power_factor_reactive,warranty_cycle_cap"
)


class BarrierParameters(Parameters):
    """Parameters of the barrier analysis.

    Attributes
    ----------
    sessions, prices
        Files; empty takes the synthetic examples that travel with the package.
    tariff
        A file ending in ``.toml``, or in ``.json`` for a rate of OpenEI's Utility Rate Database, or the name
        of one in ``datasets/tariffs``.
    rules
        Barriers that may be in force, separated by commas; ``name=value`` replaces the catalogue's number.
    evidence_run
        A run folder or ``verdicts.json`` whose measured numbers replace the catalogue's.
    add_measured
        Whether a barrier that the run sets joins the rules although it was not named.
    users
        Most vehicles to price, by name; 0 for all.
    timezone
        Time zone of the sessions.
    minimum_days, minimum_sessions
        A shorter record is not scaled to a year.
    """

    sessions: str = ""
    prices: str = ""
    tariff: str = "example-dynamic"
    rules: str = DEFAULT_RULES
    evidence_run: str = ""
    add_measured: bool = True
    users: int = Field(default=0, ge=0)
    timezone: str = "Europe/Oslo"
    minimum_days: float = Field(default=180.0, ge=1)
    minimum_sessions: int = Field(default=40, ge=1)
    battery_kwh: float = Field(default=60.0, gt=0, le=1000)
    reserve_share: float = Field(default=0.1, ge=0, lt=1)
    charge_kw: float = Field(default=11.0, gt=0, le=1000)
    discharge_kw: float = Field(default=11.0, gt=0, le=1000)
    charge_efficiency: float = Field(default=0.93, gt=0, le=1)
    discharge_efficiency: float = Field(default=0.93, gt=0, le=1)
    wear_eur_per_kwh: float = Field(default=0.0, ge=0, le=10)

    def vehicle(self) -> Vehicle:
        """Return the vehicle that every user is given."""
        return Vehicle(**{name: getattr(self, name) for name in Vehicle.model_fields})


def execute(context: Context[BarrierParameters]) -> Result:
    """Fill the table of all rule sets, share the loss among the rules, and state intervals over vehicles.

    Needs no station. The record's start is the first second of the dispatched year, so that a repeat is the
    same byte for byte.
    """
    inputs = gather(context.parameters)
    valuation = Valuation(inputs.vehicle, inputs.market, inputs.years)
    attribution = attribute(
        tuple(inputs.rules),
        lambda chosen: valuation.value(
            combine(inputs.rules[name] for name in inputs.rules if name in chosen)
        ),
        lambda done, total: context.progress({"time_s": 0.0, "rule_sets_done": done, "rule_sets": total}),
    )
    quantities = tuple(_quantities(attribution, valuation, context.seed, inputs.market.tariff.currency))
    return Result(
        procedure=PROCEDURE.name,
        start_ns=inputs.market.window.start_s * 1_000_000_000,
        parameters=context.parameters.model_dump(),
        quantities=quantities,
        verdicts=_verdicts(quantities),
        tables=tables(inputs, attribution, context.seed),
        facts=_facts(inputs, attribution, valuation),
    )


def _facts(inputs: Inputs, attribution: Attribution, valuation: Valuation) -> dict[str, object]:
    return {
        "price_year": inputs.prices.year if inputs.prices else None,
        "tariff": inputs.market.tariff.id,
        "currency": inputs.market.tariff.currency,
        "vehicles": len(inputs.years),
        "left_out": len({issue.user for issue in inputs.issues} - {year.user for year in inputs.years}),
        "rules": list(attribution.rules),
        "methods": dict(sorted(valuation.methods.items())),
        "solved": valuation.solved,
        "repeated": valuation.repeated,
        "waterfall": [[name, step] for name, step in attribution.waterfall()],
        "caveats": caveats(inputs),
    }


def _quantities(
    attribution: Attribution, valuation: Valuation, seed: int, currency: str
) -> Iterable[Quantity]:
    shares = attribution.shapley()
    unit = f"{currency}/a"
    yield _money("value_without_rules", attribution.value[0], seed, unit)
    yield _money("value_with_all_rules", attribution.value[-1], seed, unit)
    yield _money("value_lost", attribution.total, seed, unit)
    for name, share in zip(attribution.rules, shares, strict=True):
        yield _money(f"value_lost_{name}", share, seed, unit)
    scale = max(float(np.abs(attribution.value[0]).max()), 1e-300)
    residual = float(np.abs(shares.sum(axis=0) - attribution.total).max()) / scale
    mean = max(float(attribution.value[0].mean()), 1e-6)
    yield Quantity("vehicles", float(attribution.value.shape[1]), "1", 0.0)
    yield Quantity("shapley_residual", residual, "1", 0.0)
    if np.isfinite(valuation.gap_eur):
        yield Quantity(
            "optimality_gap_share", valuation.gap_eur / mean if valuation.gap_eur else 0.0, "1", 0.0
        )


def _money(
    name: str, per_vehicle: np.ndarray[tuple[int, ...], np.dtype[np.float64]], seed: int, unit: str
) -> Quantity:
    """Return a mean over vehicles; its uncertainty is the bootstrap's standard error."""
    estimate = bootstrap(per_vehicle, seed=seed)
    count = per_vehicle.size
    if count < 2:
        return Quantity(name, estimate.mean, unit, None, "a single vehicle has no spread")
    return Quantity(name, estimate.mean, unit, estimate.standard_error, dof=count - 1)


def _verdicts(quantities: tuple[Quantity, ...]) -> tuple[Verdict, ...]:
    by_name = {quantity.name: quantity for quantity in quantities}
    criteria = load_criteria(find_data("datasets", "criteria", "barriers.toml"))
    return tuple(
        judge(c, by_name.get(c.quantity), evidence=("rule_sets",), doubt="") for c in criteria.values()
    )


PROCEDURE = Procedure(
    name="analyse_barriers",
    title="What each rule costs",
    parameters=BarrierParameters,
    execute=execute,
    needs_station=False,
)
