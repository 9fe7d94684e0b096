"""Samples of a station as a record that can be judged: per unit, with the instruments' uncertainties."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import DeviceError
from v2glab.gridcodes.conformity import Record, Uncertainties

if TYPE_CHECKING:
    from collections.abc import Sequence

    from v2glab.procedures._closing import Approach
    from v2glab.procedures._conformity_sampling import Samples
    from v2glab.procedures._conformity_waveform import Scopes
    from v2glab.signals import Waveform
    from v2glab.station import Site, Station

Array = NDArray[np.float64]
#: The analyser's readings are means over its update interval, a tenth of a second at its fastest; the
#: oscilloscope's values are means over a cycle.
_UPDATE_S = 0.1
_RECTANGLE = math.sqrt(12)
_VOLTS, _AMPS = ("voltage_a", "voltage_b", "voltage_c"), ("current_a", "current_b", "current_c")


def make_record(
    station: Station,
    seen: Samples,
    scopes: Scopes | None,
    said: dict[str, float],
    wave: Waveform | None,
) -> Record:
    """Return the record of one run.

    Parameters
    ----------
    scopes
        Oscilloscopes whose values take the place of the analyser's where it is too slow.
    said
        What the device reports of itself.
    wave
        Recording of the run, where one was asked for.
    """
    site, rows = station.site, seen.analysed
    nominal_v, rated_w, rated_a = site.nominal_voltage_v, site.rated_power_w, site.rated_current_a

    def column(name: str, scale: float) -> Array:
        return np.array([row[name].value for row in rows]) * scale

    volts = np.array([column(n, 1 / nominal_v) for n in _VOLTS]).reshape(3, len(rows))
    amps = np.array([column(n, 1 / rated_a) for n in _AMPS]).reshape(3, len(rows)).mean(axis=0)
    hertz = column("frequency", 1.0)
    for k, (v, f, i) in seen.fine.items():
        volts[:, k], hertz[k] = v / nominal_v, f
        amps[k] = amps[k] if math.isnan(i) else i / rated_a
    return Record(
        np.array(seen.time_s),
        volts,
        hertz,
        column("power", 1 / rated_w),
        column("reactive_power", 1 / rated_w),
        amps,
        np.array(seen.connected),
        _uncertainties(site, seen, scopes, station),
        instrument="analyser",
        certificate=getattr(rows[0]["power"], "certificate", "") if rows else "",
        doubt=seen.doubt or ("" if rows else "no sample was taken"),
        reported=said,
        waveform=wave,
    )


def _uncertainties(site: Site, seen: Samples, scopes: Scopes | None, station: Station) -> Uncertainties:
    def spread(name: str, scale: float) -> float | None:
        known = [u for row in seen.analysed if (u := row[name].uncertainty) is not None]
        return max(known) * scale if known and len(known) == len(seen.analysed) else None

    v, i = spread("voltage_a", 1 / site.nominal_voltage_v), spread("current_a", 1 / site.rated_current_a)
    time_s = _UPDATE_S / _RECTANGLE
    if seen.fine and scopes is not None:
        v = _joined(v, scopes.u_volts, 1 / site.nominal_voltage_v)
        i = _joined(i, scopes.u_amps, 1 / site.rated_current_a) if scopes.has_currents else i
        time_s = 1 / site.nominal_frequency_hz / _RECTANGLE
    gain, zero_a = _clamp_errors(station)
    return Uncertainties(
        v,
        spread("frequency", 1.0),
        spread("power", 1 / site.rated_power_w),
        spread("reactive_power", 1 / site.rated_power_w),
        i,
        time_s=time_s,
        shared=1.0,
        gain=gain,
        zero_pu=None if zero_a is None else zero_a / site.rated_current_a,
    )


def _joined(own: float | None, sample: float | None, scale: float) -> float | None:
    """Return the greater of the analyser's and the oscilloscope's; a sample's counts at the peak."""
    if own is None or sample is None:
        return None
    return max(own, sample * scale / math.sqrt(2))


def _clamp_errors(station: Station) -> tuple[float | None, float | None]:
    """Return standard uncertainties of the clamps' gain (relative) and zero (A), from their certificate."""
    certificate = station.instrument("clamps").certificate if station.has("clamps") else None
    entry = certificate.find("current_a", "A") if certificate else None
    if certificate is None or entry is None:
        return None, None
    zero, _ = certificate.uncertainty("current_a", 0.0, unit="A")
    full, _ = certificate.uncertainty("current_a", 1.0, unit="A")
    return max(full - zero, 0.0), zero


def reported(station: Station, offered: Sequence[str], closing: Approach | None) -> dict[str, float]:
    """Return what the device says of itself over SunSpec, and how the contactor closed."""
    site = station.site
    per_w, per_v = 1 / site.rated_power_w, 1 / site.nominal_voltage_v
    wanted = {
        "701.W": ("p_pu", per_w),
        "701.Var": ("q_pu", per_w),
        "701.Hz": ("f_hz", 1.0),
        "701.LNV": ("v_pu", per_v),
        "702.WMaxRtg": ("p_max_w", 1.0),
        "702.VAMaxRtg": ("s_max_va", 1.0),
        "702.VNomRtg": ("v_nominal_v", 1.0),
        "704.VarSetPct": ("set_q_pu", 0.01),
        "704.WMaxLimPct": ("set_p_limit_pu", 0.01),
    }
    names = [n for n in wanted if n in offered]
    try:
        read: dict[str, Any] = station.instrument("inverter").read(*names) if names else {}
    except DeviceError:
        read = {}
    out = {wanted[point][0]: quantity.value * wanted[point][1] for point, quantity in read.items()}
    return {**out, **_closing(closing)}


def _closing(closing: Approach | None) -> dict[str, float]:
    """Return the differences at the latest closing, in the units of the criteria."""
    if closing is None:
        return {}
    last = closing.windows[-1]
    return {
        "sync_frequency": abs(last.frequency_hz),
        "u_sync_frequency": last.u_frequency_hz,
        "sync_voltage": 100 * abs(last.voltage_pu),
        "u_sync_voltage": 100 * last.u_voltage_pu,
        "sync_phase": math.degrees(abs(last.phase_rad)),
        "u_sync_phase": math.degrees(last.u_phase_rad),
    }
