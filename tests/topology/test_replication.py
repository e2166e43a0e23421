"""Replication: every conversation once, opened by the right end, and nothing dropped in silence."""

from __future__ import annotations

from typing import Any

import pytest

from assessor.collect.inventory import (
    DatabaseRoles,
    DistributedSubscription,
    Distributor,
    Gap,
    GapKind,
    Inventory,
    LinkedServer,
    Publication,
    Publisher,
    Subscriber,
    Subscription,
)
from assessor.probe.evidence import Endpoint
from assessor.topology.build import Topology, build_edges
from assessor.topology.edges import EdgeKind, ReplicationRole

from .inventories import identity, inventory, row

LINK, LOG, SNAPSHOT, DISTRIBUTION, MERGE, UPDATING = (
    ReplicationRole.DISTRIBUTOR_LINK,
    ReplicationRole.LOG_READER_AGENT,
    ReplicationRole.SNAPSHOT_AGENT,
    ReplicationRole.DISTRIBUTION_AGENT,
    ReplicationRole.MERGE_AGENT,
    ReplicationRole.IMMEDIATE_UPDATING,
)


def topology(*inventories: Inventory) -> Topology:
    return build_edges(inventories, [found.instance for found in inventories])


def lines(found: Topology) -> set[tuple[str, str | None, str]]:
    return {(edge.source, edge.role, edge.target) for edge in found.edges if edge.kind is EdgeKind.REPLICATION}


def publisher(
    kind: str = "transactional", *subscriptions: Subscription, distributor: str = "DIST01", **facts: Any
) -> Inventory:
    return inventory(
        "pub01",
        linked_servers=(
            row("repl_distributor", data_source=distributor, is_distributor=True, is_data_access_enabled=False),
        ),
        distributor=Distributor(distributor, "distribution"),
        databases=(DatabaseRoles("Sales", True, True, kind != "merge", kind == "merge", False),),
        publications=(Publication("Sales", "Orders", kind, None),),
        subscriptions=subscriptions,
        **facts,
    )


def subscription(subscriber: str = "SUB01", *, is_push: bool = True, database: str = "SalesCopy") -> Subscription:
    return Subscription("Sales", "Orders", subscriber, database, is_push)


def subscriber(*, is_push: bool, is_immediate_updating: bool = False, **facts: Any) -> Inventory:
    held = Subscriber("SalesCopy", "PUB01", "Sales", "Orders", is_push, is_immediate_updating)
    return inventory("sub01", subscribers=(held,), **facts)


DIST = inventory("dist01", publishers=(Publisher("PUB01", "distribution", True),))


def test_a_remote_distributor_is_linked_from_the_publisher_and_its_log_reader_calls_back() -> None:
    found = topology(publisher(), DIST)
    assert lines(found) == {("pub01", LINK, "dist01"), ("dist01", LOG, "pub01")}
    assert found.left_out == ()
    link = next(edge for edge in found.edges if edge.role is LINK)
    assert (link.name, link.endpoint, link.provider) == ("DIST01", Endpoint("dist01", 1433), "SQLNCLI11")
    assert link.options is not None
    assert "Sales: Orders" in link.detail


def test_a_local_distributor_is_no_edge() -> None:
    assert lines(topology(publisher(distributor="PUB01"))) == set()


def test_a_push_subscription_is_dialled_by_the_distributor_a_pull_subscription_by_the_subscriber() -> None:
    push = topology(publisher("transactional", subscription()), DIST, subscriber(is_push=True))
    assert ("dist01", DISTRIBUTION, "sub01") in lines(push)
    pull = topology(publisher("transactional", subscription(is_push=False)), DIST, subscriber(is_push=False))
    assert ("sub01", DISTRIBUTION, "dist01") in lines(pull)
    assert len(lines(push)) == len(lines(pull)) == 3
    assert len(push.edges) == len(pull.edges) == 3, "seen from three instances, and still one edge each"


def test_with_a_local_distributor_the_publisher_pushes_and_the_subscriber_pulls() -> None:
    push = publisher("transactional", subscription(), distributor="PUB01")
    assert lines(topology(push, subscriber(is_push=True))) == {("pub01", DISTRIBUTION, "sub01")}
    pull = publisher("transactional", subscription(is_push=False), distributor="PUB01")
    assert lines(topology(pull, subscriber(is_push=False))) == {("sub01", DISTRIBUTION, "pub01")}


def test_merge_agents_call_the_publisher_too() -> None:
    push = lines(topology(publisher("merge", subscription()), DIST, subscriber(is_push=True)))
    assert push == {
        ("pub01", LINK, "dist01"),
        ("dist01", SNAPSHOT, "pub01"),
        ("dist01", MERGE, "pub01"),
        ("dist01", MERGE, "sub01"),
    }
    pull = lines(topology(publisher("merge", subscription(is_push=False)), DIST, subscriber(is_push=False)))
    assert pull == {
        ("pub01", LINK, "dist01"),
        ("dist01", SNAPSHOT, "pub01"),
        ("sub01", MERGE, "pub01"),
        ("sub01", MERGE, "dist01"),
    }


def test_the_publishers_own_row_among_merge_subscriptions_is_no_edge() -> None:
    own = subscription("PUB01", database="Sales")
    assert lines(topology(publisher("merge", own), DIST)) == {("pub01", LINK, "dist01"), ("dist01", SNAPSHOT, "pub01")}


def test_immediate_updating_uses_the_subscribers_linked_server() -> None:
    updating = subscriber(
        is_push=True,
        is_immediate_updating=True,
        linked_servers=(
            row(
                "PUB01",
                data_source="pub01.corp.example",
                provider_string="Encrypt=yes",
                is_publisher=True,
                is_data_access_enabled=False,
            ),
        ),
    )
    found = topology(publisher("transactional", subscription()), DIST, updating)
    edge = next(edge for edge in found.edges if edge.role is UPDATING)
    assert (edge.source, edge.target, edge.name, edge.endpoint) == (
        "sub01",
        "pub01",
        "PUB01",
        Endpoint("pub01.corp.example", 1433),
    )
    assert edge.options is not None
    assert edge.options.encrypt_word == "yes"


def test_an_agents_options_are_unknown_and_say_why() -> None:
    found = topology(publisher("transactional", subscription()), DIST)
    agents = [edge for edge in found.edges if edge.role in (LOG, DISTRIBUTION)]
    assert len(agents) == 2
    assert all(edge.options is None and "EncryptionLevel" in (edge.options_gap or "") for edge in agents)
    assert all(edge.provider is None for edge in agents)


def test_partners_are_dialled_by_the_name_that_replication_uses() -> None:
    named = publisher("transactional", subscription("SUB01\\REPORT"), distributor="dist01.corp.example,1440")
    endpoints = {
        edge.role: edge.endpoint
        for edge in topology(named, inventory("dist01,1440", identity=identity("DIST01"))).edges
    }
    assert endpoints == {
        LINK: Endpoint("dist01.corp.example", 1440),
        LOG: Endpoint("pub01", 1433),
        DISTRIBUTION: Endpoint("sub01", None, "report"),
    }


def test_an_edge_from_outside_the_estate_is_left_out_aloud() -> None:
    found = topology(publisher("transactional", subscription(), subscription("SUB02", is_push=False)))
    assert lines(found) == {("pub01", LINK, "DIST01")}
    assert {(left.seen_at, left.name) for left in found.left_out} == {
        ("pub01", "PUB01"),
        ("pub01", "SUB01"),
        ("pub01", "DIST01"),
    }
    assert all("not in the estate" in left.reason for left in found.left_out)


def test_a_publisher_whose_distributor_is_unknown_says_so() -> None:
    blind = inventory(
        "pub01",
        databases=(DatabaseRoles("Sales", True, True, True, False, False),),
        gaps=(Gap("distributor", GapKind.REFUSED, "EXECUTE was denied.", "the distributor"),),
    )
    found = topology(blind)
    assert found.edges == ()
    assert "EXECUTE was denied" in found.left_out[0].reason


def test_a_subscriber_alone_tells_that_its_distributor_is_unknown() -> None:
    for is_push in (True, False):
        found = topology(subscriber(is_push=is_push))
        assert found.edges == ()
        assert [(left.seen_at, left.name) for left in found.left_out] == [("sub01", "PUB01")]


def test_a_distributor_alone_stands_in_for_its_publisher() -> None:
    dead = Inventory("pub01")
    found = topology(DIST, dead, subscriber(is_push=False))
    assert lines(found) == {("dist01", LOG, "pub01"), ("pub01", LINK, "dist01"), ("sub01", DISTRIBUTION, "dist01")}


def test_an_entry_for_replication_is_reported_only_when_nothing_accounts_for_it() -> None:
    def entry(name: str) -> LinkedServer:
        return row(name, is_subscriber=True, is_data_access_enabled=False)

    repl = row("repl_distributor", data_source="DIST01", is_distributor=True)
    found = topology(
        inventory(
            "pub01",
            linked_servers=(repl, entry("SUB01"), entry("GONE01")),
            publications=(Publication("Sales", "Orders", "transactional", None),),
            subscriptions=(subscription(),),
        ),
        DIST,
    )
    assert [left.name for left in found.left_out] == ["GONE01"]


def test_a_pull_subscriber_dials_the_distributor_that_it_names_itself() -> None:
    held = Subscriber("SalesCopy", "PUB01", "Sales", "Orders", False, False, distributor="dist01.corp.example")
    found = topology(
        publisher("transactional", subscription(is_push=False)), DIST, inventory("sub01", subscribers=(held,))
    )
    (edge,) = [edge for edge in found.edges if edge.role is DISTRIBUTION]
    assert (edge.source, edge.name, edge.target) == ("sub01", "dist01.corp.example", "dist01")


def test_a_merge_subscriber_alone_still_draws_both_of_its_conversations() -> None:
    held = Subscriber("SalesCopy", "PUB01", "Sales", "Orders", False, False, is_merge=True, distributor="DIST01")
    assert lines(topology(inventory("sub01", subscribers=(held,)))) == {
        ("sub01", MERGE, "PUB01"),
        ("sub01", MERGE, "DIST01"),
    }


def test_what_a_distributor_serves_is_drawn_where_the_publisher_cannot_be_asked() -> None:
    def served(subscriber: str, *, is_push: bool, is_merge: bool = False) -> DistributedSubscription:
        return DistributedSubscription(
            "distribution", "PUB01", "Sales", "Orders", subscriber, "Copy", is_push, is_merge
        )

    dist = inventory(
        "dist01",
        publishers=(Publisher("PUB01", "distribution", True),),
        distributed=(
            served("SUB01", is_push=True),
            served("SUB02", is_push=False),
            served("SUB02", is_push=False, is_merge=True),
        ),
    )
    found = topology(dist, inventory("sub01"), inventory("sub02"))
    assert lines(found) == {
        ("dist01", LOG, "PUB01"),
        ("dist01", DISTRIBUTION, "sub01"),
        ("sub02", DISTRIBUTION, "dist01"),
        ("sub02", MERGE, "dist01"),
        ("sub02", MERGE, "PUB01"),
    }
    assert [left.name for left in found.left_out] == ["DIST01"], "PUB01 opens its hidden link from outside the estate"


def test_an_inactive_publisher_is_left_out_aloud() -> None:
    old = inventory("dist01", publishers=(Publisher("GONE01", None, False),))
    found = topology(old)
    assert found.edges == ()
    assert "inactive" in found.left_out[0].reason


def test_published_databases_whose_publications_cannot_be_read_still_have_a_log_reader() -> None:
    blind = inventory(
        "pub01",
        distributor=Distributor("DIST01", None),
        databases=(DatabaseRoles("Sales", True, True, True, False, False),),
    )
    found = topology(blind, DIST)
    assert lines(found) == {("pub01", LINK, "dist01"), ("dist01", LOG, "pub01")}
    link = next(edge for edge in found.edges if edge.role is LINK)
    assert link.options is None
    assert "repl_distributor" in (link.options_gap or "")
    assert "not known" in next(edge for edge in found.edges if edge.role is LOG).detail


def test_many_publications_to_one_subscriber_are_one_edge_that_lists_them() -> None:
    both = inventory(
        "pub01",
        distributor=Distributor("DIST01", None),
        publications=(
            Publication("Sales", "Orders", "transactional", None),
            Publication("HR", "People", "transactional", None),
        ),
        subscriptions=(subscription(), Subscription("HR", "People", "sub01", "HRCopy", True)),
    )
    edge = next(edge for edge in topology(both, DIST).edges if edge.role is DISTRIBUTION)
    assert edge.detail == "Sales: Orders; HR: People"


def test_a_subscriber_dialled_by_two_names_is_two_edges() -> None:
    both = publisher("transactional", subscription("SUB01"), subscription("sub01.corp.example"))
    found = topology(both, DIST, inventory("sub01"))
    assert sorted(edge.name for edge in found.edges if edge.role is DISTRIBUTION) == ["SUB01", "sub01.corp.example"]
    assert len({edge.id for edge in found.edges}) == len(found.edges)


def test_a_subscriber_of_another_make_is_not_probed() -> None:
    oracle = row(
        "ORA01", provider="OraOLEDB.Oracle", is_subscriber=True, is_nonsql_subscriber=True, is_data_access_enabled=False
    )
    repl = row("repl_distributor", data_source="DIST01", is_distributor=True)
    found = topology(
        inventory(
            "pub01",
            linked_servers=(oracle, repl),
            publications=(Publication("Sales", "Orders", "transactional", None),),
            subscriptions=(subscription("ORA01"),),
        ),
        DIST,
    )
    edge = next(edge for edge in found.edges if edge.role is DISTRIBUTION)
    assert (edge.endpoint, edge.provider) == (None, "OraOLEDB.Oracle")
    assert edge.endpoint_gap


def test_either_end_in_an_availability_group_marks_the_hidden_link() -> None:
    for at_publisher, at_distributor in ((True, None), (False, True)):
        found = topology(
            publisher(in_availability_group=at_publisher), inventory("dist01", in_availability_group=at_distributor)
        )
        assert next(edge for edge in found.edges if edge.role is LINK).in_availability_group
    assert not next(edge for edge in topology(publisher(), DIST).edges if edge.role is LINK).in_availability_group


@pytest.mark.parametrize("name", ["sub01:1433", "", "   ", "a\nb", '=HYPERLINK("x")'])
def test_a_partner_name_that_cannot_be_dialled_is_an_edge_with_a_reason_or_no_subscriber(name: str) -> None:
    found = [
        edge
        for edge in topology(publisher("transactional", subscription(name)), DIST).edges
        if edge.role is DISTRIBUTION
    ]
    if name.strip():
        (edge,) = found
        assert (edge.name, edge.dialled) == (name, None)
        assert edge.endpoint_gap
    else:
        assert found == []


def test_a_server_that_pushes_to_itself_is_no_edge() -> None:
    found = topology(publisher("transactional", subscription("DIST01"), subscription("DIST01", is_push=False)), DIST)
    assert lines(found) == {("pub01", LINK, "dist01"), ("dist01", LOG, "pub01")}
    assert found.left_out == ()
