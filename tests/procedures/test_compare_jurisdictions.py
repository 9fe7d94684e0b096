"""The same cars under several rule books."""

import json
from pathlib import Path

import numpy as np
import pytest

from v2glab.barriers import load_catalogue, load_rule_books, parse_rule_books
from v2glab.evidence import InputError
from v2glab.procedures._procedure import Context, load_procedure, validate_parameters

COMPARE, ANALYSE = load_procedure("compare_jurisdictions"), load_procedure("analyse_barriers")
QUICK = {"users": 3, "books": "de-2025,de-2026"}


def test_every_rule_book_of_the_package_holds_against_the_catalogue() -> None:
    catalogue = load_catalogue()
    for book in load_rule_books().values():
        assert book.in_force(catalogue), book.id


def test_a_reform_takes_rules_out_of_force_on_its_day() -> None:
    catalogue, books = load_catalogue(), load_rule_books()
    before, after = (set(books[name].in_force(catalogue)) for name in ("de-2025", "de-2026"))
    assert before - after == {"double_levy", "submetering"}
    book = books["de-2025"]
    eve, day = (
        book.model_copy(update={"on": book.on.replace(2025 + i, 12 - 11 * i, 31 - 30 * i)}) for i in (0, 1)
    )
    assert "double_levy" in eve.in_force(catalogue)
    assert "double_levy" not in day.in_force(catalogue)


def test_wrong_rule_books_are_refused() -> None:
    good = {"id": "a", "name": "A", "on": "2025-01-01", "places": ["DE"], "rules": ["double_levy"]}
    assert parse_rule_books({"rule_book": [good]}, "x")["a"].in_force(load_catalogue())
    with pytest.raises(InputError, match="lists none of"):
        parse_rule_books({"rule_book": [good | {"places": ["Mars"]}]}, "x")["a"].in_force(load_catalogue())
    with pytest.raises(InputError, match="twice"):
        parse_rule_books({"rule_book": [good, good]}, "x")
    for wrong in ({"rules": []}, {"on": "soon"}, {"surprise": 1}):
        with pytest.raises(InputError, match="rule book 1"):
            parse_rule_books({"rule_book": [good | wrong]}, "x")
    with pytest.raises(InputError, match="not modelled"):
        book = parse_rule_books({"rule_book": [good | {"places": ["all"], "rules": ["data_access"]}]}, "x")
        book["a"].in_force(load_catalogue())


def test_each_book_is_the_analysis_of_its_rules(tmp_path: Path) -> None:
    result = COMPARE.execute(Context(validate_parameters(COMPARE, QUICK), None, tmp_path, 7))
    books = result.tables["books"].set_index("jurisdiction")
    assert list(books.index) == ["de-2025", "de-2026"]
    rules = books.loc["de-2026", "rules"].replace(" ", ",")
    alone = ANALYSE.execute(
        Context(validate_parameters(ANALYSE, {"users": 3, "rules": rules}), None, tmp_path, 7)
    )
    assert books.loc["de-2026", "value"] == alone.quantity("value_with_all_rules").value
    matrix = result.tables["matrix"]
    for name in books.index:
        own = matrix[matrix["jurisdiction"] == name]
        assert np.nansum(own["shapley"]) == pytest.approx(books.loc[name, "lost"], rel=1e-9)
        assert own["shapley"].notna().equals(own["in_force"])
    assert any("not the market" in caveat for caveat in result.facts["caveats"])
    assert any("Not fit for publication" in caveat for caveat in result.facts["caveats"]) is False


def test_unknown_books_and_unsourced_rules_in_print_are_refused(tmp_path: Path) -> None:
    def run(**values: object) -> None:
        COMPARE.execute(Context(validate_parameters(COMPARE, QUICK | values), None, tmp_path, 7))

    for books in ("", "atlantis", "uk,uk"):
        with pytest.raises(InputError, match="rule books"):
            run(books=books)
    with pytest.raises(InputError, match="anti_islanding"):
        run(books="uk", publish=True)


def test_the_command_compares_and_writes_figures_and_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from v2glab.cli import run

    out, folder = tmp_path / "out", tmp_path / "RUN"
    folder.mkdir()
    (folder / "verdicts.json").write_text('{"schema": "v2glab-verdicts/1", "verdicts": []}')
    efficiency = {"name": "efficiency_dc_to_ac", "value": 0.5, "unit": "1", "uncertainty": 0.01}
    (folder / "results" / "export_load_test").mkdir(parents=True)
    text = json.dumps({"quantities": [efficiency]})
    (folder / "results" / "export_load_test" / "result.json").write_text(text)
    arguments = ["compare", "--books", "us-ca,de-2026", "--users", "2", "--run", str(folder)]
    assert run("barriers", [*arguments, "--out", str(out)], prog_name="v2glab barriers") == 0
    text = capsys.readouterr().out
    assert "de-2026" in text and "export_price_ratio connector_ac_dc" in text and "not the market" in text
    document = json.loads((out / "result.json").read_text())
    # Measured on the equipment: it counts where the book has the rule, and joins no other book.
    settings = {(row["jurisdiction"], row["rule"]): row["setting"] for row in document["tables"]["matrix"]}
    assert settings["us-ca", "connector_ac_dc"] == 0.5
    assert settings["de-2026", "connector_ac_dc"] is None
    assert {p.name for p in (out / "figures").iterdir()} == {
        f"{name}.{kind}" for name in ("books", "matrix") for kind in ("svg", "html", "csv")
    }
    page = (out / "report.html").read_text()
    assert "several rule books" in page and "not the market" in page and "efficiency_dc_to_ac" in page
    assert run("barriers", ["compare", "--books", "atlantis"], prog_name="v2glab barriers") == 2
