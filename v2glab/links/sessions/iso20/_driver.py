"""The vehicle's driver of ISO 15118-20."""

from __future__ import annotations

from dataclasses import replace

from v2glab.evidence import UsageError
from v2glab.links.sessions._message import Message
from v2glab.links.sessions._vehicle import DriverParts, LoopState, VehicleDriver, Wanted, Wishes
from v2glab.links.sessions.iso20._install import Contract
from v2glab.links.sessions.iso20._numbers import number
from v2glab.links.sessions.iso20._vehicle_agree import (
    agree,
    deliver,
    exchange_schedule,
    prepare_dc,
    start_power,
)
from v2glab.links.sessions.iso20._vehicle_begin import begin, choose
from v2glab.links.sessions.iso20._vehicle_loop import loop_once
from v2glab.links.sessions.iso20._vehicle_side import VehicleSide, Waiting


class Iso20Driver(VehicleDriver):
    """Carries a session of AC or DC through, in one or both directions, scheduled or dynamic."""

    def __init__(self, parts: DriverParts) -> None:
        super().__init__(parts)
        self.side = VehicleSide(self.asker, self.plant, self.wishes, self.sleep, self.progress)

    @property
    def installed(self) -> Contract | None:
        """The contract that was installed in this session."""
        return self.side.contract

    @property
    def joined(self) -> bool:
        """Whether a paused session was joined."""
        return self.side.joined

    async def set_up(self) -> None:
        """From SessionSetup to the grant of PowerDelivery; power may flow afterwards."""
        await begin(self.side)
        await self._to_power()

    async def _to_power(self) -> None:
        await choose(self.side)
        await agree(self.side)
        await self._connect()

    async def _connect(self) -> None:
        if self.side.mode.kind == "DC":
            await prepare_dc(self.side)
        else:
            await self.plant.close_contactor()
        await start_power(self.side)

    async def cycle(self, wanted: Wanted) -> LoopState:
        """Exchange one pair of loop messages."""
        if not self.side.live:
            raise UsageError("no power is granted", "a session that was set up", "call set_up or wake first")
        return await loop_once(self.side, wanted.power_w)

    async def renegotiate(self, wishes: Wishes | None = None) -> None:
        """Agree on a new schedule; with wishes, on another service or control mode.

        Raises
        ------
        UsageError
            The wishes ask for the other kind of connector.
        """
        if wishes is None:
            await deliver(self.side, "ScheduleRenegotiation")
            await exchange_schedule(self.side)
            await start_power(self.side)
            return
        changed = replace(self.wishes, service=wishes.service, control=wishes.control)
        if changed.service.split("_")[0] != self.wishes.service.split("_")[0]:
            raise UsageError(
                f"{changed.service} after {self.wishes.service}", "the same connector", "open another session"
            )
        await self._unload()
        await self.side.ask("SessionStop", {"ChargingSession": "ServiceRenegotiation"})
        self.wishes = self.side.wishes = changed
        await self._to_power()

    async def standby(self) -> None:
        """Rest: contactors open, the session stays."""
        await self._to_zero()
        self.side.live = False
        answer = await self.asker.ask(
            "PowerDelivery", {"EVProcessing": "Finished", "ChargeProgress": "Standby"}
        )
        if answer.response_code.startswith("WARNING"):
            self.side.live = True
            raise self.asker.fail("refused", answer, answer.response_code)
        await self.plant.open_contactor()

    async def wake(self) -> None:
        """Go on after :meth:`standby`."""
        await self._connect()

    async def stop(self, *, pause: bool = False) -> None:
        """End the flow of energy, test for welds, and end or pause the session."""
        if not self.side.known:
            return
        welded = await self._unload()
        await self.side.ask("SessionStop", {"ChargingSession": "Pause" if pause else "Terminate"})
        self.side.known = False
        if welded is not None:
            told = f"{number(welded.body['EVSEPresentVoltage']):g} V after opening"
            raise self.asker.fail("contactor", welded, told)

    async def _unload(self) -> Message | None:
        """Bring the power to zero and open; return the answer that shows a weld, None without."""
        side = self.side
        if not side.live:
            return None
        await self._to_zero()
        side.live = False
        await deliver(side, "Stop")
        await self.plant.open_contactor()
        return await self._weld_test() if side.mode.kind == "DC" else None

    async def _to_zero(self) -> None:
        figures = self.side.rules.figures
        waited = Waiting(self.sleep, figures.poll_s)
        while not abs((await loop_once(self.side, 0.0)).current_a) > figures.idle_a:
            return
        while waited.passed_s < figures.idle_s:
            await waited.once()
            if not abs((await loop_once(self.side, 0.0)).current_a) > figures.idle_a:
                return

    async def _weld_test(self) -> Message | None:
        figures = self.side.rules.figures
        waited = Waiting(self.sleep, figures.poll_s)
        while True:
            answer = await self.side.ask("DC_WeldingDetection", {"EVProcessing": "Ongoing"})
            low = number(answer.body["EVSEPresentVoltage"]) < figures.welded_v
            if low or waited.passed_s >= figures.welding_s:
                break
            await waited.once()
        await self.side.ask("DC_WeldingDetection", {"EVProcessing": "Finished"})
        return None if low else answer


def make_driver(parts: DriverParts) -> Iso20Driver:
    """Return the vehicle's side of one session."""
    return Iso20Driver(parts)
