"""How the kernel's functions are compiled: on first use, kept on disk, without liberties in arithmetic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., object])
_COMMON = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # nothing but the kernel calls it


@lru_cache(maxsize=1)
def sources_digest() -> str:
    """Return a digest of all sources of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _kept(dispatcher: Any, function: F) -> F:  # noqa: ANN401
    """Let what is kept on disk hold for these sources only, by putting their digest into its file names.

    Numba looks at the file of a function alone; a constant or a callee changed in another file would go
    unnoticed, and the old machine code would run.
    """
    cache = getattr(dispatcher, "_cache", None)
    kept = getattr(cache, "_cache_file", None)
    if kept is not None:
        base = f"{cache._impl.filename_base}-{sources_digest()[:16]}"  # type: ignore[union-attr]
        stamp = kept._source_stamp
        cache._cache_file = type(kept)(cache._cache_path, base, stamp)  # type: ignore[union-attr]
    return cast("F", dispatcher)


def jit(function: F) -> F:
    """Compile a function of the fast path into its callers; they keep its types.

    Nothing in the kernel allocates, so reference counts are left out: they cost more than the arithmetic, as
    would calls, which pass seven words an array.
    """
    return _kept(numba.njit(forceinline=True, **_INNER, **_COMMON)(function), function)


def jit_apart(function: F) -> F:
    """Compile a function of the slow path as one of its own."""
    return _kept(numba.njit(**_INNER, **_COMMON)(function), function)


def jit_entry(function: F) -> F:
    """Compile a function that Python calls."""
    return _kept(numba.njit(**_COMMON)(function), function)
