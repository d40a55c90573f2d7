"""How charts look: colours of the page's style sheet, so that one drawing serves the light and the dark mode.

A chart is as wide as a phone, and an SVG that needs no script. On a wide screen, charts stand side by side.
"""

import re
from itertools import count
from typing import Any

import altair as alt
import vl_convert

WIDTH = 340
"""Of a chart with its labels, in CSS pixels: a phone of 390 px less the page's margins."""
BLUE, VERMILION, GREEN, PURPLE = (f"var(--chart-{number})" for number in range(1, 5))
"""Tell apart for people who see colours differently: after Okabe and Ito, https://jfly.uni-koeln.de/color/"""
FAINT = "var(--chart-faint)"
_INK, _GRID = "var(--ink-soft)", "var(--line)"
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": "sans-serif",
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "labelColor": _INK,
        "titleColor": _INK,
        "domainColor": _GRID,
        "tickColor": _GRID,
        "gridColor": _GRID,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelLimit": 150,
    },
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "title": None,
        "labelColor": _INK,
        "labelFontSize": 11,
        "labelLimit": 150,
    },
    "title": {"color": "var(--ink)", "fontSize": 12},
    "text": {"color": _INK, "fontSize": 11},
    "bar": {"color": BLUE},
    "line": {"color": BLUE, "strokeWidth": 2},
}
_ids = count()


def svg(chart: alt.TopLevelMixin) -> str:
    """Draws a chart as SVG, which scales with the width of what it stands in."""
    specification = {**chart.to_dict(), "config": _CONFIG}
    drawn = vl_convert.vegalite_to_svg(specification)
    prefix = f"chart{next(_ids)}-"
    return re.sub(r"<[^>]+>", lambda tag: _fit_for_a_page(tag[0], prefix), drawn)


def _fit_for_a_page(tag: str, prefix: str) -> str:
    """A tag of an SVG with ids that no other chart on the page has: each numbers its clips from 0.

    The page says what a chart shows, and has its table: what the marks say of themselves would be read out beside it.
    """
    if tag.startswith("<svg"):
        tag = re.sub(r' (width|height)="[^"]*"', "", tag)
    tag = re.sub(r' (role|aria-\w+)="[^"]*"', "", tag)
    tag = re.sub(r' id="([^"]+)"', rf' id="{prefix}\1"', tag)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", tag)
