"""Open an instrument from its profile and address."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from v2glab.evidence import InputError, NullRecorder, Recorder
from v2glab.instruments._certificate import Certificate
from v2glab.instruments._grid import GridStep, ScpiGridSimulator
from v2glab.instruments._hwmon import HwmonInstrument
from v2glab.instruments._instrument import Instrument
from v2glab.instruments._modbus import ModbusInstrument
from v2glab.instruments._profile import HwmonProfile, ModbusProfile, SunSpecProfile, load_profile
from v2glab.instruments._scope import ScpiOscilloscope
from v2glab.instruments._scpi import ScpiInstrument
from v2glab.instruments._sunspec import SunSpecInstrument
from v2glab.signals import Waveform


class Oscilloscope(Instrument, Protocol):
    """An instrument that captures waveforms."""

    def capture(self, duration_s: float, channels: Sequence[str] = ("a", "b", "c", "inverter_a")) -> Waveform:
        """Return the newest samples of some channels."""


class GridSimulator(Instrument, Protocol):
    """An instrument that is the grid."""

    @property
    def sets_phases(self) -> bool:
        """Whether each phase can have a voltage and an angle of its own."""

    def play(self, steps: Sequence[GridStep]) -> None:
        """Start a list of steps."""

    def stop(self) -> None:
        """Stop it."""


_SCPI = {"meter": ScpiInstrument, "oscilloscope": ScpiOscilloscope, "grid_simulator": ScpiGridSimulator}


def open_instrument(
    name: str,
    profile: str | Path,
    address: str,
    *,
    certificate: Certificate | None = None,
    clock_ns: Callable[[], int] = time.time_ns,
    recorder: Recorder | None = None,
    timeout_s: float = 1.0,
) -> Instrument:
    """Return an instrument; nothing is connected before its first use.

    Parameters
    ----------
    name
        What the station calls it; stands in each quantity.
    profile
        Name of a profile in ``drivers/``, or path of one.
    address
        ``tcp://host:port?unit=1`` or ``rtu:///dev/ttyUSB0?baud=9600&unit=1&parity=N`` (Modbus, SunSpec),
        a VISA resource (SCPI), or ``file:///folder`` (hwmon).
    certificate
        Gives each reading its uncertainty.
    clock_ns
        Time for quantities and frames, integer nanoseconds UTC.
    recorder
        Receives quantities and raw frames.
    timeout_s
        For connecting, and for one exchange.

    Raises
    ------
    InputError
        Profile or address is wrong.
    """
    if not 0 < timeout_s < 3600:
        raise InputError(f"time-out {timeout_s} s", "0 … 3600 s", "choose a time-out of about one second")
    loaded = load_profile(profile)
    common = {
        "certificate": certificate,
        "clock_ns": clock_ns,
        "recorder": recorder or NullRecorder(),
        "timeout_s": timeout_s,
    }
    if isinstance(loaded, ModbusProfile):
        return ModbusInstrument(name, loaded, address, **common)
    if isinstance(loaded, SunSpecProfile):
        return SunSpecInstrument(name, loaded, address, **common)
    if isinstance(loaded, HwmonProfile):
        return HwmonInstrument(name, loaded, address, **common)
    return _SCPI[loaded.scpi.role](name, loaded, address, **common)
