"""Station files, clocks, meters and the start of the twin: what is refused, and how it is said."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.evidence import DeviceError, InputError, StorageError, UsageError
from v2glab.instruments import load_certificate
from v2glab.resources import find_data
from v2glab.station import (
    LockstepClock,
    RealtimeClock,
    compile_plan,
    find_station,
    load_station,
    open_station,
)
from v2glab.station._guard_plan import GuardPlan
from v2glab.station._meter import certificate_doubt

TWIN = find_data("drivers", "stations", "twin.toml")


def changed(folder: Path, *pairs: tuple[str, str]) -> Path:
    text = TWIN.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file = folder / "changed.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_shipped_station_file_is_valid() -> None:
    for path in TWIN.parent.glob("*.toml"):
        assert load_station(path).instruments
    assert find_station("twin") == TWIN
    assert find_station(TWIN) == TWIN


@pytest.mark.parametrize(
    ("old", "new", "found", "remedy"),
    [
        ("lease_s = 0.15", "leas_s = 0.15", "unknown key guardian.leas_s", "'lease_s'"),
        ('profile = "hwmon"', 'profil = "hwmon"', "instruments.heatsink.profil", "'profile'"),
        ("ambient_celsius", "ambient", "unknown key twin.ambient", "'ambient_celsius'"),
        ("[gateway]", "[gatway]", "unknown key gatway", "'gateway'"),
        ('point = "inverter_run"', 'pint = "inverter_run"', "guardian.safe_state.2.pint", "'point'"),
        ("lease_s = 0.15", "lease_s = 0.3", "guardian.lease_s", "mend"),
        ("watchdog_s = 0.2", "watchdog_s = 1", "guardian.watchdog_s", "mend"),
        ("phases = 3", "phases = 2", "site.phases", "mend"),
        ("nominal_voltage_v = 277.0", 'nominal_voltage_v = "277"', "site.nominal_voltage_v", "mend"),
        ("nominal_voltage_v = 277.0", "nominal_voltage_v = nan", "site.nominal_voltage_v", "mend"),
        ("rated_power_w = 22000.0", "rated_power_w = inf", "site.rated_power_w", "mend"),
        ("[instruments.charger]", "[instruments.evse]", "not listed: charger", "mend"),
        ('kind = "twin"', 'kind = "live"', "no section [twin]", "mend"),
        ("schema = 1", "schema = 2", "schema", "mend"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, found: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        load_station(changed(tmp_path, (old, new)))
    assert found in caught.value.found
    assert "changed.toml" in caught.value.found
    assert remedy in caught.value.remedy


@given(st.binary(max_size=400))
def test_any_bytes_are_a_station_file_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes.toml"
    file.write_bytes(data)
    with pytest.raises(InputError):
        load_station(file)


@pytest.mark.parametrize("source", ["no-such-station", "./no/such.toml", "no.toml"])
def test_missing_station_lists_what_there_is(source: str) -> None:
    with pytest.raises(InputError, match="twin"):
        find_station(source)


def test_what_belongs_to_the_twin_is_refused_elsewhere(tmp_path: Path) -> None:
    joined = changed(tmp_path, ("faults = []", 'faults = []\ncontrol = "127.0.0.1:1"'))
    with pytest.raises(UsageError, match="under way"):
        open_station(joined, faults=["low_soc"])
    addresses = ('"twin:vehicle"', '"[::1]:1"'), ("twin:", "tcp://127.0.0.1:1/")
    live = changed(tmp_path, ('kind = "twin"', 'kind = "live"'), *addresses)
    text = live.read_text(encoding="utf-8")
    live.write_text(text[: text.index("[twin]")].replace('"lockstep"', '"realtime"'), encoding="utf-8")
    with pytest.raises(UsageError, match="live station"):
        open_station(live, clock="lockstep")


def test_what_the_twin_refuses_is_passed_on_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no_such_fault") as caught:
        open_station("twin", faults=["no_such_fault"], work_dir=tmp_path)
    assert "contactor_weld" in caught.value.required


def test_twin_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such library >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(broken))
    with pytest.raises(DeviceError, match="the twin ended with code 1 and said: no such library"):
        open_station("twin", work_dir=tmp_path)


def test_plan_holds_registers_of_the_profile(tmp_path: Path) -> None:
    plan = compile_plan(load_station(changed(tmp_path, ("twin:charger", "tcp://127.0.0.1:5020?unit=3"))))
    plan.write(tmp_path / "plan.json")
    again = GuardPlan.read(tmp_path / "plan.json")
    assert again == plan
    assert [(r.address, r.words) for r in plan.safe_state] == [
        (0x4004, (0, 0)),
        (0x4001, (0,)),
        (0x4009, (0,)),
    ]
    assert [(r.address, r.words) for r in plan.confirm] == [(0x4003, (0,))]
    assert plan.arm is not None
    assert (plan.arm.address, plan.arm.words) == (0x400A, (200,))
    assert plan.targets["charger"].unit == 3


def test_lockstep_clock_advances_exactly_and_in_pieces() -> None:
    plant_ns = 10**18
    pieces: list[float] = []

    def call(method: str, **params: float) -> dict[str, int]:
        nonlocal plant_ns
        if method == "clock.advance":
            pieces.append(params["duration_s"])
            plant_ns += round(params["duration_s"] * 1e9)
        return {"time_ns": plant_ns}

    watched: list[int] = []
    clock = LockstepClock(call, lambda: watched.append(1))
    clock.sleep(2.5)
    assert clock.now_ns() == 10**18 + 2_500_000_000
    assert pieces == [1.0, 1.0, 0.5]
    assert len(watched) == 3
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError):
            clock.sleep(wrong)


def test_realtime_clock_starts_at_the_plants_time_and_never_sleeps_short() -> None:
    clock = RealtimeClock(lambda: 5 * 10**18)
    before_ns, start_s = clock.now_ns(), time.monotonic()
    clock.sleep(0.12)
    passed_s = time.monotonic() - start_s
    assert before_ns - 5 * 10**18 >= 0
    assert passed_s >= 0.12
    assert clock.now_ns() - before_ns >= 120_000_000
    utc = RealtimeClock()
    assert abs(utc.now_ns() - time.time_ns()) < 10**9


CERTIFICATE = """
schema = 1
[certificate]
id = "T-1"
laboratory = "Lab"
instrument = "meter"
serial = "1"
issued = 2025-06-01
due = 2026-06-01
coverage_factor = 2.0
"""


def accuracy(quantity: str, unit: str, percent: float) -> str:
    return f'[[accuracy]]\nquantity = "{quantity}"\nunit = "{unit}"\npercent_reading = {percent}\n'


@pytest.mark.parametrize(
    ("power_percent", "day", "doubt"),
    [
        (0.5, (2026, 1, 1), ""),
        (0.51, (2026, 1, 1), "accuracy 0.51 %"),
        (0.5, (2026, 6, 1), ""),
        (0.5, (2026, 6, 2), "2026-06-01"),
        (0.5, (2025, 5, 31), "T-1"),
        (None, (2026, 1, 1), "no accuracy for power"),
    ],
)
def test_meter_is_doubted_by_accuracy_and_date(
    tmp_path: Path, power_percent: float | None, day: tuple[int, int, int], doubt: str
) -> None:
    file = tmp_path / "c.toml"
    text = CERTIFICATE + accuracy("voltage", "V", 0.2) + accuracy("current", "A", 0.2)
    file.write_text(text + (accuracy("power", "W", power_percent) if power_percent else ""), encoding="utf-8")
    at_ns = int(datetime(*day, 12, tzinfo=UTC).timestamp()) * 10**9
    found = certificate_doubt(load_certificate(file), load_station(TWIN).site, at_ns, 0.5)
    assert doubt in found
    assert bool(found) == bool(doubt)
    assert "no certificate" in certificate_doubt(None, load_station(TWIN).site, at_ns, 0.5)


def test_work_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way", encoding="utf-8")
    with pytest.raises(StorageError, match="work folder"):
        open_station("twin", work_dir=blocker / "below")
