"""A vehicle's session for users: open it, export, charge, rest, pause, stop; safe however it is left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from v2glab.evidence import DeviceError, InputError, UsageError
from v2glab.links.sessions._energy import EnergyCount
from v2glab.links.sessions._failure import SessionFailure
from v2glab.links.sessions._open import Opened, connect
from v2glab.links.sessions._phases import PhaseClock
from v2glab.links.sessions._registry import load_driver, make_driver
from v2glab.links.sessions._rules import prepare_codec
from v2glab.links.sessions._settings import OpenSettings
from v2glab.links.sessions._trace import Trace
from v2glab.links.sessions._vehicle import DriverParts, LoopState, Progress, VehicleDriver, Wanted
from v2glab.links.sessions._wire import Stream
from v2glab.links.tls import HandshakeError

_END = 1e-9
Result = TypeVar("Result")


class Session:
    """A session in which power may flow; made by :func:`open_session`.

    ``state`` is what the charger said last, ``ended`` why the session is over (empty while it lives).
    """

    def __init__(
        self, opened: Opened, driver: VehicleDriver, settings: OpenSettings, phases: PhaseClock
    ) -> None:
        self._opened, self.driver, self._settings, self._phases = opened, driver, settings, phases
        self.energy = EnergyCount()
        self.state: LoopState | None = None
        self.ended = ""
        self._turn = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None
        self._broken: Exception | None = None

    @property
    def trace(self) -> Trace:
        """One record a message."""
        return self._opened.link.trace

    @property
    def protocol(self) -> str:
        """Protocol that the ends agreed on."""
        return self._opened.link.protocol_name

    @property
    def session_id(self) -> str:
        """Identifier; give it to join the session after a pause."""
        return self._opened.asker.session_id

    @property
    def phases(self) -> dict[str, float]:
        """Seconds that each phase took: SDP, TCP, TLS, agreement, then by message."""
        return dict(self._phases.durations)

    @property
    def stream(self) -> Stream:
        """The connection; a ``TlsStream`` tells version and timing of its negotiation."""
        return self._opened.link.stream

    async def export(self, *, power_w: float, duration_s: float) -> LoopState:
        """Send power to the grid for a while; then the power is zero again.

        Parameters
        ----------
        power_w
            At the connector, W, positive.
        duration_s
            By the session's clock.

        Returns
        -------
        LoopState
            The last one before the power was taken back. With a ``notice`` the charger asked for an end or a
            pause, and the session has ended so.

        Raises
        ------
        LimitError
            Either end does not allow it; the power is zero then, the session lives.
        SessionFailure
            The session broke; the vehicle's contactor is open.
        """
        return await self._run(_positive("power_w", power_w), duration_s)

    async def charge(self, *, power_w: float, duration_s: float) -> LoopState:
        """Take power from the grid for a while; as :meth:`export`."""
        return await self._run(-_positive("power_w", power_w), duration_s)

    async def idle(self, *, duration_s: float) -> LoopState:
        """Let no power flow for a while; as :meth:`export`."""
        return await self._run(0.0, duration_s)

    async def renegotiate(self, **changes: Any) -> None:  # noqa: ANN401 -- what the protocol's driver takes
        """Agree anew on schedules; what else can change is up to the protocol (``wishes`` in -20)."""
        async with self._command():
            self.energy.cut()
            await _whole(self._watched(self.driver.renegotiate(**changes)))

    async def pause(self) -> None:
        """Pause the session; join it later by :attr:`session_id`."""
        await self._finish(pause=True)

    async def stop(self) -> None:
        """End the session; twice does no harm."""
        await self._finish(pause=False)

    async def _run(self, power_w: float, duration_s: float) -> LoopState:
        _positive("duration_s", duration_s)
        async with self._command():
            due = self._settings.clock()
            ends = due + duration_s
            try:
                while True:
                    state = await self._cycle(power_w)
                    if ends - self._settings.clock() <= _END or state.notice in {"stop", "pause"}:
                        break
                    await self._obey(state)
                    due = await self._await_turn(due, ends)
            finally:
                if power_w and self._broken is None:
                    await self._cycle(0.0)
        if state.notice in {"stop", "pause"}:
            await self._finish(pause=state.notice == "pause", why=f"the charger asked for a {state.notice}")
        return state

    async def _await_turn(self, due: float, ends: float) -> float:
        """Wait for the next cycle, counted from when the last was due: answers that take time shift nothing.

        A cycle that was missed is left out, not made up for.
        """
        now = self._settings.clock()
        due = max(due + self._settings.cycle_s, now)
        await self._settings.sleep(max(0.0, min(due, ends) - now))
        return due

    async def _obey(self, state: LoopState) -> None:
        if state.notice == "renegotiate":
            self.energy.cut()
            await _whole(self._watched(self.driver.renegotiate()))

    async def _cycle(self, power_w: float) -> LoopState:
        state = await _whole(self._watched(self.driver.cycle(Wanted(power_w))))
        self.state = state
        self.energy.add(state, self._settings.clock())
        return state

    async def _watched(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            return await work
        except (DeviceError, OSError) as error:
            self.broke(error)
            raise

    def broke(self, error: Exception) -> None:
        """Remember that the session is past an orderly end."""
        self._broken = error

    @contextlib.asynccontextmanager
    async def _command(self) -> AsyncIterator[None]:
        async with self._turn:
            if self.ended:
                raise UsageError(
                    f"the session has ended: {self.ended}", "a session that lives", "open another"
                )
            if self._broken is not None:
                raise self._broken
            try:
                yield
            finally:
                if self._is_broken():
                    await self._settings.plant.open_contactor()

    async def _finish(self, *, pause: bool, why: str = "") -> None:
        if self.ended:
            return
        async with self._command():
            self.ended = why or ("paused" if pause else "stopped")
            await _whole(self._watched(self.driver.stop(pause=pause)))

    def keep_alive(self) -> None:
        """Begin to exchange loop messages while no command is under way."""
        if self._settings.keep_alive:
            self._keeping = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        while self._lives():
            await asyncio.sleep(self._settings.cycle_s)
            if self._turn.locked() or not self._lives():
                continue
            # What breaks here is told by the next command.
            with contextlib.suppress(DeviceError, OSError, UsageError):
                async with self._command():
                    state = await self._cycle(0.0)
                if state.notice in {"stop", "pause"}:
                    why = f"the charger asked for a {state.notice}"
                    await self._finish(pause=state.notice == "pause", why=why)

    def _is_broken(self) -> bool:
        return self._broken is not None

    def _lives(self) -> bool:
        return not self.ended and not self._is_broken()

    async def leave(self, *, in_order: bool) -> None:
        """End whatever still lives; the vehicle's contactor is open afterwards.

        Raises
        ------
        SessionFailure
            The end failed, and nothing else had before.
        """
        if self._keeping is not None:
            async with self._turn:
                self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        try:
            if self._lives():
                await self._end(in_order=in_order)
        finally:
            await self._settings.plant.open_contactor()
            await self._opened.link.close()
            self._phases.end()

    async def _end(self, *, in_order: bool) -> None:
        if in_order:
            await self.stop()
            return
        # An error is on its way to the caller: end in order if that is quick, else by opening.
        self.ended = "left by an error"
        with contextlib.suppress(Exception):
            async with asyncio.timeout(self._settings.leave_s):
                await self.driver.stop()


@contextlib.asynccontextmanager
async def open_session(settings: OpenSettings) -> AsyncIterator[Session]:
    """Open a session: discovery, TCP, TLS, agreement, and all messages until power may flow.

    Leaving the block, by whatever way, ends the session; when the link is gone, the vehicle's contactor opens
    at once.

    Raises
    ------
    DiscoveryError, HandshakeError, SessionFailure
        It could not be opened, or broke; each names cause, phase and remedy.
    """
    prepare_codec(settings.offered, settings.rules)
    for protocol in settings.offered:
        load_driver(protocol)
    phases = PhaseClock(settings.progress)
    opened = await connect(settings, phases, Trace())
    progress = Progress(phases.begin)
    driver = make_driver(DriverParts(opened.asker, settings.plant, settings.wishes, settings.sleep, progress))
    session = Session(opened, driver, settings, phases)
    in_order = False
    try:
        await driver.set_up()
        phases.end()
        session.keep_alive()
        yield session
        in_order = True
    except (SessionFailure, HandshakeError) as error:
        session.broke(error)
        raise
    finally:
        await session.leave(in_order=in_order)


async def _whole(work: Coroutine[Any, Any, Result]) -> Result:
    """Carry an exchange through even when the caller is cancelled: half of one puts the ends out of step."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # Bounded by the time-outs of its messages.
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # taken note of: the caller gets the cancellation
        raise


def _positive(name: str, value: float) -> float:
    if not 0 <= value < float("inf"):
        raise InputError(f"{name} = {value!r}", "a finite number, zero or more", "mend it")
    return value
