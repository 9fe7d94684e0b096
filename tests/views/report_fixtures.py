"""A run folder as the campaign writes one, made from evidence objects."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from v2glab.campaigns._results import save_result
from v2glab.evidence import Criterion, Quantity, Result, Verdict, judge, not_applicable, write_verdicts


def criterion(identity: str, title: str, **bounds: object) -> Criterion:
    """Return a criterion with the given bounds, unit and confidence."""
    values = {"unit": "Hz", "confidence": "confirmed", "standard": "IEEE 1547", "edition": "2018"}
    values["clause"] = "4.10.4 Table 5"
    return Criterion(id=identity, title=title, quantity="x", source="test", **{**values, **bounds})


def verdicts(hostile: str = "") -> list[Verdict]:
    """Return one verdict of each outcome; ``hostile`` goes into every text of the first."""
    frequency = Quantity(
        "frequency_difference", 0.0029, "Hz", 0.0004, instrument="scope", certificate="TWIN-SCOPE-1"
    )
    own = {"standard": "v2glab", "edition": "0.1", "clause": f"synchronise_grid{hostile}"}
    return [
        judge(criterion("sync.frequency", "Frequency difference when closing", upper=0.3), frequency),
        judge(
            criterion(
                "sync.voltage",
                "Voltage difference when closing",
                upper=10.0,
                unit="%",
                confidence="unverified",
            ),
            Quantity("voltage_difference", 0.21, "%", 0.55),
        ),
        judge(
            criterion("contact", f"Contact follows{hostile}", lower=1, upper=1, unit="1", **own),
            Quantity("contactor_closed", 0.0, "1", 0.0),
        ),
        not_applicable(
            criterion("uv1", "Trip at undervoltage UV1", upper=2.0, unit="s", clause="6.4.1"),
            f"no undervoltage was played{hostile}",
        ),
    ]


def synchronisation(hostile: str = "") -> Result:
    """Return a result of ``synchronise_grid`` whose differences decay exponentially."""
    time_s = np.arange(0.0, 6.0, 0.2)
    fall = np.exp(-time_s / 1.5)
    approach = pd.DataFrame(
        {
            "time_s": time_s,
            "frequency_difference_hz": 0.12 * fall,
            "u_frequency_hz": 0.0004,
            "voltage_difference_pu": 0.03 * fall,
            "u_voltage_pu": 0.004,
            "phase_difference_rad": 0.9 * fall,
            "u_phase_rad": 0.0002,
        }
    )
    found = verdicts(hostile)
    return Result(
        procedure="synchronise_grid",
        start_ns=1_767_225_600_000_000_000,
        parameters={"threshold": 0.05, "unit": "rad"},
        quantities=(
            *(v.quantity for v in found if v.quantity),
            Quantity("round_trip", 0.0123, "s", no_uncertainty=f"clock of this machine{hostile}"),
        ),
        verdicts=tuple(found),
        tables={"approach": approach},
        facts={
            "closed": True,
            "limits": {"frequency_hz": 0.3, "voltage_pu": 0.1, "phase_rad": 0.05},
            f"note{hostile}": f"as seen{hostile}",
        },
        timing=frozenset({"round_trip"}),
    )


def thermal() -> Result:
    """Return a result of ``calibrate_thermal`` on a first-order rise."""
    time_s = np.arange(0.0, 300.0, 5.0)
    heating = pd.DataFrame(
        {"time_s": time_s, "heatsink_temperature": 25 + 30 * -np.expm1(-time_s / 90), "ambient": 25.0}
    )
    foldback = pd.DataFrame({"share": [0.7, 0.85, 0.9, 0.95, 1.0], "allowed_pu": [1, 1, 0.66, 0.33, 0]})
    return Result(
        procedure="calibrate_thermal",
        start_ns=1_767_225_700_000_000_000,
        parameters={"max_temp_celsius": 85.0},
        quantities=(Quantity("time_constant", 90.2, "s", 1.1, dof=8.0, instrument="hwmon"),),
        tables={"heating": heating, "foldback": foldback},
        facts={"start_celsius": 25.0, "rise_k": 30.0, "time_constant_s": 90.2},
    )


def run_record(**changes: object) -> dict:
    """Return a ``run.json``."""
    return {
        "schema": "v2glab-run/1",
        "id": "0badcafe",
        "status": "complete",
        "problem": "",
        "started_ns": 1_767_225_600_000_000_000,
        "ended_ns": 1_767_225_641_500_000_000,
        "station": {"name": "twin", "kind": "twin"},
        "campaign": "site-validation",
        "seed": 7,
        "clock": "lockstep",
        "faults": [],
        "parameters": {"synchronise_grid": {"threshold": 0.05}},
        "notebooks": [
            {
                "name": "04_synchronise_grid",
                "procedure": "synchronise_grid",
                "status": "done",
                "duration_s": 6.2,
                "error": "",
            }
        ],
        "git": {"commit": "b7ea66e0", "dirty": False},
        "versions": {"numpy": "2.4.6", "bokeh": "3.9.2"},
        "python": "3.11.2",
        "machine": {"system": "Linux", "cores": 2},
        "datasets": {"gridcodes/ieee1547-2018.toml": "a" * 64},
        "scheduling": {"policy": "SCHED_OTHER"},
        **changes,
    }


def write_run(folder: Path, *results: Result, **changes: object) -> Path:
    """Write a run folder and return it."""
    folder.mkdir(parents=True)
    for result in results:
        save_result(folder / "results" / result.procedure, result)
    write_verdicts(folder / "verdicts.json", {r.procedure: r.verdicts for r in results})
    (folder / "run.json").write_text(json.dumps(run_record(**changes)), encoding="utf-8")
    return folder
