"""Oscilloscope in the dialect of the Rigol DS1000Z: grid side on 1 to 3, inverter side of phase a on 4."""

from __future__ import annotations

import math

import numpy as np

from v2glab.twin._plant import Plant
from v2glab.twin._scpi import ScpiDevice, number

DEPTH = 20_000
_NAMES = ("a", "b", "c", "inverter_a")
_SPAN_V = 1000.0
_STEPS = 256
_REFERENCE = 128


class Scope:
    """Record memory and settings; ``:STOP`` freezes what ``:WAVeform:DATA?`` then returns."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._record: np.ndarray | None = None
        self._channel, self._first, self._last = 1, 1, DEPTH

    def stop(self) -> None:
        """Freeze the newest samples."""
        self._record = self._plant.waveform(_NAMES, DEPTH)

    def run(self) -> None:
        """Go on acquiring."""
        self._record = None

    def source(self, channel: str) -> None:
        """Choose the channel that is read."""
        self._channel = _channel(channel)

    def first(self, value: str) -> None:
        """Set the first sample that is read, counted from 1."""
        self._first = _within(int(value))

    def last(self, value: str) -> None:
        """Set the last sample that is read."""
        self._last = _within(int(value))

    def preamble(self) -> str:
        """Return what the bytes mean: volts = (raw − origin − reference) · increment."""
        step_s, step_v = self._plant.settings.step_s, _SPAN_V / _STEPS
        fields = (0, 2, DEPTH, 1, number(step_s), 0, 0, number(step_v), 0, _REFERENCE)
        return ",".join(map(str, fields))

    def data(self) -> bytes:
        """Return the chosen samples as a definite-length block (IEEE 488.2, 8.7.9)."""
        record = self._record if self._record is not None else self._plant.waveform(_NAMES, DEPTH)
        volts = record[self._channel - 1, self._first - 1 : self._last]
        raw = np.clip(np.round(volts * _STEPS / _SPAN_V) + _REFERENCE, 0, _STEPS - 1).astype(np.uint8)
        size = str(raw.size)
        return f"#{len(size)}{size}".encode() + raw.tobytes()

    def measure(self, item: str, channel: str) -> str:
        """Return one measurement over the newest 0.2 s."""
        if item.upper() != "VRMS":
            raise ValueError(item)
        samples = self._plant.waveform(
            (_NAMES[_channel(channel) - 1],), round(0.2 / self._plant.settings.step_s)
        )
        return number(math.sqrt(float(np.mean(samples**2))))


def oscilloscope(plant: Plant) -> ScpiDevice:
    """Return the oscilloscope; one sample a step of the plant."""
    scope = Scope(plant)
    device = ScpiDevice("RIGOL TECHNOLOGIES,DS1104Z,TWIN0003,00.04.05")
    device.add(":STOP", scope.stop)
    device.add(":RUN", scope.run)
    device.add(":SINGle", scope.stop)
    device.add(":WAVeform:SOURce", scope.source)
    device.add(":WAVeform:STARt", scope.first)
    device.add(":WAVeform:STOP", scope.last)
    device.add(":WAVeform:PREamble?", scope.preamble)
    device.add(":WAVeform:DATA?", scope.data)
    device.add(":MEASure:ITEM?", scope.measure)
    device.add(":ACQuire:SRATe?", lambda: number(1 / plant.settings.step_s))
    device.add(":TRIGger:STATus?", lambda: "STOP")
    device.accept(":WAVeform:MODE", ":WAVeform:FORMat", ":ACQuire:MDEPth", ":TIMebase:MAIN:SCALe")
    device.accept(":CHANnel<n>:SCALe", ":CHANnel<n>:PROBe", ":CHANnel<n>:UNITs")
    return device


def _channel(text: str) -> int:
    channel = int(text.upper().removeprefix("CHANNEL").removeprefix("CHAN"))
    if not 1 <= channel <= len(_NAMES):
        raise ValueError(text)
    return channel


def _within(place: int) -> int:
    if not 1 <= place <= DEPTH:
        raise ValueError(place)
    return place
