"""The model itself, exact discretisation, against closed forms and rules."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.gridcodes import list_codes, load_code
from v2glab.gridcodes.der import Der, GridSegment, SettingsChange, Status, settings_for, simulate, stream

CODE = load_code("ieee1547-2018")
III = settings_for(CODE, "III")
II = settings_for(CODE, "II")
PLAIN = II.with_(ride_through={"enabled": False}, rocof_hz_s=None, phase_jump_deg=None)


def run(settings, *segments, step_s=0.01, **more):
    return simulate(settings, segments, duration_s=sum(s.duration_s for s in segments), step_s=step_s, **more)


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    step_s=st.floats(1e-4, 0.05),
    start=st.floats(0.05, 0.7),
    depth=st.floats(0.0, 0.44),
    fall_s=st.floats(0.0, 1.5),
)
def test_trip_time_does_not_depend_on_the_step(step_s, start, depth, fall_s):
    due = start + fall_s * (1.0 - 0.45) / (1.0 - depth) + 0.16
    frame = run(
        PLAIN,
        GridSegment(start),
        GridSegment(fall_s, v_pu=1.0, v_end_pu=depth),
        GridSegment(1.0, v_pu=depth),
        step_s=step_s,
    )
    assert frame.trip_time_s.iloc[-1] == pytest.approx(due, abs=1e-4)
    first = frame.time_s[frame.status == Status.TRIP].min()
    assert due - 1e-9 <= first <= due + step_s + 1e-9


def test_a_dip_shorter_than_the_trip_time_does_not_trip_even_between_samples():
    dip = [GridSegment(0.503), GridSegment(0.1595, v_pu=0.3), GridSegment(1.0)]
    longer = [GridSegment(0.503), GridSegment(0.1605, v_pu=0.3), GridSegment(1.0)]
    for step_s in (0.0007, 0.01, 0.05, 0.3):
        assert run(PLAIN, *dip, step_s=step_s).trip_time_s.isna().all()
        assert run(PLAIN, *longer, step_s=step_s).trip_time_s.iloc[-1] == pytest.approx(0.663)


def test_two_phases_that_take_turns_reset_no_timer():
    """Phase a recovers while b falls, so that always one is low: the least phase never leaves."""
    turns = [GridSegment(1.0), GridSegment(0.2, v_pu=(0.3, 0.4, 1), v_end_pu=(0.4, 0.3, 1)), GridSegment(0.5)]
    assert run(PLAIN, *turns).trip_time_s.iloc[-1] == pytest.approx(1.16)
    crossing = [
        GridSegment(1.0),
        GridSegment(0.2, v_pu=(0.3, 0.9, 1), v_end_pu=(0.9, 0.3, 1)),
        GridSegment(0.5),
    ]
    assert run(PLAIN, *crossing, step_s=0.05).trip_time_s.isna().all()


@pytest.mark.parametrize("phase", range(3))
def test_least_phase_for_low_and_greatest_for_high(phase):
    for v, due in ((0.3, 0.16), (1.25, 0.16)):
        volts = [1.0, 1.0, 1.0]
        volts[phase] = v
        frame = run(PLAIN, GridSegment(1.0), GridSegment(0.5, v_pu=tuple(volts)))
        assert frame.trip_time_s.iloc[-1] == pytest.approx(1.0 + due)


def test_single_phase_looks_at_its_own_phase_only():
    one = PLAIN.with_(nameplate={"phases": 1})
    assert run(one, GridSegment(1.0, v_pu=(1.0, 0.0, 0.0))).trip_time_s.isna().all()
    assert run(one, GridSegment(1.0, v_pu=(0.1, 1.0, 1.0))).trip_time_s.iloc[-1] == pytest.approx(0.16)


def test_droop_runs_from_charging_through_zero_to_discharging():
    settings = III.with_(droop={"olrt_s": 0.2, "droop_under": 0.02}, rocof_hz_s=None)
    frame = run(settings, GridSegment(1.0, p_demand_pu=-0.4), GridSegment(4.0, f_hz=58.9, p_demand_pu=-0.4))
    expected = -0.4 + (60 - 0.036 - 58.9) / (60 * 0.02)
    assert frame.p_pu.iloc[50] == pytest.approx(-0.4)
    assert frame.p_pu.iloc[-1] == pytest.approx(expected, abs=1e-6)
    assert expected > 0.4
    inside = frame.p_pu[100:]
    assert (inside.diff().dropna() >= -1e-12).all()


@pytest.mark.parametrize("step_s", [0.001, 0.02, 0.13])
def test_ninety_per_cent_at_the_open_loop_response_time(step_s):
    settings = III.with_(volt_var={"enabled": True, "olrt_s": 5.2})
    frame = run(settings, GridSegment(1.3, v_pu=1.0), GridSegment(10.4, v_pu=1.05), step_s=step_s)
    final = -0.44 * 0.03 / 0.06
    # between samples a step of the voltage is taken as a straight line: half a step of time at most
    at = np.interp(1.3 + 5.2, frame.time_s, frame.q_pu)
    slack = abs(final) * 0.1 * math.log(10) / 5.2 * step_s
    assert at == pytest.approx(0.9 * final, abs=slack + 1e-9)


def test_autonomous_reference_follows_with_its_time_constant():
    settings = III.with_(volt_var={"enabled": True, "vref_auto": True, "vref_time_s": 300.0, "olrt_s": 1.0})
    frame = run(settings, GridSegment(1.0), GridSegment(600.0, v_pu=1.04), step_s=0.1)
    ref = 1.0 + 0.04 * (1 - math.exp(-300.0 / 300.0))
    at = int(301.0 / 0.1) - 1
    expected = -0.44 * max(0.0, (1.04 - (ref - 1.0)) - 1.02) / 0.06
    assert frame.q_pu[at] == pytest.approx(expected, abs=1e-3)


def test_volt_watt_limits_charging_at_low_voltage():
    settings = III.with_(volt_watt={"charge_enabled": True, "olrt_s": 1.0})
    frame = run(settings, GridSegment(1.0, p_demand_pu=-1.0), GridSegment(8.0, v_pu=0.91, p_demand_pu=-1.0))
    assert frame.p_pu.iloc[50] == pytest.approx(-1.0)
    assert frame.p_pu.iloc[-1] == pytest.approx(-0.75, abs=1e-4)


def test_lost_authorisation_ends_export_and_lets_charging_be():
    for demand, after in ((0.7, 0.0), (-0.7, -0.7)):
        frame = run(
            III,
            GridSegment(1.0, p_demand_pu=demand),
            GridSegment(1.0, p_demand_pu=demand, v2g_authorised=False),
        )
        assert frame.p_pu[98] == pytest.approx(demand)
        assert frame.p_pu[99] == frame.p_pu.iloc[-1] == pytest.approx(after)
    under = run(
        III.with_(v2g_authorised=False, rocof_hz_s=None), GridSegment(1.0), GridSegment(9.0, f_hz=59.0)
    )
    assert under.p_pu.max() == 0.0


@pytest.mark.parametrize(("demand", "soc", "bound"), [(1.0, 0.11, 0.1), (-1.0, 0.89, 0.9)])
def test_state_of_charge_stops_at_its_bounds(demand, soc, bound):
    settings = III.with_(
        soc={"initial": soc}, nameplate={"soc_capacity_wh": 11000.0, "charge_efficiency": 0.9}
    )
    frame = run(settings, GridSegment(60.0, p_demand_pu=demand), step_s=0.05)
    assert frame.soc.iloc[-1] == pytest.approx(bound, abs=1e-9)
    assert frame.soc.between(0.1 - 1e-9, 0.9 + 1e-9).all()
    assert frame.p_pu.iloc[-1] == pytest.approx(0.0, abs=1e-9)
    share = 1.0 if demand > 0 else 0.9
    hours = 0.01 / share
    reached = frame.time_s[(frame.p_pu.abs() < 0.5)].min()
    assert reached == pytest.approx(hours * 3600.0, abs=0.11)


def test_state_of_charge_ends_export_during_ride_through():
    settings = III.with_(soc={"initial": 0.1001}, nameplate={"soc_capacity_wh": 11000.0})
    frame = run(settings, GridSegment(0.2, p_demand_pu=0.5), GridSegment(5.0, v_pu=0.8, p_demand_pu=0.5))
    assert (frame.status[30:] == Status.MANDATORY_OPERATION).all()
    assert frame.p_pu[25] > 0.4
    assert frame.p_pu.iloc[-1] == pytest.approx(0.0, abs=1e-9)


def test_rate_of_change_is_ridden_through_up_to_its_limit():
    for rate, trips in ((2.8, False), (3.3, True)):
        frame = run(
            III.with_(droop={"enabled": False}),
            GridSegment(1.0),
            GridSegment(0.4, f_hz=60.0, f_end_hz=60.0 + 0.4 * rate),
            GridSegment(0.5, f_hz=60.0 + 0.4 * rate),
        )
        assert frame.trip_time_s.notna().any() == trips


def test_phase_jump_is_ridden_through_up_to_its_limit():
    for jump, trips in ((19.0, False), (-19.0, False), (25.0, True)):
        frame = run(III, GridSegment(1.0033), GridSegment(1.0, phase_jump_deg=jump))
        assert frame.trip_time_s.notna().any() == trips
    assert frame.trip_time_s.iloc[-1] == pytest.approx(1.0033)
    single = run(III, GridSegment(1.0), GridSegment(1.0, angles_deg=(0.0, -60.0, 120.0)))
    assert single.trip_time_s.isna().all()  # one phase by 60°: the positive sequence turns by less than 20°


def test_consecutive_disturbances_beyond_the_count_trip():
    settings = III.with_(consecutive_disturbances={"enabled": True, "count": 3})
    dips = [s for _ in range(4) for s in (GridSegment(1.0), GridSegment(0.2, v_pu=0.8))]
    assert run(settings, *dips).trip_time_s.iloc[-1] == pytest.approx(4.6, abs=0.011)
    assert run(settings, *dips[:6], GridSegment(1.0)).trip_time_s.isna().all()
    apart = [*dips[:6], GridSegment(21.0), GridSegment(0.2, v_pu=0.8)]
    assert run(settings, *apart).trip_time_s.isna().all()
    assert run(III, *dips).trip_time_s.isna().all()


def test_permit_withdrawn_trips_at_once_and_its_return_starts_after_the_delay():
    settings = III.with_(enter_service={"delay_s": 2.0, "ramp_s": 4.0})
    frame = run(
        settings,
        GridSegment(1.004, p_demand_pu=0.5),
        GridSegment(1.0, p_demand_pu=0.5, permit_service=False),
        GridSegment(10.0, p_demand_pu=0.5),
    )
    assert frame.trip_time_s.iloc[-1] == pytest.approx(1.004)
    on = frame[frame.time_s > 1.5]
    assert on.time_s[on.connected].min() == pytest.approx(2.004 + 2.0, abs=0.011)
    half = on[(on.time_s > 4.0) & (on.p_pu >= 0.25)].time_s.min()
    assert half == pytest.approx(4.004 + 1.0, abs=0.011)
    assert frame.status.iloc[-1] == Status.CONTINUOUS_OPERATION


def test_enter_service_disabled_stays_off():
    settings = III.with_(enter_service={"enabled": False, "delay_s": 0.0})
    frame = run(settings, GridSegment(5.0), initial="off")
    assert (frame.status == Status.TRIP).all()


def test_limit_input_moves_at_its_rate():
    settings = III.with_(p_limit={"response_s": 10.0})
    frame = run(
        settings, GridSegment(1.0, p_demand_pu=0.9), GridSegment(9.0, p_demand_pu=0.9, p_limit_pu=0.4)
    )
    assert frame.p_pu[99 + 400] == pytest.approx(1.0 - 0.4, abs=0.002)
    assert frame.p_pu.iloc[-1] == pytest.approx(0.4)


def test_restore_ramp_after_cessation():
    settings = III.with_(momentary_cessation={"response_s": 0.02}, restore={"ramp_s": 0.4})
    frame = run(settings, GridSegment(1.0, p_demand_pu=0.8), GridSegment(0.5, v_pu=0.3, p_demand_pu=0.8),
                GridSegment(1.0, p_demand_pu=0.8))  # fmt: skip
    assert frame.p_pu[120:148].abs().max() == 0.0
    back = frame[(frame.time_s > 1.4) & (frame.p_pu >= 0.8 * 0.8)].time_s.min()
    assert back == pytest.approx(1.5 + 0.4 * 0.64, abs=0.011)


def test_sliding_mean_trips_when_ten_minutes_are_too_high():
    settings = settings_for(load_code("vde-ar-n-4105-2018"), "inverter").with_(rocof_hz_s=None)
    mean = next(t for t in settings.trips if t.averaging_s > 0.0)
    frame = run(settings, GridSegment(100.0), GridSegment(600.0, v_pu=1.14), step_s=0.1)
    due = 100.0 + mean.averaging_s * (mean.threshold - 1.0) / 0.14
    assert frame.trip_time_s.iloc[-1] == pytest.approx(due, abs=3.2)
    assert (
        run(settings, GridSegment(100.0), GridSegment(400.0, v_pu=1.14), step_s=0.1).trip_time_s.isna().all()
    )
    der = Der(settings, step_s=1.0)
    while der.step(1.14, 1.14, 1.14, 50.0, 0.0)[2] != Status.TRIP:
        assert der.time_s < 5.0  # what came before counts as the first sample


def test_steps_of_all_codes_and_categories():
    for name in list_codes():
        code = load_code(name)
        for category in code.categories:
            frame = run(settings_for(code, category), GridSegment(1.0, p_demand_pu=0.5), step_s=0.05)
            assert frame.p_pu.iloc[-1] == pytest.approx(0.5)
            assert frame.f_hz.iloc[-1] == code.nominal_frequency_hz


def test_stream_gives_the_rows_of_simulate():
    plants = [III.with_(volt_var={"enabled": True}), PLAIN, III]
    segments = [GridSegment(1.0, p_demand_pu=0.4), GridSegment(2.0, v_pu=0.4, f_end_hz=60.5, p_demand_pu=0.4)]
    arguments = {"duration_s": 3.0, "step_s": [0.01, 0.003, 0.05], "seed": 3}
    whole = simulate(plants, segments, **arguments)
    for rows in (1, 7, 150, 1361, 10**6):
        if rows == 1:
            continue
        parts = list(stream(plants, segments, rows=rows, **arguments))
        assert max(len(p) for p in parts) <= rows
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_step_at_a_time_is_simulate():
    settings = III.with_(volt_var={"enabled": True}, volt_watt={"enabled": True})
    segments = [
        GridSegment(1.0, v_end_pu=1.05, p_demand_pu=0.4, p_demand_end_pu=-0.5),
        GridSegment(2.0, v_pu=1.05, v_end_pu=0.4, f_hz=60.0, f_end_hz=60.5, p_demand_pu=-0.5),
        GridSegment(3.0, v_pu=0.4, f_hz=60.5, p_demand_pu=-0.5),
    ]
    frame = run(settings, *segments, step_s=0.02)
    der = Der(settings, step_s=0.02)
    first = frame.iloc[0]
    der.step(first.v_a_pu, first.v_b_pu, first.v_c_pu, first.f_hz, first.p_demand_pu)
    rows = [
        der.step(r.v_a_pu, r.v_b_pu, r.v_c_pu, r.f_hz, r.p_demand_pu)
        for r in frame.iloc[1:].itertuples(index=False)
    ]
    got = pd.DataFrame(rows, columns=["p_pu", "q_pu", "status"])
    # the first sample has no sample before it, so the reference starts one step later
    assert (got.p_pu - frame.p_pu[1:].reset_index(drop=True)).abs().max() < 2e-3
    assert (got.status != frame.status[1:].reset_index(drop=True)).sum() <= 1
    assert der.state["trip_time_s"] == pytest.approx(frame.trip_time_s.iloc[-1], abs=1e-9)


def test_der_commands_and_settings():
    der = Der(III.with_(execution_delay_s=0.5, constant_q={"enabled": True, "olrt_s": 0.0}), step_s=0.1)
    for _ in range(10):
        der.step(1.0, 1.0, 1.0, 60.0, 0.5)
    der.apply(der.settings.with_(constant_q={"q_pu": 0.3}))
    q = [der.step(1.0, 1.0, 1.0, 60.0, 0.5)[1] for _ in range(10)]
    assert q[3] == 0.0
    assert q[5] == pytest.approx(0.3)
    der.command(v2g_authorised=False)
    assert der.step(1.0, 1.0, 1.0, 60.0, 0.5)[0] == 0.0
    der.command(v2g_authorised=True, permit_service=False)
    assert der.step(1.0, 1.0, 1.0, 60.0, 0.5)[2] == Status.TRIP
    other = Der(III, step_s=0.1)
    other.step(1.0, 1.0, 1.0, 60.0, 0.5)
    other.phase_jump(15.0)
    assert other.step(1.0, 1.0, 1.0, 60.0, 0.5)[2] == Status.CONTINUOUS_OPERATION
    other.phase_jump(-30.0)
    assert other.step(1.0, 1.0, 1.0, 60.0, 0.5)[2] == Status.TRIP


@pytest.mark.parametrize(
    "bad", [(math.nan, 1, 1, 60, 0), (1, 1, -0.1, 60, 0), (1, 1, 1, math.inf, 0), (1, 1, 1, 60, 1.2)]
)
def test_der_refuses_impossible_inputs_and_does_not_move(bad):
    der = Der(III, step_s=0.1)
    der.step(1.0, 1.0, 1.0, 60.0, 0.5)
    before = der.state
    with pytest.raises(InputError, match="sensors"):
        der.step(*(float(b) for b in bad))
    assert str(der.state) == str(before)


@pytest.mark.parametrize(
    ("events", "named"),
    [
        ({"time_s": [0.0, 1.0], "v_pu": [1.0, math.nan]}, r"v_pu\[1\] = nan"),
        ({"time_s": [0.0, 2.0, 1.0], "v_pu": [1.0, 1.0, 1.0]}, "backwards"),
        ({"time_s": [0.0], "v_a_pu": [1.0]}, "v_b_pu"),
        ({"time_s": [0.0], "volts": [1.0]}, "volts"),
        ({"time_s": [], "v_pu": []}, "0 rows"),
        ({"time_s": [0.0], "f_hz": ["sixty"]}, "f_hz"),
        ({"time_s": [0.0], "p_demand_pu": [1.4]}, "p_demand_pu"),
    ],
)
def test_refuses_wrong_events(events, named):
    with pytest.raises(InputError, match=named):
        simulate(III, pd.DataFrame(events), duration_s=1.0, step_s=0.1)


def test_table_of_events_is_the_same_as_segments():
    table = pd.DataFrame(
        {
            "time_s": [0.0, 1.0, 1.0, 2.0],
            "v_pu": [1.0, 1.0, 0.7, 0.9],
            "p_demand_pu": 0.5,
            "f_hz": [60, 60, 60, 60.2],
        }
    )
    segments = [
        GridSegment(1.0, p_demand_pu=0.5),
        GridSegment(1.0, v_pu=0.7, v_end_pu=0.9, f_hz=60.0, f_end_hz=60.2, p_demand_pu=0.5),
        GridSegment(1.0, v_pu=0.9, f_hz=60.2, p_demand_pu=0.5),
    ]
    by_table = simulate(III, table, duration_s=3.0, step_s=0.01)
    pd.testing.assert_frame_equal(by_table, simulate(III, segments, duration_s=3.0, step_s=0.01))


def test_settings_handed_over_at_a_time_to_one_device():
    after = III.with_(p_limit={"enabled": True, "limit_pu": 0.2, "response_s": 0.0})
    frame = run([III, III], GridSegment(2.0, p_demand_pu=0.9), changes=[SettingsChange(1.0, after, device=1)])
    last = frame.groupby("device").p_pu.last()
    assert last.tolist() == pytest.approx([0.9, 0.2])
