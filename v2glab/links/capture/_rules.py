"""Cipher suites, read from ``datasets/iso15118/capture.toml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from v2glab.links._rules import Rule, read_rules, rule_file


class CipherSuite(Rule):
    """One suite; ``key`` in octets, ``mac`` only for CBC."""

    name: str
    version: Literal["TLSv1.2", "TLSv1.3"]
    cipher: Literal["aes-gcm", "chacha20-poly1305", "aes-cbc"]
    key: Literal[16, 32]
    hash: Literal["sha256", "sha384"]
    mac: Literal["", "sha1", "sha256", "sha384"] = ""


class _Suites(Rule):
    source: str = Field(min_length=1)
    suite: dict[str, CipherSuite]


@cache
def load_suites(path: Path | None = None) -> dict[int, CipherSuite]:
    """Return suites by their number.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    suites = read_rules(_Suites, rule_file("capture.toml", path), "cipher suites").suite
    return {int(code, 16): suite for code, suite in suites.items()}
