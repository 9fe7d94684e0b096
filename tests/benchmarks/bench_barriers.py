"""Speed of the barrier analysis; prints one JSON object a line.

Rows: bill (as bill/net-metering and bill/net-billing), dispatch, dispatch-6a, rolling, attribution. Name some
to run only those.
"""

from _barriers_attribution import measure as measure_attribution
from _barriers_bill import measure as measure_bill
from _barriers_dispatch import measure_dispatch, measure_least_current, measure_rolling
from _rows import print_rows

_PARTS = {
    "bill": measure_bill,
    "dispatch": measure_dispatch,
    "dispatch-6a": measure_least_current,
    "rolling": measure_rolling,
    "attribution": measure_attribution,
}


if __name__ == "__main__":
    print_rows(_PARTS)
