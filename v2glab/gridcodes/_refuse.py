"""Refuse an entry of a grid code's file."""

from __future__ import annotations

from v2glab.evidence import InputError


def refuse(
    condition: bool, where: str, found: str, required: str, remedy: str = "mend the data file"
) -> None:
    """Raise an :class:`InputError` that names file and entry when the condition holds."""
    if condition:
        raise InputError(f"{where}: {found}", required, remedy)
