"""A connection of the vehicle link, in clear or in TLS, on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Sequence

from v2glab.diagnosis import Finding
from v2glab.links.pki import ChainFinding
from v2glab.links.tls._causes import HandshakeError, explain, peer_findings, refused_profile
from v2glab.links.tls._context import TlsSettings
from v2glab.links.tls._hello import offered_version
from v2glab.links.tls._timing import Timing, measure_path, slow_finding, split
from v2glab.links.tls._watch import TICKET, Watch, wrap

#: Octets read at a time.
CHUNK = 1 << 16
#: A ClientHello of which the version is not known after so many octets is left to OpenSSL.
_LONGEST_HELLO = 1 << 13
_WANT = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class PlainStream:
    """A TCP connection in clear."""

    def __init__(self, link: socket.socket) -> None:
        self._socket, self._loop = link, asyncio.get_running_loop()
        self._sending = asyncio.Lock()

    @property
    def peer(self) -> str:
        """Address and port of the other end."""
        return _shown(self._socket)

    @property
    def round_trip_s(self) -> float | None:
        """Smoothed round trip of TCP as the kernel measured it, in seconds; None where it does not tell."""
        path = measure_path(self._socket)
        return path.round_trip_s if path else None

    async def read(self, limit: int = CHUNK) -> bytes:
        """Return what came, at least one octet; empty at the end of the connection."""
        try:
            return await self._loop.sock_recv(self._socket, limit)
        except ConnectionError:
            return b""

    async def write(self, data: bytes) -> None:
        """Send octets.

        Raises
        ------
        HandshakeError
            The vehicle's certificate was refused meanwhile (TLS only).
        OSError
            The connection is gone.
        """
        async with self._sending:
            await self._loop.sock_sendall(self._socket, data)

    async def close(self) -> None:
        """End the connection."""
        self._socket.close()


class TlsStream(PlainStream):
    """A connection in TLS; made by ``connect_tls`` and ``serve_tls``, which wait for :meth:`negotiate`.

    ``findings`` is what the rules of the vehicle link say of the other end's chain; it is empty unless the
    settings are not strict. ``confirmed`` says whether the other end is known to have accepted this end: a
    client of TLS 1.3 learns that with the first ticket or octet only. ``version`` and ``suite`` are named as
    OpenSSL does.

    Parameters
    ----------
    settings, others
        Of several settings of a charger the vehicle's ClientHello chooses, by version; where none fits, the
        first ones refuse it.
    connect_s
        What the TCP connection took.
    """

    def __init__(
        self,
        link: socket.socket,
        settings: TlsSettings,
        connect_s: float | None = None,
        others: Sequence[TlsSettings] = (),
    ) -> None:
        super().__init__(link)
        self._settings, self._connect_s, self._others = settings, connect_s, others
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._wrap()
        self._ahead = b""
        self._heard = self._ended = False
        self._local_s, self._waits = 0.0, 0
        self.version = self.suite = ""
        self.timing: Timing | None = None
        self.findings: tuple[ChainFinding, ...] = ()

    def _wrap(self) -> None:
        context, server = self._settings.context, self._settings.end == "secc"
        self._tls = wrap(context, self._incoming, self._outgoing, server=server)

    @property
    def watch(self) -> Watch:
        """What passed in the handshake."""
        return self._tls.watch

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """Certificates that the other end showed, DER, leaf first."""
        return tuple(self.watch.shown)

    @property
    def confirmed(self) -> bool:
        """Whether the other end is known to have accepted this end's certificate."""
        early = self._settings.end == "evcc" and self.version == "TLSv1.3"
        return self._heard or not early or TICKET in self.watch.read

    @property
    def slow(self) -> Finding | None:
        """ISO-15118-403, when the negotiation took too long."""
        return slow_finding(self.timing, self._settings.rules) if self.timing else None

    async def negotiate(self) -> None:
        """Do the handshake, and judge the other end's chain by the rules of the vehicle link.

        Raises
        ------
        HandshakeError
            It failed; the cause says in which phase, by whose certificate and why.
        """
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._settings.rules.timeouts.handshake_s):
                await self._handshake()
        except (OSError, ssl.SSLError, TimeoutError) as error:
            cause = explain(error, self.watch, self._settings)
            raise HandshakeError(cause, self._timed(began)) from error
        self.timing = self._timed(began)
        # Kept: a connection that was closed knows its version no more.
        cipher = self._tls.cipher()
        self.version, self.suite = self._tls.version() or "", cipher[0] if cipher else ""
        found = peer_findings(self.watch, self._settings)
        if found and self._settings.strict:
            raise HandshakeError(refused_profile(found, self._settings.rules), self.timing)
        self.findings = found

    async def _choose(self) -> None:
        """Take the settings of the version that the vehicle asks for."""
        octets = b""
        while (version := offered_version(octets)) is None and len(octets) < _LONGEST_HELLO:
            octets += await self._more()
        fit = [s for s in (self._settings, *self._others) if s.profile.version == version]
        if fit and fit[0] is not self._settings:
            self._settings = fit[0]
            self._wrap()
        self._incoming.write(octets)

    async def _more(self) -> bytes:
        data = await self._loop.sock_recv(self._socket, CHUNK)
        if not data:
            raise ConnectionError("the connection was closed")
        return data

    async def _handshake(self) -> None:
        if self._others:
            await self._choose()
        while True:
            began, done = time.perf_counter(), False
            try:
                self._tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            finally:
                self._local_s += time.perf_counter() - began
                sent = self._outgoing.pending > 0
                # An alert goes out even when the handshake failed: the other end learns why.
                if sent:
                    with contextlib.suppress(ConnectionError):
                        await self._flush()
            if done:
                return
            self._waits += sent
            self._incoming.write(await self._more())

    def _timed(self, began: float) -> Timing:
        total = time.perf_counter() - began
        way = measure_path(self._socket)
        return split(total, self._local_s, self._waits, way, self._connect_s)

    async def read(self, limit: int = CHUNK) -> bytes:
        """Return what came, at least one octet; empty at the end of the connection.

        Raises
        ------
        HandshakeError
            The other end refused this end's certificate after the handshake, or a record was damaged.
        """
        while True:
            if self._ahead:
                data, self._ahead = self._ahead[:limit], self._ahead[limit:]
                return data
            if self._ended:
                return b""
            if not self._decrypt():
                await self._receive()

    def _decrypt(self) -> bool:
        """Take what can be read without waiting; whether anything came of it."""
        try:
            data = self._tls.read(CHUNK)
        except _WANT:
            return False
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            data = b""
        except ssl.SSLError as error:
            raise self._failure(error) from error
        if not data and not self.confirmed:
            raise self._failure(ConnectionError("the connection was closed"))
        self._ended = not data
        self._heard = self._heard or bool(data)
        self._ahead += data
        return True

    def _failure(self, error: Exception) -> HandshakeError:
        return HandshakeError(explain(error, self.watch, self._settings), self.timing)

    async def _receive(self) -> None:
        try:
            data = await self._loop.sock_recv(self._socket, CHUNK)
        except ConnectionError as error:
            if not self.confirmed:
                raise self._failure(error) from error
            data = b""
        self._take(data)

    def _take(self, data: bytes) -> None:
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def write(self, data: bytes) -> None:
        """Send octets; as long as this end is not confirmed, what came is looked at first."""
        if not self.confirmed:
            self._look()
        self._tls.write(data)
        try:
            await self._flush()
        except ConnectionError as error:
            if not self.confirmed:
                self._look()
                raise self._failure(error) from error
            raise

    def _look(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self._take(self._socket.recv(CHUNK))
        self._decrypt()

    async def _flush(self) -> None:
        async with self._sending:
            while self._outgoing.pending:
                await self._loop.sock_sendall(self._socket, self._outgoing.read())

    async def linger(self) -> None:
        """Stop sending, and read what still comes for a while, so that the last octets reach the other end.

        Closing with unread octets makes the kernel cut the connection, and an alert on its way is lost.
        """
        with contextlib.suppress(OSError, TimeoutError):
            self._socket.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(self._settings.rules.timeouts.linger_s):
                while await self._loop.sock_recv(self._socket, CHUNK):
                    pass

    async def close(self) -> None:
        """Say goodbye and end the connection."""
        with contextlib.suppress(OSError, ssl.SSLError, ValueError):
            with contextlib.suppress(*_WANT):
                self._tls.unwrap()
            await self._flush()
        self._socket.close()


def _shown(link: socket.socket) -> str:
    try:
        host, port = link.getpeername()[:2]
    except OSError:
        return ""
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
