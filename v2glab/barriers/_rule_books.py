"""Rule books: which barriers hold in a place on a day, read from data."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from v2glab.barriers._catalogue import Barrier, Catalogue
from v2glab.barriers._terms import Transformation
from v2glab.evidence import InputError, read_toml
from v2glab.resources import find_data


class RuleBook(BaseModel):
    """The rules of one place on one day.

    Attributes
    ----------
    on
        The day.
    places
        Names under which barriers of the catalogue list this place.
    rules
        Barriers to look at; those that are not in force on that day are left out and named.
    values
        Numbers in place of the catalogue's, by barrier.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str
    on: dt.date
    places: tuple[str, ...] = Field(min_length=1)
    rules: tuple[str, ...] = Field(min_length=1)
    values: dict[str, float] = Field(default_factory=dict)
    note: str = ""

    def in_force(self, catalogue: Catalogue) -> dict[str, Transformation]:
        """Return the transformations of the rules that are in force.

        Raises
        ------
        InputError
            A rule is unknown, not modelled, or holds in none of the book's places.
        """
        names = [name for name in self.rules if self._holds(catalogue.barrier(name))]
        if not names:
            return {}
        return catalogue.select(",".join(f"{n}={self.values[n]!r}" if n in self.values else n for n in names))

    def _holds(self, barrier: Barrier) -> bool:
        here = [j for j in barrier.jurisdictions if j.name in self.places]
        if not here:
            raise InputError(
                f"rule book {self.id!r}: {barrier.id!r} lists none of {', '.join(self.places)}",
                f"one of its jurisdictions: {', '.join(j.name for j in barrier.jurisdictions)}",
                "mend the book's places, or leave the rule out",
            )
        return any(
            (j.in_force is None or j.in_force <= self.on) and (j.repealed is None or self.on < j.repealed)
            for j in here
        )


def parse_rule_books(document: dict[str, Any], where: str) -> dict[str, RuleBook]:
    """Build rule books, by identity, from a parsed TOML document.

    Raises
    ------
    InputError
        An entry is wrong or stands twice.
    """
    books: dict[str, RuleBook] = {}
    entries = document.get("rule_book", [])
    for position, entry in enumerate(entries if isinstance(entries, list) else [entries], start=1):
        try:
            book = RuleBook.model_validate(entry)
        except ValidationError as error:
            raise InputError(
                f"{where}, rule book {position}: {error}", "the fields of a rule book", "mend that entry"
            ) from error
        if book.id in books:
            raise InputError(f"{where}: rule book {book.id!r} twice", "each once", "rename one of the two")
        books[book.id] = book
    return books


@cache
def load_rule_books(folder: Path | None = None) -> dict[str, RuleBook]:
    """Read every TOML file of a folder, by default ``datasets/barriers/rule_books``.

    Raises
    ------
    InputError
        A file or an entry is wrong, or an identity stands twice.
    """
    root = find_data("datasets", "barriers", "rule_books") if folder is None else folder
    books: dict[str, RuleBook] = {}
    for path in sorted(root.glob("*.toml")):
        for name, book in parse_rule_books(read_toml(path), path.name).items():
            if name in books:
                raise InputError(f"{path.name}: rule book {name!r} twice", "each once", "rename one")
            books[name] = book
    return books
