"""Waveform in, numbers out: frequency, phase, RMS, harmonics, symmetrical components, events."""

from v2glab.signals._dc_injection import dc_injection
from v2glab.signals._distortion import CurrentDistortion, band_limits, current_distortion
from v2glab.signals._events import VoltageEvent, find_events
from v2glab.signals._flicker import FlickerSensation, flicker_sensation, flicker_severity
from v2glab.signals._flicker_statistics import long_term_severity, short_term_severity
from v2glab.signals._fundamental import FundamentalFit, fit_fundamental
from v2glab.signals._harmonics import HarmonicSpectrum, harmonics, resample_cycles
from v2glab.signals._overvoltage import fundamental_overvoltage, time_above
from v2glab.signals._phase import (
    FrequencySeries,
    PhaseDifference,
    SymmetricalComponents,
    frequency_series,
    phase_difference,
    symmetrical_components,
    wrap_phase,
)
from v2glab.signals._rms import RmsSeries, rms_per_cycle
from v2glab.signals._voltage_change import rapid_voltage_change
from v2glab.signals._waveform import Waveform

__all__ = [
    "CurrentDistortion",
    "FlickerSensation",
    "FrequencySeries",
    "FundamentalFit",
    "HarmonicSpectrum",
    "PhaseDifference",
    "RmsSeries",
    "SymmetricalComponents",
    "VoltageEvent",
    "Waveform",
    "band_limits",
    "current_distortion",
    "dc_injection",
    "find_events",
    "fit_fundamental",
    "flicker_sensation",
    "flicker_severity",
    "frequency_series",
    "fundamental_overvoltage",
    "harmonics",
    "long_term_severity",
    "phase_difference",
    "rapid_voltage_change",
    "resample_cycles",
    "rms_per_cycle",
    "short_term_severity",
    "symmetrical_components",
    "time_above",
    "wrap_phase",
]
