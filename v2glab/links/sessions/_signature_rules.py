"""Algorithms of XML Signature by edition, read from ``datasets/iso15118/signature.toml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from v2glab.evidence import Confidence, InputError
from v2glab.links._rules import Rule, read_rules, rule_file


class Suite(Rule):
    """Curve of the key, identifiers of signature and digest, hash of the fragments."""

    curve: Literal["secp256r1", "secp521r1", "ed448"]
    method: str = Field(min_length=1)
    digest: str = Field(min_length=1)
    hash: Literal["sha256", "sha512", "shake256"]


class _Edition(Rule):
    suites: tuple[str, ...] = Field(min_length=1)
    source: str = Field(min_length=1)
    confidence: Confidence


class SignatureRules(Rule):
    """The whole file."""

    canonical: str
    most_references: int = Field(gt=0)
    edition: dict[str, _Edition]
    suite: dict[str, Suite]

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name, edition in self.edition.items():
            if unknown := set(edition.suites) - set(self.suite):
                raise ValueError(f"edition {name}: suites {', '.join(sorted(unknown))} are not described")
        return self

    def of_edition(self, edition: str) -> tuple[Suite, ...]:
        """Return what an edition signs with.

        Raises
        ------
        InputError
            The edition is unknown.
        """
        if edition not in self.edition:
            known = ", ".join(self.edition)
            raise InputError(f"edition {edition!r:.80}", f"one of {known}", "name one of those")
        return tuple(self.suite[name] for name in self.edition[edition].suites)


@cache
def load_signature_rules(path: Path | None = None) -> SignatureRules:
    """Read the rules, by default those that travel with the package.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    return read_rules(SignatureRules, rule_file("signature.toml", path), "rules of signatures")
