"""The whole analysis: examples, real sessions, evidence of a run, command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2glab.evidence import Criterion, InputError, Outcome, Quantity, Result, judge, write_verdicts
from v2glab.procedures._procedure import Context, load_procedure, validate_parameters

PROCEDURE = load_procedure("analyse_barriers")
QUICK = {"rules": "double_levy,export_limit,settlement_interval", "users": 4}


def analyse(tmp_path: Path, seed: int = 7, **parameters: Any) -> Result:
    return PROCEDURE.execute(Context(validate_parameters(PROCEDURE, parameters), None, tmp_path, seed))


def test_examples_run_without_set_up_and_add_up(tmp_path: Path) -> None:
    result = analyse(tmp_path, **QUICK)
    rules = result.tables["rules"]
    assert rules["shapley"].sum() == pytest.approx(result.quantity("value_lost").value, rel=1e-9)
    by_rule = rules.set_index("rule")
    # Hourly prices settled by the hour: a rule that does nothing.
    for measure in ("shapley", "first_in", "last_in"):
        assert by_rule.loc["settlement_interval", measure] == 0.0
    assert (rules["shapley_low"] <= rules["shapley"]).all()
    assert (rules["shapley"] <= rules["shapley_high"]).all()
    outcomes = {v.criterion.id: v.outcome for v in result.verdicts}
    assert outcomes["v2glab.barriers.sum-check"] is Outcome.PASS
    assert outcomes["v2glab.barriers.vehicles"] is Outcome.FAIL
    assert len(result.tables["rule_sets"]) == 8
    assert {"no plug-out", "infeasible"} == set(result.tables["left_out"]["kind"])
    waterfall = result.tables["waterfall"]
    assert waterfall["value_after"].iloc[-1] == pytest.approx(result.quantity("value_with_all_rules").value)
    assert any("erfect foresight" in caveat for caveat in result.facts["caveats"])


def test_the_same_seed_gives_the_same_record(tmp_path: Path) -> None:
    quick = QUICK | {"users": 2}
    first, second = (analyse(tmp_path, **quick) for _ in range(2))
    assert first.quantities == second.quantities
    assert first.start_ns == second.start_ns
    for name, table in first.tables.items():
        assert table.equals(second.tables[name])
    other = analyse(tmp_path, seed=8, **quick)
    assert other.quantity("value_lost").value == first.quantity("value_lost").value
    assert other.quantity("value_lost").uncertainty != first.quantity("value_lost").uncertainty


def test_a_run_that_measured_no_export_permission_takes_all_value(tmp_path: Path) -> None:
    criterion = Criterion(
        id="v2glab.export.enabled",
        title="t",
        standard="v2glab",
        edition="1",
        clause="1",
        quantity="export_enable",
        lower=1.0,
        unit="1",
        source="t",
        confidence="confirmed",
    )
    verdict = judge(criterion, Quantity("export_enable", 0.0, "1", 0.0), evidence=("wire.log",))
    write_verdicts(tmp_path / "verdicts.json", {"export_load_test": [verdict]})
    result = analyse(tmp_path, rules="double_levy", users=3, evidence_run=str(tmp_path))
    assert result.quantity("value_with_all_rules").value == 0.0
    rules = result.tables["rules"].set_index("rule")
    source = "measured: verdict v2glab.export.enabled (export_load_test: wire.log)"
    assert rules.loc["export_limit", "value_source"] == source
    evidence = result.tables["barrier_evidence"]
    assert evidence["records"].tolist() == ["wire.log"]
    named_only = analyse(
        tmp_path, rules="double_levy", users=3, evidence_run=str(tmp_path), add_measured=False
    )
    assert named_only.facts["rules"] == ["double_levy"]


def test_wrong_parameters_stop_before_anything_is_priced(tmp_path: Path) -> None:
    for wrong in (
        {"rules": "nonsense"},
        {"rules": ""},
        {"sessions": "/nowhere.csv"},
        {"tariff": "nonsense"},
        {"minimum_days": 10_000.0},
        {"evidence_run": str(tmp_path)},
    ):
        with pytest.raises(InputError):
            analyse(tmp_path, **wrong)


@pytest.mark.real_data
def test_trondheim_users_under_two_price_years(tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    sessions = str(shared_data("sessions/trondheim_sessions.csv"))
    lost = {}
    for year in (2019, 2022):
        prices = str(shared_data(f"prices/nl_dayahead_{year}.csv"))
        result = analyse(tmp_path, sessions=sessions, prices=prices, rules="double_levy,export_limit")
        assert result.facts["vehicles"] >= 15
        kinds = result.tables["left_out"]["kind"].value_counts()
        assert kinds["no plug-out"] == 34  # counted in the file with a spreadsheet's eyes
        assert kinds["overlap"] >= 3
        vehicles = result.tables["vehicles"]
        assert (vehicles["value_without_rules"] >= vehicles["value_with_all_rules"] - 1e-6).all()
        assert np.isfinite(vehicles["value_without_rules"]).all()
        lost[year] = result.quantity("value_lost").value
    # The spreads of 2022 were many times those of 2019.
    assert lost[2022] > 10 * lost[2019] > 0


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from v2glab.cli import run

    arguments = ["--rules", "double_levy,export_limit=3.6", "--users", "2"]
    out = tmp_path / "out"
    assert run("barriers", [*arguments, "--out", str(out)], prog_name="v2glab barriers") == 0
    text = capsys.readouterr().out
    assert "double_levy" in text and "3.6 kW" in text and "erfect foresight" in text and "Findings:" in text
    assert {"authors.tex", "figures", "report.html"} <= {path.name for path in out.iterdir()}
    assert {"forest.svg", "forest.html", "forest.csv"} <= {p.name for p in (out / "figures").iterdir()}
    document = json.loads((out / "result.json").read_text())
    assert document["schema"] == "v2glab-barriers/1"
    names = {*document["tables"], "authors"}
    assert {p.name for p in out.glob("*.csv")} == {f"{name}.csv" for name in names}
    assert run("barriers", [*arguments, "--json"], prog_name="v2glab barriers") == 0
    assert json.loads(capsys.readouterr().out) == document
    for wrong in (["--rules", "nonsense"], ["analyse", "--wear-curve", "0.1"], ["--engine", "abacus"]):
        assert run("barriers", wrong, prog_name="v2glab barriers") == 2
        assert "remedy" in capsys.readouterr().err


def test_catalogue_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    from v2glab.cli import run

    assert run("barriers", ["list"], prog_name="v2glab barriers") == 0
    assert "not modelled yet" in capsys.readouterr().out
    assert run("barriers", ["list", "--json"], prog_name="v2glab barriers") == 0
    assert len(json.loads(capsys.readouterr().out)) >= 29
    assert run("barriers", ["show", "double_levy"], prog_name="v2glab barriers") == 0
    assert "Rödl" in capsys.readouterr().out
    assert run("barriers", ["show", "nonsense"], prog_name="v2glab barriers") == 2
    capsys.readouterr()
    assert run("barriers", ["check"], prog_name="v2glab barriers") == 1
    assert "needs a source" in capsys.readouterr().out
