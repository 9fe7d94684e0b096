"""Section ``[vehicle]`` of a station file: addresses by transport, and what is refused."""

import pytest

from v2glab.evidence import InputError
from v2glab.resources import find_data
from v2glab.station import load_station

SITE = find_data("drivers", "stations", "example-site.toml").read_text(encoding="utf-8")
HEAD, _, _ = SITE.partition("[vehicle]")
_, _, TAIL = SITE.partition("[logs]")


def written(folder, body):
    path = folder / "site.toml"
    path.write_text(f"{HEAD}[vehicle]\n{body}\n[logs]{TAIL}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("transport", "address", "endpoint"),
    [
        ("direct", "[fe80::1%eth1]:15118", ("fe80::1%eth1", 15118)),
        ("fixed", "192.0.2.7:61000", ("192.0.2.7", 61000)),
    ],
)
def test_endpoints_are_taken_apart(tmp_path, transport, address, endpoint):
    section = load_station(written(tmp_path, f'transport = "{transport}"\naddress = "{address}"')).vehicle
    assert section.endpoint == endpoint
    assert section.pki is None
    assert section.port == 15118


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('transport = "radio"\naddress = "eth1"', "vehicle.transport"),
        ('transport = "multicast"\naddress = "eth1:1"', "no name of an interface"),
        ('transport = "multicast"\naddress = "a/b"', "no name of an interface"),
        ('transport = "direct"\naddress = "fe80::1"', "is not HOST:PORT"),
        ('transport = "direct"\naddress = "[::1]:0"', "is not HOST:PORT"),
        ('transport = "fixed"\naddress = "[::1]:65536"', "is not HOST:PORT"),
        ('transport = "direct"\naddress = "twin:vehicle"', "real addresses"),
        ('transport = "direct"\naddress = "[::1]:1"\npki = "twin:vehicle_pki"', "real addresses"),
        ('transport = "direct"', "vehicle.address"),
        ('transport = "direct"\naddress = "[::1]:1"\nports = 3', "unknown key vehicle.ports"),
    ],
)
def test_what_is_no_way_to_a_charger_is_named(tmp_path, body, found):
    with pytest.raises(InputError) as refused:
        load_station(written(tmp_path, body))
    assert found in refused.value.found
    assert refused.value.remedy
