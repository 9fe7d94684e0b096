"""One end of an OCPP-J connection: requests out, requests in, one open CALL each way."""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from v2glab.evidence import DeviceError, V2GError
from v2glab.links._ocpp_frame import (
    Call,
    CallError,
    CallResult,
    ErrorCode,
    Frame,
    FrameError,
    encode_frame,
    parse_frame,
)
from v2glab.links._ocpp_schema import check_payload

#: Answers kept, so that a repeated CALL is answered and not carried out again.
REMEMBERED = 256
#: CALLs of one peer that may wait at a time; the standard allows it one.
WAITING = 16

Direction = Literal["in", "out"]
Handler = Callable[[dict[str, Any]], dict[str, Any] | Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Seen:
    """One message that passed.

    ``round_trip_s`` stands on answers. On one that came in it is the time from this end's request to it; on
    one that went out, the time this end took to answer.
    ``fault`` is empty when the message was valid.
    """

    time_ns: int
    direction: Direction
    kind: Literal["CALL", "CALLRESULT", "CALLERROR", "?"]
    action: str
    message_id: str
    payload: Mapping[str, Any]
    round_trip_s: float | None = None
    fault: str = ""


class OcppPeer:
    """Speaks OCPP-J over any transport that carries texts.

    Parameters
    ----------
    send
        Puts one text on the wire.
    handlers
        Answers to requests by action; functions or coroutine functions from payload to payload. A handler may
        itself :meth:`call` the other end.
    note
        Told of every message before it is answered, or right after it was sent.
    timeout_s
        Longest wait for an answer.
    """

    def __init__(
        self,
        send: Callable[[str], Awaitable[None]],
        handlers: Mapping[str, Handler],
        note: Callable[[Seen], None] = lambda seen: None,
        timeout_s: float = 10.0,
    ) -> None:
        self._send, self._handlers, self._note, self._timeout_s = send, handlers, note, timeout_s
        self._calling, self._answering = asyncio.Lock(), asyncio.Lock()
        self._open: tuple[str, str, float, asyncio.Future[dict[str, Any]]] | None = None
        self._answers: OrderedDict[str, tuple[Call, CallResult | CallError]] = OrderedDict()
        self._waiting: dict[str, tuple[Call, asyncio.Task[None]]] = {}

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the payload of its answer; waits for an open one to end first.

        Raises
        ------
        FrameError
            The request does not fit its schema; nothing was sent.
        DeviceError
            The other end refused, answered against the schema, or did not answer in time.
        """
        message_id = str(uuid.uuid4())
        check_payload(action, "Request", payload, message_id)
        text = encode_frame(Call(message_id, action, payload))
        async with self._calling:
            answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
            self._open = (message_id, action, time.perf_counter(), answer)
            try:
                self._saw("out", Call(message_id, action, payload), action)
                await self._send(text)
                return await asyncio.wait_for(answer, self._timeout_s)
            except TimeoutError as error:
                raise DeviceError(
                    f"{action}: no answer within {self._timeout_s:g} s",
                    "an answer",
                    "check the other end's log",
                ) from error
            except ConnectionError as error:
                raise DeviceError(
                    f"{action}: {error}", "a connection that stands", "connect again"
                ) from error
            finally:
                self._open = None

    async def receive(self, text: str | bytes) -> None:
        """Take one text from the wire; returns before a request is answered."""
        try:
            frame = parse_frame(text)
        except FrameError as error:
            await self._refuse(error, "")
            return
        if isinstance(frame, Call):
            await self._take_call(frame)
        else:
            self._take_answer(frame)

    def close(self, reason: str = "the connection ended") -> None:
        """Give up what is open: a waiting :meth:`call` raises, handlers under way are cancelled."""
        if self._open is not None and not self._open[3].done():
            self._open[3].set_exception(DeviceError(reason, "an answer", "connect again"))
        for _, task in self._waiting.values():
            task.cancel()

    async def _take_call(self, call: Call) -> None:
        earlier, answer = self._waiting.get(call.message_id), self._answers.get(call.message_id)
        known = earlier[0] if earlier else answer[0] if answer else None
        if known is not None and known != call:
            fault = FrameError(ErrorCode.RPC_FRAMEWORK_ERROR, "message identity used twice", call.message_id)
            await self._refuse(fault, call.action, call.payload)
        elif earlier is not None:
            self._saw("in", call, call.action, fault="repeated; its answer is under way")
        elif answer is not None:
            self._saw("in", call, call.action, fault="repeated; answered again")
            await self._reply(call, answer[1], time.perf_counter())
        elif len(self._waiting) >= WAITING:
            fault = FrameError(ErrorCode.GENERIC_ERROR, f"more than {WAITING} open CALLs", call.message_id)
            await self._refuse(fault, call.action, call.payload)
        else:
            # A task of its own: while the handler runs, answers to its own calls must still come in.
            task = asyncio.create_task(self._answer(call))
            self._waiting[call.message_id] = (call, task)

    async def _answer(self, call: Call) -> None:
        began = time.perf_counter()
        try:
            async with self._answering:
                answer = await self._carry_out(call)
            self._answers[call.message_id] = (call, answer)
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
            await self._reply(call, answer, began)
        except (OSError, V2GError):
            return  # the connection is gone, which its reader finds out too; or the note could not be kept
        finally:
            self._waiting.pop(call.message_id, None)

    async def _carry_out(self, call: Call) -> CallResult | CallError:
        try:
            check_payload(call.action, "Request", call.payload, call.message_id)
        except FrameError as error:
            self._saw("in", call, call.action, fault=f"{error.code}: {error.description}")
            return CallError(call.message_id, error.code, error.description)
        handler = self._handlers.get(call.action)
        try:
            self._saw("in", call, call.action)
            if handler is None:
                description = f"{call.action} is not supported here"
                return CallError(call.message_id, ErrorCode.NOT_SUPPORTED, description)
            result = handler(call.payload)
            payload = await result if inspect.isawaitable(result) else result
            check_payload(call.action, "Response", payload, call.message_id)
        except V2GError as error:
            return CallError(call.message_id, ErrorCode.INTERNAL_ERROR, str(error))
        except Exception as error:  # a fault of one handler must not end the connection
            return CallError(call.message_id, ErrorCode.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
        return CallResult(call.message_id, payload)

    async def _reply(self, call: Call, answer: CallResult | CallError, began: float) -> None:
        await self._send(encode_frame(answer))
        self._saw("out", answer, call.action, round_trip_s=time.perf_counter() - began)

    async def _refuse(self, error: FrameError, action: str, payload: Mapping[str, Any] | None = None) -> None:
        fault = f"{error.code}: {error.description}"
        self._note(Seen(time.time_ns(), "in", "?", action, error.message_id, payload or {}, fault=fault))
        if error.answerable:
            answer = CallError(error.message_id, error.code, error.description)
            await self._send(encode_frame(answer))
            self._saw("out", answer, action)

    def _take_answer(self, frame: CallResult | CallError) -> None:
        if self._open is None or self._open[0] != frame.message_id or self._open[3].done():
            self._saw("in", frame, "", fault="an answer to no open CALL")
            return
        _, action, began, answer = self._open
        elapsed = time.perf_counter() - began
        if isinstance(frame, CallError):
            self._saw("in", frame, action, round_trip_s=elapsed)
            text = f"{action}: {frame.code} {frame.description}".strip()
            answer.set_exception(DeviceError(text, "a CALLRESULT", "see the other end's log"))
            return
        try:
            check_payload(action, "Response", frame.payload, frame.message_id)
        except FrameError as error:
            self._saw("in", frame, action, round_trip_s=elapsed, fault=f"{error.code}: {error.description}")
            answer.set_exception(
                DeviceError(
                    f"{action}: {error.description}", "an answer as its schema has it", "update the device"
                )
            )
            return
        self._saw("in", frame, action, round_trip_s=elapsed)
        answer.set_result(frame.payload)

    def _saw(
        self,
        direction: Direction,
        frame: Frame,
        action: str,
        *,
        round_trip_s: float | None = None,
        fault: str = "",
    ) -> None:
        payload: Mapping[str, Any]
        if isinstance(frame, CallError):
            kind: Literal["CALL", "CALLRESULT", "CALLERROR"] = "CALLERROR"
            payload = {"code": frame.code, "description": frame.description}
        else:
            kind, payload = ("CALL" if isinstance(frame, Call) else "CALLRESULT"), frame.payload
        self._note(
            Seen(time.time_ns(), direction, kind, action, frame.message_id, payload, round_trip_s, fault)
        )
