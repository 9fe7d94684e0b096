"""Bokeh in a notebook, without any request to the network."""

from __future__ import annotations

from typing import Any

_loaded_in: set[int] = set()


def in_notebook() -> bool:
    """Return whether this code runs in a Jupyter kernel."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


def load_bokeh() -> None:
    """Put BokehJS into the page, once a kernel; the scripts come from the package, not from a server."""
    from bokeh.io import output_notebook
    from bokeh.resources import Resources
    from IPython import get_ipython

    shell = id(get_ipython())
    if shell in _loaded_in:
        return
    # Only the core: widgets and tables would add three megabytes to every notebook.
    output_notebook(resources=Resources(mode="inline", components=["bokeh"]), hide_banner=True)
    _loaded_in.add(shell)


def show(figure: Any) -> None:  # noqa: ANN401 -- a Bokeh figure or layout
    """Show a figure below the cell; outside a notebook nothing happens."""
    if not in_notebook():
        return
    from bokeh.io import show as show_figure

    load_bokeh()
    show_figure(figure)
