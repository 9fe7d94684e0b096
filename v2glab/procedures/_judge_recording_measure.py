"""What can be measured in a recording: RMS, frequency, unbalance, harmonics, power."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError, UsageError
from v2glab.instruments.recording import Recording
from v2glab.signals import (
    FundamentalFit,
    HarmonicSpectrum,
    Waveform,
    fit_fundamental,
    harmonics,
    rms_per_cycle,
    symmetrical_components,
)

Array = NDArray[np.float64]
DEAD_PU = 0.05
WRONG_UNIT_PU = 3.0
#: A window whose residual exceeds this share of the amplitude holds a jump; its frequency says nothing.
CLEAN_SHARE = 0.1
WINDOW_CYCLES = 10.0
SHORTEST_CYCLES = 2.0


@dataclass(frozen=True, eq=False)
class Measured:
    """Series and numbers of one recording; ``rms_pu`` (P, K) at ``time_s`` (K,), ``current_a`` (P, K) or
    empty.

    ``fits`` are (time in s, fit of all voltages) for windows without a jump. ``gap_s`` is the step that
    counts as a gap.
    """

    recording: Recording
    nominal_v: float
    nominal_hz: float
    time_s: Array
    rms_pu: Array
    current_a: Array
    gap_s: float | None
    fits: tuple[tuple[float, FundamentalFit], ...] = ()
    frequency_hz: Array = field(default_factory=lambda: np.empty(0))
    voltage_spectrum: HarmonicSpectrum | None = None
    current_spectrum: HarmonicSpectrum | None = None
    power_w: float | None = None
    part: Waveform | None = None
    jumps: int = 0

    @property
    def dead(self) -> bool:
        """Whether the voltage channels carry next to nothing."""
        return bool(self.rms_pu.max() < DEAD_PU)

    @property
    def u_voltage_pu(self) -> float | None:
        """Greatest standard uncertainty of a voltage that the sidecar states; ``None`` when one lacks it."""
        stated = [c.uncertainty for c in self.recording.of("voltage")[0]]
        return None if any(u is None for u in stated) else max(u or 0.0 for u in stated) / self.nominal_v

    @property
    def u_frequency_hz(self) -> float | None:
        """Standard uncertainty of frequency: that of its channel, or of the fits and the clock."""
        channels = self.recording.of("frequency")[0]
        if channels:
            return channels[0].uncertainty
        clock = self.recording.clock_uncertainty
        if clock is None or not self.fits:
            return None
        return max(math.hypot(f.u_frequency_hz, clock * f.frequency_hz) for _, f in self.fits)

    @property
    def unbalance(self) -> float | None:
        """Greatest negative over positive sequence of the clean windows, three phases only."""
        if self.rms_pu.shape[0] != 3 or not self.fits:
            return None
        return max(symmetrical_components(fit.phasors).unbalance for _, fit in self.fits)


def measure(recording: Recording, nominal_v: float | None, nominal_hz: float | None) -> Measured:
    """Measure everything that the channels allow.

    Raises
    ------
    UsageError
        No nominal voltage or frequency was given anywhere.
    InputError
        There is no voltage channel, its magnitude is out of all proportion, or the recording is too short.
    """
    volts = nominal_v or recording.nominal_voltage_v
    hertz = nominal_hz or recording.nominal_frequency_hz
    if not volts or not hertz:
        lacking = "nominal_voltage_v" if not volts else "nominal_frequency_hz"
        raise UsageError(f"no {lacking}", "it in the sidecar or as a parameter", f"give {lacking}")
    if not recording.of("voltage")[0]:
        raise InputError("no voltage channel", "at least one", "name it in the sidecar")
    measured = (_of_rms if recording.kind == "rms" else _of_waveform)(recording, volts, hertz)
    highest = float(measured.rms_pu.max())
    if highest > WRONG_UNIT_PU:
        raise InputError(
            f"voltages up to {highest:.3g} times nominal ({volts:g} V)",
            f"less than {WRONG_UNIT_PU:g} times",
            "check unit and scale in the sidecar, and the nominal voltage",
        )
    return measured


def _of_rms(recording: Recording, volts: float, hertz: float) -> Measured:
    frequency = recording.of("frequency")[1]
    return Measured(
        recording,
        volts,
        hertz,
        recording.time_s,
        recording.of("voltage")[1] / volts,
        recording.of("current")[1],
        recording.gap_s,
        frequency_hz=frequency[0] if len(frequency) else np.empty(0),
    )


def _of_waveform(recording: Recording, volts: float, hertz: float) -> Measured:
    parts = [w for w in recording.waveforms() if w.duration_s > 1.05 / hertz]
    if not parts:
        raise InputError("no part longer than one cycle", f"more than {1 / hertz:.4f} s", "record longer")
    names = [c.name for c in recording.of("voltage")[0]]
    flows = [c.name for c in recording.of("current")[0]]
    alive = max(float(np.sqrt((p.select(*names).samples ** 2).mean(axis=1)).max()) for p in parts)
    fits, jumps = _fits(recording, parts, names, hertz) if alive >= DEAD_PU * volts else ([], 0)
    found = float(np.median([f.frequency_hz for _, f in fits])) if fits else hertz
    times, rms, current = [], [], []
    for part in parts:
        series = rms_per_cycle(part.select(*names).samples, part.rate_hz, found)
        times.append(series.time_s + _offset_s(recording, part))
        rms.append(series.rms / volts)
        if flows:
            current.append(rms_per_cycle(part.select(*flows).samples, part.rate_hz, found).rms)
    time = np.concatenate(times)
    longest = max(parts, key=lambda p: p.duration_s)
    return Measured(
        recording,
        volts,
        hertz,
        time,
        np.concatenate(rms, axis=1),
        np.concatenate(current, axis=1) if flows else np.empty((0, time.size)),
        recording.gap_s or 1.6 / hertz,
        tuple(fits),
        _spread(time, fits),
        _spectrum(longest, names, found) if fits else None,
        _spectrum(longest, flows, found) if fits and flows else None,
        _power_w(longest, names, flows, found) if fits and flows else None,
        longest,
        jumps,
    )


def _offset_s(recording: Recording, part: Waveform) -> float:
    return (part.start_ns - recording.start_ns) * 1e-9


def _fits(
    recording: Recording, parts: list[Waveform], names: list[str], hertz: float
) -> tuple[list[tuple[float, FundamentalFit]], int]:
    out, jumps = [], 0
    for part in parts:
        samples = part.select(*names).samples
        length = min(samples.shape[1], round(WINDOW_CYCLES * part.rate_hz / hertz))
        if length < SHORTEST_CYCLES * part.rate_hz / hertz:
            continue
        for first in range(0, samples.shape[1] - length + 1, length):
            fit = _clean_fit(samples[:, first : first + length], part.rate_hz, hertz)
            if fit is None:
                jumps += 1
                continue
            centre = (first + (length - 1) / 2) / part.rate_hz
            out.append((_offset_s(recording, part) + centre, fit))
    return out, jumps


def _clean_fit(samples: Array, rate_hz: float, hertz: float) -> FundamentalFit | None:
    try:
        fit = fit_fundamental(samples, rate_hz, hertz)
    except InputError:
        return None
    return fit if (fit.residual_rms < CLEAN_SHARE * fit.amplitude).all() else None


def _spread(time: Array, fits: list[tuple[float, FundamentalFit]]) -> Array:
    """Frequency at the times of the RMS values, between clean windows by straight lines."""
    if not fits:
        return np.empty(0)
    return np.asarray(np.interp(time, [t for t, _ in fits], [f.frequency_hz for _, f in fits]))


def _spectrum(part: Waveform, names: list[str], hertz: float) -> HarmonicSpectrum | None:
    samples = part.select(*names).samples
    cycles = round(hertz / 5)  # 200 ms, IEC 61000-4-7
    for method in ("resample", "least_squares"):
        try:
            return harmonics(samples, part.rate_hz, hertz, cycles=cycles, method=method)
        except InputError:
            continue
    return None


def _power_w(part: Waveform, names: list[str], flows: list[str], hertz: float) -> float | None:
    """Mean of the sum of v·i over whole cycles; needs a current for every voltage."""
    pairs = [(v, v.replace("voltage", "current")) for v in names]
    if any(i not in flows for _, i in pairs):
        return None
    product = sum(part.channel(v) * part.channel(i) for v, i in pairs)
    count = math.floor(part.duration_s * hertz) / hertz * part.rate_hz
    whole = np.asarray(product)[: max(1, round(count))]
    return float(whole.mean())
