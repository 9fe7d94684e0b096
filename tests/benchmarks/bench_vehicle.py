"""Speed of the vehicle link; prints one JSON object a line.

Rows: exi-decode, exi-encode, exi-import, exi-memory, slac, slac-fast, tls-handshake. Name some to run only
those.
"""

import json
import sys

from _vehicle_exi import measure_import, measure_memory, measure_speed
from _vehicle_slac import measure as measure_slac
from _vehicle_tls import measure as measure_tls

_PARTS = {
    "exi-decode": measure_speed,
    "exi-encode": measure_speed,
    "exi-import": measure_import,
    "exi-memory": measure_memory,
    "slac": measure_slac,
    "slac-fast": measure_slac,
    "tls-handshake": measure_tls,
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
