"""Cipher suites, read from ``datasets/iso15118/capture.toml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from v2glab.evidence import InputError, read_toml
from v2glab.resources import find_data


class CipherSuite(BaseModel):
    """One suite; ``key`` in octets, ``mac`` only for CBC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: Literal["TLSv1.2", "TLSv1.3"]
    cipher: Literal["aes-gcm", "chacha20-poly1305", "aes-cbc"]
    key: Literal[16, 32]
    hash: Literal["sha256", "sha384"]
    mac: Literal["", "sha1", "sha256", "sha384"] = ""


class _Suites(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

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
    path = path or find_data("datasets", "iso15118", "capture.toml")
    try:
        return {int(code, 16): suite for code, suite in _Suites(**read_toml(path)).suite.items()}
    except (ValidationError, TypeError, ValueError) as error:
        raise InputError(f"{path.name}: {error}", "cipher suites", "mend that entry") from error
