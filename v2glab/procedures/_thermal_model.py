"""Thermal step response and foldback curve: samples in, parameters with uncertainty out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2glab.control import FOLDBACK_START
from v2glab.evidence import InputError


@dataclass(frozen=True)
class StepResponse:
    """First-order response of the heat sink to constant losses: T(t) = T₀ + rise·(1 − e^(−t/τ)).

    ``rise_k`` is counted from the temperature at the start; both standard uncertainties come from the
    covariance of the fit.
    """

    start_celsius: float
    rise_k: float
    time_constant_s: float
    u_rise_k: float
    u_time_constant_s: float
    residual_k: float


@dataclass(frozen=True)
class FoldbackFit:
    """Straight line through the folded part of the curve.

    ``onset`` and its standard uncertainty are ``None`` when fewer than three points lie on that part, and
    ``largest_deviation`` is when there is no point at all.
    """

    onset: float | None
    u_onset: float | None
    largest_deviation: float | None


def fit_step_response(time_s: Sequence[float], temperature_celsius: Sequence[float]) -> StepResponse:
    """Fit the first-order response by least squares.

    Raises
    ------
    InputError
        Fewer than six samples, or a record that shows no heating.
    """
    from scipy.optimize import curve_fit

    t = np.asarray(time_s, dtype=float)
    temperature = np.asarray(temperature_celsius, dtype=float)
    if t.size < 6 or float(np.ptp(temperature)) < 0.5:
        raise InputError(
            f"{t.size} samples over {float(np.ptp(temperature)) if t.size else 0.0:.2g} K",
            "at least 6 samples and 0.5 K of heating",
            "heat longer or with more power",
        )

    def model(x: np.ndarray, start: float, rise: float, tau: float) -> np.ndarray:
        return np.asarray(start + rise * -np.expm1(-x / tau))

    span = float(t[-1] - t[0])
    guess = (float(temperature[0]), float(temperature[-1] - temperature[0]) * 1.5, span / 2)
    bounds = ([-60.0, -200.0, span / 100], [200.0, 500.0, span * 50])
    best, covariance = curve_fit(model, t - t[0], temperature, p0=guess, bounds=bounds)
    residual = float(np.std(temperature - model(t - t[0], *best), ddof=3))
    u = np.sqrt(np.diag(covariance))
    return StepResponse(float(best[0]), float(best[1]), float(best[2]), float(u[1]), float(u[2]), residual)


def fit_foldback(shares: Sequence[float], allowed: Sequence[float], u_share: float) -> FoldbackFit:
    """Find the share of the permitted rise at which the current begins to fold back.

    A straight line goes through the points where the current is folded but not yet zero; it reaches full
    current at the onset. ``u_share`` is the standard uncertainty of one share.
    """
    from v2glab.control import allowed_current_pu

    x, y = np.asarray(shares, dtype=float), np.asarray(allowed, dtype=float)
    if x.size == 0:
        return FoldbackFit(None, None, None)
    folded = (y > 0.02) & (y < 0.98)
    law = np.array([allowed_current_pu(float(share)) for share in x])
    deviation = float(np.max(np.abs(y - law)))
    if int(folded.sum()) < 3:
        return FoldbackFit(None, None, deviation)
    slope, offset = np.polyfit(x[folded], y[folded], 1)
    scatter = float(np.std(y[folded] - (slope * x[folded] + offset), ddof=2)) / abs(float(slope))
    # The temperatures share their sensors, so the error of a share does not average out; the scatter does.
    u_onset = math.hypot(scatter / math.sqrt(int(folded.sum())), u_share)
    return FoldbackFit((1 - float(offset)) / float(slope), u_onset, deviation)


def continuous_current_share(rise_at_rated_k: float, ambient_celsius: float, limit_celsius: float) -> float:
    """Return the share of rated current that can flow without end before foldback begins.

    Losses are taken as proportional to the square of the current, and the final rise as proportional to the
    losses; the permitted rise is :data:`FOLDBACK_START` of limit minus ambient.
    """
    permitted_k = FOLDBACK_START * (limit_celsius - ambient_celsius)
    if rise_at_rated_k <= 0 or permitted_k <= 0:
        return 0.0
    return math.sqrt(permitted_k / rise_at_rated_k)
