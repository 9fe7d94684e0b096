"""Secrets of TLS connections from a key log in the NSS format, as ``SSLKEYLOGFILE`` writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from v2glab.evidence import InputError
from v2glab.links.capture._error import KeyLogError

#: Octets of a key log, and connections in it.
LONGEST_KEY_LOG, MOST_ENTRIES = 1 << 26, 200_000
_LONGEST_LINE = 1024
_RANDOM = 32


@dataclass
class KeyLog:
    """Secrets by label, for each client random."""

    secrets: dict[bytes, dict[str, bytes]] = field(default_factory=dict, repr=False)

    def of(self, random: bytes) -> dict[str, bytes]:
        """Return the secrets of a connection by label; none when the log does not know it."""
        return self.secrets.get(random, {})

    def add(self, text: bytes) -> None:
        """Take the content of a log.

        Raises
        ------
        KeyLogError
            A line is none of the format.
        """
        for number, line in enumerate(text.split(b"\n"), start=1):
            if len(line) > _LONGEST_LINE:
                raise KeyLogError(f"{len(line)} characters", number)
            if line.strip() and not line.lstrip().startswith(b"#"):
                self._take(line, number)

    def _take(self, line: bytes, number: int) -> None:
        words = line.split()
        try:
            label, random, secret = (
                words[0].decode("ascii"),
                *(bytes.fromhex(w.decode("ascii")) for w in words[1:]),
            )
        except ValueError as error:
            raise KeyLogError(f"{line[:20]!r}", number) from error
        if not label.replace("_", "").isalnum() or not secret:
            raise KeyLogError(f"{line[:20]!r}", number)
        if len(random) != _RANDOM:
            # Other labels, such as those of RSA key exchange, have other keys: they are of no use here.
            return
        if random not in self.secrets and len(self.secrets) >= MOST_ENTRIES:
            raise KeyLogError(f"more than {MOST_ENTRIES} connections", number)
        self.secrets.setdefault(random, {})[label] = secret


def read_key_log(path: Path) -> KeyLog:
    """Read a key log.

    Raises
    ------
    InputError
        The file cannot be read, is too long, or a line is none of the format (:class:`KeyLogError`).
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(LONGEST_KEY_LOG + 1)
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}", "a readable key log", "check name and rights"
        ) from error
    if len(text) > LONGEST_KEY_LOG:
        raise InputError(f"{path}: over {LONGEST_KEY_LOG} octets", "a key log", "check the name")
    log = KeyLog()
    log.add(text)
    return log
