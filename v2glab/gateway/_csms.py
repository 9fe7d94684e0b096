"""What the gateway answers to a charging station (OCPP 2.0.1, part 2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from v2glab.gateway._journal import Journal
from v2glab.gateway._log import GatewayLog
from v2glab.links._ocpp_peer import Handler

HEARTBEAT_S = 30
#: Transaction events held in memory, the newest; the journal holds all.
_HELD = 10_000

Payload = dict[str, Any]


def utc_text() -> str:
    """Return the time as OCPP writes it: RFC 3339 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class StationDesk:
    """Answers one station, and holds what it said of itself.

    ``changed`` is called after each request that was taken in.
    """

    def __init__(self, station: str, journal: Journal, log: GatewayLog, changed: Callable[[], None]) -> None:
        self.station, self._journal, self._log, self._changed = station, journal, log, changed
        self.boot: Payload = {}
        self.connectors: dict[tuple[int, int], str] = {}
        self.events: list[Payload] = []
        self.heartbeats = 0

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by action."""
        answers: dict[str, Callable[[Payload], Payload]] = {
            "BootNotification": self._boot,
            "Heartbeat": self._heartbeat,
            "StatusNotification": self._status,
            "Authorize": self._authorize,
            "TransactionEvent": self._transaction,
            "MeterValues": lambda payload: {},
            "NotifyReport": lambda payload: {},
            "NotifyEvent": lambda payload: {},
            "SecurityEventNotification": self._security,
        }
        return {action: self._with_notice(answer) for action, answer in answers.items()}

    def _with_notice(self, answer: Callable[[Payload], Payload]) -> Handler:
        def handle(payload: Payload) -> Payload:
            result = answer(payload)
            self._changed()
            return result

        return handle

    def _boot(self, payload: Payload) -> Payload:
        self.boot = payload
        told = payload["chargingStation"]
        self._log(
            "INFO",
            "boot",
            station=self.station,
            vendor=told["vendorName"],
            model=told["model"],
            firmware=told.get("firmwareVersion", ""),
            reason=payload["reason"],
        )
        return {"currentTime": utc_text(), "interval": HEARTBEAT_S, "status": "Accepted"}

    def _heartbeat(self, payload: Payload) -> Payload:
        self.heartbeats += 1
        return {"currentTime": utc_text()}

    def _status(self, payload: Payload) -> Payload:
        place, status = (payload["evseId"], payload["connectorId"]), payload["connectorStatus"]
        self.connectors[place] = status
        level = "WARNING" if status == "Faulted" else "INFO"
        self._log(level, "status", station=self.station, evse=place[0], connector=place[1], status=status)
        return {}

    def _authorize(self, payload: Payload) -> Payload:
        # Identities that carry no token need none; others are unknown here: there is no list of users yet.
        kind = payload["idToken"]["type"]
        status = "Accepted" if kind in ("Central", "NoAuthorization") else "Unknown"
        self._log("INFO", "authorize", station=self.station, type=kind, status=status)
        return {"idTokenInfo": {"status": status}}

    def _transaction(self, payload: Payload) -> Payload:
        info = payload["transactionInfo"]
        if self._journal.transaction_event(self.station, payload):
            self.events.append(payload)
            if len(self.events) > _HELD:
                del self.events[: _HELD // 10]
            self._log(
                "INFO",
                "transaction",
                station=self.station,
                id=info["transactionId"],
                event=payload["eventType"],
                seq=payload["seqNo"],
                trigger=payload["triggerReason"],
            )
        return {"idTokenInfo": {"status": "Accepted"}} if "idToken" in payload else {}

    def _security(self, payload: Payload) -> Payload:
        self._log(
            "WARNING",
            "security_event",
            station=self.station,
            type=payload["type"],
            info=payload.get("techInfo", ""),
        )
        return {}
