"""The catalogue of barriers, read from data."""

from __future__ import annotations

import datetime as dt
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from v2glab.barriers._terms import Transformation
from v2glab.evidence import InputError, read_toml
from v2glab.resources import find_data

Layer = Literal["interoperability", "cybersecurity", "grid code", "market and tariff", "metering", "process"]
Quality = Literal["read", "memory, verify", "no figure found"]
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Jurisdiction(BaseModel):
    """Where a barrier holds, and from when until when as far as known."""

    model_config = _STRICT

    name: str = Field(min_length=1)
    in_force: dt.date | None = None
    repealed: dt.date | None = None
    note: str = ""


class Measured(BaseModel):
    """How a run of the lab bears on a barrier.

    A verdict bears when its criterion fits the pattern and its outcome is the one asked for. Without a
    criterion, a quantity of a procedure bears by itself, whatever was judged.

    Attributes
    ----------
    criterion
        An identity; ending in ``.``, all that begin so; ``*`` stands for any part.
    procedure
        The number is that of ``quantity`` in this procedure's result, instead of the verdict's own.
    quantity
        The quantity; without ``procedure``, only verdicts on it count.
    take
        What the parameter becomes: the measured value times ``factor``, or ``constant``; ``flag`` leaves it.
    most
        A larger value counts as this one: a share beyond 1 means that nothing is lost.
    """

    model_config = _STRICT

    criterion: str = ""
    procedure: str = ""
    quantity: str = ""
    when: Literal["fail", "pass", "any"] = "fail"
    take: Literal["flag", "value", "constant"] = "flag"
    unit: str = ""
    factor: float = 1.0
    constant: float = 0.0
    most: float | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Measured:
        if not self.criterion and not (self.procedure and self.quantity):
            raise ValueError("needs 'criterion', or 'procedure' and 'quantity'")
        return self

    def fits(self, identity: str) -> bool:
        """Return whether a criterion of that identity is meant."""
        pattern = f"{self.criterion}*" if self.criterion.endswith(".") else self.criterion
        return bool(pattern) and fnmatchcase(identity, pattern)


class Barrier(BaseModel):
    """One rule or condition that stops or degrades bidirectional charging."""

    model_config = _STRICT

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    layer: Layer
    mechanism: str
    parameter: str
    jurisdictions: tuple[Jurisdiction, ...] = Field(min_length=1)
    sources: tuple[str, ...] = ()
    evidence: str = ""
    evidence_quality: Quality
    measured_with: str
    computed_by: str
    units: str
    remedy: str = Field(min_length=1, description="what would have to change, and by whom")
    touches_mobility: bool = False
    transformation: Transformation | None = None
    not_modelled: str = ""
    measured: tuple[Measured, ...] = ()

    @model_validator(mode="after")
    def _modelled_or_said(self) -> Barrier:
        if (self.transformation is None) != bool(self.not_modelled):
            raise ValueError("needs either 'transformation', or 'not_modelled' with the reason")
        moves = self.transformation is not None and self.transformation.kind == "plug_in_share"
        if moves and not self.touches_mobility:
            raise ValueError("changes the mobility baseline and must say so: touches_mobility = true")
        return self

    @property
    def sourced(self) -> bool:
        """Whether a published source was read that says what the barrier does; publishing needs one."""
        return bool(set(self.sources) - {"founding"}) and self.evidence_quality == "read"


class Catalogue(BaseModel):
    """All barriers by identity, and the sources they cite."""

    model_config = _STRICT

    barriers: dict[str, Barrier]
    sources: dict[str, str]

    def barrier(self, identity: str) -> Barrier:
        """Return one barrier.

        Raises
        ------
        InputError
            There is none of that name.
        """
        if identity not in self.barriers:
            raise InputError(
                f"barrier {identity!r}", f"one of: {', '.join(self.barriers)}", "choose one of those"
            )
        return self.barriers[identity]

    def select(self, rules: str) -> dict[str, Transformation]:
        """Return the transformations that ``"double_levy,export_limit=5"`` names, with values replaced.

        Raises
        ------
        InputError
            A name is unknown, named twice or not modelled yet, or a value is no number.
        """
        chosen: dict[str, Transformation] = {}
        for part in filter(None, (p.strip() for p in rules.split(","))):
            identity, _, text = (p.strip() for p in part.partition("="))
            barrier = self.barrier(identity)
            if barrier.transformation is None:
                modelled = ", ".join(k for k, b in self.barriers.items() if b.transformation)
                raise InputError(
                    f"rule {identity!r}, not modelled yet: {barrier.not_modelled}",
                    f"one of: {modelled}",
                    "leave it out",
                )
            if identity in chosen:
                raise InputError(f"rule {identity!r} twice", "each rule once", "name it once")
            chosen[identity] = barrier.transformation if not text else _replaced(barrier.transformation, text)
        if not chosen:
            raise InputError("no rule", "at least one", "name rules, separated by commas")
        return chosen


def _replaced(transformation: Transformation, text: str) -> Transformation:
    if not re.fullmatch(r"[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?", text):
        raise InputError(f"value {text!r}", f"a number >= 0 in {transformation.unit}", "mend the value")
    return transformation.model_copy(
        update={"value": float(text), "uncertainty": 0.0, "value_source": "given by the user"}
    )


def parse_catalogue(documents: dict[str, dict[str, Any]]) -> Catalogue:
    """Build the catalogue from parsed TOML documents, by file name.

    Raises
    ------
    InputError
        An entry is wrong, stands twice, or cites a source that is not listed.
    """
    sources: dict[str, str] = {}
    barriers: dict[str, Barrier] = {}
    for document in documents.values():
        table = document.get("sources", {})
        if isinstance(table, dict):
            sources.update({str(k): str(v) for k, v in table.items()})
    for file, document in documents.items():
        entries = document.get("barrier", [])
        for position, entry in enumerate(entries if isinstance(entries, list) else [entries], start=1):
            where = f"{file}, barrier {position}"
            try:
                barrier = Barrier.model_validate(entry)
            except ValidationError as error:
                raise InputError(
                    f"{where}: {error}", "an entry with the fields of a barrier", "mend that entry"
                ) from error
            unknown = [s for s in barrier.sources if s not in sources]
            if barrier.id in barriers or unknown:
                raise InputError(
                    f"{where}: {barrier.id!r} " + (f"cites {unknown}" if unknown else "stands twice"),
                    "one entry an identity, and every source listed under [sources]",
                    "mend that entry",
                )
            barriers[barrier.id] = barrier
    return Catalogue(barriers=barriers, sources=sources)


@cache
def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Read every TOML file of a folder, by default ``datasets/barriers``.

    Raises
    ------
    InputError
        A file or an entry is wrong.
    """
    root = find_data("datasets", "barriers") if folder is None else folder
    return parse_catalogue({path.name: read_toml(path) for path in sorted(root.glob("*.toml"))})


def check_catalogue(catalogue: Catalogue) -> tuple[str, ...]:
    """Return what stands in the way of publishing: one line a barrier without a source that was read."""
    return tuple(
        f"{b.id}: {b.evidence_quality}; a publication needs a source for it"
        for b in catalogue.barriers.values()
        if not b.sourced
    )
