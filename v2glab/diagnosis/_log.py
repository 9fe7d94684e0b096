"""Log lines into objects: ``<UTC time> LEVEL source event key=value key="some words"`` (logfmt)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from v2glab.evidence import InputError

#: What the writers of this project never exceed; longer lines are somebody else's.
LONGEST_LINE = 4096
_SHOWN = 300
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEAD = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?Z"
    r" (DEBUG|INFO|WARNING|ERROR) ([a-z][a-z0-9_]{0,31}) ([a-z][a-z0-9_]{0,63})(?: (.*))?"
)
_FIELD = re.compile(r'([a-z][a-z0-9_]{0,63})=(?:"([^"]*)"|([^\s"]*))(?: +|$)')


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log; ``place`` is file name and line number, ``text`` printable and cut to 300."""

    time_ns: int
    level: str
    source: str
    event: str
    fields: Mapping[str, str]
    place: str
    text: str

    def shown(self) -> str:
        """Return the line as evidence."""
        return f"{self.place}: {self.text}"

    def number(self, key: str) -> float:
        """Return a field as a finite number.

        Raises
        ------
        InputError
            It is missing or is none.
        """
        found = self.fields.get(key, "")
        if not re.fullmatch(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,12})?", found):
            raise InputError(
                f"{self.place}: {key}={found[:40]!r}", "a decimal number", "see who writes that log"
            )
        return float(found)


def parse_line(text: str, place: str) -> LogLine:
    """Read one line.

    Parameters
    ----------
    text
        Without its end.
    place
        Where it stands, for messages.

    Raises
    ------
    InputError
        It is too long, has no such head, is stamped with a time that does not exist, or a field is malformed.
    """
    if len(text) > LONGEST_LINE:
        raise _refused(place, "too long", f"at most {LONGEST_LINE} characters")
    match = _HEAD.fullmatch(text.strip("\r"))
    if match is None:
        raise _refused(place, "no head", "<UTC time> LEVEL source event")
    *moment, fraction, level, source, event, rest = match.groups()
    try:
        whole = datetime(*map(int, moment), tzinfo=UTC) - _EPOCH  # type: ignore[misc, arg-type]
    except ValueError as error:
        raise _refused(place, "no time", "a time that exists") from error
    time_ns = (whole.days * 86_400 + whole.seconds) * 1_000_000_000 + int((fraction or "").ljust(9, "0"))
    shown = "".join(c if c.isprintable() else " " for c in text.strip("\r"))[:_SHOWN]
    return LogLine(time_ns, level, source, event, _fields(rest or "", place), place, shown)


def parse_lines(name: str, text: str) -> tuple[tuple[LogLine, ...], Mapping[str, int]]:
    """Read a whole log; return its lines, and how many were skipped by reason. No line is lost silently.

    Parameters
    ----------
    name
        Name of the file, for evidence.
    """
    lines: list[LogLine] = []
    skipped: Counter[str] = Counter()
    for number, part in _numbered(text):
        try:
            lines.append(parse_line(part, f"{name}:{number}"))
        except InputError as error:
            skipped[error.found.rpartition(": ")[2]] += 1
    return tuple(lines), dict(skipped)


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank. Only a line feed ends a line: a value may hold other breaks."""
    for number, part in enumerate(text.split("\n"), start=1):
        if part.strip():
            yield number, part


def _fields(rest: str, place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while position < len(rest):
        match = _FIELD.match(rest, position)
        if match is None:
            raise _refused(place, "malformed field", 'key=value or key="some words"')
        key, quoted, plain = match.groups()
        if key in found:
            # Which of the two holds is anybody's guess.
            raise _refused(place, "field twice", "each field once")
        found[key] = plain if quoted is None else quoted
        position = match.end()
    return found


def _refused(place: str, found: str, required: str) -> InputError:
    return InputError(f"{place}: {found}", required, "see who writes that log")
