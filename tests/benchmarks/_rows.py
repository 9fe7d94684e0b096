"""What every benchmark file does: measure the wanted parts and print one JSON object a row."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping

Part = Callable[[], Iterator[dict[str, object]]]


def print_rows(parts: Mapping[str, Part]) -> None:
    """Measure each part that holds a row named on the command line, all of them when none is."""
    wanted = sys.argv[1:]
    for part in dict.fromkeys(parts[name] for name in wanted or parts):
        for row in part():
            if not wanted or str(row["name"]).split("/")[0] in wanted:
                print(json.dumps(row), flush=True)
