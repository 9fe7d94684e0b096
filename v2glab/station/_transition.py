"""Execute EVSE transitions through the station's charger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2glab.control import (
    Answer,
    EvseAction,
    EvseCommand,
    EvseLimits,
    EvseMemory,
    EvseState,
    Observation,
    evse_complete,
    evse_decide,
    evse_fail,
    evse_react,
    evse_restore,
)
from v2glab.evidence import DeviceError, SafeStateError, V2GError

if TYPE_CHECKING:
    from v2glab.station._station import Station

#: Between 12 V (no vehicle) and 9 V (vehicle connected): IEC 61851-1:2017, Annex A, states A and B.
_VEHICLE_BELOW_V = 10.5
#: Time that the auxiliary contact has to follow, in steps of the station's clock.
_FOLLOW_S, _FOLLOW_STEP_S = 0.2, 0.02


class Evse:
    """The charger of a station, driven from state to state.

    Parameters
    ----------
    station
        An open station; closing the contactor needs a lease of it.
    charger
        Name of the instrument.
    dwell_s
        Shortest time between two operations of the contactor.

    Raises
    ------
    DeviceError
        The charger does not answer.
    """

    def __init__(self, station: Station, charger: str = "charger", *, dwell_s: float = 5.0) -> None:
        self._station = station
        self._charger = charger
        self._limits = EvseLimits(dwell_s=dwell_s, rated_power_w=station.site.rated_power_w)
        self._memory = evse_restore(self.observe(), self._now_s())

    @property
    def state(self) -> EvseState:
        """State after the last command."""
        return self._memory.state

    @property
    def memory(self) -> EvseMemory:
        """What the law remembers."""
        return self._memory

    def observe(self, *, in_step: bool = False) -> Observation:
        """Read the charger."""
        names = (
            "contactor_command",
            "contactor_feedback",
            "inverter_run",
            "power_setpoint",
            "fault_code",
            "cp_voltage",
        )
        read = self._station.instrument(self._charger).read(*names)
        return Observation(
            vehicle=read["cp_voltage"].value < _VEHICLE_BELOW_V,
            contactor_commanded=bool(read["contactor_command"].value),
            contactor_closed=bool(read["contactor_feedback"].value),
            inverter_running=bool(read["inverter_run"].value),
            power_setpoint_w=read["power_setpoint"].value,
            fault_code=int(read["fault_code"].value),
            in_step=in_step,
        )

    def request(
        self, target: EvseState | str, command_id: str, *, power_w: float = 0.0, in_step: bool = False
    ) -> Answer:
        """Bring the charger into a state; the same ``command_id`` again gives the same answer, and no action.

        Parameters
        ----------
        power_w
            For ``exporting`` (> 0) and ``charging`` (≤ 0).
        in_step
            That inverter and grid are within the limits of synchronisation now; needed to close.

        Returns
        -------
        Answer
            ``done`` is false when something failed on the way; the contactor was opened then.

        Raises
        ------
        InputError, UsageError, LimitError, ApprovalError
            Refused; nothing was sent.
        SafeStateError
            Something failed, and the contactor could not be opened.
        """
        command = EvseCommand(command_id, EvseState(target), power_w)
        if (known := self._memory.answers.get(command_id)) is not None and known.command == command:
            return known
        self.supervise()
        seen = self.observe(in_step=in_step)
        decision = evse_decide(self._memory, command, seen, self._now_s(), self._limits)
        try:
            for action in decision.actions:
                self._ensure(action)
            if decision.switches:
                self._follow(closed=seen.contactor_commanded is False)
        except (DeviceError, SafeStateError) as error:
            self._fail(command, error.found)
            return self._memory.answers[command_id]
        self._memory, answer = evse_complete(self._memory, command, decision, self._now_s())
        return answer

    def supervise(self) -> str:
        """Look at the charger, and open its contactor when the present state cannot stand.

        To be called now and then while energised, and after a start.

        Returns
        -------
        str
            Why the contactor was opened; empty when all is as it shall be.

        Raises
        ------
        SafeStateError
            The contactor could not be opened.
        """
        trouble = evse_react(self._memory, self.observe())
        if trouble:
            self._fail(None, trouble)
        return trouble

    def _fail(self, command: EvseCommand | None, reason: str) -> None:
        """Open the contactor; every action is tried, whatever becomes of the others."""
        self._memory, actions = evse_fail(self._memory, command, reason, self._now_s())
        wrong = []
        for action in actions:
            try:
                self._ensure(action)
            except V2GError as error:
                wrong.append(f"{action.point}: {error.found}")
        try:
            self._follow(closed=False)
        except V2GError as error:
            wrong.append(error.found)
        if wrong:
            raise SafeStateError(
                f"{reason}; then {'; '.join(wrong)}",
                "contactor open after a failure",
                "open the contactor by hand and lock it out; run v2glab diagnose",
            )

    def _ensure(self, action: EvseAction) -> None:
        self._station.instrument(self._charger).ensure(action.point, action.value)

    def _follow(self, *, closed: bool) -> None:
        """Wait until the auxiliary contact shows what was commanded."""
        charger, waited_s = self._station.instrument(self._charger), 0.0
        while bool(charger.read("contactor_feedback")["contactor_feedback"].value) != closed:
            if waited_s >= _FOLLOW_S:
                raise DeviceError(
                    f"contactor {'open' if closed else 'closed'} {waited_s:g} s after the command",
                    f"contactor {'closed' if closed else 'open'}",
                    "run v2glab diagnose",
                )
            self._station.clock.sleep(_FOLLOW_STEP_S)
            waited_s += _FOLLOW_STEP_S

    def _now_s(self) -> float:
        return self._station.clock.now_ns() * 1e-9
