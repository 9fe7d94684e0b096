"""The lease: export is allowed while it is renewed."""

from __future__ import annotations

import contextlib
import os
import threading

from v2glab.evidence import DeviceError, SafeStateError
from v2glab.station._guardian import Membership

#: Time that the first statements under a lease have until they call :meth:`Lease.checkpoint`.
_FIRST_S = 10.0
#: Above ordinary work, below the guardian.
_PRIORITY = 10


class Lease:
    """Held while a station is energised: a thread renews it, and checkpoints have to be kept.

    Parameters
    ----------
    membership
        Connection to the guardian; used by nobody else meanwhile.
    max_s
        Wall time after which the guardian ends the lease.

    Raises
    ------
    DeviceError
        The guardian refuses, for another process holds the lease or the charger does not answer.
    """

    def __init__(self, membership: Membership, max_s: float) -> None:
        self._membership = membership
        self._lost = ""
        self._stop = False
        self._wake = os.eventfd(0)
        membership.send(do="acquire", max_s=max_s, within_s=_FIRST_S)
        self.lease_s = float(membership.expect("granted")["lease_s"])
        self._thread = threading.Thread(target=self._renew, name="v2glab-lease", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> str:
        """Why the lease was lost, empty while it is held."""
        return self._lost

    def checkpoint(self, within_s: float = 2.0) -> None:
        """Say that the work goes on, and promise the next call within ``within_s`` of wall time.

        Raises
        ------
        SafeStateError
            The lease was lost; the guardian has brought the station into the safe state.
        """
        self.require()
        with contextlib.suppress(DeviceError):  # the renewing thread finds out, too
            self._membership.send(do="beat", within_s=within_s)

    def require(self) -> None:
        """Raise :class:`SafeStateError` when the lease was lost."""
        if self._lost:
            raise SafeStateError(
                self._lost,
                "a lease that is renewed",
                "the station was brought into the safe state; find the cause, then run the test again",
            )

    def release(self) -> None:
        """Hand the lease back; the guardian brings the station into the safe state and verifies it.

        Raises
        ------
        SafeStateError
            The safe state could not be verified, or the guardian has gone.
        """
        self._stop = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        os.close(self._wake)
        if self._lost:
            return
        try:
            self._membership.send(do="release")
            answer = self._membership.expect("released")
        except DeviceError as error:
            self._lost = error.found
            raise SafeStateError(
                error.found, "a verified safe state", "open the contactor by hand; read the guardian's log"
            ) from error
        if not answer["verified"]:
            raise SafeStateError(
                f"safe state not reached: {answer['detail']}",
                "export off and contactor open",
                "open the contactor by hand and lock it out; run v2glab diagnose",
            )

    def _renew(self) -> None:
        period_s = self.lease_s / 4
        _be_prompt()
        try:
            while not self._stop:
                self._membership.send(do="beat")
                message = self._membership.receive(period_s, self._wake)
                if message is not None and message.get("event") == "safe":
                    self._lost = str(message.get("reason"))
                    if not message.get("verified"):
                        self._lost += f"; safe state not verified: {message.get('detail')}"
                    return
        except DeviceError as error:
            self._lost = error.found


def _be_prompt() -> None:
    """Ask for real-time scheduling of this thread, so that a loaded machine ends no lease."""
    with contextlib.suppress(OSError, AttributeError):
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(_PRIORITY))  # 0 is the calling thread
