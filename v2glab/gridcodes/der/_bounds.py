"""Ranges of settings as the rules give them; a bound may refer to another point of the same curve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from v2glab.gridcodes._values import Frozen, Point, bound_value

if TYPE_CHECKING:
    from v2glab.gridcodes.der._settings import DerSettings

_SLACK = 1e-9  # a percentage that comes back from a file is not always the same number

#: Where the coordinates of a characteristic of a grid code stand among the points of a setting.
COORDINATES: dict[str, dict[str, str]] = {
    "volt_var": {f"{a}{i + 1}": f"points.{i}.{k}" for i in range(4) for k, a in enumerate("vq")},
    "watt_var": {f"{a}{i + 1}": f"points.{i + 3}.{k}" for i in range(3) for k, a in enumerate("pq")}
    | {f"{a}{i + 1}_load": f"points.{2 - i}.{k}" for i in range(3) for k, a in enumerate("pq")},
    "volt_watt": {f"{a}{i + 1}": f"points.{i}.{k}" for i in range(2) for k, a in enumerate("vp")},
}


class SettingRange(Frozen):
    """Least and greatest value of the setting at ``path``; ``zero`` allows 0 besides, which means off."""

    path: str
    lower: float | str | None = None
    upper: float | str | None = None
    zero: bool = False
    clause: str = ""

    @field_validator("lower", "upper")
    @classmethod
    def _check(cls, bound: float | str | None) -> float | str | None:
        if isinstance(bound, str):
            Point(default=0.0, lower=bound)
        return bound

    def limits(self, settings: DerSettings) -> tuple[float, float]:
        """Return both bounds as numbers; infinite where they refer to what the plant does not have."""
        relative = isinstance(self.lower, str) or isinstance(self.upper, str)
        known = _known(settings, self.path.partition(".")[0]) if relative else {}
        low = -math.inf if self.lower is None else bound_value(self.lower, known, -math.inf)
        high = math.inf if self.upper is None else bound_value(self.upper, known, math.inf)
        return low, high

    def holds(self, value: float, low: float, high: float) -> bool:
        """Whether a value is allowed."""
        return (self.zero and value == 0.0) or low - _SLACK <= value <= high + _SLACK


def setting_at(settings: DerSettings, path: str) -> Any:  # noqa: ANN401
    """Return the value at a dotted path, ``None`` where the plant has none there."""
    value: Any = settings
    for part in path.split("."):
        if isinstance(value, tuple):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
        else:
            value = getattr(value, part, None)
    return value


def _known(settings: DerSettings, group: str) -> dict[str, float]:
    """Return the coordinates of a curve by name; the points of volt-var are those for a reference of 1."""
    places = COORDINATES.get(group, {})
    known = {name: setting_at(settings, f"{group}.{place}") for name, place in places.items()}
    return known | {"v_ref": 1.0}
