"""The twin's OCPP 2.0.1 charging station: OCPP-J over a WebSocket, TLS 1.3 with its own certificate."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from v2glab.evidence import V2GError
from v2glab.gateway import PkiPaths, client_context, inspect_certificate, tls_reason
from v2glab.links import SUBPROTOCOL, OcppPeer
from v2glab.twin._logs import ChargerLog
from v2glab.twin._plant import Plant

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

FIRST_DELAY_S, LONGEST_DELAY_S = 0.2, 2.0
SAMPLE_S = 0.2
_OPEN_S = 5.0
Payload = dict[str, Any]


class ChargingStation:
    """Connects, boots, and runs transactions that the gateway asks for; meter values come from the plant.

    A transaction is logical: it moves no power and does not touch the contactor.

    Parameters
    ----------
    url
        ``wss://host:port/<station id>``.
    sample_s
        Wall time between two meter values of a transaction.
    """

    def __init__(
        self,
        plant: Plant,
        url: str,
        pki: PkiPaths,
        station_id: str,
        log: ChargerLog,
        sample_s: float = SAMPLE_S,
    ) -> None:
        self._plant, self._url, self._pki, self._id, self._log = plant, url, pki, station_id, log
        self._sample_s = sample_s
        self._told = ""
        self._transaction: _Transaction | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Stay connected until cancelled; after each loss, wait 0.2 s, doubling up to 2 s."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                if await self._connect():
                    delay_s = FIRST_DELAY_S
            except (V2GError, OSError) as error:
                self._tell("WARNING", "gateway_unreachable", reason=str(error))
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    async def _connect(self) -> bool:
        """Hold one connection until it ends; return whether the gateway had accepted it."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus, WebSocketException

        # Loaded for each attempt: a certificate that was renewed counts at once.
        alerts: list[ssl.SSLError] = []
        context = client_context(self._pki, on_alert=alerts.append)
        try:
            async with connect(
                self._url,
                ssl=context,
                subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # a NewType of str
                compression=None,
                open_timeout=_OPEN_S,
                close_timeout=1,
                proxy=None,
            ) as connection:
                self._told = ""
                await self._serve(connection)
                return True
        except InvalidStatus as error:
            self._tell("ERROR", "gateway_refused", reason=f"HTTP {error.response.status_code}")
        except (WebSocketException, OSError) as error:
            if alerts:
                self._tell_alert(alerts[0])
            else:
                self._tell("WARNING", "gateway_unreachable", reason=_plain(error))
        return False

    async def _serve(self, connection: ClientConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        async def send(text: str) -> None:
            try:
                await connection.send(text)
            except ConnectionClosed as error:
                raise ConnectionError(str(error)) from error

        peer = OcppPeer(
            send,
            {
                "RequestStartTransaction": lambda payload: self._start(peer, payload),
                "RequestStopTransaction": self._stop,
                # It knows no vendor's extension (part 2, P01).
                "DataTransfer": lambda payload: {"status": "UnknownVendorId"},
            },
        )
        working = self._spawn(self._boot(peer))
        try:
            async for text in connection:
                await peer.receive(text)
        except (ConnectionClosed, ConnectionError):
            pass
        finally:
            working.cancel()
            peer.close()
            for task in tuple(self._tasks):
                task.cancel()
            self._transaction = None
            self._log.now("WARNING", "gateway_lost", url=self._url)

    async def _boot(self, peer: OcppPeer) -> None:
        """Boot, report the connector, then send heartbeats at the interval that the gateway gave."""
        with contextlib.suppress(V2GError):
            while True:
                answer = await peer.call("BootNotification", _BOOT)
                self._log.now("INFO", "boot", status=answer["status"], interval_s=answer["interval"])
                if answer["status"] == "Accepted":
                    break
                await asyncio.sleep(max(1, answer["interval"]))
            await peer.call("StatusNotification", self._status("Available"))
            while True:
                await peer.call("Heartbeat", {})
                await asyncio.sleep(max(1, answer["interval"]))

    def _start(self, peer: OcppPeer, payload: Payload) -> Payload:
        if self._transaction is not None:
            return {"status": "Rejected", "transactionId": self._transaction.identity}
        transaction = _Transaction(str(uuid.uuid4()), payload["remoteStartId"], payload["idToken"])
        self._transaction = transaction
        self._log.now("INFO", "transaction_started", id=transaction.identity)
        self._spawn(self._run(peer, transaction))
        return {"status": "Accepted", "transactionId": transaction.identity}

    def _stop(self, payload: Payload) -> Payload:
        if self._transaction is None or self._transaction.identity != payload["transactionId"]:
            return {"status": "Rejected"}
        self._transaction.stop.set()
        return {"status": "Accepted"}

    async def _run(self, peer: OcppPeer, transaction: _Transaction) -> None:
        """Send Started, Updated at each sample, and Ended."""
        with contextlib.suppress(V2GError):
            await peer.call("StatusNotification", self._status("Occupied"))
            await peer.call("TransactionEvent", transaction.started(self._meter_value()))
            while not await _happens(transaction.stop, self._sample_s):
                await peer.call("TransactionEvent", transaction.updated(self._meter_value()))
            await peer.call("TransactionEvent", transaction.ended(self._meter_value()))
            self._log.now("INFO", "transaction_ended", id=transaction.identity)
            self._transaction = None
            await peer.call("StatusNotification", self._status("Available"))

    def _status(self, status: str) -> Payload:
        return {"timestamp": _now(), "connectorStatus": status, "evseId": 1, "connectorId": 1}

    def _meter_value(self) -> Payload:
        state = self._plant.state
        sampled: list[Payload] = [
            _sample(state.power_w, "Power.Active.Export", "W"),
            _sample(state.energy_export_wh, "Energy.Active.Export.Register", "Wh"),
            _sample(state.energy_import_wh, "Energy.Active.Import.Register", "Wh"),
            _sample(state.grid_frequency_hz, "Frequency", "Hz"),
            _sample(state.soc_percent, "SoC", "Percent"),
        ]
        sampled += [
            {**_sample(volts, "Voltage", "V"), "phase": f"L{place}-N"}
            for place, volts in enumerate(state.voltage_v, start=1)
        ]
        return {"timestamp": _now(), "sampledValue": sampled}

    def _spawn(self, work: Any) -> asyncio.Task[None]:  # noqa: ANN401 -- a coroutine
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _tell_alert(self, error: ssl.SSLError) -> None:
        """Log which certificate was refused, and why: the gateway's by us, or ours by the gateway."""
        own = not isinstance(error, ssl.SSLCertVerificationError)
        fields: dict[str, object] = {"reason": tls_reason(error)}
        fields["certificate"] = "station" if own else "gateway"
        path = self._pki.certificate("station" if own else "gateway")
        with contextlib.suppress(V2GError):
            facts = inspect_certificate(path)
            fields |= {"subject": facts.subject, "not_after": f"{facts.not_after:%Y-%m-%dT%H:%M:%SZ}"}
        self._tell("ERROR", "tls_alert", **fields)

    def _tell(self, level: str, event: str, **fields: object) -> None:
        """Log an obstacle once, not at every attempt."""
        told = f"{event} {fields}"
        if told != self._told:
            self._told = told
            self._log.now(level, event, **fields)


class _Transaction:
    """Numbers the events of one transaction."""

    def __init__(self, identity: str, remote_start_id: int, id_token: Payload) -> None:
        self.identity, self.stop = identity, asyncio.Event()
        self._remote_start_id, self._id_token, self._number = remote_start_id, id_token, 0

    def started(self, meter_value: Payload) -> Payload:
        event = self._event("Started", "RemoteStart", "EVConnected", meter_value)
        event["transactionInfo"]["remoteStartId"] = self._remote_start_id
        return {**event, "idToken": self._id_token, "evse": {"id": 1, "connectorId": 1}}

    def updated(self, meter_value: Payload) -> Payload:
        return self._event("Updated", "MeterValuePeriodic", "EVConnected", meter_value)

    def ended(self, meter_value: Payload) -> Payload:
        event = self._event("Ended", "RemoteStop", "EVConnected", meter_value)
        event["transactionInfo"]["stoppedReason"] = "Remote"
        return event

    def _event(self, event: str, trigger: str, state: str, meter_value: Payload) -> Payload:
        number, self._number = self._number, self._number + 1
        return {
            "eventType": event,
            "timestamp": _now(),
            "triggerReason": trigger,
            "seqNo": number,
            "transactionInfo": {"transactionId": self.identity, "chargingState": state},
            "meterValue": [meter_value],
        }


_BOOT: Payload = {
    "reason": "PowerUp",
    "chargingStation": {"model": "twin", "vendorName": "v2glab", "firmwareVersion": "1"},
}


def _sample(value: float, measurand: str, unit: str) -> Payload:
    return {"value": value, "measurand": measurand, "unitOfMeasure": {"unit": unit}}


def _now() -> str:
    # Wall time, as heartbeats set it: the plant's own time may stand still.
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _happens(event: asyncio.Event, within_s: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), within_s)
    except TimeoutError:
        return False
    return True


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _plain(error: BaseException) -> str:
    last = list(_chain(error))[-1]
    return (getattr(last, "strerror", None) or str(last) or type(last).__name__).split("\n")[0]
