"""What the commands share: consoles, and errors turned into messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from v2glab.evidence import ExitCode, V2GError

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """Return a console that knows whether people or programs read it."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def fail(error: V2GError) -> None:
    """Print one error in three lines on stderr."""
    sys.stderr.write(f"v2glab: {error.found}\n  required: {error.required}\n  remedy:   {error.remedy}\n")


def guarded(command: Callable[[], Any]) -> int:
    """Run a command and return its exit code; an error of the house becomes its message and code."""
    try:
        code = command()
    except V2GError as error:
        fail(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("v2glab: interrupted\n")
        return int(ExitCode.SAFE_STATE)
    except BrokenPipeError:
        return int(ExitCode.OK)
    return int(code) if isinstance(code, int) else int(ExitCode.OK)
