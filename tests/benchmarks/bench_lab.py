"""Speed of the lab's floor; prints one JSON object a line.

Rows: import, help, modbus-read, scpi-query, twin-steps, campaign (and campaign/NOTEBOOK). Name some to run
only those.
"""

from _lab_campaign import measure_campaign, measure_start
from _lab_instruments import measure as measure_instruments
from _lab_twin import measure as measure_twin
from _rows import print_rows

_PARTS = {
    "import": measure_start,
    "help": measure_start,
    "modbus-read": measure_instruments,
    "scpi-query": measure_instruments,
    "twin-steps": measure_twin,
    "campaign": measure_campaign,
}


if __name__ == "__main__":
    print_rows(_PARTS)
