"""How the kernel's functions are compiled: on first use, kept on disk, without liberties in arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., object])


def jit(function: F) -> F:
    """Compile a function on first use; callers keep its types.

    Nothing in the kernel allocates, so reference counts are left out: they cost more than the arithmetic.
    """
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function))
