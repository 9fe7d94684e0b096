"""How kernels are compiled: on first use, kept on disk for these sources, no liberties in arithmetic."""

from __future__ import annotations

from v2glab.compiled import compiler

_SOURCES = "barriers"

jit = compiler(_SOURCES)
#: For a function that allocates nothing: it goes into its callers without counts of references, which cost
#: more than the arithmetic, as do calls that hand over arrays.
jit_inner = compiler(_SOURCES, forceinline=True, _nrt=False)
#: For a function that allocates nothing, and is called.
jit_lean = compiler(_SOURCES, _nrt=False)
