"""`v2glab gridcodes`: lists, shows and compares; figures stand alone and hold what the data say."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from v2glab.cli import run as command
from v2glab.gridcodes import code_rows, compare_rows, droop_power_pu, list_codes, load_code, unverified
from v2glab.resources import find_data
from v2glab.views import select_code
from v2glab.views._gridcodes_plot import code_figures, response_pu
from v2glab.views._region_plot import trip_boundary


def call(capsys, *arguments):
    code = command("gridcodes", list(arguments), prog_name="v2glab gridcodes")
    out, err = capsys.readouterr()
    return code, out, err


def test_list_names_every_code_with_what_must_be_checked(capsys):
    code, out, _ = call(capsys, "list", "--json")
    listed = {entry["id"]: entry for entry in json.loads(out)}
    assert code == 0
    assert tuple(sorted(listed)) == list_codes()
    german = listed["vde-ar-n-4105-2018"]
    assert 0 < german["unverified"] < german["limits"]
    assert listed["vde-ar-n-4105-2026"]["limits"] == 0
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert all(name in out for name in list_codes())


def test_show_prints_limits_clauses_and_what_must_be_checked(capsys):
    code, out, _ = call(capsys, "show", "ieee1547-2018", "--category", "III")
    assert code == 0
    assert "6.4.1 Table 13" in " ".join(out.split())
    assert "Table 11" not in out  # of another category
    rows = code_rows(load_code("ieee1547-2018"), "III")
    assert f"{len(unverified(rows))} of {len(rows)} limits" in out
    code, out, _ = call(capsys, "show", "ieee1547-2018", "--category", "III", "--normal", "B", "--json")
    rows = code_rows(load_code("ieee1547-2018"), "III", "B")
    shown = {(r["group"], r["name"]): r["value"] for r in json.loads(out)["rows"]}
    assert len(shown) == len(rows)
    assert shown["trip", "voltage uv1"] == "< 0.88 p.u. within 21 s"


def test_show_says_that_an_empty_edition_judges_nothing(capsys):
    code, out, _ = call(capsys, "show", "vde-ar-n-4105-2026")
    assert code == 0
    assert "nothing can be judged" in out


def test_compare_marks_what_differs(capsys):
    code, out, _ = call(capsys, "compare", "ieee1547-2018", "ieee1547a-2020", "--differences", "--json")
    assert code == 0
    assert sorted(p["name"] for p in json.loads(out)) == ["voltage uv1", "voltage uv2"]
    code, out, _ = call(
        capsys, "compare", "ieee1547-2018", "ieee1547-2018", "--category", "I", "--category", "III"
    )
    assert code == 0
    assert "no limit known" in out  # Category I does not restore output
    code, out, _ = call(capsys, "compare", "ieee1547-2018", "ieee1547-2018", "--differences")
    assert "0 differ" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "ieee9999"), "ieee1547-2018"),
        (("show", "../secrets"), "no file"),
        (("show", "ieee1547-2018", "--category", "IV"), "one of: I, II, III"),
        (("compare", "ieee1547-2018", "ieee9999"), "ieee9999"),
        (("compare", "ieee1547-2018", "erec-g98", "--category", "III"), "type-a"),
        (("compare", "erec-g98", "erec-g99", *["--category", "type-a"] * 3), "3 categories"),
    ],
)
def test_unknown_codes_and_categories_are_refused(capsys, arguments, says):
    code, _, err = call(capsys, *arguments)
    assert code == 2
    assert says in err


def test_a_file_of_ones_own_is_shown_and_cannot_write_to_the_terminal(tmp_path, capsys):
    text = find_data("datasets", "gridcodes", "en50549-1-2019.toml").read_text()
    own = tmp_path / "own.toml"
    own.write_text(text.replace('clause = "ROCOF immunity"', 'clause = "red \\u001b[31m"'))
    code, out, _ = call(capsys, "show", str(own))
    assert code == 0
    assert "2 Hz/s" in out
    assert "\x1b" not in out


class Page(HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.attributes, self.text, self._inside = [], "", ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.attributes += [name for name, _ in attrs]
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.text += data


def test_the_page_stands_alone_and_lists_what_must_be_checked(tmp_path, capsys):
    out = tmp_path / "compare.html"
    code, _, _ = call(capsys, "compare", "ieee1547-2018", "as4777.2-2020", "--out", str(out))
    assert code == 0
    page = Page(out.read_text())
    assert not {"src", "href", "action", "data", "poster"} & set(page.attributes)
    for selected in (select_code(load_code(n)) for n in ("ieee1547-2018", "as4777.2-2020")):
        rules, normal = selected.rules, selected.normal
        count = len(unverified(code_rows(selected.code, rules.name, normal.name)))
        assert f"{selected.label}: {count} unverified" in page.text
    assert "no watt-var known" in out.read_text()


@pytest.mark.parametrize("name", list_codes())
def test_every_code_can_be_drawn(name):
    figures = code_figures([select_code(load_code(name))])
    assert len(figures) == 6
    assert all(row.children[0].renderers for row in figures.values())


def test_hostile_text_of_a_file_does_not_become_markup(tmp_path, capsys):
    text = find_data("datasets", "gridcodes", "en50549-1-2019.toml").read_text()
    own = tmp_path / "own.toml"
    own.write_text(text.replace('edition = "2019"', "edition = \"<script>alert('x')</script>\""))
    call(capsys, "show", str(own), "--out", str(tmp_path / "page.html"))
    assert "<script>alert" not in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("name", list_codes())
def test_rows_name_a_source_and_none_is_lost_when_a_code_is_compared_with_itself(name):
    code = load_code(name)
    category = code.default_category or None
    rows = code_rows(code, category, code.default_normal_category or None)
    assert all(row.clause and row.source and row.standard for row in rows)
    pairs = compare_rows(rows, rows)
    assert len(pairs) == len(rows)
    assert not any(pair.differs for pair in pairs)


def test_the_boundary_of_trips_holds_each_threshold_from_its_time_on():
    trips = [t for t in load_code("ca-rule21").category("III").voltage_trips if t.side == "low"]
    times, values = trip_boundary(trips, 0.0)
    for trip in trips:
        assert np.interp(trip.time_s * 1.001, times, values) == pytest.approx(trip.threshold)
    assert (np.diff(values) >= 0).all()


def test_the_drawn_response_is_that_of_the_droop():
    deviation = np.array([-1.0, -0.02, 0.0, 0.5, 2.0])
    ours = response_pu(select_code(load_code("ieee1547-2018")), deviation)
    settings = {
        "deadband_over_hz": 0.036,
        "deadband_under_hz": 0.036,
        "droop_over": 0.05,
        "droop_under": 0.05,
    }
    theirs = [droop_power_pu(60 + d, 0.0, nominal_hz=60, minimum_pu=-1, **settings) for d in deviation]
    assert ours == pytest.approx(theirs)
    one_sided = response_pu(select_code(load_code("erec-g98")), deviation)
    assert np.isnan(one_sided[:2]).all()  # below nominal nothing is known
    assert one_sided[4] == pytest.approx(-(2 - 0.4) / (50 * 0.1))
    assert response_pu(select_code(load_code("eu-2016-1447")), deviation) is None
