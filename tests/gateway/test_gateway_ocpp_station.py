"""The twin's charging station against a management system of the ocpp package."""

import asyncio
import contextlib
import ssl

import pytest
from ocpp.exceptions import NotSupportedError
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result
from ocpp_peers import STAMP
from websockets.asyncio.server import serve

from v2glab.gateway import create_pki
from v2glab.twin._charging_station import ChargingStation
from v2glab.twin._logs import ChargerLog
from v2glab.twin._plant import Plant
from v2glab.twin._settings import PlantSettings

NAME = "STATION-1"
TOKEN = {"id_token": "x", "type": "Central"}


class Management(ChargePoint):
    """Validates everything that comes in by the package's schemas, and keeps it."""

    def __init__(self, identity, connection):
        super().__init__(identity, connection, response_timeout=5)
        self.events, self.statuses, self.boots, self.beats = [], [], 0, 0
        self.news = asyncio.Event()

    def told(self):
        self.news.set()

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()

    @on("BootNotification")
    def on_boot(self, charging_station, reason, **rest):
        self.boots += 1
        self.told()
        return call_result.BootNotification(current_time=STAMP, interval=1, status="Accepted")

    @on("Heartbeat")
    def on_heartbeat(self):
        self.beats += 1
        self.told()
        return call_result.Heartbeat(current_time=STAMP)

    @on("StatusNotification")
    def on_status(self, connector_status, **rest):
        self.statuses.append(connector_status)
        self.told()
        return call_result.StatusNotification()

    @on("TransactionEvent")
    def on_event(self, **event):
        self.events.append(event)
        self.told()
        return call_result.TransactionEvent()


@contextlib.asynccontextmanager
async def bench(tmp_path):
    """Serve a management system; yield a function that waits for the next connection of the station."""
    pki = create_pki(tmp_path / "pki", NAME)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.ca))
    context.load_cert_chain(pki.certificate("gateway"), pki.key("gateway"))
    context.verify_mode = ssl.CERT_REQUIRED
    arrived = asyncio.Queue()

    async def talk(connection):
        management = Management(NAME, connection)
        arrived.put_nowait(management)
        with contextlib.suppress(Exception):
            await management.start()

    async with serve(talk, "127.0.0.1", 0, ssl=context, subprotocols=["ocpp2.0.1"]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        log = ChargerLog(tmp_path / "charger.log")
        station = ChargingStation(
            Plant(PlantSettings(), []), f"wss://127.0.0.1:{port}/{NAME}", pki, NAME, log, sample_s=0.01
        )
        living = asyncio.create_task(station.run())
        try:
            yield lambda: asyncio.wait_for(arrived.get(), 10)
        finally:
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living
            log.close()


def run(tmp_path, work):
    async def whole():
        async with bench(tmp_path) as arrival:
            await work(arrival)

    asyncio.run(whole())


def test_it_boots_reports_and_beats_at_the_interval_it_was_given(tmp_path):
    async def work(arrival):
        management = await arrival()
        await management.until(lambda: management.beats >= 2)
        assert management.boots == 1 and management.statuses == ["Available"]

    run(tmp_path, work)


def test_a_transaction_is_complete_gapless_and_carries_the_plants_numbers(tmp_path):
    async def work(arrival):
        management = await arrival()
        await management.until(lambda: management.beats >= 1)
        first = await management.call(call.RequestStartTransaction(id_token=TOKEN, remote_start_id=9))
        assert first.status == "Accepted"
        second = await management.call(call.RequestStartTransaction(id_token=TOKEN, remote_start_id=10))
        assert second.status == "Rejected", "one transaction at a time"
        await management.until(lambda: len(management.events) >= 4)
        wrong = await management.call(call.RequestStopTransaction(transaction_id="other"))
        assert wrong.status == "Rejected"
        right = await management.call(call.RequestStopTransaction(transaction_id=first.transaction_id))
        assert right.status == "Accepted"
        await management.until(lambda: management.events[-1]["event_type"] == "Ended")
        events = management.events
        assert [e["seq_no"] for e in events] == list(range(len(events)))
        assert {e["transaction_info"]["transaction_id"] for e in events} == {first.transaction_id}
        assert events[0]["event_type"] == "Started"
        assert events[0]["transaction_info"]["remote_start_id"] == 9
        samples = {
            (s["measurand"], s.get("phase")): s["value"] for s in events[1]["meter_value"][0]["sampled_value"]
        }
        assert samples["SoC", None] == pytest.approx(70.0)
        assert samples["Voltage", "L2-N"] == pytest.approx(277.0, rel=0.02)
        assert samples["Power.Active.Export", None] == pytest.approx(0.0, abs=1.0), "it is logical"
        await management.until(
            lambda: management.statuses[-1] == "Available" and len(management.statuses) == 3
        )
        assert management.statuses == ["Available", "Occupied", "Available"]

    run(tmp_path, work)


def test_what_it_cannot_do_is_said(tmp_path):
    async def work(arrival):
        management = await arrival()
        answer = await management.call(call.DataTransfer(vendor_id="nobody"))
        assert answer.status == "UnknownVendorId"
        with pytest.raises(NotSupportedError):
            await management.call(call.Reset(type="Immediate"), suppress=False)

    run(tmp_path, work)


def test_it_comes_back_and_boots_again_without_its_old_transaction(tmp_path):
    async def work(arrival):
        first = await arrival()
        await first.until(lambda: first.beats >= 1)
        await first.call(call.RequestStartTransaction(id_token=TOKEN, remote_start_id=9))
        await first.until(lambda: len(first.events) >= 2)
        await first._connection.close()
        second = await arrival()
        await second.until(lambda: second.beats >= 1)
        assert second.boots == 1 and second.events == []
        again = await second.call(call.RequestStartTransaction(id_token=TOKEN, remote_start_id=10))
        assert again.status == "Accepted"

    run(tmp_path, work)
    assert "gateway_lost" in (tmp_path / "charger.log").read_text()
