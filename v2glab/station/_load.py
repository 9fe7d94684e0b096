"""Read a station file; whatever is wrong with it is named with file, key and remedy."""

from __future__ import annotations

import types
import typing
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from v2glab.evidence import InputError, read_toml
from v2glab.resources import data_root
from v2glab.station._settings import StationFile


def find_station(source: str | Path) -> Path:
    """Return the station file that a name or path means.

    Parameters
    ----------
    source
        Path of a file, or the name of one in ``drivers/stations`` such as ``"twin"``.

    Raises
    ------
    InputError
        There is no such file; the message lists the names that there are.
    """
    path = Path(source)
    if path.suffix == ".toml" or path.parent != Path():
        if path.is_file():
            return path.resolve()
    else:
        shipped = data_root("drivers") / "stations" / f"{path}.toml"
        if shipped.is_file():
            return shipped
    names = sorted(p.stem for p in (data_root("drivers") / "stations").glob("*.toml"))
    raise InputError(
        f"no station {str(source)!r}",
        f"a station file, or one of: {', '.join(names)}",
        "check the name; copy drivers/stations/example-site.toml for a station of your own",
    )


def load_station(path: Path) -> StationFile:
    """Read and validate one station file.

    Raises
    ------
    InputError
        It is missing, no TOML, or has an unknown, missing or wrong key.
    """
    document = read_toml(path)
    try:
        return StationFile.model_validate(document)
    except ValidationError as error:
        faults = [_fault(item) for item in error.errors()]
        raise InputError(
            f"{path}: " + "; ".join(fault for fault, _ in faults),
            "a station file of schema 1",
            "; ".join(dict.fromkeys(remedy for _, remedy in faults)),
        ) from error


def _fault(item: Any) -> tuple[str, str]:  # noqa: ANN401 -- pydantic's own error details
    location = tuple(item["loc"])
    key = ".".join(str(part) for part in location) or "the file"
    if item["type"] != "extra_forbidden":
        message = str(item["msg"]).removeprefix("Value error, ")
        return f"{key}: {message}", f"mend {key}"
    known = _known_keys(location[:-1])
    close = get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    if close:
        return f"unknown key {key}", f"write {close[0]!r} instead of {str(location[-1])!r}"
    return f"unknown key {key}", f"use one of: {', '.join(known)}"


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """Return the keys of the section at ``location``."""
    here: Any = StationFile
    for part in location:
        if _is_model(here):
            field = _fields(here).get(str(part))
            here = _without_none(field.annotation) if field else None
        else:  # a table of sections, or a list of them: any name or position leads to the same model
            models = [a for a in typing.get_args(here) if _is_model(a)]
            here = models[0] if models else None
    return sorted(_fields(here)) if _is_model(here) else []


def _is_model(annotation: Any) -> bool:  # noqa: ANN401 -- any type annotation
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _without_none(annotation: Any) -> Any:  # noqa: ANN401 -- any type annotation
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return next(a for a in typing.get_args(annotation) if a is not type(None))
    return annotation


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}
