"""Speed of the barrier analysis; prints one JSON object a line.

Rows: bill (as bill/net-metering and bill/net-billing), dispatch, dispatch-6a, rolling, attribution. Name some
to run only those.
"""

import json
import sys

from _barriers_attribution import measure as measure_attribution
from _barriers_bill import measure as measure_bill
from _barriers_dispatch import measure_dispatch, measure_least_current, measure_rolling

_PARTS = {
    "bill": measure_bill,
    "dispatch": measure_dispatch,
    "dispatch-6a": measure_least_current,
    "rolling": measure_rolling,
    "attribution": measure_attribution,
}


def main(wanted: list[str]) -> None:
    """Measure each part that holds a wanted row."""
    names = wanted or list(_PARTS)
    for part in dict.fromkeys(_PARTS[name] for name in names):
        for row in part():
            if not wanted or row["name"].split("/")[0] in wanted:
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
