"""What every instrument does: turn readings into quantities, and reach set-points by ``ensure``."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from v2glab.evidence import DeviceError, Direction, InputError, NullRecorder, Quantity, Recorder
from v2glab.instruments._certificate import Certificate
from v2glab.instruments._profile import Profile

#: Time between two looks whether a set-point was reached.
_POLL_S = 0.01


class Instrument(Protocol):
    """An open instrument; all calls raise :class:`DeviceError` when it does not answer as it must."""

    name: str
    certificate: Certificate | None

    @property
    def profile(self) -> Profile:
        """How it is spoken to."""

    def identify(self) -> str:
        """Ask the instrument who it is."""

    def points(self) -> tuple[str, ...]:
        """Return the names that :meth:`read` knows."""

    def read(self, *points: str) -> dict[str, Quantity]:
        """Read points (all of them when none is named)."""

    def ensure(self, point: str, value: float, *, tolerance: float = 0.0, timeout_s: float = 2.0) -> Quantity:
        """Bring a point to a value and return what was read back."""

    def close(self) -> None:
        """Let go of the instrument; a later call opens it again."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of an open instrument, ready to be written.

    ``target`` is what the device can hold of the value asked for (a register has a resolution); ``write``
    sends it. ``momentary`` is written each time and not compared.
    """

    target: float
    resolution: float
    write: Callable[[], None]
    momentary: bool = False


class Reading(NamedTuple):
    """One number as the device gave it, with what the profile knows about it."""

    value: float
    unit: str
    uncertainty: float | None = None
    quantity: str = ""


class BaseInstrument(ABC):
    """Common part of all instruments."""

    def __init__(
        self,
        name: str,
        *,
        certificate: Certificate | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        recorder: Recorder | None = None,
        timeout_s: float = 1.0,
    ) -> None:
        self.name = name
        self.certificate = certificate
        self.clock_ns = clock_ns
        self.recorder: Recorder = recorder or NullRecorder()
        self.timeout_s = timeout_s
        self._records = not isinstance(self.recorder, NullRecorder)

    @abstractmethod
    def identify(self) -> str:
        """Ask the instrument who it is."""

    @abstractmethod
    def points(self) -> tuple[str, ...]:
        """Return the names that :meth:`read` knows."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the instrument; a later call opens it again."""

    @abstractmethod
    def _measure(self, points: tuple[str, ...]) -> Mapping[str, Reading]:
        """Read points that exist."""

    @abstractmethod
    def _setting(self, point: str, value: float) -> Setting:
        """Prepare a write of a point that exists; raises LimitError when it is not allowed."""

    def read(self, *points: str) -> dict[str, Quantity]:
        """Read points (all of them when none is named), with uncertainty and certificate.

        Raises
        ------
        InputError
            A point is not in the profile.
        DeviceError
            The instrument does not answer, or not with a number.
        """
        wanted = tuple(dict.fromkeys(points)) if points else self.points()
        known = self.points()
        for point in wanted:
            self._require_point(point, known)
        readings = self._measure(wanted)
        time_ns = self.clock_ns()
        quantities = {point: self._quantity(point, readings[point], time_ns) for point in wanted}
        if self._records:
            for quantity in quantities.values():
                self.recorder.quantity(quantity)
        return quantities

    def ensure(self, point: str, value: float, *, tolerance: float = 0.0, timeout_s: float = 2.0) -> Quantity:
        """Bring a point to a value: read, compare, write, read back.

        Parameters
        ----------
        point, value
            What to set, in the unit of the profile.
        tolerance
            Difference, in that unit, that counts as reached; the resolution of the point is always allowed.
        timeout_s
            Time after the write in which the value has to be reached.

        Returns
        -------
        Quantity
            What was read back.

        Raises
        ------
        LimitError
            The value is out of bounds or the point is read-only; nothing was sent.
        DeviceError
            The device did not answer, or did not reach the value.
        """
        self._require_point(point, self.points())
        setting = self._setting(point, value)
        if setting.momentary:
            setting.write()
            return self.read(point)[point]
        margin = abs(tolerance) + 0.5 * setting.resolution
        seen = self.read(point)[point]
        if abs(seen.value - setting.target) <= margin:
            return seen
        setting.write()
        deadline_s = time.monotonic() + timeout_s
        while True:
            seen = self.read(point)[point]
            if abs(seen.value - setting.target) <= margin:
                return seen
            if time.monotonic() >= deadline_s:
                break
            time.sleep(_POLL_S)
        raise DeviceError(
            f"{self.name}: {point} = {seen.value:g} {seen.unit} {timeout_s:g} s after writing {value:g}",
            f"{value:g} {seen.unit} within {margin:g}",
            "check whether the device is in remote control, locked, or in a fault that forbids it",
        )

    def _require_point(self, point: str, known: tuple[str, ...]) -> None:
        if point not in known:
            raise InputError(
                f"{self.name} has no point {point!r}", f"one of: {', '.join(known)}", "choose one of those"
            )

    def _quantity(self, point: str, reading: Reading, time_ns: int) -> Quantity:
        uncertainty, dof, reason, certificate = self._uncertainty(point, reading)
        return Quantity(
            point,
            reading.value,
            reading.unit,
            uncertainty,
            no_uncertainty=reason,
            dof=dof,
            time_ns=time_ns,
            instrument=self.name,
            certificate=certificate,
        )

    def _uncertainty(self, point: str, reading: Reading) -> tuple[float | None, float, str, str]:
        """Prefer the certificate, then the profile; else say why there is none."""
        certificate = self.certificate
        if certificate is not None:
            key = reading.quantity if reading.quantity else point
            if certificate.find(key, reading.unit) is not None:
                u, dof = certificate.uncertainty(key, reading.value, unit=reading.unit)
                return u, dof, "", certificate.id
        if reading.uncertainty is not None:
            return reading.uncertainty, float("inf"), "", ""
        if certificate is None:
            return None, float("inf"), "no certificate of calibration", ""
        return None, float("inf"), f"certificate {certificate.id} has no entry for it", certificate.id

    def _tape(self, direction: Direction, data: bytes) -> None:
        """Hand a raw frame to the recorder."""
        self.recorder.frame(time_ns=self.clock_ns(), instrument=self.name, direction=direction, data=data)
