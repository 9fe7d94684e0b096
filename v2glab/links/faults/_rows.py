"""Faults to inject, as data: ``datasets/iso15118/faults.toml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from v2glab.evidence import InputError
from v2glab.links._rules import Rule, read_rules, rule_file
from v2glab.links.faults._between import Between

End = Literal["evcc", "secc"]


class Spoil(Rule):
    """What is done to the message; exactly one of the fields is set.

    Parameters
    ----------
    drop
        Send nothing.
    delay_s
        Send late, seconds.
    close
        Close the connection before, amid or after the message.
    put
        Elements of the body to replace, by path.
    rename
        Send the smallest message of another name.
    session_id
        Send another identifier.
    repeat
        Send so often.
    octets
        Replace octets of the frame, by position.
    flip_bit
        Flip a bit of the frame.
    cut
        Leave out the last octets of the document, with a header that says so.
    append
        Octets after the document, hexadecimal, with a header that says so.
    raw
        Send these octets instead, hexadecimal.
    charger, battery
        Set attributes of the models, so that physics is at fault and not the message.
    """

    drop: bool = False
    delay_s: float = 0.0
    close: Literal["", "before", "amid", "after"] = ""
    put: dict[str, Any] = Field(default_factory=dict)
    rename: str = ""
    session_id: str = ""
    repeat: int = 0
    octets: dict[int, int] = Field(default_factory=dict)
    flip_bit: int | None = None
    cut: int = 0
    append: str = ""
    raw: str = ""
    charger: dict[str, Any] = Field(default_factory=dict)
    battery: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> Spoil:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"one thing to do, not {sorted(self.model_fields_set)}")
        return self


class Expected(Rule):
    """What the end that notices must say."""

    phase: str
    cause: str
    whose: Literal["", "own", "peer"] = ""
    response_code: str = ""
    mrec: str = ""
    code: str = ""


class Fault(Rule):
    """One fault.

    Parameters
    ----------
    by
        The end that misbehaves.
    at, nth, onward
        Message at which it does, at which of its occurrences, and whether at all that follow too.
    spoil
        What is done to that message.
    chain
        Instead: role and defect of a certificate chain (``pki.toml``).
    tls
        Instead: settings of TLS in which the end differs.
    between
        Instead: what a device between both ends does to the handshake.
    slac
        Instead: a matching run without a charger, with one that hears cross-talk only, with a modem that
        measures nothing, or with one that does not take the key.
    offer, wishes
        Instead: what the charger offers or the vehicle wants.
    discovery
        Instead: how the charger answers discovery.
    listening
        Whether the charger listens on its TCP port.
    noticed
        The end whose finding counts.
    patience_s
        Every time-out of the session, where waiting for the standard's would only cost time.
    """

    name: str = Field(min_length=1)
    title: str = Field(min_length=1)
    by: End
    protocol: str = "iso20-dc"
    service: Literal["dc", "dc_bpt", "ac", "ac_bpt"] = "dc_bpt"
    at: str = ""
    nth: int = Field(1, ge=1)
    onward: bool = False
    spoil: Spoil | None = None
    chain: tuple[str, str] | None = None
    tls: dict[str, Any] = Field(default_factory=dict)
    between: Between = ""
    slac: Literal["", "alone", "cross-talk", "deaf", "key"] = ""
    offer: dict[str, Any] = Field(default_factory=dict)
    wishes: dict[str, Any] = Field(default_factory=dict)
    discovery: Literal["", "silent", "plain", "garbage"] = ""
    listening: bool = True
    noticed: End
    patience_s: float = 0.0
    expects: Expected


class _Faults(Rule):
    fault: tuple[Fault, ...]


@cache
def load_faults(path: Path | None = None) -> dict[str, Fault]:
    """Read the faults, by name; by default those that travel with the package.

    Raises
    ------
    InputError
        The file cannot be read, an entry is wrong, or a name stands twice.
    """
    path = rule_file("faults.toml", path)
    rows = read_rules(_Faults, path, "faults with what is expected").fault
    names = [row.name for row in rows]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError(f"{path.name}: {', '.join(twice)} twice", "one entry a name", "rename one of them")
    return dict(zip(names, rows, strict=True))
