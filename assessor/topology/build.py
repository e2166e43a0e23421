"""Rows become edges: the whole topology of an estate, from what its instances said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from assessor.collect.inventory import Inventory
from assessor.topology import (
    ad_hoc,
    availability,
    external_data_sources,
    job_steps,
    log_shipping,
    mirroring,
    multiserver,
)
from assessor.topology.ad_hoc import ad_hoc_edges
from assessor.topology.availability import ListenerIndex, availability_edges
from assessor.topology.dialling import dialled_text
from assessor.topology.edges import Edge, EdgeKind
from assessor.topology.external_data_sources import external_data_source_edges
from assessor.topology.job_steps import job_step_edges
from assessor.topology.left_out import LeftOut
from assessor.topology.linked_servers import linked_server_edges
from assessor.topology.log_shipping import log_shipping_edges
from assessor.topology.mirroring import mirroring_edges
from assessor.topology.multiserver import multiserver_edges
from assessor.topology.nodes import Node, NodeIndex
from assessor.topology.replication import partner_names, replication_edges
from assessor.topology.replication_pairs import ReplicationPair, replication_pairs


@dataclass(frozen=True, slots=True)
class Topology:
    """All connections that the instances of an estate open, and all servers they lead to."""

    edges: tuple[Edge, ...]  #: by source in the estate file's order, then in the order of :class:`EdgeKind`, then name
    nodes: tuple[Node, ...]  #: the estate's first, in its order; then whatever else an edge leads to, by name
    left_out: tuple[LeftOut, ...]  #: what hints at a connection that could not be drawn
    pairs: tuple[ReplicationPair, ...] = ()  #: whose versions must fit together at every step


def build_edges(inventories: Sequence[Inventory], addresses: Sequence[str]) -> Topology:
    """Draw every edge that ``inventories`` tell of; ``addresses`` are all of the estate file, in its order.

    An instance that could not be collected opens no edges that anybody could know of: its gap says so.
    """
    index = NodeIndex.build(inventories, addresses, _dialled_texts(inventories))
    position = {address: number for number, address in enumerate(index.estate)}
    in_order = sorted(inventories, key=lambda inventory: position[inventory.instance])
    linked = [edge for inventory in in_order for edge in linked_server_edges(inventory, index)]
    replicated, left_out = replication_edges(in_order, index)
    shipped, unseen_members = log_shipping_edges(in_order, index)
    grouped, contained = availability_edges(in_order, index)
    coded = [
        edge
        for inventory in in_order
        for find in (external_data_source_edges, ad_hoc_edges, job_step_edges)
        for edge in find(inventory, index)
    ]
    polled, unseen_targets = multiserver_edges(in_order, index)
    drawn = [*linked, *replicated, *shipped, *grouped, *mirroring_edges(in_order, index), *coded, *polled]
    listeners = ListenerIndex.build(in_order, index)
    by_address = {inventory.instance: inventory for inventory in in_order}
    widened = [listeners.widen(edge, by_address.get(edge.source)) for edge in drawn]
    kinds = list(EdgeKind)
    edges = sorted(widened, key=lambda edge: (position[edge.source], kinds.index(edge.kind), *_sort_key(edge)))
    return Topology(
        edges=tuple(_with_ids(edges)),
        nodes=_nodes(index, edges),
        left_out=(*left_out, *unseen_members, *contained, *unseen_targets),
        pairs=replication_pairs(in_order, index),
    )


def _nodes(index: NodeIndex, edges: Iterable[Edge]) -> tuple[Node, ...]:
    outside = sorted({edge.target for edge in edges} - set(index.estate))
    return *(Node(name, True) for name in index.estate), *(Node(name, False) for name in outside)


def _dialled_texts(inventories: Iterable[Inventory]) -> Iterator[str]:
    for inventory in inventories:
        yield from filter(None, map(dialled_text, inventory.linked_servers))
        yield from partner_names(inventory)
        for kind in (log_shipping, availability, mirroring, external_data_sources, ad_hoc, job_steps, multiserver):
            yield from kind.partner_names(inventory)


def _sort_key(edge: Edge) -> tuple[str, ...]:
    level = "" if edge.agent is None or edge.agent.level is None else str(edge.agent.level)
    return edge.name.lower(), edge.name, edge.role or "", edge.target.lower(), edge.target, level


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
