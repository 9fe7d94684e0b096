"""Broken chains on purpose, each with the reason that verification must give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cryptography import x509

from v2glab.evidence import InputError
from v2glab.links.pki._certificate import Description, PrivateKey, build, flip_signature, revocation_list
from v2glab.links.pki._issue import Identity, V2GPki, describe, issue
from v2glab.links.pki._rules import PLACES, Change, Defect, PkiRules, Reason, load_pki_rules


@dataclass(frozen=True)
class BrokenChain:
    """What the holder of a broken chain shows, and what the other end holds against it.

    ``name`` is the common name that the other end expects of the leaf.
    """

    defect: str
    role: str
    chain: tuple[x509.Certificate, ...]
    key: PrivateKey
    roots: tuple[x509.Certificate, ...]
    revoked: tuple[x509.CertificateRevocationList, ...]
    name: str
    reason: Reason


def defect_names(rules: PkiRules | None = None) -> tuple[str, ...]:
    """Return the names of all defects."""
    return tuple((rules or load_pki_rules()).defect)


def break_chain(pki: V2GPki, role: str, defect: str) -> BrokenChain:
    """Make the chain of a role again with one defect; the PKI itself stays as it is.

    Raises
    ------
    InputError
        The defect is unknown, or the role's chain does not have leaf, two sub-CAs and root.
    """
    if defect not in pki.rules.defect:
        known = ", ".join(pki.rules.defect)
        raise InputError(f"defect {defect!r:.80}", f"one of {known}", "name one of those")
    wanted = pki.rules.defect[defect]
    roles = pki.rules.path(role)
    if len(roles) != len(PLACES):
        raise InputError(f"{role!r} below {len(roles) - 1} CAs", "a leaf below three", "name a leaf's role")
    made = _make(pki, roles, wanted)
    issuers = {role: pki.rules.profile[role].issuer for role in roles}
    broken = roles[PLACES.index(wanted.at)]
    shown = [made[r].certificate for r in roles[:-1] if not (wanted.change.missing and r == broken)]
    lists = [_revoke(pki, made, issuers[broken], broken)] if wanted.change.revoked else []
    root = _stranger(pki, roles[-1]) if _foreign_root(wanted) else made[roles[-1]]
    name = _common_name(pki.identity(role).certificate)
    return BrokenChain(
        defect,
        role,
        tuple(shown),
        made[role].key,
        (root.certificate,),
        tuple(lists),
        name,
        wanted.reason,
    )


def _make(pki: V2GPki, roles: tuple[str, ...], defect: Defect) -> dict[str, Identity]:
    """Make what lies at and below the defect again; above it, the PKI's own certificates do."""
    position = PLACES.index(defect.at)
    made = {role: pki.identity(role) for role in roles}
    if defect.change.missing or defect.change.revoked or _foreign_root(defect):
        return made
    for index in range(position, -1, -1):
        role = roles[index]
        issuer = made[roles[index + 1]] if index + 1 < len(roles) else None
        made[role] = _broken(pki, role, issuer, defect.change if index == position else Change())
    return made


def _broken(pki: V2GPki, role: str, issuer: Identity | None, change: Change) -> Identity:
    described = _changed(pki, role, change)
    curve = change.curve or pki.curve
    if change.issuer is None:
        made = issue(role, described, curve, issuer)
    elif change.issuer == "self":
        made = issue(role, described, curve, None)
    else:
        stranger = _stranger(pki, issuer.role if issuer else role)
        own = issue(role, described, curve, None)
        name = stranger.certificate.subject
        if change.issuer == "unnamed":
            name = replace(described, name="Nobody CA").subject
        made = Identity(role, build(described, own.key, name, stranger.key), own.key)
    return replace(made, certificate=flip_signature(made.certificate)) if change.flip_signature else made


def _changed(pki: V2GPki, role: str, change: Change) -> Description:
    moment = pki.moment
    # The name may have been given when the PKI was made: it stands in the certificate, not in the rules.
    name = _common_name(pki.identity(role).certificate)
    usual = describe(pki.rules.profile[role], moment, pki.rules, name=name)
    put: dict[str, Any] = {"critical_extension": change.critical_extension}
    if change.begins_days is not None:
        put["begins"] = moment + timedelta(days=change.begins_days)
    if change.ends_days is not None:
        put["ends"] = moment + timedelta(days=change.ends_days)
    if change.usage is not None:
        put["usage"] = () if change.usage == "absent" else change.usage
    for key in ("domain", "name", "ca", "path_length"):
        if (value := getattr(change, key)) is not None:
            put[key] = value
    if change.ca is False:
        put["path_length"] = None
    return replace(usual, **put)


def _stranger(pki: V2GPki, role: str) -> Identity:
    """Return somebody else under the name of a role."""
    return issue(role, _changed(pki, role, Change()), pki.curve, None)


def _foreign_root(defect: Defect) -> bool:
    return defect.at == "root" and defect.change.issuer == "stranger"


def _revoke(pki: V2GPki, made: dict[str, Identity], issuer: str, role: str) -> x509.CertificateRevocationList:
    by = made[issuer]
    serial = made[role].certificate.serial_number
    moment = pki.moment - timedelta(seconds=pki.rules.backdate_s)
    return revocation_list([serial], by.certificate.subject, by.key, moment, pki.moment + timedelta(days=30))


def _common_name(certificate: x509.Certificate) -> str:
    (attribute,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(attribute.value)
