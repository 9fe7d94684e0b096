"""Runs of SLAC in a capture: frames sorted by vehicle and run, into the trace that SLAC itself keeps."""

from __future__ import annotations

from dataclasses import dataclass

from v2glab.evidence import Direction
from v2glab.links.capture._layers import PlcFrame
from v2glab.links.slac import (
    AttenCharInd,
    Frame,
    Report,
    SlacFrameError,
    SlacMatchCnf,
    decode_frame,
    load_slac_rules,
)
from v2glab.links.slac import Seen as SlacSeen
from v2glab.links.slac import Trace as SlacTrace
from v2glab.links.slac._frame import SHORTEST
from v2glab.links.slac._profile import read_report

_FROM_VEHICLE = frozenset({
    "CM_SLAC_PARM.REQ", "CM_START_ATTEN_CHAR.IND", "CM_MNBC_SOUND.IND", "CM_ATTEN_CHAR.RSP",
    "CM_VALIDATE.REQ", "CM_SLAC_MATCH.REQ",
})  # fmt: skip
#: Runs of one capture, and reports of one run.
_MOST_RUNS, _MOST_REPORTS = 1000, 64


@dataclass(frozen=True)
class SlacRun:
    """One run; ``tx`` in its trace is what the vehicle sent.

    Parameters
    ----------
    ev_mac, run_id
        Both empty when the capture begins within a run.
    trace
        Its frames.
    reports
        Attenuation as the chargers told it, in the order of the frames.
    matched
        Address of the charger that confirmed the match; empty without one.
    """

    ev_mac: bytes
    run_id: bytes
    trace: tuple[SlacSeen, ...]
    reports: tuple[Report, ...]
    matched: bytes


class _Run:
    def __init__(self, ev_mac: bytes, run_id: bytes) -> None:
        self.ev_mac, self.run_id = ev_mac, run_id
        self.trace = SlacTrace(load_slac_rules())
        self.reports: list[Report] = []
        self.matched = b""


class SlacReader:
    """Sorts management frames into runs; ``others`` counts those that are none of SLAC."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._rules = load_slac_rules()
        self._first_ns: int | None = None
        self.others = 0

    def add(self, seen: PlcFrame) -> None:
        """Take a frame."""
        # What a machine sends itself is captured before the network card pads it.
        data = seen.data.ljust(SHORTEST, b"\0")
        try:
            frame = decode_frame(data)
        except SlacFrameError as error:
            if error.field in ("mmv", "mmtype", "fragmentation"):
                self.others += 1
                return
            trace = self._current().trace
            trace.add(seen.time_ns, self._since_s(seen), "rx", None, len(seen.data), error.found)
            return
        run = self._of(frame)
        name = frame.message.NAME
        ours = name in _FROM_VEHICLE or frame.source == run.ev_mac
        way: Direction = "tx" if ours else "rx"
        run.trace.add(seen.time_ns, self._since_s(seen), way, frame, len(seen.data))
        self._learn(run, frame)

    def _since_s(self, seen: PlcFrame) -> float:
        """Seconds since the first frame: those since 1970 leave a float too few digits."""
        if self._first_ns is None:
            self._first_ns = seen.time_ns
        return (seen.time_ns - self._first_ns) / 1e9

    def runs(self) -> tuple[SlacRun, ...]:
        """Return the runs, oldest first."""
        return tuple(
            SlacRun(r.ev_mac, r.run_id, r.trace.records(), tuple(r.reports), r.matched) for r in self._runs
        )

    def _of(self, frame: Frame) -> _Run:
        run_id = getattr(frame.message, "run_id", None)
        if run_id is None:
            return self._current()
        found = next((r for r in reversed(self._runs) if r.run_id == run_id), None)
        if found is not None:
            return found
        ev_mac = frame.source if frame.message.NAME in _FROM_VEHICLE else frame.destination
        return self._new(ev_mac, run_id)

    def _current(self) -> _Run:
        return self._runs[-1] if self._runs else self._new(b"", b"")

    def _new(self, ev_mac: bytes, run_id: bytes) -> _Run:
        if self._runs and (len(self._runs) >= _MOST_RUNS or not self._runs[-1].run_id):
            # Frames before the first request, such as keys for the modem, belong to the run that follows.
            last = self._runs[-1]
            if not last.run_id:
                last.ev_mac, last.run_id = ev_mac, run_id
            return last
        self._runs.append(_Run(ev_mac, run_id))
        return self._runs[-1]

    def _learn(self, run: _Run, frame: Frame) -> None:
        message = frame.message
        if isinstance(message, AttenCharInd) and len(run.reports) < _MOST_REPORTS:
            report = read_report(frame.source, message.num_sounds, message.groups, self._rules)
            if report not in run.reports:
                run.reports.append(report)
        elif isinstance(message, SlacMatchCnf):
            run.matched = frame.source
