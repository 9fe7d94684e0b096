"""A sweep along a characteristic: the input steps, each step is held until the output is steady."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from v2glab.evidence import Verdict
from v2glab.gridcodes.conformity._case import Case, Rules
from v2glab.gridcodes.conformity._judging import response_verdict, steady_verdict
from v2glab.gridcodes.conformity._record import Record
from v2glab.gridcodes.conformity._stimulus import Stimulus, Stretch

if TYPE_CHECKING:
    from v2glab.gridcodes.der import DerSettings

#: A step is held for so many open-loop response times: a first-order response is within 0.1 % then.
_HOLD = 3.0
_SHORTEST_S = 3.0
#: Share of the hold, at its end, that is taken as steady.
_STEADY = 0.2


@dataclass(frozen=True)
class Sweep:
    """What a sweep is judged by.

    Parameters
    ----------
    x, y
        Channels of input and output.
    function, knees
        The characteristic, and where it bends.
    olrt_s
        Open-loop response time.
    timed
        Whether the response is judged besides the steady state.
    """

    x: str
    y: str
    function: Callable[[float], float]
    knees: tuple[float, ...]
    olrt_s: float
    timed: bool = True


def sweep_case(
    rules: Rules,
    sweep: Sweep,
    steps: Sequence[Stretch],
    settings: DerSettings,
    **about: Any,  # noqa: ANN401 -- id, title, clause, needs and the like
) -> Case:
    """Return a case that holds each step until the output is steady.

    Parameters
    ----------
    steps
        Their durations are set here; one with ``frequency_to_hz`` is preceded by a ramp there.
    """
    length = max(_HOLD * sweep.olrt_s, _SHORTEST_S)
    sample = min(1.0, max(0.01, sweep.olrt_s / 50))
    stretches: list[Stretch] = []
    for place, step in enumerate(steps):
        stretches += _held(rules, step, length, sample, str(place))
    return Case(
        rules=rules,
        settings=settings,
        stimulus=Stimulus(tuple(stretches), sample),
        evaluate=partial(_verdicts, sweep=sweep, count=len(steps)),
        **about,
    )


def _held(rules: Rules, step: Stretch, length: float, sample: float, label: str) -> list[Stretch]:
    """Return one step; a change of frequency runs there no faster than must be ridden through."""
    from dataclasses import replace

    if step.frequency_to_hz is None or step.frequency_to_hz == step.frequency_hz:
        return [replace(step, duration_s=length, frequency_to_hz=None, label=label, sample_s=sample)]
    ramp_s = abs(step.frequency_to_hz - step.frequency_hz) / rules.ramp_hz_s
    ramp = replace(step, duration_s=ramp_s, label=f"{label}-ramp", sample_s=min(sample, ramp_s / 5))
    held = replace(
        step,
        duration_s=length,
        frequency_hz=step.frequency_to_hz,
        frequency_to_hz=None,
        settings=None,
        label=label,
        sample_s=sample,
    )
    return [ramp, held]


def _verdicts(case: Case, record: Record, *, sweep: Sweep, count: int) -> list[Verdict]:
    assert case.stimulus is not None  # noqa: S101 -- made above
    out: list[Verdict] = []
    for place in range(count):
        start, end = case.stimulus.span(str(place))
        steady = (end - _STEADY * (end - start), end)
        out.append(
            steady_verdict(
                case,
                record,
                f"steady.{place}",
                x=sweep.x,
                y=sweep.y,
                at=steady,
                function=sweep.function,
                knees=sweep.knees,
            )
        )
        if place == 0 or not sweep.timed:
            continue
        timed = response_verdict(
            case,
            record,
            f"response.{place}",
            y=sweep.y,
            step_s=_step_s(case.stimulus, place),
            olrt_s=sweep.olrt_s,
            end_s=end,
            before_s=_STEADY * (end - start),
        )
        out += [timed] if timed else []
    return out


def _step_s(stimulus: Stimulus, place: int) -> float:
    """Return when a step began: at once, or half way up its ramp."""
    try:
        start, end = stimulus.span(f"{place}-ramp")
    except KeyError:
        return stimulus.span(str(place))[0]
    return (start + end) / 2
