"""Where in a record a verdict was read, as one line of its evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from v2glab.evidence import Verdict

#: The channel of a verdict on a duration: its bounds count from ``start_s``.
TIME = "time"
_LINE = re.compile(r"(\w+) from (\S+) s to (\S+) s, per (\S+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Samples that a verdict was made from.

    Parameters
    ----------
    channel
        As :func:`~v2glab.gridcodes.conformity._measure.mean` names it, or :data:`TIME`.
    start_s, stop_s
        Part of the timeline; for a duration, from where it counts and until when it was watched.
    per
        What one unit of the verdict's value is in the channel's unit.
    """

    channel: str
    start_s: float
    stop_s: float
    per: float = 1.0

    def text(self) -> str:
        """Return the line of evidence."""
        return f"{self.channel} from {self.start_s:.9g} s to {self.stop_s:.9g} s, per {self.per:.9g}"


def place_of(verdict: Verdict) -> Place | None:
    """Return where a verdict was read; ``None`` when it says nothing of the kind."""
    for line in verdict.evidence:
        if (found := _LINE.fullmatch(line)) is not None:
            channel, *numbers = found.groups()
            try:
                start_s, stop_s, per = map(float, numbers)
            except ValueError:
                return None
            return Place(channel, start_s, stop_s, per)
    return None
