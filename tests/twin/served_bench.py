"""A twin in a process of its own, started through the command line, and plain sockets to speak to it."""

from __future__ import annotations

import itertools
import json
import re
import socket
import struct
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from v2glab.resources import find_data

TWIN = find_data("drivers", "stations", "twin.toml")
_IDENTITY = itertools.count(1)


@dataclass
class Served:
    process: subprocess.Popen[bytes]
    folder: Path
    addresses: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.addresses = tomllib.loads((self.folder / "resolved.toml").read_text())

    @property
    def modbus(self) -> tuple[str, int]:
        address = self.addresses["instruments"]["charger"]["address"]
        host, port = re.fullmatch(r"tcp://([^:]+):(\d+)\?unit=1", address).groups()
        return host, int(port)

    def scpi(self, name: str) -> Line:
        port = int(self.addresses["instruments"][name]["address"].split("::")[2])
        return Line(("127.0.0.1", port))

    @property
    def control(self) -> tuple[str, int]:
        host, _, port = self.addresses["twin"]["control"].rpartition(":")
        return host, int(port)

    def rpc(self, method: str, **params: Any) -> Any:
        answer = self.rpc_raw({"jsonrpc": "2.0", "id": next(_IDENTITY), "method": method, "params": params})
        assert "error" not in answer, answer
        return answer["result"]

    def rpc_raw(self, request: Any) -> Any:
        line = Line(self.control)
        line.send(request if isinstance(request, bytes) else json.dumps(request).encode())
        answer = json.loads(line.read_line())
        line.close()
        return answer

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Line:
    """One TCP connection that speaks lines; every answer must come within two seconds."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=2)
        self._stream = self.socket.makefile("rb")

    def send(self, line: bytes) -> None:
        self.socket.sendall(line + b"\n")

    def ask(self, line: str) -> str:
        self.send(line.encode())
        return self.read_line().decode()

    def read_line(self) -> bytes:
        return self._stream.readline().rstrip(b"\n")

    def read_block(self) -> bytes:
        """Read a definite-length block (IEEE 488.2, 8.7.9) and its terminator."""
        assert self._stream.read(1) == b"#"
        digits = int(self._stream.read(1))
        body = self._stream.read(int(self._stream.read(digits)))
        assert self._stream.read(1) == b"\n"
        return body

    def close(self) -> None:
        self._stream.close()
        self.socket.close()


def exchange(address: tuple[str, int], frame: bytes) -> bytes:
    """Send raw bytes to a Modbus TCP server and return one whole answer; empty when it hangs up."""
    with socket.create_connection(address, timeout=2) as link:
        link.sendall(frame)
        head = exactly(link, 6)
        return head + exactly(link, struct.unpack(">H", head[4:])[0]) if head else b""


def exactly(link: socket.socket, count: int) -> bytes:
    out = b""
    while len(out) < count:
        chunk = link.recv(count - len(out))
        if not chunk:
            return out
        out += chunk
    return out


def serve(folder: Path, *options: str, station: Path | None = None, **popen: Any) -> Served:
    """Start a twin and wait until it has written its resolved file; no gateway, so that no port is shared."""
    source = folder / "station.toml"
    source.write_text((station or TWIN).read_text().replace("port = 8883", "port = 0"))
    command = [sys.executable, "-m", "v2glab", "twin", "--station", str(source)]
    command += ["--resolved", str(folder / "resolved.toml"), "--work-dir", str(folder), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, **popen)
    wait_for(lambda: (folder / "resolved.toml").exists() or process.poll() is not None, 90)
    assert process.poll() is None, process.stderr.read().decode()
    return Served(process, folder)


def wait_for(condition: Any, within_s: float) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def listening(pid: int) -> set[str]:
    """Return the local addresses on which a process listens, in the hexadecimal of /proc."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if match := re.fullmatch(r"socket:\[(\d+)\]", target):
            inodes.add(match.group(1))
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[9] in inodes and (fields[3] == "0A" or table.startswith("udp")):
                found.add(fields[1].split(":")[0])
    return found
