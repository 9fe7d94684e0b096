"""A hwmon folder as the kernel would show it, fed by the plant."""

from __future__ import annotations

from pathlib import Path

from v2glab.twin._plant_state import PlantState

_LABELS = {1: "heatsink", 2: "junction", 3: "ambient", 4: "connector"}


class HwmonRoot:
    """Files of one hwmon device; each ends in a newline, as in sysfs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        (root / "name").write_text("v2glab_twin\n")
        for number, label in _LABELS.items():
            (root / f"temp{number}_label").write_text(f"{label}\n")
        self._last: dict[str, str] = {}

    def update(self, state: PlantState) -> None:
        """Write what changed; a reader sees an old value or a new one, never a part."""
        celsius = {1: state.heatsink_celsius, 2: state.junction_celsius}
        celsius |= {3: state.ambient_celsius, 4: state.connector_celsius}
        values = {f"temp{n}_input": f"{round(1000 * t)}\n" for n, t in celsius.items()}
        values["fan1_input"] = "2400\n"
        for name, text in values.items():
            if self._last.get(name) != text:
                part = self.root / f".{name}"
                part.write_text(text)
                part.replace(self.root / name)
                self._last[name] = text
