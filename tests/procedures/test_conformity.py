"""The procedure and the command: what they refuse, what they leave, on a model in memory."""

import json
import sys
import xml.etree.ElementTree as ET

import pytest

from v2glab.cli import run
from v2glab.evidence import InputError, Outcome, UsageError, read_verdicts
from v2glab.procedures import NOTEBOOKS, Context, load_procedure, validate_parameters

PROCEDURE = load_procedure("conformity")
TESTS = ("rocof", "priority", "laboratory", "trip.time.uv2.default")


def proved(tmp_path, **values):
    parameters = validate_parameters(PROCEDURE, {"only": TESTS, **values})
    seen = []
    result = PROCEDURE.execute(Context(parameters, None, tmp_path, seed=5, progress=seen.append))
    return result, seen


def test_the_record_holds_a_row_a_test_and_samples_for_its_plot(tmp_path):
    result, seen = proved(tmp_path)
    tests = result.tables["tests"]
    assert list(tests["test"]) == [
        "trip.time.uv2.default",
        "rocof.ramp",
        "priority.reactive",
        "priority.active",
        *(
            f"laboratory.{n}"
            for n in ("surge", "temperature", "electromagnetic-interference", "paralleling-device")
        ),
    ]
    assert [int(s["test"]) for s in seen] == list(range(1, 9))
    assert result.facts["tests"] == {"pass": 4, "fail": 0, "inconclusive": 4, "not applicable": 0}
    assert set(result.tables["samples"]["test"]) == set(tests["test"][:4])
    assert len(result.tables["verdicts"]) == len(result.verdicts)
    root = ET.fromstring((tmp_path / "junit.xml").read_text())
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("8", "0", "4")


def test_one_seed_gives_one_result(tmp_path):
    first, again = (proved(tmp_path)[0] for _ in range(2))
    assert [v.to_json() for v in first.verdicts] == [v.to_json() for v in again.verdicts]
    other = PROCEDURE.execute(Context(first_parameters(), None, tmp_path, seed=6))
    assert [v.quantity for v in other.verdicts] != [v.quantity for v in first.verdicts]


def first_parameters():
    return validate_parameters(PROCEDURE, {"only": TESTS})


@pytest.mark.parametrize(
    ("values", "error", "named"),
    [
        ({"code": "no-such-code"}, InputError, "no-such-code"),
        ({"category": "IV"}, UsageError, "IV"),
        ({"normal_category": "C"}, UsageError, "normal_category"),
        ({"bench": "table"}, UsageError, "bench"),
        ({"only": ("nonsense",)}, UsageError, "nonsense"),
        ({"evidence": "nowhere.toml"}, InputError, "nowhere.toml"),
        ({"code": "en50549-1-2019"}, InputError, "type tests for en50549-1-2019"),
        ({"surprise": 1}, UsageError, "surprise"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_runs(tmp_path, values, error, named):
    with pytest.raises(error, match=named):
        if values.get("code") == "en50549-1-2019":
            from v2glab.gridcodes import load_code

            values["category"] = load_code(values["code"]).default_category
        proved(tmp_path, **values)
    assert not (tmp_path / "junit.xml").exists()


def test_the_station_is_needed_only_when_it_is_the_bench():
    model = PROCEDURE.resolved(validate_parameters(PROCEDURE, {}))
    station = PROCEDURE.resolved(validate_parameters(PROCEDURE, {"bench": "station"}))
    assert (model.needs_station, model.energises) == (False, False)
    assert (station.needs_station, station.energises) == (True, True)
    assert NOTEBOOKS["prove_grid_code"] == PROCEDURE.name


def command(*arguments):
    return run("conformity", list(arguments), prog_name="v2glab conformity")


def test_the_command_leaves_a_sealed_run_with_verdicts_junit_and_report(tmp_path, capsys):
    names = [part for name in TESTS for part in ("--only", name)]
    assert command("--out", str(tmp_path), "--json", *names) == 0
    document = json.loads(capsys.readouterr().out)
    (folder,) = tmp_path.iterdir()
    assert document["run"] == str(folder)
    assert len(document["tests"]) == 8
    verdicts = read_verdicts(folder / "verdicts.json")["conformity"]
    assert {v.outcome for v in verdicts} == {Outcome.PASS, Outcome.INCONCLUSIVE}
    ET.parse(folder / "results" / "conformity" / "junit.xml")
    report = (folder / "report.html").read_text()
    assert "trip.time.uv2.default" in report
    assert "No figure" not in report


def test_the_command_lists_tests_and_takes_evidence(tmp_path, capsys):
    assert command("--list", "--only", "phase-jump") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        f"phase-jump.{x}" for x in "bcdef"
    ]
    evidence = tmp_path / "evidence.toml"
    evidence.write_text(
        'schema = 1\n[[evidence]]\ntest = "laboratory.surge"\ndocument = "TR-1"\ndate = 2026-01-31\n'
        'laboratory = "L"\nverdict = "fail"\n'
    )
    arguments = ("--only", "laboratory", "--evidence", str(evidence), "--out", str(tmp_path / "runs"))
    assert command(*arguments, "--strict") == 1
    assert "imported: TR-1, L, 2026-01-31" in capsys.readouterr().out


def test_progress_is_drawn_on_a_terminal_only(tmp_path, capsys, monkeypatch):
    arguments = ("--only", "priority", "--out", str(tmp_path))
    assert command(*arguments) == 0
    assert "/2" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert command(*arguments) == 0
    drawn = capsys.readouterr().err.split("\r")
    assert [line.split()[-1] for line in drawn if "#" in line] == ["1/2", "2/2"]


def test_a_wrong_name_exits_with_two(tmp_path, capsys):
    assert command("--only", "nothing", "--out", str(tmp_path)) == 2
    assert "nothing" in capsys.readouterr().err
