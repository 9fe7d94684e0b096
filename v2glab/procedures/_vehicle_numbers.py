"""Numbers out of a session: energies and what compares them, times, state of charge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from v2glab.evidence import Quantity
from v2glab.procedures._connect_ocpp_numbers import quantile

if TYPE_CHECKING:
    from v2glab.procedures._series import Series
    from v2glab.procedures._vehicle_drive import Drive

#: Names of quantities that depend on the clock of the machine.
TIMING = frozenset({"tls_negotiation", "setup_duration", "message_margin", "loop_answer_p95"})
_SECONDS_PER_HOUR = 3600.0
#: Standard uncertainty of a difference of two readings in whole units (JCGM 100:2008, F.2.2.1).
_ROUNDED_TWICE = math.sqrt(2 / 12)
#: Resolution of the charger's register of the state of charge, percent.
_SOC_STEP = 0.01
#: One reading of the machine's clock, and the call to it.
_CLOCK_S = 1e-6


@dataclass(frozen=True)
class Compared:
    """Energies of one session in the direction in which it flowed, Wh; None where there is no evidence."""

    messages: Quantity | None
    told: Quantity | None
    meter: Quantity | None


def energies(done: Drive, series: Series) -> Compared:
    """Return the energy three ways: by the powers told, by the charger's meter as told, by the station's."""
    exports = (done.power_w or 0.0) >= 0
    count, at_ns = done.energy, done.soc[-1].time_ns if done.soc else None
    if count is None or done.last is None:
        return Compared(None, None, None)
    by_messages = count.export_wh if exports else count.import_wh
    by_told = count.meter_export_wh if exports else count.meter_import_wh
    spread = abs(done.last.power_w) * _longest_gap_s(series) / _SECONDS_PER_HOUR / math.sqrt(6)
    told = None
    if by_told is not None:
        told = Quantity("energy_told", by_told, "Wh", _ROUNDED_TWICE, time_ns=at_ns, instrument="charger")
    return Compared(
        Quantity("energy_messages", by_messages, "Wh", spread, time_ns=at_ns, instrument="charger"),
        told,
        _metered(done, "energy_export" if exports else "energy_import"),
    )


def compare(name: str, energy: Quantity | None, meter: Quantity | None) -> Quantity | None:
    """Return by how many percent an energy differs from the meter's; None without both."""
    if energy is None or meter is None or meter.value <= 0:
        return None
    value = 100 * (energy.value / meter.value - 1)
    return _ratio(name, value, "%", 100 / meter.value, energy, meter)


def efficiency(messages: Quantity | None, meter: Quantity | None, *, exports: bool) -> Quantity | None:
    """Return what is left of the energy behind the inverter: DC told by messages, AC by the meter."""
    if messages is None or meter is None or min(messages.value, meter.value) <= 0:
        return None
    behind, before = (meter, messages) if exports else (messages, meter)
    share = behind.value / before.value
    return _ratio("conversion_efficiency", share, "1", 1 / before.value, behind, before)


def soc_share(done: Drive, messages: Quantity | None, capacity_wh: float) -> Quantity | None:
    """Return the energy by the state of charge as a share of that by messages.

    Two readings of a register bound the change; the capacity counts as exact.
    """
    if messages is None or messages.value <= 0 or len(done.soc) < 2:
        return None
    fallen = (done.soc[0].value - done.soc[-1].value) / 100
    by_soc = capacity_wh * (fallen if (done.power_w or 0.0) >= 0 else -fallen)
    step = capacity_wh * _SOC_STEP / 100 * _ROUNDED_TWICE
    source = Quantity("energy_soc", by_soc, "Wh", step)
    return _ratio("soc_energy_share", by_soc / messages.value, "1", 1 / messages.value, source, messages)


def durations(done: Drive) -> list[Quantity]:
    """Return negotiation, set-up, smallest margin and quantile of the loop, by the machine's clock."""
    out = []
    if done.timing is not None:
        out.append(Quantity("tls_negotiation", done.timing.total_s, "s", _CLOCK_S, instrument="vehicle"))
    if done.phases:
        why = "one session; how long an authorisation takes is the charger's choice"
        total = sum(done.phases.values())
        out.append(Quantity("setup_duration", total, "s", no_uncertainty=why, instrument="vehicle"))
    margins = done.messages["margin_s"].dropna()
    if len(margins):
        out.append(Quantity("message_margin", float(margins.min()), "s", _CLOCK_S, instrument="vehicle"))
    loop = done.messages[done.messages["name"].str.contains("Loop|CurrentDemand|ChargingStatus")]
    answers = [float(a) for a in loop["answer_s"].dropna()]
    if answers:
        value, spread = quantile(answers, 0.95)
        why = "" if spread is not None else f"{len(answers)} samples are too few to enclose it"
        out.append(Quantity("loop_answer_p95", value, "s", spread, why, instrument="vehicle"))
    return out


def _metered(done: Drive, name: str) -> Quantity | None:
    """Return the difference of the station's meter; its relative error is that of the reading."""
    if len(done.meter) < 2 or any(name not in reading for reading in done.meter):
        return None
    first, last = done.meter[0][name], done.meter[-1][name]
    value = last.value - first.value
    spread, why = None, last.no_uncertainty
    if last.uncertainty is not None:
        spread = last.uncertainty / last.value * value if last.value > 0 else last.uncertainty
    return Quantity(
        "energy_meter", value, "Wh", spread, why,
        time_ns=last.time_ns, instrument=last.instrument, certificate=last.certificate,
    )  # fmt: skip


def _longest_gap_s(series: Series) -> float:
    times = series.column("time_s")
    return max((b - a for a, b in pairwise(times)), default=0.0)


def _ratio(name: str, value: float, unit: str, weight: float, one: Quantity, other: Quantity) -> Quantity:
    """Return a quotient of two independent energies (JCGM 100:2008, 5.1.2); ``weight`` is 1 / divisor."""
    facts = {"time_ns": other.time_ns, "instrument": other.instrument, "certificate": other.certificate}
    missing = next((q for q in (one, other) if q.uncertainty is None), None)
    if missing is not None:
        return Quantity(name, value, unit, no_uncertainty=missing.no_uncertainty, **facts)  # type: ignore[arg-type]
    quotient = one.value / other.value if other.value else 0.0
    spread = weight * math.hypot(one.uncertainty or 0.0, quotient * (other.uncertainty or 0.0))
    return Quantity(name, value, unit, spread, **facts)  # type: ignore[arg-type]
