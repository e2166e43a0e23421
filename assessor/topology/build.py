"""Rows become edges: the whole topology of an estate, from what its instances said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from assessor.collect.inventory import Inventory
from assessor.topology.dialling import dialled_text
from assessor.topology.edges import Edge
from assessor.topology.linked_servers import linked_server_edges
from assessor.topology.nodes import Node, NodeIndex
from assessor.topology.replication import LeftOut, partner_names, replication_edges


@dataclass(frozen=True, slots=True)
class Topology:
    """All connections that the instances of an estate open, and all servers they lead to."""

    edges: tuple[Edge, ...]  #: by source in the estate file's order, linked servers before replication, then name
    nodes: tuple[Node, ...]  #: the estate's first, in its order; then whatever else an edge leads to, by name
    left_out: tuple[LeftOut, ...]  #: what hints at a connection that could not be drawn


def build_edges(inventories: Sequence[Inventory], addresses: Sequence[str]) -> Topology:
    """Draw every edge that ``inventories`` tell of; ``addresses`` are all of the estate file, in its order.

    An instance that could not be collected opens no edges that anybody could know of: its gap says so.
    """
    index = NodeIndex.build(inventories, addresses, _dialled_texts(inventories))
    position = {address: number for number, address in enumerate(index.estate)}
    in_order = sorted(inventories, key=lambda inventory: position[inventory.instance])
    linked = [edge for inventory in in_order for edge in linked_server_edges(inventory, index)]
    replicated, left_out = replication_edges(in_order, index)
    edges = sorted([*linked, *replicated], key=lambda edge: (position[edge.source], edge.kind, *_sort_key(edge)))
    return Topology(tuple(_with_ids(edges)), _nodes(index, edges), tuple(left_out))


def _nodes(index: NodeIndex, edges: Iterable[Edge]) -> tuple[Node, ...]:
    outside = sorted({edge.target for edge in edges} - set(index.estate))
    return *(Node(name, True) for name in index.estate), *(Node(name, False) for name in outside)


def _dialled_texts(inventories: Iterable[Inventory]) -> Iterator[str]:
    for inventory in inventories:
        yield from filter(None, map(dialled_text, inventory.linked_servers))
        yield from partner_names(inventory)


def _sort_key(edge: Edge) -> tuple[str, ...]:
    return edge.name.lower(), edge.name, edge.role or "", edge.target.lower(), edge.target


def _with_ids(edges: Iterable[Edge]) -> Iterator[Edge]:
    """Give each edge a readable id; edges whose names differ only in case are numbered in their sorted order."""
    times_used: dict[str, int] = defaultdict(int)
    for edge in edges:
        parts = [edge.kind, edge.source, *([edge.role] if edge.role else []), edge.name]
        slug = ":".join(_slug(part) for part in parts)
        times_used[slug] += 1
        yield replace(edge, id=slug if times_used[slug] == 1 else f"{slug}~{times_used[slug]}")


def _slug(part: str) -> str:
    return quote(part.lower(), safe=",", errors="surrogatepass").replace("~", "%7e").lower()
