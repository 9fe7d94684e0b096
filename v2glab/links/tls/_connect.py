"""Connect to a charger, or listen as one: TCP on port 15118 or any, in clear or in TLS."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from v2glab.evidence import DeviceError
from v2glab.links._address import resolve
from v2glab.links._closing import Closing
from v2glab.links.tls._causes import HandshakeError, TlsCause, cause_of
from v2glab.links.tls._context import TlsSettings
from v2glab.links.tls._rules import Phase, TlsRules, load_tls_rules
from v2glab.links.tls._stream import PlainStream, TlsStream

#: Port for a charger behind a firewall; 0 takes a dynamic one, as the standard lets it.
FIXED_PORT = 15118
#: Where a charger's dynamic port lies (RFC 6335, 6; ISO 15118-2:2014, 7.7.3), not where the kernel's do.
DYNAMIC_PORTS = range(49152, 65536)
_TRIES = 200
#: Connections of one listener at a time; more wait in the kernel.
AT_ONCE = 256
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENODEV, errno.EINVAL}


async def connect_tls(host: str, port: int, settings: TlsSettings) -> TlsStream:
    """Connect as a vehicle and negotiate.

    Parameters
    ----------
    host
        Numeric address; a link-local one with its scope, such as ``"fe80::1%eth0"``.

    Raises
    ------
    HandshakeError
        No connection; the cause names phase and remedy.
    InputError
        Address, port or settings cannot be used.
    """
    _ = settings.context  # made before the connection: its cost is no part of the negotiation
    link, connect_s = await _connect(host, port, settings.rules)
    try:
        stream = TlsStream(link, settings, connect_s)
        try:
            await stream.negotiate()
        except HandshakeError:
            await stream.linger()
            raise
    except BaseException:
        link.close()
        raise
    return stream


async def connect_plain(host: str, port: int) -> PlainStream:
    """Connect as a vehicle without TLS.

    Raises
    ------
    HandshakeError
        No TCP connection; its phase is TCP.
    InputError
        Address or port cannot be used.
    """
    link, _ = await _connect(host, port, load_tls_rules())
    return PlainStream(link)


async def _connect(host: str, port: int, rules: TlsRules) -> tuple[socket.socket, float]:
    family, address = resolve(host, port, lowest=1)
    link = socket.socket(family, socket.SOCK_STREAM)
    began = time.perf_counter()
    try:
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(rules.timeouts.connect_s):
            await asyncio.get_running_loop().sock_connect(link, address)
    except OSError as error:  # TimeoutError is one of them
        link.close()
        raise HandshakeError(_tcp_cause(error, host, port, rules)) from error
    except BaseException:
        link.close()
        raise
    return link, time.perf_counter() - began


def _tcp_cause(error: OSError, host: str, port: int, rules: TlsRules) -> TlsCause:
    if isinstance(error, ConnectionRefusedError):
        name = "refused"
    else:
        name = "unreachable" if error.errno in _UNREACHABLE else "timed-out"
    return cause_of(name, rules, Phase.TCP, evidence=[f"{host} port {port}: {error or 'no answer'}"])


class Listener(Closing):
    """A charger's TCP port; each connection has a task of its own.

    Use it as an asynchronous context manager, or call :meth:`close`.
    """

    def __init__(
        self,
        link: socket.socket,
        settings: Sequence[TlsSettings],
        handler: Callable[[Any], Awaitable[None]],
        on_failure: Callable[[HandshakeError], None],
    ) -> None:
        self._socket, self._settings, self._handler, self._on_failure = link, settings, handler, on_failure
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept())

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        for task in (self._accepting, *self._tasks):
            task.cancel()
        await asyncio.gather(self._accepting, *self._tasks, return_exceptions=True)
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                link, _ = await loop.sock_accept(self._socket)
            except OSError as error:
                # A connection that died in the queue, or no file handles left: the listener goes on.
                self._room.release()
                await asyncio.sleep(0.05 if error.errno in {errno.EMFILE, errno.ENFILE} else 0)
                continue
            except BaseException:
                self._room.release()
                raise
            task = asyncio.create_task(self._serve(link))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a connection of the vehicle link failed", "exception": error, "task": task}
            )

    async def _serve(self, link: socket.socket) -> None:
        with contextlib.closing(link):
            link.setblocking(False)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = self._stream(link)
            if isinstance(stream, TlsStream):
                try:
                    await stream.negotiate()
                except HandshakeError as failure:
                    self._on_failure(failure)
                    await stream.linger()
                    return
            try:
                await self._handler(stream)
            finally:
                await stream.close()

    def _stream(self, link: socket.socket) -> PlainStream:
        if not self._settings:
            return PlainStream(link)
        return TlsStream(link, self._settings[0], others=self._settings[1:])


async def serve_tls(
    settings: TlsSettings | Sequence[TlsSettings],
    handler: Callable[[TlsStream], Awaitable[None]],
    *,
    host: str = "::1",
    port: int = FIXED_PORT,
    on_failure: Callable[[HandshakeError], None] = lambda failure: None,
) -> Listener:
    """Listen as a charger in TLS.

    Parameters
    ----------
    settings
        Of one edition, or of several with a TLS version each: the vehicle's ClientHello chooses.
    handler
        Given each connection after its handshake; the connection is closed when it returns.
    port
        :data:`FIXED_PORT`, or 0 for a dynamic one.
    on_failure
        Told of each connection that failed, and why.

    Raises
    ------
    DeviceError
        The port is taken, or the address is none of this machine.
    InputError
        Address, port or settings cannot be used.
    """
    several = (settings,) if isinstance(settings, TlsSettings) else tuple(settings)
    for one in several:
        _ = one.context
    return Listener(_listen(host, port), several, handler, on_failure)


async def serve_plain(
    handler: Callable[[PlainStream], Awaitable[None]], *, host: str = "::1", port: int = FIXED_PORT
) -> Listener:
    """Listen as a charger without TLS; else as :func:`serve_tls`."""
    return Listener(_listen(host, port), (), handler, lambda failure: None)


def _listen(host: str, port: int) -> socket.socket:
    family, address = resolve(host, port, lowest=0)
    link = socket.socket(family, socket.SOCK_STREAM)
    try:
        _bind(link, address, port)
        link.listen(AT_ONCE)
        link.setblocking(False)
    except OSError as error:
        link.close()
        required = "a free port on an address of this machine"
        remedy = "stop what holds the port, or listen on a dynamic one (0)"
        raise DeviceError(f"{host} port {port}: {error.strerror}", required, remedy) from error
    return link


def _bind(link: socket.socket, address: tuple[Any, ...], port: int) -> None:
    """Bind to a port; instead of 0 to a free one of the dynamic range, which vehicles insist on."""
    if port:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        link.bind(address)
        return
    # Without SO_REUSEADDR: with it, two sockets can hold one port until the second begins to listen.
    # Of the machine's own randomness: a seeded generator would try the same ports again and again.
    for chosen in random.SystemRandom().sample(DYNAMIC_PORTS, _TRIES):
        try:
            link.bind((address[0], chosen, *address[2:]))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return
    raise OSError(errno.EADDRINUSE, "no free port in the dynamic range")
