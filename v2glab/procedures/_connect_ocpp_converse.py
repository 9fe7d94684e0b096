"""What gateway and charging station say to each other, step by step; every wait has an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from v2glab.evidence import DeviceError
from v2glab.procedures._connect_ocpp_talk import PROBE, PROBE_PAYLOAD, Payload, Plan, Talk

if TYPE_CHECKING:
    from v2glab.gateway import OcppGateway
    from v2glab.procedures._procedure import Sample

#: A refused station is given this long to come again with another certificate.
SECOND_CHANCE_S = 3.0
#: After this time without one, a report is asked for.
ASK_AFTER_S = 2.0
#: Probes end after this time, on a slow link with fewer than asked for.
PROBING_S = 10.0
#: Holds the power at zero, for stations with smart charging (OCPP 2.0.1 part 2, K).
_NO_POWER: Payload = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.0}]}
    ],
}


def converse(gateway: OcppGateway, plan: Plan, progress: Callable[[Sample], None]) -> Talk:
    """Wait for the station, let it boot, run a transaction when that is allowed, and measure round trips.

    What the station does not do ends up in the result; nothing is raised for it.
    """
    return _Conversation(gateway, plan, progress).run()


class _Conversation:
    def __init__(self, gateway: OcppGateway, plan: Plan, progress: Callable[[Sample], None]) -> None:
        self.gateway, self.plan, self.progress = gateway, plan, progress
        self.talk, self.began = Talk(), time.monotonic()

    def run(self) -> Talk:
        if self._connection():
            try:
                self._reports()
                self._transaction()
                self._probes()
            except DeviceError as error:
                self._note(error)
        return self._gather()

    def _note(self, error: DeviceError) -> None:
        """Keep the first thing that went wrong: what follows is its consequence."""
        self.talk.problem = self.talk.problem or error.found

    def _connection(self) -> bool:
        plan, gateway = self.plan, self.gateway
        until = self.began + plan.connect_timeout_s

        def there() -> bool:
            return gateway.connected(plan.station_id)

        gateway.wait_for(lambda: there() or bool(gateway.refusals), plan.connect_timeout_s)
        if not there():
            gateway.wait_for(there, max(0.0, min(until - time.monotonic(), SECOND_CHANCE_S)))
        if not there():
            return False
        self.talk.connect_s = time.monotonic() - self.began
        self.talk.tls_version, self.talk.cipher = gateway.tls(plan.station_id) or ("", "")
        self.talk.certificate = gateway.certificate(plan.station_id)
        self._tell()
        return True

    def _reports(self) -> None:
        """Wait for boot, status and heartbeat; ask for what does not come by itself."""
        if not self._until(lambda: not self._missing(), ASK_AFTER_S):
            for action in self._missing():
                # A station that has booted before, or whose heartbeat is not due, is silent with good reason.
                self._ask(action)
            self._until(lambda: not self._missing(), self.plan.connect_timeout_s)
        self._tell()

    def _missing(self) -> list[str]:
        desk = self.gateway.desk(self.plan.station_id)
        if desk is None:
            return []
        there = {
            "BootNotification": bool(desk.boot),
            "StatusNotification": bool(desk.connectors),
            "Heartbeat": desk.heartbeats > 0,
        }
        return [action for action, came in there.items() if not came]

    def _ask(self, action: str) -> None:
        payload: Payload = {"requestedMessage": action}
        if action == "StatusNotification":
            payload["evse"] = {"id": 1, "connectorId": 1}
        try:
            self.gateway.call(self.plan.station_id, "TriggerMessage", payload)
        except DeviceError as error:
            self.talk.not_reported = error.found

    def _transaction(self) -> None:
        if not self.plan.may_act:
            self.talk.not_started = "a live station is only read; approve with --approve-energise"
            return
        self.talk.tried = True
        remote_id = time.time_ns() // 1_000_000 % 2**31
        answer = self.gateway.call(
            self.plan.station_id,
            "RequestStartTransaction",
            {
                "idToken": {"idToken": "v2glab", "type": "Central"},
                "remoteStartId": remote_id,
                "evseId": 1,
                "chargingProfile": _NO_POWER,
            },
        )
        if answer["status"] != "Accepted":
            why = answer.get("statusInfo", {}).get("reasonCode", "no reason given")
            self.talk.tried, self.talk.not_started = False, f"the station rejected the start: {why}"
            return
        identity = str(answer.get("transactionId", ""))
        try:
            if self._await_events(remote_id, "Started", 1):
                self._await_events(remote_id, "Updated", self.plan.meter_values)
        except DeviceError as error:
            self._note(error)
        finally:
            self._stop(remote_id, identity)

    def _stop(self, remote_id: int, identity: str) -> None:
        """Ask the station to end it, whatever came before; one that went away may come back and go on."""
        name, events = self.plan.station_id, self._events(remote_id)
        identity = events[0]["transactionInfo"]["transactionId"] if events else identity
        try:
            if identity and not _of_kind(events, "Ended"):
                self.gateway.wait_for(lambda: self.gateway.connected(name), self.plan.event_timeout_s)
                self.gateway.call(name, "RequestStopTransaction", {"transactionId": identity})
                self._await_events(remote_id, "Ended", 1)
        except DeviceError as error:
            self._note(error)
        self.talk.events = self._events(remote_id)
        self._tell()

    def _await_events(self, remote_id: int, kind: str, count: int) -> bool:
        """Wait for so many events, for each as long as permitted; an Ended ends every wait."""
        while (got := len(_of_kind(self._events(remote_id), kind))) < count:
            came = self._until(
                lambda got=got: (
                    len(_of_kind(self._events(remote_id), kind)) > got  # type: ignore[misc]
                    or bool(_of_kind(self._events(remote_id), "Ended"))
                ),
                self.plan.event_timeout_s,
            )
            self._tell()
            if not came or (kind != "Ended" and _of_kind(self._events(remote_id), "Ended")):
                return False
        return True

    def _events(self, remote_id: int) -> list[Payload]:
        """Return the events of our transaction: the first names our request, the others its identity."""
        desk = self.gateway.desk(self.plan.station_id)
        events = list(desk.events) if desk is not None else []
        ours = {
            e["transactionInfo"]["transactionId"]
            for e in events
            if e["transactionInfo"].get("remoteStartId") == remote_id
        }
        return [e for e in events if e["transactionInfo"]["transactionId"] in ours]

    def _probes(self) -> None:
        until = time.monotonic() + PROBING_S
        for _ in range(self.plan.probes):
            if time.monotonic() > until:
                return
            try:
                self.gateway.call(self.plan.station_id, PROBE, PROBE_PAYLOAD)
            except DeviceError as error:
                # A refusal took the same way there and back; silence and a lost connection did not.
                if not self.gateway.connected(self.plan.station_id) or "no answer" in error.found:
                    raise

    def _until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait, but not on for a station that is gone."""
        name = self.plan.station_id
        self.gateway.wait_for(lambda: condition() or not self.gateway.connected(name), timeout_s)
        if not condition() and not self.gateway.connected(name):
            raise DeviceError(
                f"station {name!r} went away", "a connection that stays", "see the station's log"
            )
        return condition()

    def _tell(self) -> None:
        count = float(len(self.gateway.messages))
        self.progress({"time_s": time.monotonic() - self.began, "messages": count})

    def _gather(self) -> Talk:
        talk, name = self.talk, self.plan.station_id
        talk.messages = tuple(seen for station, seen in self.gateway.messages if station == name)
        refusals = self.gateway.refusals
        talk.refusals, talk.refused = tuple(refusals), sum(refusals.values())
        boots = [
            str(seen.payload.get("status", ""))
            for seen in talk.messages
            if (seen.direction, seen.kind, seen.action) == ("out", "CALLRESULT", "BootNotification")
        ]
        talk.boots, talk.boot_status = boots.count("Accepted"), boots[-1] if boots else ""
        desk = self.gateway.desk(name)
        if desk is not None:
            told = desk.boot.get("chargingStation", {})
            talk.vendor, talk.model = told.get("vendorName", ""), told.get("model", "")
            talk.statuses, talk.heartbeats = len(desk.connectors), desk.heartbeats
        return talk


def _of_kind(events: list[Payload], kind: str) -> list[Payload]:
    return [event for event in events if event["eventType"] == kind]
