"""Settings take each figure from the file of the grid code, and name what the file does not hold."""

import math
import shutil

import pytest

from v2glab.evidence import InputError
from v2glab.gridcodes import list_codes, load_code, read_code
from v2glab.gridcodes.der import (
    GridSegment,
    assumed_settings,
    from_sunspec,
    parse_settings,
    settings_for,
    settings_from_common_file,
    settings_to_common_file,
    simulate,
    to_sunspec,
)
from v2glab.resources import data_root

IEEE = load_code("ieee1547-2018")
AUSTRALIA = load_code("as4777.2-2020")
EUROPE = load_code("en50549-1-2019")
GERMANY = load_code("vde-ar-n-4105-2018")
FLAT = ((0.9, 0.2), (0.95, 0.0), (1.05, 0.0), (1.1, -0.2))


def changed_file(tmp_path, name, old, new):
    """Return a code read from a copy of its file in which one text is another."""
    folder = data_root("datasets") / "gridcodes"
    path = tmp_path / f"{name}.toml"
    shutil.copy(folder / path.name, path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return read_code(path)


@pytest.mark.parametrize(
    ("category", "volts", "reactive"),
    [
        ("australia-a", (207, 220, 240, 258), (0.44, 0.0, 0.0, -0.6)),
        ("australia-b", (205, 220, 235, 255), (0.3, 0.0, 0.0, -0.4)),
        ("australia-c", (215, 230, 240, 255), (0.44, 0.0, 0.0, -0.6)),
        ("new-zealand", (207, 220, 235, 244), (0.6, 0.0, 0.0, -0.6)),
    ],
)
def test_volt_var_of_a_50_hz_code_is_its_own(category, volts, reactive):
    settings = settings_for(AUSTRALIA, category)
    assert settings.nameplate.normal_category == category
    assert settings.volt_var.points == AUSTRALIA.normal_category(category).volt_var.points
    for (v, q), volt, expected in zip(settings.volt_var.points, volts, reactive, strict=True):
        assert v * 230.0 == pytest.approx(volt, abs=0.001)
        assert q == expected
    assert settings.nameplate.q_absorb_max_var >= -min(reactive) * settings.nameplate.s_max_va
    assert settings.volt_watt.points == AUSTRALIA.normal_category(category).volt_watt.points
    assert settings.nameplate.v_nominal_v == pytest.approx(230.0 * math.sqrt(3.0))


def test_a_device_follows_the_curve_of_its_code():
    settings = settings_for(AUSTRALIA, "australia-a").with_(volt_var={"enabled": True, "olrt_s": 0.0})
    frame = simulate(
        settings, [GridSegment(60.0, v_pu=258.0 / 230.0, p_demand_pu=0.2)], duration_s=60.0, step_s=0.1
    )
    assert frame.q_pu.iloc[-1] == pytest.approx(-0.6, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "category", "old", "new", "place", "value"),
    [
        ("as4777.2-2020", "australia-a", "q4 = { default = -0.6 }", "q4 = { default = -0.5 }",
         lambda s: s.volt_var.points[3][1], -0.5),
        ("as4777.2-2020", "australia-a", "delay_s = { default = 60.0 }", "delay_s = { default = 61.0 }",
         lambda s: s.enter_service.delay_s, 61.0),
        ("as4777.2-2020", "australia-a", "start_hz = { default = 50.25 }", "start_hz = { default = 50.5 }",
         lambda s: s.droop.droop_over, 0.03),
        ("ieee1547-2018", "III", "response_s = { default = 5.0, range = [1.0, 90.0] }",
         "response_s = { default = 6.0, range = [1.0, 90.0] }", lambda s: s.volt_var.olrt_s, 6.0),
        ("ieee1547-2018", "III", "multi_phase_deg = 20.0", "multi_phase_deg = 25.0",
         lambda s: s.phase_jump_deg, 25.0),
        ("ieee1547-2018", "III", "randomised_below_va = 500e3", "randomised_below_va = 400e3",
         lambda s: s.enter_service.randomised_below_va, 400e3),
        ("ieee1547-2018", "III", "sets = 3", "sets = 4", lambda s: s.consecutive_disturbances.count, 4),
        ("ieee1547-2018", "III", "p2_absorbing = { default = 0.0", "p2_absorbing = { default = -0.1",
         lambda s: s.volt_watt.points[1][1], -0.1),
        ("ieee1547-2018", "III", "greatest_response_s = 30.0", "greatest_response_s = 20.0",
         lambda s: s.p_limit.response_s, 20.0),
    ],
)  # fmt: skip
def test_one_figure_of_the_file_is_one_setting(tmp_path, name, category, old, new, place, value):
    before = settings_for(load_code(name), category)
    after = settings_for(changed_file(tmp_path, name, old, new), category)
    assert place(before) != pytest.approx(value)
    assert place(after) == pytest.approx(value)


def test_ranges_are_those_of_the_file(tmp_path):
    old = 'v2 = { default = 0.98, lower = "v_ref - 0.03"'
    code = changed_file(tmp_path, "ieee1547-2018", old, old.replace("0.03", "0.05"))
    points = ((0.9, 0.44), (0.96, 0.0), (1.02, 0.0), (1.08, -0.44))
    with pytest.raises(InputError, match=r"volt_var\.points\.1\.0 = 0\.96, clause 5\.3\.3.*\[0\.97, 1\]"):
        settings_for(IEEE, "III").with_(volt_var={"points": points})
    assert settings_for(code, "III").with_(volt_var={"points": points}).volt_var.points == points


def test_a_bound_moves_with_the_other_point():
    settings = settings_for(IEEE, "III")
    with pytest.raises(InputError, match=r"volt_watt\.points\.1\.0.*\[1\.09, 1\.1\]"):
        settings.with_(volt_watt={"points": ((1.08, 1.0), (1.085, 0.0))})
    assert settings.with_(volt_watt={"points": ((1.07, 1.0), (1.085, 0.0))})
    with pytest.raises(InputError, match=r"enter_service\.ramp_s"):
        settings.with_(enter_service={"ramp_s": 0.5})
    assert settings.with_(enter_service={"ramp_s": 0.0})


@pytest.mark.parametrize("name", ["en50549-1-2019", "erec-g98", "erec-g99", "vde-ar-n-4105-2018"])
def test_a_code_without_volt_var_disables_it_and_names_it(name):
    code = load_code(name)
    settings = settings_for(code, code.default_category)
    assert not settings.volt_var.enabled
    assert "volt_var.points" in settings.unknown
    assert {q for _, q in settings.volt_var.points} == {0.0}
    with pytest.raises(InputError, match=rf"volt_var\.enabled.*volt_var\.points.*{name}") as caught:
        settings.with_(volt_var={"enabled": True})
    assert "volt_var.points" in caught.value.remedy
    with pytest.raises(InputError, match="volt_var"):
        settings.with_(rules=None, volt_var={"enabled": True})
    given = settings.with_(volt_var={"enabled": True, "points": FLAT})
    assert given.volt_var.points == FLAT
    assert "volt_var.points" not in given.unknown


def test_no_figure_of_another_code_slips_in():
    sixty = settings_for(IEEE, "III").model_dump()
    for name in list_codes():
        code = load_code(name)
        if code.nominal_frequency_hz == 60.0:
            continue
        for category in code.categories:
            settings = settings_for(code, category)
            for path in ("volt_var", "watt_var", "volt_watt"):
                assert getattr(settings, path).points != sixty[path]["points"]
            if settings.droop.enabled:
                assert settings.droop.deadband_over_hz != sixty["droop"]["deadband_over_hz"]


def test_one_sided_response_acts_on_that_side_only():
    settings = settings_for(AUSTRALIA, "australia-a").with_(
        droop={"olrt_s": 0.0}, ride_through={"enabled": False}
    )
    assert settings.droop.enabled
    assert {"droop.deadband_under_hz", "droop.droop_under"} <= set(settings.unknown)
    assert settings.droop.droop_over == pytest.approx(1.75 / 50.0)
    segments = [GridSegment(2.0, f_hz=f, p_demand_pu=0.5) for f in (50.0, 49.0, 51.0)]
    frame = simulate(settings, segments, duration_s=6.0, step_s=0.1)
    assert frame.p_pu[38] == pytest.approx(0.5)
    assert frame.p_pu.iloc[-1] == pytest.approx(0.5 - 0.75 / 1.75, abs=1e-6)
    assert not settings_for(AUSTRALIA, "australia-b").droop.enabled
    with pytest.raises(InputError, match=r"droop\.enabled"):
        settings_for(AUSTRALIA, "australia-b").with_(droop={"enabled": True})


def test_return_to_service_needs_a_known_window():
    settings = settings_for(AUSTRALIA, "australia-a")
    assert not settings.enter_service.enabled
    assert settings.enter_service.ramp_s == pytest.approx(60.0 * 100.0 / 16.67)
    window = {"v_low_pu": 0.9, "v_high_pu": 1.1, "f_low_hz": 49.5, "f_high_hz": 50.2}
    with pytest.raises(InputError, match=r"enter_service\.f_high_hz"):
        settings.with_(enter_service={"enabled": True, **window, "f_high_hz": 49.9})
    assert settings.with_(enter_service={"enabled": True, **window}).enter_service.enabled
    partly = settings.with_(enter_service={"v_low_pu": 0.9})
    with pytest.raises(InputError, match=r"enter_service\.v_high_pu"):
        partly.with_(enter_service={"enabled": True})


def test_size_decides_the_normal_category_of_a_code_that_asks_for_it():
    small = {"s_max_va": 4000.0, "p_max_w": 4000.0, "p_charge_max_w": 4000.0, "s_charge_max_va": 4000.0}
    assert settings_for(GERMANY, "inverter").nameplate.normal_category == "above-4.6-kva"
    settings = settings_for(GERMANY, "inverter", nameplate=small)
    assert settings.nameplate.normal_category == "up-to-4.6-kva"
    assert settings.nameplate.q_required_inject_pu == pytest.approx(math.tan(math.acos(0.95)), abs=1e-6)
    with pytest.raises(InputError, match=r"s_max_va.*up-to-4\.6-kva"):
        settings_for(GERMANY, "inverter", normal_category="up-to-4.6-kva")
    with pytest.raises(InputError, match="normal category"):
        settings_for(EUROPE, "default", normal_category="B")
    with pytest.raises(InputError, match="s_max_va"):
        settings_for(IEEE, "III", nameplate={"s_max_va": "big"})


def test_what_the_design_fills_is_told_with_source_and_confidence():
    found = assumed_settings(AUSTRALIA, "australia-a")
    assert "volt_var.olrt_s" in found
    assert "volt_var.olrt_s" not in assumed_settings(IEEE, "III")
    assert "volt_watt.charge_points" in assumed_settings(IEEE, "III")
    assert all(entry.source and entry.confidence for entry in found.values())
    settings = settings_for(AUSTRALIA, "australia-a")
    assert settings.volt_var.olrt_s == found["volt_var.olrt_s"].value
    assert not set(found) & set(settings.unknown)


def test_unknown_settings_are_not_written_and_known_once_read():
    settings = settings_for(EUROPE, "default")
    written = settings_to_common_file(settings)
    assert not [name for name in written if name.startswith("QV_CURVE")]
    assert settings_from_common_file(written, settings) == settings
    models = to_sunspec(settings)
    assert "Pt" not in models[705]["Crv"][0]
    assert "NorOpCatRtg" not in models[702]
    points = [{"V": v * 100.0, "Var": q * 100.0} for v, q in FLAT]
    read = from_sunspec({705: {"Ena": 1, "Crv": [{"ActPt": 4, "Pt": points}]}}, settings)
    assert read.volt_var.enabled
    curve = {
        f"QV_CURVE_{a}{i + 1}-AS": x for i, pair in enumerate(FLAT) for a, x in zip("VQ", pair, strict=True)
    }
    assert (
        settings_from_common_file(curve | {"QV_MODE_ENABLE-AS": "ENABLED"}, settings).volt_var.points == FLAT
    )
    del curve["QV_CURVE_Q4-AS"]
    with pytest.raises(InputError, match=r"volt_var\.enabled"):
        settings_from_common_file(curve | {"QV_MODE_ENABLE-AS": "ENABLED"}, settings)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"unknown": ["soc.initial"]}, "unknown"),
        ({"ranges": [{"path": "priority", "lower": 0.0}]}, "ranges"),
        ({"ranges": [{"path": "volt_var.olrt_s", "lower": "v_ref * 2"}]}, "ranges"),
    ],
)
def test_hostile_ranges_and_names_are_refused(change, named):
    document = settings_for(IEEE, "III").model_dump() | change
    with pytest.raises(InputError, match=named):
        parse_settings(document)
