"""Holds a lease and closes the contactor of the bench, then ends as told; run as a process."""

import ctypes
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from v2glab.evidence import V2GError
from v2glab.station import Lease, Membership, start_guardian
from v2glab.station._guard_modbus import ModbusLink
from v2glab.station._guard_plan import GuardPlan, Registers, Target


def plan(port: int) -> GuardPlan:
    def point(name: str, address: int, *words: int) -> Registers:
        return Registers("charger", name, 3, address, words)

    return GuardPlan(
        station="bench",
        lease_s=0.15,
        watchdog_s=0.2,
        targets={"charger": Target("127.0.0.1", port, 1)},
        safe_state=(
            point("power_setpoint", 0x4004, 0, 0),
            point("contactor_command", 0x4001, 0),
            point("inverter_run", 0x4009, 0),
        ),
        confirm=(point("contactor_feedback", 0x4003, 0),),
        arm=point("watchdog_timeout", 0x400A, 200),
        kick=point("watchdog_kick", 0x400B, 0),
    )


def close_contactor(port: int) -> None:
    link = ModbusLink("127.0.0.1", port, 1, timeout_s=1.0)
    link.write(0x4009, [1])
    link.write(0x4001, [1])
    link.write(0x4004, [0, 11000])
    time.sleep(0.05)


def hold(membership: Membership, port: int, how: str) -> None:
    lease = Lease(membership, 0.4 if how == "long" else 60.0)
    try:
        lease.checkpoint(within_s=0.3 if how == "miss" else 60.0)
        close_contactor(port)
        print("energised", flush=True)
        if how == "raise":
            1 / 0  # noqa: B018
        while how == "miss":
            time.sleep(0.1)
        if how == "frozen":
            ctypes.PyDLL(None).sleep(30)  # keeps the interpreter's lock: no thread runs, nothing works
        if how == "busy":
            values = [random.random() for _ in range(1_500_000)]
            print("busy", flush=True)
            values.sort()  # one call without a break, longer than a lease
            lease.checkpoint()
            print("done", flush=True)
        while True:
            lease.checkpoint(within_s=60.0)
            time.sleep(0.01)
    finally:
        lease.release()


def main() -> int:
    port, log, how = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    try:
        if how == "kernel":
            hold(Membership(Path(os.environ["V2GLAB_GUARD_SOCKET"]), role="kernel"), port, "wait")
        handle = start_guardian(plan(port), log_path=log)
        if how == "runner":
            command = [sys.executable, __file__, str(port), str(log), "kernel"]
            subprocess.run(command, env={**os.environ, **handle.environment}, check=False)
        hold(handle.membership, port, how)
    except ZeroDivisionError as error:
        print(type(error).__name__, flush=True)
    except V2GError as error:
        print(error, flush=True)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
