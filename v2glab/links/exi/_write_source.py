"""Generate the function that writes one type: ``(bits so far, value, full parts) -> bits``.

Codes that are known beforehand are gathered and appended with the next value, in one shift. In a generated
function ``a`` is what has been written (a leading one marks its begin), ``d`` the dictionary, ``O`` the parts
that are full, ``n`` the number of optional names found, ``s`` and ``b`` start and width of the present state
where it depends on what came before.
"""

from __future__ import annotations

from v2glab.links.exi._model import Particle, Slot, State, Value
from v2glab.links.exi._read_source import MANY, TEXTS
from v2glab.links.exi._source import NAMED, Dispatch, Source, function_name
from v2glab.links.exi._tables import Tables


class Writer:
    """Generates the writer of one type into a source."""

    def __init__(self, tables: Tables, source: Source, type_name: str) -> None:
        self._tables, self._source, self._type = tables, source, type_name
        self._content = tables.content(type_name)
        #: Bits that are known and not yet appended: value and width.
        self._known = (0, 0)
        #: What may come next, or None when that stands in ``s`` and ``b``.
        self._state: State | None = None
        self._required = 0

    def generate(self) -> None:
        """Append the function."""
        add, content = self._source.add, self._content
        self._source.place = None
        add(f"def {function_name('w_', self._type)}(a, d, O):")
        self._source.depth += 1
        if content.opaque:
            add(f"raise Fault({('no ' + content.opaque)!r})")
        else:
            add("if type(d) is not dict: raise Fault('a dictionary')")
            add("n = 0")
            self._state = content.state(0)
            for number, slot in enumerate(content.slots):
                self._slot(number, slot)
            self._source.place = None
            self._end()
        self._source.depth -= 1

    def _end(self) -> None:
        particles = [p for slot in self._content.slots for p in slot.particles]
        names = self._source.hold(frozenset(p.name for p in particles if not (p.wildcard or p.abstract)))
        self._source.add(f"if n + {self._required} != len(d): raise unknown_names(d, {names})")
        self._code(self._content.end)
        self.flush()
        self._source.add("return a")

    def _slot(self, number: int, slot: Slot) -> None:
        particles = [p for p in slot.particles if not (p.wildcard or p.abstract)]
        self._source.place = particles[0].name if len(particles) == 1 else None
        if slot.repeats:
            self._repeated(number, slot, particles)
        elif slot.low and len(slot.particles) == 1:
            self._required += 1
            self._code(self._index(number, slot, particles[0]))
            self._source.add(f"v = d[{particles[0].name!r}]")
            self._item(slot, particles[0])
            self._state = self._content.state_within(number, 1)
        else:
            self._optional(number, slot, particles)

    def _index(self, number: int, slot: Slot, particle: Particle) -> int:
        return self._content.starts[number] + slot.particles.index(particle)

    def _optional(self, number: int, slot: Slot, particles: list[Particle]) -> None:
        """Write what may be absent, or one of several."""
        add, after = self._source.add, self._content.state_within(number, 1)
        self.flush()
        if slot.low:
            self._required += 1
        elif self._state is not None:
            add(f"s, b = {self._state.start}, {self._state.bits}")
        if slot.low and len(particles) >= MANY and not any(map(self._value, particles)):
            self._table(number, slot)
        else:
            for place, particle in enumerate(particles):
                add(f"{'elif' if place else 'if'} {particle.name!r} in d:")
                self._source.depth += 1
                self._source.place = particle.name
                self._code(self._index(number, slot, particle))
                add(f"v = d[{particle.name!r}]")
                self._item(slot, particle)
                self.flush()
                if not slot.low:
                    add("n += 1")
                    add(f"s, b = {after.start}, {after.bits}")
                self._source.depth -= 1
            if slot.low:
                self._source.place = None
                add(f"else: raise Fault({_one_of(particles)!r}, 'nothing')")
        self._state = after if slot.low else None

    def _table(self, number: int, slot: Slot) -> None:
        """Write by a table, whose functions are made when they are first called."""
        add = self._source.add
        table = self._source.hold(Dispatch(slot.particles, self._content.starts[number]))
        add("for name in d:")
        add(f"    if name in {table}: break")
        add(f"else: raise Fault({_one_of(list(slot.particles))!r}, 'nothing')")
        add(f"k, f = {table}[name]")
        state = self._state
        add(f"a = a << {state.bits} | k - {state.start}" if state else "a = a << b | k - s")
        self._source.place = NAMED
        add("a = f(a, d[name], O)")
        self._source.place = None

    def _repeated(self, number: int, slot: Slot, particles: list[Particle]) -> None:
        add = self._source.add
        self.flush()
        if self._state is not None:
            add(f"s, b = {self._state.start}, {self._state.bits}")
            self._state = None
        add("c = 0")
        for particle in particles:
            self._source.place = particle.name
            add(f"v = d.get({particle.name!r})")
            add("if v is not None:")
            self._source.depth += 1
            add("n += 1")
            self._items(number, slot, particle)
            self._source.depth -= 1
        self._source.place = particles[0].name if len(particles) == 1 else None
        if slot.low:
            required = f"at least {slot.low} items"
            add(f"if c < {slot.low}: raise Fault({required!r}, f'{{c}} items')")

    def _items(self, number: int, slot: Slot, particle: Particle) -> None:
        add, content = self._source.add, self._content
        most = f" or c + len(v) > {slot.high}" if slot.high else ""
        required = f"a list of 1 to {slot.high} items" if slot.high else "a list of items"
        add(f"if type(v) is not list or not v{most}: raise Fault({required!r})")
        add("for v in v:")
        self._source.depth += 1
        self._code(self._index(number, slot, particle))
        self._item(slot, particle)
        self.flush()
        add("c += 1")
        add("if a > FULL: O.append(a); a = 1")
        again = content.state_within(number, max(slot.low, 1))
        if slot.low > 1:
            early = content.state_within(number, 1)
            add(f"s, b = ({early.start}, {early.bits}) if c < {slot.low} else ({again.start}, {again.bits})")
        else:
            add(f"s, b = {again.start}, {again.bits}")
        self._source.depth -= 1
        if slot.high is not None:
            last = content.state_within(number, slot.high)
            add(f"if c == {slot.high}: s, b = {last.start}, {last.bits}")

    def _value(self, particle: Particle) -> Value | None:
        return self._tables.value(particle.type_name)

    def _item(self, slot: Slot, particle: Particle) -> None:
        """Write ``v`` as one particle, whose code has been written."""
        value = self._value(particle)
        if value is None:
            self.flush()
            self._source.add(f"a = {self._source.need('w_', particle.type_name)}(a, v, O)")
            return
        element = slot.kind == "element"
        self._know(0, int(element))
        write_value(self, value)
        self._know(0, int(element))

    def _code(self, index: int) -> None:
        """Write the code of a particle, or of the end."""
        if self._state is not None:
            self._know(index - self._state.start, self._state.bits)
        else:
            self.flush()
            self._source.add(f"a = a << b | {index} - s")

    def _know(self, bits: int, width: int) -> None:
        self._known = (self._known[0] << width | bits, self._known[1] + width)

    def put(self, expression: str, width: int) -> None:
        """Append bits that an expression gives, after those that are known."""
        bits, known = self._known
        self._known = (0, 0)
        constant = f"{bits << width} | " if bits else ""
        self._source.add(f"a = a << {known + width} | {constant}{expression}")

    def flush(self) -> None:
        """Append the bits that are known."""
        bits, width = self._known
        self._known = (0, 0)
        if width:
            self._source.add(f"a = a << {width} | {bits}" if bits else f"a <<= {width}")

    def peek(self) -> str:
        """Return an expression for all that has been written, known bits included; they stay known."""
        bits, width = self._known
        return (f"a << {width} | {bits}" if bits else f"a << {width}") if width else "a"

    def forget(self) -> None:
        """Drop the known bits, after both branches have appended them."""
        self._known = (0, 0)

    @property
    def source(self) -> Source:
        """Where the lines go."""
        return self._source


def _one_of(particles: list[Particle]) -> str:
    names = [p.name for p in particles if not (p.wildcard or p.abstract)]
    return "one of " + ", ".join(names)


def write_value(writer: Writer, value: Value) -> None:
    """Generate the lines that append the simple value ``v``, after the bits that are known."""
    add = writer.source.add
    match value.kind:
        case "boolean":
            add("if v is not True and v is not False: raise Fault('a truth value')")
            writer.put("v", 1)
        case "choice":
            codes = writer.source.hold({name: code for code, name in enumerate(value.names)})
            add(f"x = {codes}.get(v) if isinstance(v, str) else None")
            add(f"if x is None: raise Fault({('one of ' + ', '.join(value.names))!r})")
            writer.put("x", value.width or 0)
        case "integer":
            _write_integer(writer, value)
        case kind:
            function = TEXTS[kind].format("write")
            add(f"a = {function}({writer.peek()}, v, {value.low or 0}, {value.high})")
            writer.forget()


def _write_integer(writer: Writer, value: Value) -> None:
    add, low, high, width = writer.source.add, value.low, value.high, value.width
    bounded = low is not None and high is not None
    test = f" or not {low} <= v <= {high}" if bounded else ""
    required = f"an integer from {low} to {high}" if bounded else "an integer"
    add(f"if type(v) is not int{test}: raise Fault({required!r})")
    if width is not None:
        writer.put(f"v - {low}" if low else "v", width)
        return
    signed = low is None or low < 0
    if not bounded:
        add("if v.bit_length() > LONGEST_BITS: raise Fault('a shorter integer')")
    add("if 0 <= v < 128:")
    known = writer.peek()
    writer.source.depth += 1
    writer.put("v", 9 if signed else 8)
    writer.source.depth -= 1
    add(f"else: a = {'write_integer' if signed else 'write_unsigned'}({known}, v)")
