"""Bring a station into the safe state through its instruments."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from v2glab.evidence import SafeStateError, V2GError
from v2glab.station._settings import SAFE_STATE_WITHIN_S, GuardianSection, PointValue

if TYPE_CHECKING:
    from v2glab.instruments import Instrument

_POLL_S = 0.005


def reach_safe_state(guardian: GuardianSection, instrument: Callable[[str], Instrument]) -> None:
    """Write every action in order, then wait until the station shows that it is safe.

    Raises
    ------
    SafeStateError
        A point did not get there in time; all others were written nevertheless.
    """
    wrong = []
    for action in guardian.safe_state:
        try:
            instrument(action.instrument).ensure(action.point, action.value, timeout_s=SAFE_STATE_WITHIN_S)
        except V2GError as error:
            wrong.append(f"{action.instrument}.{action.point}: {error.found}")
    wrong += [problem for point in guardian.confirm if (problem := _await(point, instrument))]
    if wrong:
        raise SafeStateError(
            f"safe state not reached: {'; '.join(wrong)}",
            "export off and contactor open",
            "open the contactor by hand and lock it out; run v2glab diagnose",
        )


def _await(point: PointValue, instrument: Callable[[str], Instrument]) -> str:
    """Return what is wrong with a point once the time for it is over; empty when nothing is."""
    end_s = time.monotonic() + SAFE_STATE_WITHIN_S
    while True:
        try:
            found = instrument(point.instrument).read(point.point)[point.point].value
        except V2GError as error:
            return f"{point.instrument}.{point.point}: {error.found}"
        if found == point.value:
            return ""
        if time.monotonic() > end_s:
            return f"{point.instrument}.{point.point} = {found:g}, not {point.value:g}"
        time.sleep(_POLL_S)
