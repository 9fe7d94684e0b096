"""Keys of a HomePlug network: membership key (NMK) and network identity (NID)."""

from __future__ import annotations

import secrets
from hashlib import sha256

from v2glab.evidence import InputError

NMK_LENGTH, NID_LENGTH = 16, 7


def new_nmk() -> bytes:
    """Return a fresh random membership key of 16 bytes."""
    return secrets.token_bytes(NMK_LENGTH)


def nid_of(nmk: bytes) -> bytes:
    """Return the network identity, 7 bytes, that belongs to a membership key.

    SHA-256 five times; the leftmost 52 bits, with the security level (0, simple connect) above the last
    four (HomePlug Green PHY 1.1, 4.4.3.1, as open-plc-utils implements it).

    Raises
    ------
    InputError
        The key has not 16 bytes.
    """
    if len(nmk) != NMK_LENGTH:
        raise InputError(f"{len(nmk)} bytes", f"a key of {NMK_LENGTH} bytes", "make one with new_nmk()")
    digest = nmk
    for _ in range(5):
        digest = sha256(digest).digest()
    return digest[: NID_LENGTH - 1] + bytes((digest[NID_LENGTH - 1] >> 4,))
