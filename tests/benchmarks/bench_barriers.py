"""Speed of the barrier analysis; prints one JSON object a line.

Rows: bill (as bill/net-metering and bill/net-billing). Name some to run only those.
"""

import json
import sys

from _barriers_bill import measure as measure_bill

_PARTS = {"bill": measure_bill}


def main(wanted: list[str]) -> None:
    """Measure each part that holds a wanted row."""
    names = wanted or list(_PARTS)
    for part in dict.fromkeys(_PARTS[name] for name in names):
        for row in part():
            if not wanted or row["name"].split("/")[0] in wanted:
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
