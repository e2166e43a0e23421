"""Which replicating instances stop to fit each other as instances are upgraded one after the other: rules RP-03 to RP-05.

Pure. Who replicates with whom is :mod:`assessor.topology.replication_pairs`, and which versions fit is
:func:`assessor.judge.replication_order.broken_rule`; this module asks both at every step of an order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from assessor.judge.facts import UPGRADED_MAJOR
from assessor.judge.replication_order import (
    broken_rule,
    versions_read,
    versions_seen,
    why_broken,
    without_managed_instances,
)
from assessor.snapshot import Snapshot
from assessor.topology.build import build_edges
from assessor.topology.replication_pairs import ReplicationPair


@dataclass(frozen=True, slots=True, order=True)
class Misfit:
    """Two instances whose versions are not supported side by side, and the rule that says so."""

    publisher: str
    partner: str
    partner_is: str  #: as in :class:`ReplicationPair`
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Replicating:
    """The pairs of an estate whose versions must fit, and the major versions that are known, by node."""

    pairs: tuple[ReplicationPair, ...]
    versions: Mapping[str, int]


def replicating(snapshot: Snapshot) -> Replicating:
    """What a snapshot's inventories and evidence tell. A server that distributes for itself is no pair."""
    topology = build_edges(snapshot.inventories, [each.address for each in snapshot.estate.instances])
    inventories = {each.instance: each for each in snapshot.inventories}
    evidence = {each.evidence.endpoint.id: each.evidence for each in snapshot.endpoints}
    return Replicating(
        pairs=tuple(
            pair for pair in without_managed_instances(topology.pairs, inventories) if pair.publisher != pair.partner
        ),
        versions=versions_seen(topology.edges, evidence) | versions_read(inventories),
    )


def misfits(
    pairs: Collection[ReplicationPair], versions: Mapping[str, int], upgraded: Collection[str]
) -> frozenset[Misfit]:
    """The pairs that do not fit once ``upgraded`` are on SQL Server 2025. A pair of unknown version is not among them."""
    found = set()
    for pair in pairs:
        publisher, partner = (_version(name, versions, upgraded) for name in (pair.publisher, pair.partner))
        if publisher is None or partner is None:
            continue
        rule = broken_rule(pair.partner_is, pair.kind, publisher, partner)
        if rule is not None:
            found.add(Misfit(pair.publisher, pair.partner, pair.partner_is, rule, why_broken(rule, pair.kind)))
    return frozenset(found)


def _version(name: str, versions: Mapping[str, int], upgraded: Collection[str]) -> int | None:
    known = versions.get(name)
    return max(known or UPGRADED_MAJOR, UPGRADED_MAJOR) if name in upgraded else known
