"""JSON-RPC over a real socket, with errors that travel and garbage that does not kill."""

import asyncio
import json
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import DeviceError, InputError, UsageError
from v2glab.links import JsonRpcClient, serve_json_rpc


async def slow_double(value):
    await asyncio.sleep(0)
    return 2 * value


def refuse():
    raise InputError("a", "b", "c")


@pytest.fixture(scope="module")
def port():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    handlers = {"double": slow_double, "refuse": refuse, "boom": lambda: 1 / 0}
    server, port = asyncio.run_coroutine_threadsafe(serve_json_rpc(handlers), loop).result(5)
    yield port
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_calls_and_errors(port):
    client = JsonRpcClient("127.0.0.1", port, timeout_s=5)
    assert client.call("double", value=21) == 42
    with pytest.raises(InputError, match="found: a; required: b; remedy: c"):
        client.call("refuse")
    with pytest.raises(UsageError, match="no method"):
        client.call("nothing")
    with pytest.raises(UsageError, match="missing a required argument"):
        client.call("double")
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        client.call("boom")
    assert client.call("double", value=1) == 2
    client.close()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_answered_or_dropped_and_the_service_goes_on(port, data):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        raw.sendall(
            data
            + b"\n"
            + json.dumps({"jsonrpc": "2.0", "id": 7, "method": "double", "params": {"value": 4}}).encode()
            + b"\n"
        )
        received = b""
        while b'"result": 8' not in received:
            received += raw.recv(4096)
    assert b'"id": 7' in received


def test_nobody_there(free_port):
    with pytest.raises(DeviceError, match="control port"):
        JsonRpcClient("127.0.0.1", free_port, timeout_s=1).call("x")


def test_port_in_use(port):
    with pytest.raises(DeviceError, match="free port"):
        asyncio.run(serve_json_rpc({}, port=port))
