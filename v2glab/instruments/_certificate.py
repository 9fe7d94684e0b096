"""Calibration certificates: what uncertainty a reading has, and until when."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from v2glab.evidence import InputError
from v2glab.instruments._document import build_model, read_document
from v2glab.resources import find_data


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Accuracy(_Section):
    """Largest error of one quantity: percent of reading plus percent of range.

    With a ``coverage_factor`` k the figure is an expanded uncertainty and u = a/k; without one it bounds a
    rectangular distribution and u = a/√3 (JCGM 100:2008, 4.3.4 and 4.3.7).
    """

    quantity: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    unit: str = Field(min_length=1)
    percent_reading: float = Field(ge=0, allow_inf_nan=False)
    percent_range: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    range: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="upper end of the range, in unit"
    )
    coverage_factor: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    dof: float = Field(default=math.inf, gt=0)
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.percent_range and not self.range:
            raise ValueError("percent_range needs 'range'")
        if not (self.percent_reading or self.percent_range):
            raise ValueError("percent_reading and percent_range are both 0; no instrument is exact")
        return self

    def error_limit(self, value: float) -> float:
        """Return the largest error at a reading, in the unit of the quantity."""
        return (self.percent_reading * abs(value) + self.percent_range * self.range) / 100


class _Head(_Section):
    id: str = Field(min_length=1)
    laboratory: str = Field(min_length=1)
    instrument: str = Field(min_length=1)
    serial: str = Field(min_length=1)
    issued: date
    due: date
    coverage_factor: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    note: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.due <= self.issued:
            raise ValueError(f"due {self.due} is not after issued {self.issued}")
        return self


class Certificate(_Section):
    """One certificate of calibration; see ``drivers/certificates/example.toml``."""

    schema_version: Literal[1] = Field(alias="schema")
    certificate: _Head
    accuracy: tuple[Accuracy, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [entry.quantity for entry in self.accuracy]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two entries for {', '.join(twice)}")
        return self

    @property
    def id(self) -> str:
        """Identity of the certificate."""
        return self.certificate.id

    @property
    def due(self) -> date:
        """Last day on which it holds."""
        return self.certificate.due

    def find(self, point: str, unit: str = "") -> Accuracy | None:
        """Return the entry for a point: the longest ``quantity`` that is the name or begins it.

        ``voltage`` serves ``voltage_a``; an entry in another unit than ``unit`` (when given) does not count.
        """
        fits = [
            entry
            for entry in self.accuracy
            if (point == entry.quantity or point.startswith(entry.quantity + "_"))
            and unit in ("", entry.unit)
        ]
        return max(fits, key=lambda entry: len(entry.quantity), default=None)

    def uncertainty(self, point: str, value: float, *, unit: str = "") -> tuple[float, float]:
        """Return standard uncertainty, in the unit of the entry, and degrees of freedom.

        Raises
        ------
        InputError
            The certificate says nothing about that quantity.
        """
        entry = self._entry(point, unit)
        factor = entry.coverage_factor or self.certificate.coverage_factor or math.sqrt(3)
        return entry.error_limit(value) / factor, entry.dof

    def accuracy_percent(self, point: str, value: float | None = None) -> float:
        """Return the largest error in percent of ``value``, or of the full range when none is given.

        Raises
        ------
        InputError
            The certificate says nothing about that quantity, or ``value`` is 0.
        """
        entry = self._entry(point)
        if value is None:
            return entry.percent_reading + entry.percent_range
        if value == 0:
            raise InputError("a reading of 0", "a reading to relate the error to", "leave 'value' out")
        return 100 * entry.error_limit(value) / abs(value)

    def expired(self, at_ns: int) -> bool:
        """Whether the certificate does not hold at a time (integer nanoseconds UTC).

        It holds from the day of issue to the end of the day on which calibration is due.
        """
        first = datetime.combine(self.certificate.issued, time(), UTC)
        end = datetime.combine(self.certificate.due, time(), UTC) + timedelta(days=1)
        return not int(first.timestamp()) * 10**9 <= at_ns < int(end.timestamp()) * 10**9

    def _entry(self, point: str, unit: str = "") -> Accuracy:
        entry = self.find(point, unit)
        if entry is None:
            raise InputError(
                f"certificate {self.id} says nothing about {point!r} {unit}".rstrip(),
                f"one of: {', '.join(e.quantity for e in self.accuracy)}",
                "add an [[accuracy]] entry from the certificate of the laboratory",
            )
        return entry


def load_certificate(path: Path | str) -> Certificate:
    """Read a certificate; a bare file name is looked for in ``drivers/certificates/``.

    Raises
    ------
    InputError
        The file is missing or wrong; names file and line.
    """
    path = Path(path)
    if not path.exists() and path.name == str(path):
        path = find_data("drivers", "certificates", path.name)
    text, content = read_document(path)
    return build_model(Certificate, path, text, content)
