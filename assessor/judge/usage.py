"""The blast radius: what uses a linked server, and whether everything was searched."""

from __future__ import annotations

from assessor.collect.inventory import Inventory, Usage
from assessor.topology.edges import Edge, EdgeKind

#: Where uses are found; a gap of one of them means that there may be more.
_SEARCHED = ("databases", "module_texts", "remote_synonyms", "job_steps", "connection")


def usages_of(edge: Edge, source: Inventory) -> tuple[tuple[Usage, ...], bool | None]:
    """What uses the linked server behind ``edge``, the last used first, and whether that is known to be all.

    Other kinds of edge have nothing that uses them: they are the use. Then the second value is ``None``.
    """
    if edge.kind is not EdgeKind.LINKED_SERVER:
        return (), None
    name = edge.name.casefold()
    found = (usage for usage in source.usages if usage.server.casefold() == name)
    is_whole = not any(source.lacks(query) for query in _SEARCHED)
    return tuple(sorted(found, key=_order)), is_whole


def _order(usage: Usage) -> tuple[float, str, str, str]:
    # The server's local time, without a zone: only the order of one server's own times counts.
    last = usage.last_used
    age = -float(last.toordinal() * 86_400 + last.hour * 3600 + last.minute * 60 + last.second) if last else 0.0
    return age, usage.kind, usage.database or "", usage.name
