"""The report holds every verdict, escapes what it is given, and stands alone."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_fixtures import synchronisation, thermal, write_run

from v2glab.evidence import InputError
from v2glab.views import render_report

HOSTILE = "<script>alert('x')</script>\"><img src=http://example.org/a.png>"


class Page(HTMLParser):
    """Collects tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data


def test_every_verdict_stands_with_word_value_and_reason(tmp_path: Path) -> None:
    result = synchronisation()
    page = Page(render_report(write_run(tmp_path / "run", result, thermal())))
    for verdict in result.verdicts:
        assert verdict.criterion.title in page.text
        assert verdict.reason[1:] in page.text
        assert str(verdict.outcome) in page.text
    assert "What must be checked" in page.text
    assert "0.00290" in page.text
    assert "2026-01-01 00:00:00 UTC" in page.text
    assert "41.5 s" in page.text
    assert "wall clock" in page.text


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    page = Page(render_report(write_run(tmp_path / "run", synchronisation())))
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "data", "poster"):
            assert name not in attributes, (tag, attributes)
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "content" in a and "http-equiv" in a)
    assert policy and "http" not in policy and "default-src 'none'" in policy


def test_what_a_record_says_cannot_become_markup(tmp_path: Path) -> None:
    clean = Page(render_report(write_run(tmp_path / "clean", synchronisation())))
    folder = write_run(
        tmp_path / "hostile",
        synchronisation(HOSTILE),
        station={"name": f"site{HOSTILE}", "kind": "live"},
        campaign=HOSTILE,
        faults=[HOSTILE],
        machine={HOSTILE: HOSTILE},
        versions={"numpy": HOSTILE},
    )
    page = Page(render_report(folder))
    assert "alert('x')" in page.text
    assert not [a for t, a in page.tags if t == "img"]
    assert sum(t == "script" for t, _ in page.tags) == sum(t == "script" for t, _ in clean.tags)


def test_a_run_that_was_stopped_says_so_first(tmp_path: Path) -> None:
    folder = write_run(
        tmp_path / "run", synchronisation(), status="stopped", problem="SIGTERM while exporting"
    )
    text = Page(render_report(folder)).text
    assert text.index("This run is stopped") < text.index("Verdicts by rule")
    assert "SIGTERM while exporting" in text


def test_a_record_without_the_table_of_its_figure_costs_the_figure_only(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", synchronisation(), thermal())
    document = folder / "results" / "synchronise_grid" / "result.json"
    document.write_text(document.read_text().replace('"approach"\n', "").replace('"approach"', ""))
    source = render_report(folder)
    assert "No figure" in source
    assert "time constant" in Page(source).text
    assert re.search(r"Bokeh", source)


def test_a_folder_without_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"run\.json"):
        render_report(tmp_path)
