"""What the model needs and no grid code has: design of the device, and what stands for an unknown figure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from v2glab.evidence import Confidence, InputError, read_toml
from v2glab.gridcodes._values import Frozen
from v2glab.resources import data_root


class Assumed(Frozen):
    """A figure of the modelled device, taken where the grid code names none."""

    value: Any
    source: str
    confidence: Confidence
    note: str = ""


class Absent(Frozen):
    """What stands, without effect, where neither code nor design knows a figure.

    ``switch`` is the setting that must stay off meanwhile; with ``alone`` false only while all such
    settings of the switch are unknown. ``per_hz`` values are shares of the nominal frequency.
    """

    value: Any = None
    per_hz: bool = False
    switch: str = ""
    alone: bool = True


class ModelData(Frozen):
    """Content of ``datasets/der/model.toml``; settings are named by dotted path."""

    schema_: int
    sources: dict[str, str]
    nameplate: dict[str, Any]
    nominal_v: dict[str, float]
    design: dict[str, Assumed]
    absent: dict[str, Absent]

    def off(self, unknown: Iterable[str]) -> dict[str, list[str]]:
        """Return the switches that must stay off, each with the unknown settings that it waits for."""
        names, answer = set(unknown), {}
        for switch in {a.switch for a in self.absent.values() if a.switch}:
            mine = {path: a for path, a in self.absent.items() if a.switch == switch}
            missing = [path for path in mine if path in names]
            if any(mine[path].alone for path in missing) or len(missing) == len(mine):
                answer[switch] = missing
        return answer


@lru_cache(maxsize=1)
def model_data() -> ModelData:
    """Return the data of the model; read once.

    Raises
    ------
    InputError
        The file does not fit.
    """
    path = data_root("datasets") / "der" / "model.toml"
    document = read_toml(path)
    try:
        found = ModelData.model_validate({"schema_": document.pop("schema", 0), **document})
    except ValidationError as error:
        raise InputError(f"{path.name}: {error.errors()[0]['msg']}", "schema 1", "mend that entry") from error
    wrong = {a.source for a in found.design.values()} - set(found.sources)
    if found.schema_ != 1 or wrong:
        raise InputError(
            f"{path.name}: schema {found.schema_}, unknown sources {wrong}", "schema 1", "mend it"
        )
    return found
