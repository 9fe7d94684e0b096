"""Intervals: over vehicles by the bootstrap, over price years and parameters beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from v2glab.barriers._segments import Floats
from v2glab.barriers._terms import Terms, Transformation
from v2glab.evidence import InputError


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean over vehicles with its bootstrap standard error and 95 % percentile interval."""

    mean: float
    standard_error: float
    low: float
    high: float


def bootstrap(per_vehicle: Floats, *, seed: int, samples: int = 2000) -> Estimate:
    """Resample vehicles with replacement (Efron and Tibshirani, 1993, chapter 13: percentile interval).

    Parameters
    ----------
    per_vehicle
        Shape (vehicles,), or (years, draws, vehicles): then each sample also takes a price year and a draw of
        the parameters at random, so that the interval covers all three. The mean is that of the first draw,
        which holds the parameters' own values. Of a single value nothing can be said: its interval is the
        point itself and its standard error NaN.
    """
    values = per_vehicle.reshape(1, 1, -1) if per_vehicle.ndim == 1 else per_vehicle
    years, draws, vehicles = values.shape
    mean = float(values[:, 0].mean())
    if values.size < 2:
        return Estimate(mean, float("nan"), mean, mean)
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, vehicles, (samples, vehicles))
    if years == draws == 1:
        means = values[0, 0][picks].mean(axis=1)
    else:
        year, draw = rng.integers(0, years, samples), rng.integers(0, draws, samples)
        means = values[year[:, None], draw[:, None], picks].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Estimate(mean, float(means.std(ddof=1)), float(low), float(high))


def draw_rules(rules: Mapping[str, Transformation], draws: int, seed: int) -> list[dict[str, Transformation]]:
    """Return the rules as they are, then ``draws`` times with each uncertain value drawn anew.

    A value with standard uncertainty u is drawn from a normal distribution (Supplement 1 of the GUM, JCGM
    101:2008, 6.4.7), again where the draw is no value that the term can take.

    Raises
    ------
    InputError
        Hardly any draw is a value that the term can take: the uncertainty is absurd.
    """
    rng = np.random.default_rng(seed)
    out = [dict(rules)]
    for _ in range(draws if any(r.uncertainty for r in rules.values()) else 0):
        out.append({name: _drawn(name, rule, rng) for name, rule in rules.items()})
    return out


def _drawn(name: str, rule: Transformation, rng: np.random.Generator) -> Transformation:
    if not rule.uncertainty:
        return rule
    for _ in range(100):
        value = float(rng.normal(rule.value, rule.uncertainty))
        try:
            Terms(**{rule.kind: value})
        except ValueError:
            continue
        return rule.model_copy(update={"value": value})
    raise InputError(
        f"rule {name!r}: {rule.value:g} {rule.unit} with standard uncertainty {rule.uncertainty:g}",
        "an uncertainty with which the value stays one that the term can take",
        "measure it better, or state the value yourself",
    )
