"""Oscilloscopes: read a stopped record of several channels as one waveform."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import DeviceError, InputError, LimitError
from v2glab.instruments._scpi import ScpiInstrument
from v2glab.instruments._scpi_link import parse_number
from v2glab.signals import Waveform

_FIELDS = 10
_BYTE_FORMAT = 0


@dataclass(frozen=True, slots=True)
class Preamble:
    """What the raw bytes of a channel mean (Rigol DS1000Z programming guide, ``:WAVeform:PREamble?``).

    volts = (raw - yorigin - yreference) · yincrement.
    """

    points: int
    x_increment_s: float
    y_increment: float
    y_origin: float
    y_reference: float

    @classmethod
    def parse(cls, answer: str, *, address: str) -> Preamble:
        """Read ``format,type,points,count,xinc,xorig,xref,yinc,yorig,yref``.

        Raises
        ------
        DeviceError
            It has other fields, is not in BYTE format, or describes no samples.
        """
        fields = answer.split(",")
        if len(fields) != _FIELDS:
            raise _no_record(address, f"a preamble {answer[:60]!r}", f"{_FIELDS} numbers")
        numbers = [parse_number(text, address=address, query="the preamble") for text in fields]
        if numbers[0] != _BYTE_FORMAT:
            raise _no_record(address, f"waveform format {numbers[0]:g}", "format 0 (BYTE)")
        found = cls(int(numbers[2]), numbers[4], numbers[7], numbers[8], numbers[9])
        if found.points < 1 or found.x_increment_s <= 0 or found.y_increment == 0:
            raise _no_record(address, f"a preamble {answer[:60]!r}", "samples, and steps above 0")
        return found

    def volts(self, raw: bytes) -> NDArray[np.float64]:
        """Return the samples of raw bytes, shape (len(raw),)."""
        counts = np.frombuffer(raw, dtype=np.uint8).astype(np.float64)
        return (counts - self.y_origin - self.y_reference) * self.y_increment


class ScpiOscilloscope(ScpiInstrument):
    """An oscilloscope in the manner of the Rigol DS1000Z."""

    def capture(self, duration_s: float, channels: Sequence[str] = ("a", "b", "c", "inverter_a")) -> Waveform:
        """Stop the acquisition, read the newest ``duration_s`` of the record, and run on.

        Parameters
        ----------
        duration_s
            Length, > 0; at most what the memory holds.
        channels
            Names from ``[channels]`` of the profile.

        Returns
        -------
        Waveform
            Shape (channels, N) in V, or A where a probe measures current; the last sample is stamped with the
            time of the stop. The uncertainty is that of the certificate at the largest sample, combined with
            the quantisation step over √12.

        Raises
        ------
        InputError
            A channel is not in the profile, or none is asked for.
        LimitError
            The duration is not positive, or longer than the record.
        DeviceError
            The instrument does not answer as it must.
        """
        sources = self._sources(channels)
        if not (math.isfinite(duration_s) and duration_s > 0):
            raise LimitError(f"duration {duration_s} s", "a duration above 0 s", "choose another")
        self.command("stop")
        end_ns = self.clock_ns()
        try:
            parts = [self._channel(source, duration_s) for source in sources]
        finally:
            self.command("run")
        steps = {preamble.x_increment_s for preamble, _ in parts}
        if len(steps) != 1:
            raise _no_record(
                self.address, f"sample intervals {sorted(steps)} s", "one interval for all channels"
            )
        step_s = steps.pop()
        samples = np.vstack([volts for _, volts in parts])
        start_ns = end_ns - round((samples.shape[1] - 1) * step_s * 1e9)
        return Waveform(
            tuple(channels),
            tuple(self._unit(name) for name in channels),
            samples,
            1 / step_s,
            start_ns,
            tuple(self._sample_uncertainty(name, *part) for name, part in zip(channels, parts, strict=True)),
        )

    def _sources(self, channels: Sequence[str]) -> list[str]:
        known = self.profile.channels
        if not channels or not set(channels) <= set(known):
            raise InputError(
                f"channels {', '.join(channels) or '(none)'}", f"some of: {', '.join(known)}", "name those"
            )
        return [known[name] for name in channels]

    def _channel(self, source: str, duration_s: float) -> tuple[Preamble, NDArray[np.float64]]:
        self._link.send(self._text("source", channel=source))
        self._link.send(self._text("mode"))
        self._link.send(self._text("format"))
        preamble = Preamble.parse(self.query("preamble"), address=self.address)
        count = round(duration_s / preamble.x_increment_s)
        if not 1 <= count <= preamble.points:
            held_s = preamble.points * preamble.x_increment_s
            raise LimitError(
                f"{duration_s:g} s is {count} samples",
                f"1 … {preamble.points} samples ({held_s:g} s)",
                "choose another duration, or set depth and time base of the oscilloscope",
            )
        raw = b"".join(
            self._piece(first, min(first + self.profile.scpi.max_block - 1, preamble.points))
            for first in range(preamble.points - count + 1, preamble.points + 1, self.profile.scpi.max_block)
        )
        return preamble, preamble.volts(raw)

    def _piece(self, first: int, last: int) -> bytes:
        """Read samples first to last, counted from 1, both included."""
        self._link.send(self._text("start", first=first))
        self._link.send(self._text("end", last=last))
        raw = self._link.block(self._text("data"))
        if len(raw) != last - first + 1:
            raise _no_record(self.address, f"{len(raw)} samples", f"{last - first + 1} samples")
        return raw

    def _unit(self, name: str) -> str:
        return self.profile.channel_units.get(name, "V")

    def _sample_uncertainty(self, name: str, preamble: Preamble, volts: NDArray[np.float64]) -> float | None:
        unit = self._unit(name)
        point = name if unit == "A" else f"voltage_{name}"
        if self.certificate is None or self.certificate.find(point, unit) is None:
            return None
        u, _ = self.certificate.uncertainty(point, float(np.abs(volts).max()), unit=unit)
        return math.hypot(u, abs(preamble.y_increment) / math.sqrt(12))


def _no_record(address: str, found: str, required: str) -> DeviceError:
    return DeviceError(f"{address}: {found}", required, "check memory depth, channels and waveform settings")
