"""Figures of a suite: every test has its samples, its limits in the right place, and its verdicts."""

import math

import numpy as np
import pytest

from v2glab.evidence import Outcome, UsageError
from v2glab.gridcodes import load_code
from v2glab.gridcodes.conformity import ModelBench, Rules, list_cases, run_suite
from v2glab.procedures import Context, load_procedure, validate_parameters
from v2glab.views import plot, plot_conformity, plot_conformity_test
from v2glab.views._conformity import _first
from v2glab.views._conformity_data import suite_columns

TESTS = (
    "trip.time.uv2.default",
    "droop.above.default.p100",
    "voltage-ride-through.lvrt-regions.p100",
    "power-quality.harmonics",
    "laboratory.surge",
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    procedure = load_procedure("conformity")
    parameters = validate_parameters(procedure, {"only": TESTS})
    return procedure.execute(Context(parameters, None, tmp_path_factory.mktemp("suite"), seed=5))


def rows_of(columns, kind, test):
    place = list(columns.tests["test"]).index(test)
    first, last = (int(columns.tests[f"{end}_{kind}"][place]) for end in ("first", "last"))
    held = columns.samples if kind == "sample" else columns.verdicts
    return {name: values[first:last] for name, values in held.items()}


def test_each_test_names_the_rows_of_its_own_samples_and_verdicts(result):
    columns, samples = suite_columns(result), result.tables["samples"]
    assert sorted(columns.tests["test"]) == sorted(TESTS)
    counted = 0
    for test in columns.tests["test"]:
        own = samples[samples["test"] == test]
        drawn = rows_of(columns, "sample", test)
        assert np.allclose(drawn["p_pu"], own["p_pu"], atol=1e-6)
        assert np.allclose(drawn["v_least_pu"], own[["v_a_pu", "v_b_pu", "v_c_pu"]].min(axis=1), atol=1e-6)
        counted += len(rows_of(columns, "verdict", test)["title"])
    assert counted == len(result.verdicts)
    assert not len(rows_of(columns, "sample", "laboratory.surge")["time_s"])
    assert rows_of(columns, "verdict", "laboratory.surge")["value"] == ["–"]


def test_the_response_passes_through_the_bands_of_the_verdicts_that_passed(result):
    """A band drawn elsewhere than where the verdict was read would miss the curve."""
    columns, seen = suite_columns(result), 0
    for test in TESTS[:3]:
        drawn = rows_of(columns, "sample", test)
        bands = rows_of(columns, "verdict", test)
        for k in range(len(bands["title"])):
            place = [bands[n][k] for n in ("left", "right", "bottom", "top")]
            channel = {"#1f5fa8": "p_pu", "#c2571a": "q_pu", "#6b4c9a": "i_pu"}.get(bands["tint"][k])
            if channel is None or not all(map(math.isfinite, place)):
                continue
            left, right, bottom, top = place
            inside = (drawn["time_s"] >= left) & (drawn["time_s"] <= right)
            if inside.any():
                mean = drawn[channel][inside].mean()
                assert bottom - 1e-3 <= mean <= top + 1e-3, (test, bands["title"][k])
                seen += 1
    assert seen >= 6


def test_the_band_of_a_duration_holds_the_trip(result):
    columns = suite_columns(result, "trip.time.uv2.default")
    left, right = columns.verdicts["left"][0], columns.verdicts["right"][0]
    assert (left, right) == pytest.approx((3.95, 4.05), abs=0.01)
    gone = columns.samples["time_s"][columns.samples["connected"] > 0.5][-1]
    assert left < gone < right
    assert columns.verdicts["colour"][0] == "#1b6b3a"


def test_a_failed_verdict_stands_beyond_its_limit_and_its_test_comes_first():
    rules = Rules(load_code("ieee1547-2018"), "III", "B")
    tests = list_cases(rules, ["rocof", "trip.time.uv2.default"])

    class Late(ModelBench):
        def configure(self, settings):
            return super().configure(settings.with_(rules=None).with_trip("uv2", time_s=2.2))

    from v2glab.evidence import Result
    from v2glab.procedures._conformity_tables import sample_table, test_table, verdict_rows

    runs = list(run_suite(Late(), tests))
    verdicts = tuple(v for r in runs for v in r.verdicts)
    tables = {"tests": test_table(runs), "verdicts": verdict_rows(runs), "samples": sample_table(runs)}
    found = Result("conformity", 0, {}, verdicts=verdicts, tables=tables)
    assert Outcome.FAIL in {v.outcome for v in verdicts}
    bad = rows_of(suite_columns(found), "verdict", "trip.time.uv2.default")
    assert bad["outcome"][0] == "fail"
    assert bad["share"][0] == pytest.approx(min(200.0, 100 * 0.2 / 0.05), abs=10)
    panels = plot(found).children[1]
    headings = [t.text for t in panels.select({"type": _title()}) if "fail" in t.text]
    assert headings == ["✘ fail: Trip uv2 at default settings, time"]


def _title():
    from bokeh.models import Title

    return Title


def test_the_whole_suite_takes_a_handful_of_figures(result):
    """One map and the panels of one test, however many tests there are."""
    from bokeh.models import Plot

    assert len(list(plot(result).select({"type": Plot}))) == 5
    assert len(list(plot_conformity_test(result, TESTS[1]).select({"type": Plot}))) == 4
    with pytest.raises(UsageError, match="nothing"):
        plot_conformity_test(result, "nothing")


def test_the_map_begins_with_a_test_that_has_curves_unless_one_failed(result):
    from bokeh.models import ColumnDataSource

    chosen = [
        source
        for source in plot_conformity(result).select({"type": ColumnDataSource})
        if "heading" in source.data
    ]
    (place,) = chosen[0].selected.indices
    assert chosen[0].data["test"][place] != "laboratory.surge"
    assert chosen[0].data["last_sample"][place] > chosen[0].data["first_sample"][place]
    outcomes = {"first_sample": [0, 0, 3], "last_sample": [0, 3, 9]}
    assert _first({"outcome": ["inconclusive", "pass", "inconclusive"], **outcomes}) == 2
    assert _first({"outcome": ["fail", "pass", "inconclusive"], **outcomes}) == 0
    assert _first({}) is None
