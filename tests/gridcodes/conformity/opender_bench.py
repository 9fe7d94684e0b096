"""OpenDER 2.2.0 as device under test; it steps through the stimulus, an honest instrument watches."""

import logging
import math
from dataclasses import replace

import numpy as np

from v2glab.gridcodes.conformity import ModelBench, Record, add_noise
from v2glab.gridcodes.der import settings_to_common_file

logging.disable(logging.WARNING)  # it warns about every value that it accepts
_FLAGS = ("PF_MODE_ENABLE", "MC_ENABLE", "DVS_MODE_ENABLE")


class OpenDerBench(ModelBench):
    """The public reference model behind the bench protocol.

    ``other_step_s``: another device of the same process was made with that step, after this one.
    ``restarts``: the controller starts anew when the voltage first leaves continuous operation.
    """

    def __init__(self, step_s=0.02, seed=1, *, other_step_s=None, restarts=False):
        super().__init__(seed=seed)
        self.step_s, self.name = step_s, "OpenDER 2.2.0"
        self.other_step_s, self.restarts = other_step_s, restarts

    def run(self, stimulus):
        from opender import DER

        DER.t_s = self.step_s
        peer = self._device(cold=stimulus.cold)
        DER.t_s = self.other_step_s or self.step_s
        fresh = not self.restarts
        time = np.arange(round(stimulus.duration_s / self.step_s) + 1) * self.step_s
        rows, waiting = [], _changes(stimulus)
        for t in time:
            while waiting and waiting[0][0] <= t + 1e-9:
                for name, value in _parameters(waiting.pop(0)[1]).items():
                    setattr(peer.der_file, name, value)
            v, f, demand = _inputs(stimulus, t)
            if not fresh and not 0.88 <= min(v) <= max(v) <= 1.1:
                peer, fresh = self._device(), True
            peer.update_der_input(
                v_pu=list(v), theta=[0.0, -math.tau / 3, math.tau / 3], f=f, p_dem_pu=demand
            )
            peer.run()
            rows.append((*v, f, peer.p_out_pu, peer.q_out_pu, peer.der_status not in ("Trip",)))
        a, b, c, hertz, p, q, on = np.array(rows, float).T
        current = np.hypot(p, q) / np.maximum((a + b + c) / 3, 1e-3)
        record = Record(time, np.vstack([a, b, c]), hertz, p, q, current, on, self.uncertainties)
        return add_noise(replace(record, i_pu=np.minimum(current, 10.0)), self.seed)

    def _device(self, *, cold=False):
        from opender import DER_BESS

        return DER_BESS(**_parameters(self.settings), STATUS_INIT=not cold)


def _parameters(settings):
    values = {k.removesuffix("-AS"): v for k, v in settings_to_common_file(settings).items()}
    return values | {name: values[name] == "ENABLED" for name in _FLAGS}


def _changes(stimulus):
    pairs = zip(stimulus.starts(), stimulus.stretches, strict=True)
    return [(t, s.settings) for t, s in pairs if s.settings is not None]


def _inputs(stimulus, t):
    """Return grid and demand at a time; the last stretch holds its end."""
    for start, s in zip(reversed(stimulus.starts()), reversed(stimulus.stretches), strict=True):
        if t >= start - 1e-9:
            share = min(1.0, (t - start) / s.duration_s)
            end_v, end_f = s.voltage_to_pu or s.voltage_pu, s.frequency_to_hz or s.frequency_hz
            v = tuple(x + share * (y - x) for x, y in zip(s.voltage_pu, end_v, strict=True))
            return v, s.frequency_hz + share * (end_f - s.frequency_hz), s.demand_pu
    raise AssertionError(t)
