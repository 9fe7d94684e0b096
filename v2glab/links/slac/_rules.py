"""Timers, counts, thresholds, failures and line of SLAC, read from ``datasets/iso15118/slac.toml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from v2glab.evidence import Confidence, InputError
from v2glab.links._rules import Rule, read_rules, rule_file
from v2glab.links.slac._error import SlacFailure

#: Names that the laws use: a file must have them all.
TIMERS = (
    "TT_match_response",
    "TT_match_sequence",
    "TT_EVSE_match_MNBC",
    "TT_EV_atten_results",
    "TT_EVSE_match_session",
    "TT_EVSE_SLAC_init",
    "TP_EV_batch_msg_interval",
    "TT_EVSE_vald_toggle",
    "set_key",
)


class Timer(Rule):
    """One time of the standard, in seconds."""

    value_s: float = Field(ge=0, le=3600)
    source: str = Field(min_length=1)
    confidence: Confidence


class Count(Rule):
    """One number of messages, groups or sessions."""

    value: int = Field(ge=0, le=255)
    source: str = Field(min_length=1)
    confidence: Confidence


class Threshold(Rule):
    """One level or share."""

    value: float = Field(ge=0)
    source: str = Field(min_length=1)
    confidence: Confidence


class Answer(Rule):
    """Which message a message answers, and the timers whose sum bounds it."""

    to: str
    timers: tuple[str, ...] = Field(min_length=1)
    since_first: bool = False


class Key(Rule):
    """How a host speaks to its own modem."""

    accepted_results: tuple[int, ...]
    modem: str
    source: str = Field(min_length=1)


class Cause(Rule):
    """Why a run failed, and what to do."""

    text: str = Field(min_length=1)
    remedy: str = Field(min_length=1)


class Line(Rule):
    """What all channels share: carriers, groups, transmit level, coding."""

    carrier_spacing_hz: float = Field(gt=0)
    carriers_per_group: int = Field(gt=0)
    tone_mask: tuple[tuple[int, int], ...] = Field(min_length=1)
    tx_psd_dbm_hz: float
    robo_copies: int = Field(gt=0)
    frame_bits: int = Field(gt=0)
    coding_gain_db: float = Field(ge=0)
    source: str = Field(min_length=1)
    confidence: Confidence


class Noise(Rule):
    """Noise of the line and of a motor inverter."""

    floor_dbm_hz: float
    rise_db: float = Field(ge=0)
    decay_hz: float = Field(gt=0)
    motor_dbm_hz: float
    motor_rise_time_s: float = Field(gt=0)
    source: str = Field(min_length=1)
    confidence: Confidence


class ChannelData(Rule):
    """One channel: groups as reported in the field, or paths of the echo model."""

    groups_db: tuple[float, ...] = ()
    gains: tuple[float, ...] = ()
    lengths_m: tuple[float, ...] = ()
    a0_per_m: float = Field(default=0.0, ge=0)
    a1_s_per_m: float = Field(default=0.0, ge=0)
    velocity_m_s: float = Field(default=1.5e8, gt=0)
    spread_db: float = Field(ge=0)
    source: str = Field(min_length=1)
    confidence: Confidence

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.groups_db) == bool(self.gains) or len(self.gains) != len(self.lengths_m):
            raise ValueError("needs 'groups_db', or 'gains' and as many 'lengths_m'")
        return self


class SlacRules(Rule):
    """Everything of SLAC that is a number or a text."""

    standard: str
    edition: str
    timer: dict[str, Timer]
    count: dict[str, Count]
    threshold: dict[str, Threshold]
    key: Key
    failure: dict[str, Cause]
    line: Line
    noise: Noise
    channel: dict[str, ChannelData]
    answer: dict[str, Answer]

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        used = (*TIMERS, *(timer for answer in self.answer.values() for timer in answer.timers))
        missing = [name for name in used if name not in self.timer]
        if missing:
            raise ValueError(f"timers missing: {', '.join(missing)}")
        return self

    def time_s(self, timer: str) -> float:
        """Return a time in seconds.

        Raises
        ------
        InputError
            There is no timer of that name.
        """
        return self._entry("timer", timer).value_s  # type: ignore[attr-defined, no-any-return]

    def number(self, count: str) -> int:
        """Return a count; raises InputError when there is none of that name."""
        return self._entry("count", count).value  # type: ignore[attr-defined, no-any-return]

    def level(self, threshold: str) -> float:
        """Return a threshold; raises InputError when there is none of that name."""
        return self._entry("threshold", threshold).value  # type: ignore[attr-defined, no-any-return]

    def failed(self, cause: str, found: str, required: str, timer: str = "") -> SlacFailure:
        """Return the error for a named cause; raises InputError when it is not listed."""
        entry: Cause = self._entry("failure", cause)  # type: ignore[assignment]
        return SlacFailure(cause, f"SLAC: {entry.text}: {found}", required, entry.remedy, timer)

    def with_times(self, **times_s: float) -> SlacRules:
        """Return the same rules with other times, in seconds; they are the standard's no longer.

        Raises
        ------
        InputError
            There is no timer of that name, or the time is not 0 to 3600 s.
        """
        timers = dict(self.timer)
        for name, value_s in times_s.items():
            self._entry("timer", name)
            try:
                entry = {"value_s": value_s, "source": "set by the caller", "confidence": "unverified"}
                timers[name] = Timer.model_validate(entry)
            except ValidationError as error:
                required = "0 to 3600 s"
                raise InputError(f"{name} = {value_s!r:.40}", required, "give a time in seconds") from error
        return self.model_copy(update={"timer": timers})

    def fast(self) -> SlacRules:
        """Return rules without the pause between sounds: for simulations; all time-outs stay."""
        return self.with_times(TP_EV_batch_msg_interval=0.0)

    def _entry(self, table: str, name: str) -> object:
        entries: dict[str, object] = getattr(self, table)
        if name not in entries:
            required = f"one of {', '.join(entries)}"
            raise InputError(f"no {table} {name!r:.60}", required, "add it to datasets/iso15118/slac.toml")
        return entries[name]


@cache
def load_slac_rules(path: Path | None = None) -> SlacRules:
    """Read the rules, by default from ``datasets/iso15118/slac.toml``.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is wrong.
    """
    return read_rules(SlacRules, rule_file("slac.toml", path), "rules of SLAC")
