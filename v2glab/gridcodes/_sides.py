"""Check that what is low lies below nominal and what is high above, as it does at one frequency only."""

from __future__ import annotations

from collections.abc import Iterator

from v2glab.gridcodes._model import CategoryRules, GridCode
from v2glab.gridcodes._refuse import refuse


def check_sides(code: GridCode, where: str) -> None:
    """Refuse thresholds on the wrong side of nominal voltage (1 p.u.) or of the code's nominal frequency.

    Raises
    ------
    InputError
        A low threshold, bound or dead band lies above nominal, or a high one below.
    """
    entries = list(_enter_service(code))
    for rules in code.categories.values():
        entries += _of_category(rules)
    for entry, quantity, side, value in entries:
        nominal = 1.0 if quantity == "voltage" else code.nominal_frequency_hz
        unit = "p.u." if quantity == "voltage" else "Hz"
        wrong = value >= nominal if side == "low" else value <= nominal
        refuse(
            wrong,
            f"{where}, {entry}",
            f"{side} {quantity} {value:g} {unit} on the wrong side of nominal {nominal:g} {unit}",
            f"values for a code of {code.nominal_frequency_hz:g} Hz",
            "mend the value, or nominal_frequency_hz in [code]",
        )


Entry = tuple[str, str, str, float]


def _enter_service(code: GridCode) -> Iterator[Entry]:
    enter = code.enter_service
    if enter is None:
        return
    yield "enter_service, voltage_low_pu", "voltage", "low", enter.voltage_low_pu.default
    yield "enter_service, voltage_high_pu", "voltage", "high", enter.voltage_high_pu.default
    yield "enter_service, frequency_low_hz", "frequency", "low", enter.frequency_low_hz.default
    yield "enter_service, frequency_high_hz", "frequency", "high", enter.frequency_high_hz.default


def _of_category(rules: CategoryRules) -> list[Entry]:
    at = f"category {rules.name}"
    out: list[Entry] = [(f"{at}, trip {t.name}", t.quantity, t.side, t.threshold) for t in rules.trips]
    for region in (*rules.ride_through_voltage, *rules.ride_through_frequency):
        if region.mode == "continuous" and region.lower is not None and region.upper is not None:
            out.append((f"{at}, region {region.name}", region.quantity, "low", region.lower))
            out.append((f"{at}, region {region.name}", region.quantity, "high", region.upper))
    for side, response in (
        ("high", rules.response_over_frequency),
        ("low", rules.response_under_frequency),
    ):
        if response is not None:
            out.append((f"{at}, frequency response", "frequency", side, response.start_hz.default))
    return out
