"""Certificates: arithmetic against hand calculation, dates, and what is refused."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from v2glab.evidence import InputError
from v2glab.instruments import load_certificate
from v2glab.resources import find_data

TEXT = """schema = 1
[certificate]
id = "C-1"
laboratory = "lab"
instrument = "meter"
serial = "1"
issued = 2026-01-01
due = 2026-12-31
{extra}
[[accuracy]]
quantity = "voltage"
unit = "V"
percent_reading = 0.1
percent_range = 0.05
range = 600
[[accuracy]]
quantity = "power"
unit = "W"
percent_reading = 0.2
coverage_factor = 1.96
dof = 50
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "c.toml"
    path.write_text(text)
    return path


def ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9


def test_limits_of_error_are_rectangular(tmp_path: Path) -> None:
    certificate = load_certificate(write(tmp_path, TEXT.format(extra="")))
    u, dof = certificate.uncertainty("voltage_a", -277.0)
    # 0.1 % of 277 V is 0.277 V, 0.05 % of 600 V is 0.300 V; half-width 0.577 V, over the root of 3.
    assert u == pytest.approx(0.577 / math.sqrt(3), rel=1e-12)
    assert math.isinf(dof)
    assert certificate.uncertainty("power_b", 1000.0) == pytest.approx((2.0 / 1.96, 50))


def test_expanded_uncertainties_are_divided_by_their_factor(tmp_path: Path) -> None:
    certificate = load_certificate(write(tmp_path, TEXT.format(extra="coverage_factor = 2.0")))
    assert certificate.uncertainty("voltage", 277.0)[0] == pytest.approx(0.577 / 2)
    assert certificate.uncertainty("power", 1000.0)[0] == pytest.approx(2.0 / 1.96), "an entry has its own"


def test_accuracy_in_percent(tmp_path: Path) -> None:
    certificate = load_certificate(write(tmp_path, TEXT.format(extra="")))
    assert certificate.accuracy_percent("voltage_c") == pytest.approx(0.15)
    assert certificate.accuracy_percent("voltage_c", 60.0) == pytest.approx(100 * 0.36 / 60)
    assert certificate.accuracy_percent("power") == pytest.approx(0.2)
    with pytest.raises(InputError):
        certificate.accuracy_percent("voltage", 0.0)


def test_it_holds_to_the_end_of_its_last_day(tmp_path: Path) -> None:
    certificate = load_certificate(write(tmp_path, TEXT.format(extra="")))
    assert certificate.expired(ns(2025, 12, 31, 23, 59, 59))
    assert not certificate.expired(ns(2026, 1, 1))
    assert not certificate.expired(ns(2026, 12, 31, 23, 59, 59))
    assert certificate.expired(ns(2027, 1, 1))


def test_a_power_entry_does_not_serve_the_power_factor(tmp_path: Path) -> None:
    certificate = load_certificate(write(tmp_path, TEXT.format(extra="")))
    assert certificate.find("power_factor", "1") is None
    with pytest.raises(InputError, match="says nothing about 'frequency'"):
        certificate.uncertainty("frequency", 60.0)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("due = 2026-12-31", "due = 2025-12-31", "not after issued"),
        ("range = 600", "", "needs 'range'"),
        ("percent_reading = 0.2", "percent_reading = 0", "no instrument is exact"),
        ("percent_reading = 0.2", "percent_reading = -1", "line 19"),
        ('quantity = "power"', 'quantity = "voltage"', "two entries for voltage"),
        ('serial = "1"', 'serial = "1"\ncolour = "red"', "line 7: certificate.colour"),
        ('id = "C-1"', "", "line 2: certificate.id"),
    ],
)
def test_wrong_certificates_are_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = TEXT.format(extra="")
    assert old in text
    with pytest.raises(InputError, match=says):
        load_certificate(write(tmp_path, text.replace(old, new)))


def test_certificates_of_the_package_are_sound() -> None:
    files = sorted(find_data("drivers", "certificates").glob("*.toml"))
    assert [load_certificate(file.name).id for file in files]
    meter = load_certificate("twin-meter.toml")
    assert meter.accuracy_percent("power") <= 0.5, "the twin's meter serves for telemetry validation"
    assert not meter.expired(ns(2026, 6, 1))
