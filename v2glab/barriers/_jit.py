"""How kernels are compiled: on first use, kept on disk for these sources, no liberties in arithmetic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


@lru_cache(maxsize=1)
def _sources_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def jit(function: F) -> F:
    """Compile a function on first use; callers keep its types.

    Numba looks at the file of a function alone; a callee changed in another file would go unnoticed, and the
    old machine code would run. So what is kept on disk is bound to all sources of this package.
    """
    dispatcher = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    kept = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = (kept._source_stamp, _sources_digest())
    return cast("F", dispatcher)
