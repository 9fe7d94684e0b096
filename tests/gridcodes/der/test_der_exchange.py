"""Settings written and read as common file and as SunSpec models."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from v2glab.evidence import InputError, V2GError
from v2glab.gridcodes import load_code
from v2glab.gridcodes.der import (
    Der,
    common_file_text,
    from_sunspec,
    settings_for,
    settings_from_common_file,
    settings_to_common_file,
    to_sunspec,
)

BASE = settings_for(load_code("ieee1547-2018"), "III")
CHANGED = (
    BASE.with_(
        volt_var={"enabled": True, "vref_pu": 1.02, "olrt_s": 7.0},
        volt_watt={"enabled": True, "points": ((1.07, 1.0), (1.09, 0.2))},
        p_limit={"enabled": True, "limit_pu": 0.6},
        droop={"droop_over": 0.03, "deadband_under_hz": 0.1},
        enter_service={"permit_service": False, "delay_s": 60.0},
        priority="active",
        constant_pf={"excitation": "absorb"},
    )
    .with_trip("uv1", time_s=30.0, threshold=0.8)
    .with_trip("of2", threshold=63.0)
)


def test_common_file_round_trip():
    text = common_file_text(settings_to_common_file(CHANGED))
    assert settings_from_common_file(text, BASE) == CHANGED
    assert "QV_VREF-AS,1.02" in text
    assert "ES_PERMIT_SERVICE-AS,DISABLED" in text


def test_reads_the_file_that_opender_ships():
    import opender

    path = Path(opender.__file__).parent / "Parameters" / "AS-with std-values.csv"
    settings = settings_from_common_file(path.read_text(encoding="utf-8-sig"), BASE)
    assert settings.nameplate.s_max_va == 100e3
    assert settings.volt_var.points == ((0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44))
    assert {t.name: t.time_s for t in settings.trips}["uv1"] == 21.0


def test_opender_reads_what_is_written(tmp_path):
    from opender import DERCommonFileFormatBESS

    path = tmp_path / "as.csv"
    path.write_text(common_file_text(settings_to_common_file(CHANGED, model=False)))
    read = DERCommonFileFormatBESS(as_file_path=path)
    assert read.QV_VREF == 1.02
    assert read.UV1_TRIP_T == 30.0
    assert read.PF_KOF == 0.03
    assert read.AP_LIMIT_ENABLE is True


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("PARAMETER,VALUE\nQV_VREF-AS,nan\n", "QV_VREF"),
        ("PARAMETER,VALUE\nQV_VREF-AS,high\n", "QV_VREF"),
        ("PARAMETER,VALUE\nQV_VREF-AS,9\n", "volt_var.vref_pu"),
        ("PARAMETER,VALUE\nQV_VREF-AS,1\nQV_VREF-SS,1\n", "a second time"),
        ("PARAMETER,VALUE\nQV_WREF-AS,1\n", "QV_WREF"),
        ("PARAMETER,VALUE\nQV_MODE_ENABLE-AS,YES\n", "QV_MODE_ENABLE"),
        ("PARAMETER,VALUE\nQV_VREF-AS,1,2\n", "line 2"),
        ("NAME,VALUE\n", "PARAMETER,VALUE"),
        ("", "PARAMETER,VALUE"),
        ("PARAMETER,VALUE\nNP_PHASE,TWO\n", "NP_PHASE"),
    ],
)
def test_refuses_a_wrong_common_file(text, named):
    with pytest.raises(InputError, match=named):
        settings_from_common_file(text, BASE)


def test_sunspec_round_trip():
    models = to_sunspec(CHANGED)
    assert set(models) == set(range(702, 713))
    back = from_sunspec(json.loads(json.dumps(models), object_hook=_numbers), BASE)
    assert dict(_flat(to_sunspec(back))) == pytest.approx(dict(_flat(models)))
    assert back.volt_var.vref_pu == pytest.approx(1.02)
    assert back.enter_service.permit_service is False
    assert back.priority == "active"
    assert {t.name: (t.threshold, t.time_s) for t in back.trips}["uv1"] == pytest.approx((0.8, 30.0))


def _flat(node, where=""):
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in items:
        if isinstance(value, dict | list):
            yield from _flat(value, f"{where}.{name}")
        else:
            yield f"{where}.{name}", value


def _numbers(mapping):
    return {int(k) if k.isdigit() else k: v for k, v in mapping.items()}


def _names(group):
    return {p["name"] for p in group.get("points", [])}, {g["name"]: g for g in group.get("groups", [])}


def _check_names(points, group, where):
    names, groups = _names(group)
    for name, value in points.items():
        if name in groups:
            for inner in value if isinstance(value, list) else [value]:
                _check_names(inner, groups[name], f"{where}.{name}")
        else:
            assert name in names, f"{where}.{name}"


def test_every_point_is_one_of_the_sunspec_models():
    import sunspec2

    folder = Path(sunspec2.__file__).parent / "models" / "json"
    der = Der(CHANGED, step_s=0.1)
    der.step(1.0, 1.0, 1.0, 60.0, 0.5)
    models = to_sunspec(CHANGED, der.state)
    assert set(models) == set(range(701, 715))
    for number, points in models.items():
        group = json.loads((folder / f"model_{number}.json").read_text())["group"]
        _check_names(points, group, str(number))


def test_pysunspec2_takes_the_values():
    from sunspec2.device import Model

    points = to_sunspec(CHANGED)[711]
    model = Model(711, data={"ID": 711, "NCtl": 1, "Db_SF": -3, "K_SF": -3, "RspTms_SF": -1, "Ctl": [{}]})
    for name, value in points["Ctl"][0].items():
        model.groups["Ctl"][0].points[name].cvalue = value
    assert model.groups["Ctl"][0].points["KOf"].value == 30
    assert model.groups["Ctl"][0].points["DbUf"].value == 100


@pytest.mark.parametrize(
    ("models", "named"),
    [
        ({1: {}}, "model 1"),
        ({705: []}, "model 705"),
        ({705: {"Ena": 2}}, "705.Ena"),
        ({705: {"Ena": True}}, "705.Ena"),
        ({703: {"ESVHi": float("nan")}}, "703.ESVHi"),
        ({703: {"ESVHi": "105"}}, "703.ESVHi"),
        ({703: {"ESVHi": 150.0}}, "enter_service.v_high_pu"),
        ({705: {"Crv": [{"ActPt": 9, "Pt": []}]}}, "ActPt"),
        (
            {705: {"Crv": [{"ActPt": 2, "Pt": [{"V": 92, "Var": 44}, {"V": 98, "Var": 0}]}]}},
            "volt_var.points",
        ),
        ({705: {"Crv": [{"DeptRef": 1, "Pt": [{"V": 92, "Var": 44}] * 4}]}}, "DeptRef"),
        ({707: {"Crv": [{"MustTrip": {"Pt": [{"V": 50, "Tms": 2}]}}]}}, "trip points"),
        ({707: {"Crv": [{"MustTrip": {"Pt": [5, 6]}}]}}, "707"),
    ],
)
def test_refuses_hostile_points(models, named):
    with pytest.raises(InputError, match=named):
        from_sunspec(models, BASE)


_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["Crv", "Pt", "V", "Var", "Ena", "ES"]), inner)
    ),
    max_leaves=12,
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([702, 703, 705, 707, 711]), _junk, max_size=3))
def test_junk_is_refused_with_a_house_error_or_harmless(models):
    try:
        from_sunspec(models, BASE)
    except V2GError as error:
        assert error.remedy


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_junk_text_is_refused_with_a_house_error(text):
    with pytest.raises(V2GError):
        settings_from_common_file("PARAMETER,VALUE\nX" + text + ",\x00,", BASE)
