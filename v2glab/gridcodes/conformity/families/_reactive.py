"""Constant power factor, constant reactive power, volt-var and watt-var (IEEE 1547-2018, 5.3)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

from v2glab.evidence import Verdict
from v2glab.gridcodes.conformity._case import Case, Rules, cite
from v2glab.gridcodes.conformity._data import Curve
from v2glab.gridcodes.conformity._judging import steady_verdict
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus
from v2glab.gridcodes.conformity._tolerance import interpolate
from v2glab.gridcodes.conformity.families._common import hold, only
from v2glab.gridcodes.conformity.families._sweep import Sweep, sweep_case

#: Output at which reactive power leaves room for its rated value.
_POWER = 0.8
_VREF_TAU_S = 300.0


def constant_pf_cases(rules: Rules) -> Iterator[Case]:
    """Yield both excitations, over power."""
    olrt = rules.base.constant_pf.olrt_s
    for excitation, sign in (("inject", 1.0), ("absorb", -1.0)):
        pf = 0.9
        ratio = sign * math.tan(math.acos(pf))
        steps = [hold(rules, 1.0, demand_pu=p) for p in (_POWER, 0.5, 0.3, _POWER)]
        yield sweep_case(
            rules,
            Sweep("p", "q", partial(_times, rules, ratio), _ends(rules, ratio), olrt, timed=False),
            steps,
            only(rules, "constant_pf", pf=pf, excitation=excitation),
            id=f"constant-pf.{excitation}",
            title=f"Constant power factor {pf:g}, {excitation}ing",
            clause="5.3.2",
            needs=frozenset({"settings", "constant_pf"}),
        )


def constant_q_cases(rules: Rules) -> Iterator[Case]:
    """Yield rated and half the rated reactive power, both ways, over power."""
    plate = rules.base.nameplate
    olrt = rules.base.constant_q.olrt_s
    for name, q in (
        ("inject", plate.q_inject_max_var / plate.s_max_va),
        ("absorb", -plate.q_absorb_max_var / plate.s_max_va),
        ("half", -0.5 * plate.q_absorb_max_var / plate.s_max_va),
    ):
        steps = [hold(rules, 1.0, demand_pu=p) for p in (_POWER, 0.5, 0.2, _POWER)]
        yield sweep_case(
            rules,
            Sweep("p", "q", partial(_constant, q), (), olrt),
            steps,
            only(rules, "constant_q", q_pu=round(q, 6)),
            id=f"constant-q.{name}",
            title=f"Constant reactive power {q:+.2f} p.u.",
            clause="5.3.5",
            needs=frozenset({"settings", "constant_q"}),
        )


def volt_var_cases(rules: Rules) -> Iterator[Case]:
    """Yield the three characteristics, and the autonomous reference."""
    for curve in rules.data.curves("volt_var", rules.normal_category):
        points = _volt_var_points(rules, curve)
        volts = _around(tuple(x for x, _ in points), 0.885, 1.095)
        yield sweep_case(
            rules,
            Sweep("v", "q", partial(interpolate, points), tuple(x for x, _ in points), curve.response_s),
            [hold(rules, 1.0, v, demand_pu=_POWER) for v in volts],
            only(rules, "volt_var", **_reference(points, curve)),
            id=f"volt-var.characteristic-{curve.name}",
            title=f"Volt-var, characteristic {curve.name}",
            clause="5.3.3",
            needs=frozenset({"settings", "volt_var"}),
            **cite(rules, curve),
        )
    yield _reference_case(rules)


def watt_var_cases(rules: Rules) -> Iterator[Case]:
    """Yield the characteristics, over generation and over charging."""
    for curve in rules.data.curves("watt_var", rules.normal_category):
        charging = tuple(p for p in rules.base.watt_var.points if p[0] < 0)
        points = (*charging, *zip(curve.x, curve.y_pu, strict=True))
        for name, powers in (
            ("generating", (0.9, 0.75, 0.5, 0.35, 0.9)),
            ("charging", (-0.2, -0.5, -0.75, -0.9, -0.2)),
        ):
            yield sweep_case(
                rules,
                Sweep("p", "q", partial(interpolate, points), tuple(x for x, _ in points), curve.response_s),
                [hold(rules, 1.0, demand_pu=p) for p in powers],
                only(rules, "watt_var", points=points, olrt_s=curve.response_s),
                id=f"watt-var.characteristic-{curve.name}.{name}",
                title=f"Watt-var, characteristic {curve.name}, {name}",
                clause="5.3.4",
                needs=frozenset({"settings", "watt_var", *(["battery"] if name == "charging" else [])}),
                **cite(rules, curve),
            )


def _volt_var_points(rules: Rules, curve: Curve) -> tuple[tuple[float, float], ...]:
    """Return voltage and reactive power; shares are of what the plate must at least inject and absorb."""
    plate = rules.base.nameplate
    rated = {True: plate.q_required_inject_pu, False: plate.q_required_absorb_pu}
    return tuple((x, y * rated[y > 0]) for x, y in zip(curve.x, curve.y_share, strict=True))


def _reference(points: tuple[tuple[float, float], ...], curve: Curve) -> dict[str, Any]:
    """Return the settings of a characteristic; the model's points are those for a reference of 1 p.u."""
    shift = curve.reference_pu - 1.0
    return {
        "points": tuple((round(x - shift, 6), y) for x, y in points),
        "vref_pu": curve.reference_pu,
        "olrt_s": curve.response_s,
    }


def _around(knees: tuple[float, ...], low: float, high: float) -> list[float]:
    """Return voltages at the middle of each part of a characteristic, within bounds, nearest to 1 first."""
    ends = sorted({low, *(k for k in knees if low < k < high), high})
    middles = [(a + b) / 2 for a, b in pairwise(ends) if b - a > 0.01]
    return [1.0, *middles, 1.0]


def _reference_case(rules: Rules) -> Case:
    """Return the autonomous reference: after a lasting change of voltage Q comes back to zero."""
    settings = only(rules, "volt_var", vref_auto=True, vref_time_s=_VREF_TAU_S)
    volts = 1.04
    stimulus = Stimulus(
        (
            hold(rules, 30.0, demand_pu=_POWER, label="before", sample_s=0.5),
            hold(rules, 60.0, volts, demand_pu=_POWER, label="early", sample_s=0.5),
            hold(rules, 5 * _VREF_TAU_S, volts, demand_pu=_POWER, label="late", sample_s=2.0),
        ),
        0.5,
    )
    return Case(
        id="volt-var.reference",
        title="Volt-var with autonomous reference",
        clause="5.3.3",
        rules=rules,
        settings=settings,
        stimulus=stimulus,
        evaluate=_reference_verdicts,
        needs=frozenset({"settings", "volt_var"}),
    )


def _reference_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Judge before and long after the change of voltage; in between the reference is still moving."""
    assert case.stimulus is not None and case.settings is not None  # noqa: S101 -- made above
    points = case.settings.volt_var.points
    _, first = case.stimulus.span("before")
    olrt = case.settings.volt_var.olrt_s
    _, last = case.stimulus.span("late")
    moving = partial(_follows, points, 1.0, _VREF_TAU_S, 3 * olrt)
    settled = partial(_follows, points, 1.0, _VREF_TAU_S, last - first)
    knees = tuple(x for x, _ in points)
    return [
        steady_verdict(
            case,
            record,
            "early",
            x="v",
            y="q",
            at=(first + 3 * olrt - 2.0, first + 3 * olrt + 2.0),
            function=moving,
            knees=knees,
        ),
        steady_verdict(
            case, record, "late", x="v", y="q", at=(last - 100.0, last), function=settled, knees=(1.0,)
        ),
    ]


def _follows(
    points: tuple[tuple[float, float], ...], before: float, tau_s: float, after_s: float, volts: float
) -> float:
    """Return reactive power when the reference has followed a step of voltage for a while."""
    reference = before + (volts - before) * (1.0 - math.exp(-after_s / tau_s))
    return interpolate(points, volts - (reference - 1.0))


def _times(rules: Rules, ratio: float, x: float) -> float:
    """Return reactive power at a power factor, within what the device can inject and absorb."""
    plate = rules.base.nameplate
    most, least = plate.q_inject_max_var / plate.s_max_va, -plate.q_absorb_max_var / plate.s_max_va
    return min(most, max(least, ratio * x))


def _ends(rules: Rules, ratio: float) -> tuple[float, ...]:
    plate = rules.base.nameplate
    rated = plate.q_inject_max_var if ratio > 0 else plate.q_absorb_max_var
    return (rated / plate.s_max_va / abs(ratio),)


def _constant(value: float, _: float) -> float:
    return value
