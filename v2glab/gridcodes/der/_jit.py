"""How the kernel's functions are compiled: on first use, kept on disk, without liberties in arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., object])
_COMMON = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # nothing but the kernel calls it


def jit(function: F) -> F:
    """Compile a function of the fast path into its callers; they keep its types.

    Nothing in the kernel allocates, so reference counts are left out: they cost more than the arithmetic, as
    would calls, which pass seven words an array.
    """
    return cast("F", numba.njit(forceinline=True, **_INNER, **_COMMON)(function))


def jit_apart(function: F) -> F:
    """Compile a function of the slow path as one of its own."""
    return cast("F", numba.njit(**_INNER, **_COMMON)(function))


def jit_entry(function: F) -> F:
    """Compile a function that Python calls."""
    return cast("F", numba.njit(**_COMMON)(function))
