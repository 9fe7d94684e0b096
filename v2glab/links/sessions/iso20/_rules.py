"""Rules of sessions of ISO 15118-20, read from ``datasets/iso15118/session-20.toml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from v2glab.evidence import Confidence
from v2glab.links._rules import Rule, read_rules, rule_file
from v2glab.links.pki import Reason
from v2glab.links.sessions._serve import Refusal

Kind = Literal["AC", "DC"]


class EnergyService(Rule):
    """An energy service: its identifier and the integer parameters of each set that is offered."""

    id: int = Field(ge=1, le=0xFFFF)
    kind: Kind
    bidirectional: bool
    parameters: dict[str, int]


class RefusalRule(Rule):
    """How a request is refused."""

    code: str
    cause: str


class Figures(Rule):
    """Waits in seconds and thresholds; see the file."""

    poll_s: float = Field(gt=0)
    pre_charge_window_v: float = Field(gt=0)
    welded_v: float = Field(gt=0)
    welding_s: float = Field(gt=0)
    idle_a: float = Field(gt=0)
    idle_s: float = Field(gt=0)
    schedule_s: int = Field(gt=0)
    power_slack: float = Field(ge=0, lt=1)
    expires_days: float = Field(ge=0)
    voltage_agreement: float = Field(gt=0, lt=1)


class Installation(Rule):
    """How the private key of a contract travels; ``other_info`` is hexadecimal."""

    source: str = Field(min_length=1)
    confidence: Confidence
    curve: str
    hash: Literal["sha512"]
    other_info: str
    key_octets: int = Field(gt=0)
    nonce_octets: int = Field(gt=0)
    secret_octets: int = Field(gt=0)


class Iso20Rules(Rule):
    """The whole file."""

    source: str = Field(min_length=1)
    confidence: Confidence
    service: dict[str, EnergyService]
    control: dict[str, int]
    order: dict[str, tuple[str, ...]]
    refusal: dict[str, RefusalRule]
    warning: dict[str, str]
    failed: dict[str, str]
    chain: dict[Reason, str]
    figures: Figures
    installation: Installation

    def refuse(self, name: str, *evidence: str) -> Refusal:
        """Return a refusal by its name."""
        rule = self.refusal[name]
        return Refusal(rule.code, rule.cause, *evidence)

    def after(self, *said: str) -> tuple[str, ...]:
        """Return the requests that may follow: message, then what its answer said."""
        return self.order["/".join(said)]


@cache
def load_iso20_rules(path: Path | None = None) -> Iso20Rules:
    """Read the rules, by default those that travel with the package.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    return read_rules(Iso20Rules, rule_file("session-20.toml", path), "rules of sessions")
