"""What the guardian does to the charger: kick its watchdog, and bring it into the safe state."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from v2glab.station._guard_modbus import LinkError, ModbusLink
from v2glab.station._guard_plan import GuardPlan, Registers

#: One attempt reads back for this long before everything is written again.
_ATTEMPT_S = 0.15
#: How long the devices are given to answer in time for once, before anything is energised; pause between.
_OPEN_S, _OPEN_PAUSE_S = 1.0, 0.05
#: After this the guardian says that the safe state was not reached.
_GIVE_UP_S = 1.0


@dataclass(frozen=True)
class SafeReport:
    """How reaching the safe state went.

    Attributes
    ----------
    verified
        Whether every point was read back as it shall be.
    duration_s
        From the decision to the last reading.
    detail
        What is not as it shall be, empty when verified.
    """

    verified: bool
    duration_s: float
    detail: str


class Actions:
    """Connections to the devices of a plan, and what is done over them.

    Parameters
    ----------
    log
        Called with an event word and its details.
    """

    def __init__(self, plan: GuardPlan, log: Callable[..., None]) -> None:
        self._plan = plan
        self._log = log
        self._count = 0
        self.links = {name: ModbusLink(t.host, t.port, t.unit) for name, t in plan.targets.items()}

    def open(self) -> None:
        """Connect to every device and read the points that will be confirmed.

        Nothing is energised yet: a device that was late once is asked again, one that is always late is not
        trusted with the safe state.

        Raises
        ------
        LinkError
            One does not answer in time.
        """
        until_s = time.monotonic() + _OPEN_S
        while True:
            try:
                self._open_once()
            except LinkError as error:
                if time.monotonic() >= until_s:
                    raise
                self._log("open_again", error=str(error))
                time.sleep(_OPEN_PAUSE_S)
            else:
                return

    def _open_once(self) -> None:
        for link in self.links.values():
            link.connect(timeout_s=1.0)
        for item in (*self._plan.safe_state, *self._plan.confirm):
            self._read(item)

    def arm(self) -> None:
        """Start the charger's watchdog, kicked first so that it does not fall at once."""
        if self._plan.arm is None:
            return
        self.kick()
        self.links[self._plan.arm.target].write(self._plan.arm.address, self._plan.arm.words)
        self.kick()

    def disarm(self) -> None:
        """Stop the charger's watchdog: an open contactor needs none, and its time-out would latch a fault."""
        if self._plan.arm is None:
            return
        zeros = [0] * len(self._plan.arm.words)
        try:
            self.links[self._plan.arm.target].write(self._plan.arm.address, zeros)
        except LinkError as error:
            self._log("disarm_failed", error=str(error))

    def kick(self) -> None:
        """Kick the watchdog without waiting for the answer; :class:`LinkError` when the device is gone."""
        item = self._plan.kick
        if item is None:
            return
        link = self.links[item.target]
        if link.fileno() is not None:
            link.collect()
        self._count = self._count % 0xFFFF + 1
        link.post(item.address, [self._count])

    def make_safe(self) -> SafeReport:
        """Write every action in order, read back, and repeat until all is as it shall be."""
        start_s = time.monotonic()
        while True:
            detail = self._attempt(time.monotonic() + _ATTEMPT_S)
            duration_s = time.monotonic() - start_s
            if not detail or duration_s > _GIVE_UP_S:
                return SafeReport(not detail, duration_s, detail)

    def _attempt(self, deadline_s: float) -> str:
        for item in self._plan.safe_state:
            try:
                self._write(item)
            except LinkError as error:  # the next action may still work, and matters more
                self._log("write_failed", point=item.name, error=str(error))
        wrong = self._differences()
        while wrong and time.monotonic() < deadline_s:
            time.sleep(0.003)
            wrong = self._differences()
        return wrong

    def _write(self, item: Registers) -> None:
        link = self.links[item.target]
        try:
            link.write(item.address, item.words)
        except LinkError:
            if link.fileno() is not None:
                raise
            link.write(item.address, item.words)  # the connection was lost: once more over a new one

    def _differences(self) -> str:
        wrong = []
        for item in (*self._plan.safe_state, *self._plan.confirm):
            try:
                found = self._read(item)
            except LinkError as error:
                wrong.append(f"{item.target}.{item.name}: {error}")
                continue
            if found != item.words:
                wrong.append(f"{item.target}.{item.name} reads {found}, not {item.words}")
        return "; ".join(wrong)

    def _read(self, item: Registers) -> tuple[int, ...]:
        return tuple(self.links[item.target].read(item.function, item.address, len(item.words)))
