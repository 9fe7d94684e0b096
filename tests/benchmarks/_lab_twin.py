"""How fast the twin's plant steps, alone in its process."""

import statistics
import time
from collections.abc import Iterator

_REPEATS, _SPAN_S = 7, 5.0


def measure() -> Iterator[dict[str, object]]:
    """Yield the row ``twin-steps`` in steps a second; the ratio says how many times real time that is."""
    from v2glab.twin import Plant

    plant = Plant()
    step_s = plant.settings.step_s
    plant.advance(1.0)  # compiles
    rates = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        plant.advance(_SPAN_S)
        rates.append(_SPAN_S / step_s / (time.perf_counter() - began))
    rate = statistics.median(rates)
    yield {
        "name": "twin-steps",
        "value": round(rate),
        "unit": "1/s",
        "peer": f"real time at steps of {step_s:g} s",
        "ratio": round(rate * step_s, 2),
    }
