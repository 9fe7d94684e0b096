"""How kernels are compiled: on first use, kept on disk for these sources, no liberties in arithmetic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_COMMON = {"cache": True, "nogil": True, "error_model": "numpy"}
F = TypeVar("F", bound=Callable[..., object])


@lru_cache(maxsize=1)
def _sources_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def jit(function: F) -> F:
    """Compile a function on first use; callers keep its types."""
    return cast("F", _kept(numba.njit(**_COMMON)(function)))


def jit_inner(function: F) -> F:
    """Compile a function that allocates nothing into its callers, without counts of references: these, and
    calls that hand over arrays, cost more than the arithmetic.
    """
    return cast("F", _kept(numba.njit(forceinline=True, _nrt=False, **_COMMON)(function)))


def jit_lean(function: F) -> F:
    """Compile a function that allocates nothing, and is called, without counts of references."""
    return cast("F", _kept(numba.njit(_nrt=False, **_COMMON)(function)))


def _kept(dispatcher: Any) -> Any:  # noqa: ANN401
    """Bind what is kept on disk to all sources of this package.

    Numba looks at the file of a function alone; a callee changed in another file would go unnoticed, and the
    old machine code would run.
    """
    kept = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = (kept._source_stamp, _sources_digest())
    return dispatcher
