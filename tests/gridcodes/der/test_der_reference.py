"""The kernel without compilation is its own reference; importing the package stays light."""

import json
import os
import subprocess
import sys

import numpy as np

_PROGRAM = """
import hashlib, json, sys
from v2glab.gridcodes import load_code
from v2glab.gridcodes.der import Der, GridSegment, settings_for, simulate
base = settings_for(load_code("ieee1547-2018"), "III")
plants = [
    base.with_(**{mode: {"enabled": True}}, volt_watt={"enabled": True, "charge_enabled": True},
               p_limit={"enabled": True, "limit_pu": 0.8}, dynamic_voltage_support={"enabled": True},
               consecutive_disturbances={"enabled": True}, nameplate={"inverter_delay_s": 0.05})
    for mode in ("volt_var", "watt_var", "constant_pf", "constant_q")
]
segments = [
    GridSegment(1.0, v_end_pu=1.07, p_demand_pu=0.4, p_demand_end_pu=1.0),
    GridSegment(1.0, v_pu=(1.07, 1.02, 1.09), f_hz=60.0, f_end_hz=61.0, p_demand_pu=1.0),
    GridSegment(0.5, v_pu=(0.8, 0.6, 0.9), f_hz=61.0, p_demand_pu=-1.0),
    GridSegment(0.5, v_pu=0.4, p_demand_pu=-1.0),
    GridSegment(2.0, v_pu=0.93, f_hz=59.3, p_demand_pu=-1.0),
    GridSegment(3.0, v_pu=0.3, p_demand_pu=-1.0),
]
rows = []
for way in (None, "opender"):
    frame = simulate(plants, segments, duration_s=8.0, step_s=0.02, compatibility=way)
    rows += frame[["p_pu", "q_pu", "soc"]].to_numpy().ravel().tolist() + frame.status.tolist()
    rows += frame.trip_time_s.fillna(-1.0).tolist()
der = Der(plants[0], step_s=0.02)
rows += [v for i in range(50) for v in der.step(1.0 - 0.01 * i, 1.0, 1.01, 60.0, 0.5)]
print(json.dumps(rows))
"""


def _rows(disabled: str) -> np.ndarray:
    environment = os.environ | {"NUMBA_DISABLE_JIT": disabled}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=150,
    )
    return np.array(json.loads(done.stdout))


def test_compiled_is_plain_python():
    plain, compiled = _rows("1"), _rows("0")
    assert len(plain) > 10_000
    np.testing.assert_allclose(compiled, plain, rtol=0.0, atol=1e-12)


def test_machine_code_on_disk_holds_for_these_sources_only():
    """Numba's own stamp looks at one file; the digest of all must stand in every name."""
    from v2glab.compiled import sources_digest
    from v2glab.gridcodes.der import _kernel, _timers

    for function in (_kernel.run, _kernel.step, _kernel.sample, _timers.stretch, _timers.beyond):
        assert sources_digest("gridcodes/der") in function._cache._cache_file._index_name


def test_import_compiles_nothing():
    program = "import sys, v2glab.gridcodes.der; print([m for m in ('numba', 'pandas') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
