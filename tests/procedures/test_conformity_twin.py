"""The suite on the twin, through its grid simulator, analyser, inverter and charger over real sockets."""

import pytest

from v2glab.campaigns import run_single
from v2glab.evidence import Outcome

TESTS = (
    "synchronisation",
    "trip.time.uv2.default",
    "trip.magnitude.uv2.default",
    "rocof",
    "droop.below.default.p0",
    "volt-var.characteristic-1",
    "open-phase.a",
    "trip.time.uv2.most",
)


@pytest.fixture(scope="module")
def on_twin(tmp_path_factory):
    result, folder = run_single(
        "conformity",
        {"bench": "station", "station": "twin", "only": TESTS, "seed": 3},
        progress=None,
        render=None,
        root=tmp_path_factory.mktemp("runs"),
    )
    by_test = {}
    for row in result.tables["tests"].to_dict("records"):
        by_test[row["test"]] = row
    return result, by_test, folder


def test_what_the_twin_has_is_measured_and_judged(on_twin):
    _, tests, _ = on_twin
    for name in ("rocof.ramp", "trip.magnitude.uv2.default"):
        assert tests[name]["outcome"] == "pass", tests[name]


def test_what_it_lacks_is_open_with_the_reason(on_twin):
    _, tests, _ = on_twin
    for name, said in (
        ("volt-var.characteristic-1", "settings read-only"),
        ("trip.time.uv2.most", "settings read-only"),
        ("open-phase.a", "all phases alike"),
        ("trip.time.uv2.default", "eats the whole band"),
    ):
        assert tests[name]["outcome"] == "inconclusive"
        assert said in tests[name]["reason"], tests[name]


def test_a_plant_that_knows_no_droop_at_zero_power_fails(on_twin):
    """The twin takes a set-point of zero for "off": it has no droop from there, and the suite says so."""
    result, tests, _ = on_twin
    assert tests["droop.below.default.p0"]["outcome"] == "fail"
    failed = {v.criterion.clause for v in result.verdicts if v.outcome is Outcome.FAIL}
    assert failed == {"6.5.2.7"}


def test_readings_carry_the_certificate_of_the_analyser(on_twin):
    result, _, folder = on_twin
    seen = {v.quantity.certificate for v in result.verdicts if v.quantity and v.quantity.instrument}
    assert seen == {result.verdicts[0].quantity.certificate} - {""}
    assert (folder / "wire.parquet").stat().st_size > 10_000
    assert result.facts["bench"] == "station twin"
