"""Speed of sessions of ISO 15118-20 in TLS, P-521: set-up, charge loop, sessions at once.

The charger is a process of its own, with a model of the plant for each connection.
"""

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_WARM, _SETUPS = 3, 60
_SESSIONS, _LOOPS, _CYCLE_S = 10, 150, 0.1
_AT_ONCE, _AT_ONCE_LOOPS, _AT_ONCE_CYCLE_S = 200, 10, 0.25


def measure_setup() -> Iterator[dict[str, object]]:
    """Yield ``session-setup``: from the SDP request to the grant of PowerDelivery, median."""
    times, phases = _with_charger(_set_ups)
    slowest = sorted(phases, key=lambda name: -phases[name])[:4]
    parts = ", ".join(f"{name} {phases[name] * 1e3:.1f}" for name in slowest)
    yield {
        "name": "session-setup",
        "value": statistics.median(times),
        "unit": "s",
        "peer": f"none; p95 {statistics.quantiles(times, n=20)[-1] * 1e3:.1f} ms; medians in ms: {parts}",
        "ratio": None,
    }


def measure_loop() -> Iterator[dict[str, object]]:
    """Yield ``charge-loop``: round trip of one pair of loop messages, ten sessions at once, p99."""
    trips = list(chain(*_with_charger(_loops, _SESSIONS, _LOOPS, _CYCLE_S)))
    yield {
        "name": "charge-loop",
        "value": statistics.quantiles(trips, n=100)[-1],
        "unit": "s",
        "peer": f"none; {_SESSIONS} sessions, one pair each {_CYCLE_S} s; "
        f"median {statistics.median(trips) * 1e3:.2f} ms, worst {max(trips) * 1e3:.2f} ms",
        "ratio": None,
    }


def measure_at_once() -> Iterator[dict[str, object]]:
    """Yield ``sessions``: how many sessions in one process went through without a missed time-out."""
    found = _with_charger(_loops, _AT_ONCE, _AT_ONCE_LOOPS, _AT_ONCE_CYCLE_S)
    trips = list(chain(*found))
    p99 = statistics.quantiles(trips, n=100)[-1] * 1e3
    yield {
        "name": "sessions",
        "value": len(found),
        "unit": "1",
        "peer": f"none; of {_AT_ONCE}, a pair each {_AT_ONCE_CYCLE_S} s; p99 {p99:.1f} ms",
        "ratio": None,
    }


def _with_charger(measuring: Any, *how: Any) -> Any:
    from v2glab.links.pki import make_pki, write_pki

    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        write_pki(make_pki("iso15118-20"), Path(folder) / "pki")
        own, other = spawn.Pipe()
        charger = spawn.Process(target=_serve, args=(other, Path(folder) / "pki"), daemon=True)
        charger.start()
        try:
            return asyncio.run(measuring(Path(folder) / "pki", own.recv(), *how))
        finally:
            charger.kill()
            charger.join()


def _opened(folder: Path, port: int, battery: Any) -> Any:
    from v2glab.links.pki import PkiFiles
    from v2glab.links.sdp import Direct
    from v2glab.links.sessions import OpenSettings
    from v2glab.links.tls import TlsSettings

    return OpenSettings(battery, Direct("::1", port), TlsSettings("evcc", PkiFiles(folder)), keep_alive=False)


async def _set_ups(folder: Path, port: int) -> tuple[list[float], dict[str, float]]:
    from v2glab.links.sessions import ModelBattery, open_session

    times: list[float] = []
    phases: dict[str, list[float]] = {}
    for turn in range(_WARM + _SETUPS):
        opened = _opened(folder, port, ModelBattery())
        _ = opened.tls.context
        began = time.perf_counter()
        async with open_session(opened) as session:
            if turn >= _WARM:
                times.append(time.perf_counter() - began)
                for name, duration in session.phases.items():
                    phases.setdefault(name, []).append(duration)
    return times, {name: statistics.median(found) for name, found in phases.items()}


async def _loops(folder: Path, port: int, sessions: int, loops: int, cycle_s: float) -> list[list[float]]:
    """Return the round trips of each session that lived to its end; they arrive one after the other."""
    from v2glab.evidence import DeviceError
    from v2glab.links.sessions import ModelBattery, open_session

    found: list[list[float] | BaseException] = []
    # A session that breaks is one that does not count; the others go on.
    with suppress(DeviceError):
        async with AsyncExitStack() as stack:
            opened = []
            for number in range(sessions):
                own = replace(_opened(folder, port, ModelBattery()), keep_alive=True, cycle_s=cycle_s)
                with suppress(DeviceError):
                    session = await stack.enter_async_context(open_session(own))
                    opened.append((session, cycle_s * number / sessions))
            made = (_loop(*one, loops, cycle_s) for one in opened)
            found = await asyncio.gather(*made, return_exceptions=True)
    return [trips for trips in found if not isinstance(trips, BaseException)]


async def _loop(session: Any, phase_s: float, loops: int, cycle_s: float) -> list[float]:
    await asyncio.sleep(phase_s)
    before = len(session.trace.records)
    await session.export(power_w=5_000.0, duration_s=loops * cycle_s)
    return _trips(session.trace.records[before:])[:loops]


def _trips(records: Sequence[Any]) -> list[float]:
    """Return seconds from the beginning of encoding to the end of decoding, a pair of messages each."""
    trips, encode_s = [], 0.0
    for record in records:
        if record.name == "DC_ChargeLoopReq":
            encode_s = record.encode_s + record.wire_s
        elif record.name == "DC_ChargeLoopRes":
            trips.append(encode_s + record.answer_s + record.decode_s)
    return trips


def _serve(pipe: Connection, folder: Path) -> None:
    from v2glab.links.pki import PkiFiles
    from v2glab.links.sdp import Direct
    from v2glab.links.sessions import ModelBattery, ModelCharger, ServeSettings, serve_sessions
    from v2glab.links.tls import TlsSettings

    class Plugged(ModelCharger):
        """Its battery is a model here: the vehicle's own stands in the other process."""

        async def connect(self) -> None:
            await super().connect()
            self.battery.contactor_closed = True

        async def disconnect(self) -> None:
            self.battery.contactor_closed = False
            await super().disconnect()

    def plant() -> ModelCharger:
        return Plugged(ModelBattery())

    async def serve() -> None:
        tls = TlsSettings("secc", PkiFiles(folder))
        settings = ServeSettings(plant, port=0, tls=tls, sdp=Direct("::1", 0))
        async with await serve_sessions(settings) as listener:
            pipe.send(listener.sdp_port)
            await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    for measured in (measure_setup, measure_loop, measure_at_once):
        for row in measured():
            print(row)
