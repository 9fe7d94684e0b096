"""Settings: built from every code, refused when wrong, with setting, clause and remedy in the message."""

import pytest
from pydantic import ValidationError

from v2glab.evidence import InputError, UsageError
from v2glab.gridcodes import list_codes, load_code
from v2glab.gridcodes.der import DerSettings, parse_settings, settings_for

CODE = load_code("ieee1547-2018")
III = settings_for(CODE, "III")


def test_every_code_gives_settings_that_survive_plain_data():
    for name in list_codes():
        code = load_code(name)
        for category in code.categories:
            for normal in code.normal or [None]:
                plate = {"s_max_va": 4600.0, "p_max_w": 4600.0} if normal == "up-to-4.6-kva" else None
                settings = settings_for(code, category, normal_category=normal, nameplate=plate)
                assert parse_settings(settings.model_dump(mode="json")) == settings
                assert settings.nameplate.f_nominal_hz == code.nominal_frequency_hz


def test_defaults_are_those_of_the_standard():
    trips = {t.name: (t.threshold, t.time_s) for t in III.trips}
    assert trips["uv1"] == (0.88, 21.0)
    assert trips["of2"] == (62.0, 0.16)
    assert III.volt_var.points[0] == (0.92, 0.44)
    assert settings_for(CODE, "III", normal_category="A").volt_var.points[-1] == (1.1, -0.25)
    assert III.momentary_cessation.enabled
    assert not settings_for(CODE, "II").momentary_cessation.enabled


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"droop": {"droop_over": 0.5}}, r"droop\.droop_over.*6\.5\.2\.7.*\[0\.02, 0\.05\]"),
        ({"volt_var": {"olrt_s": 0.1}}, r"volt_var\.olrt_s.*5\.3\.3"),
        ({"enter_service": {"delay_s": 900.0}}, r"enter_service\.delay_s.*4\.10"),
        ({"enter_service": {"v_low_pu": 1.2}}, "enter_service"),
        (
            {"volt_var": {"points": ((1.0, 0.4), (0.9, 0.0), (1.02, 0.0), (1.08, -0.4))}},
            r"volt_var\.points.*5\.3\.3",
        ),
        ({"volt_var": {"points": ((0.92, -0.4), (0.98, 0.0), (1.02, 0.0), (1.08, 0.4))}}, "never rises"),
        ({"volt_watt": {"points": ((1.06, 1.0),)}}, "points"),
        ({"volt_var": {"enabled": True}, "watt_var": {"enabled": True}}, "reactive power modes"),
        ({"nameplate": {"f_nominal_hz": 50.0}}, r"trips\.\w+\.threshold.*clause 6\.5\.1.*50 Hz code"),
        ({"nameplate": {"p_max_w": 20e3}}, "nameplate.p_max_w"),
        ({"soc": {"initial": 0.05}}, "soc.minimum"),
        ({"soc": {"initial": float("nan")}}, "soc.initial"),
        ({"unknown": 1}, "unknown"),
        ({"droop": {"slope": 1.0}}, "droop.slope"),
        ({"execution_delay_s": -1.0}, "execution_delay_s"),
        ({"priority": "both"}, "priority"),
    ],
)
def test_refused_with_name_and_remedy(change, named):
    with pytest.raises(InputError, match=named) as caught:
        III.with_(**change)
    assert caught.value.remedy


def test_trips_keep_their_ranges_and_their_order():
    with pytest.raises(InputError, match=r"trips\.uv1\.threshold.*6\.4\.1"):
        III.with_trip("uv1", threshold=0.95)
    with pytest.raises(InputError, match="slower"):
        III.with_(rules=None).with_trip("uv2", time_s=30.0)
    with pytest.raises(InputError, match="uv9"):
        III.with_trip("uv9", time_s=1.0)
    assert III.with_trip("uv1", enabled=False) != III


def test_without_rules_only_physics_counts():
    faulty = III.with_(rules=None, droop={"droop_over": 0.5})
    assert faulty.droop.droop_over == 0.5


def test_regions_must_touch():
    regions = [r.model_dump() for r in III.ride_through.regions]
    regions[1]["lower"] = 0.6
    with pytest.raises(InputError, match="touch"):
        III.with_(ride_through={"regions": regions})


def test_frozen_and_named_categories():
    with pytest.raises(ValidationError):
        III.priority = "active"
    with pytest.raises(UsageError):
        settings_for(CODE, "IV")
    with pytest.raises(InputError, match="normal category"):
        settings_for(CODE, "III", normal_category="C")
    assert isinstance(III, DerSettings)
