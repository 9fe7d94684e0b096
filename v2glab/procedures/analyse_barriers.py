"""Say what each rule costs the owners of bidirectional vehicles, by counterfactuals on real sessions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydantic import Field, model_validator

from v2glab.barriers import Vehicle, bootstrap
from v2glab.evidence import Quantity, Result, Verdict, judge, load_criteria
from v2glab.procedures._analyse_barriers_caveats import caveats
from v2glab.procedures._analyse_barriers_findings import refuse_unsourced
from v2glab.procedures._analyse_barriers_inputs import Inputs, gather, run_facts
from v2glab.procedures._analyse_barriers_pricing import Priced, price
from v2glab.procedures._analyse_barriers_tables import tables
from v2glab.procedures._barrier_parameters import ServiceParameters
from v2glab.procedures._procedure import Context, Procedure
from v2glab.resources import find_data

DEFAULT_RULES = (
    "double_levy,export_price_ratio,export_limit,anti_islanding,"
    "settlement_interval,power_factor_reactive,warranty_cycle_cap"
)


class BarrierParameters(ServiceParameters):
    """Parameters of the barrier analysis.

    Attributes
    ----------
    sessions, prices
        Files; empty takes the synthetic examples that travel with the package. Several files of prices,
        separated by commas, are price years that count alike. Sessions may be sampled instead:
        ``synthetic:users=50,seed=3``.
    tariff
        A file ending in ``.toml``, or in ``.json`` for a rate of OpenEI's Utility Rate Database, or the name
        of one in ``datasets/tariffs``.
    rules
        Barriers that may be in force, separated by commas; ``name=value`` replaces the catalogue's number.
    evidence_run
        A run folder or ``verdicts.json`` whose measured numbers replace the catalogue's; command and
        handshake times that the run measured are held against the time limits of markets.
    grid_events
        A TOML file that names a grid code, a category, the days watched and the recordings of grid events.
    latencies
        A CSV of measured latencies, ``kind,latency_s``.
    engine
        Where vehicles are priced: ``auto``, ``serial``, ``processes``, ``processes:N``, ``dask://HOST:PORT``.
    store
        Folder in which priced vehicles are kept, so that a killed analysis goes on; empty for none.
    draws
        Draws of measured parameters within their uncertainty; none are made when none is uncertain.
    order_pairs
        Pairs of orders that are sampled when there are more rules than a full table can hold.
    horizon_h
        Hours that a controller without foresight plans ahead, to be set beside perfect foresight; 0 for none.
    publish
        Whether to refuse a rule without a source that was read.
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
    grid_events: str = ""
    latencies: str = ""
    add_measured: bool = True
    engine: str = "auto"
    store: str = ""
    draws: int = Field(default=20, ge=0, le=1000)
    order_pairs: int = Field(default=100, ge=2, le=10_000)
    horizon_h: int = Field(default=0, ge=0, le=24 * 14)
    publish: bool = False
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
    wear_curve: tuple[tuple[float, float], ...] = ()
    least_kw: float = Field(default=0.0, ge=0, le=1000)

    @model_validator(mode="after")
    def _sound_vehicle(self) -> BarrierParameters:
        self.vehicle()
        return self

    def vehicle(self) -> Vehicle:
        """Return the vehicle that every user is given."""
        return Vehicle(**{name: getattr(self, name) for name in Vehicle.model_fields})


def execute(context: Context[BarrierParameters]) -> Result:
    """Fill the table of all rule sets, share the loss among the rules, and state intervals.

    Needs no station. The record's start is the first second of the dispatched year, so that a repeat is the
    same byte for byte.
    """
    parameters = context.parameters
    inputs = gather(parameters)
    if parameters.publish:
        refuse_unsourced(list(inputs.rules))
    priced = price(
        inputs,
        engine=parameters.engine,
        store=parameters.store,
        draws=parameters.draws,
        order_pairs=parameters.order_pairs,
        seed=context.seed,
        progress=lambda done, total: context.progress(
            {"time_s": 0.0, "vehicles_done": done, "vehicles": total}
        ),
    )
    quantities = tuple(_quantities(priced, context.seed, inputs.market.tariff.currency))
    every = tables(inputs, priced, context.seed, parameters)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=inputs.market.window.start_s * 1_000_000_000,
        parameters=parameters.model_dump(exclude={"engine", "store"}),
        quantities=quantities,
        verdicts=_verdicts(quantities),
        tables=every,
        facts=_facts(inputs, priced, parameters),
    )


def _facts(inputs: Inputs, priced: Priced, parameters: BarrierParameters) -> dict[str, object]:
    attribution = priced.nominal
    return {
        "price_year": ", ".join(inputs.price_years),
        "tariff": inputs.market.tariff.id,
        "currency": inputs.market.tariff.currency,
        "vehicles": len(inputs.years),
        "left_out": len({issue.user for issue in inputs.issues} - {year.user for year in inputs.years}),
        "rules": list(attribution.rules),
        "methods": dict(sorted(priced.methods.items())),
        "solved": priced.solved,
        "repeated": priced.repeated,
        "waterfall": [[name, step] for name, step in attribution.waterfall()],
        "caveats": caveats(inputs, priced, parameters),
        "evidence_run": run_facts(inputs),
    }


def _quantities(priced: Priced, seed: int, currency: str) -> Iterable[Quantity]:
    attribution = priced.attribution
    shares = attribution.shapley()
    unit = f"{currency}/a"
    yield _money("value_without_rules", attribution.value[0], seed, unit)
    yield _money("value_with_all_rules", attribution.value[-1], seed, unit)
    yield _money("value_lost", attribution.total, seed, unit)
    for name, share, sampling in zip(attribution.rules, shares, attribution.sampling_error, strict=True):
        yield _money(f"value_lost_{name}", share, seed, unit, float(sampling))
    scale = max(float(np.abs(attribution.value[0]).max()), 1e-300)
    residual = float(np.abs(shares.sum(axis=0) - attribution.total).max()) / scale
    mean = max(float(priced.nominal.value[0].mean()), 1e-6)
    yield Quantity("vehicles", float(attribution.value.shape[-1]), "1", 0.0)
    yield Quantity("shapley_residual", residual, "1", 0.0)
    yield Quantity("optimality_gap_share", priced.gap_eur / mean if priced.gap_eur else 0.0, "1", 0.0)


def _money(
    name: str,
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    seed: int,
    unit: str,
    sampling_error: float = 0.0,
) -> Quantity:
    """Return a mean; its uncertainty is the bootstrap's standard error, with that of sampled orders."""
    estimate = bootstrap(values, seed=seed)
    if values.shape[-1] < 2:
        return Quantity(name, estimate.mean, unit, None, "a single vehicle has no spread")
    error = float(np.hypot(estimate.standard_error, sampling_error))
    return Quantity(name, estimate.mean, unit, error, dof=values.shape[-1] - 1)


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
