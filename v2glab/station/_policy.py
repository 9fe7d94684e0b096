"""Who may write what, and when: the one place where this is decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from v2glab.evidence import ApprovalError, Quantity
from v2glab.station._settings import StationFile

if TYPE_CHECKING:
    from v2glab.instruments import Certificate, Instrument
    from v2glab.station._lease import Lease

#: Methods other than ``ensure`` that make an instrument act on the station.
_ACTING = frozenset({"play"})


class WritePolicy:
    """Decides on each write.

    A live station that was not approved is only read. A point of the safe state may always be written to its
    safe value; to any other value only under a lease. Other points are configuration: no lease needed.

    Parameters
    ----------
    lease
        Returns the lease under way, ``None`` without one.
    """

    def __init__(
        self, settings: StationFile, *, approved: bool, lease: Callable[[], Lease | None] = lambda: None
    ) -> None:
        self._settings = settings
        self._approved = approved or settings.station.kind == "twin"
        self._lease = lease
        actions = settings.guardian.safe_state if settings.guardian else ()
        self._safe = {(a.instrument, a.point): a.value for a in actions}

    def require_approval(self, what: str) -> None:
        """Refuse anything but reading on a live station without approval.

        Raises
        ------
        ApprovalError
            With the remedy.
        """
        if not self._approved:
            raise ApprovalError(
                f"{what} on the live station {self._settings.station.name!r}",
                "explicit approval to energise it",
                "make sure that nobody is near, then add --approve-energise",
            )

    def require_write(self, instrument: str, point: str, value: float) -> None:
        """Refuse a write that is not allowed now.

        Raises
        ------
        ApprovalError
            The station is only read, or the write energises and no lease is held.
        SafeStateError
            The lease was lost.
        """
        self.require_approval(f"write of {instrument}.{point} = {value:g}")
        safe = self._safe.get((instrument, point))
        if safe is None or value == safe:
            return
        lease = self._lease()
        if lease is None:
            raise ApprovalError(
                f"write of {instrument}.{point} = {value:g} without a lease",
                f"{safe:g}, which is safe, or a lease held",
                "write inside 'with station.energised() as lease:'",
            )
        lease.require()


class GuardedInstrument:
    """An instrument whose writes pass the policy; everything else goes straight through.

    Parameters
    ----------
    inner
        The instrument as it was opened.
    """

    def __init__(self, inner: Instrument, policy: WritePolicy) -> None:
        self._inner = inner
        self._policy = policy
        self.name = inner.name

    @property
    def certificate(self) -> Certificate | None:
        """Certificate of calibration."""
        return self._inner.certificate

    def ensure(self, point: str, value: float, *, tolerance: float = 0.0, timeout_s: float = 2.0) -> Quantity:
        """Read, compare, write and read back, when the policy allows it."""
        self._policy.require_write(self.name, point, value)
        return self._inner.ensure(point, value, tolerance=tolerance, timeout_s=timeout_s)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the instrument offers besides
        if name in _ACTING:
            self._policy.require_approval(f"{self.name}.{name}")
        return getattr(self._inner, name)
