"""Waveform in, numbers out: frequency, phase, RMS, harmonics, symmetrical components, events."""

from v2glab.signals._waveform import Waveform

__all__ = ["Waveform"]
