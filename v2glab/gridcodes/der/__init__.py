"""Reference model of a bidirectional plant: settings, whole timelines, and one step at a time.

Kernels are compiled on first use, so importing this package stays light.
"""

from v2glab.gridcodes.der._build import settings_for
from v2glab.gridcodes.der._der import Der
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
    RideThroughRegion,
    SocLimits,
    TripCurve,
    VoltVar,
    VoltWatt,
    WattVar,
)
from v2glab.gridcodes.der._segment import GridSegment, SettingsChange
from v2glab.gridcodes.der._settings import DerSettings, parse_settings
from v2glab.gridcodes.der._simulate import simulate, stream
from v2glab.gridcodes.der._status import Status

__all__ = [
    "ConsecutiveDisturbances",
    "ConstantPf",
    "ConstantQ",
    "Der",
    "DerSettings",
    "Droop",
    "DynamicVoltageSupport",
    "EnterService",
    "GridSegment",
    "MomentaryCessation",
    "Nameplate",
    "PowerLimit",
    "Restore",
    "RideThrough",
    "RideThroughRegion",
    "SettingsChange",
    "SocLimits",
    "Status",
    "TripCurve",
    "VoltVar",
    "VoltWatt",
    "WattVar",
    "parse_settings",
    "settings_for",
    "simulate",
    "stream",
]
