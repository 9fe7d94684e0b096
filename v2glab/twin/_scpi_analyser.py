"""Power analyser in the dialect of the Yokogawa WT300 family."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from v2glab.twin._plant import Plant
from v2glab.twin._scpi import ScpiDevice, number

UPDATE_S = 0.1
_CHANNELS = ("a", "b", "c", "current_a", "current_b", "current_c")


def analyser(plant: Plant) -> ScpiDevice:
    """Return the analyser: three elements on the grid side, power positive for export."""
    device = ScpiDevice("YOKOGAWA,WT333,TWIN0001,F1.04", ":STATus:ERRor?")
    items: dict[int, tuple[str, str]] = {}
    device.accept(
        ":COMMunicate:HEADer", ":NUMeric:FORMat", ":NUMeric:NORMal:NUMber", ":HOLD", ":RATE", ":INPut:SYNC"
    )
    device.accept(":INPut:FILTer:LINE", ":INPut:VOLTage:RANGe", ":INPut:CURRent:RANGe", ":STATus:FILT<n>")
    device.accept(":COMMunicate:WAIT")
    device.add(":STATus:EESR?", lambda: "1")

    def choose(place: str, function: str, element: str) -> None:
        if element.upper() not in ("1", "2", "3", "SIGMA"):
            raise ValueError(element)
        items[int(place)] = (function.upper(), element.upper())

    def values() -> str:
        numbers = _measure(plant)
        return ",".join(number(numbers(*items[k])) for k in sorted(items))

    device.add(":NUMeric:NORMal:ITEM<n>", choose)
    device.add(":NUMeric:NORMal:VALue?", values)
    return device


def _lag_signs(volts: np.ndarray, amps: np.ndarray, cycles: float) -> np.ndarray:
    """Return +1 where the current lags the voltage and −1 where it leads, of the fundamental; shape (3,).

    Current counts towards the grid, so that a lagging one injects reactive power.
    """
    tone = np.exp(-2j * np.pi * cycles * np.arange(volts.shape[1]))
    return np.where(((volts @ tone) * np.conj(amps @ tone)).imag < 0.0, -1.0, 1.0)


def _measure(plant: Plant) -> Callable[[str, str], float]:
    """Compute all functions over the newest update window; return a look-up by function and element."""
    count = round(UPDATE_S / plant.settings.step_s)
    samples = plant.waveform(_CHANNELS, count)
    volts, amps = samples[:3], samples[3:]
    state = plant.state
    flowing, hertz = state.contactor_closed, state.grid_frequency_hz
    u = np.sqrt(np.mean(volts**2, axis=1))
    i = np.sqrt(np.mean(amps**2, axis=1)) if flowing else np.zeros(3)
    p = np.mean(volts * amps, axis=1) if flowing else np.zeros(3)
    s = u * i
    q = np.sqrt(np.maximum(s**2 - p**2, 0.0)) * _lag_signs(volts, amps, hertz * plant.settings.step_s)

    def look_up(function: str, element: str) -> float:
        pick: Callable[[np.ndarray], float] = (
            (lambda a: float(a.sum())) if element == "SIGMA" else (lambda a: float(a[int(element) - 1]))
        )
        if function in ("FU", "FI"):
            return hertz
        if function == "LAMBDA":
            return pick(p) / pick(s) if pick(s) > 0 else 1.0
        table = {"U": u, "I": i, "P": p, "Q": q, "S": s}
        return pick(table[function]) if function in table else math.nan

    return look_up
