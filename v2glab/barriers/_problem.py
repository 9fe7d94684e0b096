"""Build the dispatch problem of one vehicle-year under given terms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._dispatch_problem import DispatchProblem
from v2glab.barriers._jit import jit
from v2glab.barriers._rolling import Outlook, published
from v2glab.barriers._segments import Floats
from v2glab.barriers._services import Services
from v2glab.barriers._sessions import STEP_S, Vehicle, VehicleYear, Window
from v2glab.barriers._terms import Terms
from v2glab.barriers.tariffs._contract import Contract
from v2glab.barriers.tariffs._tariff import Tariff, settle

#: The golden ratio spreads a share of sessions evenly, without any random number.
_GOLDEN = (math.sqrt(5) - 1) / 2
#: Time until voltage and frequency are back after an excursion; the wait of the rules comes on top.
TRIP_CLEARS_S = 60.0
#: The terms that prices depend on, and those that the time open to export depends on.
_PRICE_TERMS = ("levy_refund_share", "export_price_ratio", "flat_price", "settlement_minutes")
TIME_TERMS = ("start_delay_s", "session_share", "trips_per_year")


@dataclass(frozen=True)
class Market:
    """Tariff and energy price (T,) on the steps of the window; ``paid`` (T,) where export has its own.

    ``contract`` is the rate itself where its terms tie steps together: prices by the step are then only those
    of its first tiers. ``services`` are what vehicles may do beside driving.
    """

    tariff: Tariff
    energy: Floats
    window: Window
    paid: Floats | None = None
    contract: Contract | None = None
    services: Services = field(default_factory=Services)


@dataclass
class Frame:
    """What problems of one vehicle-year have in common, whatever the terms: built once, kept.

    Rules of the mobility baseline: what a session delivered is what the road took since the session before,
    so each drive comes right before the step in which its session starts. The car comes to its first session
    as if it had left full before, and is full at its last departure. In between it may leave with any energy
    that the next drive leaves above the reserve. Part of a step plugged in gives that part of the power. With
    a least power the last departure may miss what a step at least charges: no charger could add less.

    Attributes
    ----------
    active
        Shape (M,): numbers of the plugged steps in the window; all other arrays of problems lie on these.
    plugged, drive_kwh
        Shape (M,): share of each step plugged in, and energy that the road takes right before it.
    """

    year: VehicleYear
    vehicle: Vehicle
    market: Market
    plug_in_share: float = 1.0
    active: NDArray[np.int64] = field(init=False)
    plugged: Floats = field(init=False)
    drive_kwh: Floats = field(init=False)
    _prices: dict[tuple[float, ...], tuple[Floats, Floats]] = field(default_factory=dict)
    _exporting: dict[tuple[float, ...], Floats] = field(default_factory=dict)
    _open_blocks: dict[tuple[float, ...], Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        starts, ends, energy, self._sessions = _plugged(self.year, self.plug_in_share)
        window = self.market.window
        self._starts, self._ends = starts - window.start_s, ends - window.start_s
        plugged = _occupancy(self._starts, self._ends, window.steps)
        drive = np.zeros(window.steps)
        # A session may start in the last second of the window's last step, never after it.
        first = np.minimum(self._starts // STEP_S, window.steps - 1)
        np.add.at(drive, first, energy * self.vehicle.charge_efficiency)
        self.active = np.flatnonzero((plugged > 0) | (drive > 0))
        self.plugged, self.drive_kwh = plugged[self.active], drive[self.active]
        self._first = self._blocks()
        self._plugged_blocks = np.add.reduceat(self.plugged, self._first)

    def _blocks(self) -> NDArray[np.int64]:
        """Return where steps in a row at one price, with no drive between, begin: whatever the terms, they
        share a price.
        """
        price = self.market.energy[self.active]
        changes = price[1:] != price[:-1]
        if self.market.paid is not None:
            paid = self.market.paid[self.active]
            changes |= paid[1:] != paid[:-1]
        starts = np.append(True, changes | (self.drive_kwh[1:] > 0))
        return np.flatnonzero(starts)

    def problem(self, terms: Terms) -> DispatchProblem:
        """Return the problem under the given terms, over the plugged steps only."""
        settled = self._settled(terms)
        steps = (self.drive_kwh, self.plugged, self._open(terms))
        return self._build(terms, *steps, *settled, own_kw=self._own_kw())

    def in_blocks(self, terms: Terms) -> DispatchProblem:
        """Return :meth:`problem` with steps in a row at one price as one: of the same cost where it is convex
        (see the kernel's ``blocks``), and a quarter of the size with hourly prices. Else the problem itself.
        """
        if self.vehicle.least_kw or self.vehicle.wear_curve:
            return self.problem(terms)
        first = self._first
        key = tuple(getattr(terms, name) for name in TIME_TERMS)
        if key not in self._open_blocks:
            self._open_blocks[key] = np.add.reduceat(self._open(terms), first)
        buy, sell = self._settled(terms)
        out = self._build(
            terms,
            self.drive_kwh[first],
            self._plugged_blocks,
            self._open_blocks[key],
            buy[first],
            sell[first],
        )
        return self.problem(terms) if out.simultaneous_pays().any() else out

    def in_given_blocks(self, terms: Terms, first: NDArray[np.int64]) -> DispatchProblem:
        """Return the problem with steps from each of ``first`` (B,) up to the next as one, without prices."""
        plugged, exporting = (np.add.reduceat(part, first) for part in (self.plugged, self._open(terms)))
        none, own_kw = np.zeros(first.size), self._own_kw()
        own_kw = None if own_kw is None else own_kw[first]
        return self._build(terms, self.drive_kwh[first], plugged, exporting, none, none, own_kw=own_kw)

    def rows_of(self, size: int) -> NDArray[np.int64] | None:
        """Return where the blocks of :meth:`in_blocks` begin, given its size; ``None`` for single steps."""
        return self._first if size == self._first.size != self.active.size else None

    def _own_kw(self) -> Floats | None:
        """Return what the building takes in each plugged step, shape (M,), kW, or ``None`` without one."""
        load = self.market.services.net_load_kwh
        return None if load is None else np.clip(load[self.active], 0, None) * 3600 / STEP_S

    def open_to_export(self, terms: Terms) -> Floats:
        """Return the share of each plugged step in which export is possible, shape (M,)."""
        return self._open(terms)

    def _build(
        self,
        terms: Terms,
        drive: Floats,
        plugged: Floats,
        exporting: Floats,
        buy: Floats,
        sell: Floats,
        own_kw: Floats | None = None,
    ) -> DispatchProblem:
        vehicle = self.vehicle
        hours = STEP_S / 3600
        out_efficiency = vehicle.discharge_efficiency * terms.discharge_efficiency
        power_kw: float | Floats = min(vehicle.discharge_kw * terms.discharge_share, terms.export_cap_kw)
        least_kw = vehicle.least_kw
        if own_kw is not None:  # what the building takes never reaches the grid
            power_kw = np.minimum(vehicle.discharge_kw * terms.discharge_share, own_kw + terms.export_cap_kw)
        charge = plugged * (vehicle.charge_kw * hours * vehicle.charge_efficiency)
        discharge = exporting * (power_kw * hours / out_efficiency)
        return DispatchProblem(
            drive_kwh=drive,
            charge_kwh=charge,
            discharge_kwh=discharge,
            buy=buy / vehicle.charge_efficiency,
            sell=(sell - vehicle.wear_eur_per_kwh) * out_efficiency,
            low_kwh=vehicle.battery_kwh * vehicle.reserve_share,
            high_kwh=vehicle.battery_kwh,
            start_kwh=vehicle.battery_kwh,
            end_kwh=vehicle.battery_kwh - least_kw * hours * vehicle.charge_efficiency,
            discharge_cap_kwh=terms.discharge_cap_kwh_per_year * self.year.days / 365,
            charge_least_kwh=charge * (least_kw / vehicle.charge_kw) if least_kw else None,
            discharge_least_kwh=exporting * (least_kw * hours / out_efficiency) if least_kw else None,
            wear_curve=tuple((s * vehicle.battery_kwh, c * out_efficiency) for s, c in vehicle.wear_curve),
        )

    def outlook(self, terms: Terms) -> Outlook:
        """Return what a controller without foresight sees of the prices of :meth:`problem`."""
        vehicle, window = self.vehicle, self.market.window
        buy, sell = settle(self.market.tariff, self.market.energy, STEP_S, terms, self.market.paid)
        efficiency = vehicle.discharge_efficiency * terms.discharge_efficiency
        return Outlook(
            self.active,
            buy / vehicle.charge_efficiency,
            (sell - vehicle.wear_eur_per_kwh) * efficiency,
            published(self.active, window.start_s, STEP_S, window.steps),
        )

    def _settled(self, terms: Terms) -> tuple[Floats, Floats]:
        key = tuple(getattr(terms, name) for name in _PRICE_TERMS)
        if key not in self._prices:
            market = self.market
            buy, sell = settle(market.tariff, market.energy, STEP_S, terms, market.paid)
            self._prices[key] = (buy[self.active], sell[self.active])
        return self._prices[key]

    def _open(self, terms: Terms) -> Floats:
        key = tuple(getattr(terms, name) for name in TIME_TERMS)
        if key not in self._exporting:
            steps = self.market.window.steps
            found = _exporting(self._starts, self._ends, self._sessions, steps, terms)
            self._exporting[key] = self.plugged if found is None else found[self.active]
        return self._exporting[key]


def occupancy(starts: NDArray[np.int64], ends: NDArray[np.int64], window: Window) -> Floats:
    """Return the share of each step of the window that intervals cover, shape (steps,); s since 1970 UTC."""
    return np.asarray(_occupancy(starts - window.start_s, ends - window.start_s, window.steps))


def vehicle_year_problem(
    year: VehicleYear, vehicle: Vehicle, market: Market, terms: Terms
) -> DispatchProblem:
    """Return the problem of one vehicle-year over its plugged steps; see :class:`Frame`."""
    return Frame(year, vehicle, market, terms.plug_in_share).problem(terms)


def _plugged(
    year: VehicleYear, share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Return the sessions that take place; a skipped one hands its energy to the next that does.

    The last session always takes place: the energy of all drives is still bought.
    """
    count = year.start_s.size
    numbers = np.arange(count, dtype=np.int64)
    if share >= 1.0:
        return year.start_s, year.end_s, year.energy_kwh, numbers
    keep = _spread(numbers, share)
    keep[-1] = True
    group = np.concatenate([[0], np.cumsum(keep)[:-1]])
    energy = np.bincount(group, weights=year.energy_kwh).astype(np.float64)
    return year.start_s[keep], year.end_s[keep], energy, numbers[keep]


def _spread(numbers: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    return np.asarray((numbers + 1) * _GOLDEN % 1.0 < share)


def _exporting(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    sessions: NDArray[np.int64],
    steps: int,
    terms: Terms,
) -> Floats | None:
    """Return the share of each step (steps,) in which export is possible; ``None`` where plugged in is all
    that it takes.
    """
    chosen = (
        _spread(sessions, terms.session_share) if terms.session_share < 1 else np.ones(starts.size, np.bool_)
    )
    if terms.start_delay_s == 0 and chosen.all() and terms.trips_per_year == 0:
        return None
    begin = np.minimum(starts + math.ceil(terms.start_delay_s), ends)[chosen]
    exporting = _occupancy(begin, ends[chosen], steps)
    trips = round(terms.trips_per_year * steps * STEP_S / (365 * 86_400))
    if trips:
        # Golden-ratio instants have no beat with the day, so trips meet every hour alike.
        at = np.sort((np.arange(1, trips + 1) * _GOLDEN % 1.0) * steps * STEP_S).astype(np.int64)
        lost = _occupancy(at, at + math.ceil(TRIP_CLEARS_S + terms.start_delay_s), steps)
        exporting = exporting * np.clip(1.0 - lost, 0.0, 1.0)
    return np.asarray(exporting)


@jit
def _occupancy(starts: NDArray[np.int64], ends: NDArray[np.int64], steps: int) -> Floats:
    """Return the share of each step that intervals cover, shape (steps,)."""
    out = np.zeros(steps)
    for i in range(starts.size):
        first = starts[i] // STEP_S
        last = min((ends[i] - 1) // STEP_S, steps - 1)
        for step in range(first, last + 1):
            begin = max(starts[i], step * STEP_S)
            end = min(ends[i], (step + 1) * STEP_S)
            if end > begin:
                out[step] += (end - begin) / STEP_S
    return out
