"""Current foldback against its two straight lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.control import allowed_current_pu, check_temperature_limit, rise_share
from v2glab.evidence import LimitError


@pytest.mark.parametrize(
    ("temperature", "current"),
    [(25.0, 1.0), (76.0, 1.0), (80.5, 0.5), (85.0, 0.0), (90.0, 0.0), (-40.0, 1.0)],
)
def test_straight_lines(temperature, current):
    # Limit 85 °C over ambient 25 °C permits 60 K: 85 % is 76 °C, 92.5 % is 80.5 °C.
    assert allowed_current_pu(rise_share(temperature, 25.0, 85.0)) == pytest.approx(current)


@given(st.floats(-2, 3), st.floats(0, 1))
def test_more_heat_never_allows_more_current(share, more):
    assert 0.0 <= allowed_current_pu(share + more) <= allowed_current_pu(share) <= 1.0


def test_ambient_above_the_limit_permits_nothing():
    assert allowed_current_pu(rise_share(20.0, 90.0, 85.0)) == 0.0


@pytest.mark.parametrize("limit", [-40.1, 85.1, float("nan")])
def test_a_limit_out_of_range_is_refused(limit):
    with pytest.raises(LimitError):
        check_temperature_limit(limit)
