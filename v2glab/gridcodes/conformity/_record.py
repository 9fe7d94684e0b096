"""What a bench saw: samples with declared uncertainties, checked before they are judged."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError

if TYPE_CHECKING:
    from v2glab.signals import Waveform

Array = NDArray[np.float64]
CHANNELS = ("v_pu", "f_hz", "p_pu", "q_pu", "i_pu", "connected")


@dataclass(frozen=True, slots=True)
class Uncertainties:
    """Standard uncertainties of one sample, and of time stamps; ``None``: not known.

    ``shared`` is the part (0 to 1, of the variance) that all samples have in common: it does not average out.
    ``gain`` (relative) and ``zero_pu`` (share of rated current) belong to waveforms: what all samples of a
    channel have in common, beside the uncertainty of a single sample that the waveform itself states.
    """

    v_pu: float | None = 0.0005
    f_hz: float | None = 0.001
    p_pu: float | None = 0.002
    q_pu: float | None = 0.002
    i_pu: float | None = 0.002
    time_s: float | None = 0.001
    shared: float = 0.5
    gain: float | None = None
    zero_pu: float | None = None

    def __post_init__(self) -> None:
        values = [self.v_pu, self.f_hz, self.p_pu, self.q_pu, self.i_pu, self.time_s, self.gain, self.zero_pu]
        good = all(v is None or (math.isfinite(v) and v >= 0) for v in values) and 0 <= self.shared <= 1
        if not good:
            raise InputError(f"{self}", "uncertainties >= 0, shared 0 to 1", "check the certificate")


@dataclass(frozen=True, eq=False)
class Record:
    """Samples of one run.

    Parameters
    ----------
    time_s
        Shape (K,), seconds since the stimulus began.
    v_pu
        Shape (3, K), RMS of phases a, b, c.
    f_hz, p_pu, q_pu, i_pu
        Shape (K,); frequency, active power (export positive), reactive power (injection positive), current.
    connected
        Shape (K,), 1 while the plant is connected, 0 when it has tripped.
    uncertainties, instrument, certificate
        Of the instrument that measured.
    doubt
        Why nothing can be decided from this record; empty when all is well.
    reported
        What the plant itself reports, by name, for interoperability.
    waveform
        Voltages and currents as samples, where the bench has them.
    alike
        Why a longer recording would only repeat this one; empty where it might not, as on any real device.
    """

    time_s: Array
    v_pu: Array
    f_hz: Array
    p_pu: Array
    q_pu: Array
    i_pu: Array
    connected: Array
    uncertainties: Uncertainties = field(default_factory=Uncertainties)
    instrument: str = ""
    certificate: str = ""
    doubt: str = ""
    reported: dict[str, float] = field(default_factory=dict)
    waveform: Waveform | None = None
    alike: str = ""

    def with_doubt(self, doubt: str) -> Record:
        """Return the record marked as undecidable, unless it is already."""
        return self if self.doubt or not doubt else replace(self, doubt=doubt)


def checked(record: Record, duration_s: float) -> Record:
    """Return the record with a doubt when its samples cannot be trusted.

    Parameters
    ----------
    duration_s
        Length that the record shall have.
    """
    return record.with_doubt(record.doubt or _shape_doubt(record) or _value_doubt(record, duration_s))


def _shape_doubt(record: Record) -> str:
    count = record.time_s.shape
    if len(count) != 1 or count[0] < 2:
        return f"{count} samples, at least two are needed: check that the instrument is sampling"
    if record.v_pu.shape != (3, *count):
        return f"voltages of shape {record.v_pu.shape}: a phase is missing; measure all three"
    for name in CHANNELS[1:]:
        if getattr(record, name).shape != count:
            return f"{name} has shape {getattr(record, name).shape}, time has {count}: record both together"
    return ""


def _value_doubt(record: Record, duration_s: float) -> str:
    time = record.time_s
    steps = time[1:] - time[:-1]
    if not math.isfinite(float(steps.sum())) or bool((steps <= 0).any()):
        return "the clock stood still or ran backwards: set the instrument's clock before the test, not in it"
    for name in CHANNELS:
        values = getattr(record, name)
        if not math.isfinite(float(values.sum())):  # any NaN or infinity shows in the sum
            bad = ~np.isfinite(values if values.ndim == 1 else values.sum(axis=0))
            since = float(time[int(np.argmax(bad))])
            return f"{name} is missing from {since:.6g} s on: check that input, and repeat the test"
    spacing = float(steps.max())
    if time[-1] < duration_s - 2 * spacing - 1e-9:
        return (
            f"the samples end at {time[-1]:.6g} s of {duration_s:.6g} s: the device or instrument fell "
            "silent; check cable and supply, and repeat the test"
        )
    return ""
