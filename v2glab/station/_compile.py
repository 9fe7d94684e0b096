"""Compile the guardian's plan from station file and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from v2glab.evidence import InputError
from v2glab.station._guard_plan import GuardPlan, Registers, Target
from v2glab.station._settings import GuardianSection, StationFile

if TYPE_CHECKING:
    from v2glab.instruments import ModbusProfile


def compile_plan(settings: StationFile) -> GuardPlan:
    """Return what the guardian has to do at this station, in raw registers.

    Raises
    ------
    InputError
        The station has no ``[guardian]``, or a point is not a register of a Modbus TCP instrument. A serial
        line cannot be shared by two processes, so the safe state needs TCP.
    """
    guardian = settings.guardian
    if guardian is None:
        raise InputError(
            f"station {settings.station.name!r} has no [guardian]",
            "a lease and the actions of the safe state",
            "add [guardian] to the station file, as in drivers/stations/example-site.toml",
        )
    compiler = _Compiler(settings)
    safe_state = tuple(compiler.registers(a.instrument, a.point, a.value) for a in guardian.safe_state)
    confirm = tuple(compiler.registers(a.instrument, a.point, a.value) for a in guardian.confirm)
    arm, kick = _watchdog(compiler, guardian)
    return GuardPlan(
        station=settings.station.name,
        lease_s=guardian.lease_s,
        watchdog_s=guardian.watchdog_s,
        targets=compiler.targets,
        safe_state=safe_state,
        confirm=confirm,
        arm=arm,
        kick=kick,
    )


def _watchdog(compiler: _Compiler, guardian: GuardianSection) -> tuple[Registers | None, Registers | None]:
    if guardian.watchdog_s == 0:
        return None, None
    dog = guardian.watchdog
    return (
        compiler.registers(dog.instrument, dog.timeout_point, guardian.watchdog_s),
        compiler.registers(dog.instrument, dog.kick_point, 0),
    )


class _Compiler:
    """Looks points up; collects the targets that they belong to."""

    def __init__(self, settings: StationFile) -> None:
        self._settings = settings
        self._profiles: dict[str, ModbusProfile] = {}
        self.targets: dict[str, Target] = {}

    def registers(self, instrument: str, point: str, value: float) -> Registers:
        """Return the registers that hold ``point``, with ``value`` encoded."""
        from v2glab.instruments import encode_registers

        profile = self._profile(instrument)
        register = profile.registers.get(point)
        if register is None:
            raise InputError(
                f"{instrument}.{point} is not in profile {profile.name!r}",
                "a point of that profile",
                "mend [guardian] in the station file",
            )
        words = tuple(int(w) for w in encode_registers(register, value))
        return Registers(instrument, point, register.function, register.address, words)

    def _profile(self, instrument: str) -> ModbusProfile:
        from v2glab.instruments import ModbusProfile, load_profile

        if instrument in self._profiles:
            return self._profiles[instrument]
        entry = self._settings.instruments[instrument]
        profile = load_profile(entry.profile)
        address = urlsplit(entry.address)
        if not isinstance(profile, ModbusProfile) or address.scheme != "tcp" or not address.hostname:
            raise InputError(
                f"the safe state uses {instrument}: profile {entry.profile!r} at {entry.address!r}",
                "a Modbus profile and an address tcp://host:port?unit=N",
                "reach the device over Modbus TCP (a serial line cannot be shared with the guardian)",
            )
        unit = int(parse_qs(address.query).get("unit", [str(profile.modbus.default_unit)])[0])
        self.targets[instrument] = Target(address.hostname, address.port or 502, unit)
        self._profiles[instrument] = profile
        return profile
