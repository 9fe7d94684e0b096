"""Generate the function that reads one type: ``(data, windows, position) -> (value, position)``.

Codes and zeros that must stand there are gathered and checked with the next value, in one look-up. In a
generated function ``D`` is the document, ``W`` its windows, ``p`` the position, ``k`` the index of the
particle that comes next (``Content.starts``), ``d`` the result.
"""

from __future__ import annotations

from v2glab.links.exi._model import Particle, Slot, State, Value
from v2glab.links.exi._source import NAMED, Dispatch, Source, function_name
from v2glab.links.exi._tables import Tables

#: From as many alternatives on, a table is quicker than a chain of comparisons.
MANY = 5
#: Functions for values that are texts in a dictionary.
TEXTS = {"string": "{}_string", "hexBinary": "{}_hex", "base64Binary": "{}_base64"}
_WIDEST = 32


class Reader:
    """Generates the reader of one type into a source."""

    def __init__(self, tables: Tables, source: Source, type_name: str) -> None:
        self._tables, self._source, self._type = tables, source, type_name
        self._content = tables.content(type_name)
        self._zeros = 0
        #: What may come when its code has not been read; None when the code stands in ``k``.
        self._state: State | None = None

    def generate(self) -> None:
        """Append the function."""
        add, content = self._source.add, self._content
        self._source.place = None
        add(f"def {function_name('r_', self._type)}(D, W, p):")
        self._source.depth += 1
        if content.opaque:
            add(f"raise Fault({('no ' + content.opaque)!r})")
        else:
            add("d = {}")
            self._state = content.state(0)
            for number, slot in enumerate(content.slots):
                self._slot(number, slot)
            self._source.place = None
            self._end()
            add("return d, p")
        self._source.depth -= 1

    def _end(self) -> None:
        if self._state is None:
            self._source.add(f"if k != {self._content.end}: raise Fault('the end of the element')")
        else:
            self._zeros += self._state.bits
            self._flush()

    def _slot(self, number: int, slot: Slot) -> None:
        start, single = self._content.starts[number], len(slot.particles) == 1
        self._source.place = slot.particles[0].name if single else None
        sure = self._state is not None and self._state.productions == 1 and self._state.bits == 1
        if sure and not slot.repeats:
            self._zeros += 1
            self._item(slot, slot.particles[0], "d[{}] = {}")
            self._state = self._content.state_within(number, 1)
            return
        if self._state is not None:
            self._code(self._state)
            self._state = None
        if slot.low:
            self._require(start, len(slot.particles))
        if slot.repeats:
            self._repeated(number, slot)
        elif slot.low:
            self._alternatives(slot, start, "d[{}] = {}")
            self._state = self._content.state_within(number, 1)
        else:
            self._optional(number, slot)

    def _require(self, start: int, count: int) -> None:
        wrong = f"k != {start}" if count == 1 else f"not {start} <= k < {start + count}"
        self._source.add(f"if {wrong}: raise Fault('an element that is required there')")

    def _optional(self, number: int, slot: Slot) -> None:
        start, count = self._content.starts[number], len(slot.particles)
        test = f"k == {start}" if count == 1 else f"{start} <= k < {start + count}"
        self._source.add(f"if {test}:")
        self._source.depth += 1
        self._alternatives(slot, start, "d[{}] = {}")
        self._code(self._content.state_within(number, 1))
        self._source.depth -= 1

    def _repeated(self, number: int, slot: Slot) -> None:
        add, content = self._source.add, self._content
        start, count = content.starts[number], len(slot.particles)
        add("n = m = 0")
        add(f"while k == {start}:" if count == 1 else f"while {start} <= k < {start + count}:")
        self._source.depth += 1
        if count > 1:
            # A dictionary cannot tell in which order elements of different names alternate.
            add("if k < m: raise Fault('elements of one name together, in the order of the table')")
            add("m = k")
        self._alternatives(slot, start, "d.setdefault({}, []).append({})")
        self._flush()
        add("n += 1")
        for count, condition in _counts(slot):
            add(condition)
            self._source.depth += 1
            self._code(content.state_within(number, count))
            self._source.depth -= 1
        self._source.depth -= 1

    def _alternatives(self, slot: Slot, start: int, target: str) -> None:
        """Read the particle that ``k`` names; what is pending is the same whichever it was."""
        if len(slot.particles) == 1:
            self._item(slot, slot.particles[0], target)
            return
        if len(slot.particles) >= MANY and not any(map(self._value, slot.particles)):
            self._table(slot, start, target)
            return
        for offset, particle in enumerate(slot.particles):
            self._source.add(f"{'elif' if offset else 'if'} k == {start + offset}:")
            self._source.depth += 1
            self._source.place = particle.name
            self._item(slot, particle, target)
            self._flush()
            self._source.depth -= 1
        self._source.place = None

    def _table(self, slot: Slot, start: int, target: str) -> None:
        """Read by a table, whose functions are made when they are first called."""
        name = self._source.hold(Dispatch(slot.particles, start))
        self._source.place = None
        self._source.add(f"name, f = {name}[k - {start}]")
        self._source.place = NAMED
        self._source.add("v, p = f(D, W, p)")
        self._source.add(target.format("name", "v"))
        self._source.place = None

    def _value(self, particle: Particle) -> Value | None:
        return self._tables.value(particle.type_name)

    def _item(self, slot: Slot, particle: Particle, target: str) -> None:
        add = self._source.add
        if particle.wildcard or particle.abstract:
            self._zeros = 0
            add("raise Fault('an element that the table names')")
            return
        target = target.replace("{}", repr(particle.name), 1)
        value = self._value(particle)
        if value is None:
            self._flush()
            function = self._source.need("r_", particle.type_name)
            add(f"v, p = {function}(D, W, p)")
            add(target.format("v"))
            return
        element = slot.kind == "element"
        self._zeros += element
        read_value(self, value, target)
        self._zeros += element

    def _code(self, state: State) -> None:
        """Read what comes next into ``k``."""
        bits = self._zeros + state.bits
        self._zeros = 0
        self.take("k", bits, state.productions - 1, "what may come next")
        if state.start:
            self._source.add(f"k += {state.start}")

    def _flush(self) -> None:
        """Check the zeros that are pending."""
        if self._zeros:
            bits, self._zeros = self._zeros, 0
            self.take("x", bits, 0, "the end of the element, or the element that follows")

    def pending(self, bits: int) -> int:
        """Return the width of a value together with the zeros before it, which are pending no longer."""
        if self._zeros + bits > _WIDEST:
            self._flush()
        bits += self._zeros
        self._zeros = 0
        return bits

    def take(self, name: str, bits: int, largest: int | None, required: str) -> None:
        """Read bits into a variable and refuse more than ``largest``."""
        add = self._source.add
        add(f"{name} = W[p >> 5] >> {64 - bits} - (p & 31) & {(1 << bits) - 1}")
        if largest is not None and largest < (1 << bits) - 1:
            add(f"if {name} > {largest}: raise Fault({required!r})")
        add(f"p += {bits}")

    def flush(self) -> None:
        """Check the zeros that are pending."""
        self._flush()

    @property
    def source(self) -> Source:
        """Where the lines go."""
        return self._source


def _counts(slot: Slot) -> list[tuple[int, str]]:
    """Return the numbers of items at which what may come next changes, each with its test."""
    cases = [(1, f"if n < {slot.low}:")] if slot.low > 1 else []
    again = max(slot.low, 1)
    if slot.high is None:
        return [*cases, (again, "else:" if cases else "if True:")]
    word = "elif" if cases else "if"
    return [*cases, (again, f"{word} n < {slot.high}:"), (slot.high, "else:")]


def read_value(reader: Reader, value: Value, target: str) -> None:
    """Generate the lines that read a simple value, together with the zeros that stand before it."""
    match value.kind:
        case "boolean":
            reader.take("x", reader.pending(1), 1, "a truth value")
            reader.source.add(target.format("x == 1"))
        case "choice":
            _read_choice(reader, value, target)
        case "integer" if value.width is not None:
            _read_narrow(reader, value, target)
        case "integer":
            _read_wide(reader, value, target)
        case kind:
            function = TEXTS[kind].format("read")
            reader.flush()
            reader.source.add(f"v, p = {function}(D, W, p, {value.low or 0}, {value.high})")
            reader.source.add(target.format("v"))


def _read_choice(reader: Reader, value: Value, target: str) -> None:
    width = value.width or 0
    names = reader.source.hold(value.names)
    if bits := reader.pending(width):
        reader.take("x", bits, len(value.names) - 1, f"one of {len(value.names)} values")
        reader.source.add(target.format(f"{names}[x]"))
    else:
        reader.source.add(target.format(f"{names}[0]"))


def _read_narrow(reader: Reader, value: Value, target: str) -> None:
    low, high = value.low or 0, value.high or 0
    if bits := reader.pending(value.width or 0):
        reader.take("x", bits, high - low, f"an integer from {low} to {high}")
        reader.source.add(target.format(f"x + {low}" if low else "x"))
    else:
        reader.source.add(target.format(low))


def _read_wide(reader: Reader, value: Value, target: str) -> None:
    """Read an integer in groups of seven bits; one group is the usual case, and costs one look-up."""
    add, low, high = reader.source.add, value.low, value.high
    signed = low is None or low < 0
    bits = reader.pending(9 if signed else 8)
    call = f"read_integer(W, p, {low}, {high})" if signed else f"read_unsigned(W, p, {high})"
    head = 9 if signed else 8
    add(f"v = W[p >> 5] >> {64 - bits} - (p & 31) & {(1 << bits) - 1}")
    add(f"p += {bits}")
    add("if v > 127:")
    if bits > head:
        add(f"    if v >= {1 << head}: raise Fault('the start of a value')")
    add(f"    p -= {head}")
    add(f"    v, p = {call}")
    if low is not None and low > 0:
        add(f"if v < {low}: raise Fault('an integer from {low} to {high}')")
    if high is not None and high < 127:
        add(f"if v > {high}: raise Fault('an integer from {low} to {high}')")
    add(target.format("v"))
