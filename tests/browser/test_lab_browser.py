"""A person opens the lab: figures are drawn, live lines move, and nothing is asked of the network."""

from pathlib import Path

import nbformat
import pytest
from lab_browser import (
    INKED_CANVASES,
    LIVE_POINTS,
    Seen,
    copy_notebooks,
    lab,
    need_chromium,
    page,
    run_all,
    wait_until_run,
)
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
_NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
_LIVE = """import time
from v2glab import views
live = views.live_series("Test", ("power",), "W")
for step in range(40):
    live({"time_s": step * 0.1, "power": step ** 2})
    time.sleep(0.1)
"""


def test_a_live_line_grows_while_the_cell_runs(tmp_path: Path) -> None:
    need_chromium()
    folder = tmp_path / "notebooks"
    folder.mkdir()
    # Without its language JupyterLab asks which kernel to take.
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_code_cell(_LIVE)], metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "01_show_line.ipynb")
    seen = Seen()
    with lab(folder, tmp_path) as address, page(seen) as tab:
        run_all(tab, address, "01_show_line.ipynb")
        tab.wait_for_function(f"() => ({LIVE_POINTS})() >= 2", timeout=60_000)
        early = tab.evaluate(LIVE_POINTS)
        wait_until_run(tab)
        tab.wait_for_function(f"() => ({LIVE_POINTS})() === 40", timeout=10_000)
        assert early < 40, "the line came only at the end"
        assert tab.evaluate(INKED_CANVASES) >= 1
    assert seen.elsewhere == []
    assert seen.local


def test_synchronising_the_grid_shows_live_and_final_figures(tmp_path: Path) -> None:
    need_chromium()
    folder = copy_notebooks(_NOTEBOOKS, tmp_path / "notebooks")
    seen = Seen()
    with lab(folder, tmp_path) as address, page(seen) as tab:
        run_all(tab, address, "04_synchronise_grid.ipynb")
        wait_until_run(tab)
        tab.wait_for_function(f"() => ({INKED_CANVASES})() >= 2", timeout=20_000)
        assert tab.evaluate(LIVE_POINTS) >= 3
        assert tab.locator(".jp-OutputArea-output .jp-RenderedText[data-mime-type*=error]").count() == 0
        tab.wait_for_selector(
            "text=Phase difference when the contacts touch", timeout=5_000, state="attached"
        )
        tab.screenshot(path=str(tmp_path / "lab.png"), full_page=True)
    assert seen.elsewhere == []
