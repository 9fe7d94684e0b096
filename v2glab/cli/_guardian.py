"""``v2glab guardian``: started by an energised station, not by people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def guardian(
    plan: Annotated[Path, typer.Option(help="Compiled plan of the station.")],
    socket: Annotated[Path, typer.Option(help="Unix socket to listen on.")],
    log: Annotated[Path, typer.Option(help="Log file, appended to.")],
) -> int:
    """Hold the lease of an energised station; open its contactor when the lease is lost."""
    from v2glab.station._guard_loop import serve

    return serve(plan, socket, log)
