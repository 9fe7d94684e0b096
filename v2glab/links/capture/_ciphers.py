"""Keys of TLS records from logged secrets, and records opened with them (RFC 8446, 5 and 7; RFC 5246, 6)."""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Protocol

from v2glab.links.capture._rules import CipherSuite

_TAG, _BLOCK, _IV = 16, 16, 12


class Opener(Protocol):
    """Opens the records of one direction under one key."""

    def open(self, sequence: int, header: bytes, payload: bytes) -> tuple[int, bytes] | None:
        """Return type and content of a record; None when it does not belong to this key and number."""


def expand_label(secret: bytes, label: str, length: int, digest: str) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446, 7.1)."""
    name = b"tls13 " + label.encode("ascii")
    info = struct.pack(">HB", length, len(name)) + name + b"\0"
    out, block, count = b"", b"", 0
    while len(out) < length:
        count += 1
        block = hmac.digest(secret, block + info + bytes((count,)), digest)
        out += block
    return out[:length]


def prf(secret: bytes, label: bytes, seed: bytes, length: int, digest: str) -> bytes:
    """P_hash of TLS 1.2 (RFC 5246, 5)."""
    seed = label + seed
    out, a = b"", seed
    while len(out) < length:
        a = hmac.digest(secret, a, digest)
        out += hmac.digest(secret, a + seed, digest)
    return out[:length]


class Aead13:
    """Records of TLS 1.3 under one traffic secret."""

    def __init__(self, suite: CipherSuite, secret: bytes) -> None:
        self._suite, self._secret = suite, secret
        self._cipher = _aead(suite, expand_label(secret, "key", suite.key, suite.hash))
        self._iv = int.from_bytes(expand_label(secret, "iv", _IV, suite.hash), "big")

    def open(self, sequence: int, header: bytes, payload: bytes) -> tuple[int, bytes] | None:
        """Return type and content of a record, or None (RFC 8446, 5.2)."""
        nonce = (self._iv ^ sequence).to_bytes(_IV, "big")
        plain = _opened(self._cipher, nonce, payload, header)
        if plain is None:
            return None
        content = plain.rstrip(b"\0")
        return (content[-1], content[:-1]) if content else None

    def following(self) -> Aead13:
        """Return the keys after a KeyUpdate (RFC 8446, 7.2)."""
        length = len(self._secret)
        return Aead13(self._suite, expand_label(self._secret, "traffic upd", length, self._suite.hash))


class Aead12:
    """Records of TLS 1.2 in GCM or ChaCha20 (RFC 5288, RFC 7905)."""

    def __init__(self, suite: CipherSuite, key: bytes, salt: bytes) -> None:
        self._cipher, self._salt = _aead(suite, key), salt

    def open(self, sequence: int, header: bytes, payload: bytes) -> tuple[int, bytes] | None:
        """Return type and content of a record, or None."""
        if len(self._salt) == _IV:
            nonce = (int.from_bytes(self._salt, "big") ^ sequence).to_bytes(_IV, "big")
        else:
            nonce, payload = self._salt + payload[:8], payload[8:]
        if len(payload) < _TAG or len(nonce) != _IV:
            return None
        length = len(payload) - _TAG
        plain = _opened(self._cipher, nonce, payload, _authenticated(sequence, header, length))
        return None if plain is None else (header[0], plain)


class Cbc12:
    """Records of TLS 1.2 in CBC; the MAC stands inside, or behind when both ends agreed so (RFC 7366)."""

    def __init__(self, suite: CipherSuite, key: bytes, mac_key: bytes, *, mac_behind: bool) -> None:
        self._key, self._mac_key, self._digest, self._behind = key, mac_key, suite.mac, mac_behind
        self._mac = len(mac_key)

    def open(self, sequence: int, header: bytes, payload: bytes) -> tuple[int, bytes] | None:
        """Return type and content of a record, or None."""
        if self._behind:
            payload, told = payload[: -self._mac], payload[-self._mac :]
            if not hmac.compare_digest(self._of(sequence, header, payload), told):
                return None
        if len(payload) < 2 * _BLOCK or len(payload) % _BLOCK:
            return None
        plain = self._decrypted(payload[:_BLOCK], payload[_BLOCK:])
        end = len(plain) - 1 - plain[-1] - (0 if self._behind else self._mac)
        if end < 0:
            return None
        content = plain[:end]
        if not self._behind:
            told = plain[end : end + self._mac]
            if not hmac.compare_digest(self._of(sequence, header, content), told):
                return None
        return header[0], content

    def _of(self, sequence: int, header: bytes, data: bytes) -> bytes:
        return hmac.digest(self._mac_key, _authenticated(sequence, header, len(data)) + data, self._digest)

    def _decrypted(self, iv: bytes, data: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        opened = Cipher(algorithms.AES(self._key), modes.CBC(iv)).decryptor()
        return opened.update(data) + opened.finalize()


def openers_12(
    suite: CipherSuite, master: bytes, randoms: tuple[bytes, bytes], *, mac_behind: bool
) -> tuple[Opener, Opener]:
    """Return the openers of client and server (RFC 5246, 6.3)."""
    mac = hashlib.new(suite.mac).digest_size if suite.mac else 0
    salt = {"aes-gcm": 4, "chacha20-poly1305": _IV, "aes-cbc": 0}[suite.cipher]
    seed = randoms[1] + randoms[0]
    block = prf(master, b"key expansion", seed, 2 * (mac + suite.key + salt), suite.hash)
    made: list[Opener] = []
    for side in range(2):
        at = 2 * mac + side * suite.key
        key, end = block[at : at + suite.key], 2 * (mac + suite.key) + side * salt
        if suite.cipher == "aes-cbc":
            mac_key = block[side * mac : (side + 1) * mac]
            made.append(Cbc12(suite, key, mac_key, mac_behind=mac_behind))
        else:
            made.append(Aead12(suite, key, block[end : end + salt]))
    return made[0], made[1]


class _Aead(Protocol):
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...


def _aead(suite: CipherSuite, key: bytes) -> _Aead:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

    return AESGCM(key) if suite.cipher == "aes-gcm" else ChaCha20Poly1305(key)


def _opened(cipher: _Aead, nonce: bytes, payload: bytes, associated: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    if len(payload) < _TAG:
        return None
    try:
        return cipher.decrypt(nonce, payload, associated)
    except InvalidTag:
        return None


def _authenticated(sequence: int, header: bytes, length: int) -> bytes:
    return struct.pack(">Q", sequence) + header[:3] + struct.pack(">H", length)
