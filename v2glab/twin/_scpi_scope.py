"""Oscilloscopes in the dialect of the Rigol DS1000Z.

One has the grid side on channels 1 to 3 and the inverter side of phase a on 4; the other one has clamps on 1
to 3 and the grid side of phase a on 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from v2glab.twin._plant import Plant
from v2glab.twin._scpi import ScpiDevice, number

DEPTH = 20_000
_VOLTAGES = {"a": 1000.0, "b": 1000.0, "c": 1000.0, "inverter_a": 1000.0}
_CLAMPS = {"current_a": 100.0, "current_b": 100.0, "current_c": 100.0, "a": 1000.0}
_STEPS = 256
_REFERENCE = 128


class Scope:
    """Record memory and settings; ``:STOP`` freezes what ``:WAVeform:DATA?`` then returns.

    ``spans`` holds the signals in the order of the channels, and what each shows from bottom to top.
    """

    def __init__(self, plant: Plant, spans: Mapping[str, float]) -> None:
        self._plant = plant
        self._names, self._spans = tuple(spans), tuple(spans.values())
        self._record: np.ndarray | None = None
        self._channel, self._first, self._last = 1, 1, DEPTH

    def stop(self) -> None:
        """Freeze the newest samples."""
        self._record = self._plant.waveform(self._names, DEPTH)

    def run(self) -> None:
        """Go on acquiring."""
        self._record = None

    def source(self, channel: str) -> None:
        """Choose the channel that is read."""
        self._channel = self._number(channel)

    def first(self, value: str) -> None:
        """Set the first sample that is read, counted from 1."""
        self._first = _within(int(value))

    def last(self, value: str) -> None:
        """Set the last sample that is read."""
        self._last = _within(int(value))

    def preamble(self) -> str:
        """Return what the bytes mean: volts = (raw − origin − reference) · increment."""
        step_s, step_v = self._plant.settings.step_s, self._spans[self._channel - 1] / _STEPS
        fields = (0, 2, DEPTH, 1, number(step_s), 0, 0, number(step_v), 0, _REFERENCE)
        return ",".join(map(str, fields))

    def data(self) -> bytes:
        """Return the chosen samples as a definite-length block (IEEE 488.2, 8.7.9)."""
        record = self._record if self._record is not None else self._plant.waveform(self._names, DEPTH)
        volts = record[self._channel - 1, self._first - 1 : self._last]
        counts = np.round(volts * _STEPS / self._spans[self._channel - 1]) + _REFERENCE
        raw = np.clip(counts, 0, _STEPS - 1).astype(np.uint8)
        size = str(raw.size)
        return f"#{len(size)}{size}".encode() + raw.tobytes()

    def measure(self, item: str, channel: str) -> str:
        """Return one measurement over the newest 0.2 s."""
        if item.upper() != "VRMS":
            raise ValueError(item)
        samples = self._plant.waveform(
            (self._names[self._number(channel) - 1],), round(0.2 / self._plant.settings.step_s)
        )
        return number(math.sqrt(float(np.mean(samples**2))))

    def _number(self, text: str) -> int:
        channel = int(text.upper().removeprefix("CHANNEL").removeprefix("CHAN"))
        if not 1 <= channel <= len(self._names):
            raise ValueError(text)
        return channel


def oscilloscope(plant: Plant) -> ScpiDevice:
    """Return the oscilloscope with voltages on all channels; one sample a step of the plant."""
    return _device(plant, Scope(plant, _VOLTAGES), "TWIN0003")


def clamps(plant: Plant) -> ScpiDevice:
    """Return the oscilloscope with current clamps."""
    return _device(plant, Scope(plant, _CLAMPS), "TWIN0005")


def _device(plant: Plant, scope: Scope, serial: str) -> ScpiDevice:
    device = ScpiDevice(f"RIGOL TECHNOLOGIES,DS1104Z,{serial},00.04.05")
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


def _within(place: int) -> int:
    if not 1 <= place <= DEPTH:
        raise ValueError(place)
    return place
