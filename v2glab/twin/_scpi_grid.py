"""Grid simulator in the dialect of the Ametek RS and MX: lists of voltage, frequency, phase angle and dwell.

It senses its voltage at the charger's terminals while a list runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from v2glab.twin._plant import Plant
from v2glab.twin._scpi import ScpiDevice, number
from v2glab.twin._settings import GridEvent, Three

_ALL = (0, 1, 2)
#: Angles of the symmetrical system, degrees: a, b, c.
_SYMMETRICAL = (0.0, 240.0, 120.0)
_SHORTEST_S = 1e-9


@dataclass(frozen=True)
class _Point:
    """One step of the list as it is to be played."""

    dwell_s: float
    volts: Three
    hertz: float
    turns_rad: Three
    volts_slew: Three
    hertz_slew: float


class GridSource:
    """The list as it was loaded; ``:INIT`` turns it into events of the plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._selected: tuple[int, ...] = _ALL
        self._coupled = True
        self._dwell: list[float] = []
        self._hertz: list[float] = []
        self._hertz_slew: list[float] = []
        self._volts: list[list[float]] = [[], [], []]
        self._volts_slew: list[list[float]] = [[], [], []]
        self._phase: list[list[float]] = [[], [], []]
        self._fixed = True

    def couple(self, what: str) -> None:
        """Let commands go to all phases, or to the selected one."""
        if what.upper() not in ("ALL", "NONE"):
            raise ValueError(what)
        self._coupled = what.upper() == "ALL"

    def select(self, phase: str) -> None:
        """Select the phase that commands go to while phases are not coupled."""
        if phase not in ("1", "2", "3"):
            raise ValueError(phase)
        self._selected = (int(phase) - 1,)

    def dwell(self, *values: str) -> None:
        """Set the seconds of each step."""
        self._dwell = _numbers(values, 2e-4, 9e5)

    def volts(self, *values: str) -> None:
        """Set the RMS volts of each step; phases that had angles of their own keep them."""
        self._put(self._volts, _numbers(values, 0.0, 400.0))

    def volts_slew(self, *values: str) -> None:
        """Set volts per second."""
        self._put(self._volts_slew, _slews(values))

    def phase(self, *values: str) -> None:
        """Set the angle of each step in degrees."""
        self._put(self._phase, _numbers(values, 0.0, 360.0))

    def phase_mode(self, mode: str) -> None:
        """Let angles follow the list, or stand where the symmetrical system has them."""
        self._fixed = mode.upper().startswith("FIX")

    def hertz(self, *values: str) -> None:
        """Set the frequency of each step."""
        self._hertz = _numbers(values, 16.0, 500.0)

    def hertz_slew(self, *values: str) -> None:
        """Set hertz per second."""
        self._hertz_slew = _slews(values)

    def initiate(self) -> None:
        """Start the list now."""
        count = len(self._dwell)
        if not count or any(len(volts) != count for volts in self._volts):
            raise ValueError("list lengths differ")
        start, events = self._plant.time_ns, []
        before = self._present()
        for place in range(count):
            point = self._point(place)
            for event in _play(start, before, point, self._plant.settings.nominal_voltage_v):
                events.append(event)
                start = event.end_ns
            before = _reached(before, point)
        self._plant.schedule(*events)

    def present_volts(self) -> str:
        """Return the RMS volts of phase a."""
        return number(self._plant.state.voltage_v[0])

    def present_hertz(self) -> str:
        """Return the frequency."""
        return number(self._plant.state.grid_frequency_hz)

    def _put(self, columns: list[list[float]], values: list[float]) -> None:
        for phase in _ALL if self._coupled else self._selected:
            columns[phase] = list(values)

    def _present(self) -> _Point:
        s = self._plant.settings
        volts = (s.grid_voltage_pu * s.nominal_voltage_v,) * 3
        return _Point(0.0, volts, s.grid_frequency_hz, (0.0,) * 3, (math.inf,) * 3, math.inf)

    def _point(self, place: int) -> _Point:
        a, b, c = (volts[place] for volts in self._volts)
        sa, sb, sc = (_at(slews, place, math.inf) for slews in self._volts_slew)
        hertz = _at(self._hertz, place, self._plant.settings.grid_frequency_hz)
        ta, tb, tc = (
            0.0 if self._fixed else _turn(_at(angles, place, own) - own)
            for angles, own in zip(self._phase, _SYMMETRICAL, strict=True)
        )
        slew = _at(self._hertz_slew, place, math.inf)
        return _Point(self._dwell[place], (a, b, c), hertz, (ta, tb, tc), (sa, sb, sc), slew)


def grid_source(plant: Plant) -> ScpiDevice:
    """Return the grid simulator that feeds the plant."""
    source = GridSource(plant)
    device = ScpiDevice("CALIFORNIA INSTRUMENTS,MX30,TWIN0004,1.0")
    device.add(":INSTrument:COUPle", source.couple)
    device.add(":INSTrument:NSELect", source.select)
    device.add(":LIST:DWELl", source.dwell)
    device.add(":LIST:VOLTage", source.volts)
    device.add(":LIST:VOLTage:SLEW", source.volts_slew)
    device.add(":LIST:FREQuency", source.hertz)
    device.add(":LIST:FREQuency:SLEW", source.hertz_slew)
    device.add(":LIST:PHASe", source.phase)
    device.add(":PHASe:MODE", source.phase_mode)
    device.add(":INITiate", source.initiate)
    device.add(":ABORt", plant.clear_events)
    device.add(":VOLTage:AC?", source.present_volts)
    device.add(":FREQuency?", source.present_hertz)
    device.accept(":LIST:COUNt", ":VOLTage:SLEW:MODE", ":FREQuency:SLEW:MODE")
    device.accept(
        ":LIST:FUNCtion", ":LIST:REPeat", ":VOLTage:MODE", ":FREQuency:MODE", ":TRIGger:TRANsient:SOURce"
    )
    device.accept(":TRIGger:SYNChronize:SOURce", ":REGenerate:STATe", ":VOLTage:AC", ":FREQuency")
    return device


def _play(start_ns: int, before: _Point, point: _Point, nominal_v: float) -> Iterator[GridEvent]:
    """Yield the stretches of one step: while something still slews, and after that."""
    ends = sorted({t for t in _slewing(before, point) if t < point.dwell_s - _SHORTEST_S} | {point.dwell_s})
    begin_s = 0.0
    for end_s in ends:
        v0, v1 = (_volts(before, point, t, nominal_v) for t in (begin_s, end_s))
        f0, f1 = (_moved(before.hertz, point.hertz, point.hertz_slew, t) for t in (begin_s, end_s))
        yield GridEvent(
            start_ns + round(begin_s * 1e9),
            end_s - begin_s,
            v0,
            f0,
            turn_rad=point.turns_rad,
            voltage_to_pu=v1 if v1 != v0 else None,
            frequency_to_hz=f1 if f1 != f0 else None,
            senses=True,
        )
        begin_s = end_s


def _reached(before: _Point, point: _Point) -> _Point:
    """Return a step with the values that it has reached when its time is over."""
    pairs = zip(before.volts, point.volts, point.volts_slew, strict=True)
    a, b, c = (_moved(old, new, slew, point.dwell_s) for old, new, slew in pairs)
    hertz = _moved(before.hertz, point.hertz, point.hertz_slew, point.dwell_s)
    return replace(point, volts=(a, b, c), hertz=hertz)


def _slewing(before: _Point, point: _Point) -> Iterator[float]:
    """Yield how long each quantity takes from one point to the next, where it takes time at all."""
    pairs = zip(before.volts, point.volts, point.volts_slew, strict=True)
    for old, new, slew in (*pairs, (before.hertz, point.hertz, point.hertz_slew)):
        if math.isfinite(slew) and new != old:
            yield abs(new - old) / slew


def _volts(before: _Point, point: _Point, at_s: float, nominal_v: float) -> Three:
    pairs = zip(before.volts, point.volts, point.volts_slew, strict=True)
    a, b, c = (_moved(old, new, slew, at_s) / nominal_v for old, new, slew in pairs)
    return a, b, c


def _moved(old: float, new: float, slew: float, at_s: float) -> float:
    """Return where a quantity is that runs from old to new."""
    if not math.isfinite(slew) or abs(new - old) <= slew * at_s * (1 + 1e-9):
        return new
    return old + math.copysign(slew * at_s, new - old)


def _at(values: Sequence[float], place: int, otherwise: float) -> float:
    return values[place] if place < len(values) else otherwise


def _turn(angle_deg: float) -> float:
    """Return an angle in radians within a half turn either way."""
    return math.radians((angle_deg + 180.0) % 360.0 - 180.0)


def _slews(values: tuple[str, ...]) -> list[float]:
    return _numbers(tuple("inf" if v.upper().startswith("MAX") else v for v in values), 1e-6, math.inf)


def _numbers(values: tuple[str, ...], low: float, high: float) -> list[float]:
    numbers = [float(v) for v in values]
    if not numbers or any(not low <= n <= high for n in numbers):
        raise ValueError(values)
    return numbers
