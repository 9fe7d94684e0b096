"""Settings: how soon a change is in force, whether it outlives a loss of supply.

IEEE 1547-2018, 4.6.3 and 10.
"""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.evidence import Verdict
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._judging import steady_verdict, verdict_on
from v2glab.gridcodes.conformity._measure import Estimate, mean, series, window
from v2glab.gridcodes.conformity._place import TIME, Place
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus
from v2glab.gridcodes.conformity.families._common import hold, only

_POWER, _LIMIT = 0.7, 0.8
_LATEST_S = 30.0


def persistence_cases(rules: Rules) -> Iterator[Case]:
    """Yield a change of reactive power that has to outlive ten seconds without grid."""
    q = 0.5 * rules.base.nameplate.q_required_inject_pu
    settings = only(rules, "constant_q", q_pu=q).with_(
        enter_service={"delay_s": 0.0, "ramp_s": 1.0, "randomised_delay_s": 0.0}
    )
    stimulus = Stimulus(
        (
            hold(rules, 20.0, demand_pu=_POWER, label="before", sample_s=0.2),
            hold(rules, 10.0, 0.0, demand_pu=_POWER, label="dead", sample_s=0.2),
            hold(rules, 90.0, demand_pu=_POWER, label="after", sample_s=0.2),
        ),
        0.2,
    )
    yield Case(
        id="persistence.reactive",
        title="Settings outlive a loss of supply",
        clause="10.4",
        rules=rules,
        settings=settings,
        stimulus=stimulus,
        evaluate=_persistence_verdicts,
        needs=frozenset({"settings", "constant_q", "enter_service"}),
        source=rules.data.sources["none"],
        confidence="unverified",
    )


def _persistence_verdicts(case: Case, record: Record) -> list[Verdict]:
    assert case.settings is not None  # noqa: S101 -- made above
    q = case.settings.constant_q.q_pu
    return [
        steady_verdict(case, record, "before", x="v", y="q", at=(15.0, 20.0), function=lambda _: q),
        steady_verdict(case, record, "after", x="v", y="q", at=(110.0, 120.0), function=lambda _: q),
    ]


def interoperability_cases(rules: Rules) -> Iterator[Case]:
    """Yield nameplate and monitoring, the configuration read back, how soon a written setting is in force."""
    facts = rules.data.interoperability
    source = rules.data.sources[facts.source]
    for power in facts.operating_points_pu:
        yield Case(
            id=f"interoperability.monitoring.p{round(100 * power)}",
            title=f"Nameplate and monitoring at {power:g} p.u.",
            clause="10.5",
            rules=rules,
            settings=only(rules),
            stimulus=Stimulus((hold(rules, 10.0, demand_pu=power, sample_s=0.1),), 0.1),
            evaluate=_monitoring_verdicts,
            needs=frozenset({"reports"}),
            source=source,
        )
    q = facts.settings_share * rules.base.nameplate.q_required_inject_pu
    yield Case(
        id="interoperability.configuration",
        title="Configuration read back",
        clause="10.4",
        rules=rules,
        settings=only(rules, "constant_q", q_pu=q).with_(p_limit={"enabled": True, "limit_pu": _LIMIT}),
        stimulus=Stimulus((hold(rules, 10.0, demand_pu=_POWER, sample_s=0.1),), 0.1),
        evaluate=_configuration_verdicts,
        needs=frozenset({"reports", "settings", "constant_q", "p_limit"}),
        source=source,
    )
    stimulus = Stimulus(
        (
            hold(rules, 5.0, demand_pu=_POWER, label="before", sample_s=0.1),
            hold(
                rules,
                _LATEST_S + 40.0,
                demand_pu=_POWER,
                label="written",
                sample_s=0.1,
                settings=only(rules, "constant_q", q_pu=q, olrt_s=1.0).with_(mode_transition_s=5.0),
            ),
        ),
        0.1,
    )
    rule = rules.from_code("control.mode-execution")
    yield Case(
        id="interoperability.execution",
        title="A written setting is in force",
        clause="4.6.3",
        rules=rules,
        settings=only(rules).with_(mode_transition_s=5.0),
        stimulus=stimulus,
        evaluate=_execution_verdicts,
        needs=frozenset({"settings", "constant_q", "commands"}),
        source=rule.source,
        confidence=rule.confidence,
    )


def _execution_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Judge when reactive power began to move, and that it arrived."""
    assert case.stimulus is not None  # noqa: S101 -- made above
    rules = case.rules
    q = rules.data.interoperability.settings_share * rules.base.nameplate.q_required_inject_pu
    start, end = case.stimulus.span("written")
    criterion = case.criterion(
        "time",
        "time until a written setting is in force",
        "mode_execution_time",
        "s",
        upper=_LATEST_S + rules.reach_t(_LATEST_S),
    )
    steady = steady_verdict(case, record, "steady", x="v", y="q", at=(end - 10.0, end), function=lambda _: q)
    if record.doubt:
        return [verdict_on(criterion, None, record, case), steady]
    part = window(record, start, end)
    moved = (series(record, "q", part) > 0.25 * q).nonzero()[0]
    at = float(record.time_s[part][int(moved[0])]) - start if moved.size else end - start
    found = Estimate(at, record.uncertainties.time_s)
    return [verdict_on(criterion, found, record, case, place=Place(TIME, start, end)), steady]


def _monitoring_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Hold what the device reports of itself against what the instrument measured (Table 3)."""
    accuracy, plate = case.rules.accuracy, case.rules.base.nameplate
    out = []
    for name, channel, limit, unit in (
        ("p_pu", "p", accuracy("active-power.steady"), "1"),
        ("q_pu", "q", accuracy("reactive-power.steady"), "1"),
        ("v_pu", "v", accuracy("voltage.steady"), "1"),
        ("f_hz", "f", accuracy("frequency.steady"), "Hz"),
    ):
        criterion = case.criterion(
            f"monitoring.{name}",
            f"error of the reported {name}",
            f"reported_error_{name}",
            unit,
            lower=-limit,
            upper=limit,
        )
        seen = None if record.doubt else mean(record, channel, float(record.time_s[-1]) - 2.0, 1e9)
        said = record.reported.get(name)
        found = None if seen is None or said is None else Estimate(said - seen.value, seen.uncertainty)
        out.append(verdict_on(criterion, found, record, case, missing=f"the device reports no {name}"))
    for name, rated in (
        ("p_max_w", plate.p_max_w),
        ("s_max_va", plate.s_max_va),
        ("v_nominal_v", plate.v_nominal_v),
    ):
        out.append(_said_verdict(case, record, name, rated, kind="nameplate", clause="10.3"))
    return out


def _configuration_verdicts(case: Case, record: Record) -> list[Verdict]:
    """Hold the settings that the device reports as its own against those that were written."""
    assert case.settings is not None  # noqa: S101 -- made above
    wanted = {"set_q_pu": case.settings.constant_q.q_pu, "set_p_limit_pu": case.settings.p_limit.limit_pu}
    return [
        _said_verdict(case, record, name, value, kind="configuration", clause="10.4")
        for name, value in wanted.items()
    ]


def _said_verdict(case: Case, record: Record, name: str, right: float, *, kind: str, clause: str) -> Verdict:
    """Judge that what the device says of itself is within a hundredth of what it ought to say."""
    criterion = case.criterion(
        f"{kind}.{name}",
        f"reported {name} over the right one",
        f"{kind}_{name}",
        "1",
        lower=0.99,
        upper=1.01,
        clause=clause,
    )
    said = record.reported.get(name)
    found = None if said is None else Estimate(said / right, 0.0)
    return verdict_on(criterion, found, record, case, missing=f"the device reports no {name}")
