"""How far a campaign is: a bar for people, one line a notebook for logs, nothing for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from v2glab.campaigns._notebook import NotebookEnd
    from v2glab.campaigns._runner import Reporter


class Silent:
    """Says nothing."""

    def begin(self, names: list[str]) -> None:
        """Take note of nothing."""

    def notebook(self, name: str) -> None:
        """Take note of nothing."""

    def cell(self, name: str, number: int, count: int) -> None:
        """Take note of nothing."""

    def ended(self, name: str, end: NotebookEnd) -> None:
        """Take note of nothing."""


class Lines(Silent):
    """One line a notebook."""

    def begin(self, names: list[str]) -> None:
        """Say how many there are."""
        sys.stderr.write(f"campaign of {len(names)} notebooks\n")

    def ended(self, name: str, end: NotebookEnd) -> None:
        """Say how one ended and what it took."""
        sys.stderr.write(f"  {name}: {end.status} in {end.duration_s:.1f} s{_because(end)}\n")


class Bar(Silent):
    """One bar over all notebooks, with the cell under way."""

    def __init__(self, progress: Any) -> None:  # noqa: ANN401 -- rich is imported late
        self._progress = progress
        self._task: Any = None
        self._done = 0

    def begin(self, names: list[str]) -> None:
        """Open the bar."""
        self._task = self._progress.add_task("starting", total=len(names))

    def notebook(self, name: str) -> None:
        """Name the notebook under way."""
        self._progress.update(self._task, description=name)

    def cell(self, name: str, number: int, count: int) -> None:
        """Advance by a share of a notebook."""
        share = self._done + (number - 1) / count
        self._progress.update(self._task, completed=share, description=f"{name}  cell {number}/{count}")

    def ended(self, name: str, end: NotebookEnd) -> None:
        """Print a line and advance to the next notebook."""
        self._done += 1
        self._progress.update(self._task, completed=self._done)
        self._progress.console.print(
            f"  {name}: {end.status} in {end.duration_s:.1f} s{_because(end)}", markup=False, highlight=False
        )


@contextmanager
def make_reporter(*, quiet: bool) -> Iterator[Reporter]:
    """Choose what suits the reader: nothing, lines, or a bar on a terminal."""
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            yield Bar(progress)


def _because(end: NotebookEnd) -> str:
    return f" ({end.error})" if end.error else ""
