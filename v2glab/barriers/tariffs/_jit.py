"""How kernels are compiled: on first use, kept on disk, without liberties in arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compile a function on first use; callers keep its types."""
    return cast("F", numba.njit(cache=True, nogil=True, fastmath=False)(function))
