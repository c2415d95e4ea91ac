"""The figures as plots: SVG in the page itself, without script, style sheet or anything remote.

Colours are the page's (`currentColor`), so that light and dark need nothing. Each plot has a title
and a description in words; the numbers are in the tables beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from batchscan.report.wording import shortened
from batchscan.stats.figures import Period, Place, Statistics
from batchscan.util.escaping import printable

MAX_BARS = 104  # periods that are drawn: two years of weeks
MAX_PLACES = 10
WIDTH, HEIGHT = 720, 120  # of a plot, in its own units
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 14, 20  # room around the bars
_ROW = 24  # height of a bar that lies
_NAMES = 200  # width of the names beside such bars
_NAME_LENGTH = 28
_GAP = 0.2  # of a bar's place
_LABELS = 6  # below the bars, at most
_TEXT = 'fill="currentColor" font-size="11"'


class _Series(NamedTuple):
    """The values of one plot over time."""

    name: str
    title: str
    values: list[float]
    unit: str


def plots(figures: Statistics) -> Markup:
    """Draw the figures over time, and the days to removal by site; empty without any."""
    shown = figures.periods[-MAX_BARS:]
    if not shown:
        return Markup()
    drawn = [_bars(series, shown, figures.by) for series in _series(shown) if any(series.values)]
    removed = [place for place in figures.sites if place.days_to_removal is not None]
    if removed:
        drawn.append(_lying(removed[:MAX_PLACES]))
    return Markup("\n").join(drawn)


def _series(shown: Sequence[Period]) -> Iterator[_Series]:
    for name, title, unit in (
        ("found", "Matches found", "matches"),
        ("reviewed", "Reviewed", "matches"),
        ("noticed", "Noticed: a notice was sent", "matches"),
        ("removed", "Removed", "matches"),
        ("days_to_removal", "Days from noticed to removed, median", "days"),
        ("credits", "Credits charged", "credits"),
    ):
        values = [float(getattr(period.counts, name) or 0) for period in shown]
        yield _Series(name, title, values, unit)


def _bars(series: _Series, shown: Sequence[Period], by: str) -> Markup:
    highest = max(series.values)
    step = (WIDTH - _LEFT - _RIGHT) / len(shown)
    floor = HEIGHT - _BOTTOM
    parts = [_axis(highest, floor)]
    for place, (period, value) in enumerate(zip(shown, series.values, strict=True)):
        if not value:
            continue
        height = max(1.0, (floor - _TOP) * value / highest)
        x = _LEFT + step * (place + _GAP / 2)
        parts.append(
            f'<rect x="{x:.1f}" y="{floor - height:.1f}" width="{step * (1 - _GAP):.1f}"'
            f' height="{height:.1f}" fill="currentColor">'
            f"<title>{period.label}: {_number(value)} {series.unit}</title></rect>"
        )
    every = -(-len(shown) // _LABELS)
    for place in range(0, len(shown), every):
        x = _LEFT + step * (place + 0.5)
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 5}" text-anchor="middle" class="when" {_TEXT}>'
            f"{shown[place].label}</text>"
        )
    words = (
        f"{series.title} by {by}, {shown[0].label} to {shown[-1].label};"
        f" at most {_number(highest)} {series.unit}"
    )
    return _figure(series.name, series.title, words, HEIGHT, parts)


def _axis(highest: float, floor: int) -> str:
    return (
        f'<path d="M{_LEFT} {_TOP}H{WIDTH - _RIGHT}M{_LEFT} {floor}H{WIDTH - _RIGHT}"'
        ' stroke="currentColor" stroke-opacity=".35" fill="none"/>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 4}" text-anchor="end" {_TEXT}>{_number(highest)}</text>'
        f'<text x="{_LEFT - 6}" y="{floor + 4}" text-anchor="end" {_TEXT}>0</text>'
    )


def _lying(places: Sequence[Place]) -> Markup:
    """A bar for each site, beside its name."""
    longest = max(place.days_to_removal or 0.0 for place in places) or 1.0
    parts = []
    for row, place in enumerate(places):
        days = place.days_to_removal or 0.0
        y = row * _ROW
        width = max(1.0, (WIDTH - _NAMES - 60) * days / longest)
        name = Markup.escape(shortened(printable(place.name), _NAME_LENGTH))
        parts.append(
            f'<text x="{_NAMES - 8}" y="{y + 16}" text-anchor="end" {_TEXT}>{name}</text>'
            f'<rect x="{_NAMES}" y="{y + 4}" width="{width:.1f}" height="{_ROW - 8}"'
            ' fill="currentColor"/>'
            f'<text x="{_NAMES + width + 6:.1f}" y="{y + 16}" {_TEXT}>{_number(days)}</text>'
        )
    title = "Days from noticed to removed by site, median"
    words = f"{title}; at most {_number(longest)} day{'' if longest == 1 else 's'}"
    return _figure("days_by_site", title, words, _ROW * len(places), parts)


def _figure(name: str, title: str, words: str, height: int, parts: Sequence[str]) -> Markup:
    # Names of sites are escaped where they are put in; all else is ours or a number.
    inside = Markup("".join(parts))  # noqa: S704
    return Markup(
        '<figure class="plot {kind}"><figcaption>{title}</figcaption>'
        '<svg role="img" aria-labelledby="plot-{name}" viewBox="0 0 {width} {height}"'
        ' preserveAspectRatio="xMinYMin meet"><title id="plot-{name}">{words}</title>{inside}</svg>'
        "</figure>"
    ).format(
        title=title,
        kind="by-site" if name == "days_by_site" else "over-time",
        name=name,
        width=WIDTH,
        height=height,
        words=words,
        inside=inside,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
