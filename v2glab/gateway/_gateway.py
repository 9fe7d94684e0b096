"""The OCPP service of the gateway: WebSocket over TLS 1.3, in a thread of its own."""

from __future__ import annotations

import logging
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from v2glab.evidence import DeviceError, StorageError, UsageError
from v2glab.gateway._csms import StationDesk
from v2glab.gateway._journal import Journal
from v2glab.gateway._log import GatewayLog
from v2glab.gateway._loop import LoopThread
from v2glab.gateway._pki import PkiPaths
from v2glab.gateway._tls import Refusal, common_name, server_context
from v2glab.links import SUBPROTOCOL, OcppPeer, Seen, known_actions

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

_START_S, _STOP_S = 10.0, 5.0
_LONGEST_MESSAGE = 1 << 20
#: Newest messages held in memory (the journal holds all), and refusals told apart: memory must not fill.
_HELD, _REASONS = 100_000, 1000


class OcppGateway:
    """Takes charging stations in over ``wss://host:port/<station>``; OCPP 2.0.1, security profile 3.

    A station's certificate must carry its identity as common name. A context manager that starts and stops.

    Parameters
    ----------
    port
        0 for a free one; :attr:`port` then holds it.
    pki
        Certificates of the gateway and the root.
    log_path, journal_path
        Text log (logfmt) and SQLite journal; both are appended to.
    call_timeout_s
        Longest wait for a station's answer.
    """

    def __init__(
        self,
        host: str,
        port: int,
        pki: PkiPaths,
        log_path: Path,
        journal_path: Path,
        call_timeout_s: float = 10.0,
    ) -> None:
        self.host, self.port = host, port
        self._pki, self._log_path, self._journal_path = pki, log_path, journal_path
        self._call_timeout_s = call_timeout_s
        self._thread: LoopThread | None = None
        self._peers: dict[str, tuple[OcppPeer, ServerConnection]] = {}
        self._desks: dict[str, StationDesk] = {}
        self._change = threading.Condition()
        self._seen: list[tuple[str, Seen]] = []
        self._refusals: Counter[Refusal] = Counter()
        self._tls: dict[str, tuple[str, str]] = {}
        self._certificates: dict[str, bytes] = {}

    def __enter__(self) -> OcppGateway:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns when stations can connect.

        Raises
        ------
        DeviceError
            The port is in use or must not be listened on.
        InputError
            The certificates cannot be used.
        StorageError
            Log or journal cannot be opened.
        """
        if self._thread is not None:
            raise UsageError("a gateway that was started", "one start", "make another gateway")
        known_actions()
        context = server_context(self._pki, self._reject)
        self._log = GatewayLog(self._log_path)
        try:
            self._journal = Journal(self._journal_path)
        except StorageError:
            self._log.close()
            raise
        self._thread = LoopThread("ocpp-gateway")
        try:
            self._server: Server = self._thread.run(self._listen(context), _START_S)
        except OSError as error:
            self._end()
            raise DeviceError(
                f"{self.host}:{self.port}: {error.strerror or error}",
                "a port that is free and may be listened on",
                f"stop what listens there (ss -ltnp 'sport = :{self.port}'), or choose another port",
            ) from error
        self.port = int(next(iter(self._server.sockets)).getsockname()[1])
        self._log("INFO", "listening", host=self.host, port=self.port, subprotocol=SUBPROTOCOL)

    def stop(self) -> None:
        """Close all connections and end the thread; a second call does nothing."""
        if self._thread is None or not self._thread.alive:
            return
        try:
            self._thread.run(self._shut(), _STOP_S)
        except TimeoutError:
            self._log("WARNING", "stop_timeout")
        self._log("INFO", "stopped")
        self._end()

    def call(self, station_id: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a request to a station and return the payload of its answer.

        Raises
        ------
        DeviceError
            The station is not connected, refused, or did not answer in time.
        InputError
            The request does not fit its schema.
        """
        entry = self._peers.get(station_id)
        if entry is None or self._thread is None:
            raise DeviceError(
                f"station {station_id!r} is not connected", "a connected station", "see the gateway's log"
            )
        # One open CALL may stand before this one.
        try:
            return self._thread.run(entry[0].call(action, payload), 2 * self._call_timeout_s + 1)
        except TimeoutError as error:
            raise DeviceError(f"{action}: no answer in time", "an answer", "see the gateway's log") from error

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition holds, looking again after every message; return whether it does."""
        with self._change:
            return self._change.wait_for(condition, timeout_s)

    def desk(self, station_id: str) -> StationDesk | None:
        """Return what a station said of itself, or ``None`` before it connected."""
        return self._desks.get(station_id)

    def connected(self, station_id: str) -> bool:
        """Whether the station is connected now."""
        return station_id in self._peers

    def tls(self, station_id: str) -> tuple[str, str] | None:
        """Return TLS version and cipher of the station's last connection."""
        return self._tls.get(station_id)

    def certificate(self, station_id: str) -> bytes | None:
        """Return the certificate (DER) that the station showed on its last connection."""
        return self._certificates.get(station_id)

    @property
    def rejected(self) -> dict[str, int]:
        """Reasons of failed handshakes and refused connections, and how often each was seen."""
        return {refusal.reason: count for refusal, count in self.refusals.items()}

    @property
    def refusals(self) -> dict[Refusal, int]:
        """Failed handshakes and refused connections, and how often each was seen."""
        return dict(self._refusals)

    @property
    def messages(self) -> tuple[tuple[str, Seen], ...]:
        """Station and message, in the order in which they passed; the newest 100,000 at most."""
        return tuple(self._seen)

    # -- in the thread of the loop -------------------------------------------------------------------------

    async def _listen(self, context: ssl.SSLContext) -> Server:
        from websockets.asyncio.server import serve

        quiet = logging.getLogger("v2glab.gateway.websockets")
        quiet.addHandler(logging.NullHandler())
        quiet.propagate = False
        return await serve(
            self._serve,
            self.host,
            self.port,
            ssl=context,
            subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # a NewType of str
            process_request=self._admit,
            compression=None,
            max_size=_LONGEST_MESSAGE,
            open_timeout=5,
            ssl_handshake_timeout=5,
            close_timeout=1,
            logger=quiet,
        )

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse a station that goes by another name than its certificate says (part 2, A00.FR.507)."""
        station, name = _identity(request.path), self._peer_name(connection)
        if station and station == name:
            return None
        reason = f"certificate of {name!r} used for {station!r}"
        self._note_refusal(Refusal(reason, "station"))
        self._log("ERROR", "auth_rejected", reason=reason)
        return connection.respond(401, "the certificate names another station\n")

    async def _serve(self, connection: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        station = _identity(connection.request.path if connection.request else "")
        peer = self._take_in(station, connection)
        try:
            async for text in connection:
                if isinstance(text, bytes):
                    # OCPP-J has text frames only (part 4, clause 3.2).
                    await connection.close(1003, "text frames only")
                    break
                await peer.receive(text)
        except (ConnectionClosed, ConnectionError):
            pass
        finally:
            peer.close()
            if self._peers.get(station, (None,))[0] is peer:
                del self._peers[station]
            self._log("INFO", "disconnected", station=station)
            self._changed()

    def _take_in(self, station: str, connection: ServerConnection) -> OcppPeer:
        from websockets.exceptions import ConnectionClosed

        older = self._peers.get(station)
        if older is not None:
            self._log("WARNING", "replaced", station=station)
            older[0].close("the station connected again")
            older[1].transport.abort()
        desk = self._desks.setdefault(station, StationDesk(station, self._journal, self._log, self._changed))

        async def send(text: str) -> None:
            try:
                await connection.send(text)
            except ConnectionClosed as error:
                raise ConnectionError(str(error)) from error

        peer = OcppPeer(send, desk.handlers(), lambda seen: self._note(station, seen), self._call_timeout_s)
        socket = connection.transport.get_extra_info("ssl_object")
        self._tls[station] = (str(socket.version()), str(socket.cipher()[0]))
        self._certificates[station] = socket.getpeercert(binary_form=True)
        self._peers[station] = (peer, connection)
        self._log("INFO", "connected", station=station, tls=socket.version(), cipher=socket.cipher()[0])
        self._changed()
        return peer

    def _peer_name(self, connection: ServerConnection) -> str:
        socket = connection.transport.get_extra_info("ssl_object")
        return common_name(socket.getpeercert() or {})

    def _note(self, station: str, seen: Seen) -> None:
        self._seen.append((station, seen))
        if len(self._seen) > _HELD:
            del self._seen[: _HELD // 10]
        if seen.fault:
            self._log("WARNING", "message_fault", station=station, action=seen.action, fault=seen.fault)
        self._journal.message(station, seen)
        self._changed()

    def _reject(self, refusal: Refusal) -> None:
        self._note_refusal(refusal)
        self._log("ERROR", "tls_rejected", reason=refusal.reason)

    def _note_refusal(self, refusal: Refusal) -> None:
        if refusal in self._refusals or len(self._refusals) < _REASONS:
            self._refusals[refusal] += 1
        self._changed()

    def _changed(self) -> None:
        with self._change:
            self._change.notify_all()

    async def _shut(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _end(self) -> None:
        if self._thread is not None:
            self._thread.end()
            self._journal.close()
            self._log.close()


def _identity(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path.split("?", 1)[0].rpartition("/")[2])
