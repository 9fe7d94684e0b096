"""The transcribed defaults of IEEE 1547-2018 against OpenDER, which was transcribed by others."""

import opender
import pytest

from v2glab.gridcodes import load_code

CODE = load_code("ieee1547-2018")
MODES = {
    "continuous": "Continuous Operation",
    "mandatory": "Mandatory Operation",
    "permissive": "Permissive Operation",
    "momentary cessation": "Momentary Cessation",
    "cease to energize": "Cease to Energize",
}


def bess(abnormal="III", normal="B"):
    return opender.DER_BESS(
        NP_ABNORMAL_OP_CAT=f"CAT_{abnormal}",
        NP_NORMAL_OP_CAT=f"CAT_{normal}",
        NP_P_MAX=100e3,
        NP_VA_MAX=100e3,
        NP_Q_MAX_INJ=44e3,
        NP_Q_MAX_ABS=44e3,
        NP_P_MAX_CHARGE=100e3,
        NP_APPARENT_POWER_CHARGE_MAX=100e3,
    )


@pytest.mark.parametrize("category", ["I", "II", "III"])
def test_trips_of_each_category(category):
    file, rules = bess(category).der_file, CODE.category(category)
    for name in ("ov2", "ov1", "uv1", "uv2"):
        theirs = (getattr(file, f"{name.upper()}_TRIP_V"), getattr(file, f"{name.upper()}_TRIP_T"))
        assert (rules.trip(name).threshold, rules.trip(name).time_s) == theirs, name
    for name in ("of2", "of1", "uf1", "uf2"):
        theirs = (getattr(file, f"{name.upper()}_TRIP_F"), getattr(file, f"{name.upper()}_TRIP_T"))
        assert (rules.trip(name).threshold, rules.trip(name).time_s) == theirs, name


@pytest.mark.parametrize("category", ["A", "B"])
def test_characteristics_of_each_normal_category(category):
    file, rules = bess(normal=category).der_file, CODE.normal_category(category)
    volts = tuple((getattr(file, f"QV_CURVE_V{n}"), getattr(file, f"QV_CURVE_Q{n}")) for n in (1, 2, 3, 4))
    assert rules.volt_var.points == volts
    assert (rules.volt_var.v_ref.default, rules.volt_var.response_s.default) == (file.QV_VREF, file.QV_OLRT)
    assert rules.volt_var.v_ref.range == (file.QV_VREF_MIN, file.QV_VREF_MAX)
    watts = tuple((getattr(file, f"QP_CURVE_P{n}_GEN"), getattr(file, f"QP_CURVE_Q{n}_GEN")) for n in (2, 3))
    assert rules.watt_var.points[1:] == watts
    load = tuple((getattr(file, f"QP_CURVE_P{n}_LOAD"), getattr(file, f"QP_CURVE_Q{n}_LOAD")) for n in (2, 3))
    assert rules.watt_var.load_points[1:] == load
    assert rules.volt_watt.points[0] == (file.PV_CURVE_V1, file.PV_CURVE_P1)
    assert (rules.volt_watt.points[1][0], rules.volt_watt.response_s.default) == (1.1, file.PV_OLRT)


def test_enter_service_and_droop():
    file, enter, droop = bess().der_file, CODE.enter_service, CODE.category("III").droop
    ours = (enter.voltage_low_pu, enter.voltage_high_pu, enter.frequency_low_hz, enter.frequency_high_hz)
    theirs = (file.ES_V_LOW, file.ES_V_HIGH, file.ES_F_LOW, file.ES_F_HIGH)
    assert tuple(s.default for s in ours) == theirs
    assert (enter.delay_s.default, enter.ramp_s.default) == (file.ES_DELAY, file.ES_RAMP_RATE)
    assert (droop.deadband_over_hz.default, droop.droop_over.default) == (file.PF_DBOF, file.PF_KOF)
    assert (droop.deadband_under_hz.default, droop.droop_under.default) == (file.PF_DBUF, file.PF_KUF)
    assert droop.response_s.default == file.PF_OLRT


@pytest.mark.parametrize("category", ["I", "II", "III"])
def test_the_mode_of_each_voltage(category):
    """Above 1.2 p.u. OpenDER lets Category III go on in momentary cessation; the standard does not."""
    regions = CODE.category(category).ride_through_voltage
    plant = bess(category)
    plant.der_input.freq_hz = 60.0
    status = plant.opstatus.ridethroughcrit
    for n in range(5, 135, 3):
        volts = n / 100 + 0.004  # never on an edge, where both sides may claim it
        if category == "III" and volts > 1.2:
            continue
        plant.der_input.v_low_pu = plant.der_input.v_high_pu = volts
        status.determine_ride_through_mode()
        theirs = status.rt_mode_v or "Continuous Operation"
        (ours,) = [r.mode for r in regions if r.contains(volts)]
        assert MODES[ours] == theirs, volts
