"""Tables of text: rounding, columns, and what a notebook shows of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fixtures import synchronisation, verdicts
from rich.console import Console

from v2glab import views
from v2glab.evidence import Quantity, UsageError
from v2glab.views._numbers import rounded, spread_text


@pytest.mark.parametrize(
    ("value", "spread", "expected"),
    [
        (59.98216, 0.0041, "59.9822"),
        (0.0, 1.1, "0.0"),
        (-0.0001, 0.1, "0.00"),
        (12345.6, 230.0, "12350"),
        (12.3456, None, "12.35"),
        (1, 0.0, "1"),
        (1e-11, 2e-13, "1e-11"),
    ],
)
def test_value_has_the_digits_that_its_uncertainty_allows(
    value: float, spread: float | None, expected: str
) -> None:
    assert rounded(value, spread) == expected


@given(st.floats(-1e9, 1e9), st.floats(1e-7, 1e6))
def test_rounding_moves_a_value_by_at_most_a_twentieth_of_its_uncertainty(
    value: float, spread: float
) -> None:
    assert abs(float(rounded(value, spread)) - value) <= 0.0501 * spread + 1e-12 * abs(value)
    assert math.isclose(float(spread_text(spread)), spread, rel_tol=0.0501)


def test_verdict_table_has_its_columns_and_one_row_a_verdict() -> None:
    table = views.verdict_table(synchronisation())
    assert list(table.columns) == ["rule", "criterion", "outcome", "value", "U", "limit", "margin", "reason"]
    assert table["outcome"].tolist() == ["pass", "inconclusive", "fail", "not applicable"]
    assert table["limit"].tolist() == ["≤ 0.3 Hz", "≤ 10 %", "= 1", "≤ 2 s"]
    assert table.loc[0, "value"] == "0.00290 Hz" and table.loc[0, "U"] == "0.00080"


def test_a_notebook_shows_long_reasons_whole_and_escaped() -> None:
    table = views.verdict_table(verdicts("<b>" + "x" * 200))
    shown = table._repr_html_()
    assert "x" * 200 in shown and "<b>" not in shown
    assert "x" * 200 in repr(table)


def test_an_empty_table_can_be_shown() -> None:
    assert repr(views.verdict_table([])) == "(no rows)"
    assert "<table" in views.quantity_table([])._repr_html_()


def test_quantity_without_uncertainty_says_why() -> None:
    table = views.quantity_table([Quantity("round_trip", 0.5, "s", no_uncertainty="not stated")])
    assert table.loc[0, "source"] == "no uncertainty: not stated"
    assert table.loc[0, "U"] == "–"


def test_terminal_table_groups_by_rule_and_is_no_markup() -> None:
    console = Console(width=160, record=True)
    console.print(views.rich_verdicts({"synchronise_grid": verdicts("[bold]")}))
    text = console.export_text()
    assert text.count("IEEE 1547 4.10.4 Table 5") == 1
    for word in ("✔ pass", "✘ fail", "? inconclusive", "– not applicable", "[bold]"):
        assert word in text


def test_plot_of_a_procedure_without_figure_is_refused() -> None:
    result = synchronisation()
    object.__setattr__(result, "procedure", "../evil")
    with pytest.raises(UsageError, match="no figure"):
        views.plot(result)
    with pytest.raises(AttributeError):
        views.plot_nothing  # noqa: B018
