"""Cases for bidirectional chargers, from ``datasets/conformity/v2g.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

from v2glab.evidence import Criterion, Verdict, read_toml
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._judging import steady_verdict, verdict_on
from v2glab.gridcodes.conformity._measure import Estimate, mean, series, window
from v2glab.gridcodes.conformity._place import TIME, Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus
from v2glab.gridcodes.conformity._tolerance import interpolate
from v2glab.gridcodes.conformity.families._active import droop_case
from v2glab.gridcodes.conformity.families._common import hold, only, stayed_verdict
from v2glab.resources import find_data


@lru_cache(maxsize=1)
def _facts() -> Mapping[str, Any]:
    return read_toml(find_data("datasets", "conformity", "v2g.toml"))


def v2g_cases(rules: Rules) -> Iterator[Case]:
    """Yield the four cases; none for a device that cannot charge."""
    if rules.base.nameplate.p_charge_max_w <= 0:
        return
    yield _through_zero(rules)
    yield _authorisation_lost(rules)
    yield _soc_limit(rules)
    yield _hand_over(rules)


def _about(key: str, *needs: str) -> dict[str, Any]:
    facts = _facts()
    entry = facts[key]
    return {
        "id": f"v2g.{key.replace('_', '-')}",
        "title": entry["title"],
        "clause": entry["clause"],
        "source": entry["source"],
        "confidence": entry["confidence"],
        "standard": facts["standard"],
        "edition": facts["edition"],
        "needs": frozenset({"battery", *needs}),
    }


def _through_zero(rules: Rules) -> Case:
    settings = only(rules).with_(droop={"enabled": True})
    start = _facts()["through_zero"]["start_pu"]
    return droop_case(rules, settings, "below", start, **_about("through_zero", "droop"))


def _authorisation_lost(rules: Rules) -> Case:
    stimulus = Stimulus(
        (
            hold(rules, 5.0, label="before", sample_s=0.02),
            hold(rules, 10.0, label="lost", sample_s=0.02, v2g_authorised=False),
        ),
        0.02,
    )
    return Case(
        rules=rules,
        settings=only(rules),
        stimulus=stimulus,
        evaluate=_lost_verdicts,
        **_about("authorisation_lost", "commands"),
    )


def _lost_verdicts(case: Case, record: Record) -> list[Verdict]:
    assert case.stimulus is not None  # noqa: S101 -- made above
    start, end = case.stimulus.span("lost")
    within, threshold = _facts()["authorisation_lost"]["within_s"], case.rules.data.ceased.threshold_pu
    criterion = case.criterion("time", "time until export has ended", "export_end_time", "s", upper=within)
    exporting = case.criterion("before", "export before", "p_pu", lower=0.5)
    after = case.criterion("after", "export without authorisation", "p_pu", upper=threshold)
    before = _export(exporting, record, case, (0.0, start), "before")
    rest = _export(after, record, case, (start + within, end), "after")
    if record.doubt:
        return [before, verdict_on(criterion, None, record, case), rest]
    part = window(record, start, end)
    flows = (series(record, "p", part) > threshold).nonzero()[0]
    time = record.time_s[part]
    at = float(time[min(int(flows[-1]) + 1, time.size - 1)]) - start if flows.size else 0.0
    found, place = Estimate(at, record.uncertainties.time_s), Place(TIME, start, end)
    return [before, verdict_on(criterion, found, record, case, place=place), rest]


def _export(criterion: Criterion, record: Record, case: Case, at: tuple[float, float], when: str) -> Verdict:
    """Judge mean active power over a part of the record."""
    missing = f"no samples {when}"
    return verdict_on(criterion, mean(record, "p", *at), record, case, missing=missing, place=Place("p", *at))


def _soc_limit(rules: Rules) -> Case:
    """Return a dip during which a small battery reaches its lower limit."""
    facts = _facts()["soc_limit"]
    plate = rules.base.nameplate
    spare_s = 5.0 + facts["duration_s"] / 2
    capacity = plate.p_max_w * spare_s / 3600 / 0.02
    settings = only(rules).with_(
        nameplate={"soc_capacity_wh": capacity}, soc={"initial": 0.12, "minimum": 0.1, "maximum": 0.9}
    )
    for trip in rules.limits.voltage_trips:
        if trip.time_range_s and not trip.averaging_s:
            settings = settings.with_trip(trip.name, time_s=trip.time_range_s[1])
    volts = facts["voltage_pu"]
    region = next(r for r in rules.limits.ride_through_voltage if r.contains(volts))
    required = (region.minimum_s or 0.0) + region.slope_s_per_unit * (volts - (region.lower or 0.0))
    length = min(facts["duration_s"], required)
    stimulus = Stimulus(
        (
            hold(rules, 5.0, label="before", sample_s=0.05),
            hold(rules, length, volts, label="dip", sample_s=0.02),
            hold(rules, 60.0, label="after", sample_s=0.1),
        ),
        0.05,
    )
    return Case(
        rules=rules,
        settings=settings,
        stimulus=stimulus,
        evaluate=_soc_verdicts,
        **_about("soc_limit", "settings", "ride_through"),
    )


def _soc_verdicts(case: Case, record: Record) -> list[Verdict]:
    assert case.stimulus is not None  # noqa: S101 -- made above
    _, end = case.stimulus.span("after")
    threshold = case.rules.data.ceased.threshold_pu
    empty = case.criterion("empty", "export from an empty battery", "p_pu", upper=threshold)
    stayed = stayed_verdict(case, record, start_s=5.0, required_s=end - 5.0 - 0.3)
    return [stayed, _export(empty, record, case, (end - 10.0, end), "at the end")]


def _hand_over(rules: Rules) -> Case:
    """Return a car with its own settings that gets those of the site before it may export."""
    own = only(rules).with_(enter_service={"delay_s": 0.0, "ramp_s": 1.0, "randomised_delay_s": 0.0})
    site = own.with_(volt_var={"enabled": True}, mode_transition_s=5.0)
    volts = _facts()["hand_over"]["voltage_pu"]
    stimulus = Stimulus(
        (
            hold(rules, 20.0, volts, demand_pu=0.7, label="own", sample_s=0.1, v2g_authorised=False),
            hold(
                rules,
                30.0,
                volts,
                demand_pu=0.7,
                label="handed",
                sample_s=0.1,
                settings=site,
                v2g_authorised=False,
            ),
            hold(rules, 60.0, volts, demand_pu=0.7, label="export", sample_s=0.1),
        ),
        0.1,
    )
    return Case(
        rules=rules,
        settings=own,
        stimulus=stimulus,
        evaluate=_hand_over_verdicts,
        **_about("hand_over", "settings", "commands", "volt_var"),
    )


def _hand_over_verdicts(case: Case, record: Record) -> list[Verdict]:
    assert case.stimulus is not None  # noqa: S101 -- made above
    points = case.rules.base.volt_var.points
    knees = tuple(x for x, _ in points)
    start, end = case.stimulus.span("export")
    curve = partial(interpolate, points)
    exporting = case.criterion("exporting", "export once authorised", "p_pu", lower=0.5)
    idle = case.criterion(
        "idle", "export before authorisation", "p_pu", upper=case.rules.data.ceased.threshold_pu
    )
    return [
        _export(idle, record, case, (2.0, start), "before"),
        _export(exporting, record, case, (end - 10.0, end), "of export"),
        steady_verdict(
            case, record, "site", x="v", y="q", at=(start + 2.0, start + 10.0), function=curve, knees=knees
        ),
    ]
