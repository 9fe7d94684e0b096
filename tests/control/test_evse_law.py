"""EVSE transitions: examples by hand, then a state machine with failures, retries and restarts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from v2glab.control import (
    OPEN_ACTIONS,
    EvseAction,
    EvseCommand,
    EvseLimits,
    EvseMemory,
    EvseState,
    Observation,
    evse_complete,
    evse_decide,
    evse_derive_state,
    evse_fail,
    evse_react,
    evse_restore,
)
from v2glab.evidence import InputError, LimitError, UsageError, V2GError

S = EvseState
LIMITS = EvseLimits(dwell_s=2.0, rated_power_w=22000.0)
OPEN = Observation(
    vehicle=True,
    contactor_commanded=False,
    contactor_closed=False,
    inverter_running=False,
    power_setpoint_w=0.0,
)
IN_STEP = replace(OPEN, inverter_running=True, in_step=True)
EXPORTING = replace(IN_STEP, contactor_commanded=True, contactor_closed=True, power_setpoint_w=5000.0)


def test_closing_comes_before_power_and_power_goes_before_opening() -> None:
    memory = EvseMemory(S.SYNCHRONISING, 0.0)
    closing = evse_decide(memory, EvseCommand("1", S.EXPORTING, 5000.0), IN_STEP, 10.0, LIMITS)
    assert closing.actions == (
        EvseAction("inverter_run", 1),
        EvseAction("contactor_command", 1),
        EvseAction("power_setpoint", 5000.0),
    )
    memory, _ = evse_complete(memory, EvseCommand("1", S.EXPORTING, 5000.0), closing, 10.0)
    opening = evse_decide(memory, EvseCommand("2", S.CONNECTED), EXPORTING, 20.0, LIMITS)
    assert opening.actions == OPEN_ACTIONS
    assert [a.point for a in OPEN_ACTIONS] == ["power_setpoint", "contactor_command", "inverter_run"]


def test_repeated_command_is_answered_not_repeated() -> None:
    command = EvseCommand("7", S.SYNCHRONISING)
    memory = EvseMemory(S.CONNECTED, 0.0)
    memory, first = evse_complete(memory, command, evse_decide(memory, command, OPEN, 9.0, LIMITS), 9.0)
    again = evse_decide(memory, command, OPEN, 9.1, LIMITS)
    assert again.actions == ()
    assert again.answer == first
    with pytest.raises(InputError):
        evse_decide(memory, EvseCommand("7", S.SAFE), OPEN, 9.2, LIMITS)


def test_same_state_by_another_command_is_no_operation() -> None:
    memory = EvseMemory(S.EXPORTING, 0.0)
    decision = evse_decide(memory, EvseCommand("2", S.EXPORTING, 5000.0), EXPORTING, 0.1, LIMITS)
    assert decision.actions == ()
    assert decision.answer is not None
    assert decision.answer.done
    other = evse_decide(memory, EvseCommand("3", S.CHARGING, -900.0), EXPORTING, 0.1, LIMITS)
    assert other.actions == (EvseAction("power_setpoint", -900.0),)
    assert not other.switches


def test_switching_faster_than_the_dwell_time_is_refused_but_safe_is_not() -> None:
    memory = EvseMemory(S.EXPORTING, 10.0)
    with pytest.raises(LimitError, match="2 s between"):
        evse_decide(memory, EvseCommand("4", S.CONNECTED), EXPORTING, 11.9, LIMITS)
    assert evse_decide(memory, EvseCommand("4", S.CONNECTED), EXPORTING, 12.0, LIMITS).switches
    assert evse_decide(memory, EvseCommand("5", S.SAFE), EXPORTING, 10.1, LIMITS).actions == OPEN_ACTIONS


@pytest.mark.parametrize(
    ("state", "target", "power_w", "seen", "kind"),
    [
        (S.IDLE, S.EXPORTING, 1000.0, OPEN, UsageError),
        (S.CONNECTED, S.CHARGING, -1000.0, OPEN, UsageError),
        (S.FAULT, S.CONNECTED, 0.0, OPEN, UsageError),
        (S.SYNCHRONISING, S.EXPORTING, 1000.0, replace(IN_STEP, in_step=False), UsageError),
        (S.IDLE, S.CONNECTED, 0.0, replace(OPEN, vehicle=False), UsageError),
        (S.SAFE, S.IDLE, 0.0, replace(OPEN, fault_code=92), UsageError),
        (S.SYNCHRONISING, S.EXPORTING, -1.0, IN_STEP, LimitError),
        (S.SYNCHRONISING, S.EXPORTING, 22001.0, IN_STEP, LimitError),
        (S.SYNCHRONISING, S.EXPORTING, float("nan"), IN_STEP, LimitError),
        (S.SYNCHRONISING, S.CHARGING, 1.0, IN_STEP, LimitError),
        (S.CONNECTED, S.IDLE, 1.0, OPEN, LimitError),
    ],
)
def test_refused(state: S, target: S, power_w: float, seen: Observation, kind: type[V2GError]) -> None:
    with pytest.raises(kind):
        evse_decide(EvseMemory(state, 0.0), EvseCommand("1", target, power_w), seen, 100.0, LIMITS)


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (OPEN, S.CONNECTED),
        (replace(OPEN, vehicle=False), S.IDLE),
        (IN_STEP, S.SYNCHRONISING),
        (EXPORTING, S.EXPORTING),
        (replace(EXPORTING, power_setpoint_w=-1.0), S.CHARGING),
        (replace(EXPORTING, contactor_commanded=False), S.FAULT),
        (replace(IN_STEP, contactor_commanded=True), S.FAULT),
        (replace(OPEN, fault_code=92), S.FAULT),
    ],
)
def test_state_is_derived_from_what_is_seen(seen: Observation, state: S) -> None:
    assert evse_derive_state(seen) == state
    assert evse_restore(seen, 5.0).last_switch_s == 5.0


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (replace(EXPORTING, contactor_closed=False), "contactor open"),
        (replace(EXPORTING, contactor_commanded=False), "commanded open"),
        (replace(EXPORTING, vehicle=False), "vehicle"),
        (replace(EXPORTING, fault_code=99), "fault 99"),
    ],
)
def test_what_cannot_stand_is_noticed(seen: Observation, why: str) -> None:
    assert why in evse_react(EvseMemory(S.EXPORTING, 0.0), seen)
    assert evse_react(EvseMemory(S.EXPORTING, 0.0), EXPORTING) == ""


def test_oldest_answers_are_forgotten() -> None:
    memory = EvseMemory(S.IDLE, 0.0)
    for number in range(300):
        command = EvseCommand(str(number), S.IDLE)
        memory, _ = evse_complete(memory, command, evse_decide(memory, command, OPEN, 0.0, LIMITS), 0.0)
    assert len(memory.answers) == 256
    assert "299" in memory.answers


class BrokenError(Exception):
    """A write that failed, before or after it took effect."""


class EvseMachine(RuleBasedStateMachine):
    """Drives a model charger through the law as the station does, with everything going wrong at times."""

    def __init__(self) -> None:
        super().__init__()
        self.points = {"contactor_command": 0.0, "power_setpoint": 0.0, "inverter_run": 0.0}
        self.vehicle, self.in_step, self.fault_code = True, True, 0
        self.now_s = 0.0
        self.moves: list[float] = []  # times at which the contactor closed
        self.switchings = 0
        self.accepted: set[str] = set()
        self.count = 0
        self.failures: list[str] = []
        self.memory = evse_restore(self.seen(), self.now_s)

    def seen(self) -> Observation:
        closed = bool(self.points["contactor_command"])
        return Observation(
            vehicle=self.vehicle,
            contactor_commanded=closed,
            contactor_closed=closed,
            inverter_running=bool(self.points["inverter_run"]),
            power_setpoint_w=self.points["power_setpoint"],
            fault_code=self.fault_code,
            in_step=self.in_step,
        )

    def write(self, action: EvseAction) -> None:
        mishap = self.failures.pop(0) if self.failures else "none"
        if mishap == "before":
            raise BrokenError
        if action.point == "contactor_command" and self.points[action.point] != action.value:
            self.switchings += 1
            if action.value:
                self.moves.append(self.now_s)
        self.points[action.point] = action.value
        if mishap == "after":
            raise BrokenError

    def open(self, command: EvseCommand | None, reason: str) -> None:
        self.memory, actions = evse_fail(self.memory, command, reason, self.now_s)
        self.failures.clear()  # while the contactor stays closed the guardian tries again; here it succeeds
        for action in actions:
            self.write(action)

    def submit(self, command: EvseCommand) -> None:
        if command.id not in self.memory.answers:
            self.supervise()
        before = dict(self.points)
        try:
            decision = evse_decide(self.memory, command, self.seen(), self.now_s, LIMITS)
        except V2GError:
            assert self.points == before
            return
        if command.id in self.memory.answers:
            assert decision.actions == ()
            assert decision.answer == self.memory.answers[command.id]
            return
        self.accepted.add(command.id)
        try:
            for action in decision.actions:
                self.write(action)
        except BrokenError:
            self.open(command, "broken")
            assert not self.memory.answers[command.id].done
            return
        self.memory, answer = evse_complete(self.memory, command, decision, self.now_s)
        assert answer.state == command.target == self.memory.state

    @rule(
        wanted=st.sampled_from([s for s in S if s != S.FAULT]),
        power_w=st.sampled_from([0.0, 5000.0, -5000.0]),
        mishaps=st.lists(st.sampled_from(["none", "none", "before", "after"]), max_size=3),
    )
    def new_command(self, wanted: S, power_w: float, mishaps: list[str]) -> None:
        self.count += 1
        self.failures = list(mishaps)
        self.submit(EvseCommand(f"c{self.count}", wanted, power_w))
        self.failures = []

    @rule(
        power_w=st.sampled_from([1.0, 22000.0]),
        mishaps=st.lists(st.sampled_from(["none", "after"]), max_size=3),
    )
    def go_and_export(self, power_w: float, mishaps: list[str]) -> None:
        """The path of a procedure, so that deep states are reached often; mishaps meet the closing."""
        self.vehicle, self.in_step, self.fault_code = True, True, 0
        for target in (S.SAFE, S.IDLE, S.CONNECTED, S.SYNCHRONISING):
            self.new_command(target, 0.0, [])
        self.now_s += LIMITS.dwell_s
        self.new_command(S.EXPORTING, power_w, mishaps)

    @precondition(lambda self: self.memory.answers)
    @rule(data=st.data())
    def repeat_command(self, data: st.DataObject) -> None:
        command_id = data.draw(st.sampled_from(sorted(self.memory.answers)))
        before = dict(self.points), self.switchings
        self.submit(self.memory.answers[command_id].command)
        assert (self.points, self.switchings) == before

    @rule(duration_s=st.floats(0, 5))
    def wait(self, duration_s: float) -> None:
        self.now_s += duration_s

    @rule(keep_answers=st.booleans())
    def restart(self, keep_answers: bool) -> None:
        answers = self.memory.answers if keep_answers else {}
        self.memory = evse_restore(self.seen(), self.now_s, answers)
        self.supervise()

    @rule()
    def supervise(self) -> None:
        if trouble := evse_react(self.memory, self.seen()):
            self.open(None, trouble)

    @rule(vehicle=st.booleans(), in_step=st.booleans(), fault_code=st.sampled_from([0, 0, 0, 27]))
    def world_changes(self, vehicle: bool, in_step: bool, fault_code: int) -> None:
        self.vehicle, self.in_step, self.fault_code = vehicle, in_step, fault_code

    @rule()
    def safe_is_always_reachable(self) -> None:
        self.failures = []
        self.count += 1
        self.submit(EvseCommand(f"c{self.count}", S.SAFE))
        assert self.memory.state == S.SAFE
        assert self.points == dict.fromkeys(self.points, 0.0)

    @invariant()
    def never_closed_without_intent(self) -> None:
        closed = bool(self.points["contactor_command"])
        assert (self.memory.state in (S.EXPORTING, S.CHARGING)) == closed
        if self.points["power_setpoint"] > 0:
            assert closed

    @invariant()
    def switched_no_more_than_accepted(self) -> None:
        assert self.switchings <= len(self.accepted)

    @invariant()
    def dwelt(self) -> None:
        gaps = [b - a for a, b in zip(self.moves, self.moves[1:], strict=False)]
        assert all(gap >= LIMITS.dwell_s for gap in gaps)


EvseMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestEvseMachine = EvseMachine.TestCase
