"""Speed and accuracy of the grid-code rooms; prints one JSON object a line.

Rows: der-steps, der-step-call, trip-error, conformity-suite, der-memory. Name some to run only those.
"""

import json
import sys

from _gridcodes_conformity import measure_suite
from _gridcodes_der import measure_call, measure_memory, measure_steps, measure_trip

_PARTS = {
    "der-steps": measure_steps,
    "der-step-call": measure_call,
    "trip-error": measure_trip,
    "conformity-suite": measure_suite,
    "der-memory": measure_memory,
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
