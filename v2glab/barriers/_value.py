"""What bidirectional charging is worth to each vehicle, under one set of terms."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._dispatch import infeasible_step
from v2glab.barriers._problem import TIME_TERMS, Frame, Market, vehicle_year_problem
from v2glab.barriers._services import Way, ways
from v2glab.barriers._sessions import STEP_S, SessionIssue, Vehicle, VehicleYear
from v2glab.barriers._solve import CHARGING_ONLY, Outcome, solve_way
from v2glab.barriers._terms import Terms
from v2glab.barriers.tariffs._tariff import settle

#: Savings below this are rounding of the two optima that are subtracted, EUR over the record.
NOISE_EUR = 1e-6
#: The terms that the price and the place of charging depend on; the rest changes discharging only.
_BASELINE = ("flat_price", "settlement_minutes", "plug_in_share", "demand_charge_eur_per_kw_month")
#: With a building, what its surplus would have earned counts as well.
_BUILDING = ("export_price_ratio", "levy_refund_share")
#: Terms that bear on frequency response only, and those that choose among services.
_RESPONSE = ("bid_least_kw", "bid_block_h", "bid_symmetric", "reserve_share", "penalty_eur_per_mwh")


@dataclass
class VehicleValuer:
    """Values one vehicle-year under many terms, and solves identical problems once.

    Attributes
    ----------
    methods
        How often each solver was used.
    gap_eur
        Largest bound on the distance from the optimum, EUR.
    solved, repeated
        Problems solved, and answers taken from an earlier identical one.
    """

    year: VehicleYear
    vehicle: Vehicle
    market: Market
    methods: Counter[str] = field(default_factory=Counter)
    gap_eur: float = 0.0
    solved: int = 0
    repeated: int = 0
    _frames: dict[float, Frame] = field(default_factory=dict)
    _gains: dict[Terms, float] = field(default_factory=dict)
    _baselines: dict[tuple[float, ...], float] = field(default_factory=dict)
    _averaging: dict[float, bool] = field(default_factory=dict)
    _multipliers: dict[tuple[object, ...], float] = field(default_factory=dict)

    def value(self, terms: Terms) -> float:
        """Return money saved per year against smart charging alone.

        The saving is the optimum of charging only less the optimum with discharging, at the same prices,
        scaled from the recorded days to 365. Time without permission and fixed costs come off; nobody takes
        part at a loss.
        """
        gain = self._gain(self._canonical(terms)) * 365 / self.year.days
        return max(gain * terms.eligible_share - terms.fixed_cost_eur_per_year, 0.0)

    def frame(self, terms: Terms) -> Frame:
        """Return what problems under these terms have in common."""
        share = terms.plug_in_share
        if share not in self._frames:
            self._frames[share] = Frame(self.year, self.vehicle, self.market, share)
        return self._frames[share]

    def best(self, terms: Terms) -> Outcome | None:
        """Return the best plan of all ways to take part; ``None`` where none can earn anything."""
        terms = self._canonical(terms)
        found = [self._solved(terms, way) for way in self._ways(terms)]
        return min(found, key=lambda outcome: outcome.cost, default=None)

    def charging_only(self, terms: Terms) -> Outcome:
        """Return smart charging alone at the same prices."""
        return self._booked(solve_way(self.frame(terms), self._canonical(terms), CHARGING_ONLY))

    def _ways(self, terms: Terms) -> list[Way]:
        building = self.market.services.net_load_kwh is not None
        closed = self.vehicle.discharge_kw == 0 or _no_discharge(terms)
        if closed or (terms.export_cap_kw == 0 and not building):
            return []
        return [way for way in ways(self.market.services, terms) if not way.idle]

    def _solved(self, terms: Terms, way: Way) -> Outcome:
        # At the same prices and power a cap binds about as hard, whenever export is possible.
        alike = (way, *(value for name, value in terms if name not in TIME_TERMS))
        outcome = self._booked(solve_way(self.frame(terms), terms, way, self._multipliers.get(alike, 0.0)))
        if outcome.multiplier:
            self._multipliers[alike] = outcome.multiplier
        return outcome

    def _gain(self, terms: Terms) -> float:
        if not self._ways(terms):
            return 0.0
        if terms in self._gains:
            self.repeated += 1
            return self._gains[terms]
        names = _BASELINE + (_BUILDING if self.market.services.net_load_kwh is not None else ())
        key = tuple(getattr(terms, name) for name in names)
        if key not in self._baselines:
            self._baselines[key] = self.charging_only(terms).cost
        best = self.best(terms)
        gain = self._baselines[key] - best.cost if best is not None else 0.0
        self._gains[terms] = gain if gain > NOISE_EUR else 0.0
        return self._gains[terms]

    def _canonical(self, terms: Terms) -> Terms:
        """Leave out what does not change the dispatch, so that identical problems are seen to be
        identical.
        """
        changes: dict[str, float] = {"eligible_share": 1.0, "fixed_cost_eur_per_year": 0.0}
        services, full_kw = self.market.services, self.vehicle.discharge_kw
        if full_kw > 0 and services.net_load_kwh is None:
            power_kw = min(full_kw * terms.discharge_share, terms.export_cap_kw)
            changes |= {"export_cap_kw": math.inf, "discharge_share": power_kw / full_kw}
        if not self._averaging_matters(terms.settlement_minutes):
            changes["settlement_minutes"] = 0.0
        if services.response is None:
            changes |= {name: float(Terms.model_fields[name].default) for name in (*_RESPONSE, "no_stacking")}
        return terms.model_copy(update=changes)

    def _averaging_matters(self, minutes: float) -> bool:
        if minutes not in self._averaging:
            market = self.market
            plain, averaged = (
                settle(market.tariff, market.energy, STEP_S, Terms(settlement_minutes=m), market.paid)
                for m in (0.0, minutes)
            )
            self._averaging[minutes] = not all(
                np.array_equal(a, b) for a, b in zip(plain, averaged, strict=True)
            )
        return self._averaging[minutes]

    def _booked(self, plan: Outcome) -> Outcome:
        self.solved += 1
        self.methods[plan.method.partition(" (")[0]] += 1
        self.gap_eur = max(self.gap_eur, plan.gap)
        return plan


@dataclass
class Valuation:
    """Values vehicle-years under terms; counts as :class:`VehicleValuer` does, over all vehicles."""

    vehicle: Vehicle
    market: Market
    years: list[VehicleYear]

    def __post_init__(self) -> None:
        self.valuers = [VehicleValuer(year, self.vehicle, self.market) for year in self.years]

    def value(self, terms: Terms) -> NDArray[np.float64]:
        """Return money saved per vehicle and year against smart charging alone, shape (vehicles,)."""
        return np.array([valuer.value(terms) for valuer in self.valuers])

    @property
    def solved(self) -> int:
        """Problems solved."""
        return sum(valuer.solved for valuer in self.valuers)

    @property
    def repeated(self) -> int:
        """Answers taken from an earlier identical problem."""
        return sum(valuer.repeated for valuer in self.valuers)


def _no_discharge(terms: Terms) -> bool:
    return 0.0 in (terms.discharge_share, terms.discharge_cap_kwh_per_year, terms.session_share)


def certify(
    years: list[VehicleYear], vehicle: Vehicle, market: Market, all_terms: list[Terms]
) -> tuple[list[VehicleYear], list[SessionIssue]]:
    """Set aside vehicles that some set of terms leaves without a feasible plan, before any price is
    computed.
    """
    shares = sorted({terms.plug_in_share for terms in all_terms}, reverse=True)
    kept, issues = [], []
    for year in years:
        issue = None
        for share in shares:
            problem = vehicle_year_problem(year, vehicle, market, Terms(plug_in_share=share))
            step = infeasible_step(problem)
            if step is not None:
                issue = SessionIssue(
                    year.user,
                    _row(year, problem.drive_kwh, step),
                    "infeasible",
                    "the battery cannot be charged enough, before the drive that this session recharged"
                    + (f", when {share:.0%} of the sessions take place" if share < 1 else ""),
                    "give the vehicle a larger battery or a stronger charger",
                )
                break
        if issue is None:
            kept.append(year)
        else:
            issues.append(issue)
    return kept, issues


def _row(year: VehicleYear, drive: NDArray[np.float64], step: int) -> int:
    """Return the row of the session that starts at the given plugged step."""
    drives = int(np.count_nonzero(drive[: step + 1]))
    return year.rows[min(max(drives - 1, 0), len(year.rows) - 1)]
