"""Many plants over a whole timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from v2glab.gridcodes.der._segment import GridSegment, SettingsChange
from v2glab.gridcodes.der._settings import DerSettings

if TYPE_CHECKING:
    import pandas as pd


def simulate(
    settings: DerSettings | Sequence[DerSettings],
    events: pd.DataFrame | Sequence[GridSegment],
    *,
    duration_s: float,
    step_s: float | Sequence[float],
    seed: int = 0,
    initial: Literal["running", "off"] = "running",
    compatibility: Literal["opender"] | None = None,
    changes: Sequence[SettingsChange] = (),
) -> pd.DataFrame:
    """Return what each plant does, one row a device and step, device by device.

    Columns: ``device``, ``time_s``, ``v_a_pu``, ``v_b_pu``, ``v_c_pu``, ``f_hz``, ``p_demand_pu``, ``p_pu``,
    ``q_pu`` (both per unit of rated apparent power), ``status`` (:class:`Status`), ``connected``,
    ``trip_time_s`` (exact time of the latest trip, between steps too; NaN before the first), ``soc``.

    ``events`` as a table has ``time_s`` and any of ``v_pu`` or ``v_a_pu``, ``v_b_pu``, ``v_c_pu``;
    ``angle_a_deg``, ``angle_b_deg``, ``angle_c_deg``; ``f_hz``; ``p_demand_pu``; ``p_limit_pu``;
    ``permit_service``; ``v2g_authorised``; ``device``. Values run straight from row to row; two rows of one
    time are a step at exactly that time. Switches hold from their row on.
    """
    raise NotImplementedError


def stream(
    settings: DerSettings | Sequence[DerSettings],
    events: pd.DataFrame | Sequence[GridSegment],
    *,
    duration_s: float,
    step_s: float | Sequence[float],
    seed: int = 0,
    initial: Literal["running", "off"] = "running",
    compatibility: Literal["opender"] | None = None,
    changes: Sequence[SettingsChange] = (),
    rows: int = 1_000_000,
) -> Iterator[pd.DataFrame]:
    """Yield the same rows in chunks of at most ``rows``, device by device, in bounded memory."""
    raise NotImplementedError
