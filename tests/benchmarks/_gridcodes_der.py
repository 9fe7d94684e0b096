"""Rows der-steps, der-step-call, trip-error and der-memory: the reference model beside OpenDER."""

import logging
import time
from collections.abc import Iterator

import numpy as np
from _fresh import peak_bytes, run_fresh

from v2glab.gridcodes import load_code
from v2glab.gridcodes.der import Der, DerSettings, GridSegment, settings_for, simulate, stream

_DEVICES = 100
_STEP_S = 0.01
_MODES = ("volt_var", "watt_var", "constant_pf", "constant_q")


def _all_on(mode: str) -> DerSettings:
    """Settings with every function on; the four reactive modes exclude each other."""
    base = settings_for(load_code("ieee1547-2018"), "III")
    reactive = {mode: {"enabled": True}}
    return base.with_(
        volt_watt={"enabled": True, "charge_enabled": True},
        p_limit={"enabled": True, "limit_pu": 0.9},
        dynamic_voltage_support={"enabled": True},
        consecutive_disturbances={"enabled": True},
        nameplate={"soc_capacity_wh": 600e3, "inverter_delay_s": 0.05},
        momentary_cessation={"response_s": 0.02},
        **reactive,
    )


def _day(seconds: float) -> list[GridSegment]:
    """A grid that is calm, drifts, sags, swells and leaves the frequency band."""
    part = seconds / 10.0
    return [
        GridSegment(3 * part, v_pu=1.0, v_end_pu=1.05, p_demand_pu=0.4, p_demand_end_pu=0.9),
        GridSegment(part, v_pu=1.05, f_end_hz=60.4, p_demand_pu=0.9),
        GridSegment(2 * part, v_pu=(1.05, 1.03, 1.07), f_hz=60.4, p_demand_pu=0.6),
        GridSegment(0.3, v_pu=0.7, p_demand_pu=0.6),
        GridSegment(2 * part, v_pu=1.0, v_end_pu=0.95, p_demand_pu=0.6, p_demand_end_pu=-0.8),
        GridSegment(2 * part - 0.3, v_pu=0.95, f_hz=59.7, p_demand_pu=-0.8),
    ]


def _ours(steps: int) -> float:
    seconds = steps * _STEP_S
    plants = [_all_on(_MODES[d % len(_MODES)]) for d in range(_DEVICES)]
    best = 0.0
    for _ in range(4):
        began = time.perf_counter()
        frame = simulate(plants, _day(seconds), duration_s=seconds, step_s=_STEP_S)
        best = max(best, len(frame) / (time.perf_counter() - began))
    return best


def _opender(steps: int) -> float:
    """Steps a second of one OpenDER device with the same functions, over the same day."""
    from opender import DER, DER_BESS

    logging.disable(logging.WARNING)
    DER.t_s = _STEP_S
    day = simulate(_all_on("volt_var"), _day(steps * _STEP_S), duration_s=steps * _STEP_S, step_s=_STEP_S)
    volts = day[["v_a_pu", "v_b_pu", "v_c_pu"]].to_numpy().tolist()
    hertz, demand = day.f_hz.tolist(), day.p_demand_pu.tolist()
    best = 0.0
    for n in range(4):
        peer = DER_BESS(
            NP_BESS_CAPACITY=5.45e6, AP_LIMIT_ENABLE=True, AP_LIMIT=0.9, PV_MODE_ENABLE=True,
            DVS_MODE_ENABLE=True, NP_INV_DELAY=0.05,
            **{f"{('QV', 'QP', 'CONST_PF', 'CONST_Q')[n]}_MODE_ENABLE": True},
        )  # fmt: skip
        began = time.perf_counter()
        for v, f, p in zip(volts, hertz, demand, strict=True):
            peer.update_der_input(v_pu=v, f=f, p_dem_pu=p)
            peer.run()
        best = max(best, steps / (time.perf_counter() - began))
    return best


def measure_steps() -> Iterator[dict]:
    """Device-steps a second through the public front, frame included."""
    _ours(1000)
    ours, peer = _ours(20_000), _opender(4000)
    yield _row("der-steps", ours, "1/s", f"opender 2.2.0: {peer:.0f} steps/s", ours / peer)


def measure_call() -> Iterator[dict]:
    """Time of one step called from Python."""
    der = Der(_all_on("volt_var"), step_s=0.001)
    step, clock, taken = der.step, time.perf_counter_ns, np.empty(200_000, np.int64)
    for i in range(len(taken)):
        began = clock()
        step(1.01, 1.0, 0.99, 60.05, 0.5)
        taken[i] = clock() - began
    p99 = float(np.percentile(taken, 99)) * 1e-9
    yield _row("der-step-call", p99, "s", f"median {np.median(taken):.0f} ns; clock included", None)


def measure_trip() -> Iterator[dict]:
    """Greatest error of trip times against closed form, over steps from 0.1 to 50 ms, ramps and steps."""
    settings = settings_for(load_code("ieee1547-2018"), "II").with_(ride_through={"enabled": False})
    worst = 0.0
    for width in (1e-4, 3.7e-4, 1e-3, 2.3e-3, 0.01, 1 / 60, 0.02, 0.05):
        for start in (0.12345, 0.2071, 0.31416):
            step = [GridSegment(start), GridSegment(2.0, v_pu=0.4)]
            ramp = [GridSegment(start), GridSegment(1.0, v_pu=1.0, v_end_pu=0.0), GridSegment(1.0, v_pu=0.0)]
            swing = [
                GridSegment(start),
                GridSegment(1.0, f_hz=60.0, f_end_hz=63.0),
                GridSegment(1.0, f_hz=63.0),
            ]
            slow = settings.with_(rocof_hz_s=None)
            for events, due in ((step, 0.16), (ramp, 0.55 + 0.16), (swing, 2.0 / 3.0 + 0.16)):
                frame = simulate(slow, events, duration_s=start + 1.0, step_s=width)
                worst = max(worst, abs(float(frame.trip_time_s.iloc[-1]) - (start + due)))
    yield _row("trip-error", worst, "s", "closed form", None)


def measure_memory() -> Iterator[dict]:
    """Peak of a fresh process that steps 10,000 devices for 600 s at 10 ms, whole and over its imports."""
    peak, before, rows, took = run_fresh("import _gridcodes_der; _gridcodes_der.step_the_fleet()")
    note = f"of this {before:.3g} B before the first step; {rows:.0f} rows in {took:.0f} s"
    yield _row("der-memory", peak, "B", note, None)


def step_the_fleet() -> None:
    """Print the peak of memory, that before the first step, rows and seconds."""
    before, rows, began = peak_bytes(), 0, time.perf_counter()
    for frame in stream([_all_on("volt_var")] * 10_000, _day(600.0), duration_s=600.0, step_s=_STEP_S):
        rows += len(frame)
    print(peak_bytes(), before, rows, time.perf_counter() - began)


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None) -> dict:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio}
