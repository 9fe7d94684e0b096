"""Fuzz the capture reader: whatever a file or a key log holds, an answer or an error of the house.

``PYTHONPATH=tests python tests/links/capture/fuzz_capture.py --seconds 600`` makes captures of conversations
of its own and spoils octets of the file, packets, their order, and the keys. A finding ends it and leaves the
file.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from capture_files import talk_of, write_pcap, write_pcapng
from captured_talks import converse, settings_of

from v2glab.evidence import V2GError
from v2glab.links.capture import event_table, find_faults, read_capture

KINDS = {"iso20-dc": ("iso15118-20", "secp521r1"), "iso2": ("iso15118-2", "secp256r1"), "din": None}


def seeds(folder):
    """Packets and keys of one conversation of each kind."""
    for protocol, kind in KINDS.items():
        (folder / protocol).mkdir()
        heard = asyncio.run(converse(protocol, settings_of(folder / protocol, *kind) if kind else None))
        yield talk_of(heard.octets).framed(), heard.keys


def spoil(packets, rng):
    """Return the octets of a file made of packets that were dropped, doubled, cut, changed or mixed."""
    packets = list(packets)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(packets))
        time_ns, data = packets[place][:2]
        match rng.randrange(5):
            case 0 if len(packets) > 1:
                del packets[place]
            case 1:
                packets.insert(rng.randrange(len(packets)), packets[place])
            case 2:
                packets[place] = (time_ns, data[: rng.randrange(len(data) + 1)], len(data))
            case 3 if len(data) > 14:
                packets[place] = (time_ns, changed(data, rng, 8, 14))
            case _:
                rng.shuffle(packets)
    file = rng.choice((write_pcap, write_pcapng))(packets)
    match rng.randrange(4):
        case 0:
            return changed(file, rng, 20, 0)
        case 1:
            return file[: rng.randrange(len(file))]
        case _:
            return file


def changed(data, rng, most, first):
    octets = bytearray(data)
    for _ in range(rng.randint(1, most)):
        octets[rng.randrange(first, len(octets))] = rng.randrange(256)
    return bytes(octets)


def check(path, keys):
    """Read a file in every way that there is; return how that ended."""
    try:
        capture = read_capture(path, keys)
    except V2GError as error:
        assert error.found and error.required and error.remedy
        return type(error).__name__
    find_faults(capture)
    for session in capture.sessions:
        session.trace.frame()
        event_table(session.events)
    return "read"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    rng, ended, slowest = random.Random(given.seed), Counter(), 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        talks = list(seeds(folder))
        until, path, keys = time.monotonic() + given.seconds, folder / "a", folder / "k"
        while time.monotonic() < until:
            packets, secrets = rng.choice(talks)
            path.write_bytes(spoil(packets, rng))
            keys.write_bytes(changed(secrets, rng, 2, 0) if secrets and rng.random() < 0.1 else secrets)
            began = time.process_time()
            try:
                ended[check(path, keys)] += 1
            except Exception:
                Path("capture-finding").write_bytes(path.read_bytes())
                raise
            slowest = max(slowest, time.process_time() - began)
    print(f"{ended.total()} executions, {dict(ended)}, slowest {slowest:.2f} s of the processor")


if __name__ == "__main__":
    main()
