"""Sensors behind the kernel's hwmon interface, or a folder that looks like it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from v2glab.evidence import DeviceError, InputError, LimitError
from v2glab.instruments._instrument import BaseInstrument, Reading, Setting
from v2glab.instruments._profile import HwmonProfile

#: The kernel writes one integer and a newline; anything longer is no sensor file.
_MAX_BYTES = 64


class HwmonInstrument(BaseInstrument):
    """One hwmon folder; sensors whose file is not there are not among its points."""

    def __init__(self, name: str, profile: HwmonProfile, address: str, **common: Any) -> None:  # noqa: ANN401
        super().__init__(name, **common)
        self.profile = profile
        self._root = _folder(address)

    def identify(self) -> str:
        """Return the chip's own name.

        Raises
        ------
        DeviceError
            The folder is not there, or belongs to another chip than the profile wants.
        """
        chip = self._text("name")
        wanted = self.profile.hwmon.chip
        if wanted and chip != wanted:
            raise DeviceError(
                f"{self._root}: chip {chip!r}",
                f"chip {wanted!r}",
                "look for the right folder in /sys/class/hwmon",
            )
        return chip

    def points(self) -> tuple[str, ...]:
        """Return the names of the sensors that are there."""
        return tuple(s.name for s in self.profile.sensor if (self._root / s.file).is_file())

    def close(self) -> None:
        """Nothing is held open."""

    def _measure(self, points: tuple[str, ...]) -> Mapping[str, Reading]:
        return {point: self._reading(point) for point in points}

    def _setting(self, point: str, value: float) -> Setting:
        raise LimitError(
            f"{point} = {value:g}", "a point that can be written", "hwmon sensors are read-only here"
        )

    def _reading(self, point: str) -> Reading:
        sensor = self.profile.sensors[point]
        text = self._text(sensor.file)
        try:
            if not (text.isascii() and "_" not in text):
                raise ValueError(text)
            raw = int(text)
        except ValueError:
            raise DeviceError(
                f"{self._root / sensor.file} holds {text[:20]!r}",
                "an integer",
                "check the sensor and its driver",
            ) from None
        return Reading(raw * sensor.scale, sensor.unit, sensor.uncertainty, sensor.quantity)

    def _text(self, file: str) -> str:
        path = self._root / file
        try:
            with path.open("rb") as stream:
                data = stream.read(_MAX_BYTES + 1)
        except OSError as error:
            raise DeviceError(
                f"{path} cannot be read ({error.strerror or error})",
                "a folder of the kernel's hwmon interface",
                "list /sys/class/hwmon/*/name and correct the address",
            ) from error
        if len(data) > _MAX_BYTES:
            raise DeviceError(
                f"{path} is longer than {_MAX_BYTES} bytes", "an integer or a short name", "check it"
            )
        return data.decode("ascii", errors="replace").strip()


def _folder(address: str) -> Path:
    parts = urlsplit(address)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise InputError(f"address {address!r}", "file:///sys/class/hwmon/hwmon0", "correct the station file")
    return Path(unquote(parts.path))
