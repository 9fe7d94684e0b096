"""Public names that are loaded on first use, so that importing a package costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_attributes(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package (PEP 562).

    Parameters
    ----------
    package
        ``__name__`` of the package.
    homes
        Public names by the module of the package that holds them.
    """
    module_of = {name: module for module, names in homes.items() for name in names}

    def load(name: str) -> Any:  # noqa: ANN401 -- the module protocol asks for it
        if name in module_of:
            return getattr(import_module(f"{package}.{module_of[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
