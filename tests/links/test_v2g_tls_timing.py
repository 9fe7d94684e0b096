"""Where the time of a negotiation goes: by arithmetic, by ends slow on purpose, and over a slow line."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from v2g_links import both, meet, pki_of, run

from v2glab.evidence import Outcome
from v2glab.links.pki import write_pki
from v2glab.links.tls import describe, judge_duration, load_tls_rules, slow_finding
from v2glab.links.tls._timing import WayFacts, split
from v2glab.links.tls._watch import WatchedObject

RULES = load_tls_rules()
SECONDS = st.floats(0, 10)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_pki(pki_of(curve="ed448"), tmp_path_factory.mktemp("timing") / "pki")


@given(SECONDS, SECONDS, st.integers(0, 5), SECONDS, SECONDS, st.integers(0, 3))
def test_the_shares_are_the_whole_and_none_is_negative(total, local, waits, trip, spread, lost):
    timing = split(total, local, waits, WayFacts(trip, spread, lost))
    shares = (timing.network_s or 0.0, timing.peer_s)
    assert min(shares) >= 0
    assert sum(shares) == pytest.approx(max(total - local, 0.0))
    assert (timing.network_s is None) == (lost > 0)
    if timing.network_s is not None:
        assert timing.network_s <= waits * trip + 1e-12
    assert describe(timing).startswith("negotiation")


def test_a_split_by_hand():
    timing = split(0.300, 0.010, 1, WayFacts(0.200, 0.004, 0))
    assert (timing.network_s, timing.peer_s) == (0.200, pytest.approx(0.090))
    assert timing.greatest == "network" and timing.uncertainty_s == 0.004
    assert split(0.300, 0.010, 2, WayFacts(0.010, 0.001, 0)).greatest == "peer"
    assert split(0.300, 0.250, 2, WayFacts(0.010, 0.001, 0)).greatest == "local"


def test_a_border_that_is_not_sharp_is_not_drawn():
    assert split(0.300, 0.010, 1, WayFacts(0.150, 0.030, 0)).greatest == ""
    lost = split(0.900, 0.010, 1, WayFacts(0.010, 0.001, 2))
    assert lost.network_s is None and lost.greatest == ""
    finding = slow_finding(lost, RULES)
    assert "share not told" in finding.cause and "2 segments lost" in finding.evidence[0]
    assert all(text in finding.remedy for text in (RULES.slow.network, RULES.slow.peer, RULES.slow.local))
    assert split(0.900, 0.010, 1, None).greatest == ""
    assert split(0.900, 0.800, 1, None).greatest == "local"


@pytest.mark.parametrize(
    ("total_s", "outcome"),
    [(0.1, Outcome.PASS), (0.2499, Outcome.PASS), (0.25, Outcome.INCONCLUSIVE), (0.2501, Outcome.FAIL)],
)
def test_the_limit_is_250_ms_and_comes_from_the_rules(total_s, outcome):
    timing = split(total_s, 0.0, 1, WayFacts(0.0001, 0.0, 0))
    verdict = judge_duration(timing, RULES)
    assert verdict.outcome is outcome and verdict.criterion.upper == 0.25
    finding = slow_finding(timing, RULES)
    assert (finding is None) == (outcome is Outcome.PASS)
    if finding is not None:
        assert finding.code == "ISO-15118-403"
        assert finding.certainty == ("established" if outcome is Outcome.FAIL else "suspected")
    higher = RULES.criterion.model_copy(update={"upper": 1.0})
    assert slow_finding(timing, RULES.model_copy(update={"criterion": higher})) is None


def ends(files):
    return both(files, curve="ed448")


def test_a_quick_negotiation_has_no_finding(files):
    run(meet(*ends(files)))  # what is loaded on first use is loaded
    met, _ = run(meet(*ends(files)))
    timing = met.stream.timing
    assert timing.network_s is not None and timing.connect_s is not None and timing.round_trips == 1
    assert timing.local_s > 0 and timing.peer_s > 0


def test_a_charger_that_thinks_long(files):
    async def slow(direction, data):
        if direction == "down" and not slow.done:
            slow.done = True
            await asyncio.sleep(0.3)
        return data

    slow.done = False
    met, _ = run(meet(*ends(files), through=slow))
    finding, timing = met.stream.slow, met.stream.timing
    assert finding.code == "ISO-15118-403" and finding.certainty == "established"
    assert timing.greatest == "peer" and timing.peer_s >= 0.3
    assert finding.remedy == RULES.slow.peer and met.answer == b"first"


def test_an_end_that_is_slow_itself(files):
    class Slow(WatchedObject):
        def do_handshake(self):
            if not self.watch.written:
                time.sleep(0.3)
            super().do_handshake()

    evcc, secc = ends(files)
    evcc.context.sslobject_class = Slow
    met, _ = run(meet(evcc, secc))
    assert met.stream.timing.greatest == "local" and met.stream.timing.local_s >= 0.3
    assert met.stream.slow.remedy == RULES.slow.local


# Two namespaces, a TUN device in each, and a process between them that holds every packet for a while: a line
# whose delay is known, and which the kernel sees as such.
LINE = """
import asyncio, ctypes, fcntl, heapq, json, os, select, socket, struct, subprocess, sys, time
from pathlib import Path
from v2glab.links.pki import PkiFiles
from v2glab.links.tls import TlsSettings, connect_tls, serve_tls

delay_s, folder = float(sys.argv[1]), Path(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)

def device(address):
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, 0x400454CA, struct.pack("16sH22x", b"line", 0x0001 | 0x1000))
    for words in ("link set lo up", f"addr add {address}/64 dev line nodad", "link set line up mtu 1500"):
        subprocess.run(["ip", "-6" if "addr" in words else "-0", *words.split()], check=True)
    return handle

async def echo(stream):
    while data := await stream.read():
        await stream.write(data)

near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
charger = os.fork()
if charger == 0:
    if libc.unshare(0x40000000):
        os._exit(9)
    handle = device("fd00::2")
    socket.send_fds(far, [b"x"], [handle])
    async def serve():
        secc = TlsSettings("secc", PkiFiles(folder), curve="ed448")
        async with await serve_tls(secc, echo, host="fd00::2"):
            far.send(b"ready")
            await asyncio.sleep(30)
    asyncio.run(serve())
    os._exit(0)
_, (other,), _, _ = socket.recv_fds(near, 1, 1)
own = device("fd00::1")
line = os.fork()
if line == 0:
    waiting, count = [], 0
    while True:
        wait = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for source in select.select([own, other], [], [], wait)[0]:
            packet, count = os.read(source, 4096), count + 1
            target, due = (other if source == own else own), time.monotonic() + delay_s
            heapq.heappush(waiting, (due, count, target, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(waiting)
            try:
                os.write(target, packet)
            except OSError:
                pass
try:
    near.recv(10)
    async def ask():
        evcc = TlsSettings("evcc", PkiFiles(folder), curve="ed448")
        stream = await connect_tls("fd00::2", 15118, evcc)
        timing, slow = stream.timing, stream.slow
        print(json.dumps({
            "total": timing.total_s, "network": timing.network_s, "peer": timing.peer_s,
            "connect": timing.connect_s, "trips": timing.round_trips, "greatest": timing.greatest,
            "code": slow.code if slow else "", "remedy": slow.remedy if slow else "",
        }))
    asyncio.run(ask())
finally:
    os.kill(line, 9)
    os.kill(charger, 9)
"""


def line_or_skip():
    allowed = os.geteuid() == 0 and shutil.which("unshare") and shutil.which("ip")
    try_it = "import os; os.close(os.open('/dev/net/tun', os.O_RDWR))"
    done = allowed and subprocess.run(
        ["unshare", "-n", sys.executable, "-c", try_it], check=False, capture_output=True
    )
    if not done or done.returncode:
        if os.environ.get("CI") == "true" and os.geteuid() == 0 and Path("/dev/net/tun").exists():
            pytest.fail("a line of TUN devices could not be made, though this is root")
        pytest.skip("a line with a delay needs root, network namespaces and /dev/net/tun")


@pytest.mark.parametrize("delay_s", [0.02, 0.15])
def test_a_line_with_a_known_delay(files, tmp_path, delay_s):
    line_or_skip()
    script = tmp_path / "line.py"
    script.write_text(LINE)
    done = subprocess.run(
        ["unshare", "-n", sys.executable, str(script), str(delay_s), str(files.folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["trips"] == 1 and seen["connect"] >= 2 * delay_s
    # One round trip, as the kernel counts it: never less than the line takes, more on a busy machine.
    assert 2 * delay_s <= seen["network"] <= seen["total"]
    assert seen["code"] == ("ISO-15118-403" if delay_s > 0.1 or seen["total"] > 0.25 else "")
    if delay_s > 0.1:
        assert seen["greatest"] == "network" and seen["remedy"] == RULES.slow.network
