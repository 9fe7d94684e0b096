"""Who is connected to the guardian, and when each was last heard of."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: One message of the guardian's protocol, JSON in one SOCK_SEQPACKET record.
MESSAGE_BYTES = 4096


@dataclass
class Member:
    """One connected process.

    Attributes
    ----------
    link
        Its end of the Unix socket.
    process
        Descriptor that becomes readable when the process ends; a forked child may keep the socket open.
    critical
        Whether its sudden end leads to the safe state.
    """

    link: socket.socket
    pid: int
    process: int | None
    role: str = "unknown"
    critical: bool = False

    @property
    def label(self) -> str:
        """Role and process, for the log and for messages."""
        return f"{self.role} {self.pid}"

    def send(self, **message: object) -> None:
        """Send one message; who does not listen any more is found out by its end of file."""
        with contextlib.suppress(OSError):
            self.link.send(json.dumps(message).encode(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def close(self) -> None:
        """Hang up."""
        self.link.close()
        if self.process is not None:
            os.close(self.process)


@dataclass
class Grant:
    """The lease under way: export is allowed while it is renewed.

    Attributes
    ----------
    last_sign_s
        When the holder was last heard of, or seen at work.
    checkpoint_s
        When it promised to have reached its next checkpoint.
    end_s
        When the lease ends whatever happens.
    work
        Processor time of the holder at the last sign, in ticks.
    """

    member: Member
    last_sign_s: float
    checkpoint_s: float
    end_s: float
    work: int = 0

    def sign(self, now_s: float) -> None:
        """Note a sign of life."""
        self.last_sign_s = now_s
        self.work = processor_time(self.member.pid)[1]

    def at_work(self) -> bool:
        """Whether a silent holder is working all the same.

        One long call into a library can keep a Python process from sending for longer than a lease, and a
        loaded machine can, too; the kernel tells that from a stopped, frozen or dead process. How long such
        work may take is bounded by the checkpoint.
        """
        state, work = processor_time(self.member.pid)
        alive = state == "R" or (state in ("S", "D") and work > self.work)
        self.work = work
        return alive


def processor_time(pid: int) -> tuple[str, int]:
    """Return the state of a process and its processor time in ticks (proc(5), /proc/PID/stat)."""
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
        return fields[0], int(fields[11]) + int(fields[12])
    except (OSError, IndexError, ValueError):
        return "X", 0


def accept_member(server: socket.socket) -> Member | None:
    """Accept one connection; processes of other users are turned away."""
    link, _ = server.accept()
    pid, uid, _gid = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if uid != os.getuid():
        link.close()
        return None
    try:
        process = os.pidfd_open(pid)
    except OSError:  # already gone, or a kernel without pidfd: the socket's end of file remains
        process = None
    return Member(link, pid, process)


def receive(link: socket.socket) -> dict[str, Any] | None:
    """Return one message, or ``None`` at the end of file; what is no message is an empty one."""
    try:
        record = link.recv(MESSAGE_BYTES)
    except OSError:
        return None
    if not record:
        return None
    try:
        message = json.loads(record)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
