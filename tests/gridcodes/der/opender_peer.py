"""OpenDER 2.2.0 beside ours: the same settings through the common file, the same inputs at each sample."""

import logging
import math

import numpy as np
import pandas as pd

from v2glab.gridcodes import load_code
from v2glab.gridcodes.der import DerSettings, GridSegment, settings_for, settings_to_common_file, simulate

logging.disable(logging.WARNING)  # it warns about every value that it accepts

STATES = {
    "Trip": 0,
    "Entering Service": 1,
    "Continuous Operation": 2,
    "Mandatory Operation": 3,
    "Permissive Operation": 4,
    "Momentary Cessation": 5,
    "Cease to Energize": 6,
    "Not Defined": 7,
}
# what OpenDER lacks or fixes: switched off, or set to its way
_LIKE_IT = {
    "rules": None,
    "rocof_hz_s": None,
    "phase_jump_deg": None,
    "nameplate": {
        "s_max_va": 100e3, "p_max_w": 100e3, "p_charge_max_w": 100e3, "s_charge_max_va": 100e3,
        "v_nominal_v": 240.0, "applicable_voltage": "phase and line", "current_max_pu": 1.2,
        "soc_capacity_wh": None,
    },
    "restore": {"ramp_s": 0.0},
    "momentary_cessation": {"response_s": 0.0},
    "p_limit": {"response_s": 15.0},
    "constant_pf": {"olrt_s": 5.0},
    "constant_q": {"olrt_s": 5.0},
    "watt_var": {"olrt_s": 5.0},
    "enter_service": {"delay_s": 1.0, "ramp_s": 5.0},
}  # fmt: skip


def like_opender(category: str, normal: str = "B", **changes) -> DerSettings:
    """Return settings that both models know."""
    plate = dict(_LIKE_IT["nameplate"])
    absorb = 25e3 if normal == "A" else 44e3
    plate |= {"q_inject_max_var": 44e3, "q_absorb_max_var": absorb}
    settings = settings_for(load_code("ieee1547-2018"), category, normal_category=normal)
    settings = settings.with_(**{**_LIKE_IT, "nameplate": plate})
    trips = changes.pop("trips", {})
    for name, change in trips.items():
        settings = settings.with_trip(name, **change)
    return settings.with_(**changes)


def parameters(settings: DerSettings) -> dict:
    """Return OpenDER's keyword arguments."""
    values = {k.removesuffix("-AS"): v for k, v in settings_to_common_file(settings).items()}
    for name in ("PF_MODE_ENABLE", "MC_ENABLE", "DVS_MODE_ENABLE"):
        values[name] = values[name] == "ENABLED"
    return values


def run_opender(settings, timeline, step_s, changes=()):
    """Run OpenDER over the inputs of ``timeline`` (a frame of ours); ``changes`` are (time, settings)."""
    from opender import DER, DER_BESS

    DER.t_s = step_s
    peer = DER_BESS(**parameters(settings))
    waiting = list(changes)
    rows = []
    for r in timeline.itertuples():
        while waiting and waiting[0][0] <= r.time_s + 1e-9:
            for name, value in parameters(waiting.pop(0)[1]).items():
                setattr(peer.der_file, name, value)
        one = settings.nameplate.phases == 1
        v = r.v_a_pu if one else [r.v_a_pu, r.v_b_pu, r.v_c_pu]
        theta = None if one else [math.radians(a) for a in (0.0, -120.0, 120.0)]
        peer.update_der_input(v_pu=v, theta=theta, f=r.f_hz, p_dem_pu=r.p_demand_pu)
        peer.run()
        rows.append((peer.p_out_pu, peer.q_out_pu, STATES[peer.der_status], peer.bess_soc))
    return pd.DataFrame(rows, columns=["p_pu", "q_pu", "status", "soc"])


def both(settings, segments, step_s, changes=()):
    """Return ours in the compatibility discretisation, and OpenDER's."""
    from v2glab.gridcodes.der import SettingsChange

    duration = sum(s.duration_s for s in segments)
    ours = simulate(
        settings, segments, duration_s=duration, step_s=step_s, compatibility="opender",
        changes=[SettingsChange(t, s) for t, s in changes],
    )  # fmt: skip
    return ours, run_opender(settings, ours, step_s, changes)


def worst(ours, peer):
    """Return the greatest difference of P and of Q, and how many samples differ in state."""
    return (
        float(np.max(np.abs(ours.p_pu - peer.p_pu))),
        float(np.max(np.abs(ours.q_pu - peer.q_pu))),
        int(np.sum(ours.status.to_numpy() != peer.status.to_numpy())),
    )


__all__ = ["STATES", "GridSegment", "both", "like_opender", "parameters", "run_opender", "worst"]
