"""Errors of captures: where in the file, and at which packet, reading had to stop."""

from __future__ import annotations

from v2glab.evidence import InputError


class CaptureError(InputError):
    """A file is no capture, or is damaged at a place from which nothing can be read on.

    Attributes
    ----------
    offset
        Octets from the start of the file to the part at fault.
    packet
        Number of the packet, counted from 1; 0 before the first.
    cut
        The file ends early, and all that stands before ``offset`` is whole.
    """

    def __init__(
        self,
        fault: str,
        required: str,
        offset: int,
        packet: int = 0,
        *,
        cut: bool = False,
        remedy: str = "record again, or mend the file with a tool for captures",
    ) -> None:
        where = f" at octet {offset}" + (f", packet {packet}" if packet else "")
        super().__init__(f"capture: {fault}{where}", required, remedy)
        self.fault, self.offset, self.packet, self.cut = fault, offset, packet, cut


class KeyLogError(InputError):
    """A key log is not in the NSS format; names the line."""

    def __init__(self, fault: str, line: int) -> None:
        required = "lines 'LABEL client_random secret' in hexadecimal (NSS key log)"
        super().__init__(f"key log: {fault} in line {line}", required, "write the key log again")
        self.line = line
