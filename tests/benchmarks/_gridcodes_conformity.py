"""Row conformity-suite: all type tests of one category on the model in memory, verdicts as JSON."""

import json
import time
from collections.abc import Iterator

from v2glab.gridcodes import load_code
from v2glab.gridcodes.conformity import ModelBench, Rules, list_cases, run_suite

_LIMIT_S = 5.0


def measure_suite() -> Iterator[dict]:
    """Time of the suite of IEEE 1547-2018, category III; the first run, which loads code, stands apart."""
    taken, used, verdicts = [], [], 0
    for _ in range(4):
        began, processor = time.perf_counter(), time.process_time()
        cases = list_cases(Rules(load_code("ieee1547-2018"), "III", "B"))
        results = list(run_suite(ModelBench(), cases))
        text = json.dumps([v.to_json() for r in results for v in r.verdicts])
        taken.append(time.perf_counter() - began)
        used.append(time.process_time() - processor)
        verdicts = text.count('"outcome"')
    note = f"limit {_LIMIT_S:g} s; {len(cases)} tests, {verdicts} verdicts; first run {taken[0]:.1f} s"
    note += f"; processor {min(used[1:]):.2f} s"
    yield {
        "name": "conformity-suite",
        "value": min(taken[1:]),
        "unit": "s",
        "peer": note,
        "ratio": min(taken[1:]) / _LIMIT_S,
    }
