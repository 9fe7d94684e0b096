"""How kernels are compiled: on first use, kept on disk for these sources, no liberties in arithmetic."""

from __future__ import annotations

from v2glab.compiled import compiler

jit = compiler("barriers/tariffs", error_model="python")
