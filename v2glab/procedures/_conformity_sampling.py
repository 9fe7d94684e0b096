"""Sample a station while a stimulus plays: analyser and charger, and oscilloscopes where it is fast."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2glab.evidence import DeviceError
from v2glab.gridcodes.conformity import sample_times
from v2glab.procedures._conformity_waveform import MARGIN_S, PIECE_S, Fine, Scopes

if TYPE_CHECKING:
    from v2glab.evidence import Quantity
    from v2glab.gridcodes.conformity import Stimulus
    from v2glab.station import Lease, Station

Array = NDArray[np.float64]
Action = tuple[float, Callable[[], None]]
#: Half the analyser's update interval: a finer look at it shows nothing new.
ANALYSED_S = 0.05
#: Finest distance of samples with an oscilloscope: less than a cycle shows nothing new.
_FINEST_S = 0.01
#: Wall time that is promised until the next sign of life, and how many samples lie between two.
_WITHIN_S, _BEATS = 60.0, 20
_READ = (
    *(f"{what}_{phase}" for what in ("voltage", "current") for phase in "abc"),
    "power",
    "reactive_power",
    "frequency",
)


@dataclass
class Samples:
    """What was seen, one entry a sample; ``fine`` holds by place what the oscilloscopes showed."""

    time_s: list[float] = field(default_factory=list)
    connected: list[float] = field(default_factory=list)
    analysed: list[dict[str, Quantity]] = field(default_factory=list)
    fine: dict[int, tuple[Array, float, float]] = field(default_factory=dict)
    doubt: str = ""


def plan(stimulus: Stimulus, *, fast: bool) -> list[tuple[float, bool]]:
    """Return when to sample, and whether that is too fast for the analyser.

    Parameters
    ----------
    fast
        Whether there is an oscilloscope for what the analyser is too slow for.
    """
    times = sample_times(stimulus)
    spacing = np.diff(times, prepend=times[0] - 1.0, append=times[-1] + 1.0)
    near = np.minimum(spacing[:-1], spacing[1:]) < ANALYSED_S - 1e-9
    out: list[tuple[float, bool]] = []
    for at, is_near in zip(times.tolist(), near.tolist(), strict=True):
        least_s = _FINEST_S if fast else ANALYSED_S
        if not out or at - out[-1][0] >= least_s - 1e-9 or at >= stimulus.duration_s:
            out.append((at, fast and is_near))
    return out


class Sampler:
    """Samples one run.

    Parameters
    ----------
    station, lease
        Open station, and the lease under which it is energised.
    scopes
        Its oscilloscopes; ``None`` without any.
    """

    def __init__(self, station: Station, lease: Lease, scopes: Scopes | None) -> None:
        self._station, self._lease, self._scopes = station, lease, scopes
        self._seen = Samples()
        self._read_s = self._fetched_s = -math.inf
        self._kept_s = 0.0
        self._known_s: float | None = None
        self._waiting: list[int] = []
        self._start_ns = 0

    def run(self, stimulus: Stimulus, actions: Sequence[Action]) -> Samples:
        """Follow the timeline; ``actions`` are carried out at their times.

        A device or an instrument that falls silent ends it early, with a doubt.
        """
        self._start_ns = self._station.clock.now_ns()
        left = list(actions)
        for number, (at, fast) in enumerate(plan(stimulus, fast=self._scopes is not None)):
            if number % _BEATS == 0:
                self._lease.checkpoint(within_s=_WITHIN_S)
            try:
                if self._waiting and not fast:  # before it is longer ago than the oscilloscope remembers
                    self._fetch(at_end=True)
                while left and left[0][0] <= at + 1e-9:
                    due, act = left.pop(0)
                    self._wait(due, stimulus)
                    act()
                    self._known_s = None
                self._wait(at, stimulus)
                with self._station.clock.moment():
                    self._sample(fast)
            except DeviceError as error:
                self._seen.doubt = f"the device or an instrument fell silent at {at:.3f} s: {error.found}"
                break
        self._fetch(at_end=True)
        return self._seen

    def _now_s(self) -> float:
        """Return the time since the beginning; in lockstep it is known until something is commanded."""
        if self._known_s is None:
            now_s = (self._station.clock.now_ns() - self._start_ns) * 1e-9
            self._known_s = now_s if self._station.clock.mode == "lockstep" else None
            return now_s
        return self._known_s

    def _wait(self, until_s: float, stimulus: Stimulus) -> None:
        """Let time pass; a recording is kept piece by piece, before the oscilloscope forgets it."""
        capture, scopes = stimulus.capture, self._scopes
        while capture is not None and scopes is not None and until_s - self._kept_s >= 1.0 - 1e-9:
            self._sleep(self._kept_s + 1.0)
            scopes.keep(capture, 1.0)
            self._kept_s += 1.0
        self._sleep(until_s)
        left_s = until_s - self._kept_s
        if capture is not None and scopes is not None and until_s >= stimulus.duration_s and left_s > 1e-3:
            scopes.keep(capture, left_s)
            self._kept_s = until_s

    def _sleep(self, until_s: float) -> None:
        wait_s = until_s - self._now_s()
        if wait_s > 0:
            self._station.clock.sleep(wait_s)
            self._known_s = None

    def _sample(self, fast: bool) -> None:
        seen, now_s = self._seen, self._now_s()
        charger = self._station.instrument("charger").read("contactor_feedback", "fault_code")
        on = charger["contactor_feedback"].value == 1 and charger["fault_code"].value == 0
        if not fast or now_s - self._read_s >= ANALYSED_S - 1e-9 or not seen.analysed:
            analysed = self._station.instrument("analyser").read(*_READ)
            self._read_s = now_s
        else:
            analysed = seen.analysed[-1]
        seen.time_s.append(now_s)
        seen.connected.append(float(on))
        seen.analysed.append(analysed)
        if fast:
            if not self._waiting:
                self._fetched_s = now_s
            self._waiting.append(len(seen.time_s) - 1)
        if self._waiting and now_s - self._fetched_s >= PIECE_S:
            self._fetch(at_end=not fast)

    def _fetch(self, *, at_end: bool) -> None:
        """Fetch the newest record for the samples that wait, but for those whose windows are not whole."""
        if not self._waiting or self._scopes is None or self._seen.doubt:
            return
        now_s = self._now_s()
        ready = [k for k in self._waiting if at_end or self._seen.time_s[k] <= now_s - MARGIN_S / 2]
        if not ready:
            return
        at_s = np.array([self._seen.time_s[k] for k in ready])
        length_s = now_s - float(at_s[0]) + MARGIN_S
        found: Fine = self._scopes.fetch(now_s, length_s, at_s)
        for n, k in enumerate(ready):
            self._seen.fine[k] = (found.volts[:, n], float(found.hertz[n]), float(found.amps[n]))
        self._waiting = self._waiting[len(ready) :]
        self._fetched_s = now_s
