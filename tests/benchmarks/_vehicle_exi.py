"""Rows exi-decode, exi-encode, exi-import and exi-memory: the EXI codec on documents of real sessions."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from _fresh import run_fresh

from v2glab.links.exi import decode, encode

_VECTORS = Path(__file__).parents[1] / "links" / "exi" / "exi_vectors_own.json"
#: Messages a second of the Java codec behind the open reference stack, on a machine of the same kind:
#: documented, not measured in this run, which has no Java.
_JAVA = 114.0
_ROUNDS, _STARTS = 80, 7

_IMPORT = """
import sys, time
began = time.perf_counter()
import v2glab.evidence
house = time.perf_counter()
import v2glab.links.exi
codec = time.perf_counter()
v2glab.links.exi.decode(bytes.fromhex(sys.argv[1]), sys.argv[2])
print(codec - began, house - began, time.perf_counter() - codec)
"""
_MEMORY = """
import json, sys
from _fresh import peak_bytes
bare = peak_bytes()
from v2glab.links import exi
after_import = peak_bytes()
for namespace in exi.namespaces():
    exi.prepare(namespace)
for row in json.load(open(sys.argv[1])):
    exi.encode(row["namespace"], *exi.decode(bytes.fromhex(row["exi_hex"]), row["namespace"]))
print(peak_bytes() - bare, after_import - bare)
"""


def measure_speed() -> Iterator[dict]:
    """Documents a second on one core, one of each shape in turn: best of many short rounds."""
    rows = json.loads(_VECTORS.read_text())
    read = [(bytes.fromhex(row["exi_hex"]), row["namespace"]) for row in rows]
    write = [(row["namespace"], row["message"], row["decoded"]) for row in rows]
    peer = f"EXIficient through py4j: {_JAVA:.0f} /s as documented, not run here"
    for name, call, inputs in (("exi-decode", decode, read), ("exi-encode", encode, write)):
        rate = _rate(call, inputs)
        yield _row(name, rate, "1/s", peer, rate / _JAVA)


def _rate(call: Callable[..., object], inputs: list[tuple]) -> float:
    best = 0.0
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for arguments in inputs:
            call(*arguments)
        best = max(best, len(inputs) / (time.perf_counter() - began))
    return best


def measure_import() -> Iterator[dict]:
    """Time of the import in a fresh process, best of several; vocabulary and first document are named."""
    first = json.loads(_VECTORS.read_text())[0]
    starts = (run_fresh(_IMPORT, first["exi_hex"], first["namespace"]) for _ in range(_STARTS))
    whole, house, decoded = min(starts)
    note = f"of this {house:.3f} s for v2glab.evidence; the first document takes {decoded:.3f} s more"
    yield _row("exi-import", whole, "s", note, None)


def measure_memory() -> Iterator[dict]:
    """Growth of the peak of a fresh process: import, every table compiled, every shape read and written."""
    peak, imported = run_fresh(_MEMORY, str(_VECTORS))
    note = f"of this {imported:.3g} B by the import; the Java codec grows to 1 GB as documented"
    yield _row("exi-memory", peak, "B", note, None)


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None) -> dict:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio}
