"""A campaign: which notebooks run, in which order, with which parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from v2glab.campaigns._session import RunSettings, split_values
from v2glab.evidence import InputError, UsageError, read_toml
from v2glab.procedures import NAMES, NOTEBOOKS, Procedure, load_procedure
from v2glab.resources import find_data

_NOTEBOOK = re.compile(r"^\d\d_([a-z]+(?:_[a-z]+)+)$")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NotebookEntry(_Section):
    """``[[notebook]]``: name without ending, and parameters of its procedure."""

    name: str = Field(pattern=_NOTEBOOK.pattern)
    parameters: dict[str, Any] = Field(default_factory=dict)


class CampaignFile(_Section):
    """A whole campaign file, schema 1."""

    schema_version: Literal[1] = Field(alias="schema")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    notebook: tuple[NotebookEntry, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Step:
    """One notebook, ready to run.

    ``parameters`` were checked against the procedure's model.
    """

    name: str
    path: Path
    procedure: Procedure
    parameters: dict[str, Any]


def load_campaign(source: str | Path) -> CampaignFile:
    """Read a campaign file by path, or by the name of a file in ``notebooks/``.

    Raises
    ------
    InputError
        It does not exist or is wrong; the message names file and key.
    """
    path = Path(source)
    if not path.exists():
        path = find_data("notebooks", f"{Path(source).name.removesuffix('.toml')}.toml")
    try:
        return CampaignFile(**read_toml(path))
    except (ValidationError, TypeError) as error:
        raise InputError(f"{path.name}: {error}", "a campaign file of schema 1", "mend that entry") from error


def plan_steps(campaign: CampaignFile, overrides: Mapping[str, Mapping[str, Any]]) -> list[Step]:
    """Check every parameter of every notebook before anything is opened.

    Parameters
    ----------
    overrides
        Parameters by notebook name or procedure name, from the command line.

    Raises
    ------
    UsageError
        A notebook or parameter is unknown, or a value is not allowed.
    InputError
        A notebook's file is missing.
    """
    steps = [_step(entry, overrides) for entry in campaign.notebook]
    known = {s.name for s in steps} | {s.procedure.name for s in steps}
    if unknown := sorted(set(overrides) - known):
        raise UsageError(
            f"parameters for {', '.join(unknown)}", f"one of: {', '.join(sorted(known))}", "mend the name"
        )
    return steps


def _step(entry: NotebookEntry, overrides: Mapping[str, Mapping[str, Any]]) -> Step:
    match = _NOTEBOOK.match(entry.name)
    called = match.group(1) if match else ""
    name = NOTEBOOKS.get(called, called)
    if name not in NAMES:
        raise UsageError(
            f"notebook {entry.name!r}", f"one of a procedure: {', '.join(NAMES)}", "mend the name"
        )
    procedure = load_procedure(name)
    given = {**entry.parameters, **overrides.get(entry.name, {}), **overrides.get(name, {})}
    if clash := sorted(set(given) & set(RunSettings.model_fields)):
        raise UsageError(
            f"{entry.name}: {', '.join(clash)}", "parameters of the procedure", "give these to the campaign"
        )
    _, parameters = split_values(procedure, given)
    path = find_data("notebooks", f"{entry.name}.ipynb")
    return Step(entry.name, path, procedure.resolved(parameters), given)
