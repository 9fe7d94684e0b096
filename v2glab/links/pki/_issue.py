"""Make the whole set of chains: V2G, CPO, CPS, OEM, MO and, for part 20, vehicle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from v2glab.evidence import InputError
from v2glab.links.pki._certificate import Description, PrivateKey, build, new_key
from v2glab.links.pki._rules import Curve, PkiRules, Profile, load_pki_rules

#: Organisation in the names of all certificates that this project makes: nobody takes them for real ones.
ORGANIZATION = "v2glab test"


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key."""

    role: str
    certificate: x509.Certificate
    key: PrivateKey


@dataclass(frozen=True)
class V2GPki:
    """All identities of one edition, by role."""

    edition: str
    curve: Curve
    moment: datetime
    identities: Mapping[str, Identity]
    rules: PkiRules

    def identity(self, role: str) -> Identity:
        """Return certificate and key of a role.

        Raises
        ------
        InputError
            The edition has no such role.
        """
        if role not in self.identities:
            known = ", ".join(self.identities)
            raise InputError(f"role {role!r:.80} in {self.edition}", f"one of {known}", "name one of those")
        return self.identities[role]

    def path(self, role: str) -> tuple[x509.Certificate, ...]:
        """Return the certificates from a role up to its root."""
        return tuple(self.identity(r).certificate for r in self.rules.path(role))

    def chain(self, role: str) -> tuple[x509.Certificate, ...]:
        """Return what this role shows: its certificate and its sub-CAs, without the root."""
        return self.path(role)[:-1]

    def root(self, role: str) -> x509.Certificate:
        """Return the root above a role."""
        return self.path(role)[-1]


def make_pki(
    edition: str = "iso15118-20",
    *,
    curve: Curve | None = None,
    names: Mapping[str, str] | None = None,
    moment: datetime | None = None,
    rules: PkiRules | None = None,
) -> V2GPki:
    """Make keys and certificates of every role of an edition.

    Parameters
    ----------
    curve
        One that the edition allows; its first by default.
    names
        Common names by role that take the place of those in the rules, such as the SECCID of ``"secc"``.
    moment
        When they are made; now by default.

    Raises
    ------
    InputError
        Edition, curve or a role in ``names`` is unknown, or a name is empty or over 64 characters.
    """
    rules = rules or load_pki_rules()
    allowed = rules.of_edition(edition).curves
    curve = curve or allowed[0]
    if curve not in allowed:
        raise InputError(f"curve {curve!r:.80}", f"for {edition} one of {', '.join(allowed)}", "take that")
    roles, names, moment = rules.roles(edition), names or {}, moment or datetime.now(UTC)
    for role, name in names.items():
        if role not in roles or not 0 < len(name) <= 64:
            required = "a role of the edition and 1 to 64 characters (RFC 5280, A.1)"
            raise InputError(f"name {name!r:.80} of {role!r:.80}", required, "mend the name")
    identities: dict[str, Identity] = {}
    for role in roles:
        profile = rules.profile[role]
        described = describe(profile, moment, rules, name=names.get(role, ""))
        identities[role] = issue(role, described, curve, identities.get(profile.issuer))
    return V2GPki(edition, curve, moment, identities, rules)


def describe(profile: Profile, moment: datetime, rules: PkiRules, name: str = "") -> Description:
    """Return what the certificate of a profile says when it is made at a moment."""
    return Description(
        name=name or profile.name,
        domain=profile.domain,
        organization=ORGANIZATION,
        begins=moment - timedelta(seconds=rules.backdate_s),
        # Counted from the beginning, so that the lifetime is that of the profile.
        ends=moment + timedelta(days=profile.days) - timedelta(seconds=rules.backdate_s),
        ca=profile.ca,
        path_length=profile.path_length,
        usage=profile.usage,
    )


def issue(role: str, described: Description, curve: Curve, issuer: Identity | None) -> Identity:
    """Make a key and have its certificate signed; without an issuer it signs itself."""
    key = new_key(curve)
    name = issuer.certificate.subject if issuer else described.subject
    return Identity(role, build(described, key, name, issuer.key if issuer else key), key)
