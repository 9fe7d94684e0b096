"""Rules of sessions, read from ``datasets/iso15118/session.toml``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from v2glab.evidence import Confidence, InputError
from v2glab.links._rules import Rule, read_rules, rule_file
from v2glab.links.exi import prepare

#: Namespace in which both ends agree on a protocol (ISO 15118-2, 8.2).
SAP_NAMESPACE = "urn:iso:15118:2:2010:AppProtocol"


class Limits(Rule):
    """Time limits of a protocol, in seconds; keys of the tables are messages without ``Req`` and ``Res``."""

    source: str = Field(min_length=1)
    confidence: Confidence
    message_default_s: float = Field(gt=0)
    message_s: dict[str, float]
    performance_default_s: float = Field(gt=0)
    performance_s: dict[str, float]
    sequence_s: float = Field(gt=0)
    sequence_loop_s: float = Field(gt=0)
    ongoing_s: float = Field(gt=0)
    cable_check_s: float = Field(gt=0)
    pre_charge_s: float = Field(gt=0)
    setup_s: float = Field(gt=0)

    def answer_s(self, message: str) -> float:
        """Return how long the vehicle waits for the answer to a message."""
        return self.message_s.get(stem(message), self.message_default_s)

    def served_s(self, message: str) -> float:
        """Return how long the charger may take to answer a message."""
        return self.performance_s.get(stem(message), self.performance_default_s)


class Protocol(Rule):
    """One protocol that supportedAppProtocol can agree on.

    ``offers`` are the namespaces that name it there; ``namespaces`` those whose messages it uses. ``edition``
    is the one whose TLS it asks for; empty where it goes in clear.
    """

    title: str
    wrapping: Literal["body", "flat"]
    namespaces: tuple[str, ...] = Field(min_length=1)
    offers: tuple[str, ...] = Field(min_length=1)
    version: tuple[int, int]
    limits: str
    edition: Literal["", "iso15118-2", "iso15118-20"]

    def fits(self, version: str) -> bool:
        """Whether it may go over a version of TLS; in clear, an empty one, all may."""
        return not version or version == "TLSv1.3" or self.edition != "iso15118-20"


class Cause(Rule):
    """What a failure means and what to do.

    ``code`` is the workbench's field code, ``mrec`` the minimum required error code of charging stations
    (ChargeX); each empty where none exists.
    """

    text: str
    remedy: str
    code: str = ""
    mrec: str = ""


class SessionRules(Rule):
    """The whole file."""

    protocol: dict[str, Protocol]
    limits: dict[str, Limits]
    cause: dict[str, Cause]
    response: dict[str, str]

    def of_protocol(self, name: str) -> Protocol:
        """Return a protocol.

        Raises
        ------
        InputError
            It is unknown.
        """
        if name not in self.protocol:
            known = ", ".join(self.protocol)
            raise InputError(f"protocol {name!r:.80}", f"one of {known}", "name one of those")
        return self.protocol[name]


def prepare_codec(protocols: Iterable[str], rules: SessionRules) -> None:
    """Compile the messages of protocols, so that none of a session waits for that; once in a process."""
    namespaces = [n for name in protocols for n in rules.of_protocol(name).namespaces]
    for namespace in dict.fromkeys([SAP_NAMESPACE, *namespaces]):
        _prepare(namespace)


@cache
def _prepare(namespace: str) -> None:
    prepare(namespace)


def stem(message: str) -> str:
    """Return a message's name without ``Req`` or ``Res``."""
    return message.removesuffix("Req").removesuffix("Res")


@cache
def load_session_rules(path: Path | None = None) -> SessionRules:
    """Read the rules, by default those that travel with the package.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    return read_rules(SessionRules, rule_file("session.toml", path), "rules of sessions")
