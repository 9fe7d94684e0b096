"""What the commands share: consoles, and errors turned into messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from v2glab.evidence import V2GError


def console(*, stderr: bool = False) -> Console:
    """Return a console that knows whether people or programs read it."""
    from rich.console import Console

    wide = None if (sys.stderr if stderr else sys.stdout).isatty() else 140
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=wide)


def fail(error: V2GError) -> int:
    """Print one error in three lines on stderr and return its exit code."""
    sys.stderr.write(f"v2glab: {error.found}\n  required: {error.required}\n  remedy:   {error.remedy}\n")
    return int(error.exit_code)


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; an error of the house becomes its message and code."""
    try:
        code = command()
    except KeyboardInterrupt:
        sys.stderr.write("v2glab: interrupted\n")
        return 4
    except BrokenPipeError:
        return 0
    except Exception as error:
        known = _exit_code(error)
        if known is None:
            raise
        return known
    return code if isinstance(code, int) else 0


def _exit_code(error: Exception) -> int | None:
    """Print an error that is meant for people; ``None`` when it is not one."""
    # Imported late: the vocabulary costs more time than `--help` may take.
    from v2glab.evidence import V2GError

    if isinstance(error, V2GError):
        return fail(error)
    if type(error).__name__ == "Abort":  # Ctrl-C, as typer reports it
        sys.stderr.write("v2glab: interrupted\n")
        return 4
    show = getattr(error, "show", None)  # a usage error of typer knows how to show itself
    if show is None:
        return None
    show()
    return int(getattr(error, "exit_code", 2))
