"""Waveforms of the model: its output over time, with the emissions that the device's design declares."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from v2glab.gridcodes.conformity._ratings import rated_current_a, rated_phase_v
from v2glab.gridcodes.conformity._record import Array, Record
from v2glab.signals import Waveform

if TYPE_CHECKING:
    from v2glab.gridcodes.conformity._model_design import DeviceDesign
    from v2glab.gridcodes.conformity._record import Uncertainties
    from v2glab.gridcodes.conformity._stimulus import Capture
    from v2glab.gridcodes.der import Nameplate

_UNITS = {"voltage": "V", "current": "A"}


def captured(record: Record, capture: Capture, plate: Nameplate, design: DeviceDesign) -> Waveform:
    """Return every phase's voltage or current, exactly, with the uncertainties of the record's instrument.

    The reference model knows powers, not waveforms: the fundamental follows its record, and everything else
    follows the design.

    Parameters
    ----------
    record
        Of the model over the same timeline, without noise.
    """
    names = [f"{capture.channel}_{p}" for p in "abc"[: plate.phases]]
    time = np.arange(round(float(record.time_s[-1]) * capture.rate_hz)) / capture.rate_hz
    voltage = capture.channel == "voltage"
    scale = rated_phase_v(plate) if voltage else rated_current_a(plate)
    samples = _voltages(record, capture, design, time) if voltage else _currents(record, design, time)
    samples = samples[: plate.phases]
    samples *= scale
    own = record.uncertainties.v_pu if voltage else record.uncertainties.i_pu
    spread = None if own is None else own * scale
    units = (_UNITS[capture.channel],) * len(names)
    return Waveform(tuple(names), units, samples, capture.rate_hz, 0, (spread,) * len(names))


def add_waveform_noise(wave: Waveform, u: Uncertainties, plate: Nameplate, seed: int) -> Waveform:
    """Return a waveform as an instrument of those uncertainties would have sampled it.

    Each channel has one error of gain, a current one of zero besides, and every sample noise of its own.
    """
    voltage = wave.names[0].startswith("voltage")
    zero = 0.0 if voltage else (u.zero_pu or 0.0) * rated_current_a(plate)
    draw = np.random.default_rng((seed, round(wave.rate_hz), int(voltage)))
    gains, zeros = draw.standard_normal((2, len(wave.names)))
    out = np.empty_like(wave.samples)
    for phase, own in enumerate(wave.uncertainty):  # row by row: a long recording needs no third array
        draw.standard_normal(out=out[phase])
        out[phase] *= own or 0.0
        out[phase] += wave.samples[phase] * (1 + (u.gain or 0.0) * gains[phase]) + zero * zeros[phase]
    return replace(wave, samples=out)


def _turns(record: Record, time: Array) -> Array:
    return np.asarray(math.tau * float(record.f_hz.mean()) * time)


def _phases(angle: Array, order: float = 1.0) -> Array:
    """Return cosines of the three phases for an order, amplitude √2, shape (3, N)."""
    cosine, sine = np.cos(order * angle), np.sin(order * angle)
    lags = [order * math.tau * k / 3 for k in range(3)]
    root = math.sqrt(2)
    return np.stack([root * math.cos(lag) * cosine + root * math.sin(lag) * sine for lag in lags])


def _currents(record: Record, design: DeviceDesign, time: Array) -> Array:
    """Return currents in shares of rated current."""
    angle = _turns(record, time)
    out = _phases(angle) * np.interp(time, record.time_s, record.p_pu) + design.dc_pu
    for order, share in (*design.harmonics.items(), *design.lines.items()):
        out += share * _phases(angle, order)
    return np.asarray(out)


def _voltages(record: Record, capture: Capture, design: DeviceDesign, time: Array) -> Array:
    """Return voltages in shares of nominal."""
    power = np.interp(time, record.time_s, record.p_pu)
    power *= 1 + design.fluctuation_pu * np.sin(math.tau * design.fluctuation_hz * time)
    if design.inrush_pu:
        begun = float(record.time_s[np.argmax(record.p_pu > 0.01)])
        power -= design.inrush_pu * ((time >= begun) & (time < begun + design.inrush_s))
    out = _phases(_turns(record, time))
    for phase, volts in enumerate(record.v_pu):
        out[phase] *= np.interp(time, record.time_s, volts) + design.rise_pu * power
    out *= _event(capture, design, time)
    return out


def _event(capture: Capture, design: DeviceDesign, time: Array) -> Array:
    """Return the factor on each phase's voltage, shape (3, N) or (1, 1)."""
    after = time - capture.event_s
    if capture.event == "load rejection":
        over = (design.rejection_peak_pu - 1) * np.exp(-np.maximum(after, 0.0) / design.rejection_decay_s)
        return np.broadcast_to(np.where(after >= 0, 1 + over, 1.0), (3, time.size))
    if capture.event == "ground fault":
        inside = (after >= 0) & (after < design.ground_fault_s)
        return np.stack([np.where(inside, v, 1.0) for v in (0.0, *2 * (design.ground_fault_pu,))])
    return np.ones((1, 1))
