"""Read what rules look at from an open station; an instrument that does not answer is named, not fatal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np

from v2glab.evidence import DeviceError, InputError, LimitError, Quantity
from v2glab.signals import Waveform, fit_fundamental

if TYPE_CHECKING:
    from v2glab.instruments import Certificate, Oscilloscope
    from v2glab.procedures._procedure import Sample
    from v2glab.station import Station

POINTS = {
    "charger": (
        "contactor_command",
        "contactor_feedback",
        "inverter_run",
        "fault_code",
        "export_enable",
        "soc",
        "soc_discharge_limit",
        "derating",
        "heatsink_temperature",
        "max_temperature",
        "pp_resistance",
        "cp_voltage",
    ),
    "heatsink": ("heatsink", "ambient"),
    "meter": ("frequency", "power"),
    "analyser": ("frequency", "power"),
}
_PHASES, _INVERTER = ("a", "b", "c"), "inverter_a"
_FAILURES = (DeviceError, InputError, LimitError)


class Reader:
    """Collects readings in order of time; ``missing`` says why an instrument gave none."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.readings: list[Quantity] = []
        self.missing: dict[str, str] = {}
        self.failure: DeviceError | None = None

    def read(self) -> None:
        """Read every point that rules look at and the station has, each instrument at one time."""
        for name, wanted in POINTS.items():
            if not self._station.has(name):
                self.missing[name] = "the station has none"
                continue
            try:
                instrument = self._station.instrument(name)
                points = [p for p in wanted if p in instrument.points()]
                if points:
                    self.readings.extend(instrument.read(*points).values())
                else:
                    self.missing[name] = f"it shows none of {', '.join(wanted)}"
            except _FAILURES as error:
                self._note(name, error)

    def watch(self, duration_s: float, window_s: float, progress: Callable[[Sample], None]) -> None:
        """Let time pass and measure the frequency of each window; the inverter's side in the last one.

        Without an oscilloscope, analyser and meter are read instead.
        """
        count = max(3, math.ceil(duration_s / window_s))
        start_ns = self._station.clock.now_ns()
        if not self._station.has("scope"):
            self.missing["scope"] = "the station has none"
        for _ in range(count):
            self._station.clock.sleep(window_s)
            if "scope" in self.missing:
                self.read()
            else:
                self._capture(window_s)
            progress({"time_s": (self._station.clock.now_ns() - start_ns) * 1e-9})

    def _capture(self, window_s: float) -> None:
        try:
            scope = cast("Oscilloscope", self._station.instrument("scope"))
            profile = getattr(scope, "profile", None)
            known = [c for c in (*_PHASES, _INVERTER) if c in getattr(profile, "channels", ())]
            waveform = scope.capture(window_s, known)
            phases = [c for c in known if c != _INVERTER]
            nominal_hz = self._station.site.nominal_frequency_hz
            self.readings.append(_frequency(waveform.select(*phases), nominal_hz, scope.certificate))
            if _INVERTER in known:
                self.readings.append(_inverter_side(waveform, scope.certificate))
        except _FAILURES as error:
            self._note("scope", error)

    def _note(self, name: str, error: DeviceError | InputError | LimitError) -> None:
        self.missing[name] = error.found
        if isinstance(error, DeviceError):
            self.failure = error


def _frequency(waveform: Waveform, nominal_hz: float, certificate: Certificate | None) -> Quantity:
    """Fit one window; the time base by certificate joins the scatter of the fit."""
    fit = fit_fundamental(waveform.samples, waveform.rate_hz, nominal_hz)
    spread, reason = None, "no certificate for the time base of the oscilloscope"
    if certificate is not None and certificate.find("sample_rate", "1/s") is not None:
        u_rate, _ = certificate.uncertainty("sample_rate", waveform.rate_hz, unit="1/s")
        spread = math.hypot(fit.u_frequency_hz, fit.frequency_hz * u_rate / waveform.rate_hz)
        reason = ""
    return _by_scope("grid_frequency", fit.frequency_hz, "Hz", spread, reason, waveform, certificate)


def _inverter_side(waveform: Waveform, certificate: Certificate | None) -> Quantity:
    """Return the RMS of the inverter's side of phase a."""
    samples = waveform.channel(_INVERTER)
    spread = waveform.uncertainty[waveform.names.index(_INVERTER)]
    reason = "" if spread is not None else "no certificate for the voltage of the oscilloscope"
    rms_v = float(np.sqrt(np.mean(samples**2)))
    return _by_scope("inverter_side_voltage", rms_v, "V", spread, reason, waveform, certificate)


def _by_scope(
    name: str,
    value: float,
    unit: str,
    spread: float | None,
    reason: str,
    waveform: Waveform,
    certificate: Certificate | None,
) -> Quantity:
    middle_ns = waveform.start_ns + round(0.5e9 * waveform.duration_s)
    return Quantity(
        name,
        value,
        unit,
        spread,
        reason,
        time_ns=middle_ns,
        instrument="scope",
        certificate=certificate.id if certificate is not None else "",
    )
