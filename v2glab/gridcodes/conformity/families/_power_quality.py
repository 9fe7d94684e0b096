"""Power quality on waveforms: DC, harmonics, interharmonics, voltage changes, flicker, over-voltage.

IEEE 1547-2018, clause 7. Limits come from the file of the grid code, numbers from ``v2glab.signals``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from v2glab.evidence import Criterion, InputError, Verdict
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._judging import verdict_on
from v2glab.gridcodes.conformity._measure import Estimate
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Capture, Stimulus, Stretch
from v2glab.gridcodes.conformity._waveform_measures import (
    ABOVE,
    Found,
    cumulative_overvoltage,
    direct_current,
    distortion,
    flicker,
    greatest_fundamental,
    voltage_change,
)
from v2glab.gridcodes.conformity.families._common import hold, only
from v2glab.signals import band_limits

#: Fast enough for order 49 at 60 Hz; events are sampled faster, since their edges count.
_RATE_HZ, _EVENT_RATE_HZ, _FLICKER_RATE_HZ = 10_000.0, 20_000.0, 2000.0
#: Several windows of 200 ms; one interval of the short-term severity with a minute to settle.
_STEADY_S, _FLICKER_S = 1.0, 661.0
_REST_S, _EVENT_S, _AFTER_S = 1.5, 0.5, 1.0
#: Line voltage up to which the limits of low voltage hold.
_LOW_VOLTAGE_V = 1000.0


@dataclass(frozen=True)
class _Test:
    name: str
    title: str
    limits: Callable[[Rules], Mapping[str, Criterion]]
    measure: Callable[[Case, Record], Found]
    stimulus: Callable[[Rules], Stimulus]


def power_quality_cases(rules: Rules) -> Iterator[Case]:
    """Yield the tests for which the code has limits."""
    for test in _TESTS:
        limits = test.limits(rules)
        if limits:
            yield Case(
                id=f"power-quality.{test.name}",
                title=test.title,
                clause=next(iter(limits.values())).clause,
                rules=rules,
                settings=only(rules),
                stimulus=test.stimulus(rules),
                evaluate=_judge,
                needs=frozenset({"waveforms"}),
            )


def _judge(case: Case, record: Record) -> list[Verdict]:
    """Judge every limit of a test by the quantity of its name."""
    test = _BY_NAME[case.id.partition(".")[2]]
    limits, found, missing = test.limits(case.rules), {}, "not measured: no waveform"
    if record.waveform is not None and not record.doubt:
        try:
            found = dict(test.measure(case, record))
        except InputError as error:
            missing = f"{error.found}; required: {error.required}"
    out = []
    for name, rule in limits.items():
        changes = {"id": f"{case.rules.code.id}.conformity.{case.id}.{name}"}
        if rule.quantity == "flicker_plt" and record.alike:
            changes["note"] = f"one interval of ten minutes stands for all twelve: {record.alike}"
        criterion = rule.model_copy(update=changes)
        seen = found.get(rule.quantity, missing)
        reason = seen if isinstance(seen, str) else ""
        value = None if isinstance(seen, str) else Estimate(seen.value, seen.uncertainty)
        out.append(verdict_on(criterion, value, record, case, missing=reason))
    return out


def _steady(rules: Rules) -> Stimulus:
    return Stimulus((hold(rules, _STEADY_S, sample_s=0.1),), 0.1, capture=Capture("current", _RATE_HZ))


def _long(rules: Rules) -> Stimulus:
    capture = Capture("voltage", _FLICKER_RATE_HZ)
    return Stimulus((hold(rules, _FLICKER_S, sample_s=1.0),), 1.0, capture=capture)


def _output_step(rules: Rules) -> Stimulus:
    """Return rest, then full output at once: the greatest change that the plant makes by itself."""
    parts: tuple[Stretch, ...] = (hold(rules, _REST_S, demand_pu=0.0), hold(rules, _REST_S))
    return Stimulus(parts, 0.02, capture=Capture("voltage", _RATE_HZ))


def _load_rejection(rules: Rules) -> Stimulus:
    capture = Capture("voltage", _EVENT_RATE_HZ, "load rejection", _EVENT_S)
    return Stimulus((hold(rules, _EVENT_S + _AFTER_S),), 0.02, capture=capture)


def _ground_fault(rules: Rules) -> Stimulus:
    capture = Capture("voltage", _EVENT_RATE_HZ, "ground fault", _EVENT_S)
    return Stimulus((hold(rules, _EVENT_S + _AFTER_S),), 0.02, capture=capture)


def _group(group: str, **names: str) -> Callable[[Rules], Mapping[str, Criterion]]:
    """Return what looks up criteria of a group of the code by the last part of their identity."""

    def limits(rules: Rules) -> Mapping[str, Criterion]:
        prefix = f"{rules.code.id}."
        found = {k.removeprefix(prefix): c for k, c in rules.code.criteria_of(group).items()}
        return {names.get(k.replace("-", "_"), k.rpartition(".")[2]): c for k, c in found.items()}

    return limits


def _changes(rules: Rules) -> Mapping[str, Criterion]:
    """Return step and rate for the plant's level of voltage (7.2.2)."""
    level = "lv" if rules.base.nameplate.v_nominal_v <= _LOW_VOLTAGE_V else "mv"
    found = {k: rules.code.criteria_of(f"rvc.{k}.{level}") for k in ("step", "rate")}
    return {name: c for name, group in found.items() for c in group.values()}


def _bands(rules: Rules) -> Mapping[str, Criterion]:
    """Return the limits between orders: the lesser of both neighbours' (7.3)."""
    orders = {
        int(c.quantity.rpartition("_h")[2]): c
        for c in rules.code.criteria_of("harmonic").values()
        if c.quantity.startswith("harmonic_current_h")
    }
    limits = band_limits({h: c.upper for h, c in orders.items() if c.upper is not None})
    grouping = rules.code.harmonics
    return {
        f"h{h}-{h + 1}": min((orders[h], orders[h + 1]), key=lambda c: c.upper or 0.0).model_copy(
            update={
                "title": f"Current between orders {h} and {h + 1}, share of rated current",
                "quantity": f"interharmonic_current_h{h}_{h + 1}",
                "upper": limit,
                "clause": grouping.clause if grouping else orders[h].clause,
            }
        )
        for h, limit in limits.items()
    }


def _levels(rules: Rules) -> Mapping[str, Criterion]:
    """Return the limits of the cumulative over-voltage by their level (7.4.2)."""
    found = rules.code.criteria_of("overvoltage.cumulative").values()
    return {f"above-{c.quantity.removeprefix(ABOVE)}": c for c in found}


_TESTS = (
    _Test("dc", "DC injection", _group("dc-injection", dc_injection="dc"), direct_current, _steady),
    _Test("harmonics", "Harmonics", _group("harmonic"), distortion, _steady),
    _Test("interharmonics", "Interharmonics", _bands, distortion, _steady),
    _Test("voltage-change", "Rapid voltage change", _changes, voltage_change, _output_step),
    _Test("flicker", "Flicker", _group("flicker"), flicker, _long),
    _Test(
        "load-rejection", "Over-voltage on load rejection", _levels, cumulative_overvoltage, _load_rejection
    ),
    _Test(
        "ground-fault",
        "Over-voltage on a ground fault",
        _group("overvoltage.fundamental"),
        greatest_fundamental,
        _ground_fault,
    ),
)
_BY_NAME = {test.name: test for test in _TESTS}
