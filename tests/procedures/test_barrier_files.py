"""Readers of sessions and prices: right on good files, one clear error on all others."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2glab.barriers import synthetic_prices, synthetic_sessions
from v2glab.evidence import InputError
from v2glab.procedures._barrier_files import (
    parse_prices,
    parse_sessions,
    read_prices,
    read_sessions,
    read_tariff,
)
from v2glab.procedures._barrier_run import read_run
from v2glab.resources import find_data

HEADER = "User_ID;Start_plugin;End_plugout;El_kWh\n"


def utc(*parts: int) -> int:
    return int(dt.datetime(*parts, tzinfo=dt.UTC).timestamp())


def test_example_files_are_what_their_seed_gives() -> None:
    sessions = find_data("datasets", "sessions", "example-sessions.csv").read_text()
    prices = find_data("datasets", "prices", "example-prices.csv").read_text()
    assert sessions == synthetic_sessions()
    assert prices == synthetic_prices()
    found, issues = parse_sessions(sessions, "x", "Europe/Oslo")
    assert len({session.user for session in found}) == 12
    assert [issue.kind for issue in issues] == ["no plug-out"]
    assert parse_prices(synthetic_prices(2024, 1), "x").per_kwh.size == 8784


def test_sessions_in_local_time_summer_winter_and_the_doubled_hour() -> None:
    text = HEADER + (
        "a;15.01.2019 18:00;16.01.2019 07:00;10,5\n"
        "a;15.07.2019 18:00;16.07.2019 07:00;1\n"
        "a;27.10.2019 02:50;27.10.2019 02:10;0,1\n"
        "b;01.02.2019 10:00;NA;3,5\n"
    )
    found, issues = parse_sessions(text, "f.csv", "Europe/Oslo")
    assert [(s.row, s.start_s, s.energy_kwh) for s in found[:2]] == [
        (2, utc(2019, 1, 15, 17), 10.5),
        (3, utc(2019, 7, 15, 16), 1.0),
    ]
    # The clocks went back in between: 20 minutes, not minus 40.
    assert found[2].end_s - found[2].start_s == 20 * 60
    assert (issues[0].row, issues[0].user) == (5, "b")
    assert "3.5 kWh" in issues[0].found


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("a;31.03.2019 02:30;31.03.2019 09:00;1", "does not exist"),
        ("a;01.01.2019 12:00;01.01.2019 11:00;1", "ends"),
        ("a;01.01.2019 12:00;01.01.2019 13:00;-1", "-1"),
        ("a;01.01.2019 12:00;01.01.2019 13:00;nan", "nan"),
        ("a;01.13.2019 12:00;01.01.2019 13:00;1", "01.13.2019"),
        ("a;01.01.2019 12:00;01.01.2019 13:00", "3 cells"),
        (";01.01.2019 12:00;01.01.2019 13:00;1", "no user"),
        ("a;01.01.0001 00:00;01.01.2019 13:00;1", ""),
    ],
)
def test_wrong_session_rows_are_named(row: str, what: str) -> None:
    with pytest.raises(InputError, match=r"f\.csv, row 3") as caught:
        parse_sessions(
            HEADER + "a;01.01.2018 12:00;01.01.2018 13:00;1\n" + row + "\n", "f.csv", "Europe/Oslo"
        )
    assert what in caught.value.found
    assert caught.value.remedy


def test_prices_in_whole_years_only_and_faults_named_by_row() -> None:
    lines = synthetic_prices(2023, 1).splitlines()
    good = parse_prices("\n".join(lines), "p.csv")
    assert (good.year, good.step_s, good.per_kwh.size) == (2023, 3600, 8760)
    assert good.per_kwh[0] == pytest.approx(float(lines[1].split(",")[1]) / 1000)
    cases = {
        "row 51": [*lines[:50], *lines[51:]],  # a missing hour
        "row 52": [*lines[:51], *lines[50:]],  # an hour twice
        "row 11": [*lines[:10], lines[10].split(",")[0] + "+01:00,5", *lines[11:]],
        "row 12": [*lines[:11], lines[11].split(",")[0] + ",99999", *lines[12:]],
        "row 1:": ["time,price", *lines[1:]],
        "1 January": [lines[0], *lines[2:]],
        "whole": lines[:-1],
    }
    for place, wrong in cases.items():
        with pytest.raises(InputError) as caught:
            parse_prices("\n".join(wrong), "p.csv")
        assert place in str(caught.value), place
        assert caught.value.remedy


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["", HEADER, "utc,eur_per_mwh\n", HEADER + "a;"]))
def test_any_text_is_read_or_refused_and_nothing_else(text: str, start: str) -> None:
    for parse in (lambda t: parse_prices(t, "x"), lambda t: parse_sessions(t, "x", "Europe/Oslo")):
        try:
            parse(start + text)
        except InputError:
            continue


CELL = st.one_of(
    st.sampled_from(
        ["a", "NA", "", "31.12.9999 23:59", "01.01.0001 00:00", "27.10.2019 02:30", "1e999", "nan", "-0"]
    ),
    st.text(alphabet="0123456789.,:; \"'\x00ä-", max_size=16),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELL, min_size=4, max_size=4), max_size=4))
def test_any_cells_are_read_or_refused_and_nothing_else(rows: list[list[str]]) -> None:
    text = HEADER + "\n".join(";".join(row) for row in rows)
    try:
        parse_sessions(text, "x", "Europe/Oslo")
    except InputError as error:
        assert error.remedy


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_on_disk_are_refused_as_input(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path: Path = tmp_path_factory.mktemp("bytes") / "file"
    path.write_bytes(data)
    readers: list[Callable[[Path], object]] = [read_prices, read_tariff, read_run]
    readers.append(lambda p: read_sessions(p, "Europe/Oslo"))
    for read in readers:
        with pytest.raises(InputError):
            read(path)


def test_missing_files_and_zones() -> None:
    with pytest.raises(InputError):
        read_prices(Path("/nowhere/prices.csv"))
    for zone in ("Mars/Base", "", "../../etc/passwd", "\x00"):
        with pytest.raises(InputError, match="time zone"):
            parse_sessions(HEADER, "x", zone)
