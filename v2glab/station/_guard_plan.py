"""What the guardian has to do, in raw registers: compiled once, so that it needs no profile to act."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """One Modbus TCP unit."""

    host: str
    port: int
    unit: int


@dataclass(frozen=True)
class Registers:
    """Registers of one target and what they shall hold.

    Attributes
    ----------
    target
        Name of the target, which is the instrument's.
    name
        Name of the point, for the log.
    function
        3 or 4: how it is read back.
    address
        Zero-based.
    words
        What is written, or expected on reading.
    """

    target: str
    name: str
    function: int
    address: int
    words: tuple[int, ...]


@dataclass(frozen=True)
class GuardPlan:
    """Everything that the guardian knows about the station.

    Attributes
    ----------
    lease_s
        Longest silence of the holder of a lease.
    watchdog_s
        Time-out of the charger's own watchdog; 0 when it has none.
    safe_state
        Written in this order.
    confirm
        Read until they hold what they shall.
    arm, kick
        Registers of the watchdog; ``None`` when there is none.
    """

    station: str
    lease_s: float
    watchdog_s: float
    targets: dict[str, Target]
    safe_state: tuple[Registers, ...]
    confirm: tuple[Registers, ...]
    arm: Registers | None = None
    kick: Registers | None = None

    def write(self, path: Path) -> None:
        """Write the plan as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> GuardPlan:
        """Read what :meth:`write` wrote."""
        raw = json.loads(path.read_text(encoding="utf-8"))

        def registers(item: dict[str, object]) -> Registers:
            return Registers(**{**item, "words": tuple(item["words"])})  # type: ignore[arg-type]

        return cls(
            station=raw["station"],
            lease_s=raw["lease_s"],
            watchdog_s=raw["watchdog_s"],
            targets={name: Target(**target) for name, target in raw["targets"].items()},
            safe_state=tuple(map(registers, raw["safe_state"])),
            confirm=tuple(map(registers, raw["confirm"])),
            arm=registers(raw["arm"]) if raw["arm"] else None,
            kick=registers(raw["kick"]) if raw["kick"] else None,
        )
