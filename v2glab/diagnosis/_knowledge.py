"""Codes, causes and remedies, read from ``datasets/diagnosis``: adding text takes no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from v2glab.evidence import Confidence, Criterion, InputError, load_criteria, read_toml
from v2glab.resources import find_data

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Cause(BaseModel):
    """Why a fault is there, and what to do.

    ``match`` and ``match_own`` hold words of a log by which it is recognised: those that speak of the other
    end, and those that speak of the end that wrote the line.
    """

    model_config = _STRICT

    text: str = Field(min_length=1)
    remedy: str = Field(min_length=1)
    match: tuple[str, ...] = ()
    match_own: tuple[str, ...] = ()


class Coding(BaseModel):
    """One resistor that codes the current a cable can carry."""

    model_config = _STRICT

    ohm: float = Field(gt=0)
    ampacity_a: float = Field(gt=0)


class Entry(BaseModel):
    """What is known of one fault.

    ``fault_codes`` are numbers of the charger's own register; ``criteria`` name entries of
    ``datasets/criteria/diagnosis.toml``, the first of them the one that stands for the rule.
    """

    model_config = _STRICT

    rule: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    code: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")
    title: str = Field(min_length=1)
    criteria: tuple[str, ...] = Field(min_length=1)
    fault_codes: tuple[int, ...] = ()
    parameters: dict[str, float] = Field(default_factory=dict)
    source: str = Field(min_length=1)
    confidence: Confidence
    cause: dict[str, Cause] = Field(min_length=1)
    coding: tuple[Coding, ...] = ()

    @model_validator(mode="after")
    def _words_are_lower_case(self) -> Entry:
        words = [w for c in self.cause.values() for w in (*c.match, *c.match_own)]
        if any(not w or w != w.lower() for w in words):
            raise ValueError("'match' and 'match_own' take words in lower case")
        return self

    def parameter(self, name: str) -> float:
        """Return a number that the rule needs.

        Raises
        ------
        InputError
            The file has none of that name.
        """
        if name not in self.parameters:
            raise InputError(
                f"{self.rule} without parameter {name!r}",
                f"[parameters] {name} = …",
                f"add it to datasets/diagnosis/{self.rule}.toml",
            )
        return self.parameters[name]


@dataclass(frozen=True)
class Knowledge:
    """Entries by rule, and the criteria that they name by identity."""

    entries: Mapping[str, Entry]
    criteria: Mapping[str, Criterion]

    def entry(self, rule: str) -> Entry:
        """Return the entry of a rule.

        Raises
        ------
        InputError
            There is none.
        """
        if rule not in self.entries:
            raise InputError(
                f"no entry for rule {rule!r}", "a file of its own", f"write datasets/diagnosis/{rule}.toml"
            )
        return self.entries[rule]


@cache
def load_knowledge(folder: Path | None = None) -> Knowledge:
    """Read one TOML file a fault, by default from ``datasets/diagnosis``.

    Raises
    ------
    InputError
        A file is wrong, a rule or code stands twice, or a criterion is not listed.
    """
    criteria = load_criteria(find_data("datasets", "criteria", "diagnosis.toml"))
    entries: dict[str, Entry] = {}
    for path in sorted((folder or find_data("datasets", "diagnosis")).glob("*.toml")):
        entry = _read(path)
        unknown = [name for name in entry.criteria if name not in criteria]
        if unknown or entry.rule in entries or entry.code in {e.code for e in entries.values()}:
            raise InputError(
                f"{path.name}: " + (f"criteria {unknown}" if unknown else "rule or code stands twice"),
                "one entry a rule and code, and criteria of datasets/criteria/diagnosis.toml",
                "mend that file",
            )
        entries[entry.rule] = entry
    return Knowledge(entries, criteria)


def _read(path: Path) -> Entry:
    try:
        return Entry.model_validate(read_toml(path))
    except ValidationError as error:
        raise InputError(
            f"{path.name}: {error}", "the fields of a diagnosis entry", "mend that file"
        ) from error
