"""Settings of a plant: frozen, validated, changed only by making a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from v2glab.evidence import InputError
from v2glab.gridcodes._values import Frozen
from v2glab.gridcodes.der._bounds import SettingRange
from v2glab.gridcodes.der._checks import check_settings
from v2glab.gridcodes.der._parts import (
    ConsecutiveDisturbances,
    ConstantPf,
    ConstantQ,
    Droop,
    DynamicVoltageSupport,
    EnterService,
    MomentaryCessation,
    Nameplate,
    PowerLimit,
    Restore,
    RideThrough,
    SocLimits,
    TripCurve,
    VoltVar,
    VoltWatt,
    WattVar,
)
from v2glab.gridcodes.der._paths import still_unknown


class DerSettings(Frozen):
    """All settings of one bidirectional plant.

    ``rules`` names the grid code and ``ranges`` are its ranges; with ``rules`` of ``None`` they do not count
    and only physics does, which is what a deliberately faulty device needs. ``unknown`` lists the settings,
    by dotted path, for which the code has no figure: they stand without effect, and what depends on them
    cannot be enabled until they are given. ``rocof_hz_s`` and ``phase_jump_deg`` are what the plant
    withstands before it trips; ``None`` means that it withstands any.

    Raises
    ------
    InputError
        A setting is outside its range or a curve does not rise where it must; the message names the
        setting, the clause and the remedy.
    """

    rules: str | None
    ranges: tuple[SettingRange, ...] = ()
    unknown: tuple[str, ...] = ()
    nameplate: Nameplate
    enter_service: EnterService
    trips: tuple[TripCurve, ...]
    ride_through: RideThrough
    momentary_cessation: MomentaryCessation
    restore: Restore
    consecutive_disturbances: ConsecutiveDisturbances
    rocof_hz_s: float | None = Field(gt=0)
    phase_jump_deg: float | None = Field(gt=0, le=180)
    rocof_window_s: float = Field(gt=0)
    droop: Droop
    volt_var: VoltVar
    watt_var: WattVar
    volt_watt: VoltWatt
    constant_pf: ConstantPf
    constant_q: ConstantQ
    p_limit: PowerLimit
    priority: Literal["active", "reactive"]
    dynamic_voltage_support: DynamicVoltageSupport
    soc: SocLimits
    execution_delay_s: float = Field(ge=0)
    mode_transition_s: float = Field(ge=0)
    v2g_authorised: bool = True

    @model_validator(mode="after")
    def _check(self) -> DerSettings:
        check_settings(self)
        return self

    def with_(self, **changes: object) -> DerSettings:
        """Return a copy with changes: ``settings.with_(volt_var={"enabled": True}, priority="active")``.

        A mapping changes members of a group; anything else replaces the whole. A setting that is given is
        no longer unknown.

        Raises
        ------
        InputError
            A name is unknown, or a value does not fit.
        """
        document, given = self.model_dump(), set()
        for name, change in changes.items():
            if isinstance(change, Mapping) and isinstance(document.get(name), dict):
                document[name] = document[name] | dict(change)
                given |= {f"{name}.{member}" for member in change}
            else:
                whole = change.model_dump() if isinstance(change, Frozen) else change
                given |= {
                    name,
                    *(f"{name}.{member}" for member in (whole if isinstance(whole, dict) else ())),
                }
                document[name] = whole
        if "unknown" not in changes:
            document["unknown"] = still_unknown(document, given)
        return parse_settings(document)

    def with_trip(self, name: str, **changes: object) -> DerSettings:
        """Return a copy in which one trip curve is changed: ``settings.with_trip("uv1", time_s=10.0)``.

        Raises
        ------
        InputError
            There is no curve of that name, or a value does not fit.
        """
        known = [trip.name for trip in self.trips]
        if name not in known:
            raise InputError(f"trip {name!r}", f"one of: {', '.join(known)}", "choose one of those")
        trips = [t.model_dump() | (changes if t.name == name else {}) for t in self.trips]
        return self.with_(trips=trips, unknown=self.unknown)


def parse_settings(document: Mapping[str, Any]) -> DerSettings:
    """Build settings from plain data, as read from a file.

    Raises
    ------
    InputError
        A name is unknown or missing, or a value does not fit.
    """
    try:
        return DerSettings.model_validate(dict(document))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "settings"
        raise InputError(
            f"{where} = {first.get('input')!r:.80}: {first['msg']}",
            "a setting of this model",
            f"mend {where}",
        ) from error
