"""One year's bill at 15 min against NREL's Utilityrate5 with the same rate, in the same run."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

_REPEATS = 40
#: The peer always bills the year twice, with and without export; so both do.
_PEER = "NREL Utilityrate5 (nrel-pysam), with and without export"


def measure() -> Iterator[dict[str, object]]:
    """Yield the rows ``bill/net-metering`` and ``bill/net-billing``; value in seconds for both bills.

    Time-of-use energy in three tiers, time-of-use and flat demand charges. Both are handed the series each
    time; reading the rate, compiling, and laying lines out for print are not in it, on either side.
    """
    sys.path.insert(0, str(Path(__file__).parents[1] / "barriers" / "tariffs"))
    from pysam_peer import START_S, ZONE, utilityrate5_model
    from rate_strategies import meter

    from v2glab.barriers.tariffs import Metering, Rate, bill

    rate = Rate.model_validate(_rate())
    load, export = meter(11, 35_040)
    nothing = np.zeros_like(export)
    series = load.tolist(), export.tolist()
    for rule, credit in (("net_metering", "kwh"), ("net_billing", "paid")):
        metering = Metering(rule=rule, credit=credit)
        model = utilityrate5_model(rate, load, export, metering)

        def ours(metering: Metering = metering) -> float:
            bill(rate, load, nothing, START_S, 900, ZONE, metering=metering)
            return bill(rate, load, export, START_S, 900, ZONE, metering=metering).total

        def theirs(model: Any = model) -> float:
            model.Load.load, model.SystemOutput.gen = series
            model.execute()
            return float(model.Outputs.utility_bill_w_sys_year1)

        total, peer_total = ours(), theirs()
        if abs(total - peer_total) > 0.01:
            raise SystemExit(f"{rule}: {total} here, {peer_total} there: no ratio between different bills")
        mine, peer = _best(ours), _best(theirs)
        yield {
            "name": f"bill/{rule.replace('_', '-')}",
            "value": round(mine, 6),
            "unit": "s",
            "peer": _PEER,
            "ratio": round(peer / mine, 1),
        }


def _best(run: Callable[[], float]) -> float:
    """Return the shortest of several times: other work on the machine only ever adds."""
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def _rate() -> dict[str, object]:
    day = [0] * 7 + [1] * 9 + [2] * 5 + [0] * 3
    season = [1] * 5 + [0] * 4 + [1] * 3
    return {
        "currency": "USD",
        "energyratestructure": [
            [
                {"max": 400.0, "rate": 0.10 * p, "sell": 0.03 * p},
                {"max": 900.0, "rate": 0.13 * p, "sell": 0.02 * p},
                {"rate": 0.17 * p, "sell": 0.01 * p},
            ]
            for p in (1, 2, 3)
        ],
        "energyweekdayschedule": [day] * 12,
        "energyweekendschedule": [[0] * 24] * 12,
        "demandratestructure": [
            [{"max": 5.0, "rate": 2.0}, {"rate": 2.5}],
            [{"max": 5.0, "rate": 6.0}, {"rate": 9.0}],
        ],
        "demandweekdayschedule": [[int(p == 2) for p in day]] * 12,
        "demandweekendschedule": [[0] * 24] * 12,
        "flatdemandstructure": [[{"rate": 7.0}], [{"rate": 4.0}]],
        "flatdemandmonths": season,
        "fixedchargefirstmeter": 12.0,
    }
