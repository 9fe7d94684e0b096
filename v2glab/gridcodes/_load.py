"""Read a grid code from its data file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from v2glab.evidence import InputError, UsageError, read_toml
from v2glab.gridcodes._build import build_code
from v2glab.gridcodes._extend import Lookup, whole_document
from v2glab.gridcodes._model import GridCode
from v2glab.gridcodes._refuse import refuse
from v2glab.resources import data_root, find_data

_NAME = re.compile(r"^[a-z0-9][a-z0-9.-]*$")


@lru_cache(maxsize=64)
def load_code(name: str) -> GridCode:
    """Return the grid code of that name, such as ``"ieee1547-2018"``; each file is read once.

    Raises
    ------
    InputError
        There is none of that name, or its file is wrong.
    """
    return read_code(_packaged(name))


def list_codes() -> tuple[str, ...]:
    """Return the names of all grid codes that travel with the package."""
    return tuple(sorted(p.stem for p in (data_root("datasets") / "gridcodes").glob("*.toml")))


def read_code(path: Path) -> GridCode:
    """Read a grid code from any file of the same form.

    A code that it extends is looked for beside the file first, then among those of the package.

    Raises
    ------
    InputError
        The file cannot be read or does not fit the model.
    """
    return parse_code(read_toml(path), path.name, partial(_beside, path.parent))


def parse_code(document: Mapping[str, Any], where: str, lookup: Lookup | None = None) -> GridCode:
    """Build a grid code from the content of its file.

    Parameters
    ----------
    document
        Content of the file.
    where
        What messages call the file.
    lookup
        Gives the content of the file of a code that this one extends; by default those of the package.

    Raises
    ------
    InputError
        An entry is unknown, missing or wrong, regions overlap or leave a gap, a curve is not monotonic, a
        frequency belongs to another nominal frequency, two criteria share an identity, or a code extends
        an unknown one or itself.
    """
    try:
        return build_code(whole_document(document, where, lookup or _package_document), where)
    except (UsageError, TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        what = f"missing {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{where}: {what}", "a grid code of schema 1", "mend that entry") from error


def _packaged(name: str) -> Path:
    if not _NAME.match(name):
        raise InputError(
            f"grid code {name!r}", f"one of: {', '.join(list_codes())}", "choose one of those names"
        )
    return find_data("datasets", "gridcodes", f"{name}.toml")


def _package_document(name: str) -> dict[str, Any]:
    return read_toml(_packaged(name))


def _beside(folder: Path, name: str) -> dict[str, Any]:
    refuse(not _NAME.match(name), "extends", repr(name), "the name of a grid code")
    own = folder / f"{name}.toml"
    return read_toml(own) if own.is_file() else _package_document(name)
