"""Two ends of OCPP-J over queues, and one end against hand-written frames."""

import asyncio
import json

import pytest

from v2glab.evidence import DeviceError
from v2glab.links import FrameError, OcppPeer

TIME = {"currentTime": "2026-01-01T00:00:00Z"}


class Wire:
    """One peer whose texts are kept; what the test says is what comes in."""

    def __init__(self, handlers=None, timeout_s=0.2):
        self.sent: list[list] = []
        self.seen = []
        self.news = asyncio.Event()
        self.peer = OcppPeer(self._send, handlers or {}, self.seen.append, timeout_s)

    async def _send(self, text):
        self.sent.append(json.loads(text))
        self.news.set()

    async def hear(self, *frame):
        await self.peer.receive(json.dumps(frame))

    async def until(self, count):
        async with asyncio.timeout(5):
            while len(self.sent) < count:
                self.news.clear()
                await self.news.wait()


def run(work):
    return asyncio.run(work)


def test_a_call_and_its_answer():
    async def work():
        wire = Wire({"Heartbeat": lambda payload: TIME})
        await wire.hear(2, "a", "Heartbeat", {})
        await wire.until(1)
        return wire

    wire = run(work())
    assert wire.sent == [[3, "a", TIME]]
    assert [(s.direction, s.kind, s.action) for s in wire.seen] == [
        ("in", "CALL", "Heartbeat"),
        ("out", "CALLRESULT", "Heartbeat"),
    ]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ([2, "a", "Coffee", {}], "NotImplemented"),
        ([2, "a", "Reset", {"type": "Immediate"}], "NotSupported"),
        ([2, "a", "Heartbeat", {"x": 1}], "FormatViolation"),
        ([2, "a", "Heartbeat"], "RpcFrameworkError"),
        ([9, "a", {}], "MessageTypeNotSupported"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_code(frame, code):
    async def work():
        wire = Wire({"Heartbeat": lambda payload: TIME})
        await wire.hear(*frame)
        await wire.until(1)
        return wire.sent

    ((kind, identity, found, _, details),) = run(work())
    assert (kind, identity, found, details) == (4, "a", code, {})


def test_a_bad_answer_is_never_answered():
    async def work():
        wire = Wire()
        for frame in ([3, "a"], [3, "a", {}], [4, "a", "X"], [4, "a", "GenericError", "", {}], [3, 5, {}]):
            await wire.hear(*frame)
        await asyncio.sleep(0.01)
        return wire

    wire = run(work())
    assert wire.sent == []
    assert len(wire.seen) == 5 and all(s.fault for s in wire.seen)


def test_a_repeated_call_is_answered_and_not_carried_out_again():
    count = []

    async def work():
        wire = Wire({"Heartbeat": lambda payload: count.append(1) or TIME})
        for number in range(1, 4):
            await wire.hear(2, "a", "Heartbeat", {})
            await wire.until(number)
        return wire.sent

    assert run(work()) == [[3, "a", TIME]] * 3
    assert len(count) == 1


def test_an_identity_used_twice_for_different_calls_is_refused():
    async def work():
        wire = Wire({"Heartbeat": lambda payload: TIME, "Authorize": lambda payload: {}})
        await wire.hear(2, "a", "Heartbeat", {})
        await wire.until(1)
        await wire.hear(2, "a", "Authorize", {"idToken": {"idToken": "x", "type": "Central"}})
        await wire.until(2)
        return wire.sent

    assert run(work())[1][:3] == [4, "a", "RpcFrameworkError"]


def test_one_open_call_each_way():
    """The second of two calls goes out when the first was answered; calls that come in wait for nothing."""

    async def work():
        wire = Wire({"Heartbeat": lambda payload: TIME}, timeout_s=5)
        calls = [asyncio.create_task(wire.peer.call("Heartbeat", {})) for _ in range(2)]
        await wire.until(1)
        await asyncio.sleep(0.02)
        assert len(wire.sent) == 1
        await wire.hear(2, "theirs", "Heartbeat", {})
        await wire.until(2)
        assert wire.sent[1] == [3, "theirs", TIME]
        for place in (0, 2):
            await wire.until(place + 1)
            await wire.hear(3, wire.sent[place][1], TIME)
        return await asyncio.gather(*calls)

    assert run(work()) == [TIME, TIME]


def test_a_handler_may_call_back():
    async def work():
        wire = Wire(timeout_s=5)

        async def boot(payload):
            await wire.peer.call("Heartbeat", {})
            return TIME

        wire.peer._handlers = {"Heartbeat": boot}
        await wire.hear(2, "a", "Heartbeat", {})
        await wire.until(1)
        await wire.hear(3, wire.sent[0][1], TIME)
        await wire.until(2)
        return wire.sent[1]

    assert run(work()) == [3, "a", TIME]


def test_silence_ends_after_the_time_out_and_the_late_answer_is_a_fault():
    async def work():
        wire = Wire(timeout_s=0.05)
        with pytest.raises(DeviceError, match="no answer within"):
            await wire.peer.call("Heartbeat", {})
        await wire.hear(3, wire.sent[0][1], TIME)
        late = wire.seen[-1].fault
        task = asyncio.create_task(wire.peer.call("Heartbeat", {}))
        await wire.until(2)
        await wire.hear(3, wire.sent[0][1], TIME)
        await wire.hear(3, wire.sent[1][1], TIME)
        return late, await task

    late, answer = run(work())
    assert "no open CALL" in late
    assert answer == TIME


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ([3, None, {}], "currentTime"),
        ([4, None, "InternalError", "no clock", {}], "no clock"),
    ],
)
def test_a_wrong_answer_is_a_device_error(frame, words):
    async def work():
        wire = Wire(timeout_s=5)
        task = asyncio.create_task(wire.peer.call("Heartbeat", {}))
        await wire.until(1)
        await wire.hear(frame[0], wire.sent[0][1], *frame[2:])
        await task

    with pytest.raises(DeviceError, match=words):
        run(work())


def test_a_wrong_request_is_not_sent():
    async def work():
        wire = Wire()
        with pytest.raises(FrameError):
            await wire.peer.call("Heartbeat", {"x": 1})
        return wire.sent

    assert run(work()) == []


def test_closing_ends_the_open_call_and_what_is_being_answered():
    async def work():
        started = asyncio.Event()

        async def never(payload):
            started.set()
            await asyncio.sleep(60)

        wire = Wire({"Heartbeat": never}, timeout_s=60)
        task = asyncio.create_task(wire.peer.call("Heartbeat", {}))
        await wire.until(1)
        await wire.hear(2, "a", "Heartbeat", {})
        await started.wait()
        wire.peer.close("gone")
        with pytest.raises(DeviceError, match="gone"):
            await task
        await asyncio.sleep(0.01)
        return wire.sent

    assert len(run(work())) == 1


def test_a_flood_of_calls_is_refused_and_not_piled_up():
    async def work():
        gate = asyncio.Event()

        async def slow(payload):
            await gate.wait()
            return TIME

        wire = Wire({"Heartbeat": slow})
        for number in range(40):
            await wire.hear(2, str(number), "Heartbeat", {})
        refused = len(wire.sent)
        gate.set()
        await wire.until(40)
        return refused, sum(frame[0] == 3 for frame in wire.sent)

    assert run(work()) == (24, 16)


def test_a_failing_handler_is_an_internal_error_and_not_the_end():
    async def work():
        def wrong(payload):
            raise ZeroDivisionError

        wire = Wire({"Heartbeat": wrong, "Authorize": lambda payload: {"no": 1}})
        await wire.hear(2, "a", "Heartbeat", {})
        await wire.hear(2, "b", "Authorize", {"idToken": {"idToken": "x", "type": "Central"}})
        await wire.until(2)
        return wire.sent

    assert [frame[2] for frame in run(work())] == ["InternalError", "InternalError"]
