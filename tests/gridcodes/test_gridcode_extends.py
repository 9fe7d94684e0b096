"""A code that is a difference to another: what is taken over, what changes, what is refused."""

import contextlib
import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.evidence import InputError, read_toml
from v2glab.gridcodes import load_code, parse_code, read_code
from v2glab.gridcodes._extend import TOP
from v2glab.resources import find_data

SMALL = {"ieee1547-2018": read_toml(find_data("datasets", "gridcodes", "en50549-1-2019.toml"))}
CITED = {"clause": "1", "source": "here", "confidence": "confirmed"}


def difference(**parts):
    code = {
        "id": "mine",
        "extends": "ieee1547-2018",
        "inherited_confidence": "kept",
        "title": "t",
        "standard": "Mine",
        "edition": "1",
    }
    code |= parts.pop("code", {})
    return {"schema": 1, "code": code, "sources": {"here": "a text"}, **parts}


def test_the_amendment_changes_three_ranges_and_nothing_else():
    before, after = load_code("ieee1547-2018"), load_code("ieee1547a-2020")
    for name in ("I", "II"):
        assert after.category(name) == before.category(name)
    changed = {
        t.name: t.time_range_s
        for t in after.category("III").trips
        if t.time_range_s != before.category("III").trip(t.name).time_range_s
    }
    assert changed == {"uv1": (2, 50), "uv2": (0.16, 21)}
    assert [(t.name, t.threshold, t.time_s) for t in after.category("III").trips] == [
        (t.name, t.threshold, t.time_s) for t in before.category("III").trips
    ]
    assert after.category("III").trip("uv1").standard == "IEEE 1547a"


def test_what_is_taken_over_keeps_its_own_standard_under_the_new_identity():
    code = load_code("ul1741sb-2021")
    assert len(code.criteria) == len(load_code("ieee1547-2018").criteria)
    criterion = code.criteria["ul1741sb-2021.dc-injection"]
    assert (criterion.standard, criterion.edition, criterion.confidence) == ("IEEE 1547", "2018", "confirmed")
    assert code.criteria["ul1741sb-2021.trip.uv1.iii"].standard == "IEEE 1547a"
    assert all(k.startswith("ul1741sb-2021.") for k in code.criteria)


def test_what_nobody_confirmed_is_lowered_and_own_figures_are_not():
    code = load_code("ca-rule21")
    assert list(code.categories) == ["III"]
    assert code.criteria["ca-rule21.trip.uv3.iii"].confidence == "confirmed"
    assert code.criteria["ca-rule21.trip.uf2.iii"].confidence == "unverified"
    assert code.criteria["ca-rule21.dc-injection"].confidence == "unverified"
    assert code.normal_category("B").volt_var.confidence == "unverified"
    assert code.enter_service.confidence == "unverified"  # the delay is known, the window is taken over
    assert code.category("III").trip("uv2").time_range_s is None


@pytest.mark.parametrize("lesser", ["base", "own"])
def test_a_merged_entry_has_the_lesser_confidence(lesser):
    base = copy.deepcopy(read_toml(find_data("datasets", "gridcodes", "ieee1547-2018.toml")))
    confidence = {"base": "confirmed", "own": "unverified"}[lesser]
    if lesser == "base":
        base["enter_service"]["confidence"] = "unverified"
    changed = {"delay_s": {"default": 60.0, "replace": True}, **CITED, "confidence": confidence}
    code = parse_code(difference(enter_service=changed), "mine.toml", {"ieee1547-2018": base}.__getitem__)
    assert code.enter_service.delay_s.default == 60
    assert code.enter_service.voltage_low_pu.default == 0.917
    assert code.enter_service.confidence == "unverified"


def test_the_base_is_not_changed_by_what_extends_it():
    before = load_code("ieee1547-2018").model_dump()
    parse_code(difference(code={"inherited_confidence": "unverified"}), "mine.toml")
    load_code.cache_clear()
    assert load_code("ieee1547-2018").model_dump() == before


def test_left_out_entries_are_gone():
    code = parse_code(
        difference(code={"without": ["islanding", "criterion.flicker.pst", "category.II.droop"]}), "mine.toml"
    )
    assert code.islanding is None
    assert "mine.flicker.pst" not in code.criteria
    assert "mine.flicker.plt" in code.criteria
    assert code.category("II").droop is None
    assert code.category("III").droop is not None


def test_a_base_beside_the_file_is_found_first(tmp_path):
    text = find_data("datasets", "gridcodes", "en50549-1-2019.toml").read_text()
    (tmp_path / "own.toml").write_text(text.replace('"en50549-1-2019"', '"own"'))
    (tmp_path / "mine.toml").write_text(
        'schema = 1\n[code]\nid = "mine"\nextends = "own"\ninherited_confidence = "kept"\ntitle = "t"\n'
        'standard = "S"\nedition = "1"\n[sources]\n'
    )
    assert "mine.rocof.default" in read_code(tmp_path / "mine.toml").criteria


def test_circles_are_refused():
    one, two = (
        difference(code={"id": "one", "extends": "two"}),
        difference(code={"id": "two", "extends": "one"}),
    )
    with pytest.raises(InputError, match="circle: one → two → one"):
        parse_code(one, "one.toml", {"one": one, "two": two}.__getitem__)
    own = difference(code={"extends": "mine"})
    with pytest.raises(InputError, match="circle"):
        parse_code(own, "mine.toml", {"mine": own}.__getitem__)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"code": {"extends": "ieee9999"}}, "ieee9999"),
        ({"code": {"extends": "../ieee1547-2018"}}, "one of"),
        ({"code": {"inherited_confidence": None}}, "inherited_confidence"),
        ({"code": {"nominal_frequency_hz": 50.0}}, "nominal frequency 50.0 Hz"),
        ({"code": {"without": ["category.IV"]}}, "category.IV"),
        ({"code": {"without": ["trip.uv9"]}}, "uv9"),
        ({"code": {"default_category": "IV"}}, "unknown category 'IV'"),
        ({"trip": [{"name": "of1", "time_s": 10.0}]}, "trip of1: changes an entry without a citation"),
        ({"trip": [{"name": "of1", **CITED}, {"name": "of1", **CITED}]}, "two entries"),
        ({"trip": [{"name": "of1", "time_s": 1.0, **CITED}]}, "trip of1: .*outside its range"),
        ({"trip": [{"name": "of1", "time_s": 200.0, **CITED, "source": "there"}]}, "there"),
        ({"sources": {"svp": "something else"}}, "svp"),
    ],
)
def test_wrong_differences_are_refused(parts, says):
    document = difference(**{k: v for k, v in parts.items() if k == "code"})
    document |= {k: v for k, v in parts.items() if k != "code"}
    with pytest.raises(InputError, match=says):
        parse_code(document, "mine.toml")


def test_inheritance_settings_without_a_base_are_refused():
    document = read_toml(find_data("datasets", "gridcodes", "en50549-1-2019.toml"))
    document["code"]["inherited_confidence"] = "kept"
    with pytest.raises(InputError, match="extends"):
        parse_code(document, "x.toml")


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "id", "confidence", "clause", "III", "replace", "x"]), inner
        )
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(TOP)), st.sampled_from(["extends", "without", "inherited_confidence"]), JUNK, JUNK
)
def test_hostile_differences_raise_input_errors_only(key, setting, junk, more):
    document = difference()
    document[key] = junk
    if isinstance(document["code"], dict):
        document["code"][setting] = more
    with contextlib.suppress(InputError):
        parse_code(document, "mine.toml", SMALL.__getitem__)
