"""Which services a vehicle may offer, and what bids of a fleet leave of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2glab.barriers._kernel import all_within
from v2glab.barriers._segments import Floats
from v2glab.barriers._sessions import STEP_S, Window
from v2glab.barriers._terms import Terms
from v2glab.evidence import InputError

#: Names of the services, as they are selected.
ARBITRAGE, OWN_USE, RESPONSE = "arbitrage", "self-consumption", "frequency-response"
SERVICES = (ARBITRAGE, OWN_USE, RESPONSE)


@dataclass(frozen=True)
class Response:
    """Frequency response: capacity that stands ready, is paid by capacity and hour, and moves energy.

    Parameters
    ----------
    price
        Shape (T,): money per kW and hour that stands ready.
    called_out, called_in
        Shape (T,): energy at the meter, kWh, that each kW gives and takes in each step.
    pool_kw
        Shape (T,): what the fleet of the aggregator could offer in each step; bids are made from that.
    duration_h
        How long the power has to last: so much energy, and room, has to be kept.
    undelivered_share
        Share of what was bid that is not delivered, on which a penalty falls due.
    """

    price: Floats
    called_out: Floats
    called_in: Floats
    pool_kw: Floats
    duration_h: float = 0.25
    undelivered_share: float = 0.05

    def __post_init__(self) -> None:
        arrays = (self.price, self.called_out, self.called_in, self.pool_kw)
        hours = STEP_S / 3600
        sound = len({a.shape for a in arrays}) == 1 and all_within(self.price, -10.0, 10.0)
        sound = sound and all(all_within(a, 0.0, hours) for a in (self.called_out, self.called_in))
        sound = sound and all_within(self.pool_kw, 0.0, 1e9)
        if not sound or not (0 < self.duration_h <= 24 and 0 <= self.undelivered_share <= 1):
            raise InputError(
                f"frequency response over {self.price.size} steps, {self.duration_h:g} h, "
                f"{self.undelivered_share:g} not delivered",
                "arrays of one length, prices within 10 per kW and hour, called energy of at most a kW, "
                "a duration of up to 24 h, a share from 0 to 1",
                "mend prices, frequency or settings",
            )

    def placeable(self, terms: Terms, window: Window) -> Floats:
        """Return the share of its power that a vehicle can place in each step, shape (T,), 0 to 1.

        A bid is one number for a block of hours (aligned to midnight UTC), in whole multiples of its least
        size: what the fleet could offer beyond the weakest step of the block, and beyond the last whole
        multiple, stands idle. All vehicles of the fleet have the same part in what is placed.
        """
        share = np.full(self.pool_kw.size, terms.reserve_share)
        if not terms.bid_block_h and not terms.bid_least_kw:
            return share
        block_s = max(round(terms.bid_block_h * 3600), STEP_S)
        block = (window.start_s % 86_400 + STEP_S * np.arange(share.size)) // block_s
        first = np.flatnonzero(np.diff(block, prepend=-1))
        sizes = np.diff(np.append(first, share.size))
        bid = np.minimum.reduceat(self.pool_kw, first)
        if terms.bid_least_kw:
            # A fleet that is whole but for rounding makes its bid.
            bid = np.floor(bid / terms.bid_least_kw + 1e-9) * terms.bid_least_kw
        offered = np.maximum(self.pool_kw, 1e-12)
        return np.asarray(share * np.minimum(np.repeat(bid, sizes) / offered, 1.0))

    def worth(self, terms: Terms) -> Floats:
        """Return what a kW that stands ready earns in an hour, less the penalty to be expected, (T,)."""
        return np.asarray(self.price - self.undelivered_share * terms.penalty_eur_per_mwh / 1000)


@dataclass(frozen=True)
class Services:
    """What a vehicle may do beside driving.

    Parameters
    ----------
    arbitrage
        Whether it may give energy to the grid at the tariff's price.
    net_load_kwh
        Shape (T,): load less generation of the building behind whose meter it stands, in each step; ``None``
        without self-consumption.
    response
        Frequency response, or ``None``.
    """

    arbitrage: bool = True
    net_load_kwh: Floats | None = None
    response: Response | None = None

    def __post_init__(self) -> None:
        load = self.net_load_kwh
        if load is not None and not all_within(load, -1e6, 1e6):
            raise InputError("a net load that is not finite", "load less generation in kWh", "mend the load")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the services that are selected."""
        chosen = (self.arbitrage, self.net_load_kwh is not None, self.response is not None)
        return tuple(name for name, on in zip(SERVICES, chosen, strict=True) if on)


@dataclass(frozen=True)
class Way:
    """One way to take part: which services, and whether no more may be exported than surplus was charged."""

    export: bool
    own: bool
    response: bool
    surplus_only: bool = False

    @property
    def idle(self) -> bool:
        """Whether nothing is left that could earn."""
        return not (self.export or self.own or self.response)


def ways(services: Services, terms: Terms) -> tuple[Way, ...]:
    """Return the ways among which the owner chooses the best, each over the whole year.

    Where values may not be stacked, the retail services and the wholesale one exclude each other; where grid
    charging and export exclude each other, either nothing is exported, or no more than surplus brought in.
    """
    export, own, response = services.arbitrage, services.net_load_kwh is not None, services.response
    both = Way(export, own, response is not None)
    found = [both]
    if terms.no_stacking and both.response and (export or own):
        found = [Way(export, own, False), Way(False, False, True)]
    if terms.grid_charge_or_export:
        split: list[Way] = []
        for way in found:
            split.append(Way(False, way.own, way.response))
            if way.export and way.own:  # without a building there is no surplus
                split.append(Way(True, way.own, way.response, surplus_only=True))
        found = split
    return tuple(dict.fromkeys(found))
