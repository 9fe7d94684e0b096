"""Lay one vehicle-year under given terms out as blocks of alike steps behind one meter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers._joint_problem import JointProblem, Standing
from v2glab.barriers._problem import Frame, Market
from v2glab.barriers._segments import Floats
from v2glab.barriers._services import Way
from v2glab.barriers._sessions import STEP_S
from v2glab.barriers._terms import Terms
from v2glab.barriers.tariffs._contract import Contract
from v2glab.barriers.tariffs._tariff import settle
from v2glab.evidence import InputError

Integers = NDArray[np.int64]


def joint_problem(frame: Frame, terms: Terms, way: Way) -> JointProblem:
    """Return the problem of one vehicle-year under given terms, taking part in the given way."""
    market, vehicle = frame.market, frame.vehicle
    services, contract = market.services, _contract(market, terms)
    steps = market.window.steps
    # The building is behind the meter whatever the vehicle may do.
    load = np.zeros(steps) if services.net_load_kwh is None else services.net_load_kwh
    buy, sell = settle(market.tariff, market.energy, STEP_S, terms, market.paid)
    response = services.response if way.response else None
    marks: list[Floats] = [load]
    marks += [buy, sell] if contract is None else _marks(contract)
    if response is not None:
        shares = response.placeable(terms, market.window)
        marks += [response.worth(terms), shares, response.called_out, response.called_in]
    first = _first(frame, terms, marks)
    at = frame.active[first]
    count = np.diff(np.append(first, frame.active.size))
    standing = None
    if response is not None:
        standing = Standing(
            response.worth(terms)[at],
            shares[at],
            response.called_out[at] * count,
            response.called_in[at] * count,
            response.duration_h,
            terms.bid_symmetric > 0,
        )
    efficiency = vehicle.discharge_efficiency * terms.discharge_efficiency
    return JointProblem(
        problem=frame.in_given_blocks(terms, first),
        at=at,
        count=count,
        meter_in=vehicle.charge_efficiency,
        meter_out=1 / efficiency,
        wear_per_kwh=vehicle.wear_eur_per_kwh,
        buy=buy,
        sell=sell,
        load_kwh=load,
        contract=contract,
        demand_price=terms.demand_charge_eur_per_kw_month,
        way=way,
        standing=standing,
    )


def _contract(market: Market, terms: Terms) -> Contract | None:
    contract = market.contract
    if contract is None:
        return None
    if terms.settlement_minutes * 60 > STEP_S:
        plain, averaged = (
            settle(market.tariff, market.energy, STEP_S, Terms(settlement_minutes=minutes), market.paid)
            for minutes in (0.0, terms.settlement_minutes)
        )
        if not all(np.array_equal(a, b) for a, b in zip(plain, averaged, strict=True)):
            raise InputError(
                f"settlement over {terms.settlement_minutes:g} min beside a rate that ties steps together",
                "an interval in which the rate has one price",
                "leave settlement_interval out, or name a shorter one",
            )
    return contract.with_terms(terms.export_price_ratio, terms.flat_price)


def _marks(contract: Contract) -> list[Floats]:
    """Return what must not change within a block under a rate: periods, months, averaging intervals."""
    calendar, tables = contract.calendar, contract.rate.tables
    month = np.repeat(np.arange(len(calendar.names)), np.diff(calendar.edge))
    out = [tables.energy_period[calendar.cell], tables.demand_period[calendar.cell], month]
    steps = np.arange(month.size)
    if contract.metering.rule == "net_billing_hourly":
        out.append(steps // (3600 // STEP_S))
    if contract.demand_window_steps > 1:
        out.append(steps // contract.demand_window_steps)
    return [np.asarray(mark, np.float64) for mark in out]


def _first(frame: Frame, terms: Terms, marks: list[Floats]) -> Integers:
    """Return the first plugged step of each block: steps in a row that are alike, with no drive between."""
    active = frame.active
    changes = (np.diff(active) > 1) | (frame.drive_kwh[1:] > 0)
    for own in (frame.plugged, frame.open_to_export(terms)):
        changes |= own[1:] != own[:-1]
    for mark in marks:
        value = mark[active]
        changes |= value[1:] != value[:-1]
    if frame.vehicle.least_kw:
        changes[:] = True
    return np.flatnonzero(np.append(True, changes))
