"""Rules of the vehicle link's certificates, read from ``datasets/iso15118/pki.toml``."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, model_validator

from v2glab.evidence import Confidence, InputError
from v2glab.links._rules import Rule, read_rules, rule_file

Curve = Literal["secp256r1", "secp384r1", "secp521r1", "ed448"]
Usage = Literal[
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
]
Place = Literal["leaf", "sub2", "sub1", "root"]
_T = TypeVar("_T")
PLACES: tuple[Place, ...] = ("leaf", "sub2", "sub1", "root")


class Reason(StrEnum):
    """Why a chain is refused."""

    MALFORMED = "malformed"
    TOO_LONG = "chain too long"
    ABSENT = "absent"
    SELF_SIGNED = "self-signed"
    UNKNOWN_ISSUER = "unknown issuer"
    BAD_SIGNATURE = "bad signature"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    NOT_A_CA = "not a CA"
    PATH_LENGTH = "path length"
    KEY_USAGE = "key usage"
    CRITICAL_EXTENSION = "critical extension"
    WRONG_CURVE = "wrong curve"
    WRONG_DOMAIN = "wrong domain"
    WRONG_NAME = "wrong name"
    LIFETIME = "lifetime"


class Edition(Rule):
    """Curves that an edition allows; the first is taken when none is named."""

    curves: tuple[Curve, ...] = Field(min_length=1)
    source: str = Field(min_length=1)
    confidence: Confidence


class Profile(Rule):
    """What the certificate of one role says. ``issuer`` is empty for a root."""

    issuer: str = ""
    name: str = Field(min_length=1, max_length=64)
    domain: str = ""
    days: int = Field(gt=0)
    path_length: int | None = Field(default=None, ge=0)
    usage: tuple[Usage, ...] = Field(min_length=1)
    editions: tuple[str, ...] = ()
    source: str = Field(min_length=1)
    confidence: Confidence

    @property
    def ca(self) -> bool:
        """Whether it issues certificates."""
        return "key_cert_sign" in self.usage


class Change(Rule):
    """What is made otherwise in a broken certificate; ``None`` leaves it as the profile has it.

    ``issuer``: ``self`` signs with its own key, ``stranger`` with a key nobody knows under the right name,
    ``unnamed`` under a name nobody knows.
    """

    begins_days: int | None = None
    ends_days: int | None = None
    issuer: Literal["self", "stranger", "unnamed"] | None = None
    curve: Curve | None = None
    usage: tuple[Usage, ...] | Literal["absent"] | None = None
    domain: str | None = None
    name: str | None = None
    ca: bool | None = None
    path_length: int | None = None
    critical_extension: bool = False
    flip_signature: bool = False
    revoked: bool = False
    missing: bool = False


class Defect(Rule):
    """One way to break a chain, and the reason that verification must give."""

    at: Place
    reason: Reason
    change: Change


class PkiRules(Rule):
    """The whole file."""

    standard: str
    longest_chain: int = Field(ge=3)
    backdate_s: int = Field(ge=0)
    edition: dict[str, Edition]
    profile: dict[str, Profile]
    defect: dict[str, Defect]

    @model_validator(mode="after")
    def _issuers_come_first(self) -> Self:
        known: set[str] = set()
        for role, profile in self.profile.items():
            if profile.issuer and profile.issuer not in known:
                raise ValueError(f"{role}: its issuer {profile.issuer!r} does not stand before it")
            if unknown := set(profile.editions) - set(self.edition):
                raise ValueError(f"{role}: unknown editions {sorted(unknown)}")
            known.add(role)
        return self

    def roles(self, edition: str) -> tuple[str, ...]:
        """Return the roles of an edition, issuers first."""
        self.of_edition(edition)
        return tuple(r for r, p in self.profile.items() if not p.editions or edition in p.editions)

    def of_edition(self, edition: str) -> Edition:
        """Return the rules of an edition.

        Raises
        ------
        InputError
            It is unknown.
        """
        return _known(self.edition, edition, "edition")

    def of_role(self, role: str) -> Profile:
        """Return the profile of a role.

        Raises
        ------
        InputError
            It is unknown.
        """
        return _known(self.profile, role, "role")

    def path(self, role: str) -> tuple[str, ...]:
        """Return the roles from this one up to its root."""
        path = [role]
        while issuer := self.of_role(path[-1]).issuer:
            path.append(issuer)
        return tuple(path)


@cache
def load_pki_rules(path: Path | None = None) -> PkiRules:
    """Read the rules, by default those that travel with the package.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    return read_rules(PkiRules, rule_file("pki.toml", path), "rules of certificates")


def _known(entries: dict[str, _T], name: str, what: str) -> _T:
    if name not in entries:
        raise InputError(f"{what} {name!r:.80}", f"one of {', '.join(entries)}", "name one of those")
    return entries[name]
