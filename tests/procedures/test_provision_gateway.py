"""Provisioning as a procedure."""

import hashlib
from pathlib import Path

import pytest

from v2glab.evidence import InputError, Outcome, UsageError
from v2glab.gateway import make_signed_image
from v2glab.procedures._procedure import Context, load_procedure, validate_parameters


def run(work_dir, seed=7, **values):
    procedure = load_procedure("provision_gateway")
    return procedure.execute(Context(validate_parameters(procedure, values), None, work_dir, seed))


def test_the_practice_run_is_the_same_for_the_same_seed(tmp_path):
    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    assert first.facts["sha256"] == second.facts["sha256"] != run(tmp_path / "c", seed=8).facts["sha256"]
    written = Path(first.facts["target"]).read_bytes()
    assert hashlib.sha256(written).hexdigest() == first.facts["sha256"]
    assert [v.outcome for v in first.verdicts] == [Outcome.PASS]
    assert first.tables["progress"]["share"].is_monotonic_increasing


def test_a_given_image_goes_to_the_given_target(tmp_path):
    image, manifest, key = make_signed_image(tmp_path / "maker", 1000, 3)
    target = tmp_path / "card.img"
    values = {"image": image, "manifest": manifest, "public_key": key, "target": target}
    run(tmp_path, **{k: str(v) for k, v in values.items()})
    assert target.read_bytes() == image.read_bytes()


def test_half_a_source_is_refused(tmp_path):
    with pytest.raises(UsageError):
        run(tmp_path, image="x.img")


def test_a_wrong_image_stops_the_run(tmp_path):
    image, manifest, key = make_signed_image(tmp_path / "maker", 1000, 3)
    image.write_bytes(b"\0" * 1000)
    with pytest.raises(InputError, match="SHA-256"):
        run(tmp_path, image=str(image), manifest=str(manifest), public_key=str(key))
