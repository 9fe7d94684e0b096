"""What a message table says, in the form that readers and writers are generated from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["boolean", "choice", "integer", "string", "hexBinary", "base64Binary"]
#: EXI 1.0 (second edition, 2014), 7.1.9: a range of at most this many values is written in n bits.
LARGEST_NARROW_RANGE = 4096


@dataclass(frozen=True)
class Value:
    """A simple value.

    ``low`` and ``high`` bound an integer by value and everything else by length (characters or octets);
    None leaves that side open. ``names`` are the texts of a choice, in the order of their codes.
    """

    kind: Kind
    low: int | None = None
    high: int | None = None
    names: tuple[str, ...] = ()

    @property
    def width(self) -> int | None:
        """Bits of a value of fixed width; None when its width varies (EXI 1.0, 7.1)."""
        if self.kind == "boolean":
            return 1
        if self.kind == "choice":
            return (len(self.names) - 1).bit_length()
        if self.kind == "integer" and self.low is not None and self.high is not None:
            span = self.high - self.low
            return span.bit_length() if span < LARGEST_NARROW_RANGE else None
        return None


@dataclass(frozen=True)
class Particle:
    """One thing that may stand at a place: an attribute, an element, text, or anything (a wildcard).

    ``type_name`` is empty for a wildcard. An abstract element holds a code but never appears.
    """

    name: str
    type_name: str
    uri: str = ""
    abstract: bool = False
    wildcard: bool = False


@dataclass(frozen=True)
class Slot:
    """A place in the content: one of ``particles``, ``low`` to ``high`` times (None: without limit)."""

    particles: tuple[Particle, ...]
    low: int = 1
    high: int | None = 1
    kind: Literal["attribute", "element", "text"] = "element"

    @property
    def repeats(self) -> bool:
        """Whether it may stand there more than once; its value is a list then."""
        return self.high != 1


@dataclass(frozen=True)
class Content:
    """What stands between start and end of an element: attributes first, then elements or text."""

    slots: tuple[Slot, ...] = ()
    mixed: bool = False
    #: A reason why this content is not read: its table lists names only.
    opaque: str = ""
    #: Index of the first particle of each slot, and after the last one that of the end of the element.
    starts: tuple[int, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        starts = [0]
        for slot in self.slots:
            starts.append(starts[-1] + len(slot.particles))
        object.__setattr__(self, "starts", tuple(starts))

    @property
    def end(self) -> int:
        """Index that stands for the end of the element."""
        return self.starts[-1]

    def state(self, number: int) -> State:
        """Return what may come when slot ``number`` has not begun (EXI 1.0, 8.5.4.1 and 8.5.4.3).

        Productions are ordered as particles are, then the end, then text of mixed content; the default
        options add one escape to undeclared content, which is what makes the code wide enough for it.
        """
        return self._state(self.starts[number], number)

    def state_within(self, number: int, count: int) -> State:
        """Return what may come when slot ``number`` has been filled ``count`` times, ``count`` at least 1."""
        slot = self.slots[number]
        if count < slot.low:
            return State(self.starts[number], len(slot.particles), ends=False)
        if slot.high is None or count < slot.high:
            return self._state(self.starts[number], number + 1)
        return self.state(number + 1)

    def _state(self, start: int, number: int) -> State:
        """Return the state whose productions begin at ``start`` and go on with slot ``number``."""
        while number < len(self.slots):
            slot = self.slots[number]
            number += 1
            if slot.low:
                text = self.mixed and slot.kind == "element"
                return State(start, self.starts[number] - start, ends=False, text=text)
        return State(start, self.end - start + 1, ends=True, text=self.mixed)


@dataclass(frozen=True)
class State:
    """A choice of what comes next: particles from ``start`` on, the end included when it may come."""

    start: int
    productions: int
    ends: bool
    text: bool = False

    @property
    def bits(self) -> int:
        """Width of the event code: productions, text of mixed content, and the escape."""
        return (self.productions + self.text).bit_length()
