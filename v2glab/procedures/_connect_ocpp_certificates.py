"""The certificates of the link, as files and as shown: whose, until when, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from v2glab.evidence import InputError
from v2glab.gateway import CertificateFacts, PkiPaths, inspect_certificate, inspect_der

ROLES = ("ca", "gateway", "station")


@dataclass(frozen=True)
class Seals:
    """Certificates by role: ``"ca"``, ``"gateway"``, ``"station"``; a live site may keep the last away."""

    by_role: dict[str, CertificateFacts]
    now: datetime
    station_id: str

    def with_shown(self, der: bytes | None) -> Seals:
        """Return the same with what the station showed in place of its file."""
        if der is None:
            return self
        return replace(self, by_role={**self.by_role, "station": inspect_der(der, "shown on the connection")})

    def days_left(self, role: str) -> float | None:
        """Return the days until a certificate ends, negative afterwards; ``None`` for one that is unknown."""
        facts = self.by_role.get(role)
        return None if facts is None else (facts.not_after - self.now).total_seconds() / 86_400

    def problems(self, role: str) -> tuple[str, ...]:
        """Return what is wrong with a certificate by the machine's clock."""
        facts, root = self.by_role.get(role), self.by_role.get("ca")
        if facts is None:
            return ()
        found = facts.problems(self.now, root.subject if root is not None else "")
        name = f"CN={self.station_id}"
        if role == "station" and name not in facts.subject.split(","):
            found += (f"names {facts.subject!r}, not {name!r}",)
        return found

    def describe(self, role: str) -> str:
        """Return subject, validity and problems in one line."""
        facts = self.by_role.get(role)
        if facts is None:
            return f"certificate of the {role}, of which there is no file here"
        wrong = "; ".join(self.problems(role)) or f"valid until {facts.not_after:%Y-%m-%d %H:%M} UTC"
        return f"certificate of the {role} ({facts.subject}), {wrong}"

    def facts(self) -> list[dict[str, Any]]:
        """Return plain values for the record; with valid certificates, the same in every run."""
        return [
            {
                "role": role,
                "subject": facts.subject,
                "issuer": facts.issuer,
                "problems": list(self.problems(role)),
            }
            for role, facts in self.by_role.items()
        ]


def look_at_seals(pki: PkiPaths, station_id: str) -> Seals:
    """Read what there is; the gateway itself complains of what it needs and does not find."""
    found: dict[str, CertificateFacts] = {}
    for role in ROLES:
        try:
            found[role] = inspect_certificate(pki.certificate(role))
        except InputError:
            continue
    return Seals(found, datetime.now(UTC), station_id)
