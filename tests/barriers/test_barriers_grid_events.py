"""Trips and waits on grid events, and latencies against limits of markets."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from v2glab.barriers import (
    GridEvent,
    load_catalogue,
    parse_limits,
    reconnection_wait,
    replay,
    telemetry_share,
    trips_rule,
    within_limits,
)
from v2glab.evidence import InputError
from v2glab.gridcodes import load_code
from v2glab.gridcodes.der import settings_for, simulate
from v2glab.procedures._barrier_grid import parse_event, parse_latencies, set_from_grid

CODE = load_code("ieee1547-2018")
RULE = load_catalogue().select("ride_through_window")["ride_through_window"]


def dip(depth_pu: float, duration_s: float, name: str = "dip") -> GridEvent:
    time = np.array([0.0, 1.0, 1.0, 1.0 + duration_s, 1.0 + duration_s, 30.0])
    time = np.round(np.sort(np.concatenate([np.arange(0.0, 30.0, 0.01), time])), 6)
    volts = np.where((time >= 1.0) & (time < 1.0 + duration_s), depth_pu, 1.0)
    return GridEvent(name, time, volts)


def test_a_short_dip_costs_nothing_and_a_long_one_the_wait() -> None:
    short, long = replay(CODE, "III", [dip(0.6, 0.1), dip(0.3, 15.0)])
    assert (short.lost_least_s, short.lost_most_s) == (0.0, 0.0)
    wait, where = reconnection_wait(CODE, "III")
    assert wait == 300.0 and "ieee1547-2018" in where
    assert long.must_trip_at_s is not None
    assert long.lost_least_s == pytest.approx(30.0 - long.must_trip_at_s + wait)
    assert long.lost_most_s >= long.lost_least_s


def test_the_bounds_enclose_what_the_reference_model_loses() -> None:
    import pandas as pd

    event = dip(0.3, 15.0)
    (loss,) = replay(CODE, "III", [event])
    events = pd.DataFrame({"time_s": [0.0, 1.0, 1.0, 16.0, 16.0], "v_pu": [1.0, 1.0, 0.3, 0.3, 1.0]})
    rows = simulate(settings_for(CODE, "III"), events, duration_s=400.0, step_s=0.1)
    lost = rows.loc[~rows["connected"].astype(bool), "time_s"]
    # The model waits from the moment the voltage is back, so does a plant; the count here is to the end of
    # the recording, and then the wait.
    assert len(lost) > 0
    back = 16.0 + loss.wait_s
    assert lost.max() == pytest.approx(back, abs=30.0)
    assert loss.lost_least_s <= (30.0 - lost.min()) + loss.wait_s + 0.2 <= loss.lost_most_s + 0.4


def test_trips_a_year_are_a_poisson_count() -> None:
    losses = replay(CODE, "III", [dip(0.3, 15.0, "a"), dip(0.6, 0.1, "b"), dip(0.3, 12.0, "c")])
    rule = trips_rule(losses, 73.0, RULE, most=False)
    count = sum(loss.lost_least_s > 0 for loss in losses)
    assert rule.value == pytest.approx(5 * count)
    assert rule.uncertainty == pytest.approx(5 * math.sqrt(count + 0.5))
    assert "3 recordings over 73 days" in rule.value_source
    none = trips_rule([losses[1]], 365.0, RULE, most=True)
    assert none.value == 0.0 and none.uncertainty > 0.5
    for days in (0.0, math.nan, 1e6):
        with pytest.raises(InputError, match="days"):
            trips_rule(losses, days, RULE, most=False)


def test_a_recording_with_a_gap_sets_nothing() -> None:
    whole = dip(0.3, 15.0, "torn")
    keep = (whole.time_s < 5.0) | (whole.time_s > 20.0)
    losses = replay(CODE, "III", [GridEvent("torn", whole.time_s[keep], whole.voltage_pu[keep])])
    with pytest.raises(InputError, match="torn"):
        trips_rule(losses, 365.0, RULE, most=True)


def test_latencies_within_a_limit_have_wilsons_interval() -> None:
    limit = {
        "id": "x",
        "product": "x",
        "kind": "activation",
        "limit_s": 2.0,
        "source": "x",
        "confidence": "read",
    }
    limits = parse_limits({"limit": [limit, limit | {"id": "y", "kind": "telemetry"}]}, "x")
    (found,) = within_limits({"activation": np.array([1.0] * 9 + [3.0])}, limits)
    # Wilson for 9 of 10, 95 %: 0.5958 to 0.9821 (Newcombe, Statistics in Medicine 17, 1998, method 3).
    assert (found.share, found.count) == (0.9, 10)
    assert (found.low, found.high) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    with pytest.raises(InputError, match="limit 1"):
        parse_limits({"limit": [limit | {"limit_s": -1}]}, "x")
    own = load_catalogue().select("telemetry_resolution")["telemetry_resolution"]
    assert telemetry_share([found], own) == own  # activation says nothing about telemetry
    rule = telemetry_share(within_limits({"telemetry": np.array([1.0] * 9 + [3.0])}, limits), own)
    assert rule.value == 0.9
    assert rule.uncertainty == pytest.approx((0.9821 - 0.5958) / 4, abs=1e-4)
    assert "measured: 10 values" in rule.value_source and "of y" in rule.value_source


def test_files_set_their_rules_and_name_themselves(tmp_path: Path) -> None:
    event = dip(0.3, 15.0)
    lines = [f"{t:.6f};{v}" for t, v in zip(event.time_s, event.voltage_pu, strict=True)]
    (tmp_path / "dip.csv").write_text("time;voltage\n" + "\n".join(lines) + "\n")
    (tmp_path / "events.toml").write_text(
        'code = "ieee1547-2018"\ncategory = "III"\nobserved_days = 36.5\nrecordings = ["dip.csv"]\n'
    )
    (tmp_path / "latency.csv").write_text("kind,latency_s\nhandshake,2.0\nhandshake,4.0\nactivation,1.5\n")
    catalogue = load_catalogue()
    rules, evidence = set_from_grid(
        catalogue.select("double_levy"),
        catalogue,
        str(tmp_path / "events.toml"),
        str(tmp_path / "latency.csv"),
    )
    assert rules["ride_through_window"].value == pytest.approx(10.0)
    assert rules["anti_islanding"].value == 300.0
    assert (rules["handshake_latency"].value, rules["handshake_latency"].uncertainty) == (3.0, 1.0)
    assert "latency.csv" in rules["handshake_latency"].value_source
    assert len(evidence.losses) == 1
    shares = {w.limit.id: w.share for w in evidence.within}
    assert shares["fcr-full-activation"] == 1.0 and shares["founding-handshake"] == 0.0


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a;b\n1;2\n", "columns"),
        ("time;voltage\n0;1\n1;x\n", "row 3"),
        ("time;voltage\n0;1\n1;nan\n", "row 3"),
        ("time;voltage\n0;1\n", "samples"),
    ],
)
def test_wrong_recordings_are_refused_by_row(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse_event(text, "x.csv")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("kind\n", "columns"),
        ("kind,latency_s\nhandshake,-1\n", "row 2"),
        ("kind,latency_s\nmood,1\n", "row 2"),
        ("kind,latency_s\nhandshake\n", "row 2"),
        ("kind,latency_s\n", "no latency"),
    ],
)
def test_wrong_latencies_are_refused_by_row(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        parse_latencies(text, "x.csv")


@pytest.mark.real_data
def test_a_recorded_danish_fault_is_judged(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("waveforms/mtb_DK1_fault1.csv")
    event = parse_event(path.read_text(encoding="utf-8-sig"), path.name)
    losses = {category: replay(CODE, category, [event])[0] for category in ("I", "II", "III")}
    # A dip to 40 %, cleared soon: only plants of category I were free to leave, and nobody had to.
    assert [loss.must_trip_at_s for loss in losses.values()] == [None] * 3
    assert losses["I"].lost_most_s == pytest.approx(30.0 - 0.201 + 300.0, abs=0.01)
    assert losses["I"].lost_least_s == losses["II"].lost_most_s == losses["III"].lost_most_s == 0.0
