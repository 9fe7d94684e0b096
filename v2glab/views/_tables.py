"""Verdicts and quantities as tables of text, rounded the same way everywhere."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from v2glab.evidence import Quantity, Result, Verdict
from v2glab.views._numbers import limit_text, rounded, spread_text, with_unit


class TextTable(pd.DataFrame):
    """A frame of texts that a notebook shows whole: no index, no cut texts."""

    @property
    def _constructor(self) -> type[TextTable]:
        return TextTable

    def __repr__(self) -> str:
        return "(no rows)" if self.empty else str(pd.DataFrame(self).to_string(index=False))

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return str(pd.DataFrame(self).to_html(index=False, border=0, justify="left"))


def verdict_table(source: Result | Iterable[Verdict]) -> TextTable:
    """Return one row a verdict.

    Columns, all text: ``rule``, ``criterion``, ``outcome``, ``value`` with unit, ``U`` (expanded uncertainty,
    coverage 95.45 %), ``limit``, ``margin`` (distance to the nearest bound, positive inside), ``reason``.
    """
    verdicts = source.verdicts if isinstance(source, Result) else tuple(source)
    columns = ["rule", "criterion", "outcome", "value", "U", "limit", "margin", "reason"]
    return TextTable([verdict_row(verdict) for verdict in verdicts], columns=columns, dtype=object)


def verdict_row(verdict: Verdict) -> dict[str, str]:
    """Return the cells of one verdict by column."""
    quantity, spread = verdict.quantity, verdict.expanded_uncertainty
    criterion = verdict.criterion
    return {
        "rule": criterion.rule,
        "criterion": criterion.title,
        "outcome": str(verdict.outcome),
        "value": "–" if quantity is None else with_unit(rounded(quantity.value, spread), quantity.unit),
        "U": spread_text(spread),
        "limit": limit_text(criterion),
        "margin": "–" if verdict.margin is None else rounded(verdict.margin, spread),
        "reason": verdict.reason,
    }


def quantity_table(source: Result | Iterable[Quantity]) -> TextTable:
    """Return one row a quantity.

    Columns, all text: ``quantity``, ``value``, ``U`` (expanded uncertainty, coverage 95.45 %), ``k``
    (coverage factor), ``unit``, ``source`` (instrument and certificate, or why there is no uncertainty).
    """
    quantities = source.quantities if isinstance(source, Result) else tuple(source)
    columns = ["quantity", "value", "U", "k", "unit", "source"]
    return TextTable([quantity_row(quantity) for quantity in quantities], columns=columns, dtype=object)


def quantity_row(quantity: Quantity) -> dict[str, str]:
    """Return the cells of one quantity by column."""
    spread = quantity.expanded()
    origin = [part for part in (quantity.instrument, quantity.certificate) if part]
    if spread is None:
        origin.append(f"no uncertainty: {quantity.no_uncertainty}")
    return {
        "quantity": quantity.name,
        "value": rounded(quantity.value, spread[0] if spread else None),
        "U": spread_text(spread[0] if spread else None),
        "k": f"{spread[1]:.2f}" if spread else "–",
        "unit": quantity.unit,
        "source": ", ".join(origin),
    }
