"""Grid simulator in the dialect of the Ametek RS and MX: lists of voltage, frequency and dwell."""

from __future__ import annotations

from v2glab.twin._plant import Plant
from v2glab.twin._scpi import ScpiDevice, number
from v2glab.twin._settings import GridEvent


class GridSource:
    """The list as it was loaded; ``:INIT`` turns it into events of the plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._dwell: list[float] = []
        self._volts: list[float] = []
        self._hertz: list[float] = []

    def dwell(self, *values: str) -> None:
        """Set the seconds of each step."""
        self._dwell = _numbers(values, 2e-4, 9e5)

    def volts(self, *values: str) -> None:
        """Set the RMS volts of each step, all phases."""
        self._volts = _numbers(values, 0.0, 400.0)

    def hertz(self, *values: str) -> None:
        """Set the frequency of each step."""
        self._hertz = _numbers(values, 16.0, 500.0)

    def initiate(self) -> None:
        """Start the list now."""
        if not self._dwell or len(self._volts) != len(self._dwell):
            raise ValueError("list lengths differ")
        start, events = self._plant.time_ns, []
        for place, dwell_s in enumerate(self._dwell):
            share = self._volts[place] / self._plant.settings.nominal_voltage_v
            hertz = self._hertz[place] if place < len(self._hertz) else None
            events.append(GridEvent(start, dwell_s, (share, share, share), hertz))
            start = events[-1].end_ns
        self._plant.schedule(*events)

    def present_volts(self) -> str:
        """Return the RMS volts of phase a."""
        return number(self._plant.state.voltage_v[0])

    def present_hertz(self) -> str:
        """Return the frequency."""
        return number(self._plant.state.grid_frequency_hz)


def grid_source(plant: Plant) -> ScpiDevice:
    """Return the grid simulator that feeds the plant."""
    source = GridSource(plant)
    device = ScpiDevice("CALIFORNIA INSTRUMENTS,MX30,TWIN0004,1.0")
    device.add(":LIST:DWELl", source.dwell)
    device.add(":LIST:VOLTage", source.volts)
    device.add(":LIST:FREQuency", source.hertz)
    device.add(":INITiate", source.initiate)
    device.add(":ABORt", plant.clear_events)
    device.add(":VOLTage:AC?", source.present_volts)
    device.add(":FREQuency?", source.present_hertz)
    device.accept(":INSTrument:COUPle", ":LIST:COUNt", ":LIST:VOLTage:SLEW", ":LIST:FREQuency:SLEW")
    device.accept(
        ":LIST:FUNCtion", ":LIST:REPeat", ":VOLTage:MODE", ":FREQuency:MODE", ":TRIGger:TRANsient:SOURce"
    )
    device.accept(":TRIGger:SYNChronize:SOURce", ":REGenerate:STATe", ":VOLTage:AC", ":FREQuency")
    return device


def _numbers(values: tuple[str, ...], low: float, high: float) -> list[float]:
    numbers = [float(v) for v in values]
    if not numbers or any(not low <= n <= high for n in numbers):
        raise ValueError(values)
    return numbers
