"""Errors of SLAC: a frame that is none, and a matching that did not succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from v2glab.evidence import DeviceError, InputError

if TYPE_CHECKING:
    from v2glab.links.slac._trace import Seen


class SlacFrameError(InputError):
    """Bytes are not a management message of HomePlug Green PHY that SLAC knows.

    Attributes
    ----------
    field
        Name of the field that does not fit; empty when the frame as a whole is at fault.
    offset
        Where it begins, in bytes from the first byte of the frame; None when a message is to be written.
    """

    def __init__(self, fault: str, required: str, field: str = "", offset: int | None = None) -> None:
        place = f" in field {field}" if field else ""
        where = f" at byte {offset}" if offset is not None else ""
        remedy = "mend the sender" if offset is not None else "mend the message"
        super().__init__(f"SLAC frame: {fault}{place}{where}", required, remedy)
        self.fault, self.field, self.offset = fault, field, offset


class SlacFailure(DeviceError):  # noqa: N818 -- an outcome of a run first of all
    """A matching run ended without a match.

    Attributes
    ----------
    cause
        Name of the cause, an entry of ``[failure]`` in ``datasets/iso15118/slac.toml``.
    timer
        Name of the timer that ran out, where one did.
    trace
        Messages of the run, oldest first; filled in by who drove it.
    """

    trace: tuple[Seen, ...] = ()

    def __init__(self, cause: str, found: str, required: str, remedy: str, timer: str = "") -> None:
        super().__init__(found, required, remedy)
        self.cause, self.timer = cause, timer
