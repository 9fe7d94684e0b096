"""What the vehicles do: energy exported, power over the year, a controller without foresight, settings."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2glab.barriers import (
    ARBITRAGE,
    CHARGING_ONLY,
    STEP_S,
    Frame,
    Outcome,
    Terms,
    Vehicle,
    VehicleValuer,
    VehicleYear,
    certify,
    combine,
    dispatch,
    hangs_together,
    rolling,
    terms_of,
)
from v2glab.evidence import InputError
from v2glab.procedures._analyse_barriers_inputs import Inputs
from v2glab.procedures._analyse_barriers_pricing import Priced
from v2glab.procedures._analyse_barriers_services import services_table

if TYPE_CHECKING:
    import pandas as pd

#: Points of a duration curve.
_POINTS = 101
#: Settings of the vehicle that are varied, by factor or by difference, one at a time.
_SETTINGS: tuple[tuple[str, float, float], ...] = (
    ("battery_kwh", 0.8, 1.2),
    ("charge_kw", 0.8, 1.2),
    ("discharge_kw", 0.8, 1.2),
    ("charge_efficiency", -0.03, 0.03),
    ("discharge_efficiency", -0.03, 0.03),
    ("reserve_share", -0.1, 0.2),
    ("wear_eur_per_kwh", 0.0, 0.05),
)
_SCALED = ("battery_kwh", "charge_kw", "discharge_kw")


def behaviour_tables(inputs: Inputs, priced: Priced, horizon_h: int) -> dict[str, pd.DataFrame]:
    """Return energy lost by rule, duration curve, settings, and foresight; in the first price year."""
    order, plans = [name for name, _ in priced.nominal.waterfall()], _Plans(inputs)
    return {
        "energy": _energy(inputs, order, plans),
        "duration": _duration(inputs, plans),
        "settings": _settings(inputs, priced),
        "foresight": _foresight(inputs, horizon_h),
        **services_table(inputs),
    }


def _frames(inputs: Inputs, terms: Terms) -> list[Frame]:
    return [Frame(year, inputs.vehicle, inputs.market, terms.plug_in_share) for year in inputs.years]


def _plain(inputs: Inputs, frame: Frame, terms: Terms) -> bool:
    """Whether all there is are prices by the step: no building, no other service, nothing that ties steps."""
    return inputs.market.services.names == (ARBITRAGE,) and not hangs_together(frame, terms, CHARGING_ONLY)


class _Plans:
    """Best plans by user and terms; those under a rate that ties steps together are kept: they take long."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._kept: dict[tuple[str, Terms], Outcome | None] = {}

    def best(self, year: VehicleYear, terms: Terms) -> Outcome | None:
        """Return the best plan of one vehicle-year."""
        key = (year.user, terms)
        if key in self._kept:
            return self._kept[key]
        found = VehicleValuer(year, self._inputs.vehicle, self._inputs.market).best(terms)
        if self._inputs.market.contract is not None:
            self._kept[key] = found
        return found


def _exported_kwh(inputs: Inputs, terms: Terms, plans: _Plans) -> float:
    """Return the mean energy delivered to the meter a year."""
    total = 0.0
    for year in inputs.years:
        best = plans.best(year, terms)
        if best is not None:
            total += float(best.given_kwh.sum()) * terms.eligible_share * 365 / year.days
    return total / len(inputs.years)


def _energy(inputs: Inputs, order: list[str], plans: _Plans) -> pd.DataFrame:
    """Return the energy exported as rules come one after another, in the waterfall's order."""
    import pandas as pd

    before = _exported_kwh(inputs, Terms(), plans)
    rows = [{"step": "no rules", "change_kwh": before, "exported_kwh": before}]
    for count in range(1, len(order) + 1):
        after = _exported_kwh(inputs, combine(inputs.rules[name] for name in order[:count]), plans)
        rows.append({"step": order[count - 1], "change_kwh": after - before, "exported_kwh": after})
        before = after
    return pd.DataFrame(rows)


def _duration(inputs: Inputs, plans: _Plans) -> pd.DataFrame:
    """Return the power at the meter that is exceeded in each share of the year, mean over vehicles.

    Positive towards the grid. The whole window counts; steps not plugged in have no power.
    """
    import pandas as pd

    columns: dict[str, NDArray[np.float64]] = {"share_of_year": np.linspace(0, 1, _POINTS)}
    vehicle, steps = inputs.vehicle, inputs.market.window.steps
    for label, terms in (("no_rules_kw", Terms()), ("all_rules_kw", combine(inputs.rules.values()))):
        curves = []
        out = vehicle.discharge_efficiency * terms.discharge_efficiency
        for frame in _frames(inputs, terms):
            if not _plain(inputs, frame, terms):
                valuer = VehicleValuer(frame.year, vehicle, inputs.market)
                best = plans.best(frame.year, terms) or valuer.charging_only(terms)
                curves.append(np.quantile(best.power_kw(steps), 1 - columns["share_of_year"]))
                continue
            change = dispatch(frame.problem(terms)).change_kwh
            meter = np.where(change > 0, -change / vehicle.charge_efficiency, -change * out)
            power = np.zeros(steps)
            power[frame.active] = meter * 3600 / STEP_S
            curves.append(np.quantile(power, 1 - columns["share_of_year"]))
        columns[label] = np.mean(curves, axis=0)
    return pd.DataFrame(columns)


def _settings(inputs: Inputs, priced: Priced) -> pd.DataFrame:
    """Return what the loss to all rules becomes with another car: one setting at a time.

    Vehicles that a setting leaves without a feasible plan cannot count: the others' mean change is added to
    the loss of all, and how many they were stands beside it. Under a rate that ties steps together a year
    takes a solver seconds to minutes: no setting is varied then, and none counts a vehicle.
    """
    import pandas as pd

    tied = inputs.market.contract is not None
    base = {} if tied else _losses(inputs, inputs.vehicle)
    mean = float(priced.nominal.only(0).total.mean()) if tied else float(np.mean(list(base.values())))
    rows = []
    for name, *ends in _SETTINGS:
        now = float(getattr(inputs.vehicle, name))
        row: dict[str, object] = {"setting": name, "base": now, "loss": mean}
        for label, end in zip(("low", "high"), ends, strict=True):
            value = now * end if name in _SCALED else now + end
            found: dict[str, float] = {}
            with suppress(ValueError):  # a setting that no car can have
                other = Vehicle(**(inputs.vehicle.model_dump() | {name: value}))
                found = {} if tied else _losses(inputs, other)
            changes = [loss - base[user] for user, loss in found.items()]
            row[f"{label}_setting"] = value
            row[f"loss_{label}"] = mean + float(np.mean(changes)) if changes else float("nan")
            row[f"vehicles_{label}"] = len(changes)
        rows.append(row)
    return pd.DataFrame(rows)


def _losses(inputs: Inputs, vehicle: Vehicle) -> dict[str, float]:
    """Return the loss to all rules of each vehicle that has a feasible plan, by user."""
    every = (1 << len(inputs.rules)) - 1
    terms = terms_of(inputs.rules, [0, every])
    years, _ = certify(inputs.years, vehicle, inputs.market, terms)
    losses = {}
    for year in years:
        valuer = VehicleValuer(year, vehicle, inputs.market)
        losses[year.user] = valuer.value(terms[0]) - valuer.value(terms[1])
    return losses


def _foresight(inputs: Inputs, horizon_h: int) -> pd.DataFrame:
    """Return the value of each vehicle without rules, with perfect foresight and with a rolling horizon.

    ``rolling`` is counted from the same smart charging with perfect foresight as ``perfect``, and so never
    above it; ``rolling_own_baseline`` from smart charging with the same rolling horizon. Services and terms
    that tie steps together over months are not rolled: ``method`` says so, and the numbers are not there.
    """
    import pandas as pd

    columns = ["user", "horizon_h", "perfect", "rolling", "rolling_own_baseline", "share", "method"]
    if not horizon_h:
        return pd.DataFrame(columns=columns)
    rows = []
    terms = Terms()
    steps = horizon_h * 3600 // STEP_S
    for frame in _frames(inputs, terms):
        if not _plain(inputs, frame, terms):
            perfect = VehicleValuer(frame.year, frame.vehicle, inputs.market).value(terms)
            none = float("nan")
            why = "not rolled: services or terms that tie steps together"
            rows.append([frame.year.user, horizon_h, perfect, none, none, none, why])
            continue
        problem, outlook = frame.problem(terms), frame.outlook(terms)
        scale = 365 / frame.year.days
        idle = dispatch(problem.without_discharge()).cost
        perfect = (idle - dispatch(problem).cost) * scale
        try:
            plan = rolling(problem, outlook, horizon_steps=steps)
            rolled, method = plan.cost, plan.method
            rolled_idle = rolling(problem.without_discharge(), outlook, horizon_steps=steps).cost
        except InputError as error:  # such as a need that a plan over some hours cannot foresee
            rolled = rolled_idle = float("nan")
            method = f"not rolled: {error.found}"
        value = (idle - rolled) * scale
        share = value / perfect if perfect > 0 else float("nan")
        rows.append(
            [frame.year.user, horizon_h, perfect, value, (rolled_idle - rolled) * scale, share, method]
        )
    return pd.DataFrame(rows, columns=columns)
