"""The topology as a picture: sources on the left, targets on the right, breaking edges standing out.

Drawn with Pillow as PNG, because that is what a workbook can hold. Edges between the same two servers are one line with
the worst verdict. Colour is never alone: what breaks is thick and solid with an arrow, what is unknown is dotted, the
rest is thin; so the picture also reads in grey.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from assessor.judge.verdicts import VerdictKind
from assessor.report.text import shorten, visible
from assessor.report.words import VERDICTS
from assessor.snapshot import AssessedEdge

_SCALE: Final = 3  #: pixels a unit; the picture is shown at a third of its size, so that print stays sharp
_WIDTH: Final = 960
_ROW: Final = 19
_TOP: Final = 46
_LEFT_TEXT, _RIGHT_TEXT = 300, 660
_MAX_ROWS: Final = 60
_LABEL: Final = 46


@dataclass(frozen=True, slots=True)
class _Stroke:
    colour: str
    width: int
    dash: tuple[int, int] | None


_STROKES: Final[dict[VerdictKind, _Stroke]] = {
    VerdictKind.BREAKS: _Stroke("#9C1C1C", 3, None),
    VerdictKind.FAILS_TODAY: _Stroke("#C2703A", 2, (9, 4)),
    VerdictKind.NOT_ASSESSED: _Stroke("#5E5E6E", 2, (2, 4)),
    VerdictKind.EXPIRES: _Stroke("#B58A1E", 2, (12, 3)),
    VerdictKind.WORKS_INSECURELY: _Stroke("#B9A24A", 1, (4, 2)),
    VerdictKind.WORKS: _Stroke("#7DB07D", 1, None),
    VerdictKind.NOT_AFFECTED: _Stroke("#C8C8C8", 1, None),
}
_RANK: Final = {kind: place for place, kind in enumerate(VERDICTS)}


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG and the size at which it is meant to be shown, in pixels at 96 dpi."""

    png: bytes
    width: int
    height: int
    left_out: int  #: servers that did not fit, which the caption states


def draw_topology(edges: Sequence[AssessedEdge]) -> Picture:
    """Draw ``edges``. Servers with breaking edges come first, so that what does not fit is what matters least."""
    worst: dict[tuple[str, str], VerdictKind] = {}
    for edge in edges:
        pair = (edge.source, edge.target)
        if pair not in worst or _RANK[edge.verdict] < _RANK[worst[pair]]:
            worst[pair] = edge.verdict
    sources = _ordered([pair[0] for pair in worst], worst, side=0)
    targets = _ordered([pair[1] for pair in worst], worst, side=1)
    left_out = max(0, len(sources) - _MAX_ROWS) + max(0, len(targets) - _MAX_ROWS)
    sources, targets = sources[:_MAX_ROWS], targets[:_MAX_ROWS]
    rows = max(len(sources), len(targets), 1)
    height = _TOP + rows * _ROW + 34
    canvas = _Canvas(_WIDTH, height)
    left = {name: _TOP + _place(index, len(sources), rows) for index, name in enumerate(sources)}
    right = {name: _TOP + _place(index, len(targets), rows) for index, name in enumerate(targets)}
    canvas.text(_LEFT_TEXT, 20, "opens the connection", anchor="rm", bold=True)
    canvas.text(_RIGHT_TEXT, 20, "accepts it", anchor="lm", bold=True)
    # The thin lines first, so that what breaks lies on top.
    for (source, target), kind in sorted(worst.items(), key=lambda item: -_RANK[item[1]]):
        if source in left and target in right:
            canvas.line(
                (_LEFT_TEXT + 8, left[source]),
                (_RIGHT_TEXT - 8, right[target]),
                _STROKES[kind],
                arrow=kind is VerdictKind.BREAKS,
            )
    breaking = [pair for pair, kind in worst.items() if kind is VerdictKind.BREAKS]
    opening, accepting = {pair[0] for pair in breaking}, {pair[1] for pair in breaking}
    for name, y in left.items():
        canvas.text(_LEFT_TEXT, y, shorten(visible(name), _LABEL), anchor="rm", bold=name in opening)
    for name, y in right.items():
        canvas.text(_RIGHT_TEXT, y, shorten(visible(name), _LABEL), anchor="lm", bold=name in accepting)
    canvas.legend(height - 16, [kind for kind in VERDICTS if kind in worst.values()])
    return Picture(canvas.png(), _WIDTH, height, left_out)


def _ordered(names: Sequence[str], worst: dict[tuple[str, str], VerdictKind], *, side: int) -> list[str]:
    urgency: dict[str, tuple[int, int]] = {}
    for name in dict.fromkeys(names):
        ranks = [_RANK[kind] for pair, kind in worst.items() if pair[side] == name]
        urgency[name] = (min(ranks), -ranks.count(min(ranks)))
    return sorted(urgency, key=lambda name: (urgency[name], name.casefold()))


def _place(index: int, count: int, rows: int) -> float:
    """The shorter column is spread over the whole height."""
    return (index + 0.5) * rows * _ROW / count


class _Canvas:
    def __init__(self, width: int, height: int) -> None:
        self._image = Image.new("RGB", (width * _SCALE, height * _SCALE), "white")
        self._draw = ImageDraw.Draw(self._image)
        self._font = ImageFont.load_default(12 * _SCALE)

    def text(self, x: float, y: float, text: str, *, anchor: str, bold: bool = False, colour: str = "black") -> None:
        self._draw.text(
            (x * _SCALE, y * _SCALE),
            text,
            fill=colour,
            font=self._font,
            anchor=anchor,
            stroke_width=1 if bold else 0,
            stroke_fill=colour,
        )

    def line(
        self, start: tuple[float, float], end: tuple[float, float], stroke: _Stroke, *, arrow: bool = False
    ) -> None:
        (x1, y1), (x2, y2) = start, end
        length = max(1.0, ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5)
        on, off = stroke.dash or (length, 0)
        at = 0.0
        while at < length:
            until = min(length, at + on)
            self._segment(start, end, at / length, until / length, stroke)
            at = until + off if off else length
        if arrow:
            ux, uy = (x2 - x1) / length, (y2 - y1) / length
            tip = (x2 + 6 * ux, y2 + 6 * uy)
            wings = [(x2 - 6 * ux - 4 * uy, y2 - 6 * uy + 4 * ux), (x2 - 6 * ux + 4 * uy, y2 - 6 * uy - 4 * ux)]
            self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in (tip, *wings)], fill=stroke.colour)

    def _segment(
        self, start: tuple[float, float], end: tuple[float, float], a: float, b: float, stroke: _Stroke
    ) -> None:
        (x1, y1), (x2, y2) = start, end
        points = [((x1 + (x2 - x1) * t) * _SCALE, (y1 + (y2 - y1) * t) * _SCALE) for t in (a, b)]
        self._draw.line(points, fill=stroke.colour, width=stroke.width * _SCALE)

    def legend(self, y: float, kinds: Sequence[VerdictKind]) -> None:
        x = 20.0
        for kind in kinds:
            self.line((x, y), (x + 34, y), _STROKES[kind], arrow=kind is VerdictKind.BREAKS)
            self.text(x + 44, y, VERDICTS[kind].word, anchor="lm")
            x += 60 + 7.2 * len(VERDICTS[kind].word)

    def png(self) -> bytes:
        stream = io.BytesIO()
        self._image.quantize(64).save(stream, "PNG", optimize=True)
        return stream.getvalue()
