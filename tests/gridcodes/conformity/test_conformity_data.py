"""The facts of the test standard: what they hold, what they refuse, and rows that are easily mixed up."""

import copy
from pathlib import Path

import pytest
from conformity_helpers import CODE, cases, rules

from v2glab.evidence import InputError, UsageError, read_toml
from v2glab.gridcodes.conformity import FAMILIES, Rules, list_cases, load_procedure_data, parse_procedure_data
from v2glab.gridcodes.conformity.families._protection import islanding_settings
from v2glab.resources import find_data

PATH = find_data("datasets", "conformity", "ieee1547.1-2020.toml")
DATA = load_procedure_data()


def parsed(change):
    document = copy.deepcopy(read_toml(PATH))
    change(document)
    return parse_procedure_data(document, PATH)


def test_the_file_says_of_every_fact_where_it_was_read():
    assert DATA.tolerance.factor == 1.5
    assert len(DATA.enter_service) == 6
    assert {c.name for c in DATA.curves("volt_var", "B")} == {"1", "2", "3"}
    assert [c.y_pu for c in DATA.curves("watt_var", "A")] == [(0.0, 0.0, -0.25)]


def test_tolerances_are_one_and_a_half_of_the_accuracies_of_the_code():
    """IEEE 1547-2018, Table 3: 1 %, 10 mHz, 5 % of rating; 2 cycles up to 5 s, 1 % from there on."""
    made = rules()
    seen = (made.reach_v, made.reach_f, made.reach_p, made.reach_q)
    assert seen == pytest.approx((0.015, 0.015, 0.075, 0.075))
    for duration, reach in ((0.16, 0.05), (4.99, 0.05), (5.0, 0.075), (300.0, 4.5)):
        assert made.reach_t(duration) == pytest.approx(reach), duration
    bare = Rules(CODE.model_copy(update={"accuracy": {}}), "III")
    with pytest.raises(InputError, match=r"accuracy voltage\.steady"):
        bare.reach_v  # noqa: B018


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: d.update(schema=2), "schema"),
        (lambda d: d["tolerance"].update(factor=-1.0), "factor"),
        (lambda d: d["tolerance"].update(source="hearsay"), "hearsay"),
        (lambda d: d["signal"][0].pop("clause"), "clause"),
        (lambda d: d.update(surprise=1), "surprise"),
        (lambda d: d["enter_service"][0].update(ramp_s=float("nan")), "ramp_s"),
        (lambda d: d.pop("procedure"), "procedure"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(change, named):
    with pytest.raises(InputError, match=named):
        parsed(change)


@pytest.mark.parametrize("category", ["I", "II", "III"])
@pytest.mark.parametrize("normal", ["A", "B"])
def test_each_family_has_cases_and_each_case_a_name_of_its_own(category, normal):
    found = cases(category=category, normal=normal)
    assert len({c.id for c in found}) == len(found)
    assert {c.family for c in found} == set(FAMILIES)
    assert all(c.clause for c in found)


def test_a_row_for_the_least_aggressive_droop_never_gets_the_most_aggressive():
    by_name = {row.name: islanding_settings(rules(), row) for row in DATA.islanding.case}
    for name in ("3b", "4b"):
        droop = by_name[name].droop
        assert (droop.deadband_over_hz, droop.droop_over, droop.olrt_s) == (1.0, 0.05, 10.0)
    assert by_name["5b"].droop.droop_over == 0.02
    assert by_name["5b"].volt_var.enabled and by_name["5b"].volt_watt.enabled
    other = islanding_settings(rules("II"), next(r for r in DATA.islanding.case if r.name == "5b"))
    assert (other.droop.droop_over, other.droop.olrt_s) == (0.03, 1.0)


def test_islanding_runs_with_the_widest_trips():
    trips = {
        t.name: (t.threshold, t.time_s) for t in islanding_settings(rules(), DATA.islanding.case[0]).trips
    }
    assert trips["ov2"] == (1.2, 0.16)
    assert max(t for _, t in trips.values()) == 1000.0
    assert "ov1" not in trips, "of two trips at one threshold the faster decides"


def test_a_code_without_type_tests_is_refused():
    from v2glab.gridcodes import load_code

    with pytest.raises(InputError, match="vde-ar-n-4105-2018"):
        Rules(load_code("vde-ar-n-4105-2018"), "default")


def test_a_name_that_fits_no_test_is_refused():
    with pytest.raises(UsageError, match="volt-vax"):
        list_cases(rules(), ["volt-vax"])
    assert [c.id for c in list_cases(rules(), ["trip.time.uv2.default"])] == ["trip.time.uv2.default"]
    assert Path(PATH).name.startswith(DATA.id)
    assert CODE.id in DATA.codes
