"""Instruments against raw sockets that do the same exchange with the same peer, in the same run."""

import multiprocessing
import socket
import statistics
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_REPEATS, _CALLS = 15, 400
_REGISTERS = 60


def measure() -> Iterator[dict[str, object]]:
    """Yield the rows ``modbus-read`` and ``scpi-query``; value in seconds, ratio to the raw exchange."""
    yield from _modbus_read()
    yield from _scpi_query()


def _modbus_read() -> Iterator[dict[str, object]]:
    from v2glab.instruments import open_instrument

    with _server(_answer_modbus) as port:
        raw = _connect(port)
        request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, _REGISTERS)

        def peer() -> None:
            raw.sendall(request)
            answer = b""
            while len(answer) < 9 + 2 * _REGISTERS:
                answer += raw.recv(4096)
            struct.unpack_from(f">{_REGISTERS}H", answer, 9)

        with _bank_profile() as profile:
            device = open_instrument("meter", profile, f"tcp://127.0.0.1:{port}")
            link_read = device._link.read  # type: ignore[attr-defined]
            ours, quantities, floor = _medians(lambda: link_read(3, 0, _REGISTERS), device.read, peer)
            device.close()
        raw.close()
    yield _row("modbus-read", ours, floor)
    yield _row("modbus-read/quantities", quantities, floor)


def _scpi_query() -> Iterator[dict[str, object]]:
    from v2glab.instruments import open_instrument

    with _server(_answer_scpi) as port:
        raw = _connect(port)

        def peer() -> None:
            raw.sendall(b"MEAS:VOLT:AC?\n")
            answer = b""
            while not answer.endswith(b"\n"):
                answer += raw.recv(4096)
            float(answer)

        device = open_instrument("dmm", "keysight_34465a", f"TCPIP::127.0.0.1::{port}::SOCKET")
        query = device._link.query  # type: ignore[attr-defined]
        ours, quantities, floor = _medians(
            lambda: float(query("MEAS:VOLT:AC?")), lambda: device.read("voltage_ac"), peer
        )
        device.close()
        raw.close()
    yield _row("scpi-query", ours, floor)
    yield _row("scpi-query/quantities", quantities, floor)


def _row(name: str, value: float, floor: float) -> dict[str, object]:
    ratio = round(value / floor, 3)
    return {"name": name, "value": value, "unit": "s", "peer": "raw socket, same exchange", "ratio": ratio}


def _medians(*calls: Callable[[], object]) -> list[float]:
    """Return the median time of each call; they take turns, so that all see the same machine."""
    for call in calls:
        for _ in range(_CALLS):
            call()
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(_REPEATS):
        for call, seen in zip(calls, times, strict=True):
            start = time.perf_counter()
            for _ in range(_CALLS):
                call()
            seen.append((time.perf_counter() - start) / _CALLS)
    return [statistics.median(seen) for seen in times]


@contextmanager
def _bank_profile() -> Iterator[str]:
    """A profile of 30 float registers in a row: 60 words in one exchange."""
    import tempfile
    from pathlib import Path

    head = 'schema = 1\n[profile]\nname = "bank"\nvendor = "v"\nmodel = "m"\nkind = "modbus"\nsource = "s"\n'
    table = '[[register]]\nname = "v{0}"\naddress = {1}\nfunction = 3\ntype = "float32"\nunit = "V"\n'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bank.toml"
        path.write_text(head + "".join(table.format(k, 2 * k) for k in range(_REGISTERS // 2)))
        yield str(path)


@contextmanager
def _server(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """Serve in a process of its own, as a device would."""
    listener = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener, answer), daemon=True)
    process.start()
    try:
        yield listener.getsockname()[1]
    finally:
        process.terminate()
        process.join()
        listener.close()


def _serve(listener: socket.socket, answer: Callable[[bytes], bytes]) -> None:
    import selectors

    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    link, _address = listener.accept()
                    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(link, selectors.EVENT_READ)
                    continue
                link = key.fileobj  # type: ignore[assignment]
                if data := link.recv(4096):
                    link.sendall(answer(data))
                else:
                    selector.unregister(link)


def _answer_modbus(request: bytes) -> bytes:
    data = struct.pack(f">{_REGISTERS // 2}f", *([277.0] * (_REGISTERS // 2)))
    return request[:4] + struct.pack(">HBBB", 3 + len(data), request[6], request[7], len(data)) + data


def _answer_scpi(data: bytes) -> bytes:
    queries = [line for line in data.splitlines() if line.endswith(b"?")]
    return b"".join(b"+0\n" if b"ERR?" in line else b"+2.77012000E+02\n" for line in queries)


def _connect(port: int) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), timeout=1.0)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


if __name__ == "__main__":
    import json

    for row in measure():
        print(json.dumps(row))
