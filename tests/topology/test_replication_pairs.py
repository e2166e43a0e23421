"""Who publishes through whom to whom, by what any of them tells."""

from __future__ import annotations

from assessor.collect.inventory import DatabaseRoles, DistributedSubscription, Distributor, Inventory, Publication
from assessor.topology.build import build_edges
from assessor.topology.replication_pairs import ReplicationPair
from tests.topology.inventories import inventory

PUBLISHED = DatabaseRoles("Sales", True, True, True, False, False)
ORDERS = Publication("Sales", "Orders", "transactional", None)


def pairs(*inventories: Inventory) -> list[tuple[str, str, str, str]]:
    found: tuple[ReplicationPair, ...] = build_edges(inventories, ["pub", "dist", "sub"]).pairs
    return [(pair.publisher, pair.partner, pair.partner_is, pair.kind) for pair in found]


def test_a_publisher_and_its_distributor_are_a_pair() -> None:
    publisher = inventory("pub", distributor=Distributor("dist", "distribution"), publications=(ORDERS,))
    assert pairs(publisher) == [("pub", "dist", "distributor", "")]


def test_they_are_a_pair_although_the_publications_could_not_be_read() -> None:
    publisher = inventory("pub", distributor=Distributor("dist", "distribution"), databases=(PUBLISHED,))
    assert pairs(publisher) == [("pub", "dist", "distributor", "")]


def test_a_distributor_that_nothing_is_published_through_makes_no_pair() -> None:
    assert pairs(inventory("pub", distributor=Distributor("dist", "distribution"))) == []


def test_what_the_distributor_says_is_known_by_the_kind_that_the_publisher_says() -> None:
    publisher = inventory("pub", publications=(ORDERS,))
    served = DistributedSubscription("distribution", "pub", "Sales", "Orders", "sub", "Copy", True, False)
    assert pairs(publisher, inventory("dist", distributed=(served,))) == [("pub", "sub", "subscriber", "transactional")]
