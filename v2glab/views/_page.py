"""A page that stands alone: style, figures and scripts inside, nothing requested from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from v2glab.views._report_style import CSS

# The browser itself refuses whatever would be loaded from elsewhere. BokehJS compiles templates, hence eval.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


def embedded(figures: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the script that draws some Bokeh figures, and the element of each by its name."""
    if not figures:
        return "", {}
    from bokeh.embed import components

    script, drawn = components(dict(figures))
    return script, drawn


def html_page(title: str, body: str, scripts: str, *, footer: str) -> str:
    """Return the whole page.

    Parameters
    ----------
    title, body, footer
        Markup; whatever comes from data was escaped before.
    scripts
        Script of :func:`embedded`; without one the page carries no BokehJS.
    """
    return (
        "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{title}</title><style>{CSS}</style>{_bokeh() if scripts else ''}</head>"
        f"<body><main>{body}<footer>{footer}</footer></main>{scripts}</body></html>\n"
    )


def _bokeh() -> str:
    from bokeh.resources import Resources

    return str(Resources(mode="inline", components=["bokeh"]).render())
