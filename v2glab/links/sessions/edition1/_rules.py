"""Rules of DIN SPEC 70121 and ISO 15118-2, read from ``datasets/iso15118/edition1.toml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from v2glab.evidence import Confidence
from v2glab.links._rules import Rule, read_rules, rule_file

Dialect = Literal["din", "iso2"]


class Choice(Rule):
    """Numbers that both ends choose; units stand in the names."""

    poll_s: float = Field(gt=0)
    pre_charge_tolerance_v: float = Field(gt=0)
    pre_charge_current_a: float = Field(gt=0)
    safe_voltage_v: float = Field(gt=0)
    weld_s: float = Field(gt=0)
    plausible_v: float = Field(gt=0)
    expires_soon_days: int = Field(ge=0)
    peak_ripple_a: float = Field(ge=0)
    source: str = Field(min_length=1)
    confidence: Confidence


class RefusalRule(Rule):
    """Response code of each protocol, and the cause under which the session ends."""

    din: str
    iso2: str
    cause: str

    def code(self, dialect: Dialect) -> str:
        """Return the response code in a protocol."""
        return self.din if dialect == "din" else self.iso2


class Edition1Rules(Rule):
    """The whole file."""

    choice: Choice
    sequence: dict[Dialect, dict[str, tuple[str, ...]]]
    refusal: dict[str, RefusalRule]
    contract: dict[str, str]
    status: dict[str, str]
    heed: dict[str, Literal["go", "stop", "open"]]
    notice: dict[Dialect, dict[str, str]]
    asked: dict[Dialect, dict[str, Literal["stop", "renegotiate"]]]
    ac: dict[str, int]


@cache
def load_edition1_rules(path: Path | None = None) -> Edition1Rules:
    """Read the rules, by default those that travel with the package.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    return read_rules(Edition1Rules, rule_file("edition1.toml", path), "rules of DIN 70121 and ISO 15118-2")
