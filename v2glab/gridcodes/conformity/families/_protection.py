"""Open phase, synchronisation and unintentional islanding (IEEE 1547-2018, 4.10.4, 6.2.2, 8.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from v2glab.evidence import Verdict
from v2glab.gridcodes.conformity._case import Case, Rules, cite
from v2glab.gridcodes.conformity._data import IslandingCase
from v2glab.gridcodes.conformity._judging import verdict_on
from v2glab.gridcodes.conformity._measure import Estimate, disconnection
from v2glab.gridcodes.conformity._place import TIME, Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Island, Stimulus, Stretch
from v2glab.gridcodes.conformity.families._common import ceased_verdict, connected_at, hold, only

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

_PHASES = "abc"
_OPEN_WITHIN_S = 2.0
_FIRST_S = 3.0
#: How long an island is watched: longer than it may live.
_ISLAND_S = 3.0


def open_phase_cases(rules: Rules) -> Iterator[Case]:
    """Yield one case a phase; the two seconds are not confirmed by any public text."""
    if rules.base.nameplate.phases == 1:
        return
    for place, phase in enumerate(_PHASES):
        volts = tuple(0.0 if k == place else 1.0 for k in range(3))
        stimulus = Stimulus(
            (
                hold(rules, _FIRST_S, sample_s=0.02),
                Stretch(
                    2 * _OPEN_WITHIN_S + 1.0,
                    (volts[0], volts[1], volts[2]),
                    rules.nominal_hz,
                    sample_s=0.01,
                ),
            ),
            0.02,
        )
        yield Case(
            id=f"open-phase.{phase}",
            title=f"Phase {phase} open",
            clause="6.2.2",
            rules=rules,
            settings=rules.base,
            stimulus=stimulus,
            evaluate=_open_verdicts,
            needs=frozenset({"phases"}),
            source=rules.data.sources["none"],
            confidence="unverified",
        )


def _open_verdicts(case: Case, record: Record) -> list[Verdict]:
    criterion = case.criterion(
        "time", "time from the open phase to the trip", "open_phase_time", "s", upper=_OPEN_WITHIN_S
    )
    if not record.doubt and not connected_at(record, _FIRST_S):
        record = record.with_doubt("the plant was not in service when the phase opened")
    if record.doubt:
        return [verdict_on(criterion, None, record, case)]
    gone, end = disconnection(record, _FIRST_S), float(record.time_s[-1])
    place = Place(TIME, _FIRST_S, end)
    if gone is None:
        found = Estimate(end - _FIRST_S, record.uncertainties.time_s)
        return [verdict_on(criterion, found, record, case, place=place)]
    found = Estimate(gone.value - _FIRST_S, gone.uncertainty)
    out = [verdict_on(criterion, found, record, case, place=place)]
    return [*out, ceased_verdict(case, record, (gone.value + 0.1, end))] if end > gone.value + 0.3 else out


def synchronisation_cases(rules: Rules) -> Iterator[Case]:
    """Yield the closing of the contactor, by the limits of the device's size."""
    kva = rules.base.nameplate.s_max_va / 1000
    size = "500kva" if kva <= 500 else "1500kva" if kva <= 1500 else "over1500kva"
    rule = rules.from_code(f"sync.frequency.{size}")
    yield Case(
        id=f"synchronisation.{size}",
        title="Synchronisation",
        clause=rule.clause,
        rules=rules,
        settings=rules.base,
        stimulus=Stimulus((hold(rules, 1.0, demand_pu=0.0, sample_s=0.1),), 0.1),
        evaluate=_sync_verdicts,
        needs=frozenset({"synchronisation"}),
        source=rule.source,
        confidence=rule.confidence,
    )


def _sync_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Judge what the bench measured across the open contactor at the moment of closing."""
    size = case.id.rpartition(".")[2]
    out = []
    for quantity in ("frequency", "voltage", "phase"):
        rule = case.rules.from_code(f"sync.{quantity}.{size}")
        criterion = case.criterion(
            quantity,
            f"{quantity} difference on closing",
            rule.quantity,
            rule.unit,
            upper=rule.upper,
            lower=rule.lower,
        )
        value, u = record.reported.get(f"sync_{quantity}"), record.reported.get(f"u_sync_{quantity}")
        found = None if value is None else Estimate(value, u)
        out.append(verdict_on(criterion, found, record, case, missing="the closing was not measured"))
    return out


def islanding_cases(rules: Rules) -> Iterator[Case]:
    """Yield the islanding matrix; each row runs with its own settings of the functions."""
    facts = rules.data.islanding
    rule = rules.from_code("islanding.time")
    for row in facts.case:
        yield Case(
            id=f"islanding.{row.name}",
            title=f"Unintentional island, case {row.name.upper()}",
            clause=rule.clause,
            rules=rules,
            settings=islanding_settings(rules, row),
            stimulus=Stimulus(
                (hold(rules, _ISLAND_S, demand_pu=row.power_pu, sample_s=0.01),),
                0.01,
                island=Island(row.reactive_pu, row.quality_factor, facts.steps_percent),
            ),
            evaluate=_island_verdicts,
            needs=frozenset({"settings", "island"}),
            **{**cite(rules, facts), "confidence": rule.confidence},
        )


def islanding_settings(rules: Rules, row: IslandingCase) -> DerSettings:
    """Return the settings of a row: the widest trips, and each function as the row names it.

    ``least`` stands for the least aggressive settings, ``most`` for the most aggressive: a row that asks for
    the one never gets the other.
    """
    facts, plate = rules.data.islanding, rules.base.nameplate
    settings = only(rules)
    trips = {**facts.trips[rules.category], **facts.trips["frequency"]}
    changes: dict[str, Any] = {"trips": _widest(settings, trips)}
    changes["droop"] = _droop(rules, row.droop or "default")
    if row.reactive_pu:
        q = max(-plate.q_absorb_max_var, min(plate.q_inject_max_var, row.reactive_pu * plate.s_max_va))
        changes["constant_q"] = {"enabled": True, "q_pu": q / plate.s_max_va}
    for name in ("volt_var", "volt_watt", "watt_var"):
        wanted = getattr(row, name)
        if wanted:
            changes[name] = {"enabled": True, **_function(rules, name, wanted)}
    return settings.with_(rules=None, **changes)


def _widest(settings: DerSettings, trips: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    """Return the trips at the thresholds and times of the islanding tests; of two alike the faster counts."""
    fastest: dict[tuple[str, str, float], dict[str, Any]] = {}
    for trip in settings.trips:
        level, time_s = trips.get(trip.name, (trip.threshold, trip.time_s))
        key = (trip.quantity, trip.side, level)
        entry = trip.model_dump() | {"threshold": level, "time_s": time_s}
        if key not in fastest or time_s < fastest[key]["time_s"]:
            fastest[key] = entry
    return list(fastest.values())


def _droop(rules: Rules, wanted: str) -> dict[str, Any]:
    facts = rules.data.islanding.droop
    key = f"{wanted}_i_ii" if wanted == "most" and rules.category != "III" else wanted
    entry = facts[key]
    return {
        "enabled": True,
        "deadband_over_hz": entry["deadband_hz"],
        "deadband_under_hz": entry["deadband_hz"],
        "droop_over": entry["droop"],
        "droop_under": entry["droop"],
        "olrt_s": entry["response_s"],
    }


def _function(rules: Rules, name: str, wanted: str) -> dict[str, Any]:
    if wanted == "default":
        return {}
    entry = getattr(rules.data.islanding, name)[wanted]
    points = tuple(zip(entry["x"], entry["y"], strict=True))
    if name == "watt_var":
        points = (*(p for p in rules.base.watt_var.points if p[0] < 0), *points)
    return {"points": points, "olrt_s": entry["response_s"]}


def _island_verdicts(case: Case, record: Record) -> list[Verdict]:
    rule = case.rules.from_code("islanding.time")
    criterion = case.criterion(
        "time", "time to cease energising the island", rule.quantity, rule.unit, upper=rule.upper
    )
    run_on, u = record.reported.get("run_on_s"), record.reported.get("u_run_on_s")
    found = None if run_on is None or record.doubt else Estimate(run_on, u)
    place = None if record.doubt else Place(TIME, 0.0, float(record.time_s[-1]))
    missing = "not measured: the bench has no RLC load"
    return [verdict_on(criterion, found, record, case, missing=missing, place=place)]
