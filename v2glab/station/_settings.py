"""The station file as a typed, frozen model."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Clock = Literal["lockstep", "realtime"]

#: Export off and contactor open within this time, whatever happened (the project's own requirement).
SAFE_STATE_WITHIN_S = 0.25
#: What the guardian needs of that time to write, and the contactor to fall.
_SAFE_STATE_TAKES_S = 0.05


class Section(BaseModel):
    """Base of all sections: frozen, typed strictly, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class StationSection(Section):
    """``[station]``: name, whether it is real, and its usual clock."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    kind: Literal["twin", "live"]
    clock: Clock = "realtime"


class Site(Section):
    """``[site]``: where the station stands and what it is rated for."""

    jurisdiction: str = Field(min_length=2)
    grid_code: str = Field(min_length=1)
    category: str = ""
    phases: Literal[1, 3] = 3
    nominal_voltage_v: float = Field(gt=0, le=1000)
    nominal_frequency_hz: float = Field(ge=16, le=400)
    rated_power_w: float = Field(gt=0)
    rated_apparent_power_va: float = Field(gt=0)
    rated_current_a: float = Field(gt=0)


class InstrumentEntry(Section):
    """``[instruments.NAME]``: profile, address, and the certificate of calibration if there is one."""

    profile: str = Field(min_length=1)
    address: str = Field(min_length=1)
    certificate: str | None = None


class GatewaySection(Section):
    """``[gateway]``: where the charging station reports to."""

    host: str
    port: int = Field(ge=0, le=65535)
    station_id: str
    pki: str


class VehicleSection(Section):
    """``[vehicle]``: how a vehicle reaches the charger over ISO 15118.

    ``address`` is, by ``transport``: the interface on whose link the vehicle asks everybody
    (``multicast``), HOST:PORT that answers discovery (``direct``), or HOST:PORT of the charger itself,
    without discovery (``fixed``). ``pki`` is the folder with the vehicle's chain, its key and the root that
    it trusts in ISO 15118-20, ``pki_iso2`` that for ISO 15118-2; without it the connection is in clear.
    ``port`` is where the twin listens if it is free.
    """

    transport: Literal["multicast", "direct", "fixed"]
    address: str = Field(min_length=1)
    pki: str | None = None
    pki_iso2: str | None = None
    port: int = Field(default=15118, ge=0, le=65535)

    @model_validator(mode="after")
    def _check_address(self) -> VehicleSection:
        if self.address.startswith("twin:"):
            return self
        if self.transport == "multicast":
            if not re.fullmatch(r"[^/\s:]{1,15}", self.address):
                raise ValueError(f"address {self.address!r:.40} is no name of an interface")
        else:
            _ = self.endpoint
        return self

    @property
    def endpoint(self) -> tuple[str, int]:
        """Numeric host and port of ``address``, where the transport has them."""
        found = re.fullmatch(r"(?:\[([^\[\]\s]+)\]|([^\[\]:\s]+)):(\d{1,5})", self.address)
        if found is None or not 0 < int(found[3]) <= 65535:
            raise ValueError(f"address {self.address!r:.80} is not HOST:PORT, such as [fe80::1%eth1]:15118")
        return found[1] or found[2], int(found[3])


class PointValue(Section):
    """A point of an instrument and the value that it shall have."""

    instrument: str
    point: str
    value: float


class Watchdog(Section):
    """``[guardian.watchdog]``: the charger's own watchdog, which the guardian kicks."""

    instrument: str = "charger"
    timeout_point: str = "watchdog_timeout"
    kick_point: str = "watchdog_kick"


_CONTACTOR_OPEN = PointValue(instrument="charger", point="contactor_feedback", value=0)


class GuardianSection(Section):
    """``[guardian]``: how long a silence may last, and what the safe state is.

    ``lease_s`` is the longest time without a sign of life of the process that energises. ``watchdog_s = 0``
    says that the charger has no watchdog of its own.
    """

    lease_s: float = Field(ge=0.02, le=SAFE_STATE_WITHIN_S - _SAFE_STATE_TAKES_S)
    watchdog_s: float = Field(default=0.0, ge=0, le=SAFE_STATE_WITHIN_S - 0.02)
    safe_state: Annotated[tuple[PointValue, ...], Field(strict=False, min_length=1)]
    confirm: Annotated[tuple[PointValue, ...], Field(strict=False)] = (_CONTACTOR_OPEN,)
    watchdog: Watchdog = Watchdog()


class TwinSection(Section):
    """``[twin]``: what the twin needs to know; ``control`` and ``pid`` stand in resolved files only."""

    seed: int = Field(default=7, ge=0)
    step_s: float = Field(default=1e-4, gt=0, le=1e-3)
    epoch: str = "2026-01-01T00:00:00Z"
    soc_percent: float = Field(default=70.0, ge=0, le=100)
    ambient_celsius: float = Field(default=25.0, ge=-40, le=60)
    faults: Annotated[tuple[str, ...], Field(strict=False)] = ()
    events: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = ()
    control: str | None = None
    pid: int | None = None


class StationFile(Section):
    """A whole station file, schema 1."""

    schema_version: Literal[1] = Field(alias="schema")
    station: StationSection
    site: Site
    instruments: dict[str, InstrumentEntry]
    gateway: GatewaySection | None = None
    vehicle: VehicleSection | None = None
    logs: dict[str, str] = Field(default_factory=dict)
    guardian: GuardianSection | None = None
    twin: TwinSection | None = None

    @model_validator(mode="after")
    def _check_references(self) -> StationFile:
        if self.guardian is not None:
            named = {a.instrument for a in (*self.guardian.safe_state, *self.guardian.confirm)}
            if self.guardian.watchdog_s > 0:
                named.add(self.guardian.watchdog.instrument)
            if missing := sorted(named - set(self.instruments)):
                raise ValueError(f"[guardian] names instruments that are not listed: {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _check_kind(self) -> StationFile:
        if self.station.kind == "twin":
            if self.twin is None:
                raise ValueError("a station of kind 'twin' needs a section [twin]")
            return self
        if self.twin is not None:
            raise ValueError("a live station has no section [twin]")
        if self.station.clock == "lockstep":
            raise ValueError("a live station runs in real time; clock = 'lockstep' is for the twin")
        if twins := [n for n, e in self.instruments.items() if e.address.startswith("twin:")]:
            raise ValueError(f"a live station has real addresses; twin: stands at {', '.join(twins)}")
        if self.vehicle is not None and "twin:" in (self.vehicle.address[:5], (self.vehicle.pki or "")[:5]):
            raise ValueError("a live station has real addresses; twin: stands in [vehicle]")
        return self
