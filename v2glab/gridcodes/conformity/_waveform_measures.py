"""What power quality asks of a waveform, as quantities by name; thin fronts of ``v2glab.signals``.

Each returns quantities by the names that the criteria of the grid codes use, or the reason why there is none.
They raise ``InputError`` when the recording cannot give the quantity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

from v2glab.evidence import InputError, Quantity
from v2glab.gridcodes.conformity._case import Case
from v2glab.gridcodes.conformity._ratings import rated_current_a, rated_phase_v
from v2glab.gridcodes.conformity._record import Record
from v2glab.signals import (
    Waveform,
    current_distortion,
    dc_injection,
    fit_fundamental,
    flicker_severity,
    fundamental_overvoltage,
    long_term_severity,
    rapid_voltage_change,
    rms_per_cycle,
    time_above,
)

Found = Mapping[str, Quantity | str]

#: Short intervals of ten minutes in a long one of two hours (IEC 61000-4-15:2010, 5.7.3).
_LONG = 12
#: Prefix of the quantities of the cumulative over-voltage.
ABOVE = "time_above_"


def direct_current(case: Case, record: Record) -> Found:
    """Return the greatest direct current of a phase (7.1)."""
    wave, rated, nominal_hz = _wave(case, record, "current"), _rated_a(case), case.rules.nominal_hz
    zero, own = record.uncertainties.zero_pu, _own(wave)
    offset = None if zero is None or own is None else zero * rated
    seen = dc_injection(wave.samples, wave.rate_hz, nominal_hz, rated, u_offset=offset, u_sample=own or 0.0)
    return _named(max(seen, key=lambda q: q.value))


def distortion(case: Case, record: Record) -> Found:
    """Return the orders, the bands between them, and the total rated-current distortion (7.3)."""
    wave, grouping = _wave(case, record, "current"), case.rules.code.harmonics
    half_band_hz = grouping.half_band_hz if grouping else 0.0
    seen = current_distortion(
        wave.samples,
        wave.rate_hz,
        _hertz(case, wave),
        _rated_a(case),
        nominal_hz=case.rules.nominal_hz,
        half_band_hz=half_band_hz,
        u_sample=_own(wave) if record.uncertainties.gain is not None else None,
        u_gain=record.uncertainties.gain or 0.0,
    )
    return _by_name(seen.quantities())


def voltage_change(case: Case, record: Record) -> Found:
    """Return step and rate of the voltage's RMS, by the cycles of the measured frequency (7.2.2)."""
    wave = _wave(case, record, "voltage")
    hertz, own = _hertz(case, wave), _own(wave)
    rms = rms_per_cycle(wave.samples, wave.rate_hz, hertz)
    spread = None if own is None else own / math.sqrt(wave.rate_hz / hertz)
    return _by_name(rapid_voltage_change(rms.time_s, rms.rms, _rated_v(case), u_rms=spread))


def flicker(case: Case, record: Record) -> Found:
    """Return the greatest short-term, and where two hours were recorded the greatest long-term, severity of
    a phase (7.2.3); the lamp is that of the region, 120 V where the grid has 60 Hz.

    The long-term one is the cubic mean of twelve short-term ones in a row (IEC 61000-4-15:2010, 5.7.3). Where
    every interval is known to be like the recorded one, as in a simulation, that one stands for all twelve.
    """
    wave = _wave(case, record, "voltage")
    lamp: Literal["120 V", "230 V"] = "120 V" if case.rules.nominal_hz > 55 else "230 V"
    seen = flicker_severity(wave.samples, wave.rate_hz, case.rules.nominal_hz, lamp=lamp, u_sample=_own(wave))
    worst = max((q for phase in seen for q in phase), key=lambda q: q.value)
    count = len(seen[0])
    if count < _LONG and record.alike:
        return {"flicker_pst": worst, **_named(long_term_severity([worst] * _LONG))}
    if count < _LONG:
        reason = f"not measured: {count} of {_LONG} intervals of ten minutes were recorded"
        return {"flicker_pst": worst, "flicker_plt": reason}
    long = [long_term_severity(p[k : k + _LONG]) for p in seen for k in range(count - _LONG + 1)]
    return {"flicker_pst": worst, **_named(max(long, key=lambda q: q.value))}


def cumulative_overvoltage(case: Case, record: Record) -> Found:
    """Return the longest time above each level of the code within any minute (7.4.2)."""
    wave, volts = _wave(case, record, "voltage"), _rated_v(case)
    own, gain = _own(wave), record.uncertainties.gain
    out: dict[str, Quantity | str] = {}
    for rule in case.rules.code.criteria_of("overvoltage.cumulative").values():
        level = float(rule.quantity.removeprefix(ABOVE))
        known = own is not None and gain is not None
        spread = math.hypot(own or 0.0, (gain or 0.0) * level * volts * math.sqrt(2)) if known else None
        (seen,) = time_above(wave.samples, wave.rate_hz, volts, (level,), u_sample=spread)
        out[rule.quantity] = seen
    return out


def greatest_fundamental(case: Case, record: Record) -> Found:
    """Return the greatest fundamental over one period of the measured frequency (7.4.1)."""
    wave, gain = _wave(case, record, "voltage"), record.uncertainties.gain
    own = _own(wave) if gain is not None else None
    return _named(
        fundamental_overvoltage(
            wave.samples, wave.rate_hz, _hertz(case, wave), _rated_v(case), u_sample=own, u_gain=gain or 0.0
        )
    )


def _wave(case: Case, record: Record, channel: str) -> Waveform:
    """Return a channel of every phase; with a phase missing nothing can be said of the plant."""
    plate, wave = case.rules.base.nameplate, record.waveform
    names = tuple(n for n in wave.names if n.startswith(f"{channel}_")) if wave else ()
    if wave is None or not names:
        raise InputError(f"not measured: no waveform of {channel}", "one of each phase", "record it")
    if len(names) < plate.phases:
        found = f"not measured: {channel} waveforms of {len(names)} phases"
        raise InputError(found, f"{plate.phases} phases", "record all phases")
    return wave if names == wave.names else wave.select(*names)


def _hertz(case: Case, wave: Waveform) -> float:
    """Return the frequency of the first ten or twelve cycles, before anything happens to the grid."""
    nominal_hz = case.rules.nominal_hz
    cycles = 10 if nominal_hz < 55 else 12
    head = wave.samples[:, : round(cycles / nominal_hz * wave.rate_hz)]
    return fit_fundamental(head, wave.rate_hz, nominal_hz).frequency_hz


def _own(wave: Waveform) -> float | None:
    """Return the greatest uncertainty of one sample; ``None`` when a channel states none."""
    known = [u for u in wave.uncertainty if u is not None]
    return max(known) if len(known) == len(wave.uncertainty) else None


def _rated_v(case: Case) -> float:
    return rated_phase_v(case.rules.base.nameplate)


def _rated_a(case: Case) -> float:
    return rated_current_a(case.rules.base.nameplate)


def _named(quantity: Quantity) -> Found:
    return {quantity.name: quantity}


def _by_name(quantities: Iterable[Quantity]) -> Found:
    return {q.name: q for q in quantities}
