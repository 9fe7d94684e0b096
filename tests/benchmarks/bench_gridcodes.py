"""Speed and accuracy of the grid-code rooms; prints one JSON object a line.

Rows: der-steps, der-step-call, trip-error, conformity-suite, der-memory. Name some to run only those.
"""

import _core  # noqa: F401 -- first, before numpy loads
from _gridcodes_conformity import measure_suite
from _gridcodes_der import measure_call, measure_memory, measure_steps, measure_trip
from _rows import print_rows

_PARTS = {
    "der-steps": measure_steps,
    "der-step-call": measure_call,
    "trip-error": measure_trip,
    "conformity-suite": measure_suite,
    "der-memory": measure_memory,
}


if __name__ == "__main__":
    print_rows(_PARTS)
