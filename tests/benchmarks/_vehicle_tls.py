"""Time to the first verified octet of a vehicle: TLS 1.3, mutual, P-521, beside the bare ssl module."""

import asyncio
import multiprocessing
import socket
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

_WARM, _TIMES = 10, 200


def measure() -> Iterator[dict[str, object]]:
    """Yield ``tls-handshake``: p95 from the TCP connection to the echo of one octet, and ratio to the floor.

    The floor is the ssl module alone, blocking, with the same chains, group and checks of OpenSSL. Both have
    their charger in a process of its own, and take turns, so that the machine's other load meets both.
    """
    from v2glab.links.pki import PkiFiles, make_pki, write_pki

    with tempfile.TemporaryDirectory() as folder:
        files = write_pki(make_pki("iso15118-20"), Path(folder) / "pki")
        assert isinstance(files, PkiFiles)
        with _Charger(_serve_bare, files.folder) as bare, _Charger(_serve_own, files.folder) as own:
            floor, ours = asyncio.run(_turns(files.folder, bare.port, own.port))
    value, peer = _p95(ours), _p95(floor)
    yield {
        "name": "tls-handshake",
        "value": value,
        "unit": "s",
        "peer": f"ssl module alone, p95 {peer * 1e3:.2f} ms; medians {statistics.median(ours) * 1e3:.2f} "
        f"and {statistics.median(floor) * 1e3:.2f} ms",
        "ratio": round(value / peer, 2),
    }


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


async def _turns(folder: Path, bare_port: int, own_port: int) -> tuple[list[float], list[float]]:
    from v2glab.links.pki import PkiFiles
    from v2glab.links.tls import TlsSettings, connect_tls

    settings, context = TlsSettings("evcc", PkiFiles(folder)), _context(folder, server=False)
    floor, ours = [], []
    for turn in range(_WARM + _TIMES):
        began = time.perf_counter()
        with socket.create_connection(("::1", bare_port)) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain) as link:
                link.sendall(b"x")
                assert link.recv(1) == b"x"
                bare_s = time.perf_counter() - began
        began = time.perf_counter()
        stream = await connect_tls("::1", own_port, settings)
        await stream.write(b"x")
        assert await stream.read() == b"x"
        own_s = time.perf_counter() - began
        await stream.close()
        if turn >= _WARM:
            floor.append(bare_s)
            ours.append(own_s)
    return floor, ours


def _context(folder: Path, *, server: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_REQUIRED
    role, other = ("secc", "vehicle") if server else ("vehicle", "secc")
    context.load_cert_chain(folder / f"{role}.pem", folder / f"{role}.key")
    context.load_verify_locations(folder / f"{other}.root.pem")
    context.set_ecdh_curve("secp521r1")
    return context


class _Charger:
    """A charger in a process of its own."""

    def __init__(self, serve: Callable[[Connection, Path], None], folder: Path) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._own, other = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(other, folder), daemon=True)

    def __enter__(self) -> "_Charger":
        self._process.start()
        self.port = self._own.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


def _serve_bare(pipe: Connection, folder: Path) -> None:
    context = _context(folder, server=True)
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        pipe.send(listener.getsockname()[1])
        while True:
            plain, _ = listener.accept()
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain, server_side=True) as link:
                link.sendall(link.recv(1))
                link.recv(1)


def _serve_own(pipe: Connection, folder: Path) -> None:
    from v2glab.links.pki import PkiFiles
    from v2glab.links.tls import TlsSettings, TlsStream, serve_tls

    async def echo(stream: TlsStream) -> None:
        while data := await stream.read():
            await stream.write(data)

    async def serve() -> None:
        async with await serve_tls(TlsSettings("secc", PkiFiles(folder)), echo, port=0) as listener:
            pipe.send(listener.port)
            await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    for row in measure():
        print(row)
