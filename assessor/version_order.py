"""Which versions replication allows side by side, and so which order of upgrades it allows: rules RP-03 to RP-05.

Pure. Source: replication-backward-compatibility.md and upgrade-replicated-databases.md, both 2025-02-26. The matrix of the
first stops at distributor 2022 for publishers of 2017 and older although its prose allows 2025: that is rule RP-05, and
counted as a break, for nobody has published that it is supported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from assessor.judge.facts import UPGRADED_MAJOR
from assessor.snapshot import Snapshot
from assessor.topology.edges import ReplicationRole
from assessor.topology.nodes import NodeIndex, local_host_of

#: Major versions in the order in which Microsoft counts "two versions apart".
_VERSIONS = (9, 10, 11, 12, 13, 14, 15, 16, 17)
#: Publishers of this version and older are not in the published matrix with a distributor on 2025.
_LAST_OUTSIDE_MATRIX = 14


class PairKind(StrEnum):
    """How two instances replicate with each other."""

    DISTRIBUTOR = "distributor"  #: ``other`` distributes for ``publisher``
    SUBSCRIBER = "subscriber"  #: ``other`` subscribes to a transactional or snapshot publication
    MERGE_SUBSCRIBER = "merge_subscriber"


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two instances whose versions must fit."""

    publisher: str
    other: str
    kind: PairKind


@dataclass(frozen=True, slots=True, order=True)
class Misfit:
    """A pair whose versions are not supported side by side, and the rule that says so."""

    pair: Pair
    rule: str
    why: str


def replication_pairs(snapshot: Snapshot) -> tuple[Pair, ...]:
    """Every publisher with its distributor and each of its subscribers, as far as the inventories tell."""
    return tuple(sorted(pair for pair in set(_pairs(snapshot)) if pair.publisher != pair.other))


def _pairs(snapshot: Snapshot) -> Iterator[Pair]:
    for edge in snapshot.edges:
        if edge.role is ReplicationRole.DISTRIBUTOR_LINK:
            yield Pair(edge.source, edge.target, PairKind.DISTRIBUTOR)
        elif edge.role in (ReplicationRole.LOG_READER_AGENT, ReplicationRole.SNAPSHOT_AGENT):
            yield Pair(edge.target, edge.source, PairKind.DISTRIBUTOR)
    index = NodeIndex.build(snapshot.inventories, [each.address for each in snapshot.estate.instances], [])
    for inventory in snapshot.inventories:
        here = local_host_of(inventory.instance, inventory)
        merged = {(each.database, each.name) for each in inventory.publications if each.kind == "merge"}
        for sold in inventory.subscriptions:
            if sold.subscriber.strip():
                is_merge = (sold.database, sold.publication) in merged
                yield _subscription(inventory.instance, index.name_of_text(sold.subscriber, here), is_merge)
        for held in inventory.subscribers:
            yield _subscription(index.name_of_text(held.publisher, here), inventory.instance, held.is_merge)
        for served in inventory.distributed:
            publisher = index.name_of_text(served.publisher, here)
            yield _subscription(publisher, index.name_of_text(served.subscriber, here), served.is_merge)


def _subscription(publisher: str, subscriber: str, is_merge: bool) -> Pair:
    return Pair(publisher, subscriber, PairKind.MERGE_SUBSCRIBER if is_merge else PairKind.SUBSCRIBER)


def versions_of(snapshot: Snapshot) -> dict[str, int]:
    """The major version of each instance that was read."""
    return {
        inventory.instance: inventory.identity.major_version
        for inventory in snapshot.inventories
        if inventory.identity is not None
    }


def misfits(pairs: Collection[Pair], versions: Mapping[str, int], upgraded: Collection[str]) -> frozenset[Misfit]:
    """The pairs that do not fit once ``upgraded`` are on SQL Server 2025. A pair of unknown version is not among them."""
    found = set()
    for pair in pairs:
        publisher, other = (_version(name, versions, upgraded) for name in (pair.publisher, pair.other))
        if publisher is None or other is None:
            continue
        reason = _reason(pair.kind, publisher, other)
        if reason is not None:
            found.add(Misfit(pair, *reason))
    return frozenset(found)


def _version(name: str, versions: Mapping[str, int], upgraded: Collection[str]) -> int | None:
    if name in upgraded:
        return UPGRADED_MAJOR
    return versions.get(name)


def _reason(kind: PairKind, publisher: int, other: int) -> tuple[str, str] | None:
    match kind:
        case PairKind.DISTRIBUTOR if publisher > other:
            return "RP-03", "the publisher would be newer than its distributor"
        case PairKind.DISTRIBUTOR if other >= UPGRADED_MAJOR and publisher <= _LAST_OUTSIDE_MATRIX:
            return "RP-05", "a distributor on 2025 with a publisher of 2017 or older is outside the published matrix"
        case PairKind.SUBSCRIBER if abs(_place(publisher) - _place(other)) > 2:
            return "RP-04", "publisher and subscriber would be more than two versions apart"
        case PairKind.MERGE_SUBSCRIBER if other > publisher:
            return "RP-04", "the merge subscriber would be newer than its publisher"
    return None


def _place(major: int) -> int:
    return _VERSIONS.index(major) if major in _VERSIONS else major
