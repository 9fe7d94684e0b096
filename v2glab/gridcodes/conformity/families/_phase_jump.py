"""Changes of the phase angle (IEEE 1547-2018, 6.5.2.6; IEEE 1547.1-2020, Table 9)."""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.evidence import Verdict
from v2glab.gridcodes.conformity._case import Case, Rules, cite
from v2glab.gridcodes.conformity._data import AngleStep
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus
from v2glab.gridcodes.conformity.families._common import hold, stayed_verdict

_FIRST_S, _LAST_S = 5.0, 5.0
#: Share of the angle that is stepped, so that rounding does not exceed what must be ridden through.
_SHARE = 0.99


def phase_jump_cases(rules: Rules) -> Iterator[Case]:
    """Yield one case a row of Table 9."""
    for fact in rules.data.angle:
        if rules.base.nameplate.phases == 1 and not fact.positive_sequence:
            continue
        yield _case(rules, fact)


def _case(rules: Rules, fact: AngleStep) -> Case:
    a, b, c = (_SHARE * angle for angle in fact.steps_deg)
    stimulus = Stimulus(
        (
            hold(rules, _FIRST_S),
            hold(rules, fact.duration_s, angle_deg=(a, b, c), label="step"),
            hold(rules, _LAST_S),
        ),
        0.02,
    )
    key = "phase-jump.multi" if fact.positive_sequence else "phase-jump.single"
    rule = rules.from_code(key)
    return Case(
        id=f"phase-jump.{fact.name}",
        title=f"Phase-angle change {fact.name}",
        clause=rule.clause,
        rules=rules,
        settings=rules.base,
        stimulus=stimulus,
        evaluate=_verdicts,
        needs=frozenset({"ride_through", "angles"}),
        **cite(rules, fact),
    )


def _verdicts(case: Case, record: Record) -> list[Verdict]:
    assert case.stimulus is not None  # noqa: S101 -- made above
    required = case.stimulus.duration_s - _FIRST_S - 0.1
    return [stayed_verdict(case, record, start_s=_FIRST_S, required_s=required)]
