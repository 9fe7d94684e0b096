"""The guardian process: while a lease is renewed it kicks the charger's watchdog; else it makes safe.

Only the standard library is used here: the process starts quickly, and nothing in it can stall.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from v2glab.station._guard_actions import Actions
from v2glab.station._guard_log import GuardLog, become_prompt
from v2glab.station._guard_members import Grant, Member, accept_member, receive
from v2glab.station._guard_modbus import LinkError
from v2glab.station._guard_plan import GuardPlan

#: Nobody joined for this long: whoever started the guardian is gone.
_ALONE_S = 10.0


class Guardian:
    """One guardian: members, at most one lease, and the charger.

    Parameters
    ----------
    plan
        What to watch and what to do.
    server
        Listening Unix socket (SOCK_SEQPACKET).
    """

    def __init__(self, plan: GuardPlan, server: socket.socket, log: GuardLog) -> None:
        self._plan = plan
        self._server = server
        self._log = log
        self._actions = Actions(plan, log.event)
        self._members: list[Member] = []
        self._grant: Grant | None = None
        self._next_kick_s = 0.0
        self._term = False
        self._verified = True

    def open(self) -> None:
        """Connect to the devices; :class:`LinkError` when one does not answer."""
        self._actions.open()

    def terminate(self, _signal: int, _frame: FrameType | None) -> None:
        """Ask for the safe state and the end."""
        self._term = True

    def run(self) -> int:
        """Serve until the last member has gone; returns 0 when the last safe state was verified, else 4."""
        alone_until_s = time.monotonic() + _ALONE_S
        while self._members or time.monotonic() < alone_until_s:
            self._step()
            if self._members:
                alone_until_s = 0.0
            if self._term:
                self._make_safe("the guardian was told to end (SIGTERM)")
                break
        self._log.event("end", verified=self._verified)
        return 0 if self._verified else 4

    def _step(self) -> None:
        ready = select.select(self._descriptors(), [], [], self._wait_s())[0]
        self._check_lease()
        if self._server.fileno() in ready:
            member = accept_member(self._server)
            if member is not None:
                self._members.append(member)
        for member in list(self._members):
            if member not in self._members:
                continue
            if member.link.fileno() in ready:
                self._serve(member)
            elif member.process is not None and member.process in ready:
                self._gone(member)
        self._kick()

    def _descriptors(self) -> list[int]:
        out = [self._server.fileno()]
        for member in self._members:
            out.append(member.link.fileno())
            if member.process is not None:
                out.append(member.process)
        return out

    def _wait_s(self) -> float:
        now_s = time.monotonic()
        if self._grant is None:
            return 0.5
        grant = self._grant
        next_s = min(grant.last_sign_s + self._plan.lease_s, grant.checkpoint_s, grant.end_s)
        if self._plan.kick is not None:
            next_s = min(next_s, self._next_kick_s)
        return max(0.0, next_s - now_s)

    def _check_lease(self) -> None:
        grant = self._grant
        if grant is None:
            return
        now_s = time.monotonic()
        if now_s >= grant.end_s:
            self._make_safe(f"lease of {grant.member.label} ended: its longest duration is over")
        elif now_s >= grant.checkpoint_s:
            self._make_safe(f"{grant.member.label} missed its checkpoint")
        elif now_s - grant.last_sign_s >= self._plan.lease_s:
            self._check_silent(grant)

    def _check_silent(self, grant: Grant) -> None:
        """Judge a holder that was silent for as long as a lease."""
        last_sign_s = grant.last_sign_s
        # A renewal may wait in the socket when this process itself was held up: look before judging.
        if select.select([grant.member.link], [], [], 0)[0]:
            self._serve(grant.member)
        if self._grant is not grant or grant.last_sign_s > last_sign_s:
            return
        now_s = time.monotonic()
        if grant.at_work():
            grant.last_sign_s = now_s - self._plan.lease_s * 2 / 3  # look again soon
            return
        silent_ms = (now_s - last_sign_s) * 1e3
        self._make_safe(f"lease of {grant.member.label} expired: silent for {silent_ms:.0f} ms")

    def _kick(self) -> None:
        now_s = time.monotonic()
        if self._grant is None or self._plan.kick is None or now_s < self._next_kick_s:
            return
        self._next_kick_s = now_s + self._plan.watchdog_s / 4
        try:
            self._actions.kick()
        except LinkError as error:
            self._log.event("kick_failed", error=str(error))
            try:
                self._actions.kick()
            except LinkError as again:
                self._make_safe(f"charger lost: {again}")

    def _serve(self, member: Member) -> None:
        message = receive(member.link)
        if message is None:
            self._gone(member)
            return
        do = message.get("do")
        if do == "beat":
            self._renew(member, message)
        elif do == "join":
            member.role = str(message.get("role", "unknown"))[:40]
            member.critical = bool(message.get("critical", True))
            self._log.event("join", who=member.label, critical=member.critical)
            member.send(event="joined", pid=os.getpid())
        elif do == "acquire":
            self._acquire(member, message)
        elif do == "release":
            self._make_safe(f"lease of {member.label} released", told=member)
        elif do == "leave":
            self._leave(member)
        else:
            member.send(event="refused", reason=f"unknown request {do!r}")

    def _renew(self, member: Member, message: dict[str, Any]) -> None:
        if self._grant is None or self._grant.member is not member:
            return
        now_s = time.monotonic()
        self._grant.sign(now_s)
        within_s = message.get("within_s")
        if isinstance(within_s, int | float):
            self._grant.checkpoint_s = now_s + within_s

    def _acquire(self, member: Member, message: dict[str, Any]) -> None:
        if self._grant is not None:
            member.send(event="refused", reason=f"{self._grant.member.label} holds the lease")
            return
        try:
            max_s, within_s = float(message["max_s"]), float(message["within_s"])
            self._actions.arm()
        except (KeyError, TypeError, ValueError):
            member.send(event="refused", reason="no duration given")
            return
        except LinkError as error:
            member.send(event="refused", reason=f"the charger's watchdog could not be armed: {error}")
            return
        now_s = time.monotonic()
        self._grant = Grant(member, now_s, now_s + within_s, now_s + max_s)
        self._grant.sign(now_s)
        self._next_kick_s = now_s
        self._log.event("acquire", who=member.label, max_s=max_s)
        member.send(event="granted", lease_s=self._plan.lease_s)

    def _leave(self, member: Member) -> None:
        if self._grant is not None and self._grant.member is member:
            self._make_safe(f"{member.label} left with its lease")
        self._log.event("leave", who=member.label)
        self._drop(member)

    def _gone(self, member: Member) -> None:
        holds = self._grant is not None and self._grant.member is member
        self._drop(member)
        if member.critical or holds:
            self._make_safe(f"{member.label} ended without leaving")
        else:
            self._log.event("gone", who=member.label)

    def _drop(self, member: Member) -> None:
        if member in self._members:
            self._members.remove(member)
            member.close()

    def _make_safe(self, reason: str, told: Member | None = None) -> None:
        """Reach the safe state, then tell who asked, or everyone.

        The watchdog stays armed when the safe state was not reached: it is what is left.
        """
        decided_ns = time.monotonic_ns()
        self._grant = None
        report = self._actions.make_safe()
        if report.verified:
            self._actions.disarm()
        self._verified = report.verified
        self._log.event(
            "safe_state",
            reason=reason,
            decided_monotonic_ns=decided_ns,
            duration_ms=round(report.duration_s * 1e3, 1),
            verified=report.verified,
            detail=report.detail,
        )
        for member in [told] if told else self._members:
            member.send(
                event="released" if told else "safe",
                reason=reason,
                verified=report.verified,
                duration_s=report.duration_s,
                detail=report.detail[:1000],
            )


def serve(plan_path: Path, socket_path: Path, log_path: Path) -> int:
    """Run the guardian; prints ``ready`` once it may be joined, or ``failed: …``."""
    with contextlib.suppress(OSError):
        os.setsid()  # already a leader when started by this project; by hand it may not be
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        plan = GuardPlan.read(plan_path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stdout.write(f"failed: plan {plan_path}: {error}\n")
        return 2
    with GuardLog(log_path) as log, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        log.event("start", station=plan.station, pid=os.getpid(), **become_prompt())
        server.bind(str(socket_path))
        server.listen(8)
        guardian = Guardian(plan, server, log)
        signal.signal(signal.SIGTERM, guardian.terminate)
        try:
            guardian.open()
        except LinkError as error:
            log.event("open_failed", error=str(error))
            sys.stdout.write(f"failed: {error}\n")
            sys.stdout.flush()
            socket_path.unlink(missing_ok=True)
            return 3
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        try:
            return guardian.run()
        finally:
            _tidy(socket_path, plan_path)


def _tidy(socket_path: Path, plan_path: Path) -> None:
    """Remove the guardian's files, for who started it may be dead; a log beside them stays."""
    for path in (socket_path, plan_path, plan_path.with_name("errors")):
        with contextlib.suppress(OSError):
            path.unlink()
    with contextlib.suppress(OSError):
        plan_path.parent.rmdir()
