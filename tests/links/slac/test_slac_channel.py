"""The channel model against closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2glab.evidence import InputError
from v2glab.links.slac import carrier_frequencies_hz, load_slac_rules, make_channel

RULES = load_slac_rules()
LINE = RULES.line


def flat(snr_db, spread_db=0.0):
    """A channel with the same SNR in all groups."""
    ones = np.ones(58)
    noise = LINE.tx_psd_dbm_hz - 10 * ones - snr_db
    return replace(make_channel("cable"), attenuation_db=10 * ones, noise_dbm_hz=noise, spread_db=spread_db)


def q(x):
    return 0.5 * math.erfc(x / math.sqrt(2))


def test_the_tone_mask_leaves_917_carriers_in_58_groups():
    carriers = carrier_frequencies_hz(LINE)
    assert len(carriers) == 917
    assert math.ceil(917 / LINE.carriers_per_group) == RULES.number("groups")
    assert 2.0e6 < carriers[0] < carriers[-1] < 28.0e6
    # Amateur bands are left out: 40 m, 20 m, 10 m (ITU Region 2).
    for low, high in ((7.0e6, 7.3e6), (14.0e6, 14.35e6), (21.0e6, 21.45e6)):
        assert not ((carriers >= low) & (carriers <= high)).any()


def test_snr_is_transmit_level_less_attenuation_less_noise():
    channel = make_channel("vehicle_at_home", extra_db=3.0)
    np.testing.assert_allclose(
        channel.snr_db, LINE.tx_psd_dbm_hz - channel.attenuation_db - channel.noise_dbm_hz
    )
    assert channel.attenuation_db.mean() == pytest.approx(9.55 + 3.0, abs=0.005)


def test_one_path_is_a_plain_attenuator():
    data = RULES.channel["cable"].model_copy(
        update={"gains": (0.5,), "lengths_m": (10.0,), "a1_s_per_m": 0.0}
    )
    rules = RULES.model_copy(update={"channel": {"one": data}})
    np.testing.assert_allclose(make_channel("one", rules).attenuation_db, -20 * math.log10(0.5), rtol=1e-12)


def test_two_paths_comb_as_their_difference_says():
    # |1 + g·exp(-jφ)|² = 1 + g² + 2·g·cos φ with φ = 2πf·Δd/v; one carrier a group makes it exact.
    data = RULES.channel["cable"].model_copy(
        update={"gains": (1.0, 0.9), "lengths_m": (0.0, 4.0), "a1_s_per_m": 0.0}
    )
    line = LINE.model_copy(update={"carriers_per_group": 1})
    rules = RULES.model_copy(update={"channel": {"two": data}, "line": line})
    channel = make_channel("two", rules)
    phase = 2 * math.pi * carrier_frequencies_hz(line) * 4.0 / data.velocity_m_s
    np.testing.assert_allclose(
        channel.attenuation_db, -10 * np.log10(1 + 0.81 + 1.8 * np.cos(phase)), atol=1e-9
    )


def test_noise_without_motor_is_the_background():
    noise = RULES.noise
    channel = make_channel("cable")
    expected = noise.floor_dbm_hz + noise.rise_db * np.exp(-channel.frequency_hz / noise.decay_hz)
    np.testing.assert_allclose(channel.noise_dbm_hz, expected, atol=0.5)  # mean of a group, in power
    assert make_channel("cable").frame_loss() < 1e-6


def test_motor_noise_grows_with_the_square_of_load_and_falls_with_frequency():
    quiet, half, full = (
        10 ** (make_channel("cable", motor_load=load).noise_dbm_hz / 10) for load in (0.0, 0.5, 1.0)
    )
    np.testing.assert_allclose((full - quiet) / (half - quiet), 4.0, rtol=1e-6)
    motor = 10 * np.log10(full - quiet)
    f = make_channel("cable").frequency_hz
    slope = (motor[-1] - motor[0]) / math.log10(f[-1] / f[0])
    assert -40 < slope < -20  # decibels a decade, between both asymptotes


@pytest.mark.parametrize("snr_db", [-8.0, -4.0, 0.0, 3.0])
def test_loss_is_that_of_qpsk(snr_db):
    channel = flat(snr_db)
    power = 10 ** ((snr_db + LINE.coding_gain_db) / 10)
    bits = LINE.frame_bits / 58
    np.testing.assert_allclose(channel.group_loss(), 1 - (1 - q(math.sqrt(power))) ** bits, rtol=1e-9)
    combined = q(math.sqrt(LINE.robo_copies * power))
    assert channel.frame_loss() == pytest.approx(1 - (1 - combined) ** LINE.frame_bits, rel=1e-9)


def test_a_dead_group_does_not_kill_the_frame():
    channel = flat(10.0)
    dead = channel.attenuation_db.copy()
    dead[7] += 80
    channel = replace(channel, attenuation_db=dead)
    assert channel.group_loss()[7] > 0.99
    assert channel.frame_loss() < 1e-6


@given(st.floats(0, 60), st.floats(0, 1))
def test_more_loss_on_the_way_never_helps(extra_db, load):
    better, worse = make_channel("cable"), make_channel("cable", extra_db=extra_db, motor_load=load)
    assert worse.frame_loss() >= better.frame_loss()
    assert (worse.snr_db <= better.snr_db + 1e-9).all()
    assert ((worse.group_loss() >= 0) & (worse.group_loss() <= 1)).all()


def test_sounds_report_the_attenuation_and_scatter_about_it():
    random = np.random.default_rng(1)
    channel = make_channel("two_chargers_near")
    sounds = np.array([channel.sound(random) for _ in range(400)])
    np.testing.assert_allclose(sounds.mean(axis=0)[:-1], channel.attenuation_db[:-1], atol=0.15)
    variance = channel.spread_db**2 + 1 / 12
    assert sounds[:, 3].std() == pytest.approx(math.sqrt(variance), rel=0.15)


def test_a_drowned_signal_looks_like_the_noise():
    channel = replace(flat(0.0), attenuation_db=np.full(58, 80.0), noise_dbm_hz=np.full(58, -125.0))
    assert set(channel.sound(np.random.default_rng(0))) == {round(LINE.tx_psd_dbm_hz + 125.0)}


def test_a_modem_never_reports_the_sentinel():
    channel = replace(flat(60.0), attenuation_db=np.full(58, 400.0), noise_dbm_hz=np.full(58, -600.0))
    assert set(channel.sound(np.random.default_rng(0))) == {253}


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("nowhere", {}, "channel 'nowhere'"),
        ("cable", {"motor_load": 1.5}, "motor load 1.5"),
        ("cable", {"motor_load": math.nan}, "motor load nan"),
        ("cable", {"extra_db": -1.0}, "extra attenuation -1"),
        ("cable", {"extra_db": math.inf}, "extra attenuation inf"),
    ],
)
def test_what_is_out_of_range_is_refused(name, options, told):
    with pytest.raises(InputError, match=told):
        make_channel(name, **options)


def test_a_profile_of_the_wrong_length_is_refused():
    data = RULES.channel["vehicle_at_home"].model_copy(update={"groups_db": (9.0,) * 57})
    with pytest.raises(InputError, match="57 groups"):
        make_channel("short", RULES.model_copy(update={"channel": {"short": data}}))
