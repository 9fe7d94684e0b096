"""Fuzz the EXI codec: whatever the octets, an answer or an ExiError; what is read is written the same.

``python tests/links/exi/fuzz_exi.py --runs 1000000`` mutates documents of the message tables at random;
``--atheris`` lets coverage guide it, where that package is installed. A finding ends it, with the octets.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from v2glab.links.exi import ExiError, decode, decode_fragment, encode, encode_fragment, namespaces, prepare

HERE = Path(__file__).parent
SEEDS = [
    (row["namespace"], bytes.fromhex(row["exi_hex"]), row.get("fragment", False))
    for name in ("exi_vectors_own.json", "exi_vectors_peer.json")
    for row in json.loads((HERE / name).read_text())
]
NAMESPACES = sorted(namespaces())


def check(data: bytes, namespace: str, fragment: bool) -> bool:
    """Read a document; return whether it was one. Anything but an ExiError escapes."""
    try:
        name, document = (decode_fragment if fragment else decode)(data, namespace)
    except ExiError as error:
        assert error.bit is not None and error.bit >= 0, error
        assert error.path or error.bit <= 8, error
        return False
    written = encode_fragment(namespace, document) if fragment else encode(namespace, name, document)
    assert written == data, (written.hex(), data.hex())
    return True


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return a document with one to four faults: bits, octets, cuts, insertions, parts of another."""
    octets = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if len(octets) < 2:
            break
        place = rng.randrange(1, len(octets))
        match rng.randrange(6):
            case 0 | 1 | 2:
                octets[place] ^= 1 << rng.randrange(8)
            case 3:
                octets[place : place + 1] = rng.randbytes(1)
            case 4:
                del octets[place : place + rng.choice((1, 2, len(octets)))]
            case _:
                octets[place:place] = rng.choice((rng.randbytes(rng.randrange(1, 9)), b"\xff" * 8, bytes(8)))
    return bytes(octets) or b"\x80"


def run(runs: int, seed: int, budget_s: float = float("inf")) -> tuple[int, int]:
    """Return the number of executions, and of those whose octets were a document."""
    rng, read, began = random.Random(seed), 0, time.monotonic()
    for done in range(runs):
        namespace, data, fragment = rng.choice(SEEDS)
        if rng.random() < 0.05:
            namespace = rng.choice(NAMESPACES)
        mutated = mutate(data, rng)
        try:
            read += check(mutated, namespace, fragment)
        except Exception:
            print(f"namespace {namespace}, fragment {fragment}: {mutated.hex()}", file=sys.stderr)
            raise
        if time.monotonic() - began > budget_s:
            return done + 1, read
    return runs, read


def guided(arguments: list[str]) -> None:
    """Let atheris choose octets: the first picks namespace and kind, the rest is the document."""
    import atheris

    def one(data: bytes) -> None:
        if data:
            check(b"\x80" + data[1:], NAMESPACES[data[0] % 16 % len(NAMESPACES)], data[0] >= 128)

    for namespace in NAMESPACES:
        prepare(namespace)
    atheris.instrument_all()
    with tempfile.TemporaryDirectory() as corpus:
        for number, (namespace, data, fragment) in enumerate(SEEDS):
            kind = NAMESPACES.index(namespace) + 128 * fragment
            Path(corpus, str(number)).write_bytes(bytes([kind]) + data[1:])
        atheris.Setup([sys.argv[0], *arguments, corpus], one)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", action="store_true")
    options, rest = parser.parse_known_args()
    if options.atheris:
        guided([f"-runs={options.runs}", f"-seed={options.seed}", *rest])
        return
    began = time.monotonic()
    done, read = run(options.runs, options.seed)
    print(json.dumps({"executions": done, "documents": read, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
