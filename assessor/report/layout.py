"""Where the servers stand in a drawing of the topology. Pure and deterministic: the same edges, the same places.

Servers attract those that they have a connection with and repel all others (Fruchterman and Reingold, "Graph Drawing by
Force-directed Placement", Software: Practice and Experience 21, 1991); then boxes that overlap are pushed apart, and
groups without a connection between them are set side by side. Lengths are CSS pixels at zoom 1.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_GAP: Final = 26.0  #: least distance between boxes
_SPREAD: Final = 132.0  #: the distance that two connected servers settle at, more or less
_FLATTEN: Final = 0.7  #: screens are wide, and so are names
_STEPS: Final = 260
_PUSHES: Final = 400
_SHAPE: Final = 1.7  #: width to height of the whole

_Points = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Box:
    """A server's place: the middle of its box, and the box's size."""

    x: float
    y: float
    width: float
    height: float


def place(sizes: Mapping[str, tuple[float, float]], pairs: Iterable[tuple[str, str]]) -> dict[str, Box]:
    """A place for every server of ``sizes`` (name to width and height of its box).

    ``pairs`` are the connections; direction and repetition don't matter, and names without a size are an error
    (:class:`KeyError`). The top left corner of the whole is at 0, 0.
    """
    neighbours: dict[str, set[str]] = {name: set() for name in sizes}
    for one, other in pairs:
        if one != other:
            neighbours[one].add(other)
            neighbours[other].add(one)
    groups = [_group(names, neighbours, sizes) for names in _connected(neighbours)]
    return _side_by_side(groups)


def _connected(neighbours: Mapping[str, set[str]]) -> list[list[str]]:
    """The names in groups that have connections with each other, largest first, each in order of appearance."""
    order = {name: number for number, name in enumerate(neighbours)}
    left = dict.fromkeys(neighbours)
    found = []
    while left:
        start = next(iter(left))
        del left[start]
        group, queue = [start], [start]
        while queue:
            for name in sorted(neighbours[queue.pop()] & left.keys(), key=order.__getitem__):
                del left[name]
                group.append(name)
                queue.append(name)
        found.append(sorted(group, key=order.__getitem__))
    return sorted(found, key=lambda group: -len(group))


def _group(
    names: Sequence[str], neighbours: Mapping[str, set[str]], sizes: Mapping[str, tuple[float, float]]
) -> dict[str, Box]:
    box = np.array([sizes[name] for name in names], dtype=np.float64)
    points = _apart(_settled(names, neighbours), box)
    return {
        name: Box(float(x), float(y), float(width), float(height))
        for name, (x, y), (width, height) in zip(names, points, box, strict=True)
    }


def _settled(names: Sequence[str], neighbours: Mapping[str, set[str]]) -> _Points:
    count = len(names)
    if count == 1:
        return np.zeros((1, 2))
    # The best connected begin in the middle of a sunflower, so that they need not fight their way there.
    rank = sorted(range(count), key=lambda number: (-len(neighbours[names[number]]), number))
    points = np.zeros((count, 2))
    for place_, number in enumerate(rank):
        radius, angle = _SPREAD * 0.6 * math.sqrt(place_ + 0.5), place_ * 2.399963
        points[number] = radius * math.cos(angle), radius * math.sin(angle)
    index = {name: number for number, name in enumerate(names)}
    linked = np.array(
        [(index[one], index[other]) for one in names for other in sorted(neighbours[one]) if index[one] < index[other]],
        dtype=np.int64,
    )
    steps = _STEPS if count < 300 else 120
    for step in range(steps):
        apart = points[:, None, :] - points[None, :, :]
        squares = np.maximum((apart**2).sum(axis=2), 1.0)
        force = (apart * (_SPREAD**2 / squares)[:, :, None]).sum(axis=1)
        along = points[linked[:, 0]] - points[linked[:, 1]]
        pull = along * (np.sqrt((along**2).sum(axis=1)) / _SPREAD)[:, None]
        np.add.at(force, linked[:, 0], -pull)
        np.add.at(force, linked[:, 1], pull)
        force -= points * 0.2  # towards the middle, or loosely connected ones drift away
        length = np.maximum(np.sqrt((force**2).sum(axis=1)), 1e-9)
        heat = _SPREAD * 0.9 * (1 - step / steps) ** 1.5 + 0.5
        points += force * (np.minimum(length, heat) / length)[:, None]
    points[:, 1] *= _FLATTEN
    points[:, 0] /= _FLATTEN
    return points


def _apart(points: _Points, box: _Points) -> _Points:
    """Push boxes that overlap apart, along the axis where less is needed."""
    room = (box[:, None, :] + box[None, :, :]) / 2 + _GAP
    order = np.arange(len(points))
    #: Which way to go for two that stand on the same spot.
    first = np.where(order[:, None] < order[None, :], -1.0, 1.0)
    others = order[:, None] != order[None, :]
    for _ in range(_PUSHES):
        apart = points[:, None, :] - points[None, :, :]
        overlap = room - np.abs(apart)
        hit = (overlap > 0.01).all(axis=2) & others
        if not hit.any():
            break
        sideways = overlap[:, :, 0] < overlap[:, :, 1]
        sign = np.where(apart == 0, first[:, :, None], np.sign(apart))
        push = sign * overlap * 0.5
        points = points.copy()
        points[:, 0] += np.where(hit & sideways, push[:, :, 0], 0.0).sum(axis=1) * 0.7
        points[:, 1] += np.where(hit & ~sideways, push[:, :, 1], 0.0).sum(axis=1) * 0.7
    return points


def _side_by_side(groups: Sequence[Mapping[str, Box]]) -> dict[str, Box]:
    """Set groups on shelves, the largest first, so that the whole is about as wide as a screen."""
    spans = []
    for group in groups:
        left = min(box.x - box.width / 2 for box in group.values())
        right = max(box.x + box.width / 2 for box in group.values())
        top = min(box.y - box.height / 2 for box in group.values())
        bottom = max(box.y + box.height / 2 for box in group.values())
        spans.append((left, top, right - left + 2 * _GAP, bottom - top + 2 * _GAP))
    area = sum(width * height for _, _, width, height in spans)
    shelf_width = max([math.sqrt(area * _SHAPE), *(width for _, _, width, _ in spans)], default=0.0)
    placed: dict[str, Box] = {}
    x = y = shelf = 0.0
    for group, (left, top, width, height) in zip(groups, spans, strict=True):
        if x and x + width > shelf_width:
            x, y, shelf = 0.0, y + shelf, 0.0
        for name, box in group.items():
            placed[name] = Box(
                round(box.x - left + x + _GAP, 1), round(box.y - top + y + _GAP, 1), box.width, box.height
            )
        x, shelf = x + width, max(shelf, height)
    return placed


def names_by_node(edges: Iterable[tuple[str, str]], others: Iterable[str] = ()) -> dict[str, int]:
    """Every name that an edge or the plan mentions, with how many edges touch it, in order of appearance."""
    found: dict[str, int] = defaultdict(int)
    for name in others:
        found[name] += 0
    for source, target in edges:
        found[source] += 1
        if target != source:
            found[target] += 1
    return dict(found)
