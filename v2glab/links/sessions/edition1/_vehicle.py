"""The vehicle's way through DIN 70121 and ISO 15118-2: what both have in common, whatever flows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar

from v2glab.evidence import InputError, LimitError
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._plant import VehicleReading
from v2glab.links.sessions._rules import Limits
from v2glab.links.sessions._vehicle import (
    DriverParts,
    LoopState,
    Notice,
    VehicleDriver,
    Wanted,
)
from v2glab.links.sessions.edition1._identity import evcc_octets
from v2glab.links.sessions.edition1._patience import Patience
from v2glab.links.sessions.edition1._rules import Dialect, Edition1Rules, load_edition1_rules


class Edition1Vehicle(VehicleDriver):
    """Carries a session through; protocols and kinds of current fill in their messages.

    ``joined`` says whether the charger took up a paused session again.
    """

    dialect: ClassVar[Dialect]
    #: Kind of current.
    kind: ClassVar[str]

    def __init__(self, parts: DriverParts, rules: Edition1Rules | None = None) -> None:
        super().__init__(parts)
        self.rules = rules or load_edition1_rules()
        self.joined = self._flows = False

    async def set_up(self) -> None:
        """From SessionSetup to the grant of PowerDelivery."""
        async with self._safe():
            await self._open_session()
            await self._authorise()
            await self._arrange()

    async def cycle(self, wanted: Wanted) -> LoopState:
        """Exchange one pair of loop messages.

        Raises
        ------
        LimitError
            The power is outside what both ends allow; these protocols cannot export.
        InputError
            No power may flow: the session is not set up, or has ended.
        """
        if not self._flows:
            raise InputError("a power without PowerDelivery", "a session that is set up", "call set_up first")
        if wanted.power_w > 0:
            raise LimitError(
                f"{wanted.power_w:g} W of export",
                f"charging: {self._title} has no messages to discharge",
                "agree on ISO 15118-20 with a bidirectional service",
            )
        await self._check(-wanted.power_w)
        async with self._safe():
            return await self._cycle(-wanted.power_w)

    async def stop(self, *, pause: bool = False) -> None:
        """End the flow of energy, test for welds, and end or pause the session."""
        async with self._safe():
            if self._flows:
                self.progress.tell("PowerDelivery")
                await self._end_flow()
            self.progress.tell("SessionStop")
            await self.asker.ask("SessionStop", self._farewell(pause=pause))

    @abstractmethod
    async def _authorise(self) -> None:
        """From ServiceDiscovery to the grant of authorisation."""

    @abstractmethod
    async def _arrange(self) -> None:
        """From ChargeParameterDiscovery to the grant of PowerDelivery."""

    @abstractmethod
    async def _check(self, charge_w: float) -> None:
        """Refuse a power that is out of bounds with ``LimitError``."""

    @abstractmethod
    async def _cycle(self, charge_w: float) -> LoopState:
        """Exchange loop messages at a power, W, charging positive."""

    @abstractmethod
    async def _end_flow(self) -> None:
        """Take the power away, open, and test for welds."""

    @abstractmethod
    def _farewell(self, *, pause: bool) -> Body:
        """Return the body of SessionStopReq."""

    @property
    def _title(self) -> str:
        return self.asker.link.rules.protocol[self.dialect].title

    @property
    def _limits(self) -> Limits:
        rules = self.asker.link.rules
        return rules.limits[rules.protocol[self.dialect].limits]

    async def _open_session(self) -> None:
        self.progress.tell("SessionSetup")
        asked = self.asker.session_id
        answer = await self.asker.ask("SessionSetup", {"EVCCID": evcc_octets(self.wishes.evcc_id)})
        self.joined = answer.response_code == "OK_OldSessionJoined"
        if self.joined and answer.session_id != asked:
            raise self.asker.fail("wrong-session", answer, f"joined {answer.session_id}, asked for {asked}")

    async def _discover_parameters(self, request: Callable[[], Awaitable[Body]]) -> tuple[Message, Body]:
        """Tell the battery's limits until the charger has decided on its own; return answer and limits."""
        answer = await self._until_finished(
            "ChargeParameterDiscovery", request, self._limits.ongoing_s, "ongoing-too-long"
        )
        current = self.kind.upper()
        told = answer.body.get(f"{current}_EVSEChargeParameter")
        if told is None:
            raise self.asker.fail("no-common-service", answer, f"no parameters of {current}")
        self._heed(answer, told[f"{current}_EVSEStatus"])
        return answer, told

    async def _until_finished(
        self,
        name: str,
        body: Callable[[], Awaitable[Body]],
        limit_s: float,
        cause: str,
        signature: Body | None = None,
    ) -> Message:
        """Repeat a request while the charger is busy."""
        patience = self._patience(limit_s)
        while True:
            answer = await self.asker.ask(name, await body(), signature=signature)
            if answer.body["EVSEProcessing"] == "Finished":
                return answer
            if not await patience.wait():
                raise self.asker.fail(
                    cause, answer, f"busy for {patience.spent_s:.3g} s, at most {limit_s:g} s"
                )

    def _patience(self, limit_s: float) -> Patience:
        return Patience(limit_s, self.rules.choice.poll_s, self.sleep)

    def _heed(self, answer: Message, status: Body) -> Notice:
        """Return what the charger asks for by its status.

        Raises
        ------
        SessionFailure
            It reports a fault at which energy must not flow.
        """
        code = status.get("EVSEStatusCode")
        heed = self.rules.heed.get(str(code), "stop") if code else "go"
        if heed == "open" or status.get("RCD"):
            raise self.asker.fail("emergency", answer, str(code or "RCD tripped"))
        asked: dict[str, Notice] = {**self.rules.asked[self.dialect]}
        return "stop" if heed == "stop" else asked.get(str(status["EVSENotification"]), "")

    def _soc(self, reading: VehicleReading) -> int:
        return min(100, max(0, round(reading.soc_percent)))

    @asynccontextmanager
    async def _safe(self) -> AsyncIterator[None]:
        """Open the vehicle's contactor when anything ends the session early."""
        try:
            yield
        except BaseException:
            self._flows = False
            await self.plant.open_contactor()
            raise
