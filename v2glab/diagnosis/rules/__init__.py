"""The rules, one small file each. A rule knows its own condition and no other rule."""

from collections.abc import Callable

from v2glab.diagnosis._conclusion import Examination
from v2glab.diagnosis._knowledge import Entry
from v2glab.diagnosis._observations import Observations
from v2glab.diagnosis.rules import (
    certificate,
    contactor_weld,
    export_disabled,
    frequency_drift,
    pp_error,
    soc_reserve,
    thermal_derating,
)

Rule = Callable[[Observations, Entry], Examination]

#: Rules by name, in the order in which they are shown; the name is that of the file with the texts, too.
RULES: dict[str, Rule] = {
    "contactor_weld": contactor_weld.examine,
    "frequency_drift": frequency_drift.examine,
    "certificate": certificate.examine,
    "thermal_derating": thermal_derating.examine,
    "export_disabled": export_disabled.examine,
    "soc_reserve": soc_reserve.examine,
    "pp_error": pp_error.examine,
}
