"""Services from files and the command line, sampled sessions, and what they say of themselves."""

import io
import itertools
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from v2glab.barriers import (
    RESPONSE,
    Terms,
    VehicleValuer,
    Window,
    parse_session_model,
    sample_sessions,
    synthetic_house,
)
from v2glab.evidence import InputError, UsageError, read_toml
from v2glab.procedures._analyse_barriers_inputs import gather
from v2glab.procedures._analyse_barriers_services import services_table
from v2glab.procedures._barrier_files import read_or_sample
from v2glab.procedures._barrier_services import parse_frequency, read_own_use
from v2glab.procedures._procedure import load_procedure, validate_parameters
from v2glab.resources import find_data

PROCEDURE = load_procedure("analyse_barriers")
WINDOW = Window(1_735_689_600, 365 * 96)


def inputs_of(**changes: Any) -> Any:
    return gather(validate_parameters(PROCEDURE, {"rules": "double_counting", "users": 1} | changes))


def test_the_example_house_is_what_its_seed_gives_and_is_laid_over_the_window() -> None:
    path = find_data("datasets", "load", "example-house.csv")
    assert path.read_text() == synthetic_house()
    net = read_own_use(path, WINDOW)
    columns = np.loadtxt(io.StringIO(synthetic_house()), delimiter=",", skiprows=1, usecols=(1, 2))
    assert net == pytest.approx(np.repeat(columns[:, 0] - columns[:, 1], 4) / 4)


HOUR = "2025-01-01 0{}:00:00,1,1"


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("2025-01-01 01:00:00,x,1", "row 3"),
        ("2025-01-01 01:00:00,1,-1", "row 3"),
        ("\n".join(HOUR.format(hour) for hour in (1, 2, 4)), "row 5"),
    ],
)
def test_wrong_loads_are_refused_by_row(row: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "house.csv"
    path.write_text(f"utc,load_kw,pv_kw\n2025-01-01 00:00:00,1,0\n{row}\n")
    with pytest.raises(InputError, match=what):
        read_own_use(path, WINDOW)
    path.write_text("utc,kw\n")
    with pytest.raises(InputError, match="row 1"):
        read_own_use(path, WINDOW)


def test_frequency_is_read_in_whole_days_and_gaps_are_refused() -> None:
    times = 43_200 + 60 * np.arange(2_500)
    lines = [f"{t},{50 + 0.001 * (t % 7)}" for t in times.tolist()]
    sample_s, series = parse_frequency("time_s,frequency_hz\n" + "\n".join(lines), "f.csv")
    assert sample_s == 60.0 and series.size == 1440
    assert series[0] == 50 + 0.001 * (86_400 % 7)  # from the first midnight on
    for wrong, what in (
        (lines[:3] + lines[4:], "row 5"),
        ([*lines[:3], "43380,80"], "row 5"),
        (lines[:100], "whole day"),
        (["0,50", "61,50"], "step of up to 60 s"),
    ):
        with pytest.raises(InputError, match=what):
            parse_frequency("time_s,frequency_hz\n" + "\n".join(wrong), "f.csv")
    with pytest.raises(InputError, match="row 1"):
        parse_frequency("t,f\n0,50\n", "f.csv")


def test_stacked_services_by_name_and_barred_stacking_costs_the_lesser_one(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.csv"  # nothing is ever called: what stands ready is paid for nothing
    quiet.write_text("time_s,frequency_hz\n" + "\n".join(f"{60 * i},50.0" for i in range(1440)))
    inputs = inputs_of(services="frequency-response", frequency=str(quiet), reserve_per_mw_h=8.0)
    assert inputs.market.services.names == (RESPONSE,)
    valuer = VehicleValuer(inputs.years[0], inputs.vehicle, inputs.market)
    year, car = inputs.years[0], inputs.vehicle
    plugged = float((year.end_s - year.start_s).sum()) / 3600
    # By hand: 11 kW stand ready whenever the car is plugged in and holds a quarter of an hour's energy.
    most = plugged * car.discharge_kw * 8.0 / 1000 * 365 / year.days
    assert 0.7 * most < valuer.value(Terms()) <= most + 1e-6
    assert valuer.value(Terms(reserve_share=0.0)) == 0.0
    assert valuer.value(Terms(no_stacking=1.0)) == valuer.value(Terms())  # one service alone has no stack
    assert valuer.gap_eur == 0.0
    assert services_table(inputs) == {}


def test_unknown_services_and_settings_are_refused() -> None:
    for wrong in ("trading", "", "arbitrage,trading"):
        with pytest.raises((InputError, UsageError), match="arbitrage, self-consumption"):
            inputs_of(services=wrong)
    for name in ("synthetic:cars=3", "synthetic:users=x", "synthetic:users=0", "synthetic:year=1"):
        with pytest.raises(InputError, match="users"):
            read_or_sample(name, "Europe/Oslo")


def test_sampled_sessions_follow_their_distributions_and_never_overlap() -> None:
    model = parse_session_model(read_toml(find_data("datasets", "sessions", "sampler.toml")), "sampler")
    for spread in (model.plug_in_share, model.arrival_h, model.parked_h, model.energy_kwh):
        assert "doi" in spread.source or "fit" in spread.source
    zone = ZoneInfo("UTC")
    found = sample_sessions(model, 150, 2025, 5, zone)
    few = sample_sessions(model, 3, 2025, 5, zone)
    assert few == sample_sessions(model, 3, 2025, 5, zone)
    assert few != sample_sessions(model, 3, 2025, 6, zone)
    assert few == found[: len(few)]  # users do not move when others are added
    by_user: dict[str, list[Any]] = {}
    for session in found:
        by_user.setdefault(session.user, []).append(session)
    means = np.array([np.mean([s.energy_kwh for s in own]) for own in by_user.values()])
    hours = np.array([np.median([s.start_s % 86_400 / 3600 for s in own]) for own in by_user.values()])
    shares = np.array([len(own) / 364 for own in by_user.values()])
    # Normals cut at a bound have a mean a little above: closed form of the rectified normal.
    assert shares.mean() == pytest.approx(_cut_mean(0.60, 0.27, 0.1, 1.0), abs=0.06)
    assert means.mean() == pytest.approx(_cut_mean(14.8, 9.8, 0.5, np.inf), abs=2.4)
    assert hours.mean() == pytest.approx(17.0, abs=0.4)
    assert hours.std() == pytest.approx(1.6, abs=0.3)
    for own in by_user.values():
        assert all(a.end_s < b.start_s for a, b in itertools.pairwise(own))
        assert all(s.end_s - s.start_s >= 900 for s in own)


def _cut_mean(mean: float, sd: float, low: float, high: float) -> float:
    from scipy.stats import norm

    x = norm(mean, sd).ppf((np.arange(20_000) + 0.5) / 20_000)
    return float(np.clip(x, low, high).mean())


def test_sampled_users_pass_the_certificate_or_are_listed() -> None:
    inputs = inputs_of(sessions="synthetic:users=20,seed=3", users=0, minimum_days=100.0)
    kept = {year.user for year in inputs.years}
    listed = {issue.user for issue in inputs.issues}
    assert kept and listed and not kept & listed
    assert kept | listed == {f"sampled-{n:05}" for n in range(1, 21)}
    assert any(issue.kind == "infeasible" for issue in inputs.issues)
