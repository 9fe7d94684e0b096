"""Where vehicles are priced changes no number; what was priced before a kill is kept."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from v2glab.evidence import Result, UsageError
from v2glab.procedures._procedure import Context, load_procedure, validate_parameters

PROCEDURE = load_procedure("analyse_barriers")
QUICK: dict[str, Any] = {"rules": "double_levy,export_limit", "users": 4}


def analyse(tmp_path: Path, **parameters: Any) -> tuple[Result, list[float]]:
    seen: list[float] = []
    values = validate_parameters(PROCEDURE, QUICK | parameters)
    context = Context(values, None, tmp_path, 7, lambda sample: seen.append(sample["vehicles_done"]))
    return PROCEDURE.execute(context), seen


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return analyse(tmp_path_factory.mktemp("serial"), engine="serial")[0]


def test_processes_give_the_same_numbers(serial: Result, tmp_path: Path) -> None:
    spread, seen = analyse(tmp_path, engine="processes:2")
    assert serial.quantities == spread.quantities
    assert serial.parameters == spread.parameters
    for name, table in serial.tables.items():
        assert table.equals(spread.tables[name]), name
    assert seen == [0, 1, 2, 3, 4]


def test_a_cluster_gives_the_same_numbers(serial: Result, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as farm:
        spread, _ = analyse(tmp_path, engine=farm.scheduler_address.replace("tcp://", "dask://"))
    assert serial.quantities == spread.quantities


def test_a_killed_analysis_goes_on_where_it_stopped(serial: Result, tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from v2glab.procedures._procedure import Context, load_procedure, validate_parameters\n"
        "procedure = load_procedure('analyse_barriers')\n"
        f"values = validate_parameters(procedure, {QUICK | {'store': str(tmp_path / 'kept')}!r})\n"
        "def progress(sample):\n"
        "    if sample['vehicles_done'] == 2:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"procedure.execute(Context(values, None, Path({str(tmp_path)!r}), 7, progress))\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    continued, seen = analyse(tmp_path, store=str(tmp_path / "kept"))
    assert seen[0] == 2 and seen[-1] == 4
    assert continued.quantities == serial.quantities
    _, again = analyse(tmp_path, store=str(tmp_path / "kept"))
    assert again == [4]
    # Another setting depends on none of what was kept.
    _, other = analyse(tmp_path, store=str(tmp_path / "kept"), battery_kwh=50.0)
    assert other[0] == 0


def test_torn_and_foreign_lines_of_the_store_are_priced_anew(serial: Result, tmp_path: Path) -> None:
    analyse(tmp_path, store=str(tmp_path / "kept"))
    (file,) = (tmp_path / "kept").iterdir()
    lines = [line for line in file.read_bytes().splitlines() if line]
    wrong = json.loads(lines[1]) | {"values": [1.0]}
    torn = [lines[0], lines[2][:-9], json.dumps(wrong).encode(), b"[]", b'{"job": 99, "values": []}']
    file.write_bytes(b"\n".join(torn))
    again, seen = analyse(tmp_path, store=str(tmp_path / "kept"))
    assert seen == [1, 2, 3, 4]
    assert again.quantities == serial.quantities


@pytest.mark.parametrize("engine", ["threads", "dask://", "dask://host", "processes:0", "dask://a b:1"])
def test_unknown_engines_are_refused(tmp_path: Path, engine: str) -> None:
    with pytest.raises(UsageError, match="engine"):
        analyse(tmp_path, engine=engine)
