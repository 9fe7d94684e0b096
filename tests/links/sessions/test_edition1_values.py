"""Physical values of DIN 70121 and ISO 15118-2: a short integer and a power of ten."""

from hypothesis import given
from hypothesis import strategies as st

from v2glab.links.sessions.edition1._values import bound, number, physical


def test_physical_values_keep_their_number():
    assert number(physical(400.04, "V")) == 400.0
    assert number(physical(15.942, "A")) == 15.94
    assert number(bound(15.949, "A")) == 15.94
    assert number(bound(0.3, "A")) == 0.3
    assert number(bound(22_000, "W")) == 22_000
    assert number(bound(49_999, "W")) == 49_990
    assert physical(-25.8, "A") == {"Multiplier": -2, "Unit": "A", "Value": -2580}


@given(st.floats(0, 3e7), st.sampled_from(["V", "A", "W", "Wh"]))
def test_a_bound_never_grows_and_a_value_is_the_nearest(value, unit):
    told = bound(value, unit)
    step = 10.0 ** told["Multiplier"]
    assert value - step * 1.001 <= number(told) <= value + 1e-5 * step
    assert abs(number(physical(value, unit)) - value) <= step * 0.5001
    assert -32768 <= told["Value"] <= 32767
