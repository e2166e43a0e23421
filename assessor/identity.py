r"""Which names of two runs mean one server, and which edges of two runs are one edge.

Between two runs somebody tidies the estate file: ``SALES01`` becomes ``tcp:sales01.corp.example,1433``. That changes
the ids of edges, and must not make them look gone and new. The rules are those that draw the topology
(:mod:`assessor.topology.nodes`), asked with the names of both runs: case, prefix, default port, short name and FQDN where
the short name leads to one FQDN only, and whatever the instance says of itself. In doubt two names stay two servers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from assessor.collect.inventory import Inventory
from assessor.snapshot import AssessedEdge, Snapshot
from assessor.topology.edges import EdgeKind
from assessor.topology.nodes import NodeIndex, local_host_of

#: What two records of one edge have in common; ``None`` where that can't be told.
_Key = Callable[[AssessedEdge], tuple[str, ...] | None]

_FEWEST_PARTS: Final = 2  #: of an id: what it is, the server, and mostly more


@dataclass(frozen=True, slots=True)
class Servers:
    """Every server that some runs speak of, under one name each."""

    _index: NodeIndex
    _inventories: Mapping[str, Inventory]  #: by address, the newest that says who the instance is

    @classmethod
    def of(cls, *snapshots: Snapshot) -> Servers:
        """Learn all names; the newest run comes last, and its spelling of an address is the one that is kept."""
        known: dict[str, Inventory] = {}
        for snapshot in snapshots:
            for inventory in snapshot.inventories:
                if inventory.identity is not None or inventory.instance not in known:
                    known[inventory.instance] = inventory
        addresses = [planned.address for snapshot in reversed(snapshots) for planned in snapshot.estate.instances]
        return cls(NodeIndex.build(tuple(known.values()), addresses, _dialled(snapshots)), known)

    def name_of(self, address: str) -> str:
        """The one name of the server at an address of an estate file, or at an endpoint by its id."""
        local_host = local_host_of(address, self._inventories.get(address))
        return self._index.name_of_text(address, local_host)

    def matching_id(self, subject: str) -> tuple[str, ...]:
        """What two ids of an edge or an action have in common when they only spell its server differently.

        Both kinds of id are made of what it is, the server and more, each quoted, with colons between.
        """
        parts = subject.lower().split(":")
        if len(parts) < _FEWEST_PARTS:
            return (subject.lower(),)
        what, server, *others = parts
        return (what, self.name_of(unquote(server)).lower(), *others)


def _dialled(snapshots: Iterable[Snapshot]) -> Iterator[str]:
    for snapshot in snapshots:
        for edge in snapshot.edges:
            yield edge.target
            if edge.data_source is not None:
                yield edge.data_source


@dataclass(frozen=True, slots=True)
class EdgePairs:
    """The edges of two runs, matched."""

    both: tuple[tuple[AssessedEdge, AssessedEdge], ...]  #: older and newer record of one edge
    only_old: tuple[AssessedEdge, ...]
    only_new: tuple[AssessedEdge, ...]


def pair_edges(old: Sequence[AssessedEdge], new: Sequence[AssessedEdge], servers: Servers) -> EdgePairs:
    """Match by kind, role, source and name; what is left, and is named after a server, by the server it leads to."""
    both: list[tuple[AssessedEdge, AssessedEdge]] = []
    olds, news = list(old), list(new)

    def pair_up(key: _Key) -> None:
        nonlocal olds, news
        grouped: dict[tuple[str, ...], list[AssessedEdge]] = defaultdict(list)
        for edge in olds:
            if (found := key(edge)) is not None:
                grouped[found].append(edge)
        left = []
        for edge in news:
            found = key(edge)
            candidates = grouped.get(found, []) if found is not None else []
            if not candidates:
                left.append(edge)
                continue
            target = servers.name_of(edge.target)
            match = min(candidates, key=lambda candidate: servers.name_of(candidate.target) != target)
            candidates.remove(match)
            both.append((match, edge))
        taken = {id(older) for older, _ in both}
        olds, news = [edge for edge in olds if id(edge) not in taken], left

    def by_id(edge: AssessedEdge) -> tuple[str, ...]:
        return (edge.id, edge.name)  # names that differ only in case are told apart by a number, which may move on

    def by_exact_name(edge: AssessedEdge) -> tuple[str, ...]:
        return (edge.kind, edge.role or "", servers.name_of(edge.source), edge.name)

    def by_name(edge: AssessedEdge) -> tuple[str, ...]:
        return (edge.kind, edge.role or "", servers.name_of(edge.source), edge.name.lower())

    def by_target(edge: AssessedEdge) -> tuple[str, ...] | None:
        if edge.kind is EdgeKind.LINKED_SERVER:  # T-SQL calls it by its name: another name is another definition
            return None
        return (edge.kind, edge.role or "", servers.name_of(edge.source), servers.name_of(edge.target))

    pair_up(by_id)
    pair_up(by_exact_name)
    pair_up(by_name)
    pair_up(_only_where_unique(by_target, olds, news))
    return EdgePairs(tuple(both), tuple(olds), tuple(news))


def _only_where_unique(key: _Key, *runs: Iterable[AssessedEdge]) -> _Key:
    """``key``, but ``None`` where several edges of one run share it: which is which would be a guess."""
    counts = [Counter(map(key, edges)) for edges in runs]

    def unique(edge: AssessedEdge) -> tuple[str, ...] | None:
        found = key(edge)
        return None if any(count[found] > 1 for count in counts) else found

    return unique
