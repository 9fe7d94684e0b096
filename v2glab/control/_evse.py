"""EVSE transitions: the one place where the control plane meets the data plane.

Pure: memory, command and observation in; memory, actions and answer out. Who executes the actions reports
back with :func:`complete` or :func:`fail`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from v2glab.evidence import InputError, LimitError, UsageError

#: Answers kept for commands that come again.
_ANSWERS = 256


class EvseState(StrEnum):
    """Where a charging station stands."""

    IDLE = "idle"
    CONNECTED = "connected"
    SYNCHRONISING = "synchronising"
    CHARGING = "charging"
    EXPORTING = "exporting"
    FAULT = "fault"
    SAFE = "safe"


_S = EvseState
#: States in which the contactor is closed.
CLOSED = frozenset({_S.CHARGING, _S.EXPORTING})
#: From each state the states that may be asked for; safe may always be.
NEXT: Mapping[EvseState, frozenset[EvseState]] = MappingProxyType(
    {
        _S.IDLE: frozenset({_S.CONNECTED, _S.SAFE}),
        _S.CONNECTED: frozenset({_S.IDLE, _S.SYNCHRONISING, _S.SAFE}),
        _S.SYNCHRONISING: frozenset({_S.CONNECTED, _S.CHARGING, _S.EXPORTING, _S.SAFE}),
        _S.CHARGING: frozenset({_S.CONNECTED, _S.CHARGING, _S.EXPORTING, _S.SAFE}),
        _S.EXPORTING: frozenset({_S.CONNECTED, _S.CHARGING, _S.EXPORTING, _S.SAFE}),
        _S.FAULT: frozenset({_S.SAFE}),
        _S.SAFE: frozenset({_S.IDLE, _S.SAFE}),
    }
)


@dataclass(frozen=True)
class Observation:
    """What the charger shows.

    Attributes
    ----------
    vehicle
        Whether a vehicle is plugged in.
    contactor_commanded, contactor_closed
        Command and auxiliary contact.
    inverter_running
        Whether the bridge switches.
    power_setpoint_w
        Positive towards the grid.
    fault_code
        0 without a fault.
    in_step
        Whether closing is permitted now, by the limits of synchronisation.
    """

    vehicle: bool
    contactor_commanded: bool
    contactor_closed: bool
    inverter_running: bool
    power_setpoint_w: float
    fault_code: int = 0
    in_step: bool = False


@dataclass(frozen=True)
class Command:
    """A state that is wanted; ``power_w`` counts in charging (≤ 0) and exporting (> 0) only."""

    id: str
    target: EvseState
    power_w: float = 0.0


@dataclass(frozen=True)
class Action:
    """A point of the charger and the value that it shall have."""

    point: str
    value: float


@dataclass(frozen=True)
class Answer:
    """What became of a command; a repeated command gets the very same."""

    command: Command
    done: bool
    state: EvseState
    reason: str = ""


@dataclass(frozen=True)
class Limits:
    """Bounds of the charger.

    Attributes
    ----------
    dwell_s
        Shortest time between two operations of the contactor; opening into the safe state is exempt.
    rated_power_w
        Largest power either way.
    """

    dwell_s: float
    rated_power_w: float


@dataclass(frozen=True)
class Memory:
    """What the law remembers between commands."""

    state: EvseState
    last_switch_s: float
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def answered(self, answer: Answer, **changes: object) -> Memory:
        """Return the memory with one more answer; the oldest is forgotten when there are too many."""
        answers = {**self.answers, answer.command.id: answer}
        if len(answers) > _ANSWERS:
            del answers[next(iter(answers))]
        return replace(self, answers=answers, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Decision:
    """Actions to execute in order; ``answer`` is set when there is nothing to execute.

    ``switches`` says whether the contactor will move.
    """

    actions: tuple[Action, ...] = ()
    answer: Answer | None = None
    switches: bool = False


OPEN_ACTIONS = (Action("power_setpoint", 0), Action("contactor_command", 0), Action("inverter_run", 0))


def derive_state(seen: Observation) -> EvseState:
    """Return the state that an observation shows; command and contact that differ are a fault."""
    if seen.fault_code or seen.contactor_commanded != seen.contactor_closed:
        return _S.FAULT
    if seen.contactor_closed:
        return _S.EXPORTING if seen.power_setpoint_w > 0 else _S.CHARGING
    if seen.inverter_running:
        return _S.SYNCHRONISING
    return _S.CONNECTED if seen.vehicle else _S.IDLE


def restore(seen: Observation, now_s: float, answers: Mapping[str, Answer] | None = None) -> Memory:
    """Return the memory after a start: the state is what is seen, and the dwell time starts anew.

    When the contactor last moved is not known then, so it counts as having moved just now.
    """
    return Memory(derive_state(seen), now_s, dict(answers or {}))


def decide(memory: Memory, command: Command, seen: Observation, now_s: float, limits: Limits) -> Decision:
    """Return what a command leads to.

    Parameters
    ----------
    now_s
        Any clock that only goes forward, in seconds.

    Raises
    ------
    InputError
        The identity was used for another command.
    UsageError
        The state cannot follow on the present one, or its condition is not met.
    LimitError
        The power is out of bounds, or the contactor would switch sooner than the dwell time allows.
    """
    if (known := memory.answers.get(command.id)) is not None:
        if known.command != command:
            raise InputError(
                f"command {command.id!r} again, with another content", "a new identity", "count on"
            )
        return Decision(answer=known)
    _check_power(command, limits)
    state = memory.state
    if command.target == state and _holds(command, seen):
        return Decision(answer=Answer(command, True, state, "was there already"))
    if command.target not in NEXT[state]:
        raise UsageError(
            f"{command.target} asked for in state {state}",
            f"one of: {', '.join(sorted(NEXT[state]))}",
            "go through the states in between",
        )
    _check_condition(command, seen)
    switches = (command.target in CLOSED) != seen.contactor_commanded
    since_s = now_s - memory.last_switch_s
    if switches and command.target != _S.SAFE and since_s < limits.dwell_s:
        raise LimitError(
            f"the contactor would switch {since_s:.3f} s after it last did",
            f"{limits.dwell_s:g} s between two operations",
            "wait, or ask for the safe state, which is never refused",
        )
    return Decision(actions=_actions(command, seen), switches=switches)


def complete(memory: Memory, command: Command, decision: Decision, now_s: float) -> tuple[Memory, Answer]:
    """Return memory and answer after all actions were executed, or none was needed."""
    answer = decision.answer or Answer(command, True, command.target)
    if command.id in memory.answers:
        return memory, answer
    last_switch_s = now_s if decision.switches else memory.last_switch_s
    return memory.answered(answer, state=answer.state, last_switch_s=last_switch_s), answer


def fail(
    memory: Memory, command: Command | None, reason: str, now_s: float
) -> tuple[Memory, tuple[Action, ...]]:
    """Return memory and actions after something failed: fault, and the contactor open.

    The actions are to be tried each, whatever becomes of the others. How far a failed action got is not
    known, so the contactor counts as having moved.
    """
    failed = replace(memory, state=_S.FAULT, last_switch_s=now_s)
    if command is None:
        return failed, OPEN_ACTIONS
    return failed.answered(Answer(command, False, _S.FAULT, reason)), OPEN_ACTIONS


def react(memory: Memory, seen: Observation) -> str:
    """Return why the present state cannot stand, empty when it can; the caller then calls :func:`fail`."""
    if memory.state in (_S.FAULT, _S.SAFE):
        moved = seen.contactor_closed or seen.contactor_commanded
        return f"contactor closed or commanded so in state {memory.state}" if moved else ""
    if seen.fault_code:
        return f"the charger reports fault {seen.fault_code}"
    closed = memory.state in CLOSED
    if seen.contactor_closed != closed:
        return f"contactor {'closed' if seen.contactor_closed else 'open'} in state {memory.state}"
    if seen.contactor_commanded != closed:
        return (
            f"contactor commanded {'closed' if seen.contactor_commanded else 'open'} in state {memory.state}"
        )
    if not seen.vehicle and memory.state != _S.IDLE:
        return f"the vehicle is gone in state {memory.state}"
    return ""


def _check_power(command: Command, limits: Limits) -> None:
    low, high = {
        _S.EXPORTING: (1e-9, limits.rated_power_w),
        _S.CHARGING: (-limits.rated_power_w, 0.0),
    }.get(command.target, (0.0, 0.0))
    if not low <= command.power_w <= high:
        raise LimitError(
            f"power_w = {command.power_w:g} with target {command.target}",
            f"{low:g} … {high:g} W",
            "mind the sign: power is positive towards the grid",
        )


def _holds(command: Command, seen: Observation) -> bool:
    """Whether the state that is asked for is what is seen, with its power."""
    if command.target in CLOSED:
        return seen.contactor_closed and seen.power_setpoint_w == command.power_w
    return not seen.contactor_commanded and not seen.contactor_closed


def _check_condition(command: Command, seen: Observation) -> None:
    target = command.target
    if target in (_S.CONNECTED, _S.SYNCHRONISING, _S.CHARGING, _S.EXPORTING) and not seen.vehicle:
        raise UsageError(f"{target} without a vehicle", "a vehicle plugged in", "plug it in")
    if target in CLOSED and not seen.contactor_closed and not seen.in_step:
        raise UsageError(
            f"{target} while inverter and grid are not in step",
            "differences within the limits of synchronisation",
            "stay in synchronising until they are",
        )
    if target in (_S.IDLE, _S.CONNECTED, _S.SYNCHRONISING, *CLOSED) and seen.fault_code:
        raise UsageError(
            f"{target} with fault {seen.fault_code}", "no fault", "clear its cause, then reset it"
        )


def _actions(command: Command, seen: Observation) -> tuple[Action, ...]:
    if command.target in CLOSED:
        close = () if seen.contactor_closed else (Action("inverter_run", 1), Action("contactor_command", 1))
        return (*close, Action("power_setpoint", command.power_w))
    if command.target == _S.SYNCHRONISING:
        return (Action("power_setpoint", 0), Action("contactor_command", 0), Action("inverter_run", 1))
    return OPEN_ACTIONS
