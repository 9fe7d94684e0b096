"""Energy charges and credits of a bill, under each metering rule."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers.tariffs._ladders import ladders
from v2glab.barriers.tariffs._lines import Kind, Part, month_part, tier_part, total_of
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
    """Parts of a bill that minimum charges look at, and ``late`` ones that are settled after those."""

    parts: list[Part] = field(default_factory=list)
    late: list[Part] = field(default_factory=list)

    @property
    def month(self) -> Floats:
        """Charge of each month, shape (M,)."""
        return total_of(self.parts)


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
    if metering is None and reading.exports:
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
    table, names, numbers = rate.tables.energy, reading.calendar.names, reading.calendar.number
    net = reading.bought - reading.sold
    if metering is not None and metering.credit == "money":
        used, left = np.maximum(net, 0.0), np.maximum(-net, 0.0)
        return _net_metering_money(rate, reading, metering, upper, used, left)
    if metering is None or not reading.exports:
        return _bought(rate, reading, _proportion(rate, names, net, upper), table)
    used, left, taken = np.zeros((3, *net.shape))
    lapsed = np.zeros(net.shape[0])
    last = metering.true_up_month
    roll_over(net, numbers, rate.tables.anchors, last, used, left, taken, lapsed)
    charges = _bought(rate, reading, _proportion(rate, names, used, upper), table)
    charges.parts += [
        month_part(names, "credit taken", _RULE_KEY, taken.sum(axis=1), "kWh", 0.0),
        month_part(names, "credit lapsed", _RULE_KEY, lapsed, "kWh", 0.0),
    ]
    due = np.where(numbers == last - 1, left.sum(axis=1), 0.0)
    price = metering.year_end_per_kwh
    kind: Kind = "credit paid out" if price else "credit lapsed"
    charges.late.append(month_part(names, kind, _RULE_KEY, due, "kWh", -price))
    return charges


def _net_metering_money(
    rate: Rate, reading: Reading, metering: Metering, upper: Floats, used: Floats, left: Floats
) -> EnergyCharges:
    table, names = rate.tables.energy, reading.calendar.names
    sold = _proportion(rate, names, left, upper)
    charges = _bought(rate, reading, _proportion(rate, names, used, upper), table)
    _priced(rate, table, sold)
    earned = np.einsum("mpk,pk->m", sold, table.earned)
    _take(charges, reading, metering, np.asarray(earned), same_month=True)
    return charges


def _net_billing(rate: Rate, reading: Reading, metering: Metering, upper: Floats) -> EnergyCharges:
    table, names = rate.tables.energy, reading.calendar.names
    bought, sold = np.zeros(upper.shape), np.zeros(upper.shape)
    if table.tiered:
        fill_in_order(
            reading.drawn,
            reading.given,
            reading.calendar.block_cell,
            reading.calendar.block_edge,
            rate.tables.energy_period,
            upper,
            bought,
            sold,
        )
    else:
        bought[:, :, 0], sold[:, :, 0] = reading.bought, reading.sold
    _within(rate, names, reading.bought, upper)
    _within(rate, names, reading.sold, upper)
    charges = _bought(rate, reading, bought, table)
    _priced(rate, table, sold)
    export = tier_part(names, "export", table.keys, sold, "kWh", -table.earned)
    if metering.credit == "paid":
        charges.parts.append(export)
    else:
        _take(charges, reading, metering, -export.month, same_month=False)
    return charges


def _take(
    charges: EnergyCharges, reading: Reading, metering: Metering, earned: Floats, *, same_month: bool
) -> None:
    """Take credits in money off the charges, and pay out what is left at the true-up."""
    names, numbers = reading.calendar.names, reading.calendar.number
    taken, left = carry_money(charges.month, earned, numbers, metering.true_up_month, same_month=same_month)
    charges.parts.append(month_part(names, "credit taken", _RULE_KEY, taken, "1", -1.0))
    due = np.where(numbers == metering.true_up_month - 1, left, 0.0)
    paid = metering.true_up == "paid"
    kind: Kind = "credit paid out" if paid else "credit lapsed"
    charges.late.append(month_part(names, kind, _RULE_KEY, due, "1", -1.0 if paid else 0.0))


def _bought(rate: Rate, reading: Reading, tiers: Floats, table: TierTable) -> EnergyCharges:
    names = reading.calendar.names
    charges = EnergyCharges([tier_part(names, "energy", table.keys, tiers, "kWh", table.price)])
    if rate.fueladjustmentsmonthly is not None:
        keys = [f"fueladjustmentsmonthly[{number}]" for number in reading.calendar.number.tolist()]
        fuel = rate.tables.fuel[reading.calendar.number]
        charges.parts.append(month_part(names, "fuel adjustment", keys, tiers.sum(axis=(1, 2)), "kWh", fuel))
    return charges


def _priced(rate: Rate, table: TierTable, sold: Floats) -> None:
    """Refuse energy sold in a tier without a sell rate."""
    if table.priced:
        return
    missing = np.isnan(table.sell) & sold.any(axis=0)
    if missing.any():
        p, k = (int(axis[0]) for axis in np.nonzero(missing))
        raise no_export_rate(rate, f"what export earns: {table.keys[p][k]}.sell")


def _proportion(rate: Rate, names: tuple[str, ...], energy: Floats, upper: Floats) -> Floats:
    if not rate.tables.energy.tiered:
        return energy[:, :, np.newaxis]
    _within(rate, names, energy, upper)
    tiers = np.zeros(upper.shape)
    fill_in_proportion(energy, upper, tiers)
    return tiers


def _within(rate: Rate, names: tuple[str, ...], energy: Floats, upper: Floats) -> None:
    """Refuse energy beyond the last tier: nothing says what it costs."""
    if rate.tables.energy.endless:
        return
    last = upper[:, :, -1]
    total = np.broadcast_to(energy.sum(axis=1, keepdims=True), last.shape)
    over = (energy > 0) & (total > last * (1 + 1e-12))
    if over.any():
        m, p = (int(axis[0]) for axis in np.nonzero(over))
        raise InputError(
            f"{names[m]}: {total[m, p]:.3f} kWh, energyratestructure[{p}] ends at {last[m, p]:.3f} kWh",
            "a last tier without 'max'",
            "add the tier that prices the rest",
        )
