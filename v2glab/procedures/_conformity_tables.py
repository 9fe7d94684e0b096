"""Results of a suite as tables and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from v2glab.evidence import Outcome
from v2glab.gridcodes.conformity import CaseResult

if TYPE_CHECKING:
    import pandas as pd

    from v2glab.gridcodes.conformity import Record

#: Most samples of one test that the record keeps; the verdicts were made from all of them.
KEPT = 240
_WORST = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS, Outcome.NOT_APPLICABLE)


def outcome_of(result: CaseResult) -> Outcome:
    """Return the outcome of a test: its worst verdict; an inconclusive one outweighs those that passed."""
    seen = {v.outcome for v in result.verdicts}
    return next((o for o in _WORST if o in seen), Outcome.INCONCLUSIVE)


def counts(results: Sequence[CaseResult]) -> dict[str, int]:
    """Return how many tests there are of each outcome."""
    seen = Counter(str(outcome_of(r)) for r in results)
    return {str(outcome): seen.get(str(outcome), 0) for outcome in Outcome}


def test_table(results: Sequence[CaseResult]) -> pd.DataFrame:
    """Return one row a test: outcome, verdicts by outcome, and why it is not a pass."""
    import pandas as pd

    rows = []
    for result in results:
        outcomes = Counter(v.outcome for v in result.verdicts)
        outcome = outcome_of(result)
        reason = next((v.reason for v in result.verdicts if v.outcome is outcome), result.reason)
        rows.append(
            {
                "test": result.case.id,
                "title": result.case.title,
                "clause": f"{result.case.standard or result.case.rules.code.standard} {result.case.clause}",
                "outcome": str(outcome),
                "passed": outcomes[Outcome.PASS],
                "failed": outcomes[Outcome.FAIL],
                "inconclusive": outcomes[Outcome.INCONCLUSIVE],
                "duration_s": result.case.stimulus.duration_s
                if result.record and result.case.stimulus
                else 0.0,
                "reason": "" if outcome is Outcome.PASS else reason,
            }
        )
    return pd.DataFrame(rows)


def verdict_rows(results: Sequence[CaseResult]) -> pd.DataFrame:
    """Return one row a verdict with its test, for tables and plots."""
    import pandas as pd

    rows = [
        {
            "test": r.case.id,
            "criterion": v.criterion.id,
            "clause": v.criterion.rule,
            "outcome": str(v.outcome),
            "value": v.quantity.value if v.quantity else np.nan,
            "lower": np.nan if v.criterion.lower is None else v.criterion.lower,
            "upper": np.nan if v.criterion.upper is None else v.criterion.upper,
            "expanded_uncertainty": np.nan if v.expanded_uncertainty is None else v.expanded_uncertainty,
            "unit": v.criterion.unit,
        }
        for r in results
        for v in r.verdicts
    ]
    return pd.DataFrame(rows)


def sample_table(results: Sequence[CaseResult]) -> pd.DataFrame:
    """Return the samples of all tests, thinned, one below the other."""
    import pandas as pd

    columns: dict[str, list[np.ndarray]] = {name: [] for name in _COLUMNS}
    names: list[str] = []
    for result in results:
        if result.record is None or not result.record.time_s.size:
            continue
        keep = kept(result.record)
        names += [result.case.id] * keep.size
        for column, values in _columns(result.record).items():
            columns[column].append(values[keep])
    table = {c: np.concatenate(parts) if parts else np.zeros(0) for c, parts in columns.items()}
    return pd.DataFrame({"test": pd.Categorical(names), **table})


_COLUMNS = ("time_s", "v_a_pu", "v_b_pu", "v_c_pu", "f_hz", "p_pu", "q_pu", "i_pu", "connected")


def _columns(record: Record) -> dict[str, np.ndarray]:
    a, b, c = record.v_pu
    rest = (record.f_hz, record.p_pu, record.q_pu, record.i_pu, record.connected)
    return dict(zip(_COLUMNS, (record.time_s, a, b, c, *rest), strict=True))


def kept(record: Record) -> np.ndarray:
    """Return the samples to keep: evenly spread ones, and all around changes of connection and grid."""
    count = record.time_s.size
    even = np.linspace(0, count - 1, min(count, KEPT)).round().astype(int)
    grid = np.abs(np.diff(record.v_pu.min(axis=0))) + np.abs(np.diff(record.f_hz)) / 10
    jumps = np.flatnonzero((np.diff(record.connected) != 0) | (grid > 0.02))[:KEPT]
    near = (jumps[:, None] + np.arange(-1, 3)[None, :]).ravel()
    return np.unique(np.concatenate([even, np.clip(near, 0, count - 1)]))
