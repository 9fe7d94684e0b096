"""Figures of a barrier analysis: where things are drawn, in which ink, and the same as SVG."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from v2glab.evidence import Result, UsageError
from v2glab.views import barrier_figure
from v2glab.views._analyse_barriers_common import shown
from v2glab.views._analyse_barriers_heat_maps import heat_map, ink_on, luminance
from v2glab.views._svg import figure_svg
from v2glab.views._svg_glyphs import column
from v2glab.views._svg_scale import Scale, scale_of

_SVG = "{http://www.w3.org/2000/svg}"
_FACTS = {"currency": "EUR", "vehicles": 3, "price_year": "2025"}


def record(**tables: pd.DataFrame) -> Result:
    return Result("analyse_barriers", 0, {}, (), (), tables, _FACTS)


def elements(figure: Any, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(figure_svg(figure)).iter(f"{_SVG}{tag}"))


def words(figure: Any) -> list[str]:
    return [e.text or "" for e in elements(figure, "text")]


def test_ink_has_the_larger_contrast_on_every_colour_of_the_palette() -> None:
    from bokeh.palettes import RdBu11

    # The figures of WCAG's own example: white 1, black 0, and red's weight.
    assert (luminance("#ffffff"), luminance("#000000")) == (pytest.approx(1.0), 0.0)
    assert luminance("#ff0000") == pytest.approx(0.2126)
    for colour in RdBu11:
        light = luminance(colour)
        contrast = {"#ffffff": 1.05 / (light + 0.05), "#000000": (light + 0.05) / 0.05}
        assert contrast[ink_on(colour)] == max(contrast.values()) >= 4.5
    assert ink_on(RdBu11[0]) == ink_on(RdBu11[-1]) == "#ffffff"


def test_the_ink_of_a_heat_map_reaches_its_text_in_both_drawings() -> None:
    cells = [("a", "a", -200.0), ("b", "a", -1e-9), ("a", "b", 5.0), ("b", "b", float("nan"))]
    figure = heat_map("t", ["a", "b"], ["b", "a"], cells)
    (text,) = [r for r in figure.renderers if type(r.glyph).__name__ == "Text"]
    assert column(text, "text_color") == ["#ffffff", "#000000", "#000000", "#000000"]
    drawn = {e.text: e.get("fill") for e in elements(figure, "text") if e.get("font-size") == "11px"}
    assert drawn == {"−200.0": "#ffffff", "0.0": "#000000", "5.0": "#000000", "–": "#000000"}


def test_a_number_below_zero_has_a_true_minus_and_zero_none() -> None:
    assert [shown(v) for v in (-1.25, -0.01, 0.0, 3.0)] == ["−1.2", "0.0", "0.0", "3.0"]


def test_scales_place_numbers_decades_and_categories() -> None:
    log = Scale(0.1, 1000.0, 0.0, 400.0, log=True)
    assert [round(log.pixel(v)) for v in (0.1, 1, 10, 1000)] == [0, 100, 200, 400]
    assert [label for _, label in log.ticks()] == ["0.1", "1", "10", "100", "1000"]
    names = Scale(0.0, 2.0, 0.0, 100.0, factors=("a", "b"))
    assert (names.pixel("b"), names.pixel(("a", 0.5))) == (75.0, 50.0)
    found = scale_of(None, [0.0, 10.0, float("nan")], 0.0, 1.0, log=False)
    assert (found.low, found.high) == (-0.5, 10.5)
    assert [label for _, label in found.ticks()] == ["0", "2", "4", "6", "8", "10"]


def test_bars_of_the_waterfall_hang_where_the_values_are() -> None:
    table = pd.DataFrame(
        {
            "step": ["no rules", "levy", "all rules"],
            "change": [100.0, -75.0, 25.0],
            "value_after": [100.0, 25.0, 25.0],
        }
    )
    figure = barrier_figure(record(waterfall=table), "waterfall")
    bars = [e for e in elements(figure, "rect") if e.get("fill-opacity")]
    heights = [float(e.get("height", "")) for e in bars]
    assert heights[1] / heights[0] == pytest.approx(0.75, abs=0.01)
    assert heights[2] / heights[0] == pytest.approx(0.25, abs=0.01)
    assert float(bars[1].get("y", "")) == pytest.approx(float(bars[0].get("y", "")))
    assert {"100.0", "−75.0", "25.0", "levy"} <= set(words(figure))


def test_labels_of_the_sankey_never_overlap_and_slight_rules_stand_together() -> None:
    steps = ["no rules", "a", "b", "c", "d", "e"]
    left = [1000.0, 400.0, 397.0, 394.0, 393.5, 393.0]
    table = pd.DataFrame({"step": steps, "exported_kwh": left})
    table["change_kwh"] = table["exported_kwh"].diff().fillna(1000.0)
    figure = barrier_figure(record(energy=table), "sankey")
    labels = [e for e in elements(figure, "text") if "kWh" in (e.text or "") and e.get("fill")]
    assert [e.text for e in labels] == [
        "still exported: 393 kWh",
        "a: 600 kWh",
        "b: 3 kWh",
        "c: 3 kWh",
        "2 more rules: 1 kWh",
    ]
    heights = sorted(float(e.get("y", "")) for e in labels)
    assert min(b - a for a, b in pairwise(heights)) >= 12
    grown = table.assign(change_kwh=[1000.0, -600.0, 50.0, -3.0, -0.5, -0.5])
    assert "add 50 kWh" in barrier_figure(record(energy=grown), "sankey").title.text


def test_one_latency_is_seen_and_unverified_limits_say_so() -> None:
    samples = pd.DataFrame({"kind": ["handshake", "command", "command"], "latency_s": [1.0, 0.01, 0.02]})
    limits = pd.DataFrame(
        {"limit": ["x", "y"], "limit_s": [0.25, 30.0], "confidence": ["read", "memory, verify"]}
    )
    figure = barrier_figure(record(latency=limits, latency_samples=samples), "latency")
    assert {"x", "y (unverified)", "handshake (n = 1)", "command (n = 2)"} <= set(words(figure))
    lines = [e.get("points", "").split() for e in elements(figure, "polyline")]
    # Rises from the bottom to one where the only handshake lies, and stays there to the right edge.
    single = [tuple(map(float, point.split(","))) for point in lines[1]]
    assert len({x for x, _ in single[:3]}) == 1 and single[0][1] > single[2][1] == single[-1][1]


def test_what_cannot_be_drawn_is_refused_and_words_cannot_become_markup() -> None:
    from bokeh.plotting import figure

    plot = figure(title="<script>alert(1)</script> & more", height=200)
    plot.line([0, 1], [0, 1])
    assert "<script" not in figure_svg(plot)
    assert figure_svg(plot) == figure_svg(plot)
    assert not re.search(r"href|url\((?!#inside)", figure_svg(plot))
    plot.wedge(0, 0, 1, 0, 1)
    with pytest.raises(UsageError, match="Wedge"):
        figure_svg(plot)
