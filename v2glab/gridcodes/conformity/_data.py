"""Facts of the type tests, read from ``datasets/conformity``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from v2glab.evidence import Confidence, InputError, read_toml
from v2glab.gridcodes._values import Frozen
from v2glab.resources import find_data

Condition = tuple[str, float, float]


class Fact(Frozen):
    """What every entry carries: clause, where it was read, and whether that was confirmed."""

    clause: str
    source: str
    confidence: Confidence
    note: str = ""


class Tolerance(Fact):
    """``factor`` times the minimum required accuracy on both sides (IEEE 1547.1-2020, 4.2).

    ``response_share`` is the share of the change that is reached at the open-loop response time.
    """

    factor: float = Field(gt=0)
    response_share: float = Field(gt=0, lt=1)


class Ceased(Fact):
    """Output below ``threshold_pu`` of the rating counts as ceased."""

    threshold_pu: float = Field(gt=0)


class Mandatory(Fact):
    """Share of the current before the disturbance that mandatory operation keeps."""

    current_share: float = Field(gt=0)


class Signal(Fact):
    """One voltage ride-through signal: name, shortest duration (s) and voltage (p.u.) of each condition."""

    name: str
    category: str
    power_pu: tuple[float, ...]
    conditions: tuple[Condition, ...]


class Consecutive(Fact):
    """Disturbances in a row that must be ridden through, by category."""

    sets: dict[str, int]


class AngleStep(Fact):
    """One phase-angle change: step of each phase in degrees, for how long."""

    name: str
    steps_deg: tuple[float, float, float]
    duration_s: float = Field(gt=0)

    @property
    def positive_sequence(self) -> bool:
        """Whether all phases step alike."""
        return len(set(self.steps_deg)) == 1


class GridPoint(Frozen):
    """Voltage and frequency of the grid."""

    voltage_pu: float
    frequency_hz: float


class EnterServiceCase(Fact):
    """One case of Table 11: settings, and the grid before and after."""

    name: str
    delay_s: float = Field(ge=0)
    ramp_s: float = Field(gt=0)
    voltage_pu: tuple[float, float]
    frequency_hz: tuple[float, float]
    from_: GridPoint = Field(alias="from")
    to: GridPoint


class Curve(Fact):
    """One characteristic: ``y`` in p.u., or as a share of the rated reactive power."""

    name: str
    function: Literal["volt_var", "volt_watt", "watt_var"]
    category: str = ""
    x: tuple[float, ...]
    y_pu: tuple[float, ...] = ()
    y_share: tuple[float, ...] = ()
    y_share_absorbing: tuple[float, ...] = ()
    response_s: float = Field(gt=0)
    reference_pu: float = 1.0


class IslandingCase(Frozen):
    """One row of the islanding matrix; functions name the settings they run with."""

    name: str
    power_pu: float
    reactive_pu: float = 0.0
    quality_factor: float = Field(default=1.0, gt=0)
    droop: str = ""
    volt_var: str = ""
    volt_watt: str = ""
    watt_var: str = ""


class Islanding(Fact):
    """The islanding matrix and the settings under which it runs."""

    balance_pu: float
    steps_percent: tuple[float, float, float]
    repeats: int
    ceased_pu: float
    case: tuple[IslandingCase, ...]
    trips: dict[str, dict[str, tuple[float, float]]]
    droop: dict[str, dict[str, float]]
    volt_var: dict[str, dict[str, Any]]
    volt_watt: dict[str, dict[str, Any]]
    watt_var: dict[str, dict[str, Any]]


class Interoperability(Fact):
    """Settings are changed to a share of their value; monitoring is read at operating points."""

    settings_share: float
    operating_points_pu: tuple[float, ...]


class LaboratoryTest(Fact):
    """A test that no bench can run."""

    name: str
    title: str


class ProcedureData(Frozen):
    """All facts of one test standard."""

    id: str
    standard: str
    edition: str
    codes: tuple[str, ...]
    sources: dict[str, str]
    tolerance: Tolerance
    ceased: Ceased
    mandatory: Mandatory
    signal: tuple[Signal, ...] = ()
    consecutive: Consecutive
    angle: tuple[AngleStep, ...] = ()
    enter_service: tuple[EnterServiceCase, ...] = ()
    curve: tuple[Curve, ...] = ()
    islanding: Islanding
    interoperability: Interoperability
    laboratory: tuple[LaboratoryTest, ...] = ()

    def signals(self, category: str, prefix: str) -> tuple[Signal, ...]:
        """Return the signals of a category whose name starts so."""
        return tuple(s for s in self.signal if s.category == category and s.name.startswith(prefix))

    def curves(self, function: str, normal_category: str) -> tuple[Curve, ...]:
        """Return the characteristics of a function that hold for a normal category."""
        return tuple(c for c in self.curve if c.function == function and c.category in ("", normal_category))


@lru_cache(maxsize=4)
def load_procedure_data(name: str = "ieee1547.1-2020") -> ProcedureData:
    """Return the facts of a test standard that travels with the package; each file is read once.

    Raises
    ------
    InputError
        There is none of that name, or its file is wrong.
    """
    path = find_data("datasets", "conformity", f"{name}.toml")
    return parse_procedure_data(read_toml(path), path)


def parse_procedure_data(document: Mapping[str, Any], path: Path) -> ProcedureData:
    """Build the facts from the content of a file.

    Raises
    ------
    InputError
        An entry is unknown, missing or wrong, or names a source that is not listed.
    """
    if document.get("schema") != 1:
        raise InputError(f"{path.name}: schema {document.get('schema')!r}", "schema = 1", "mend the file")
    body = {k: v for k, v in document.items() if k not in ("schema", "procedure")}
    try:
        data = ProcedureData(**document["procedure"], **body)
    except (ValidationError, KeyError, TypeError) as error:
        raise InputError(f"{path.name}: {error}", "facts of a test standard", "mend that entry") from error
    for fact in _facts(data):
        if fact.source not in data.sources:
            known = ", ".join(data.sources)
            raise InputError(f"{path.name}: source {fact.source!r}", f"among: {known}", "name a source")
    return data


def _facts(data: ProcedureData) -> list[Fact]:
    single = [value for _, value in data if isinstance(value, Fact)]
    many = [item for _, value in data if isinstance(value, tuple) for item in value if isinstance(item, Fact)]
    return single + many
