"""The other end of OCPP: a charging station of the ocpp package, and raw TLS clients."""

import asyncio
import contextlib
import ssl
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result
from websockets.asyncio.client import connect

STAMP = "2026-01-01T00:00:00Z"


def client_tls(folder: Path, role: str = "station", ca: Path | None = None) -> ssl.SSLContext:
    """A client as any TLS library would set it up, without the project's own code."""
    context = ssl.create_default_context(cafile=str(ca or folder / "ca.pem"))
    context.load_cert_chain(folder / f"{role}.pem", folder / f"{role}.key")
    return context


@dataclass
class Habits:
    """How a station behaves; each default is as the standard has it."""

    boots: bool = True
    reports: bool = True
    accepts_start: bool = True
    updates: int = 1000
    ends: bool = True
    repeats: bool = False
    skips: frozenset = frozenset()
    sends_rubbish: bool = False
    leaves_at: int | None = None
    triggers: list = field(default_factory=list)
    started: list = field(default_factory=list)


class LibraryStation(ChargePoint):
    """A charging station by the ocpp package."""

    def __init__(self, identity, connection, habits):
        super().__init__(identity, connection, response_timeout=5)
        self.habits, self.tasks, self.stop, self.transaction = habits, set(), asyncio.Event(), ""

    async def wake_up(self):
        if self.habits.boots:
            station = {"model": "Wallbox", "vendor_name": "Library"}
            await self.call(call.BootNotification(charging_station=station, reason="PowerUp"))
        if self.habits.reports:
            await self.report()
            await self.call(call.Heartbeat())
        if self.habits.sends_rubbish:
            await self._connection.send('[2,"r1","Heartbeat",{"colour":"red"}]')

    async def report(self):
        await self.call(
            call.StatusNotification(timestamp=STAMP, connector_status="Available", evse_id=1, connector_id=1)
        )

    def spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    @on("TriggerMessage")
    def on_trigger(self, requested_message, **rest):
        self.habits.triggers.append(requested_message)
        work = {
            "BootNotification": lambda: self.call(
                call.BootNotification(
                    charging_station={"model": "Wallbox", "vendor_name": "Library"}, reason="Triggered"
                )
            ),
            "StatusNotification": self.report,
            "Heartbeat": lambda: self.call(call.Heartbeat()),
        }[requested_message]
        self.spawn(work())
        return call_result.TriggerMessage(status="Accepted")

    @on("DataTransfer")
    def on_data(self, vendor_id, **rest):
        return call_result.DataTransfer(status="UnknownVendorId")

    @on("RequestStartTransaction")
    def on_start(self, id_token, remote_start_id, **rest):
        self.habits.started.append(rest)
        if not self.habits.accepts_start:
            info = {"reason_code": "NoCable"}
            return call_result.RequestStartTransaction(status="Rejected", status_info=info)
        self.transaction = str(uuid.uuid4())
        self.spawn(self.charge(remote_start_id))
        return call_result.RequestStartTransaction(status="Accepted", transaction_id=self.transaction)

    @on("RequestStopTransaction")
    def on_stop(self, transaction_id, **rest):
        known = transaction_id == self.transaction
        if known:
            self.stop.set()
        return call_result.RequestStopTransaction(status="Accepted" if known else "Rejected")

    async def charge(self, remote_start_id):
        await self.event("Started", "RemoteStart", 0, remote_start_id=remote_start_id)
        number = 0
        while number < self.habits.updates and not self.stop.is_set():
            number += 1
            if number == self.habits.leaves_at:
                await self._connection.close()
                return
            if number not in self.habits.skips:
                await self.event("Updated", "MeterValuePeriodic", number)
            await asyncio.sleep(0.01)
        await self.stop.wait()
        if self.habits.ends:
            await self.event("Ended", "RemoteStop", number + 1, stopped_reason="Remote")

    async def event(self, kind, trigger, number, **info):
        request = call.TransactionEvent(
            event_type=kind,
            timestamp=STAMP,
            trigger_reason=trigger,
            seq_no=number,
            transaction_info={"transaction_id": self.transaction, **info},
            meter_value=[{"timestamp": STAMP, "sampled_value": [{"value": 1.25}]}],
        )
        for _ in range(2 if self.habits.repeats else 1):
            # Each call has a new message identity, as from a charger that lost the answer.
            await self.call(request)


@contextlib.contextmanager
def library_station(url, tls, habits=None, retry_s=0.05):
    """Keep a station of the ocpp package connected from a thread of its own."""
    habits, loop, ready = habits or Habits(), asyncio.new_event_loop(), threading.Event()
    holder = {}

    async def live():
        holder["task"] = asyncio.current_task()
        ready.set()
        while True:
            with contextlib.suppress(Exception):
                async with connect(url, ssl=tls, subprotocols=["ocpp2.0.1"], proxy=None) as connection:
                    station = LibraryStation(url.rpartition("/")[2], connection, habits)
                    station.spawn(station.wake_up())
                    await station.start()
            await asyncio.sleep(retry_s)

    async def tidy():
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def run():
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(live())
        loop.run_until_complete(tidy())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(5)
    try:
        yield habits
    finally:
        loop.call_soon_threadsafe(holder["task"].cancel)
        thread.join(5)
