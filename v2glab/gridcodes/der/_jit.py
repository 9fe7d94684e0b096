"""How the kernel's functions are compiled: on first use, kept on disk, without liberties in arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.compiled import compiler

Array = NDArray[np.float64]
SOURCES = "gridcodes/der"
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # nothing but the kernel calls it

#: For a function of the fast path, which is compiled into its callers. Nothing in the kernel allocates, so
#: reference counts are left out: they cost more than the arithmetic, as would calls, which pass seven words
#: an array.
jit = compiler(SOURCES, forceinline=True, _nrt=False, **_INNER)
#: For a function of the slow path, as one of its own.
jit_apart = compiler(SOURCES, _nrt=False, **_INNER)
#: For a function that Python calls.
jit_entry = compiler(SOURCES, _nrt=False)
