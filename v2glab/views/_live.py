"""Lines that grow while a procedure measures."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from v2glab.procedures import Sample
from v2glab.views._show import in_notebook, load_bokeh

#: Shortest time between two updates of the page.
UPDATE_S = 0.2
#: More points than this are thinned to every second one.
MOST_POINTS = 2000
_COLOURS = ("#1f4e79", "#c8553d", "#588157", "#8a6d3b")

# The page may still be drawing the figure when the first values come: try again for a while. An update that
# arrives late must not replace a later one.
_SCRIPT = """(() => {{
  const name = {name}, data = {data};
  const put = (tries) => {{
    const docs = (window.Bokeh && window.Bokeh.documents) || [];
    for (const doc of docs) {{
      const source = doc.get_model_by_name(name);
      if (source == null) continue;
      const count = (source.tags[0] || 0);
      if (count <= {count}) {{ source.tags = [{count}]; source.data = data; }}
      return;
    }}
    if (tries > 0) setTimeout(put, 100, tries - 1);
  }};
  put(100);
}})();"""


class LiveSeries:
    """Receives samples and draws them; see :func:`live_series`."""

    def __init__(self, title: str, names: Sequence[str], unit: str) -> None:
        self.title, self.names, self.unit = title, tuple(names), unit
        self.columns: dict[str, list[float]] = {"time_s": [], **{name: [] for name in self.names}}
        self.count = 0
        self.updates = 0
        self._every = 1
        self._pushed_at = -math.inf
        self._name = f"live-{uuid4().hex}"
        self._shell: Any = None
        self._display: Any = None
        if in_notebook():
            self._open()

    def __call__(self, sample: Sample) -> None:
        """Take one sample; a name that it lacks leaves a gap in that line."""
        self.count += 1
        if self.count % self._every:
            return
        for name, values in self.columns.items():
            values.append(float(sample.get(name, math.nan)))
        if len(self.columns["time_s"]) > MOST_POINTS:
            self._thin()
        now = time.monotonic()
        if now - self._pushed_at >= UPDATE_S:
            self._pushed_at = now
            self.flush()

    def flush(self, *_: object) -> None:
        """Bring the page up to date."""
        if self._display is None or self.count == 0:
            return
        from IPython.display import Javascript

        self.updates += 1
        self._display.update(Javascript(self.script()))

    def script(self) -> str:
        """Return the script that puts the present values into the figure."""
        data = {k: [v if math.isfinite(v) else None for v in values] for k, values in self.columns.items()}
        return _SCRIPT.format(name=json.dumps(self._name), data=json.dumps(data), count=self.count)

    def figure(self) -> Any:  # noqa: ANN401 -- a Bokeh figure
        """Return the figure, with the values so far."""
        from bokeh.models import ColumnDataSource
        from bokeh.plotting import figure

        source = ColumnDataSource({k: list(v) for k, v in self.columns.items()}, name=self._name, tags=[0])
        panel = figure(
            height=220,
            sizing_mode="stretch_width",
            title=self.title,
            x_axis_label="station time since start / s",
            y_axis_label=self.unit,
            tools="pan,wheel_zoom,reset",
        )
        for position, name in enumerate(self.names):
            colour = _COLOURS[position % len(_COLOURS)]
            panel.line("time_s", name, source=source, color=colour, line_width=2, legend_label=name)
        panel.legend.location = "top_left"
        panel.legend.background_fill_alpha = 0.6
        return panel

    def _open(self) -> None:
        from bokeh.io import show
        from IPython import get_ipython
        from IPython.display import Javascript, display

        load_bokeh()
        show(self.figure())
        # BokehJS has no way to a kernel of JupyterLab by itself: `push_notebook` reaches the page only
        # through an extension. A display that is updated needs none.
        self._display = display(Javascript(""), display_id=True)
        self._shell = get_ipython()
        # A quick run ends between two updates; the end of the cell brings the rest.
        self._shell.events.register("post_run_cell", self._close)

    def _close(self, *_: object) -> None:
        self.flush()
        if self._shell is not None and self.count:
            self._shell.events.unregister("post_run_cell", self._close)

    def _thin(self) -> None:
        self._every *= 2
        for values in self.columns.values():
            del values[1::2]


def live_series(title: str, names: Sequence[str], unit: str) -> LiveSeries:
    """Return a callable that draws samples as they come, at most five times a second.

    Parameters
    ----------
    title
        Title of the figure.
    names
        Keys of a sample, one line each; ``time_s`` is the abscissa.
    unit
        Unit of the ordinate.

    Outside a notebook it collects and draws nothing.
    """
    return LiveSeries(title, names, unit)
