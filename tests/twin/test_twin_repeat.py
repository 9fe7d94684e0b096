"""One seed, one record; and the compiled kernel does what plain Python does."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from v2glab.twin import GridEvent, Plant, PlantSettings

_PROGRAM = """
import hashlib, sys
import numpy as np
from v2glab.twin import GridEvent, Plant, PlantSettings
import v2glab.twin._plant as plant_module
plant_module.SETTLE_STEPS = 500  # plain Python is slow
start_ns = PlantSettings().epoch_ns + 20_000_000
plant = Plant(PlantSettings(seed=3), [GridEvent(start_ns, 0.01, (0.4, 1.0, 1.0), 61.0)])
plant.command("inverter_run", 1)
plant.command("contactor_command", 1)
plant.command("power_setpoint", 9000)
plant.advance(0.05)
np.save(sys.argv[1], np.concatenate([plant._x, plant._ring[:, :1200].ravel()]))
"""


def _record(seed: int) -> str:
    """Return a hash of everything that a record of this plant could hold."""
    plant = Plant(PlantSettings(seed=seed))
    plant.schedule(GridEvent(plant.time_ns + 100_000_000, 0.2, (0.6, 0.9, 1.0), 60.4))
    plant.command("inverter_run", 1)
    plant.advance(0.5)
    digest = hashlib.sha256(repr(plant.state).encode())
    digest.update(plant.waveform(("a", "b", "c", "inverter_a", "current_a"), 5000).tobytes())
    return digest.hexdigest()


def test_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    assert _record(7) == _record(7)
    assert _record(7) != _record(8)


def test_how_time_is_cut_into_pieces_does_not_matter() -> None:
    one, many = Plant(), Plant()
    one.advance(0.5)
    for _ in range(50):
        many.advance(0.01)
    assert one.state == many.state


def test_plain_python_is_the_reference_of_the_compiled_kernel(tmp_path) -> None:
    import numpy as np

    records = []
    for disabled in ("0", "1"):
        target = tmp_path / f"{disabled}.npy"
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled}
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(target)], env=environment, check=True, timeout=120
        )
        records.append(np.load(target))
    assert records[0] == pytest.approx(records[1], rel=1e-9, abs=1e-9)
    assert np.abs(records[0]).max() > 100  # something was there to compare
