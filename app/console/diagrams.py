"""Pictures, drawn on the server as SVG: the way of traffic through a Service, and how full a pool is."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

_BOX_WIDTH, _BOX_HEIGHT, _GAP = 220, 44, 14
_COLUMN = 300
_MOST_BOXES = 12
_TEXT = 30
_PLOT_LEFT, _PLOT_TOP, _PLOT_WIDTH, _PLOT_HEIGHT = 60, 10, 340, 80


@dataclass(frozen=True)
class Box:
    """A box of the picture.

    Attributes:
        title: First line.
        detail: Second line.
        state: `good`, `bad`, `waiting` or `plain`: its colour, and a word for those who do not see it.
    """

    title: str
    detail: str = ""
    state: str = "plain"


def path(columns: Sequence[tuple[str, Sequence[Box]]]) -> str:
    """The way of traffic from left to right.

    Args:
        columns: Heading and boxes of each column; all boxes of a column are joined to all of the next.
    """
    columns = [(heading, _shown(boxes)) for heading, boxes in columns if boxes]
    tallest = max((len(boxes) for _, boxes in columns), default=0)
    height = 30 + tallest * (_BOX_HEIGHT + _GAP)
    width = max(len(columns) * _COLUMN - (_COLUMN - _BOX_WIDTH) + 4, 1)
    parts = [_lines(left, right, number, height) for number, (left, right) in enumerate(_pairs(columns))]
    for number, (heading, boxes) in enumerate(columns):
        parts.append(f'<text class="heading" x="{number * _COLUMN + 2}" y="14">{escape(heading)}</text>')
        parts += [_box(box, number * _COLUMN + 2, top) for box, top in zip(boxes, _tops(boxes, height), strict=True)]
    told = "; ".join(
        f"{heading}: {', '.join(f'{box.title} {box.detail} {box.state}' for box in boxes)}"
        for heading, boxes in columns
    )
    return (
        f'<svg class="path" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f"<title>{escape(told)}</title>{''.join(parts)}</svg>"
    )


def bar(used: int, size: int) -> str:
    """How much of something is used."""
    share = min(1.0, used / size) if size else 0.0
    state = "bad" if share > 0.9 else "waiting" if share > 0.7 else "good"  # noqa: PLR2004 - as in the alert rules
    return (
        f'<svg class="bar {state}" viewBox="0 0 200 10" width="200" height="10" role="img">'
        f"<title>{share:.1%} used</title>"
        f'<rect class="whole" width="200" height="10" rx="5"/>'
        f'<rect class="part" width="{max(share * 200, 3 if used else 0):.1f}" height="10" rx="5"/></svg>'
    )


def plot(points: Sequence[tuple[float, int]], size: int) -> str:
    """How much of something was used over time.

    Args:
        points: Days from now, which are not positive, and how much was used, the earliest first.
        size: How much there is.
    """
    if not points:
        return ""
    first, most = min(points[0][0], -1.0), max(size, *(used for _, used in points), 1)
    places = [
        (_PLOT_LEFT + _PLOT_WIDTH * (1 - day / first), _PLOT_TOP + _PLOT_HEIGHT * (1 - used / most), day, used)
        for day, used in points
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in places)
    bottom = _PLOT_TOP + _PLOT_HEIGHT
    area = f"{places[0][0]:.1f},{bottom} {line} {places[-1][0]:.1f},{bottom}"
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(_when(day))}: {used}</title></circle>'
        for x, y, day, used in places
    )
    told = ", ".join(f"{_when(day)} {used}" for day, used in points)
    width, height = _PLOT_LEFT + _PLOT_WIDTH + 12, bottom + 22
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f"<title>Used of {size}: {escape(told)}</title>"
        f'<line class="axis" x1="{_PLOT_LEFT}" y1="{bottom}" x2="{_PLOT_LEFT + _PLOT_WIDTH}" y2="{bottom}"/>'
        f'<line class="limit" x1="{_PLOT_LEFT}" y1="{_PLOT_TOP}" x2="{_PLOT_LEFT + _PLOT_WIDTH}" y2="{_PLOT_TOP}"/>'
        f'<polygon points="{area}"/><polyline points="{line}"/>{dots}'
        f'<text x="{_PLOT_LEFT - 6}" y="{_PLOT_TOP + 4}" text-anchor="end">{most}</text>'
        f'<text x="{_PLOT_LEFT - 6}" y="{bottom + 4}" text-anchor="end">0</text>'
        f'<text x="{_PLOT_LEFT}" y="{bottom + 17}">{escape(_when(first))}</text>'
        f'<text x="{_PLOT_LEFT + _PLOT_WIDTH}" y="{bottom + 17}" text-anchor="end">now</text></svg>'
    )


def _when(day: float) -> str:
    return "now" if day >= 0 else f"{-day:g} {'day' if day == -1 else 'days'} ago"


def _shown(boxes: Sequence[Box]) -> Sequence[Box]:
    if len(boxes) <= _MOST_BOXES:
        return boxes
    return [*boxes[: _MOST_BOXES - 1], Box(f"{len(boxes) - _MOST_BOXES + 1} more")]


def _pairs(columns: Sequence[tuple[str, Sequence[Box]]]) -> list[tuple[Sequence[Box], Sequence[Box]]]:
    return [(left, right) for (_, left), (_, right) in pairwise(columns)]


def _tops(boxes: Sequence[Box], height: int) -> list[float]:
    """Where the boxes of a column begin, the column being centred."""
    taken = len(boxes) * (_BOX_HEIGHT + _GAP)
    first = 26 + (height - 30 - taken) / 2
    return [first + number * (_BOX_HEIGHT + _GAP) for number in range(len(boxes))]


def _lines(left: Sequence[Box], right: Sequence[Box], number: int, height: int) -> str:
    start, end = number * _COLUMN + 2 + _BOX_WIDTH, (number + 1) * _COLUMN + 2
    middle = (start + end) / 2
    return "".join(
        f'<path class="line" d="M{start} {a + _BOX_HEIGHT / 2:.0f} C{middle:.0f} {a + _BOX_HEIGHT / 2:.0f} '
        f'{middle:.0f} {b + _BOX_HEIGHT / 2:.0f} {end} {b + _BOX_HEIGHT / 2:.0f}"/>'
        for a in _tops(left, height)
        for b in _tops(right, height)
    )


def _box(box: Box, left: float, top: float) -> str:
    detail = f'<text class="detail" x="{left + 24}" y="{top + 35:.0f}">{escape(_short(box.detail))}</text>'
    return (
        f'<g class="box {box.state}"><title>{escape(f"{box.title} {box.detail} {box.state}")}</title>'
        f'<rect x="{left}" y="{top:.0f}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6"/>'
        f'<circle cx="{left + 13}" cy="{top + _BOX_HEIGHT / 2:.0f}" r="4"/>'
        f'<text x="{left + 24}" y="{top + (19 if box.detail else 27):.0f}">{escape(_short(box.title))}</text>'
        f"{detail if box.detail else ''}</g>"
    )


def _short(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
