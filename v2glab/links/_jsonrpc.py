"""JSON-RPC 2.0 over TCP, one object a line."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

from v2glab.evidence import DeviceError, InputError, LimitError, UsageError, V2GError

#: Longest line that is read, in bytes.
LONGEST_LINE = 1 << 20
_PARSE, _REQUEST, _METHOD, _PARAMS, _INTERNAL, _HOUSE = -32700, -32600, -32601, -32602, -32603, -32000
_ERRORS: dict[str, type[V2GError]] = {
    e.__name__: e for e in (DeviceError, InputError, LimitError, UsageError)
}

Handler = Callable[..., Any]


class JsonRpcClient:
    """Synchronous client; connects on the first call and again after a broken connection.

    Parameters
    ----------
    timeout_s
        Longest wait for one answer.
    """

    def __init__(self, host: str, port: int, timeout_s: float = 60.0) -> None:
        self._address = (host, port)
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._received = b""
        self._identity = 0

    def call(self, method: str, **params: Any) -> Any:  # noqa: ANN401 -- whatever JSON can hold
        """Call a method and return its result.

        Raises
        ------
        DeviceError
            The server cannot be reached, or does not answer as it must.
        V2GError
            What the method raised at the other end, with found, required and remedy.
        """
        self._identity += 1
        request = {"jsonrpc": "2.0", "id": self._identity, "method": method, "params": params}
        try:
            answer = self._exchange(json.dumps(request, allow_nan=False).encode() + b"\n")
        except (OSError, ValueError) as error:
            self.close()
            raise self._fault(f"{method}: {error}") from error
        except BaseException:
            self.close()  # interrupted half-way: the answer still to come belongs to no later call
            raise
        if not isinstance(answer, dict) or answer.get("id") != self._identity:
            self.close()
            raise self._fault(f"{method}: an answer to another request")
        if "error" in answer:
            raise _raised(answer["error"])
        return answer.get("result")

    def close(self) -> None:
        """Close the connection; a later call opens it again."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._received = None, b""

    def _exchange(self, line: bytes) -> Any:  # noqa: ANN401
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=self._timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(line)
        while b"\n" not in self._received:
            chunk = self._socket.recv(65536)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            self._received += chunk
            if len(self._received) > LONGEST_LINE:
                raise ValueError("an answer without end")
        answer, _, self._received = self._received.partition(b"\n")
        return json.loads(answer)

    def _fault(self, what: str) -> DeviceError:
        host, port = self._address
        return DeviceError(
            f"control port {host}:{port}: {what}",
            "a server that answers",
            "check that it still runs; see its log",
        )


async def serve_json_rpc(
    handlers: Mapping[str, Handler], host: str = "127.0.0.1", port: int = 0
) -> tuple[asyncio.Server, int]:
    """Serve methods on a loopback port; return the server and its port.

    Handlers are functions or coroutine functions that take parameters by name.

    Raises
    ------
    DeviceError
        The port is in use.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, ValueError):
            while line := await reader.readline():
                answer = await _answer(handlers, line)
                if answer is not None:
                    writer.write(json.dumps(answer).encode() + b"\n")
                    await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(serve, host, port, limit=LONGEST_LINE)
    except OSError as error:
        raise DeviceError(
            f"control port {host}:{port}: {error.strerror}", "a free port", "choose another port, or 0"
        ) from error
    return server, int(server.sockets[0].getsockname()[1])


async def _answer(handlers: Mapping[str, Handler], line: bytes) -> dict[str, Any] | None:
    try:
        request = json.loads(line)
    except ValueError:
        return _failure(None, _PARSE, "not JSON")
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        return _failure(None, _REQUEST, "not a request")
    identity, params = request.get("id"), request.get("params", {})
    handler = handlers.get(request["method"])
    if handler is None:
        return _failure(identity, _METHOD, f"no method {request['method']!r}")
    if not isinstance(params, dict):
        return _failure(identity, _PARAMS, "parameters go by name")
    answer = await _carry_out(handler, params, identity)
    return None if "id" not in request else answer


async def _carry_out(handler: Handler, params: dict[str, Any], identity: Any) -> dict[str, Any]:  # noqa: ANN401
    try:
        inspect.signature(handler).bind(**params)
    except TypeError as error:
        return _failure(identity, _PARAMS, str(error))
    try:
        result = handler(**params)
        if inspect.isawaitable(result):
            result = await result
    except V2GError as error:
        data = {"found": error.found, "required": error.required, "remedy": error.remedy}
        return _failure(identity, _HOUSE, str(error), {"type": type(error).__name__, **data})
    except Exception as error:  # a fault of one handler must not end the service
        return _failure(identity, _INTERNAL, f"{type(error).__name__}: {error}")
    return {"jsonrpc": "2.0", "id": identity, "result": result}


def _failure(identity: Any, code: int, message: str, data: Any = None) -> dict[str, Any]:  # noqa: ANN401
    error = {"code": code, "message": message, **({"data": data} if data else {})}
    return {"jsonrpc": "2.0", "id": identity, "error": error}


def _raised(error: Any) -> V2GError:  # noqa: ANN401
    data = error.get("data") if isinstance(error, dict) else None
    if isinstance(data, dict) and {"found", "required", "remedy"} <= data.keys():
        kind = _ERRORS.get(str(data.get("type")), DeviceError)
        return kind(str(data["found"]), str(data["required"]), str(data["remedy"]))
    text = error.get("message") if isinstance(error, dict) else error
    return UsageError(f"the server refused: {text}", "a method and parameters it knows", "check the call")
