"""Write files whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from v2glab.evidence._errors import StorageError


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Parameters
    ----------
    mode
        Permission bits, set before the first byte is written.

    Raises
    ------
    StorageError
        It could not be written whole (disk full, no permission); the old file stands.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.fchmod(handle, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)  # noqa: PTH105 -- the atomic call, on purpose
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise StorageError(
            f"{path}: {error.strerror or error}",
            f"room and permission to write {len(content)} bytes",
            "free disk space or choose another folder",
        ) from error


def write_json(path: Path, data: Any) -> None:  # noqa: ANN401 -- whatever JSON can hold
    """Write JSON with sorted keys, atomically; NaN and infinity are refused."""
    text = json.dumps(data, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    write_atomic(path, (text + "\n").encode())
