"""A battery that tests have emptied or filled is brought back, or the suite stops: never a verdict on it."""

from types import SimpleNamespace

import pytest

from v2glab.evidence import DeviceError
from v2glab.procedures._conformity_charge import await_charge, charge_wanted


class Charger:
    """Its state of charge moves with the station's clock."""

    def __init__(self, soc, percent_per_s=0.0, told=("soc",)):
        self.soc, self.percent_per_s, self.told = soc, percent_per_s, told

    def points(self):
        return self.told

    def read(self, name):
        return {name: SimpleNamespace(value=self.soc)}


def station_of(charger):
    def sleep(duration_s):
        station.slept_s += duration_s
        charger.soc += charger.percent_per_s * duration_s

    clock = SimpleNamespace(sleep=sleep)
    station = SimpleNamespace(instrument=lambda name: charger, clock=clock, slept_s=0.0)
    return station


LEASE = SimpleNamespace(checkpoint=lambda within_s: None)


@pytest.mark.parametrize(
    ("soc", "demand_pu"), [(12.0, -1.0), (39.9, -1.0), (40.0, 0.0), (85.0, 0.0), (85.1, 1.0)]
)
def test_which_way_it_has_to_go(soc, demand_pu):
    assert charge_wanted(Charger(soc)) == demand_pu


def test_a_charger_that_tells_no_charge_is_left_alone():
    assert charge_wanted(Charger(0.0, told=())) == 0.0


@pytest.mark.parametrize(("soc", "slope"), [(20.0, 0.01), (95.0, -0.01)])
def test_it_waits_until_the_middle(soc, slope):
    charger = Charger(soc, slope)
    station = station_of(charger)
    await_charge(station, LEASE, charge_wanted(charger))
    assert charger.soc == pytest.approx(65.0, abs=0.3)
    assert station.slept_s == pytest.approx(abs(65.0 - soc) / 0.01, abs=20.0)


def test_a_battery_that_stands_still_stops_the_suite():
    station = station_of(Charger(12.0))
    with pytest.raises(DeviceError, match=r"stays at 12\.0 %"):
        await_charge(station, LEASE, -1.0)
    assert station.slept_s <= 620.0
