"""All tests of a code and category, run on a bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np

from v2glab.evidence import DeviceError, InputError, LimitError, UsageError, Verdict
from v2glab.gridcodes.conformity._bench import Bench
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._evidence import ImportedEvidence, apply_evidence
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity.families._active import (
    droop_cases,
    power_limit_cases,
    priority_cases,
    volt_watt_cases,
)
from v2glab.gridcodes.conformity.families._enter_service import enter_service_cases
from v2glab.gridcodes.conformity.families._frequency_ride_through import (
    frequency_ride_through_cases,
    rocof_cases,
)
from v2glab.gridcodes.conformity.families._laboratory import laboratory_cases
from v2glab.gridcodes.conformity.families._phase_jump import phase_jump_cases
from v2glab.gridcodes.conformity.families._power_quality import power_quality_cases
from v2glab.gridcodes.conformity.families._protection import (
    islanding_cases,
    open_phase_cases,
    synchronisation_cases,
)
from v2glab.gridcodes.conformity.families._reactive import (
    constant_pf_cases,
    constant_q_cases,
    volt_var_cases,
    watt_var_cases,
)
from v2glab.gridcodes.conformity.families._settings_kept import interoperability_cases, persistence_cases
from v2glab.gridcodes.conformity.families._trips import trip_cases
from v2glab.gridcodes.conformity.families._v2g import v2g_cases
from v2glab.gridcodes.conformity.families._voltage_ride_through import voltage_ride_through_cases

#: Families in the order in which they run: name of the tests' first part, and what makes them.
FAMILIES: dict[str, Callable[[Rules], Iterator[Case]]] = {
    "synchronisation": synchronisation_cases,
    "enter-service": enter_service_cases,
    "trip": trip_cases,
    "voltage-ride-through": voltage_ride_through_cases,
    "frequency-ride-through": frequency_ride_through_cases,
    "rocof": rocof_cases,
    "phase-jump": phase_jump_cases,
    "droop": droop_cases,
    "constant-pf": constant_pf_cases,
    "constant-q": constant_q_cases,
    "volt-var": volt_var_cases,
    "watt-var": watt_var_cases,
    "volt-watt": volt_watt_cases,
    "power-limit": power_limit_cases,
    "priority": priority_cases,
    "persistence": persistence_cases,
    "interoperability": interoperability_cases,
    "open-phase": open_phase_cases,
    "islanding": islanding_cases,
    "power-quality": power_quality_cases,
    "laboratory": laboratory_cases,
    "v2g": v2g_cases,
}


@dataclass(frozen=True)
class CaseResult:
    """One test with what was seen and what it means; ``record`` is ``None`` when it did not run."""

    case: Case
    record: Record | None
    verdicts: tuple[Verdict, ...]
    reason: str = ""


def list_cases(rules: Rules, only: Sequence[str] = ()) -> list[Case]:
    """Return the tests of a code and category.

    Parameters
    ----------
    only
        Names of families or tests, patterns such as ``"trip.time.*"`` among them; empty: all.

    Raises
    ------
    UsageError
        A name fits no test.
    """
    wanted = [name.lower() for name in only]
    families = {name for name in FAMILIES if not wanted or any(_may_hold(w, name) for w in wanted)}
    cases = [case for name in FAMILIES if name in families for case in FAMILIES[name](rules)]
    chosen = [c for c in cases if not wanted or any(_fits(w, c) for w in wanted)]
    for name in wanted:
        if not any(_fits(name, c) for c in chosen):
            raise UsageError(
                f"test {name!r}",
                f"a family ({', '.join(FAMILIES)}) or the name of a test",
                "see v2glab conformity --list",
            )
    return chosen


def _may_hold(wanted: str, family: str) -> bool:
    return fnmatchcase(family, wanted.partition(".")[0])


def _fits(wanted: str, case: Case) -> bool:
    return fnmatchcase(case.family, wanted) or fnmatchcase(case.id, wanted)


def run_suite(
    bench: Bench,
    cases: Sequence[Case],
    evidence: Mapping[str, ImportedEvidence] | None = None,
) -> Iterator[CaseResult]:
    """Run tests one after the other.

    Raises
    ------
    InputError
        Evidence was imported for a test that is not among these.
    """
    known = {c.id for c in cases}
    if strange := sorted(set(evidence or {}) - known):
        raise InputError(
            f"evidence for {', '.join(strange)}",
            "tests of this suite",
            "mend the name; see v2glab conformity --list",
        )
    for case in cases:
        result = run_case(bench, case)
        yield replace(result, verdicts=tuple(apply_evidence(list(result.verdicts), case.id, evidence or {})))


def run_case(bench: Bench, case: Case) -> CaseResult:
    """Run one test; what the bench cannot do gives inconclusive verdicts that say why."""
    for need in sorted(case.needs):
        if lacking := _lacks(bench, need):
            return undecided(case, lacking)
    if case.stimulus is None:
        return undecided(case, "not measured: this bench does not run the test")
    try:
        if case.settings is not None and (refused := bench.configure(case.settings)):
            return undecided(case, f"the device did not take the settings: {refused}")
        record = bench.run(case.stimulus)
    except (DeviceError, LimitError) as error:
        return undecided(case, f"{error.found}; required: {error.required}; remedy: {error.remedy}")
    return CaseResult(case, record, tuple(case.judge(record)))


def _lacks(bench: Bench, need: str) -> str:
    if need == "laboratory":
        return "laboratory only: no document was imported"
    return bench.lacks(need)


def undecided(case: Case, reason: str) -> CaseResult:
    """Return a test whose verdicts are all inconclusive, for one reason."""
    nothing = np.zeros(0)
    empty = Record(nothing, np.zeros((3, 0)), nothing, nothing, nothing, nothing, nothing, doubt=reason)
    return CaseResult(case, None, tuple(case.judge(empty)), reason)
