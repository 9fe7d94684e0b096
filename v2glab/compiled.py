"""Compile kernels on first use, and keep the machine code for exactly the sources that it was made from.

Numba keeps machine code beside the file of a function and throws it away when that file changes. A callee or
a constant that changed in another file goes unnoticed, and the old code runs. Here the names of what is kept
hold a digest of all sources of the packages that a kernel is built from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])
_ROOT = Path(__file__).resolve().parent
_COMMON = {"cache": True, "nogil": True, "error_model": "numpy"}
_DIGITS = 16


@lru_cache(maxsize=32)
def sources_digest(*sources: str) -> str:
    """Return a digest of Python files.

    Parameters
    ----------
    sources
        Folders of this package, such as ``"gridcodes/der"``, or patterns of files, such as
        ``"twin/_kernel*.py"``.
    """
    digest = hashlib.sha256()
    for source in sources:
        for path in sorted(_ROOT.glob(source if source.endswith(".py") else f"{source}/*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def compiler(*sources: str, **options: object) -> Callable[[F], F]:
    """Return a decorator that compiles functions on first use; callers keep their types.

    Parameters
    ----------
    sources
        All files from which a kernel takes functions or constants, its own among them, as for
        :func:`sources_digest`.
    options
        Of ``numba.njit``, besides what all kernels share: kept on disk, without the interpreter's lock, and
        divisions by zero as NumPy has them.
    """

    def compiled(function: F) -> F:
        return cast("F", _kept(numba.njit(**_COMMON | options)(function), sources))

    return compiled


def _kept(dispatcher: Any, sources: tuple[str, ...]) -> Any:  # noqa: ANN401 -- numba has no types
    """Put the digest into the names of the files on disk; under ``NUMBA_DISABLE_JIT`` there are none."""
    cache = getattr(dispatcher, "_cache", None)
    kept = getattr(cache, "_cache_file", None)
    if cache is not None and kept is not None:
        base = f"{cache._impl.filename_base}-{sources_digest(*sources)}"
        cache._cache_file = type(kept)(cache._cache_path, base, kept._source_stamp)
    return dispatcher
