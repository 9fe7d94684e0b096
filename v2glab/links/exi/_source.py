"""Python source under construction, each line with the name of the element that it serves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from v2glab.links.exi._model import Particle

#: Place of a line whose element is known only when it runs: its name stands in ``name`` then.
NAMED = "*"


@dataclass(frozen=True)
class Dispatch:
    """Alternatives that are found by a table; the codec puts their functions in its place."""

    particles: tuple[Particle, ...]
    start: int


@dataclass
class Source:
    """Lines of one module, and beside each the element to blame when it fails.

    ``needs`` collects the types whose functions the lines call; ``objects`` the tables they look up.
    """

    lines: list[str] = field(default_factory=list)
    places: list[str | None] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    objects: dict[str, object] = field(default_factory=dict)
    batch: int = 0
    depth: int = 0
    place: str | None = None

    def add(self, text: str) -> None:
        """Append a line at the present depth."""
        self.lines.append("    " * self.depth + text)
        self.places.append(self.place)

    def need(self, prefix: str, type_name: str) -> str:
        """Return the name of a function of a type, and remember that it is needed."""
        if type_name not in self.needs:
            self.needs.append(type_name)
        return function_name(prefix, type_name)

    def hold(self, value: object) -> str:
        """Keep an object under a name that the lines can use; equal objects share one."""
        for name, held in self.objects.items():
            if held == value:
                return name
        name = f"held_{self.batch}_{len(self.objects)}"
        self.objects[name] = value
        return name


def function_name(prefix: str, type_name: str) -> str:
    """Return the name of a function of a type."""
    return prefix + re.sub(r"\W", "_", type_name)
