"""COMTRADE, IEEE C37.111-1991, -1999 and -2013 (IEC 60255-24): configuration file and its parts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from v2glab.evidence import InputError

Form = Literal["ascii", "binary", "binary32", "float32"]
FORMS: tuple[Form, ...] = ("ascii", "binary", "binary32", "float32")
MAX_CHANNELS = 9999
REMEDY = "export the recording again"


@dataclass(frozen=True)
class AnalogChannel:
    """One analog channel: value = ``scale`` · number + ``offset``, in ``unit``; ``skew_s`` late against the
    time stamp.
    """

    name: str
    phase: str
    unit: str
    scale: float
    offset: float
    skew_s: float
    ratio: float
    stored_as: Literal["P", "S"]


@dataclass(frozen=True)
class ComtradeConfig:
    """What a configuration file says; ``rates`` are (rate in Hz, last sample), none when only time stamps
    count.
    """

    station: str
    revision: int
    analog: tuple[AnalogChannel, ...]
    digital: int
    line_frequency_hz: float | None
    rates: tuple[tuple[float, int], ...]
    start_ns: int
    form: Form
    time_factor: float
    nanoseconds: bool


def decode_text(data: bytes) -> str:
    """Decode names in whatever the recorder wrote: UTF-8, else GB 18030, else Latin-1."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def parse_config(data: bytes) -> ComtradeConfig:
    """Parse a configuration file.

    Raises
    ------
    InputError
        A line is missing, has too few fields, or a number is not one; the message names the line.
    """
    lines = [line.strip() for line in decode_text(data).replace("\r\n", "\n").split("\n")]
    reader = _Lines(lines)
    head = reader.fields(2)
    revision = _revision(head)
    counts = reader.fields(3)
    analog_count, digital_count = _count(counts[1], "A"), _count(counts[2], "D")
    analog = tuple(_analog(reader.fields(10), reader.number) for _ in range(analog_count))
    for _ in range(digital_count):
        reader.fields(3)
    frequency = reader.fields(1)[0]
    rates = _rates(reader)
    start, _trigger = reader.fields(2), reader.fields(2)
    form = reader.fields(1)[0].lower()
    if form not in FORMS:
        raise InputError(f"data file type {form!r}", f"one of {', '.join(FORMS)}", REMEDY)
    factor = _number(reader.optional() or "1", "time factor")
    start_ns, fraction = _moment(start, revision)
    return ComtradeConfig(
        station=head[0],
        revision=revision,
        analog=analog,
        digital=digital_count,
        line_frequency_hz=_number(frequency, "line frequency") or None if frequency else None,
        rates=rates,
        start_ns=start_ns,
        form=form,
        time_factor=factor if factor > 0 else 1.0,
        nanoseconds=fraction > 6,
    )


def split_cff(data: bytes) -> tuple[bytes, bytes]:
    """Split a combined file (2013) into configuration and data.

    Raises
    ------
    InputError
        A section is missing, or the binary one is shorter than it says.
    """
    marker = re.compile(
        rb"^---[ \t]*file type:[ \t]*([A-Za-z]{3})([^\r\n]*?)---[ \t]*(?:\r?\n|$)", re.MULTILINE
    )
    found = list(marker.finditer(data))
    parts: dict[bytes, bytes] = {}
    for match, after in zip(found, [*found[1:], None], strict=True):
        kind = match.group(1).upper()
        size = re.search(rb":[ \t]*(\d+)", match.group(2))
        end = after.start() if after else len(data)
        if kind == b"DAT" and size:
            end = match.end() + int(size.group(1)[:12])
            if end > len(data):
                lack = end - len(data)
                raise InputError(f"a data section {lack} bytes short", "all its bytes", "copy the file again")
        parts.setdefault(kind, data[match.end() : end])
        if kind == b"DAT":
            break
    if b"CFG" not in parts or b"DAT" not in parts:
        raise InputError("a combined file without CFG or DAT section", "both", REMEDY)
    return parts[b"CFG"], parts[b"DAT"]


class _Lines:
    """Lines one after the other, each as trimmed fields."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.number = 0

    def fields(self, least: int) -> list[str]:
        if self.number >= len(self._lines):
            raise InputError(f"the configuration ends after line {self.number}", "all its lines", REMEDY)
        fields = [f.strip() for f in self._lines[self.number].split(",")]
        self.number += 1
        if len(fields) < least:
            raise InputError(
                f"line {self.number} of the configuration with {len(fields)} fields",
                f"{least} or more",
                REMEDY,
            )
        return fields

    def optional(self) -> str:
        return self.fields(1)[0] if self.number < len(self._lines) else ""


def _revision(head: list[str]) -> int:
    year = head[2] if len(head) > 2 and head[2] else "1991"
    if year not in ("1991", "1999", "2001", "2013"):
        raise InputError(f"revision {year[:20]!r}", "1991, 1999 or 2013", REMEDY)
    return int(year)


def _count(text: str, letter: str) -> int:
    match = re.fullmatch(r"(\d{1,6})" + letter, text.upper())
    if not match or int(match.group(1)) > MAX_CHANNELS:
        raise InputError(
            f"channel count {text[:20]!r}", f"a number below {MAX_CHANNELS} and {letter}", REMEDY
        )
    return int(match.group(1))


def _analog(fields: list[str], line: int) -> AnalogChannel:
    where = f"line {line} of the configuration"
    primary = _number(fields[10], where) if len(fields) > 11 and fields[10] else 1.0
    secondary = _number(fields[11], where) if len(fields) > 11 and fields[11] else 1.0
    stored = "S" if len(fields) > 12 and fields[12].upper().startswith("S") else "P"
    ratio = primary / secondary if primary > 0 and secondary > 0 else 1.0
    if not math.isfinite(ratio):
        raise InputError(f"{where}: transformer ratio {primary:g} to {secondary:g}", "a finite ratio", REMEDY)
    return AnalogChannel(
        name=fields[1],
        phase=fields[2].lower(),
        unit=fields[4],
        scale=_number(fields[5], where),
        offset=_number(fields[6], where),
        skew_s=_number(fields[7] or "0", where) * 1e-6,
        ratio=ratio,
        stored_as=stored,  # type: ignore[arg-type]  # P or S by construction
    )


def _rates(reader: _Lines) -> tuple[tuple[float, int], ...]:
    count = _whole(reader.fields(1)[0])
    rates = []
    for _ in range(max(count, 1)):  # with no rate there is one line, "0,<last sample>"
        fields = reader.fields(2)
        rates.append((_number(fields[0], "sampling rate"), _whole(fields[1])))
    ends = [end for _, end in rates]
    if any(rate < 0 for rate, _ in rates) or ends != sorted(ends):
        raise InputError(f"sampling rates {rates[:5]}", "positive rates, rising last samples", REMEDY)
    return tuple(rates) if count and all(rate > 0 for rate, _ in rates) else ()


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text) or int(text) > 10**9:
        raise InputError(f"{text[:20]!r} where a count stands", "a whole number", REMEDY)
    return int(text)


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{where}: {text[:30]!r}", "a number", REMEDY) from error
    if not math.isfinite(value):
        raise InputError(f"{where}: {text[:30]!r}", "a finite number", REMEDY)
    return value


def _moment(fields: list[str], revision: int) -> tuple[int, int]:
    """Return a date and time as integer nanoseconds UTC, and how many decimals its seconds have.

    The 1991 edition writes month before day with two digits for the year, the later ones day before month
    with four. Some recorders mix them: a month above 12 is read the other way round. A date left empty counts
    as the epoch.
    """
    date = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{2,4})", fields[0])
    clock = re.fullmatch(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9})\d*)?", fields[1])
    if not date or not clock:
        return 0, 0
    first, second, year = (int(g) for g in date.groups())
    month, day = (first, second) if revision == 1991 else (second, first)
    if month > 12:
        month, day = day, month
    year += 0 if year > 99 else (1900 if year >= 70 else 2000)
    hour, minute, second = (int(g) for g in clock.groups()[:3])
    decimals = clock.group(4) or ""
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"date {','.join(fields)[:40]!r}", "a date that exists", REMEDY) from error
    return int(moment.timestamp()) * 10**9 + int(decimals.ljust(9, "0") or 0), len(decimals)
