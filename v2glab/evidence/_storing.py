"""Turn what the disk refuses into the house's own error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from v2glab.evidence._errors import StorageError


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Raise :class:`StorageError` for any :class:`OSError` inside."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{what}: {error.strerror or error}",
            "room and permission to write files",
            "free disk space, or choose another folder",
        ) from error
