"""The environment check as a procedure and as a command."""

import json
import subprocess
import sys

from v2glab.evidence import Outcome
from v2glab.procedures._procedure import Context, load_procedure, validate_parameters


def run(tmp_path, **values):
    procedure = load_procedure("check_environment")
    return procedure.execute(Context(validate_parameters(procedure, values), None, tmp_path))


def test_this_machine_is_ready_and_every_row_is_whole(tmp_path):
    result = run(tmp_path)
    table = result.tables["checks"]
    assert result.verdicts[0].outcome is Outcome.PASS
    assert set(table["status"]) <= {"ok", "missing", "degraded", "unknown"}
    assert {"port 8883", "port 15118", "kernel", "openssl", "clock"} <= set(table["check"])


def test_a_missing_need_is_a_failed_verdict(tmp_path):
    result = run(tmp_path, disk_gb=999_999)
    assert result.verdicts[0].outcome is Outcome.FAIL
    assert result.facts["failed"] == ["disk"]


def test_doctor_prints_one_json_document():
    done = subprocess.run(
        [sys.executable, "-m", "v2glab", "doctor", "--json"], capture_output=True, text=True, check=False
    )
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document["ready"] else 2)
    assert all({"name", "status", "found", "required", "remedy"} <= set(c) for c in document["checks"])
