"""Prove conformity with a grid code: type tests on a model in memory, the twin, or a laboratory's station."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from v2glab.evidence import Result, write_atomic
from v2glab.gridcodes import load_code
from v2glab.gridcodes.conformity import (
    Case,
    CaseResult,
    ModelBench,
    Rules,
    junit_xml,
    list_cases,
    read_evidence,
    run_suite,
)
from v2glab.procedures._conformity_tables import counts, sample_table, test_table, verdict_rows
from v2glab.procedures._procedure import Context, Parameters, Procedure

if TYPE_CHECKING:
    from v2glab.gridcodes.conformity import Bench
    from v2glab.station import Site

#: Longest time for which a station is energised for a suite; one frequency trip may take a thousand seconds.
_LONGEST_S = 86_400.0


class ConformityParameters(Parameters):
    """Parameters of the suite.

    Attributes
    ----------
    code, category, normal_category
        Grid code, abnormal and normal performance category.
    bench
        ``"model"``: the reference model in memory; ``"station"``: the station of this run.
    only
        Families or tests to run, patterns among them; empty: all.
    evidence
        File of ``[[evidence]]`` entries for tests that a bench cannot run.
    """

    code: str = Field(default="ieee1547-2018", min_length=1)
    category: str = Field(default="III", min_length=1)
    normal_category: Literal["A", "B"] = "B"
    bench: Literal["model", "station"] = "model"
    only: tuple[str, ...] = ()
    evidence: str = ""


def execute(context: Context[ConformityParameters]) -> Result:
    """Run the suite, judge every test, and write ``junit.xml`` into the record.

    Raises
    ------
    UsageError, InputError
        A code, category, test or file is not what it has to be; nothing was energised.
    """
    parameters = context.parameters
    evidence = read_evidence(Path(parameters.evidence)) if parameters.evidence else {}
    rules = _rules(context)
    cases = list_cases(rules, parameters.only)
    start_ns = context.station.clock.now_ns() if context.station else 0
    results: list[CaseResult] = []
    with _bench(context, rules, cases) as bench:
        for result in run_suite(bench, cases, evidence):
            results.append(result)
            played = sum(
                r.case.stimulus.duration_s for r in results if r.record is not None and r.case.stimulus
            )
            context.progress({"time_s": played, "test": len(results), "tests": len(cases)})
        name = bench.name
    title = f"{rules.code.standard} {rules.code.edition}, category {rules.category}, {name}"
    write_atomic(context.work_dir / "junit.xml", junit_xml(title, results).encode())
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=parameters.model_dump(),
        verdicts=tuple(v for r in results for v in r.verdicts),
        tables={
            "tests": test_table(results),
            "verdicts": verdict_rows(results),
            "samples": sample_table(results),
        },
        facts={
            "bench": name,
            "code": rules.code.id,
            "category": rules.category,
            "normal_category": rules.normal_category,
            "tests": counts(results),
            "evidence": {key: item.text() for key, item in evidence.items()},
        },
    )


def _rules(context: Context[ConformityParameters]) -> Rules:
    parameters = context.parameters
    code = load_code(parameters.code)
    plate = _nameplate(context.station.site) if context.station else {}
    return Rules(code, code.category(parameters.category).name, parameters.normal_category, nameplate=plate)


def _nameplate(site: Site) -> dict[str, object]:
    """Return what the site says of the device; voltages of the plate are between lines."""
    return {
        "p_max_w": site.rated_power_w,
        "p_charge_max_w": site.rated_power_w,
        "s_max_va": site.rated_power_w,
        "s_charge_max_va": site.rated_power_w,
        "v_nominal_v": round(site.nominal_voltage_v * (math.sqrt(3.0) if site.phases == 3 else 1.0), 1),
        "f_nominal_hz": site.nominal_frequency_hz,
        "phases": site.phases,
    }


@contextmanager
def _bench(context: Context[ConformityParameters], rules: Rules, cases: list[Case]) -> Iterator[Bench]:
    if context.station is None:
        yield ModelBench(seed=context.seed)
        return
    from v2glab.procedures._conformity_station import StationBench

    with context.station.energised(max_s=_LONGEST_S) as lease:
        bench = StationBench(context.station, lease, rules.base)
        try:
            yield bench
        finally:
            bench.finish()


def _on_station(parameters: Any) -> bool:  # noqa: ANN401 -- parameters of this procedure
    return bool(parameters.bench == "station")


PROCEDURE = Procedure(
    name="conformity",
    title="Conformity with a grid code",
    parameters=ConformityParameters,
    execute=execute,
    needs_station=False,
    energises=True,
    station_if=_on_station,
)
