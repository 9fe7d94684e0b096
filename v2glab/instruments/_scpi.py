"""Instruments that speak SCPI: meters here, oscilloscopes and grid simulators in their own modules."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from v2glab.evidence import DeviceError, InputError, LimitError
from v2glab.instruments._instrument import BaseInstrument, Reading, Setting
from v2glab.instruments._profile import ScpiPoint, ScpiProfile
from v2glab.instruments._scpi_link import ScpiLink, parse_number


class ScpiInstrument(BaseInstrument):
    """An instrument with a command map; see :func:`v2glab.instruments.open_instrument`."""

    def __init__(self, name: str, profile: ScpiProfile, address: str, **common: Any) -> None:  # noqa: ANN401
        super().__init__(name, **common)
        self.profile = profile
        self.address = address
        self._link = ScpiLink(address, profile.scpi, self.timeout_s, self._tape if self._records else None)
        self._points = profile.points
        self._names = tuple(self._points)

    def identify(self) -> str:
        """Return the answer to the identity query.

        Raises
        ------
        DeviceError
            No answer, or another instrument than the profile describes.
        """
        answer = self._link.query(self.profile.scpi.identify)
        if self.profile.scpi.identity.lower() not in answer.lower():
            raise DeviceError(
                f"{self.address} says it is {answer[:80]!r}",
                f"an answer with {self.profile.scpi.identity!r}",
                "check the address, or name the profile that fits this instrument",
            )
        return answer

    def points(self) -> tuple[str, ...]:
        """Return the names of all points of the profile."""
        return self._names

    def close(self) -> None:
        """Let go of the connection; a later call opens it again."""
        self._link.close()

    def command(self, name: str, **values: float | str) -> None:
        """Send one command of the profile and check the error queue.

        Numbers are checked against ``[limits]`` of the profile by the name of the placeholder.

        Raises
        ------
        InputError
            The profile has no such command, or a placeholder has no value.
        LimitError
            A value is out of its bounds; nothing was sent.
        DeviceError
            The instrument does not answer, or has noted an error.
        """
        text = self._text(name, **values)
        self._link.send(text)
        self._link.check_errors(text)

    def query(self, name: str, **values: float | str) -> str:
        """Send one query of the profile and return its answer; errors as for :meth:`command`."""
        return self._link.query(self._text(name, **values))

    def _text(self, name: str, **values: float | str) -> str:
        template = self.profile.commands.get(name)
        if template is None:
            raise InputError(
                f"profile {self.profile.name} has no command {name!r}",
                f"one of: {', '.join(self.profile.commands)}",
                "add it under [commands]",
            )
        wanted = {field for _, field, _, _ in string.Formatter().parse(template) if field}
        if wanted != set(values):
            raise InputError(
                f"values for {', '.join(sorted(values)) or 'nothing'}",
                f"values for {', '.join(sorted(wanted)) or 'nothing'}",
                f"give what {template!r} asks for",
            )
        return template.format(**{key: self._checked(key, value) for key, value in values.items()})

    def _checked(self, key: str, value: float | str) -> str:
        if isinstance(value, str):
            if not value.isascii() or not value.isprintable() or ";" in value:
                raise InputError(
                    f"{key} = {value!r}", "one printable word", "leave out line ends and semicolons"
                )
            return value
        low, high = self.profile.limits.get(key, (float("-inf"), float("inf")))
        if not low <= value <= high:
            raise LimitError(f"{key} = {value:g}", f"{low:g} … {high:g}", "choose a value within the limits")
        return f"{value:.9g}"

    def _measure(self, points: tuple[str, ...]) -> Mapping[str, Reading]:
        chosen = [self._points[point] for point in points]
        answers = {
            query: self._link.query(query).split(",") for query in dict.fromkeys(p.query for p in chosen)
        }
        return {point.name: self._reading(point, answers[point.query]) for point in chosen}

    def _reading(self, point: ScpiPoint, answer: list[str]) -> Reading:
        if point.index >= len(answer):
            raise DeviceError(
                f"{self.address}: {point.query} gave {len(answer)} numbers",
                f"at least {point.index + 1}",
                "another program may have changed the item list: close the instrument and open it again",
            )
        value = parse_number(answer[point.index], address=self.address, query=point.query)
        return Reading(value * point.scale, point.unit, point.uncertainty, point.quantity)

    def _setting(self, point: str, value: float) -> Setting:
        known = self._points[point]
        known.check_limits(value)
        text = known.write.format(value=f"{value / known.scale:.9g}")

        def write() -> None:
            self._link.send(text)
            self._link.check_errors(text)

        # Instruments round what they are given; six digits is what all of them keep.
        return Setting(value, 1e-5 * abs(value), write, known.momentary)
