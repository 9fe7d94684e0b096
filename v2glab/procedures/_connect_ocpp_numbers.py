"""Numbers and tables out of a conversation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from v2glab.evidence import Quantity
from v2glab.procedures._connect_ocpp_talk import PROBE

if TYPE_CHECKING:
    from v2glab.links import Seen
    from v2glab.procedures._connect_ocpp_certificates import Seals
    from v2glab.procedures._connect_ocpp_talk import Talk

#: Two-sided coverage of the expanded uncertainty, as everywhere in the house.
_COVERAGE = 0.9545
#: Names of quantities that depend on the clock of the machine.
TIMING = frozenset(
    {
        "connect_time",
        "messages",
        "handshakes_refused",
        "round_trips",
        "round_trip_median",
        "round_trip_p95",
        "round_trip_max",
        "gateway_certificate_left",
        "station_certificate_left",
    }
)


def measure(talk: Talk, seals: Seals, meter_values: int, time_ns: int) -> tuple[Quantity, ...]:
    """Return the quantities that there is evidence for; what was not observed is left out."""
    exact: dict[str, Any] = {"uncertainty": 0.0, "time_ns": time_ns, "instrument": "gateway"}
    counts: dict[str, float | None] = {
        "certificates_accepted": _accepted(talk, seals),
        "tls_version": _tls_number(talk.tls_version),
        **(_after_connection(talk, meter_values) if talk.connect_s is not None else {}),
        "messages": float(len(talk.messages)),
        "handshakes_refused": float(talk.refused),
    }
    out = [Quantity(name, value, "1", **exact) for name, value in counts.items() if value is not None]
    wall: dict[str, Any] = {"time_ns": time_ns, "instrument": "gateway"}
    if talk.connect_s is not None:
        why = "one connection; the station chooses when it tries"
        out.append(Quantity("connect_time", talk.connect_s, "s", no_uncertainty=why, **wall))
    for role in ("gateway", "station"):
        left, why = seals.days_left(role), "the machine's clock is not traceable"
        if left is not None:
            out.append(Quantity(f"{role}_certificate_left", left, "d", no_uncertainty=why, **wall))
    return (*out, *_round_trips([t for _, t in round_trips(talk)], wall))


def round_trips(talk: Talk) -> list[tuple[Seen, float]]:
    """Return the station's answers to our requests, each with its round trip in seconds."""
    return [
        (seen, seen.round_trip_s)
        for seen in talk.messages
        if seen.direction == "in" and seen.round_trip_s is not None
    ]


def is_faulty(seen: Seen) -> bool:
    """Whether a message from the station breaks frame or schema; a mere repetition does not."""
    return seen.direction == "in" and bool(seen.fault) and not seen.fault.startswith("repeated")


def quantile(values: list[float], share: float) -> tuple[float, float | None]:
    """Return a sample quantile and its standard uncertainty, free of any assumed distribution.

    The number of samples below the true quantile is binomial, so two order statistics enclose it with the
    coverage of 95.45 % (H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition, 7.1). The larger of
    the two distances, halved, is the standard uncertainty.

    Parameters
    ----------
    values
        At least one, in any order.
    share
        0 to 1, exclusive.

    Returns
    -------
    tuple
        The quantile (the smallest value with at least ``share`` of all at or below it), and ``None`` for the
        uncertainty when there are too few values to enclose it.
    """
    from scipy.stats import binom

    ordered, count, tail = sorted(values), len(values), (1 - _COVERAGE) / 2
    value = ordered[max(0, math.ceil(share * count) - 1)]
    # P(lower > quantile) = P(B < l) and P(upper < quantile) = P(B >= u), for the l-th and u-th smallest.
    lower = int(binom.ppf(tail, count, share))
    upper = int(binom.ppf(1 - tail, count, share)) + 1
    if lower < 1 or upper > count:
        return value, None
    return value, max(ordered[upper - 1] - value, value - ordered[lower - 1]) / 2


def message_table(talk: Talk, start_ns: int) -> Any:  # noqa: ANN401 -- pandas is imported late
    """Return every message but the probes: the conversation as a reader follows it."""
    import pandas as pd

    rows = [
        {
            "time_s": (seen.time_ns - start_ns) / 1e9,
            "direction": seen.direction,
            "kind": seen.kind,
            "action": seen.action,
            "message_id": seen.message_id,
            "round_trip_s": math.nan if seen.round_trip_s is None else seen.round_trip_s,
            "fault": seen.fault,
        }
        for seen in talk.messages
        if seen.action != PROBE
    ]
    columns = ["time_s", "direction", "kind", "action", "message_id", "round_trip_s", "fault"]
    return pd.DataFrame(rows, columns=columns).astype({"time_s": float, "round_trip_s": float})


def round_trip_table(talk: Talk, start_ns: int) -> Any:  # noqa: ANN401 -- pandas is imported late
    """Return one row an answer of the station, probes included."""
    import pandas as pd

    rows = [((s.time_ns - start_ns) / 1e9, s.action, s.kind, trip) for s, trip in round_trips(talk)]
    frame = pd.DataFrame(rows, columns=["time_s", "action", "kind", "round_trip_s"])
    return frame.astype({"time_s": float, "round_trip_s": float})


def _accepted(talk: Talk, seals: Seals) -> float | None:
    """Return 1 when the station came in, and 0 when not and a certificate was refused or is not valid."""
    if talk.connect_s is not None:
        return 1.0
    refused = any(refusal.about in ("station", "gateway") for refusal in talk.refusals)
    return 0.0 if refused or seals.problems("gateway") or seals.problems("station") else None


def _tls_number(version: str) -> float | None:
    try:
        return float(version.removeprefix("TLSv"))
    except ValueError:
        return None


def _after_connection(talk: Talk, meter_values: int) -> dict[str, float | None]:
    kinds = [event["eventType"] for event in talk.events]
    numbers = {int(event["seqNo"]) for event in talk.events}
    wanted = {"Started": 1, "Updated": meter_values, "Ended": 1}
    came_in = [seen for seen in talk.messages if seen.direction == "in"]
    return {
        "boots_accepted": float(talk.boots),
        "reports_missing": float((talk.statuses == 0) + (talk.heartbeats == 0)),
        "transaction_events_missing": (
            float(sum(max(0, count - kinds.count(kind)) for kind, count in wanted.items()))
            if talk.tried
            else None
        ),
        "sequence_numbers_missing": (
            float(max(numbers) - min(numbers) + 1 - len(numbers)) if numbers else None
        ),
        "messages_faulty": float(sum(map(is_faulty, came_in))) if came_in else None,
    }


def _round_trips(values: list[float], wall: dict[str, Any]) -> list[Quantity]:
    if not values:
        return []
    out = [Quantity("round_trips", float(len(values)), "1", 0.0, **wall)]
    few = f"{len(values)} samples are too few to enclose it"
    for name, share in (("round_trip_median", 0.5), ("round_trip_p95", 0.95)):
        value, spread = quantile(values, share)
        reason = few if spread is None else ""
        out.append(Quantity(name, value, "s", spread, no_uncertainty=reason, **wall))
    why = "the largest of a sample says nothing of larger ones"
    out.append(Quantity("round_trip_max", max(values), "s", no_uncertainty=why, **wall))
    return out
