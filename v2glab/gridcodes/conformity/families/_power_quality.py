"""Power quality on waveforms: DC, harmonics, interharmonics, voltage changes, flicker, over-voltage.

IEEE 1547-2018, clause 7.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np

from v2glab.evidence import Criterion, Verdict
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._judging import verdict_on
from v2glab.gridcodes.conformity._measure import Estimate
from v2glab.gridcodes.conformity._record import Array, Record
from v2glab.gridcodes.conformity._stimulus import Stimulus
from v2glab.gridcodes.conformity.families._common import hold, only
from v2glab.signals import Waveform, fit_fundamental, flicker_severity, harmonics

_CYCLES = 12
_HIGHEST = 49
#: Width around an order that still counts to it (IEEE 1547-2018, 7.3).
_SIDE_HZ = 5.0
#: One interval of the short-term severity, and the meter's settling before it.
_FLICKER_S = 660.0
_OVER_LEVELS = ("2.0", "1.7", "1.4", "1.3")


def power_quality_cases(rules: Rules) -> Iterator[Case]:
    """Yield steady tests at full output, and the over-voltages on load rejection and ground fault."""
    steady = Stimulus((hold(rules, 10.0, sample_s=0.1),), 0.1)
    for name, title, clause, evaluate, needs in (
        ("dc", "DC injection", "7.1", _dc_verdicts, {"waveforms"}),
        ("harmonics", "Harmonics", "7.3", _harmonic_verdicts, {"waveforms"}),
        ("interharmonics", "Interharmonics", "7.3", _interharmonic_verdicts, {"waveforms"}),
        ("voltage-change", "Rapid voltage change", "7.2.2", _change_verdicts, {"waveforms"}),
        ("flicker", "Flicker", "7.2.3", _flicker_verdicts, {"waveforms"}),
        ("load-rejection", "Over-voltage on load rejection", "7.4.2", _cumulative_verdicts, {"waveforms"}),
        ("ground-fault", "Over-voltage on a ground fault", "7.4.1", _fundamental_verdicts, {"waveforms"}),
    ):
        yield Case(
            id=f"power-quality.{name}",
            title=title,
            clause=clause,
            rules=rules,
            settings=only(rules),
            stimulus=steady,
            evaluate=evaluate,
            needs=frozenset(needs),
        )


def _rule(case: Case, key: str, name: str) -> Criterion:
    """Return a criterion of the code under the name of this test."""
    rule = case.rules.from_code(key)
    return rule.model_copy(update={"id": f"{case.rules.code.id}.conformity.{case.id}.{name}"})


def _currents(case: Case, record: Record) -> tuple[Waveform, float] | None:
    """Return the current waveforms and the rated current in their unit."""
    if record.waveform is None:
        return None
    names = tuple(n for n in record.waveform.names if n.startswith("current"))
    plate = case.rules.base.nameplate
    rated = plate.s_max_va / (math.sqrt(3) * plate.v_nominal_v)
    return (record.waveform.select(*names), rated) if names else None


def _voltages(record: Record) -> Waveform | None:
    if record.waveform is None:
        return None
    names = tuple(n for n in record.waveform.names if n.startswith("voltage"))
    return record.waveform.select(*names) if names else None


def _spread(wave: Waveform, scale: float) -> float | None:
    """Return the standard uncertainty of a part of the waveform: the instrument's own share of accuracy."""
    known = [u for u in wave.uncertainty if u is not None]
    return max(known) * scale if len(known) == len(wave.uncertainty) else None


def _spectrum(case: Case, record: Record) -> tuple[Array, Waveform, float] | None:
    """Return RMS currents by phase and order, with the constant at order 0."""
    found = _currents(case, record)
    if found is None:
        return None
    wave, rated = found
    hertz = fit_fundamental(wave.samples, wave.rate_hz, case.rules.nominal_hz).frequency_hz
    spectrum = harmonics(wave.samples, wave.rate_hz, hertz, cycles=_CYCLES, orders=_HIGHEST)
    return spectrum.rms, wave, rated


def _judged(
    case: Case, record: Record, criterion: Criterion, value: float | None, u: float | None
) -> Verdict:
    found = None if value is None else Estimate(value, u)
    return verdict_on(criterion, found, record, case, missing="not measured: no waveform of this quantity")


def _dc_verdicts(case: Case, record: Record) -> list[Verdict]:
    found = _spectrum(case, record)
    criterion = _rule(case, "dc-injection", "dc")
    if found is None:
        return [_judged(case, record, criterion, None, None)]
    rms, wave, rated = found
    return [
        _judged(case, record, criterion, 100 * float(rms[:, 0].max()) / rated, _spread(wave, 100 / rated))
    ]


def _harmonic_verdicts(case: Case, record: Record) -> list[Verdict]:
    found = _spectrum(case, record)
    out = []
    for order in range(2, _HIGHEST + 1):
        key = f"harmonic.h{order}"
        if f"{case.rules.code.id}.{key}" not in case.rules.code.criteria:
            continue
        measured = found is not None and order < found[0].shape[1]
        value = 100 * float(found[0][:, order].max()) / found[2] if found and measured else None
        u = _spread(found[1], 100 / found[2] / math.sqrt(2)) if found else None
        out.append(_judged(case, record, _rule(case, key, f"h{order}"), value, u))
    total = None
    if found is not None:
        wave, rated = found[1], found[2]
        squares = (wave.samples**2).mean(axis=1) - found[0][:, 1] ** 2
        total = 100 * math.sqrt(max(0.0, float(squares.max()))) / rated
    u = _spread(found[1], 100 / found[2]) if found else None
    return [*out, _judged(case, record, _rule(case, "harmonic.trd", "trd"), total, u)]


def _interharmonic_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Judge what lies between orders h and h + 1 by the lesser of their limits (7.3)."""
    found = _currents(case, record)
    out = []
    for order in range(2, _HIGHEST - 1):
        keys = [f"harmonic.h{order}", f"harmonic.h{order + 1}"]
        rules = [case.rules.code.criteria.get(f"{case.rules.code.id}.{k}") for k in keys]
        limits = [r for r in rules if r is not None]
        if len(limits) < 2:
            continue
        least = min(limits, key=lambda r: r.upper or 0.0)
        criterion = least.model_copy(
            update={
                "id": f"{case.rules.code.id}.conformity.{case.id}.h{order}",
                "title": f"Current between orders {order} and {order + 1}, share of rated current",
                "quantity": f"interharmonic_current_h{order}",
                "clause": "7.3",
            }
        )
        value = None if found is None else _between(found[0], found[1], order, case.rules.nominal_hz)
        u = _spread(found[0], 100 / found[1] / math.sqrt(2)) if found else None
        out.append(_judged(case, record, criterion, value, u))
    return out


def _between(wave: Waveform, rated: float, order: int, nominal_hz: float) -> float | None:
    """Return the greatest RMS between two orders over a whole number of cycles, in percent of rated."""
    length = round(_CYCLES / nominal_hz * wave.rate_hz)
    if wave.samples.shape[1] < length or order * nominal_hz > 0.45 * wave.rate_hz:
        return None
    lines = np.abs(np.fft.rfft(wave.samples[:, :length], axis=1)) * math.sqrt(2) / length
    hertz = np.fft.rfftfreq(length, 1 / wave.rate_hz)
    low, high = order * nominal_hz + _SIDE_HZ, (order + 1) * nominal_hz - _SIDE_HZ
    inside = (hertz > low + 1e-6) & (hertz < high - 1e-6)
    return 100 * float(np.sqrt((lines[:, inside] ** 2).sum(axis=1)).max()) / rated


def _change_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Judge the greatest change of the voltage's RMS between cycles (7.2.2)."""
    wave = _voltages(record)
    criterion = _rule(case, "rvc.step.lv", "step")
    if wave is None:
        return [_judged(case, record, criterion, None, None)]
    rms = _cycle_rms(wave, case.rules.nominal_hz)
    nominal = case.rules.base.nameplate.v_nominal_v / math.sqrt(3)
    change = 100 * float(np.abs(np.diff(rms, axis=1)).max()) / nominal if rms.shape[1] > 1 else None
    return [_judged(case, record, criterion, change, _spread(wave, 100 / nominal))]


def _flicker_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Judge the greatest short-term severity; the long-term one takes two hours of waveform (7.2.3)."""
    wave, worst = _voltages(record), None
    if wave is not None and wave.duration_s >= _FLICKER_S:
        noise = max((u for u in wave.uncertainty if u is not None), default=None)
        seen = flicker_severity(
            wave.samples, wave.rate_hz, case.rules.nominal_hz, lamp=_lamp(case), u_sample=noise
        )
        worst = max((q for phase in seen for q in phase), key=lambda q: q.value, default=None)
    short = _judged(
        case,
        record,
        _rule(case, "flicker.pst", "pst"),
        worst.value if worst else None,
        worst.uncertainty if worst else None,
    )
    return [short, _judged(case, record, _rule(case, "flicker.plt", "plt"), None, None)]


def _lamp(case: Case) -> Literal["120 V", "230 V"]:
    """Return the lamp of the region: 120 V where the grid has 60 Hz, else 230 V (IEC 61000-4-15)."""
    return "120 V" if case.rules.nominal_hz > 55 else "230 V"


def _cumulative_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Judge how long the instantaneous voltage stood above each level (7.4.2)."""
    wave = _voltages(record)
    peak = case.rules.base.nameplate.v_nominal_v / math.sqrt(3) * math.sqrt(2)
    out = []
    for level in _OVER_LEVELS:
        criterion = _rule(case, f"overvoltage.cumulative.{level}", f"above-{level}")
        if wave is None:
            out.append(_judged(case, record, criterion, None, None))
            continue
        above = (np.abs(wave.samples) > float(level) * peak).sum(axis=1).max() / wave.rate_hz
        u = 1e3 / wave.rate_hz / math.sqrt(12)
        out.append(_judged(case, record, criterion, 1e3 * float(above), u))
    return out


def _fundamental_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Judge the greatest RMS of one cycle against nominal (7.4.1)."""
    wave = _voltages(record)
    criterion = _rule(case, "overvoltage.fundamental", "fundamental")
    if wave is None:
        return [_judged(case, record, criterion, None, None)]
    nominal = case.rules.base.nameplate.v_nominal_v / math.sqrt(3)
    rms = _cycle_rms(wave, case.rules.nominal_hz)
    return [_judged(case, record, criterion, 100 * float(rms.max()) / nominal, _spread(wave, 100 / nominal))]


def _cycle_rms(wave: Waveform, nominal_hz: float) -> Array:
    """Return the RMS of each whole cycle, shape (P, cycles)."""
    length = max(1, round(wave.rate_hz / nominal_hz))
    count = wave.samples.shape[1] // length
    cut = wave.samples[:, : count * length].reshape(wave.samples.shape[0], count, length)
    return np.asarray(np.sqrt((cut**2).mean(axis=2)))
