"""Known faults of OpenDER 2.2.0: each is shown there, and shown absent here against the rule."""

import numpy as np
import pytest
from opender_peer import like_opender, parameters, run_opender

from v2glab.gridcodes import load_code
from v2glab.gridcodes.der import Der, GridSegment, SettingsChange, Status, settings_for, simulate


def _peer(settings, step_s):
    from opender import DER, DER_BESS

    DER.t_s = step_s
    return DER_BESS(**parameters(settings))


def _feed(peer, v=1.0, f=60.0, p=0.5):
    peer.update_der_input(v_pu=v, f=f, p_dem_pu=p)
    peer.run()
    return peer


def _ours(settings, segments, step_s=0.02, **more):
    return simulate(settings, segments, duration_s=sum(s.duration_s for s in segments), step_s=step_s, **more)


def test_demand_counts_with_limit_and_volt_watt():
    settings = like_opender(
        "III",
        volt_watt={"enabled": True},
        p_limit={"enabled": True, "limit_pu": 0.5},
        droop={"enabled": False},
    )
    ours = _ours(settings, [GridSegment(10.0, p_demand_pu=-0.8)])
    assert run_opender(settings, ours, 0.02).p_pu.iloc[-1] == pytest.approx(0.5)
    assert ours.p_pu.iloc[-1] == pytest.approx(-0.8)


def test_high_voltage_may_trip_only_after_its_time():
    settings = like_opender("II")
    peer = _peer(settings, 0.02)
    der = Der(settings, step_s=0.02)
    seen = []
    for k in range(100):  # 0.5 s calm, then 1.12 p.u. must be ridden through for 1 s
        v = 1.0 if k < 25 else 1.12
        _feed(peer, v)
        der.step(v, v, v, 60.0, 0.5)
        seen.append((peer.opstatus.ridethroughcrit.rt_pass_time_req, der.state["may_trip"]))
    assert seen[25] == (True, False)
    assert [ours for _, ours in seen].index(True) == pytest.approx(25 + 50, abs=1)


def test_low_frequency_timer_runs_between_58_5_and_58_8():
    settings = like_opender("III", trips={"uf1": {"time_s": 1000.0}}, droop={"enabled": False})
    peer, der = _peer(settings, 1.0), Der(settings, step_s=1.0)
    for k in range(400):
        f = 60.0 if k < 5 else 58.6
        _feed(peer, f=f)
        der.step(1.0, 1.0, 1.0, f, 0.5)
        if k == 300:
            assert not der.state["may_trip"]
    assert peer.opstatus.ridethroughcrit.rt_time_lf <= 1.0
    assert not peer.opstatus.ridethroughcrit.rt_pass_time_req
    assert der.state["may_trip"]  # after 299 s
    assert der.state["status"] == Status.MANDATORY_OPERATION


def test_category_iii_ceases_above_1_20():
    settings = like_opender("III", trips={"ov2": {"time_s": 10.0}, "ov1": {"time_s": 13.0}})
    segments = [GridSegment(0.5, p_demand_pu=0.5), GridSegment(0.5, v_pu=1.22, p_demand_pu=0.5)]
    ours = _ours(settings, segments)
    peer = run_opender(settings, ours, 0.02)
    assert set(peer.status[25:]) == {int(Status.MOMENTARY_CESSATION)}
    assert ours.status.iloc[-1] == Status.CEASE_TO_ENERGIZE
    assert ours.p_pu.iloc[-1] == 0.0


@pytest.mark.parametrize("step_s", [0.02, 0.01, 0.04])
def test_trip_is_not_a_step_early(step_s):
    settings = like_opender("II", ride_through={"cease_response_s": 0.0})
    segments = [GridSegment(1.0, p_demand_pu=0.5), GridSegment(1.0, v_pu=0.4, p_demand_pu=0.5)]
    ours = _ours(settings, segments, step_s)
    peer = run_opender(settings, ours, step_s)
    theirs = ours.time_s[int(np.argmax(peer.status == Status.TRIP))]
    assert theirs == pytest.approx(1.0 + 0.16 - step_s, abs=1e-9)
    assert ours.trip_time_s.iloc[-1] == pytest.approx(1.16, abs=1e-12)
    assert ours.time_s[int(np.argmax(ours.status == Status.TRIP))] == pytest.approx(1.16, abs=1e-9)


def test_settings_wait_for_the_execution_delay():
    before = like_opender(
        "III", execution_delay_s=2.0, constant_q={"enabled": True, "q_pu": 0.0, "olrt_s": 0.0}
    )
    after = before.with_(constant_q={"q_pu": 0.3})
    segments = [GridSegment(6.0, p_demand_pu=0.5)]
    ours = _ours(before, segments, changes=[SettingsChange(1.0, after)])
    peer = run_opender(before, ours, 0.02, [(1.0, after)])
    assert ours.time_s[int(np.argmax(peer.q_pu > 0.15))] == pytest.approx(1.0, abs=0.021)
    assert ours.time_s[int(np.argmax(ours.q_pu > 0.15))] == pytest.approx(3.0, abs=0.021)


def test_first_abnormal_sample_does_not_trip():
    settings = like_opender("III")
    assert _feed(_peer(settings, 0.02), v=0.8).der_status == "Trip"
    ours = _ours(settings, [GridSegment(20.5, v_pu=0.8, p_demand_pu=0.5), GridSegment(1.0, v_pu=0.8)])
    assert ours.status.iloc[0] == Status.MANDATORY_OPERATION
    assert ours.trip_time_s.iloc[-1] == pytest.approx(21.0)


def test_fifty_hertz_is_a_nominal_frequency():
    settings = settings_for(load_code("en50549-1-2019"), "default").with_(
        droop={"enabled": True, "olrt_s": 0.0}, rocof_hz_s=None
    )
    ours = _ours(settings, [GridSegment(1.0, p_demand_pu=0.5), GridSegment(2.0, f_hz=50.3, p_demand_pu=0.5)])
    droop = settings.droop
    expected = 0.5 - (0.3 - droop.deadband_over_hz) / (50.0 * droop.droop_over)
    assert ours.p_pu.iloc[10] == pytest.approx(0.5)
    assert ours.p_pu.iloc[-1] == pytest.approx(expected)
    theirs = _feed(_peer(like_opender("III"), 10.0), f=50.0)
    assert theirs.der_status != "Continuous Operation"


def test_each_device_keeps_its_own_step():
    from opender import DER

    settings = like_opender("II")
    slow, quick = _peer(settings, 1.0), _peer(settings, 0.1)
    assert slow.t_s == quick.t_s == DER.t_s == 0.1
    segments = [GridSegment(2.0, p_demand_pu=0.5), GridSegment(2.0, v_pu=0.4, p_demand_pu=0.5)]
    ours = _ours([settings] * 3, segments, [1.0, 0.1, 0.007])
    assert ours.groupby("device").size().tolist() == [4, 40, 571]
    assert ours.groupby("device").trip_time_s.last().tolist() == pytest.approx([2.16] * 3, abs=1e-9)


def test_randomised_delay_is_reproducible():
    settings = like_opender(
        "II",
        enter_service={"ramp_s": 0.0, "randomised_delay_s": 100.0, "delay_s": 1.0},
        ride_through={"enabled": False},
    )
    segments = [GridSegment(1.0), GridSegment(1.0, v_pu=0.3), GridSegment(110.0)]

    def starts(seed):
        frame = _ours([settings] * 20, segments, 0.1, seed=seed)
        late = frame[(frame.time_s > 2.0) & frame.connected]
        return late.groupby("device").time_s.first().to_numpy()

    first, again, other = starts(7), starts(7), starts(8)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(set(first)) > 15
    assert first.min() >= 3.0 - 1e-9
    assert first.max() <= 103.1


def test_change_of_mode_moves_from_where_the_reactive_power_is():
    """Not in the published list: the ramp of OpenDER starts near zero, whatever flowed before."""
    before = like_opender("III", constant_q={"enabled": True, "q_pu": 0.4})
    after = before.with_(
        constant_q={"enabled": False}, constant_pf={"enabled": True, "pf": 0.95, "excitation": "absorb"}
    )
    segments = [GridSegment(80.0, p_demand_pu=0.8)]
    ours = _ours(before, segments, 0.1, changes=[SettingsChange(40.0, after)])
    peer = run_opender(before, ours, 0.1, [(40.0, after)])
    at = int(np.argmax(ours.time_s > 40.05))
    assert abs(peer.q_pu[at]) < 0.02
    assert ours.q_pu[at] == pytest.approx(0.4, abs=0.02)
    assert ours.q_pu.iloc[-1] == pytest.approx(-0.8 * np.tan(np.arccos(0.95)), abs=1e-6)


def test_priority_never_raises_active_power():
    """Not in the published list: active priority lifts the power of OpenDER above its demand."""
    plate = {"q_inject_max_var": 60e3, "q_absorb_max_var": 60e3}
    settings = like_opender("III", priority="active", constant_q={"enabled": True, "q_pu": 0.6})
    settings = settings.with_(nameplate=plate)
    ours = _ours(settings, [GridSegment(40.0, p_demand_pu=0.85)], 0.1)
    peer = run_opender(settings, ours, 0.1)
    assert peer.p_pu.iloc[-1] > 0.89
    assert ours.p_pu.iloc[-1] == pytest.approx(0.85)
    assert ours.q_pu.iloc[-1] == pytest.approx(np.sqrt(1 - 0.85**2))
