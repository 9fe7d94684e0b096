"""How the plant's kernels are compiled: on first use, kept on disk for the sources that they are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2glab.compiled import compiler

Array = NDArray[np.float64]
TAU = 2.0 * np.pi
THIRD = TAU / 3.0

_SOURCES = ("twin/_kernel*.py", "twin/_physics.py", "twin/_jit.py", "control", "gridcodes/der")
#: For what goes into its callers. Nothing allocates, so there are no counts of references: they, and calls
#: that hand over arrays, would cost more than the arithmetic.
jit = compiler(*_SOURCES, forceinline=True, _nrt=False)
#: For what Python calls.
jit_entry = compiler(*_SOURCES, _nrt=False)
