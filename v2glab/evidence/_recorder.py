"""Where instruments hand over what passed through them."""

from __future__ import annotations

from typing import Literal, Protocol

from v2glab.evidence._quantity import Quantity

Direction = Literal["tx", "rx"]


class Recorder(Protocol):
    """Receives raw frames for the wire log and quantities for the telemetry."""

    def frame(self, *, time_ns: int, instrument: str, direction: Direction, data: bytes) -> None:
        """Keep one raw frame as it went over the wire."""

    def quantity(self, quantity: Quantity) -> None:
        """Keep one measured quantity; its time stamp and instrument are set."""


class NullRecorder:
    """Keeps nothing."""

    def frame(self, *, time_ns: int, instrument: str, direction: Direction, data: bytes) -> None:
        """Drop the frame."""

    def quantity(self, quantity: Quantity) -> None:
        """Drop the quantity."""
