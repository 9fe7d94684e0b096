"""Volt-watt, limit of active power, frequency droop, and what has priority.

IEEE 1547-2018, 4.6.2, 4.7, 5.4.2 and 6.5.2.7.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

from v2glab.evidence import Verdict
from v2glab.gridcodes._droop import droop_power_pu
from v2glab.gridcodes.conformity._case import Case, Rules, cite
from v2glab.gridcodes.conformity._data import Curve
from v2glab.gridcodes.conformity._judging import steady_verdict, verdict_on
from v2glab.gridcodes.conformity._measure import Estimate, series, window
from v2glab.gridcodes.conformity._place import TIME, Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus, Stretch
from v2glab.gridcodes.conformity._tolerance import interpolate
from v2glab.gridcodes.conformity.families._common import hold, only
from v2glab.gridcodes.conformity.families._sweep import Sweep, sweep_case

_HIGHEST_PU = 1.095


def volt_watt_cases(rules: Rules) -> Iterator[Case]:
    """Yield the characteristics for a device that can absorb, or cannot, as the plate says."""
    absorbs = rules.base.nameplate.p_charge_max_w > 0
    for curve in rules.data.curves("volt_watt", rules.normal_category):
        shares = curve.y_share_absorbing if absorbs else curve.y_share
        points = tuple(zip(curve.x, shares, strict=True))
        middle = sum(curve.x) / 2
        volts = (1.0, curve.x[0] - 0.02, middle, min(_HIGHEST_PU, curve.x[1] - 0.003), middle, 1.0)
        yield sweep_case(
            rules,
            Sweep("v", "p", partial(_limited, rules, points, rules.p_rated), curve.x, curve.response_s),
            [hold(rules, 1.0, v) for v in volts],
            only(rules, "volt_watt", points=points, olrt_s=curve.response_s),
            id=f"volt-watt.characteristic-{curve.name}",
            title=f"Volt-watt, characteristic {curve.name}",
            clause="5.4.2",
            needs=frozenset({"settings", "volt_watt"}),
            **cite(rules, curve),
        )
        if absorbs:
            yield _charging_case(rules, curve, points)


def _charging_case(rules: Rules, curve: Curve, points: tuple[tuple[float, float], ...]) -> Case:
    """A device that charges below the limit is left alone: the limit binds from above only."""
    demand = -0.5
    volts = (1.0, sum(curve.x) / 2, 1.0)
    return sweep_case(
        rules,
        Sweep("v", "p", partial(_limited, rules, points, demand), curve.x, curve.response_s, timed=False),
        [hold(rules, 1.0, v, demand_pu=demand) for v in volts],
        only(rules, "volt_watt", points=points, olrt_s=curve.response_s).with_(
            p_limit={"enabled": True, "limit_pu": 1.0}
        ),
        id=f"volt-watt.charging-{curve.name}",
        title=f"Volt-watt, characteristic {curve.name}, while charging",
        clause="5.4.2",
        needs=frozenset({"settings", "volt_watt", "p_limit", "battery"}),
        **cite(rules, curve),
    )


def _limited(rules: Rules, points: tuple[tuple[float, float], ...], demand: float, volts: float) -> float:
    limit = interpolate(points, volts)
    plate = rules.base.nameplate
    scale = (plate.p_max_w if limit >= 0 else plate.p_charge_max_w) / plate.s_max_va
    return min(demand, limit * scale)


def power_limit_cases(rules: Rules) -> Iterator[Case]:
    """Yield two limits that are sent under way (IEEE 1547-2018, 4.6.2)."""
    rule = rules.from_code("control.active-power-limit")
    within = rule.upper or 30.0
    for share in (0.66, 0.33):
        limited = only(rules, "p_limit", limit_pu=share)
        stimulus = Stimulus(
            (
                hold(rules, 5.0, label="before", sample_s=0.1),
                hold(rules, within + 30.0, label="limited", sample_s=0.1, settings=limited),
            ),
            0.1,
        )
        yield Case(
            id=f"power-limit.{round(100 * share)}",
            title=f"Limit of active power to {share:g} p.u.",
            clause="4.6.2",
            rules=rules,
            settings=only(rules),
            stimulus=stimulus,
            evaluate=partial(_limit_verdicts, limit=share * rules.p_rated, within_s=within),
            source=rule.source,
            confidence=rule.confidence,
            needs=frozenset({"settings", "p_limit", "commands"}),
        )


def _limit_verdicts(case: Case, record: Record, *, limit: float, within_s: float) -> list[Verdict]:
    assert case.stimulus is not None  # noqa: S101 -- made above
    start, end = case.stimulus.span("limited")
    reach = case.rules.reach_p
    criterion = case.criterion(
        "time",
        "time until the limit holds",
        "limit_response_time",
        "s",
        upper=within_s + case.rules.reach_t(within_s),
    )
    out = [
        steady_verdict(case, record, "steady", x="v", y="p", at=(end - 10.0, end), function=lambda _: limit)
    ]
    if record.doubt:
        return [verdict_on(criterion, None, record, case), *out]
    part = window(record, start, end)
    over = series(record, "p", part) > limit + reach
    time = record.time_s[part]
    at = float(time[min(int(over.nonzero()[0][-1]) + 1, time.size - 1)]) - start if over.any() else 0.0
    found = Estimate(at, record.uncertainties.time_s)
    return [verdict_on(criterion, found, record, case, place=Place(TIME, start, end)), *out]


def droop_cases(rules: Rules) -> Iterator[Case]:
    """Yield above and below nominal, from full, half and no power, with default and fastest settings."""
    if rules.limits.droop is None:
        return
    rule = rules.limits.droop
    about: dict[str, Any] = {"clause": "6.5.2.7", "source": rule.source, "confidence": rule.confidence}
    for name, changes in (("default", {}), ("steepest", _steepest(rules))):
        settings = only(rules).with_(droop={"enabled": True, **changes})
        for side, demand in (("above", 1.0), ("above", 0.5), ("below", 0.5), ("below", 0.0)):
            yield droop_case(
                rules,
                settings,
                side,
                demand,
                id=f"droop.{side}.{name}.p{round(100 * demand)}",
                title=f"Frequency droop {side} nominal from {demand:g} p.u., {name} settings",
                needs=frozenset({"droop"} if name == "default" else {"droop", "settings"}),
                **about,
            )


def droop_case(rules: Rules, settings: Any, side: str, demand: float, **about: Any) -> Case:  # noqa: ANN401
    """Return steps of frequency away from nominal and back, from one power."""
    nominal, outwards = rules.nominal_hz, 1.0 if side == "above" else -1.0
    near, far = nominal + outwards * 0.3, nominal + outwards * 1.2
    hertz = [nominal, near, far, near, nominal]
    steps = [
        Stretch(1.0, frequency_hz=a, frequency_to_hz=b, demand_pu=demand)
        for a, b in zip([nominal, *hertz], hertz, strict=False)
    ]
    droop, plate = settings.droop, rules.base.nameplate
    function = partial(
        droop_power_pu,
        before_pu=demand * rules.p_rated,
        nominal_hz=nominal,
        deadband_over_hz=droop.deadband_over_hz,
        deadband_under_hz=droop.deadband_under_hz,
        droop_over=droop.droop_over,
        droop_under=droop.droop_under,
        minimum_pu=-plate.p_charge_max_w / plate.s_max_va,
        available_pu=rules.p_rated,
    )
    knees = (nominal - droop.deadband_under_hz, nominal + droop.deadband_over_hz)
    slow = droop.olrt_s >= 2.0
    return sweep_case(
        rules,
        Sweep("f", "p", function, knees, droop.olrt_s, timed=slow),
        steps,
        settings,
        **{"clause": "6.5.2.7", **about},
    )


def _steepest(rules: Rules) -> dict[str, float]:
    droop = rules.limits.droop
    assert droop is not None  # noqa: S101 -- asked before
    return {
        "deadband_over_hz": (droop.deadband_over_hz.range or (0.036,))[0],
        "deadband_under_hz": (droop.deadband_under_hz.range or (0.036,))[0],
        "droop_over": (droop.droop_over.range or (0.05,))[0],
        "droop_under": (droop.droop_under.range or (0.05,))[0],
        "olrt_s": (droop.response_s.range or (5.0,))[0],
    }


def priority_cases(rules: Rules) -> Iterator[Case]:
    """Yield full power with full reactive power under both priorities (IEEE 1547-2018, 4.7 and 5.2).

    Under priority of active power reactive power keeps at least what the category requires.
    """
    plate = rules.base.nameplate
    q_max = plate.q_inject_max_var / plate.s_max_va
    least = max(plate.q_required_inject_pu, _leg(rules.p_rated))
    for name, q in (("reactive", q_max), ("active", min(q_max, least))):
        settings = only(rules, "constant_q", q_pu=round(q_max, 6)).with_(priority=name)
        stimulus = Stimulus((hold(rules, 40.0, label="hold", sample_s=0.2),), 0.2)
        yield Case(
            id=f"priority.{name}",
            title=f"Priority of {name} power",
            clause="4.7",
            rules=rules,
            settings=settings,
            stimulus=stimulus,
            evaluate=partial(_priority_verdicts, p=min(rules.p_rated, _leg(q)), q=q),
            needs=frozenset({"settings", "constant_q"}),
            source=rules.data.sources["opender"],
        )


def _leg(other: float) -> float:
    return math.sqrt(max(0.0, 1.0 - other * other))


def _priority_verdicts(case: Case, record: Record, *, p: float, q: float) -> list[Verdict]:
    at = (30.0, 40.0)
    return [
        steady_verdict(case, record, "active", x="v", y="p", at=at, function=lambda _: p),
        steady_verdict(case, record, "reactive", x="v", y="q", at=at, function=lambda _: q),
    ]
