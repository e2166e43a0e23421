"""Who publishes through whom to whom: the pairs whose versions must fit together at every step of an upgrade.

Unlike an edge, a pair has no direction of dialling and exists for a local distributor, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assessor.collect.inventory import Inventory
from assessor.topology.nodes import NodeIndex, local_host_of
from assessor.topology.replication import distributor_text, publishes


@dataclass(frozen=True, slots=True)
class ReplicationPair:
    """A publisher with its distributor, or with one of its subscribers; names are those of nodes."""

    publisher: str
    partner: str
    partner_is: str  #: ``distributor`` or ``subscriber``
    kind: str  #: ``transactional``, ``snapshot``, ``merge`` or ``peer_to_peer``; ``""``: not known, or a distributor
    is_updating: bool = False  #: immediate or queued updating
    detail: str = ""  #: publication


def replication_pairs(inventories: Sequence[Inventory], index: NodeIndex) -> tuple[ReplicationPair, ...]:
    """All pairs that any instance knows of, each once for each kind, publishers in the order of the estate."""
    collected = [inventory for inventory in inventories if inventory.identity is not None]
    kinds = {
        (inventory.instance, publication.database.lower(), publication.name.lower()): publication.kind
        for inventory in collected
        for publication in inventory.publications
    }
    found: dict[tuple[str, str, str, str, bool], ReplicationPair] = {}
    for inventory in collected:
        for pair in _told_by(inventory, index, kinds):
            key = (pair.publisher, pair.partner, pair.partner_is, pair.kind, pair.is_updating)
            found.setdefault(key, pair)
    return tuple(pair for pair in found.values() if not _is_vague(pair, found.values()))


def _is_vague(pair: ReplicationPair, others: Iterable[ReplicationPair]) -> bool:
    """The same two are known to be paired, and by what kind of publication."""
    return (
        pair.partner_is == "subscriber"
        and not pair.kind
        and any(
            (other.publisher, other.partner, other.partner_is) == (pair.publisher, pair.partner, pair.partner_is)
            and other.kind
            for other in others
        )
    )


def _told_by(
    inventory: Inventory, index: NodeIndex, kinds: dict[tuple[str, str, str], str]
) -> Iterator[ReplicationPair]:
    here, local_host = inventory.instance, local_host_of(inventory.instance, inventory)

    def node(name: str) -> str:
        return index.name_of_text(name, local_host)

    def kind(publisher: str, database: str, publication: str, is_merge: bool) -> str:
        return "merge" if is_merge else kinds.get((publisher, database.lower(), publication.lower()), "")

    distributor = distributor_text(inventory)
    if distributor and (inventory.publications or publishes(inventory)):
        yield ReplicationPair(here, node(distributor), "distributor", "")
    for sold in inventory.subscriptions:
        if sold.subscriber.strip():
            of_kind, detail = kind(here, sold.database, sold.publication, False), _text(sold.database, sold.publication)
            yield ReplicationPair(here, node(sold.subscriber), "subscriber", of_kind, detail=detail)
    for held in inventory.subscribers:
        publisher = node(held.publisher)
        of_kind = kind(publisher, held.publisher_database, held.publication, held.is_merge)
        is_updating = held.is_immediate_updating or held.is_queued
        detail = _text(held.publisher_database, held.publication)
        yield ReplicationPair(publisher, here, "subscriber", of_kind, is_updating, detail)
    for registered in inventory.publishers:
        if registered.is_active is not False:
            yield ReplicationPair(node(registered.name), here, "distributor", "")
    for served in inventory.distributed:
        if served.subscriber.strip():
            publisher = node(served.publisher)
            of_kind = kind(publisher, served.publisher_database, served.publication, served.is_merge)
            detail = _text(served.publisher_database, served.publication)
            yield ReplicationPair(publisher, node(served.subscriber), "subscriber", of_kind, detail=detail)


def _text(database: str, publication: str) -> str:
    return f"{database}: {publication}"
