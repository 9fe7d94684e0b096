"""Speed of the lab's floor; prints one JSON object a line.

Rows: import, help, modbus-read, scpi-query, twin-steps, campaign (and campaign/NOTEBOOK). Name some to run
only those.
"""

import json
import sys

from _lab_campaign import measure_campaign, measure_start
from _lab_instruments import measure as measure_instruments
from _lab_twin import measure as measure_twin

_PARTS = {
    "import": measure_start,
    "help": measure_start,
    "modbus-read": measure_instruments,
    "scpi-query": measure_instruments,
    "twin-steps": measure_twin,
    "campaign": measure_campaign,
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
