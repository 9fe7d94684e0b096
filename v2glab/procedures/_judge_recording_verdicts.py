"""Quantities and verdicts of a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from v2glab.evidence import Criterion, Quantity, Verdict, judge, not_applicable
from v2glab.gridcodes import GridCode, RegionUse, RideThroughAssessment, TripUse
from v2glab.procedures._judge_recording_demand import frequency_doubt
from v2glab.procedures._judge_recording_measure import Measured

CONNECTED_SHARE = 0.05
NOT_STATED = "the sidecar states no uncertainty of {}"
EVIDENCE = ("tables/rms", "tables/regions")


def quantities(measured: Measured) -> tuple[Quantity, ...]:
    """Return what the recording shows, each with uncertainty or the reason for having none."""
    out = [_extreme(measured), *_voltages(measured), *_frequencies(measured)]
    stated = NOT_STATED.format("the ratio of phases")
    if (unbalance := measured.unbalance) is not None:
        out.append(_quantity(measured, "voltage_unbalance", 100 * unbalance, "%", None, stated))
    channels = measured.recording.of("voltage")[0]
    if spectrum := measured.voltage_spectrum:
        why = NOT_STATED.format("single harmonics")
        for channel, thd in zip(channels, spectrum.thd, strict=True):
            if math.isfinite(thd):
                name = channel.name.replace("voltage", "voltage_thd")
                out.append(_quantity(measured, name, 100 * float(thd), "%", None, why))
    if measured.power_w is not None:
        why = NOT_STATED.format("power")
        out.append(_quantity(measured, "power", measured.power_w, "W", None, why))
    return tuple(out + _currents(measured))


def verdicts(
    measured: Measured, code: GridCode, assessment: RideThroughAssessment, found: tuple[Quantity, ...]
) -> tuple[Verdict, ...]:
    """Judge the recording by a grid code; what it cannot show stays inconclusive."""
    judged = _Judge(measured, code, assessment, {q.name: q for q in found})
    rules = code.category(assessment.category)
    out = [judged.plain(f"continuous.voltage.{rules.name}", "voltage_extreme")]
    out.append(judged.plain(f"continuous.frequency.{rules.name}", "frequency_extreme"))
    out.append(judged.plain(f"rocof.{rules.name}", "rocof"))
    out += [judged.region(use) for use in assessment.regions if use.region.minimum_s is not None]
    out += [judged.trip(use) for use in assessment.trips]
    out.append(judged.plain("harmonic.trd", "rated_current_distortion"))
    out += [judged.plain(f"harmonic.h{h}", f"harmonic_current_h{h}") for h in _worst_orders(code, found)]
    return tuple(v for v in out if v is not None)


@dataclass(frozen=True)
class _Judge:
    measured: Measured
    code: GridCode
    assessment: RideThroughAssessment
    found: dict[str, Quantity]

    def criterion(self, key: str) -> Criterion | None:
        return self.code.criteria.get(f"{self.code.id}.{key}".lower())

    @property
    def doubt(self) -> str:
        """What forbids any decision on voltage."""
        if self.measured.dead:
            share = float(self.measured.rms_pu.max())
            return f"the voltage channels carry {share:.2%} of nominal at most: a dead line or a wrong unit"
        if self.assessment.gaps:
            return f"the recording has {len(self.assessment.gaps)} gaps"
        return ""

    def plain(self, key: str, name: str) -> Verdict | None:
        """Hold a quantity against its criterion; currents that were not recorded are not judged at all."""
        criterion = self.criterion(key)
        if criterion is None or (key.startswith("harmonic") and name not in self.found):
            return None
        missing = "" if name in self.found else "the recording does not show it"
        other = frequency_doubt(self.measured, self.code) if name in ("frequency_extreme", "rocof") else ""
        return judge(criterion, self.found.get(name), evidence=EVIDENCE, doubt=self.doubt or other or missing)

    def region(self, use: RegionUse) -> Verdict | None:
        """Judge whether the plant stayed connected for as long as it had to."""
        criterion = self.criterion(f"ride-through.{use.region.name}.{self.assessment.category}")
        if criterion is None:
            return None
        if not use.entered and not self.doubt:
            return not_applicable(criterion, "the region was never entered")
        asked = f"{use.longest_s:.4g} s beyond its edge, {use.required_s or 0:.4g} s to be ridden through"
        if not self.measured.current_a.size:
            doubt = self.doubt or f"{asked}; no current channel shows whether the plant stayed connected"
            return judge(criterion, None, evidence=EVIDENCE, doubt=doubt)
        own = criterion.model_copy(
            update={"quantity": f"connected.{use.region.name}", "lower": 1.0, "unit": "1"}
        )
        connected = Quantity(own.quantity, float(self._stayed(use)), "1", 0.0)
        return judge(own, connected, evidence=(*EVIDENCE, asked), doubt=self.doubt or self._near(use))

    def trip(self, use: TripUse) -> Verdict | None:
        """Judge whether the plant ceased to energise in time, when it had to."""
        criterion = self.criterion(f"trip.{use.trip.name}.{self.assessment.category}")
        if criterion is None:
            return None
        seen = f"beyond the threshold for {use.longest_s:.4g} s, due after {use.trip.time_s:g} s"
        if use.due_at_s is None:
            return self._inconclusive(criterion) if self.doubt else not_applicable(criterion, seen)
        if not self.measured.current_a.size:
            why = self.doubt or f"{seen}; no current channel shows whether energising ended"
            return judge(criterion, None, evidence=EVIDENCE, doubt=why)
        begin = use.due_at_s - use.trip.time_s
        off = self.measured.time_s[(self.measured.time_s >= begin) & ~self._exchanging()]
        end = float(off[0]) if off.size else float(self.measured.time_s[-1])
        value = Quantity(criterion.quantity, end - begin, "s", use.u_time_s)
        return judge(criterion, value, evidence=(*EVIDENCE, seen), doubt=self.doubt)

    def _inconclusive(self, criterion: Criterion) -> Verdict:
        return judge(criterion, None, evidence=EVIDENCE, doubt=self.doubt)

    def _near(self, use: RegionUse) -> str:
        if abs(use.margin_s) <= 2 * use.u_time_s:
            return "the distance of the samples does not separate the time from the limit"
        stated = all(c.uncertainty for c in self.measured.recording.of("voltage")[0])
        return "" if stated else NOT_STATED.format("voltage")

    def _exchanging(self) -> np.ndarray:
        """Whether any phase carries 5 % of the current before the disturbance, at each time.

        Where the recording begins inside the disturbance, the largest current stands for the one before.
        """
        current = self.measured.current_a.max(axis=0)
        away = [s.start_s for s in self.assessment.segments if s.mode != "continuous"]
        before = current[self.measured.time_s < min(away, default=math.inf)]
        usual = float(np.median(before)) if before.size else 0.0
        return np.asarray(current >= CONNECTED_SHARE * (usual or float(current.max())))

    def _stayed(self, use: RegionUse) -> bool:
        """In mandatory operation current must flow; after permitted cessation it must have come back at the
        end.
        """
        flowing = self._exchanging()
        if use.region.mode != "mandatory":
            return bool(flowing[-1])
        inside = np.zeros(flowing.size, dtype=bool)
        for segment in self.assessment.segments:
            if segment.region == use.region.name and segment.quantity == use.region.quantity:
                end = segment.end_s if segment.may_trip_at_s is None else segment.may_trip_at_s
                inside |= (self.measured.time_s >= segment.start_s) & (self.measured.time_s < end)
        return bool(flowing[inside].all())


def _quantity(
    measured: Measured, name: str, value: float, unit: str, uncertainty: float | None, why: str
) -> Quantity:
    return Quantity(
        name,
        value,
        unit,
        uncertainty,
        "" if uncertainty is not None else why,
        time_ns=measured.recording.start_ns,
        instrument=measured.recording.name,
    )


def _extreme(measured: Measured) -> Quantity:
    """RMS voltage furthest from nominal, in p.u."""
    rms, u = measured.rms_pu, measured.u_voltage_pu
    worst = float(rms.flat[int(np.argmax(np.abs(rms - 1)))])
    return _quantity(measured, "voltage_extreme", worst, "1", u, NOT_STATED.format("voltage"))


def _voltages(measured: Measured) -> list[Quantity]:
    out = []
    for channel, row in zip(measured.recording.of("voltage")[0], measured.rms_pu, strict=True):
        median = float(np.median(row)) * measured.nominal_v
        why = NOT_STATED.format(channel.name)
        out.append(_quantity(measured, channel.name, median, "V", channel.uncertainty, why))
    return out


def _frequencies(measured: Measured) -> list[Quantity]:
    clock = measured.recording.clock_uncertainty
    why = NOT_STATED.format("the clock (clock_ppm)")
    if measured.fits:
        fits = [fit for _, fit in measured.fits]
        far = max(fits, key=lambda f: abs(f.frequency_hz - measured.nominal_hz))
        steep = max(fits, key=lambda f: abs(f.rocof_hz_s))
        u_far = None if clock is None else math.hypot(far.u_frequency_hz, clock * far.frequency_hz)
        u_steep = None if clock is None else steep.u_rocof_hz_s
        return [
            _quantity(measured, "frequency_extreme", far.frequency_hz, "Hz", u_far, why),
            _quantity(measured, "rocof", abs(steep.rocof_hz_s), "Hz/s", u_steep, why),
        ]
    if measured.frequency_hz.size:
        hertz = measured.frequency_hz
        worst = float(hertz[int(np.argmax(np.abs(hertz - measured.nominal_hz)))])
        spread = measured.recording.of("frequency")[0][0].uncertainty
        return [_quantity(measured, "frequency_extreme", worst, "Hz", spread, NOT_STATED.format("frequency"))]
    return []


def _currents(measured: Measured) -> list[Quantity]:
    """Shares of rated current: harmonics and total distortion of the worst phase."""
    spectrum, rated = measured.current_spectrum, measured.recording.rated_current_a
    if spectrum is None or rated is None:
        return []
    stated = [c.uncertainty for c in measured.recording.of("current")[0]]
    u = None if any(s is None for s in stated) else 100 * max(s or 0.0 for s in stated) / rated
    why = NOT_STATED.format("current")
    rest = np.sqrt(np.sum(spectrum.rms[:, 2:] ** 2, axis=1)).max()
    out = [_quantity(measured, "rated_current_distortion", 100 * float(rest) / rated, "%", u, why)]
    for order in spectrum.orders[2:]:
        share = 100 * float(spectrum.rms[:, order].max()) / rated
        out.append(_quantity(measured, f"harmonic_current_h{order}", share, "%", u, why))
    return out


def _worst_orders(code: GridCode, found: tuple[Quantity, ...]) -> list[int]:
    """The odd and the even order closest to its limit."""
    used: dict[int, tuple[float, int]] = {}
    for quantity in found:
        _, _, digits = quantity.name.partition("harmonic_current_h")
        criterion = code.criteria.get(f"{code.id}.harmonic.h{digits}") if digits else None
        if criterion and criterion.upper:
            order, share = int(digits), quantity.value / criterion.upper
            used[order % 2] = max(used.get(order % 2, (-1.0, 0)), (share, order))
    return [order for _, (_, order) in sorted(used.items(), reverse=True)]
