"""Reads a target list: one target a line, as ``assessor probe-list`` writes it."""

from __future__ import annotations

from assessor.errors import UsageError

_LONGEST_LINE = 1000


def read_targets(text: str, shown: str) -> tuple[str, ...]:
    """The targets of a list, each once; ``#`` begins a comment. Raises :class:`~assessor.errors.UsageError`."""
    found: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        target = line.partition("#")[0].strip().lstrip("\ufeff")
        if len(target) > _LONGEST_LINE:
            raise UsageError(f"{shown}, line {number}: is no target; write one server a line, such as sql01,1433.")
        if target:
            found.append(target)
    if not found:
        raise UsageError(f"{shown} names no target; write one server a line, such as sql01,1433.")
    return tuple(dict.fromkeys(found))
