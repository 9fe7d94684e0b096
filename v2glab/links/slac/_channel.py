"""The power line as a channel: attenuation, noise, SNR and loss for each carrier group."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import InputError
from v2glab.links.slac._rules import ChannelData, Line, Noise, SlacRules, load_slac_rules

Floats = NDArray[np.float64]
#: The highest level that a modem reports: 254 is a sentinel.
_HIGHEST = 253


@dataclass(frozen=True)
class PlcChannel:
    """One direction between two modems.

    Parameters
    ----------
    name
        Entry of ``[channel]`` it was made from.
    frequency_hz, attenuation_db, noise_dbm_hz
        Mean of each carrier group, shape (58,).
    spread_db
        Standard deviation from one sound to the next.
    line
        What all channels share.
    """

    name: str
    frequency_hz: Floats
    attenuation_db: Floats
    noise_dbm_hz: Floats
    spread_db: float
    line: Line

    @property
    def snr_db(self) -> Floats:
        """Signal to noise in each group: transmit level − attenuation − noise, shape (58,)."""
        return self.line.tx_psd_dbm_hz - self.attenuation_db - self.noise_dbm_hz

    def group_loss(self) -> Floats:
        """Probability that a group alone spoils its share of a frame's bits, shape (58,).

        QPSK in white noise, bit error Q(√(Es/N0)) (Proakis, Digital Communications, 4.3-13), with the coding
        gain added to the SNR and no help from the copies in other groups.
        """
        return self._loss(_power(self.snr_db))

    def frame_loss(self) -> float:
        """Probability that a frame is lost.

        Mini-ROBO sends each bit several times on carriers spread over the band; their SNR adds up (maximal
        ratio combining). A frame survives when all its bits do.
        """
        power = _power(self.snr_db)
        step = len(power) / self.line.robo_copies
        combined = sum(np.roll(power, -round(copy * step)) for copy in range(self.line.robo_copies))
        return float(1 - np.prod(1 - self._loss(np.asarray(combined, dtype=float))))

    def sound(self, random: np.random.Generator) -> tuple[int, ...]:
        """Return what a modem reports of one sound: whole dB for each group.

        It measures signal and noise together, so that noise makes a weak group look stronger than it is.
        """
        spread = random.normal(0.0, self.spread_db, len(self.attenuation_db))
        received = _power(self.line.tx_psd_dbm_hz - self.attenuation_db - spread) + _power(self.noise_dbm_hz)
        levels = np.rint(self.line.tx_psd_dbm_hz - 10 * np.log10(received))
        return tuple(np.minimum(np.maximum(levels, 0), _HIGHEST).astype(int).tolist())

    def _loss(self, power: Floats) -> Floats:
        bits = self.line.frame_bits / len(power)
        gain = 10 ** (self.line.coding_gain_db / 10)
        error = np.array([0.5 * math.erfc(math.sqrt(gain * p / 2)) for p in power])
        # 1 − (1 − p)^n without losing the digits of a small p.
        loss: Floats = -np.expm1(bits * np.log1p(-error))
        return loss


def make_channel(
    name: str, rules: SlacRules | None = None, *, extra_db: float = 0.0, motor_load: float = 0.0
) -> PlcChannel:
    """Make a channel from an entry of ``[channel]`` in ``slac.toml``.

    Parameters
    ----------
    extra_db
        Attenuation on top in all groups: a poor contact, or the coupling of cross-talk into another cable.
    motor_load
        Load of the motor inverter that makes noise, 0 (off) to 1.

    Raises
    ------
    InputError
        There is no such channel, or a number is out of range.
    """
    rules = load_slac_rules() if rules is None else rules
    if name not in rules.channel:
        raise InputError(f"channel {name!r:.60}", f"one of {', '.join(rules.channel)}", "name one of these")
    if not 0 <= motor_load <= 1:
        raise InputError(f"motor load {motor_load:g}", "0 to 1", "give the share of full load")
    if not (math.isfinite(extra_db) and extra_db >= 0):
        raise InputError(
            f"extra attenuation {extra_db:g} dB", "0 dB or more", "give a loss as a positive number"
        )
    carriers = carrier_frequencies_hz(rules.line)
    group = np.arange(len(carriers)) // rules.line.carriers_per_group
    data = rules.channel[name]
    attenuation = _attenuation_db(data, carriers, group) + extra_db
    noise = 10 * np.log10(_group_mean(_noise_mw_hz(rules.noise, carriers, motor_load), group))
    return PlcChannel(name, _group_mean(carriers, group), attenuation, noise, data.spread_db, rules.line)


def carrier_frequencies_hz(line: Line) -> Floats:
    """Return the frequencies of the carriers that the tone mask leaves, ascending."""
    numbers = np.concatenate([np.arange(first, last + 1) for first, last in line.tone_mask])
    frequencies: Floats = numbers * line.carrier_spacing_hz
    return frequencies


def _attenuation_db(data: ChannelData, carriers: Floats, group: NDArray[np.int_]) -> Floats:
    if data.groups_db:
        if len(data.groups_db) != group[-1] + 1:
            found = f"{len(data.groups_db)} groups in a channel"
            raise InputError(found, f"{group[-1] + 1} groups", "mend datasets/iso15118/slac.toml")
        return np.array(data.groups_db)
    gains, lengths = np.array(data.gains)[:, None], np.array(data.lengths_m)[:, None]
    damping = np.exp(-(data.a0_per_m + data.a1_s_per_m * carriers) * lengths)
    echo = np.exp(-2j * math.pi * carriers * lengths / data.velocity_m_s)
    response = np.abs(np.sum(gains * damping * echo, axis=0))
    return _group_mean(-20 * np.log10(np.maximum(response, 1e-6)), group)


def _noise_mw_hz(noise: Noise, carriers: Floats, motor_load: float) -> Floats:
    """Background plus motor inverter, the envelope of a trapezoid's spectrum (−20, then −40 dB a decade)."""
    background = _power(noise.floor_dbm_hz + noise.rise_db * np.exp(-carriers / noise.decay_hz))
    corner = 1 + (math.pi * noise.motor_rise_time_s * carriers) ** 2
    motor = (
        _power(np.full_like(carriers, noise.motor_dbm_hz)) * motor_load**2 * (1e6 / carriers) ** 2 / corner
    )
    total: Floats = background + motor
    return total


def _group_mean(values: Floats, group: NDArray[np.int_]) -> Floats:
    mean: Floats = np.bincount(group, values) / np.bincount(group)
    return mean


def _power(level_db: Floats) -> Floats:
    power: Floats = 10 ** (level_db / 10)
    return power
