"""``v2glab doctor``: what this machine has, what is required, and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from v2glab.gateway import Check

_MARKS = {"ok": "ok", "missing": "MISSING", "degraded": "degraded", "unknown": "unknown"}


def doctor(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where run folders will lie.")] = None,
) -> int:
    """Say of each prerequisite what was found, what is required, and the remedy. Changes nothing.

    Exit code 0 when nothing needed is missing, else 2. What only some work needs never fails.

    Examples:

      v2glab doctor

      v2glab doctor --json
    """
    from v2glab.gateway import check_machine

    checks = check_machine(folder or Path.cwd())
    if json_output:
        _print_json(checks)
    else:
        _print_text(checks)
    return 2 if any(c.failed for c in checks) else 0


def _print_json(checks: tuple[Check, ...]) -> None:
    import json
    from dataclasses import asdict

    document = {
        "schema": "v2glab-doctor/1",
        "ready": not any(c.failed for c in checks),
        "checks": [asdict(c) for c in checks],
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _print_text(checks: tuple[Check, ...]) -> None:
    for check in checks:
        mark = _MARKS[check.status] if check.needed or check.status != "missing" else "absent"
        typer.echo(f"{mark:<9} {check.name:<11} {check.found}")
        if check.status != "ok":
            typer.echo(f"{'':<21} required: {check.required}")
            typer.echo(f"{'':<21} remedy:   {check.remedy}")
    failed = [c.name for c in checks if c.failed]
    typer.echo(f"not ready: {', '.join(failed)}" if failed else "ready")
