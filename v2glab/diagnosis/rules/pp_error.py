"""The proximity pilot shows a resistance that codes no cable: worn or wet contacts, or a wrong resistor."""

from __future__ import annotations

from v2glab.diagnosis._conclusion import Examination, Symptom
from v2glab.diagnosis._fault_code import fault_code_symptom
from v2glab.diagnosis._knowledge import Coding, Entry
from v2glab.diagnosis._observations import Observations, shown
from v2glab.evidence import Quantity

_CODING, _CODE = "v2glab.diagnosis.pp.coding", "v2glab.diagnosis.pp.code"


def examine(observations: Observations, entry: Entry) -> Examination:
    """Compare the resistance with the nearest coding; without a plug there is none to compare."""
    pilot = observations.latest("charger", "cp_voltage")
    if pilot is not None and pilot.value > entry.parameter("unplugged_v"):
        return Examination(not_applicable=f"no vehicle is plugged in: {shown(pilot)}")
    reported = fault_code_symptom(observations, entry, _CODE, "no_coding")
    measured = observations.latest("charger", "pp_resistance")
    if measured is None:
        # A register that holds another code says nothing of the resistance.
        told = reported is not None and reported.quantity.value > 0
        missing = () if told else observations.absent("charger")
        return Examination((reported,) if reported is not None else (), missing)
    symptoms = (_deviation(measured, entry), reported)
    return Examination(tuple(s for s in symptoms if s is not None))


def pp_deviation(measured: Quantity, entry: Entry) -> tuple[Coding, Quantity]:
    """Return the nearest coding to a resistance, and how far off it is, in per cent of the coded one."""
    nearest = min(entry.coding, key=lambda c: abs(measured.value / c.ohm - 1))
    ratio = measured.value / nearest.ohm
    if measured.uncertainty is not None:
        u_percent = 100 * measured.uncertainty / nearest.ohm
    else:
        u_percent = entry.parameter("uncertainty_percent") * ratio
    quantity = Quantity(
        "pp_deviation",
        100 * abs(ratio - 1),
        "%",
        u_percent,
        time_ns=measured.time_ns,
        instrument=measured.instrument,
        certificate=measured.certificate,
    )
    return nearest, quantity


def _deviation(measured: Quantity, entry: Entry) -> Symptom:
    nearest, quantity = pp_deviation(measured, entry)
    ratio = measured.value / nearest.ohm
    evidence = (
        f"{shown(measured)}; the nearest coding is {nearest.ohm:g} ohm for {nearest.ampacity_a:g} A, "
        f"off by {100 * (ratio - 1):+.0f} %",
    )
    codes = ", ".join(f"{c.ohm:g}" for c in entry.coding)
    detail = f"{measured.value:g} ohm is none of {codes} ohm"
    return Symptom(_CODING, quantity, evidence, "no_coding", detail)
