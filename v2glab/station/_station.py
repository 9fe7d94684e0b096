"""An open station: instruments, clock, lease and safe state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from v2glab.evidence import (
    DeviceError,
    InputError,
    Recorder,
    UsageError,
)
from v2glab.station._clock import LockstepClock, RealtimeClock, StationClock
from v2glab.station._compile import compile_plan
from v2glab.station._guardian import GUARD_SOCKET_VARIABLE, GuardianHandle, Membership, start_guardian
from v2glab.station._lease import Lease
from v2glab.station._meter import certificate_doubt
from v2glab.station._policy import GuardedInstrument, WritePolicy
from v2glab.station._safe import reach_safe_state
from v2glab.station._settings import Clock, StationFile

if TYPE_CHECKING:
    from v2glab.instruments import Certificate, Instrument


class Station:
    """An open station; made by :func:`open_station`, and a context manager that closes it.

    Attributes
    ----------
    name, kind
        From the station file; kind is ``"twin"`` or ``"live"``.
    site, settings, path
        Ratings, the whole file, and the file itself with real addresses.
    clock
        Where procedures take the time from.
    """

    def __init__(
        self,
        path: Path,
        settings: StationFile,
        *,
        approved: bool,
        clock: Clock,
        recorder: Recorder,
        work_dir: Path,
    ) -> None:
        self.path, self.settings, self.site = path, settings, settings.site
        self.name, self.kind = settings.station.name, settings.station.kind
        self.work_dir = work_dir
        self._recorder = recorder
        self._lease: Lease | None = None
        self._instruments: dict[str, GuardedInstrument] = {}
        self._rpc = _rpc_client(settings) if settings.twin is not None else None
        self._policy = WritePolicy(settings, approved=approved, lease=lambda: self._lease)
        self._approved = approved or self.kind == "twin"
        self._closing = ExitStack()
        if self._rpc is not None:
            self._closing.callback(self._rpc.close)
        self.clock: StationClock = self._clock(clock)

    def instrument(self, name: str) -> Instrument:
        """Return an instrument of the station file, opened on first use.

        Raises
        ------
        UsageError
            The station has none of that name.
        DeviceError
            It cannot be reached.
        """
        if name not in self._instruments:
            self._instruments[name] = GuardedInstrument(self._open(name), self._policy)
        return self._instruments[name]  # type: ignore[return-value]  # the rest passes through __getattr__

    def has(self, name: str) -> bool:
        """Whether the station file lists an instrument of that name."""
        return name in self.settings.instruments

    @property
    def approved(self) -> bool:
        """Whether more than reading is allowed: it is the twin, or approval was given."""
        return self._approved

    def rpc(self, method: str, **params: Any) -> Any:  # noqa: ANN401 -- whatever the twin answers
        """Call the twin's control port.

        Raises
        ------
        UsageError
            The station is live.
        """
        if self._rpc is None:
            raise UsageError(
                f"{method!r} on the live station {self.name!r}", "the twin", "use --station twin"
            )
        return self._rpc.call(method, **params)

    def check(self) -> dict[str, str]:
        """Open every instrument and return what each says it is, by name.

        Raises
        ------
        DeviceError
            One cannot be reached, or is not what its profile is for.
        """
        return {name: self.instrument(name).identify() for name in self.settings.instruments}

    def meter_doubt(self, max_accuracy_percent: float = 0.5) -> str:
        """Return why the meter cannot validate telemetry; empty when it can."""
        certificate = self.instrument("meter").certificate
        return certificate_doubt(certificate, self.site, self.clock.now_ns(), max_accuracy_percent)

    def require_meter(self, max_accuracy_percent: float = 0.5) -> None:
        """Refuse to validate telemetry with a meter that is worse than asked, or not calibrated.

        Raises
        ------
        InputError
            With what is wrong.
        """
        if doubt := self.meter_doubt(max_accuracy_percent):
            raise InputError(
                doubt,
                f"a calibrated meter of {max_accuracy_percent:g} % or better",
                "have the meter calibrated, or name the certificate of a better one in the station file",
            )

    def start_guardian(self, *, log_path: Path | None = None) -> GuardianHandle:
        """Start a guardian for a campaign; processes given its ``environment`` join it.

        Raises
        ------
        ApprovalError
            The station is live and was not approved.
        InputError
            The station file does not say what the safe state is.
        DeviceError
            The guardian does not start.
        """
        self._policy.require_approval("starting the guardian")
        return start_guardian(compile_plan(self.settings), log_path=log_path)

    @contextmanager
    def energised(self, max_s: float = 60.0) -> Iterator[Lease]:
        """Hold a lease: inside, set-points may leave the safe state; at the end it is reached and verified.

        Parameters
        ----------
        max_s
            Wall time after which the guardian ends the lease by itself.

        Raises
        ------
        ApprovalError
            The station is live and was not approved.
        DeviceError
            The guardian cannot start, or does not reach the charger.
        SafeStateError
            The lease was lost, or the safe state could not be verified at the end.
        """
        self._policy.require_approval("energising")
        if self._lease is not None:
            raise UsageError("a lease is held already", "one lease a station", "end the first one")
        with ExitStack() as stack:
            membership = self._join(stack)
            lease = self._lease = Lease(membership, max_s)
            try:
                yield lease
            finally:
                self._lease = None
                lease.release()
            lease.require()

    def safe_state(self) -> None:
        """Bring the station into the safe state and verify it.

        Raises
        ------
        ApprovalError
            The station is live and was not approved.
        SafeStateError
            A point did not get there; all others were written nevertheless.
        """
        self._policy.require_approval("writing the safe state")
        if self.settings.guardian is not None:
            reach_safe_state(self.settings.guardian, self.instrument)

    def close_with(self, resources: ExitStack) -> None:
        """Hand over what has to be closed after the instruments: lock, twin, temporary folder."""
        self._closing.push(resources)

    def close(self) -> None:
        """Close instruments, control port, lock, and the twin when it was started here."""
        self._closing.close()

    def __enter__(self) -> Station:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _join(self, stack: ExitStack) -> Membership:
        """Join the campaign's guardian, or start one for this lease."""
        if socket_path := os.environ.get(GUARD_SOCKET_VARIABLE):
            membership = Membership(Path(socket_path), role="kernel")
            stack.callback(membership.leave)
            return membership
        handle = start_guardian(
            compile_plan(self.settings), log_path=self.work_dir / "guardian.log", role="holder"
        )
        stack.callback(handle.stop)
        return handle.membership

    def _open(self, name: str) -> Instrument:
        from v2glab.instruments import open_instrument

        entry = self.settings.instruments.get(name)
        if entry is None:
            known = ", ".join(self.settings.instruments)
            raise UsageError(
                f"no instrument {name!r} at {self.name!r}", f"one of: {known}", "choose one of those"
            )
        instrument = open_instrument(
            name,
            entry.profile,
            entry.address,
            certificate=self._certificate(entry.certificate),
            clock_ns=self.clock.now_ns,
            recorder=self._recorder,
        )
        self._closing.callback(instrument.close)
        return instrument

    def _certificate(self, file_name: str | None) -> Certificate | None:
        from v2glab.instruments import load_certificate
        from v2glab.resources import find_data

        if file_name is None:
            return None
        beside = self.path.parent / file_name
        return load_certificate(
            beside if beside.is_file() else find_data("drivers", "certificates", file_name)
        )

    def _clock(self, mode: Clock) -> StationClock:
        if mode == "lockstep":
            return LockstepClock(self.rpc, self._watch)
        if self._rpc is not None:
            return RealtimeClock(lambda: int(self.rpc("clock.now")["time_ns"]), self._watch)
        return RealtimeClock(None, self._watch)

    def _watch(self) -> None:
        if self._lease is not None:
            self._lease.require()


def _rpc_client(settings: StationFile) -> Any:  # noqa: ANN401 -- imported late
    from v2glab.links import JsonRpcClient

    control = settings.twin.control if settings.twin else None
    host, _, port = (control or "").rpartition(":")
    if not host or not port.isdigit():
        raise DeviceError(
            f"control port {control!r}", "HOST:PORT", "let the twin write its resolved file again"
        )
    return JsonRpcClient(host, int(port))
