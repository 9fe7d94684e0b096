"""What a site's grid code asks for, and codes of which no source gives it."""

import pytest

from v2glab.evidence import UsageError
from v2glab.gridcodes import list_codes, load_code
from v2glab.procedures._limits import (
    continuous_voltage,
    restore_criterion,
    ride_through_windows,
    sync_criteria,
)
from v2glab.station import Site


def site(code, category="III"):
    return Site(
        jurisdiction="XX",
        grid_code=code,
        category=category,
        nominal_voltage_v=277.0,
        nominal_frequency_hz=60.0,
        rated_power_w=22e3,
        rated_apparent_power_va=22e3,
        rated_current_a=28.9,
    )


@pytest.mark.parametrize("code", ["ieee1547-2018", "ieee1547a-2020", "ul1741sb-2021", "sae-j3072-2024"])
def test_codes_built_on_another_answer_as_it_does(code):
    assert sync_criteria(site(code))["frequency"].upper == 0.3
    assert (continuous_voltage(site(code)).lower, continuous_voltage(site(code)).upper) == (0.88, 1.1)
    assert restore_criterion(site(code)).upper == 0.4
    windows = {w.name: w.duration_s for w in ride_through_windows(site(code))}
    assert windows == {w.name: w.duration_s for w in ride_through_windows(site("ieee1547-2018"))}


@pytest.mark.parametrize("code", list_codes())
def test_a_limit_that_no_source_gives_is_named_not_invented(code):
    chosen = site(code, load_code(code).default_category)
    for ask, key in ((sync_criteria, "sync.frequency.500kva"), (continuous_voltage, "continuous.voltage")):
        if not any(key in name for name in load_code(code).criteria):
            with pytest.raises(UsageError, match=key):
                ask(chosen)
        else:
            assert ask(chosen)
