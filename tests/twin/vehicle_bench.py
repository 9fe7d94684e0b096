"""A vehicle at a served twin: stations by its resolved file, sessions without a procedure."""

import asyncio
import contextlib
import socket
import threading
import time
from pathlib import Path

from v2glab.links.pki import PkiFiles
from v2glab.links.sdp import Direct
from v2glab.links.sessions import OpenSettings, PowerLimits, VehicleNeeds, VehicleReading, Wishes
from v2glab.links.tls import TlsSettings
from v2glab.procedures import Context, load_procedure, validate_parameters
from v2glab.station import open_station


def execute(resolved, work, **values):
    """Run the procedure at a twin under way."""
    procedure = load_procedure("open_vehicle_session")
    parameters = validate_parameters(procedure, values)
    with open_station(resolved) as station:
        return procedure.execute(Context(parameters, station, work))


class Bus:
    """A battery at the voltage of the twin's DC bus, without any reading of it."""

    limits = PowerLimits(50_000, 50_000, 125, 125, 300, 950, phase_v=277)
    needs = VehicleNeeds(60_000, 80, 20, 100)
    closed = False

    async def read(self):
        return VehicleReading(70.0, 750.0, 0.0, self.closed)

    async def close_contactor(self):
        self.closed = True

    async def open_contactor(self):
        self.closed = False


def settings_at(served, service, plain=""):
    """Return how a vehicle opens a session at a twin in lockstep; ``plain`` is a protocol in clear."""
    vehicle = served.addresses["vehicle"]
    host, _, port = vehicle["address"].rpartition(":")

    async def sleep(duration_s):
        await asyncio.to_thread(served.rpc, "clock.advance", duration_s=duration_s)

    return OpenSettings(
        Bus(),
        Direct(host.strip("[]"), int(port)),
        None if plain else TlsSettings("evcc", PkiFiles(Path(vehicle["pki"]))),
        Wishes(service),
        protocols=(plain,) if plain else (),
        keep_alive=False,
        clock=lambda: served.rpc("clock.now")["time_ns"] * 1e-9,
        sleep=sleep,
    )


class SlowRelay:
    """Passes TCP to a port; the first answer waits, as on a link that loses and repeats."""

    def __init__(self, port, wait_s):
        self._port, self._wait_s = port, wait_s
        self._listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        near, _ = self._listener.accept()
        far = socket.create_connection(("::1", self._port))
        for link in (near, far):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_pass, args=(near, far, 0.0), daemon=True).start()
        _pass(far, near, self._wait_s)
        self._listener.close()


def _pass(source, sink, wait_s):
    with contextlib.suppress(OSError):  # the other way may have ended first
        while data := source.recv(65536):
            time.sleep(wait_s)
            wait_s = 0.0
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
