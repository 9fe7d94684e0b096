"""Judge a recording of voltages, and currents where there are any, by a grid code."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import Field

from v2glab.evidence import Result
from v2glab.gridcodes import assess_ride_through, load_code
from v2glab.procedures._judge_recording_demand import same_frequency
from v2glab.procedures._judge_recording_measure import Measured, measure
from v2glab.procedures._judge_recording_verdicts import quantities, verdicts
from v2glab.procedures._procedure import Context, Parameters, Procedure
from v2glab.signals import find_events

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.gridcodes import GridCode, RideThroughAssessment

EXAMPLE = "example"
SHOWN_SAMPLES = 4000


class JudgeRecordingParameters(Parameters):
    """Parameters of the judgement.

    Attributes
    ----------
    recording, sidecar
        Files, as for ``read_recording``; ``"example"`` is the recording that travels with the package.
    grid_code, category
        Rules to judge by.
    nominal_voltage_v, nominal_frequency_hz
        Phase to neutral; by default those of the sidecar or the recording itself.
    """

    recording: str = Field(default=EXAMPLE, min_length=1)
    sidecar: str = ""
    grid_code: str = "ieee1547-2018"
    category: str = "III"
    nominal_voltage_v: float | None = Field(default=None, gt=0)
    nominal_frequency_hz: float | None = Field(default=None, gt=0)


def execute(context: Context[JudgeRecordingParameters]) -> Result:
    """Read, measure, find events, and judge.

    Raises
    ------
    InputError, UsageError
        The recording or its sidecar is not what it has to be, or a name is unknown.
    """
    parameters = context.parameters
    code = load_code(parameters.grid_code)
    code.category(parameters.category)
    return judge_measured(measure_files(parameters), code, parameters)


def measure_files(parameters: JudgeRecordingParameters) -> Measured:
    """Read the recording and measure what it shows; errors as :func:`execute`."""
    from v2glab.instruments.recording import read_recording
    from v2glab.resources import find_data

    path = parameters.recording
    if path == EXAMPLE:
        path = str(find_data("datasets", "recordings", "dip_60hz.csv"))
    recording = read_recording(path, parameters.sidecar)
    return measure(recording, parameters.nominal_voltage_v, parameters.nominal_frequency_hz)


def judge_measured(measured: Measured, code: GridCode, parameters: JudgeRecordingParameters) -> Result:
    """Find events and judge by one category; frequency is left out of a code for another frequency.

    Raises
    ------
    UsageError
        The code has no such category.
    """
    recording = measured.recording
    shown = measured.frequency_hz.size and same_frequency(measured, code)
    hertz = measured.frequency_hz if shown else None
    assessment = assess_ride_through(
        code, parameters.category, measured.time_s, measured.rms_pu, hertz, gap_s=measured.gap_s
    )
    found = quantities(measured)
    return Result(
        procedure=PROCEDURE.name,
        start_ns=recording.start_ns,
        parameters=parameters.model_dump(),
        quantities=found,
        verdicts=verdicts(measured, code, assessment, found),
        tables=_tables(measured, code, assessment),
        facts=_facts(measured, assessment),
    )


def _facts(measured: Measured, assessment: RideThroughAssessment) -> dict[str, Any]:
    recording = measured.recording
    return {
        "recording": recording.name,
        "sha256": recording.sha256,
        "kind": recording.kind,
        "duration_s": recording.duration_s,
        "channels": {c.name: c.source for c in recording.channels},
        "nominal_voltage_v": measured.nominal_v,
        "nominal_frequency_hz": measured.nominal_hz,
        "repairs": list(recording.repairs),
        "windows_with_jumps": measured.jumps,
        "gaps": [list(g) for g in assessment.gaps],
        "may_trip_at_s": assessment.may_trip_at_s,
        "must_trip_at_s": assessment.must_trip_at_s,
        "category": assessment.category,
        "code": assessment.code,
    }


def _tables(measured: Measured, code: GridCode, assessment: RideThroughAssessment) -> dict[str, pd.DataFrame]:
    import pandas as pd

    names = [c.name for c in measured.recording.of("voltage")[0]]
    rms = pd.DataFrame({"time_s": measured.time_s, **dict(zip(names, measured.rms_pu, strict=True))})
    events = [asdict(e) | {"phases": " ".join(map(str, e.phases))} for e in _events(measured)]
    tables = {"rms": rms, "regions": _region_table(code, assessment)}
    tables["segments"] = pd.DataFrame([asdict(s) for s in assessment.segments])
    if events:
        tables["events"] = pd.DataFrame(events)
    if measured.fits:
        tables["frequency"] = pd.DataFrame(
            {
                "time_s": [t for t, _ in measured.fits],
                "frequency_hz": [f.frequency_hz for _, f in measured.fits],
                "u_frequency_hz": [f.u_frequency_hz for _, f in measured.fits],
                "rocof_hz_s": [f.rocof_hz_s for _, f in measured.fits],
            }
        )
    if measured.part is not None:
        part = measured.part
        shown = {n: part.channel(n)[:SHOWN_SAMPLES] for n in part.names}
        start_s = (part.start_ns - measured.recording.start_ns) * 1e-9
        tables["waveform"] = pd.DataFrame({"time_s": start_s + part.time_s()[:SHOWN_SAMPLES], **shown})
    return tables


def _events(measured: Measured) -> tuple[Any, ...]:
    return () if measured.dead else find_events(measured.time_s, measured.rms_pu)


_REGION_COLUMNS = (
    *("quantity", "region", "mode", "lower", "upper", "minimum_s", "slope_s_per_unit", "entered", "time_s"),
    *("longest_s", "required_s", "may_trip_at_s", "u_time_s"),
)


def _region_table(code: GridCode, assessment: RideThroughAssessment) -> pd.DataFrame:
    import pandas as pd

    limits = {
        (r.quantity, r.name): r
        for rules in [code.category(assessment.category)]
        for r in (*rules.ride_through_voltage, *rules.ride_through_frequency)
    }
    rows = []
    for use in assessment.regions:
        region = limits[use.region.quantity, use.region.name]
        rows.append(
            {
                "quantity": region.quantity,
                "region": region.name,
                "mode": region.mode,
                "lower": region.lower,
                "upper": region.upper,
                "minimum_s": region.minimum_s,
                "slope_s_per_unit": region.slope_s_per_unit,
                "entered": use.entered,
                "time_s": use.time_s,
                "longest_s": use.longest_s,
                "required_s": use.required_s,
                "may_trip_at_s": use.may_trip_at_s,
                "u_time_s": use.u_time_s,
            }
        )
    # A code whose regions are not known still has the columns.
    return pd.DataFrame(rows, columns=list(_REGION_COLUMNS))


PROCEDURE = Procedure(
    name="judge_recording",
    title="Judge a recording",
    parameters=JudgeRecordingParameters,
    execute=execute,
    needs_station=False,
)
