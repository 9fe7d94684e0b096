"""Synchronise the inverter with the grid, then close the contactor (IEEE 1547-2018, 4.10.4)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from v2glab.evidence import Criterion, Quantity, Result, Verdict, judge, load_criteria
from v2glab.procedures._closing import Approach, ClosingPlan, approach, capture, close_contactor, predicted
from v2glab.procedures._limits import sync_criteria, sync_limits
from v2glab.procedures._procedure import Context, Parameters, Procedure
from v2glab.resources import find_data

if TYPE_CHECKING:
    from v2glab.station import Station

RAD_PER_UNIT = {"rad": 1.0, "deg": math.pi / 180, "cycle": math.tau}


class SynchroniseParameters(Parameters):
    """Parameters of the synchronising test.

    Attributes
    ----------
    threshold, unit
        Largest phase difference at contact, in that unit; never looser than the grid code.
    phase_align
        Whether the threshold is applied; without it only the grid code's limits are.
    timeout_s
        Station time after which the attempt is given up.
    """

    threshold: float = Field(default=0.05, gt=0)
    unit: Literal["rad", "deg", "cycle"] = "rad"
    phase_align: bool = True
    timeout_s: float = Field(default=30.0, gt=0, le=600)
    window_cycles: int = Field(default=10, ge=5, le=60)
    hold_windows: int = Field(default=3, ge=1, le=50)

    @property
    def threshold_rad(self) -> float:
        """The threshold in radians."""
        return self.threshold * RAD_PER_UNIT[self.unit]


def execute(context: Context[SynchroniseParameters]) -> Result:
    """Steer, close within the limits, and judge the differences at contact.

    Ends in the safe state. When closing is never permitted the contactor stays open and the verdicts say why.
    """
    station, parameters = context.need_station(), context.parameters
    plan = _plan(station, parameters)
    start_ns = station.clock.now_ns()
    with station.energised(max_s=300.0) as lease:
        seen = approach(station, lease, plan, context.progress)
        closed, inrush = _close(station, seen) if seen.permitted else (None, None)
    quantities = _quantities(station, seen, plan, closed, inrush)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=start_ns,
        parameters=parameters.model_dump(),
        quantities=quantities,
        verdicts=_verdicts(station, parameters, quantities, seen),
        tables={"approach": _table(seen)},
        facts={
            "closed": bool(closed),
            "obstacles": list(seen.obstacles),
            "limits": {
                "frequency_hz": plan.limits.frequency_hz,
                "voltage_pu": plan.limits.voltage_pu,
                "phase_rad": plan.limits.phase_rad,
            },
        },
    )


def _plan(station: Station, parameters: SynchroniseParameters) -> ClosingPlan:
    limits = sync_limits(station.site, parameters.threshold_rad if parameters.phase_align else None)
    return ClosingPlan(
        limits=limits,
        window_s=parameters.window_cycles / station.site.nominal_frequency_hz,
        hold_windows=parameters.hold_windows,
        timeout_s=parameters.timeout_s,
    )


def _close(station: Station, seen: Approach) -> tuple[Quantity, Quantity]:
    """Close, and return the auxiliary contact and the largest phase current after it."""
    close_contactor(station)
    feedback = station.instrument("charger").read("contactor_feedback")["contactor_feedback"]
    currents = station.instrument("analyser").read("current_a", "current_b", "current_c")
    largest = max(currents.values(), key=lambda q: abs(q.value))
    rated = station.site.rated_current_a
    inrush = Quantity(
        "inrush_current_pu",
        abs(largest.value) / rated,
        "1",
        None if largest.uncertainty is None else largest.uncertainty / rated,
        largest.no_uncertainty,
        time_ns=largest.time_ns,
        instrument=largest.instrument,
        certificate=largest.certificate,
    )
    capture(station, 0.05)
    closed = Quantity(
        "contactor_closed",
        feedback.value,
        "1",
        0.0,
        time_ns=feedback.time_ns,
        instrument=feedback.instrument,
    )
    return closed, inrush


def _quantities(
    station: Station, seen: Approach, plan: ClosingPlan, closed: Quantity | None, inrush: Quantity | None
) -> tuple[Quantity, ...]:
    last = seen.windows[-1]
    stamp: dict[str, Any] = {"time_ns": station.clock.now_ns(), "instrument": "scope"}
    stamp["certificate"] = _certificate(station, "scope")
    contact_rad, u_contact_rad = predicted(last, plan.closing_time_s)
    measured = [
        Quantity("frequency_difference", abs(last.frequency_hz), "Hz", last.u_frequency_hz, **stamp),
        Quantity("voltage_difference", 100 * abs(last.voltage_pu), "%", 100 * last.u_voltage_pu, **stamp),
        Quantity(
            "phase_difference", math.degrees(abs(contact_rad)), "deg", math.degrees(u_contact_rad), **stamp
        ),
        Quantity("phase_difference_at_contact", abs(contact_rad), "rad", u_contact_rad, **stamp),
        Quantity("grid_frequency", last.grid_frequency_hz, "Hz", last.u_frequency_hz, **stamp),
        Quantity(
            "time_to_synchronise",
            seen.time_s[-1],
            "s",
            (plan.window_s + plan.interval_s) / math.sqrt(12),
            **stamp,
        ),
    ]
    return (*measured, *(q for q in (closed, inrush) if q is not None))


def _verdicts(
    station: Station,
    parameters: SynchroniseParameters,
    quantities: tuple[Quantity, ...],
    seen: Approach,
) -> tuple[Verdict, ...]:
    by_name = {q.name: q for q in quantities}
    code = sync_criteria(station.site)
    pairs: list[tuple[Criterion, str]] = [
        (code["frequency"], "frequency_difference"),
        (code["voltage"], "voltage_difference"),
        (code["phase"], "phase_difference"),
    ]
    own = load_criteria(find_data("datasets", "criteria", "control.toml"))
    if parameters.phase_align:
        threshold = own["v2glab.sync.phase-threshold"].model_copy(update={"upper": parameters.threshold_rad})
        pairs.append((threshold, "phase_difference_at_contact"))
    pairs.append((own["v2glab.sync.contactor-follows"], "contactor_closed"))
    pairs.append((own["v2glab.sync.inrush"], "inrush_current_pu"))
    unclosed = "" if seen.permitted else f"the contactor was never closed: {'; '.join(seen.obstacles)}"
    return tuple(
        judge(
            criterion,
            by_name.get(name),
            evidence=("tables/approach",),
            doubt=unclosed if name not in by_name else "",
        )
        for criterion, name in pairs
    )


def _certificate(station: Station, instrument: str) -> str:
    certificate = station.instrument(instrument).certificate
    return certificate.id if certificate else ""


def _table(seen: Approach) -> Any:  # noqa: ANN401 -- pandas is imported late
    import pandas as pd

    return pd.DataFrame(seen.rows())


PROCEDURE = Procedure(
    name="synchronise_grid",
    title="Synchronise with the grid",
    parameters=SynchroniseParameters,
    execute=execute,
    energises=True,
)
