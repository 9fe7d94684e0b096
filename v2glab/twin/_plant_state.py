"""What can be seen of the plant at one moment."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.twin._physics import C, R, X
from v2glab.twin._settings import PlantSettings

RING_SIZE = 1 << 15
PP_OHM, WORN_PP_OHM = 100.0, 165.0
#: Window of the RMS that instruments show (IEC 61000-4-30, 4.2).
_WINDOW_S = 0.2
Array = NDArray[np.float64]


@dataclass(frozen=True)
class PlantState:
    """What instruments can see at one moment; units in the names, export positive."""

    time_ns: int
    grid_frequency_hz: float
    voltage_v: tuple[float, float, float]
    current_a: tuple[float, float, float]
    power_w: float
    reactive_power_var: float
    energy_export_wh: float
    energy_import_wh: float
    contactor_commanded: bool
    contactor_closed: bool
    inverter_running: bool
    inverter_frequency_hz: float
    inverter_voltage_v: float
    power_setpoint_w: float
    frequency_trim_hz: float
    voltage_setpoint_v: float
    export_enable: bool
    soc_percent: float
    soc_discharge_limit_percent: float
    derating_percent: float
    dc_voltage_v: float
    dc_current_a: float
    heatsink_celsius: float
    connector_celsius: float
    ambient_celsius: float
    junction_celsius: float
    max_temperature_celsius: float
    pp_ohm: float
    cp_voltage_v: float
    cp_duty_percent: float
    fault_code: int
    evse_state: int
    watchdog_timeout_s: float
    automatic_start: bool
    discharge_authorised: bool


def snapshot(
    time_ns: int,
    settings: PlantSettings,
    x: Array,
    c: Array,
    ring: Array,
    faults: Collection[str],
    watchdog_timeout_s: float,
) -> PlantState:
    """Return the state out of the kernel's numbers.

    Parameters
    ----------
    x, c, ring
        State, commands and waveforms of the kernel.
    faults
        Fault switches that are on.
    """
    closed, automatic = bool(x[X.CONTACTOR_CLOSED] > 0.5), bool(c[C.AUTOMATIC] > 0.5)
    runs = bool(c[C.RUN] > 0.5) or automatic
    amps = math.copysign(x[X.CURRENT_RMS], x[X.CURRENT_PEAK]) if closed else 0.0
    inrush = x[X.INRUSH_PEAK] / math.sqrt(2) if closed else 0.0
    own_hz = settings.nominal_frequency_hz + c[C.TRIM_HZ]
    own_v = float(np.mean(x[X.RMS_A : X.RMS_C + 1]) if closed else c[C.INVERTER_V])
    fault, power_w = int(x[X.FAULT]), float(c[C.POWER_W])
    return PlantState(
        time_ns=time_ns,
        grid_frequency_hz=float(x[X.MEASURED_HZ]),
        voltage_v=_rms_voltages(x, ring, settings.step_s),
        current_a=(float(math.copysign(math.hypot(amps, inrush), amps)),) * 3,
        power_w=float(x[X.POWER_W]),
        reactive_power_var=float(x[X.REACTIVE_VAR]),
        energy_export_wh=float(x[X.ENERGY_EXPORT_WH]),
        energy_import_wh=float(x[X.ENERGY_IMPORT_WH]),
        contactor_commanded=bool(c[C.CONTACTOR] > 0.5) or automatic,
        contactor_closed=closed,
        inverter_running=runs,
        inverter_frequency_hz=float(x[X.MEASURED_HZ] if closed else own_hz) if runs else 0.0,
        inverter_voltage_v=own_v if runs else 0.0,
        power_setpoint_w=power_w,
        frequency_trim_hz=float(c[C.TRIM_HZ]),
        voltage_setpoint_v=float(c[C.INVERTER_V]),
        export_enable=bool(c[C.EXPORT_ENABLE] > 0.5),
        soc_percent=100 * float(x[X.SOC]),
        soc_discharge_limit_percent=100 * float(c[C.SOC_LIMIT]),
        derating_percent=100 * float(x[X.DERATING_PU]),
        dc_voltage_v=float(x[X.DC_VOLTAGE]),
        dc_current_a=float(x[X.DC_CURRENT]),
        heatsink_celsius=float(x[X.SINK_C]),
        connector_celsius=float(x[X.CONNECTOR_C]),
        ambient_celsius=float(c[C.AMBIENT_C]),
        junction_celsius=float(x[X.JUNCTION_C]),
        max_temperature_celsius=float(c[C.MAX_C]),
        pp_ohm=WORN_PP_OHM if "worn_connector" in faults else PP_OHM,
        cp_voltage_v=6.0 if runs else 9.0,
        cp_duty_percent=5.0,
        fault_code=fault,
        evse_state=_evse_state(fault, closed, runs, power_w),
        watchdog_timeout_s=watchdog_timeout_s,
        automatic_start=automatic,
        discharge_authorised=bool(c[C.AUTHORISED] > 0.5),
    )


def _rms_voltages(x: Array, ring: Array, step_s: float) -> tuple[float, float, float]:
    count = round(_WINDOW_S / step_s)
    last = int(x[X.WRITTEN]) % RING_SIZE
    parts = [(last - count, last)] if last >= count else [(0, last), (RING_SIZE - count + last, RING_SIZE)]
    a, b, c = (
        math.sqrt(sum(float(np.dot(row[i:j], row[i:j])) for i, j in parts) / count)
        for row in ring[R.GRID_A : R.GRID_C + 1]
    )
    return a, b, c


def _evse_state(fault: int, closed: bool, runs: bool, power_w: float) -> int:
    """Return the state register: 1 connected, 2 synchronising, 3 charging, 4 exporting, 5 fault."""
    if fault:
        return 5
    if closed and power_w:
        return 4 if power_w > 0 else 3
    return 2 if runs and not closed else 1
