"""What the vehicle's side knows of a session, and how it asks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from v2glab.evidence import InputError, LimitError
from v2glab.links.sessions._ask import Asker
from v2glab.links.sessions._failure import SessionFailure, failure
from v2glab.links.sessions._message import Body, Message
from v2glab.links.sessions._plant import PowerLimits, VehiclePlant
from v2glab.links.sessions._vehicle import Progress, Wishes
from v2glab.links.sessions.iso20._modes import Mode, common
from v2glab.links.sessions.iso20._rules import EnergyService, Iso20Rules, load_iso20_rules

if TYPE_CHECKING:
    from v2glab.links.sessions.iso20._install import Contract


@dataclass
class VehicleSide:
    """One session at the vehicle.

    ``known`` is set with the charger's identifier, ``live`` while energy may flow. ``meter`` is the last
    reading that the charger told, ``contract`` the one that was installed in this session.
    """

    asker: Asker
    plant: VehiclePlant
    wishes: Wishes
    sleep: Callable[[float], Awaitable[None]]
    progress: Progress
    rules: Iso20Rules = field(default_factory=load_iso20_rules)
    known: bool = False
    joined: bool = False
    live: bool = False
    charger: PowerLimits | None = None
    voltage_v: float = 0.0
    schedule_id: int = 0
    schedule_w: tuple[float, float] = (0.0, 0.0)
    meter: Body | None = None
    contract: Contract | None = None

    @property
    def service(self) -> EnergyService:
        """The energy service that is wanted.

        Raises
        ------
        InputError
            -20 has none of that name.
        """
        found = self.rules.service.get(self.wishes.service)
        if found is None:
            known = ", ".join(self.rules.service)
            raise InputError(f"service {self.wishes.service!r:.40}", f"one of {known}", "name one of those")
        return found

    @property
    def mode(self) -> Mode:
        """Service and control mode."""
        return Mode.of(self.service, self.wishes.control)

    @property
    def limits(self) -> PowerLimits:
        """What both ends allow."""
        own = self.plant.limits
        return common(own, self.charger or own, self.mode)

    async def ask(self, name: str, body: Body | None = None, signature: Body | None = None) -> Message:
        """Ask, and take an answer that warns of a refusal for what it is.

        Raises
        ------
        SessionFailure
            No answer, or one that does not grant.
        """
        self.progress.tell(name)
        try:
            answer = await self.asker.ask(name, body, signature=signature)
        except SessionFailure as error:
            raise self._meant(name, error) from error
        code = answer.response_code
        if code in self.rules.warning:
            raise self.asker.fail(self.rules.warning[code], answer, code)
        return answer

    def _meant(self, name: str, error: SessionFailure) -> SessionFailure:
        """Return what a refusal without a reason means at this message."""
        cause = self.rules.failed.get(name, "")
        if error.cause.response_code != "FAILED" or not cause:
            return error
        link, code = self.asker.link, error.cause.response_code
        return failure(
            cause, f"{name}Res", "evcc", code, trace=link.trace, response_code=code, rules=link.rules
        )

    async def ask_until(
        self, name: str, body: Body | None, limit_s: float, cause: str, signature: Body | None = None
    ) -> Message:
        """Ask again until the charger has finished.

        Raises
        ------
        SessionFailure
            With ``cause``, when it takes longer than ``limit_s``.
        """
        waited = Waiting(self.sleep, self.rules.figures.poll_s)
        while True:
            answer = await self.ask(name, body, signature)
            if answer.body["EVSEProcessing"] == "Finished":
                return answer
            if waited.passed_s >= limit_s:
                raise self.asker.fail(cause, answer, f"still busy after {limit_s:g} s")
            await waited.once()

    def check(self, power_w: float, soc_percent: float) -> None:
        """Check a power, export positive, W.

        Raises
        ------
        LimitError
            Either end or the state of charge does not allow it.
        """
        limits, needs = self.limits, self.plant.needs
        low, high = -limits.charge_w, limits.export_w
        if not low <= power_w <= high:
            raise LimitError(
                f"{power_w:g} W", f"{low:g} to {high:g} W, what both ends allow", "mend the set-point"
            )
        if power_w > 0 and soc_percent <= needs.least_soc_percent:
            required = f"more than {needs.least_soc_percent:g} %"
            raise LimitError(f"export at a state of charge of {soc_percent:g} %", required, "charge first")
        if power_w < 0 and soc_percent >= needs.most_soc_percent:
            required = f"less than {needs.most_soc_percent:g} %"
            raise LimitError(f"charging at a state of charge of {soc_percent:g} %", required, "export first")


class Waiting:
    """How long something has been waited for, by the machine's clock or by the waits, the longer one."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], step_s: float) -> None:
        self._sleep, self._step_s, self._slept_s = sleep, step_s, 0.0
        self._began = time.monotonic()

    @property
    def passed_s(self) -> float:
        """Seconds since the beginning."""
        return max(time.monotonic() - self._began, self._slept_s)

    async def once(self) -> None:
        """Wait one step."""
        await self._sleep(self._step_s)
        self._slept_s += self._step_s
