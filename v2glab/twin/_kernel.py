"""The plant, one step after the other.

Phasors where time constants are long against a cycle, waveforms where instruments look. Power is positive
towards the grid; the charger's side of the contactor is called the inverter.
"""

from __future__ import annotations

from v2glab.twin._jit import Array, jit_entry
from v2glab.twin._kernel_device import currents, support
from v2glab.twin._kernel_energy import settle_energy, watch_heat
from v2glab.twin._kernel_grid import contactor, grid, phase_sample, root_mean_squares
from v2glab.twin._physics import P, X


@jit_entry
def advance(x: Array, c: Array, p: Array, der: Array, ring: Array, steps: int, window: int) -> None:
    """Advance the plant by whole steps.

    Parameters
    ----------
    x, c, p
        State, commands and constants; places in :mod:`v2glab.twin._physics`. ``x`` is changed in place.
    der
        Memory of the device's grid-support functions, as ``Der.memory``; changed in place.
    ring
        Waveforms, shape (9, size), newest sample at ``(WRITTEN − 1) mod size``.
    window
        Samples in one nominal cycle, for the RMS; smaller than ``size``.
    """
    size = ring.shape[1]
    for _ in range(steps):
        x[X.TIME_S] += p[P.STEP_S]
        grid(x, c, p)
        contactor(x, c, p, der)
        place = int(x[X.WRITTEN]) % size
        for k in range(3):
            phase_sample(x, c, p, k, ring, place)
        x[X.WRITTEN] += 1.0
        root_mean_squares(x, ring, place, window)
        support(x, c, p, der)
        watch_heat(x, c)
        currents(x, c, p, der)
        x[X.INRUSH_PEAK] *= 1.0 - p[P.STEP_S] / p[P.INRUSH_TAU_S]
        if x[X.INRUSH_PEAK] < 1e-3:
            x[X.INRUSH_PEAK] = 0.0
        settle_energy(x, c, p)
