"""What the oscilloscopes of a station add to a record: voltage, frequency and current, cycle by cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError, LimitError

if TYPE_CHECKING:
    from v2glab.gridcodes.conformity import Capture
    from v2glab.instruments import Oscilloscope
    from v2glab.signals import Waveform
    from v2glab.station import Station

Array = NDArray[np.float64]
VOLTAGES, CURRENTS = ("a", "b", "c"), ("current_a", "current_b", "current_c")
#: A frequency is the turn of the phase over so many cycles; half a turn is a quarter of nominal away.
_CYCLES = 2
#: So much is kept before a sample, so that its windows are whole.
MARGIN_S = 0.06
#: Longest piece that is fetched at once.
PIECE_S = 1.2
#: Below this share of nominal there is no phase to follow.
_DEAD = 0.05


@dataclass(frozen=True)
class Fine:
    """Cycle by cycle: RMS voltages in V, shape (3, K); frequency; RMS current in A (``NaN``: no clamps)."""

    volts: Array
    hertz: Array
    amps: Array


@dataclass
class Scopes:
    """The oscilloscopes of a station: one with the voltages, one with clamps where there is one."""

    station: Station
    u_volts: float | None = 0.0
    u_amps: float | None = 0.0
    _pieces: list[Waveform] = field(default_factory=list)

    @property
    def has_currents(self) -> bool:
        """Whether currents are sampled."""
        return self.station.has("clamps")

    def fetch(self, end_s: float, length_s: float, at_s: Array) -> Fine:
        """Return what the newest record shows at some times.

        Parameters
        ----------
        end_s, length_s
            When the record ends, which is now, and how much of it is looked at.
        at_s
            Shape (K,), within the record. A window is centred at its time where the record allows.
        """
        site = self.station.site
        wave = self._scope("scope").capture(length_s, VOLTAGES)
        self.u_volts = _greater(self.u_volts, wave)
        start_s = end_s - wave.samples.shape[1] / wave.rate_hz
        places = np.clip(np.round((at_s - start_s) * wave.rate_hz).astype(int), 0, wave.samples.shape[1])
        window = round(wave.rate_hz / site.nominal_frequency_hz)
        volts = np.array([_rms(row, places, window) for row in wave.samples])
        hertz = _frequencies(wave, places, window, site.nominal_frequency_hz, site.nominal_voltage_v)
        amps = np.full(at_s.size, math.nan)
        if self.has_currents:
            clamped = self._scope("clamps").capture(length_s, CURRENTS)
            self.u_amps = _greater(self.u_amps, clamped)
            amps = np.mean([_rms(row, places, window) for row in clamped.samples], axis=0)
        return Fine(volts, hertz, amps)

    def check(self, capture: Capture) -> None:
        """Raise ``LimitError`` where a test asks for a recording that this station cannot make."""
        if capture.event:
            raise LimitError(
                f"a {capture.event}",
                "a switch or a load bank that the station commands",
                "make it by hand, or import evidence",
            )
        name = "clamps" if capture.channel == "current" else "scope"
        if not self.station.has(name):
            raise LimitError(
                f"a station without an oscilloscope {name!r}", f"one that samples {capture.channel}", "add it"
            )

    def keep(self, capture: Capture, length_s: float) -> None:
        """Keep the newest record as the next piece of a recording."""
        name = "clamps" if capture.channel == "current" else "scope"
        channels = CURRENTS if capture.channel == "current" else VOLTAGES
        self._pieces.append(_reduced(self._scope(name).capture(length_s, channels), capture.rate_hz))

    def recording(self, capture: Capture) -> Waveform | None:
        """Return the pieces as one recording, and forget them."""
        pieces, self._pieces = self._pieces, []
        if not pieces:
            return None
        from v2glab.signals import Waveform

        first = pieces[0]
        names = tuple(f"{capture.channel}_{phase}" for phase in "abc")
        samples = np.concatenate([p.samples for p in pieces], axis=1)
        spread = tuple(_worst([p.uncertainty[k] for p in pieces]) for k in range(len(names)))
        return Waveform(names, first.units, samples, first.rate_hz, first.start_ns, spread)

    def _scope(self, name: str) -> Oscilloscope:
        return cast("Oscilloscope", self.station.instrument(name))


def _rms(row: Array, places: Array, window: int) -> Array:
    sums = np.concatenate(([0.0], np.cumsum(row**2)))
    first = np.clip(places - window // 2, 0, row.size - window)
    return np.asarray(np.sqrt((sums[first + window] - sums[first]) / window))


def _frequencies(wave: Waveform, places: Array, window: int, nominal_hz: float, nominal_v: float) -> Array:
    """Return the frequency from how far the positive sequence turns over a few cycles.

    The space vector, turned back by nominal frequency and averaged over a cycle, loses harmonics and negative
    sequence. Where there is no voltage the frequency is nominal, for want of any.
    """
    time = np.arange(wave.samples.shape[1]) / wave.rate_hz
    third = np.exp(2j * np.pi / 3)
    vector = 2 / 3 * (wave.samples[0] + wave.samples[1] * third + wave.samples[2] * third**2)
    vector = vector * np.exp(-2j * np.pi * nominal_hz * time)
    sums = np.concatenate(([0.0], np.cumsum(vector)))
    means = (sums[window:] - sums[:-window]) / window
    reach = _CYCLES * window
    if means.size <= reach:
        raise InputError(f"{time.size} samples", f"more than {reach + window}", "fetch a longer record")
    first = np.clip(places - window // 2 - reach // 2, 0, means.size - 1 - reach)
    before, after = means[first], means[first + reach]
    alive = np.minimum(abs(before), abs(after)) > _DEAD * math.sqrt(2) * nominal_v
    turned = np.angle(after * np.conj(before))
    return np.asarray(nominal_hz + np.where(alive, turned, 0.0) / (2 * np.pi) * wave.rate_hz / reach)


def _reduced(wave: Waveform, rate_hz: float) -> Waveform:
    """Return a recording at a lower rate, each sample the mean of those that it stands for."""
    from v2glab.signals import Waveform

    ratio = wave.rate_hz / rate_hz
    if ratio < 1 - 1e-9:
        raise LimitError(
            f"{wave.rate_hz:g} samples a second", f"{rate_hz:g}", "set the oscilloscope's time base and depth"
        )
    whole = max(1, round(ratio))
    count = wave.samples.shape[1] // whole * whole
    samples = wave.samples[:, :count].reshape(wave.samples.shape[0], -1, whole).mean(axis=2)
    return Waveform(wave.names, wave.units, samples, wave.rate_hz / whole, wave.start_ns, wave.uncertainty)


def _greater(known: float | None, wave: Waveform) -> float | None:
    return _worst([known, *wave.uncertainty])


def _worst(values: list[float | None]) -> float | None:
    found = [v for v in values if v is not None]
    return max(found) if len(found) == len(values) else None
