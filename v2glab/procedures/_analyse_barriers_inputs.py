"""Find and read the inputs of a barrier analysis, and choose the vehicles and rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from v2glab.barriers import (
    BarrierEvidence,
    Market,
    PriceYear,
    SessionIssue,
    Terms,
    Transformation,
    Vehicle,
    VehicleYear,
    apply_evidence,
    certify,
    combine,
    last_year,
    load_catalogue,
    map_verdicts,
    select_vehicles,
)
from v2glab.evidence import InputError
from v2glab.procedures._barrier_files import read_or_sample
from v2glab.procedures._barrier_grid import GridEvidence, set_from_grid
from v2glab.procedures._barrier_market import check_currency, dispatch_window, read_market
from v2glab.procedures._barrier_run import LabRun, read_run
from v2glab.procedures._barrier_services import read_services

if TYPE_CHECKING:
    from v2glab.procedures.analyse_barriers import BarrierParameters


@dataclass(frozen=True)
class Inputs:
    """What is analysed: vehicles that can be priced, market, rules, and what the lab says about them."""

    vehicle: Vehicle
    years: list[VehicleYear]
    issues: list[SessionIssue]
    markets: tuple[Market, ...]
    prices: tuple[PriceYear | None, ...]
    rules: dict[str, Transformation]
    evidence: list[BarrierEvidence]
    grid: GridEvidence = field(default_factory=GridEvidence)
    lab: LabRun | None = None

    @property
    def market(self) -> Market:
        """The first market; all share tariff and window."""
        return self.markets[0]

    @property
    def price_years(self) -> list[str]:
        """Name of each market: its price year, or the rate where there is none."""
        return [self.market.tariff.id if year is None else str(year.year) for year in self.prices]


def run_facts(inputs: Inputs) -> dict[str, str]:
    """Return which run set numbers, and the SHA-256 of its sealed verdicts; empty without a run."""
    return {"run": inputs.lab.run, "verdicts_sha256": inputs.lab.sha256} if inputs.lab else {}


def gather(parameters: BarrierParameters) -> Inputs:
    """Read everything and set aside whom no plan can serve, before any price is computed.

    Raises
    ------
    InputError
        A file is wrong, a rule is unknown, or no vehicle is left.
    """
    vehicle = parameters.vehicle()
    lab = read_run(Path(parameters.evidence_run)) if parameters.evidence_run else None
    rules, evidence = _rules(parameters, lab)
    rules, grid = set_from_grid(
        rules,
        load_catalogue(),
        parameters.grid_events,
        parameters.latencies,
        lab.latencies if lab else None,
    )
    sessions, issues = read_or_sample(parameters.sessions, parameters.timezone)
    rate = {"metering": parameters.metering, "currency": parameters.currency}
    window = dispatch_window(parameters.tariff, parameters.timezone, last_year(sessions), **rate)
    files = [name.strip() for name in parameters.prices.split(",") if name.strip()] or [""]
    found = [read_market(name, parameters.tariff, parameters.timezone, window, **rate) for name in files]
    market, markets, prices = found[0][0], tuple(m for m, _ in found), tuple(p for _, p in found)
    _check_years(prices)
    check_currency(market.tariff.currency, vehicle, rules)
    years, left_out = select_vehicles(
        sessions,
        window,
        vehicle,
        minimum_days=parameters.minimum_days,
        minimum_sessions=parameters.minimum_sessions,
    )
    # Only the mobility baseline decides feasibility; with and without the rules that touch it.
    years, infeasible = certify(years, vehicle, market, [Terms(), combine(rules.values())])
    years = years[: parameters.users] if parameters.users else years
    issues = [*issues, *left_out, *infeasible]
    if not years:
        kinds = sorted({issue.kind for issue in issues})
        raise InputError(
            f"no vehicle that can be priced; left out for: {', '.join(kinds) or 'nothing recorded'}",
            f"a user with {parameters.minimum_sessions} sessions over {parameters.minimum_days:g} days",
            "lower minimum_days and minimum_sessions, or name other sessions",
        )
    services = read_services(parameters.service_settings(), window, years, vehicle)
    markets = tuple(replace(m, services=services) for m in markets)
    return Inputs(vehicle, years, issues, markets, prices, rules, evidence, grid, lab)


def _check_years(prices: tuple[PriceYear | None, ...]) -> None:
    years = [year.year for year in prices if year is not None]
    if len(set(years)) != len(years):
        raise InputError(
            f"price years {', '.join(map(str, years))}", "each year once", "name each file of prices once"
        )


def _rules(
    parameters: BarrierParameters, lab: LabRun | None
) -> tuple[dict[str, Transformation], list[BarrierEvidence]]:
    """Return the rules with measured numbers in place; measured barriers join in when that is wanted.

    One whose measured number changes nothing does not join: it is evidence, and costs nothing.
    """
    catalogue = load_catalogue()
    rules = catalogue.select(parameters.rules)
    if lab is None:
        return rules, []
    evidence = map_verdicts(lab.verdicts, catalogue, lab.quantities)
    if parameters.add_measured:
        for item in evidence:
            change = catalogue.barriers[item.barrier].transformation
            if item.state == "set" and change is not None and item.value != getattr(Terms(), change.kind):
                rules.setdefault(item.barrier, change)
    return apply_evidence(rules, evidence), evidence
