"""Tiny peers that answer from a script and keep what they were asked, byte for byte."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[bytes], bytes | None]


class Peer:
    """A TCP server whose answer to each received chunk is computed by a function; ``None`` closes."""

    def __init__(self, answer: Answer) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with link:
            while data := link.recv(65536):
                self.requests.append(data)
                answer = self._answer(data)
                if answer is None:
                    return
                try:
                    link.sendall(answer)
                except OSError:
                    return

    def close(self) -> None:
        self._server.close()


@contextmanager
def peer(answer: Answer) -> Iterator[Peer]:
    server = Peer(answer)
    try:
        yield server
    finally:
        server.close()


def scripted(*exchanges: tuple[bytes, bytes]) -> Answer:
    """Answer requests in order; a request that differs from the script closes the connection."""
    script = list(exchanges)

    def answer(data: bytes) -> bytes | None:
        if not script or script[0][0] != data:
            return None
        return script.pop(0)[1]

    return answer


def lines(table: dict[str, str | bytes]) -> Answer:
    """Answer SCPI commands from a table; commands that are not in it have no answer."""

    def answer(data: bytes) -> bytes:
        out = b""
        for command in data.decode().splitlines():
            reply = table.get(command, b"")
            out += reply if isinstance(reply, bytes) else reply.encode() + b"\n"
        return out

    return answer


@contextmanager
def serial_peer(answer: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """A pseudo terminal with a scripted device at its far end; yields its path and the requests."""
    import tty

    far, near = os.openpty()
    tty.setraw(near)
    tty.setraw(far)
    requests: list[bytes] = []
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                data = os.read(far, 512)
            except OSError:
                return
            requests.append(data)
            reply = answer(data)
            if reply:
                os.write(far, reply)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield os.ttyname(near), requests
    finally:
        done.set()
        os.close(near)


def modbus_tcp(request: bytes, message: bytes) -> bytes:
    """Frame an answer to a request: same transaction and unit."""
    return request[:4] + (len(message) + 1).to_bytes(2, "big") + request[6:7] + message
