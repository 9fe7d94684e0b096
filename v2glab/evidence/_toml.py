"""Settings and tables from TOML files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from v2glab.evidence._errors import InputError


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; every way it can fail is an :class:`InputError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"no file {path}", "a TOML file", "check the name") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: {error}", "readable TOML in UTF-8", "mend the file") from error
