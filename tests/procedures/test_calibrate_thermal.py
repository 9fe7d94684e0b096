"""The thermal calibration on a twin whose heat sink is hot already, and its model without points."""

import pytest

import v2glab
from v2glab.control import allowed_current_pu
from v2glab.evidence import Outcome
from v2glab.procedures._thermal_model import fit_foldback

pytestmark = pytest.mark.slow


def test_a_hot_sink_is_a_finding_and_the_limit_is_only_ever_lowered() -> None:
    run = v2glab.open_run("calibrate_thermal", faults=("hot_heatsink",), heat_s=120.0, max_temp_celsius=82.0)
    try:
        result = run.execute()
        limit = run.station.instrument("charger").read("max_temperature")["max_temperature"].value
    finally:
        run.close()
    assert limit == pytest.approx(82.0, abs=0.05)
    assert result.tables["foldback"]["max_temperature"].max() <= 82.0
    assert result.facts["shares_out_of_reach"]
    outcomes = {v.criterion.id: v for v in result.verdicts}
    rated = outcomes["v2glab.thermal.continuous-current"]
    assert rated.outcome is Outcome.INCONCLUSIVE
    assert "folded" in rated.reason
    for row in result.tables["foldback"].itertuples():
        # sensors and registers of 0.1 K over a rise of 40 K, on a law that falls from 1 to 0 within 0.15
        assert row.allowed_pu == pytest.approx(allowed_current_pu(row.share), abs=0.1)


def test_without_a_point_nothing_is_said_of_the_foldback() -> None:
    fit = fit_foldback([], [], 0.01)
    assert (fit.onset, fit.u_onset, fit.largest_deviation) == (None, None, None)
