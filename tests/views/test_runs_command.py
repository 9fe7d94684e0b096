"""`v2glab runs`: finds runs, compares them, and is not impressed by hostile folders."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_fixtures import synchronisation, write_run

from v2glab.cli import run as command
from v2glab.evidence import Quantity
from v2glab.views._compare import differs


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = command("runs", list(arguments), prog_name="v2glab runs")
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def root(tmp_path: Path) -> Path:
    first = synchronisation()
    write_run(tmp_path / "20260101T000000Z-twin-aaaa", first)
    changed = [
        replace(q, value=q.value + (0.0005 if q.name == "frequency_difference" else 5.0))
        for q in first.quantities
    ]
    second = replace(
        first, quantities=tuple(changed), verdicts=first.verdicts[:3], parameters={"threshold": 0.1}
    )
    write_run(
        tmp_path / "20260102T000000Z-twin-bbbb",
        second,
        versions={"numpy": "9.0"},
        parameters={"synchronise_grid": {"threshold": 0.1}},
    )
    return tmp_path


def test_list_names_incomplete_and_broken_runs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / ".incomplete-20260103T000000Z-twin-cccc").mkdir()
    (root / "zz-empty").mkdir()
    (root / "zz-list").mkdir()
    (root / "zz-list" / "run.json").write_text("[1, 2]")
    (root / "zz-bytes\x1b[31m").mkdir()
    (root / "zz-bytes\x1b[31m" / "run.json").write_bytes(b"\xff\x00")
    (root / "zz-directory" / "run.json").mkdir(parents=True)
    (root / "zz-loop").symlink_to("zz-loop")
    broken = write_run(root / "zz-verdicts", synchronisation())
    (broken / "verdicts.json").write_text('{"schema": 3}')
    code, out, _ = call(capsys, "list", "--root", str(root))
    assert code == 0
    lines = out.splitlines()
    assert "1 pass" in lines[0] and "1 fail" in lines[0]
    assert sum("  incomplete  " in line for line in lines) == 5
    assert any("zz-verdicts" in line and "unreadable" in line for line in lines)
    assert "\x1b" not in out
    code, out, _ = call(capsys, "list", "--root", str(root), "--json")
    assert [row["complete"] for row in json.loads(out)][:2] == [True, True]


def test_show_takes_name_prefix_path_and_latest(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = root / "20260102T000000Z-twin-bbbb"
    for name in (folder.name, "20260102", str(folder), "latest"):
        code, out, _ = call(capsys, "show", name, "--root", str(root), "--json")
        assert code == 0 and json.loads(out)["folder"] == str(folder)
    code, out, _ = call(capsys, "show", "latest", "--root", str(root))
    assert code == 0 and "≤ 0.3 Hz" in out and "report.html" in out


@pytest.mark.parametrize("name", ["2026", "nothing", "", "/nowhere/at/all", ".."])
def test_a_run_that_is_not_one_is_refused(root: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "show", name, "--root", str(root))
    assert code == 2 and "remedy" in err


def test_diff_tells_what_changed_and_nothing_else(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "diff", "20260101", "20260102", "--root", str(root), "--json")
    found = json.loads(out)
    assert code == 0
    assert [(e["name"], e["after"]) for e in found["verdicts"]] == [("uv1", "absent")]
    # The frequency moved within its uncertainty; the round trip is a matter of the machine's clock.
    assert [e["name"] for e in found["quantities"]] == ["voltage_difference", "contactor_closed"]
    assert [(e["name"], e["before"], e["after"]) for e in found["parameters"]] == [("threshold", 0.05, 0.1)]
    assert {e["name"] for e in found["versions"]} == {"numpy", "bokeh"}
    assert found["settings"] == [] and found["datasets"] == []
    code, out, _ = call(capsys, "diff", "20260101", "20260101", "--root", str(root))
    assert code == 0 and out == "no difference\n"


def test_joint_uncertainty_is_the_root_of_the_sum_of_squares() -> None:
    first = Quantity("x", 0.0, "V", 1.5)  # U = 3
    second = Quantity("x", 4.99, "V", 2.0)  # U = 4, joint 5
    assert not differs(first, second)
    assert differs(first, replace(second, value=5.01))
    assert differs(first, replace(second, unit="mV"))
