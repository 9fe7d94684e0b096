"""Rules of the links are data in ``datasets/iso15118``: one frozen base for them, and one reader."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from v2glab.evidence import InputError, read_toml
from v2glab.resources import find_data

Model = TypeVar("Model", bound=BaseModel)


class Rule(BaseModel):
    """An entry of a rule file: unknown keys and numbers that are none are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def rule_file(name: str, path: Path | None = None) -> Path:
    """Return the file to read: the given one, or that of this name which travels with the package."""
    return path or find_data("datasets", "iso15118", name)


def read_rules(model: type[Model], path: Path, what: str) -> Model:
    """Read a rule file.

    Parameters
    ----------
    what
        What it should hold, for the error.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    try:
        return model(**read_toml(path))
    except (ValidationError, TypeError) as error:
        raise InputError(f"{path.name}: {error}", what, "mend that entry") from error
