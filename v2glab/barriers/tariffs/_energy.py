"""Energy charges and credits of a bill, under each metering rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._ladders import ladders
from v2glab.barriers.tariffs._lines import Line, month_lines, tier_lines
from v2glab.barriers.tariffs._meter import Reading
from v2glab.barriers.tariffs._metering import Metering
from v2glab.barriers.tariffs._rate import Rate
from v2glab.barriers.tariffs._rate_tables import TierTable
from v2glab.barriers.tariffs._registers import fill_in_order, fill_in_proportion
from v2glab.barriers.tariffs._rollover import carry_money, roll_over
from v2glab.evidence import InputError

Floats = NDArray[np.float64]
_RULE_KEY = "dgrules"


@dataclass
class EnergyCharges:
    """Lines, and their sum per month (M,) that minimum charges look at. ``late`` is paid after those."""

    month: Floats
    lines: list[Line] = field(default_factory=list)
    late: list[Line] = field(default_factory=list)


def energy_charges(
    rate: Rate, reading: Reading, metering: Metering | None, demand_kw: Floats
) -> EnergyCharges:
    """Price the energy of each month.

    Without a metering rule only imports can be priced: registers are read by the month.

    Raises
    ------
    InputError
        Energy was exported and the rate does not say what it earns, or energy lies beyond the last tier.
    """
    if metering is None and reading.sold.any():
        raise no_export_rate(rate, "how exported energy is settled (dgrules)")
    upper = ladders(rate.tables.energy, demand_kw, reading.calendar.days)
    if metering is None or metering.rule == "net_metering":
        charges = _net_metering(rate, reading, metering, upper)
    else:
        charges = _net_billing(rate, reading, metering, upper)
    return charges


def no_export_rate(rate: Rate, what: str) -> InputError:
    """Return the error for a rate that leaves open what export earns."""
    return InputError(
        f"rate {rate.label or rate.name!r} does not say {what}",
        "an export rate",
        "name the metering rule, and give 'sell' in each tier; 0.0 means unpaid",
    )


def _net_metering(rate: Rate, reading: Reading, metering: Metering | None, upper: Floats) -> EnergyCharges:
    table, names, numbers = rate.tables.energy, reading.calendar.names, reading.month_numbers
    net = reading.bought - reading.sold
    used, left, taken = np.zeros_like(net), np.zeros_like(net), np.zeros_like(net)
    lapsed = np.zeros(net.shape[0])
    if metering is not None and metering.credit == "money":
        used, left = np.maximum(net, 0.0), np.maximum(-net, 0.0)
        return _net_metering_money(rate, reading, metering, upper, used, left)
    last = 12 if metering is None else metering.true_up_month
    roll_over(net, numbers, rate.tables.anchors, last, used, left, taken, lapsed)
    charges = _bought(rate, reading, _proportion(rate, names, used, upper), table)
    if metering is None:
        return charges
    taken_kwh = taken.sum(axis=1).tolist()
    charges.lines += [
        Line(m, "credit taken", _RULE_KEY, kwh, "kWh", 0.0, 0.0)
        for m, kwh in zip(names, taken_kwh, strict=True)
        if kwh
    ]
    charges.lines += _lapsed(names, lapsed)
    due = np.where(numbers == last - 1, left.sum(axis=1), 0.0)
    if metering.year_end_per_kwh:
        price = [-metering.year_end_per_kwh] * len(names)
        charges.late += month_lines(names, "credit paid out", _RULE_KEY, due.tolist(), "kWh", price)
    else:
        charges.lines += _lapsed(names, due)
    return charges


def _lapsed(names: tuple[str, ...], kwh: Floats) -> Iterator[Line]:
    for month, amount in zip(names, kwh.tolist(), strict=True):
        if amount:
            yield Line(month, "credit lapsed", _RULE_KEY, amount, "kWh", 0.0, 0.0)


def _net_metering_money(
    rate: Rate, reading: Reading, metering: Metering, upper: Floats, used: Floats, left: Floats
) -> EnergyCharges:
    table, names = rate.tables.energy, reading.calendar.names
    sold = _proportion(rate, names, left, upper)
    charges = _bought(rate, reading, _proportion(rate, names, used, upper), table)
    _take(charges, reading, metering, _earned(rate, table, sold), same_month=True)
    return charges


def _net_billing(rate: Rate, reading: Reading, metering: Metering, upper: Floats) -> EnergyCharges:
    table, names = rate.tables.energy, reading.calendar.names
    bought, sold = np.zeros(upper.shape), np.zeros(upper.shape)
    if table.tiered:
        fill_in_order(
            reading.load_kw,
            reading.export_kw,
            reading.calendar.cell,
            reading.calendar.edge,
            rate.tables.energy_period,
            reading.calendar.step_s / 3600,
            reading.settle,
            np.ascontiguousarray(upper),
            bought,
            sold,
        )
    else:
        bought[:, :, 0], sold[:, :, 0] = reading.bought, reading.sold
    _within(rate, names, reading.bought, upper)
    _within(rate, names, reading.sold, upper)
    charges = _bought(rate, reading, bought, table)
    earned = _earned(rate, table, sold)
    if metering.credit == "paid":
        charges.month -= earned
        charges.lines += tier_lines(names, "export", table.keys, sold, "kWh", _sell(table), -1.0)
    else:
        _take(charges, reading, metering, earned, same_month=False)
    return charges


def _take(
    charges: EnergyCharges, reading: Reading, metering: Metering, earned: Floats, *, same_month: bool
) -> None:
    """Take credits in money off the charges, and pay out what is left at the true-up."""
    names, numbers = reading.calendar.names, reading.month_numbers
    taken, left = carry_money(charges.month, earned, numbers, metering.true_up_month, same_month=same_month)
    charges.month -= taken
    ones = [-1.0] * len(names)
    charges.lines += month_lines(names, "credit taken", _RULE_KEY, taken.tolist(), "1", ones)
    due = np.where(numbers == metering.true_up_month - 1, left, 0.0).tolist()
    if metering.true_up == "paid":
        charges.late += month_lines(names, "credit paid out", _RULE_KEY, due, "1", ones)
    else:
        charges.lines += [
            Line(month, "credit lapsed", _RULE_KEY, money, "1", 0.0, 0.0)
            for month, money in zip(names, due, strict=True)
            if money
        ]


def _bought(rate: Rate, reading: Reading, tiers: Floats, table: TierTable) -> EnergyCharges:
    names = reading.calendar.names
    charges = EnergyCharges(np.einsum("mpk,pk->m", tiers, table.price))
    charges.lines += tier_lines(names, "energy", table.keys, tiers, "kWh", table.price)
    if rate.fueladjustmentsmonthly is not None:
        total = tiers.sum(axis=(1, 2))
        fuel = rate.tables.fuel[reading.month_numbers]
        charges.month += total * fuel
        for i, number in enumerate(reading.month_numbers.tolist()):
            key = f"fueladjustmentsmonthly[{number}]"
            charges.lines += month_lines(
                names[i : i + 1], "fuel adjustment", key, [float(total[i])], "kWh", [float(fuel[i])]
            )
    return charges


def _earned(rate: Rate, table: TierTable, sold: Floats) -> Floats:
    _, p, k = np.nonzero(sold)
    missing = np.flatnonzero(np.isnan(table.sell[p, k]))
    if missing.size:
        raise no_export_rate(rate, f"what export earns: {table.keys[p[missing[0]]][k[missing[0]]]}.sell")
    return np.asarray(np.einsum("mpk,pk->m", sold, _sell(table)))


def _sell(table: TierTable) -> Floats:
    return np.nan_to_num(table.sell, nan=0.0)


def _proportion(rate: Rate, names: tuple[str, ...], energy: Floats, upper: Floats) -> Floats:
    if not rate.tables.energy.tiered:
        return energy[:, :, np.newaxis]
    _within(rate, names, energy, upper)
    tiers = np.zeros(upper.shape)
    fill_in_proportion(energy, np.ascontiguousarray(upper), tiers)
    return tiers


def _within(rate: Rate, names: tuple[str, ...], energy: Floats, upper: Floats) -> None:
    """Refuse energy beyond the last tier: nothing says what it costs."""
    last = upper[:, :, -1]
    if np.isinf(last).all():
        return
    total = np.broadcast_to(energy.sum(axis=1, keepdims=True), last.shape)
    over = (energy > 0) & (total > last * (1 + 1e-12))
    if over.any():
        m, p = (int(axis[0]) for axis in np.nonzero(over))
        raise InputError(
            f"{names[m]}: {total[m, p]:.3f} kWh, energyratestructure[{p}] ends at {last[m, p]:.3f} kWh",
            "a last tier without 'max'",
            "add the tier that prices the rest",
        )
