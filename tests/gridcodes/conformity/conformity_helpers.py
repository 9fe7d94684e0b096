"""Rules, cases and exact records that the tests of the suite share."""

from dataclasses import replace
from functools import cache

import numpy as np

from v2glab.evidence import Outcome
from v2glab.gridcodes import load_code
from v2glab.gridcodes.conformity import (
    ModelBench,
    Record,
    Rules,
    Stimulus,
    Stretch,
    Uncertainties,
    add_noise,
    add_waveform_noise,
    list_cases,
)

CODE = load_code("ieee1547-2018")
#: An instrument that is good enough for every band of the suite.
DECLARED = Uncertainties()


@cache
def rules(category="III", normal="B"):
    return Rules(CODE, category, normal)


def cases(*names, category="III", normal="B"):
    return list_cases(rules(category, normal), names)


def case(name, category="III", normal="B"):
    (found,) = cases(name, category=category, normal=normal)
    return found


@cache
def exact(name, category="III", normal="B"):
    """The record of the reference model without noise."""
    return record_of(case(name, category, normal))


def record_of(test):
    """The record of the reference model in a test, without noise."""
    bench = ModelBench(noisy=False)
    bench.configure(test.settings)
    return bench.run(test.stimulus)


def noisy(test, record, seed):
    """An exact record as an instrument of its declared uncertainties would have measured it."""
    seen = add_noise(record, seed)
    if seen.waveform is None:
        return seen
    plate = test.rules.base.nameplate
    return replace(seen, waveform=add_waveform_noise(seen.waveform, seen.uncertainties, plate, seed))


def outcomes(verdicts):
    return {v.criterion.id.rpartition(".conformity.")[2]: v.outcome for v in verdicts}


def failed_clauses(verdicts):
    return {v.criterion.clause for v in verdicts if v.outcome is Outcome.FAIL}


def flat(seconds=10.0, spacing=0.01, *, volts=1.0, hertz=60.0, p=1.0, q=0.0, connected=1.0, **more):
    """A record in which nothing happens; arrays may be given for any channel."""
    time = np.arange(round(seconds / spacing) + 1) * spacing
    full = lambda value: np.broadcast_to(np.asarray(value, float), time.shape).copy()  # noqa: E731
    return Record(
        time,
        np.vstack([full(volts)] * 3),
        full(hertz),
        full(p),
        full(q),
        np.hypot(full(p), full(q)),
        full(connected),
        **{"uncertainties": DECLARED, **more},
    )


def changed(record, **channels):
    return replace(record, **channels)


def hold(seconds, **more):
    return Stimulus((Stretch(seconds, **more),), 0.01)
