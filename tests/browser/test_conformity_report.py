"""The report of a conformity suite in a real browser: a click on a tile shows that test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lab_browser import INKED_CANVASES, Seen, need_chromium, page

from v2glab.procedures import Context, load_procedure, validate_parameters
from v2glab.views._report import render

pytestmark = pytest.mark.browser

TESTS = ("rocof.ramp", "trip.time.uv2.default", "laboratory.surge")
#: Where a tile stands on the page.
TILE = """(wanted) => {
  for (const root of Object.values(Bokeh.index)) {
    const view = [...root.owner.all_views()].find(v => v.model.title?.text?.startsWith('Every test'));
    const source = view.model.renderers[0].data_source;
    const place = Array.from(source.data.test).indexOf(wanted);
    view.el.scrollIntoView();
    const box = view.el.getBoundingClientRect();
    return [box.left + view.frame.x_scale.compute(source.data.place[place]),
            box.top + view.frame.y_scale.compute(source.data.family[place])];
  }
}"""
#: Headings of the panels, and the last time that their lines show.
SHOWN = """() => {
  const models = [...Bokeh.documents[0]._all_models.values()];
  const text = models.filter(m => m.type === 'Title').map(m => m.text).join('|');
  const line = models.find(m => m.type === 'GlyphRenderer' && m.glyph.type === 'Line');
  const times = Array.from(line.data_source.data.time_s);
  const axis = models.find(m => m.type === 'FactorRange' && m.factors.some(f => /^1 /.test(f)));
  return [text, times.length ? times[times.length - 1] : -1, axis.factors.length];
}"""


def choose(tab: Any, test: str) -> None:
    """Click on a tile until the panels show its test: the page may still be laying itself out."""
    for _ in range(50):
        tab.mouse.click(*tab.evaluate(TILE, test))
        tab.wait_for_timeout(100)
        if f"{test}, " in tab.evaluate(SHOWN)[0]:
            return
    pytest.fail(f"the panels do not show {test}")


def test_a_click_on_a_tile_shows_its_test(tmp_path: Path) -> None:
    need_chromium()
    procedure = load_procedure("conformity")
    parameters = validate_parameters(procedure, {"only": TESTS})
    result = procedure.execute(Context(parameters, None, tmp_path, seed=5))
    report = render(
        {"id": "x", "status": "complete"}, {"conformity": result}, {"conformity": result.verdicts}
    )
    seen, faults = Seen(), []
    with page(seen) as tab:
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.set_content(report)
        tab.wait_for_function("() => window.Bokeh?.documents[0]?.is_idle", timeout=20_000)
        assert "trip.time.uv2.default" in tab.evaluate(SHOWN)[0], "a test that was played comes first"
        for test, last_s, verdicts in (("rocof.ramp", 11.1, 1), ("trip.time.uv2.default", 5.1, 2)):
            choose(tab, test)
            text, time_s, count = tab.evaluate(SHOWN)
            assert time_s == pytest.approx(last_s, rel=0.1), text
            assert count == verdicts
        assert tab.evaluate(INKED_CANVASES) >= 5
    assert seen.elsewhere == [] and faults == []
