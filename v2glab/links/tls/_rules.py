"""Rules of TLS on the vehicle link, read from ``datasets/iso15118/tls.toml``."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from v2glab.evidence import Confidence, Criterion, InputError, load_criteria, read_toml
from v2glab.links._rules import Rule, rule_file


class Phase(StrEnum):
    """Where a connection stood when it failed; they follow one another."""

    TCP = "TCP"
    CLIENT_HELLO = "ClientHello"
    CERTIFICATE = "certificate"
    CERTIFICATE_VERIFY = "CertificateVerify"
    FINISHED = "Finished"


class Suite(Rule):
    """A cipher suite: IANA name, and OpenSSL's, which is empty when it has left the library."""

    name: str
    openssl: str


class Profile(Rule):
    """What an edition asks of TLS. ``groups``: OpenSSL's group for the key exchange, by curve of the keys."""

    version: Literal["TLSv1.2", "TLSv1.3"]
    mutual: bool
    client_role: str
    groups: dict[str, str] = Field(min_length=1)
    suites: tuple[Suite, ...] = Field(min_length=1)
    source: str = Field(min_length=1)
    confidence: Confidence


class Timeouts(Rule):
    """Longest waits, in seconds."""

    connect_s: float = Field(gt=0)
    handshake_s: float = Field(gt=0)
    linger_s: float = Field(gt=0)
    source: str = Field(min_length=1)
    confidence: Confidence


class Slow(Rule):
    """Code and texts of a negotiation that took too long; a remedy for each share."""

    code: str
    title: str
    network: str
    peer: str
    local: str


class Cause(Rule):
    """A cause with what tells it: codes of verification, alerts, errors, reasons of the chain."""

    text: str
    remedy: str
    verify: tuple[int, ...] = ()
    alerts: tuple[int, ...] = ()
    errors: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    phase: Phase | None = None


class TlsRules(Rule):
    """The whole file."""

    criterion: Criterion
    profile: dict[str, Profile]
    timeouts: Timeouts
    slow: Slow
    cause: dict[str, Cause]

    def of_edition(self, edition: str) -> Profile:
        """Return the profile of an edition.

        Raises
        ------
        InputError
            It is unknown.
        """
        if edition not in self.profile:
            known = ", ".join(self.profile)
            raise InputError(f"edition {edition!r:.80}", f"one of {known}", "name one of those")
        return self.profile[edition]


@cache
def load_tls_rules(path: Path | None = None) -> TlsRules:
    """Read the rules, by default those that travel with the package.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    path = rule_file("tls.toml", path)
    document, criteria = read_toml(path), load_criteria(path)
    try:
        (criterion,) = criteria.values()
        parts = {name: document[name] for name in ("profile", "timeouts", "slow", "cause")}
        return TlsRules(criterion=criterion, **parts)
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name}: {error}", "rules of TLS", "mend that entry") from error
