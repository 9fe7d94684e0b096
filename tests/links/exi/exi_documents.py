"""Documents made from the message tables: every element that may stand somewhere will, in the long run."""

import base64
import random
from typing import Any

from v2glab.links.exi import fragments
from v2glab.links.exi._model import Content, Particle, Value
from v2glab.links.exi._tables import Tables, load_tables

#: Characters of one to three groups of seven bits.
CHARACTERS = "AZaz09-_.:é€😀"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"


class Maker:
    """Makes documents; ``fullness`` is the probability that what may be absent is there."""

    def __init__(self, namespace: str, rng: random.Random, fullness: float = 0.5) -> None:
        self.tables: Tables = load_tables(namespace)
        self.namespace, self.rng, self.fullness = namespace, rng, fullness

    def message(self, name: str) -> dict[str, Any]:
        """Return a document for one message."""
        envelope = self.tables.envelope
        if envelope is None:
            return {name: self.element(self._global(name))}
        root = self._global(envelope.element)
        document = self.element(root, leave=(envelope.body,))
        document[envelope.body] = {name: self.content(self.tables.bodies()[name])}
        return {envelope.element: document}

    def fragment(self, name: str, type_name: str) -> dict[str, Any]:
        """Return a fragment."""
        return {name: self.content(type_name)}

    def _global(self, name: str) -> Particle:
        return next(p for p in self.tables.roots() if p.name == name and p.uri == self.namespace)

    def element(self, particle: Particle, leave: tuple[str, ...] = ()) -> Any:
        value = self.tables.value(particle.type_name)
        return self.value(value) if value else self.content(particle.type_name, leave)

    def content(self, type_name: str, leave: tuple[str, ...] = ()) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for slot in self.tables.content(type_name).slots:
            particles = [p for p in slot.particles if self._usable(p) and p.name not in leave]
            if not particles or (not slot.low and self.rng.random() >= self.fullness):
                continue
            if not slot.repeats:
                particle = self.rng.choice(particles)
                made[particle.name] = self.element(particle)
                continue
            for _ in range(self._count(slot.low, slot.high)):
                particle = self.rng.choice(particles)
                made.setdefault(particle.name, []).append(self.element(particle))
        return made

    def _usable(self, particle: Particle) -> bool:
        if particle.abstract or particle.wildcard:
            return False
        if self.tables.value(particle.type_name):
            return True
        content: Content = self.tables.content(particle.type_name)
        return not content.opaque and not any(
            slot.low and not any(map(self._usable, slot.particles)) for slot in content.slots
        )

    def _count(self, low: int, high: int | None) -> int:
        low = max(low, 1)
        if high is not None and high <= 24 and self.rng.random() < 0.2:
            return high
        return self.rng.randint(low, min(low + 2, high or low + 2))

    def value(self, value: Value) -> Any:
        rng = self.rng
        match value.kind:
            case "boolean":
                return rng.random() < 0.5
            case "choice":
                return rng.choice(value.names)
            case "integer":
                low = -(2**130) if value.low is None else value.low
                high = 2**130 if value.high is None else value.high
                near = [
                    n for n in (low, high, 0, -1, 1, 127, 128, -128, -129, 16383, 16384) if low <= n <= high
                ]
                return rng.choice(near) if rng.random() < 0.5 else rng.randint(low, high)
        length = self._length(value)
        if value.kind == "string":
            plain = rng.random() < 0.7
            return "".join(rng.choice(CHARACTERS[:-3] if plain else CHARACTERS) for _ in range(length))
        octets = rng.randbytes(length)
        return octets.hex().upper() if value.kind == "hexBinary" else base64.b64encode(octets).decode()

    def _length(self, value: Value) -> int:
        low, high = value.low or 0, 40 if value.high is None else value.high
        return self.rng.choice([low, high, self.rng.randint(low, min(low + 12, high))])


def fragment_names(namespace: str) -> dict[str, str]:
    """Return the elements of a namespace that may be fragments and can be made, with their types."""
    maker = Maker(namespace, random.Random(0))
    return {n: t for n, t in fragments(namespace).items() if maker._usable(Particle(n, t))}
