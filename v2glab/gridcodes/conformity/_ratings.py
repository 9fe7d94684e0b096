"""Rated values of one phase, as waveforms are measured by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from v2glab.gridcodes.der import Nameplate


def rated_phase_v(plate: Nameplate) -> float:
    """Return the nominal RMS voltage of a phase; that of a three-phase plate stands between lines."""
    return plate.v_nominal_v / math.sqrt(plate.phases)


def rated_current_a(plate: Nameplate) -> float:
    """Return the rated RMS current of a phase."""
    return plate.s_max_va / (plate.phases * rated_phase_v(plate))
