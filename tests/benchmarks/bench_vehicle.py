"""Speed of the vehicle link; prints one JSON object a line.

Rows: exi-decode, exi-encode, exi-import, exi-memory, slac, slac-fast, tls-handshake, session-setup,
charge-loop, sessions. Name some to run only those.
"""

from _rows import print_rows
from _vehicle_exi import measure_import, measure_memory, measure_speed
from _vehicle_sessions import measure_at_once, measure_loop, measure_setup
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
    "session-setup": measure_setup,
    "charge-loop": measure_loop,
    "sessions": measure_at_once,
}


if __name__ == "__main__":
    print_rows(_PARTS)
