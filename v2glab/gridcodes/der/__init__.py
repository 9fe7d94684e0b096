"""Reference model of a bidirectional plant: settings, whole timelines, and one step at a time.

Kernels are compiled on first use, so importing this package stays light.
"""

from v2glab.gridcodes.der._bounds import SettingRange
from v2glab.gridcodes.der._build import assumed_settings, settings_for
from v2glab.gridcodes.der._common_file import (
    common_file_text,
    settings_from_common_file,
    settings_to_common_file,
)
from v2glab.gridcodes.der._der import Der
from v2glab.gridcodes.der._model_data import Assumed
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
from v2glab.gridcodes.der._sunspec import from_sunspec, to_sunspec

__all__ = [
    "Assumed",
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
    "SettingRange",
    "SettingsChange",
    "SocLimits",
    "Status",
    "TripCurve",
    "VoltVar",
    "VoltWatt",
    "WattVar",
    "assumed_settings",
    "common_file_text",
    "from_sunspec",
    "parse_settings",
    "settings_for",
    "settings_from_common_file",
    "settings_to_common_file",
    "simulate",
    "stream",
    "to_sunspec",
]
