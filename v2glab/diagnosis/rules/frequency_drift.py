"""The frequency of the grid leaves its nominal value, or moves, by more than the limit."""

from __future__ import annotations

from v2glab.diagnosis._conclusion import Examination, Symptom
from v2glab.diagnosis._knowledge import Entry
from v2glab.diagnosis._observations import Observations, shown
from v2glab.evidence import Quantity

#: Where a frequency may come from, best first: by fit to the waveform, then as instruments show it.
_SOURCES = (("scope", "grid_frequency"), ("analyser", "frequency"), ("meter", "frequency"))
_LIMIT = "v2glab.diagnosis.drift"


def examine(observations: Observations, entry: Entry) -> Examination:
    """Take the best source that was read often enough; name what the others show."""
    count = round(entry.parameter("readings"))
    found = [observations.all(*source) for source in _SOURCES]
    enough = [readings for readings in found if len(readings) >= count]
    if not enough:
        names = [instrument for instrument, _ in _SOURCES]
        few = f"frequency read less than {count} times"
        return Examination(missing=(few, *(observations.absent(*names))))
    # A source without an uncertainty cannot decide; it is taken only when there is no other.
    best = next((r for r in enough if r[-1].uncertainty is not None), enough[0])
    others = tuple(shown(readings[-1]) for readings in found if readings and readings is not best)
    drift, worst = _drift(best, observations.nominal_frequency_hz)
    span_s = ((best[-1].time_ns or 0) - (best[0].time_ns or 0)) * 1e-9
    evidence = (
        f"{shown(worst)}, nominal {observations.nominal_frequency_hz:g} Hz; "
        f"from {best[0].value:.4f} to {best[-1].value:.4f} Hz over {span_s:.2g} s, {len(best)} readings",
        *others,
    )
    return Examination((Symptom(_LIMIT, drift, evidence, "drift"),))


def _drift(readings: list[Quantity], nominal_hz: float) -> tuple[Quantity, Quantity]:
    """Return the larger of deviation from nominal and range, and the reading that deviates most.

    Readings of one instrument share the error of its time base, so the largest uncertainty counts once for
    the deviation; for the range, where it cancels, that is on the safe side.
    """
    worst = max(readings, key=lambda q: abs(q.value - nominal_hz))
    values = [q.value for q in readings]
    value = max(abs(worst.value - nominal_hz), max(values) - min(values))
    spreads = [q.uncertainty for q in readings]
    known = [u for u in spreads if u is not None]
    drift = Quantity(
        "frequency_drift",
        value,
        "Hz",
        max(known) if len(known) == len(spreads) else None,
        "" if len(known) == len(spreads) else worst.no_uncertainty or "a reading has none",
        time_ns=worst.time_ns,
        instrument=worst.instrument,
        certificate=worst.certificate,
    )
    return drift, worst
