"""Identifiers as the first editions carry them: octets of fixed length."""

from __future__ import annotations

import hashlib
import re

_MAC_OCTETS = 6
_LOCAL = 0x02
_GROUP = 0x01


def evcc_octets(evcc_id: str) -> str:
    """Return EVCCID, in part 2 and DIN the vehicle's MAC address, six octets hexadecimal.

    An identifier that is none gives an address of its own that stays the same: locally administered, as
    IEEE 802, 8.2 wants it for addresses that nobody assigned.
    """
    plain = re.sub(r"[:-]", "", evcc_id).upper()
    if re.fullmatch(r"[0-9A-F]{12}", plain):
        return plain
    octets = bytearray(hashlib.sha256(evcc_id.encode()).digest()[:_MAC_OCTETS])
    octets[0] = octets[0] & ~_GROUP | _LOCAL
    return octets.hex().upper()


def evse_octets(evse_id: str) -> str:
    """Return EVSEID of DIN SPEC 70121: octets, here those of the text."""
    return evse_id.encode("ascii", "replace")[:32].hex().upper()


def is_new(session_id: str) -> bool:
    """Whether an identifier asks for a new session; some vehicles send fewer zeros than eight octets."""
    return not session_id.strip("0")
