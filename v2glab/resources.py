"""Find the data that travels with the package: ``drivers/``, ``datasets/``, ``notebooks/``."""

from pathlib import Path

from v2glab.evidence import InputError

_PACKAGE = Path(__file__).resolve().parent


def data_root(kind: str) -> Path:
    """Return the folder of one kind of data.

    In a checkout that is the folder beside the package; in a wheel it lies inside the package.

    Parameters
    ----------
    kind
        ``"drivers"``, ``"datasets"`` or ``"notebooks"``.

    Raises
    ------
    InputError
        The folder is in neither place.
    """
    for candidate in (_PACKAGE.parent / kind, _PACKAGE / "_data" / kind):
        if candidate.is_dir():
            return candidate
    raise InputError(
        found=f"no folder {kind!r} beside or inside the package",
        required=f"the data folder {kind!r} that is part of v2glab",
        remedy="install v2glab again, or run it from a complete checkout",
    )


def find_data(kind: str, *parts: str) -> Path:
    """Return one file or folder below :func:`data_root`.

    Raises
    ------
    InputError
        It does not exist; the message lists what does.
    """
    root = data_root(kind)
    path = root.joinpath(*parts)
    if path.exists():
        return path
    siblings = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    raise InputError(
        found=f"no {kind} entry {'/'.join(parts)!r}",
        required=f"one of: {', '.join(siblings) or 'nothing there'}",
        remedy=f"choose one of those names, or add the file below {kind}/",
    )
