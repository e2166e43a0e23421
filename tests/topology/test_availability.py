"""Availability groups and mirroring: which names are listeners, and what else an edge that dials one must reach."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assessor.collect.inventory import (
    AvailabilityGroup,
    AvailabilityListener,
    AvailabilityReplica,
    Gap,
    GapKind,
    Inventory,
    MirroredDatabase,
)
from assessor.probe.evidence import Endpoint
from assessor.topology.build import Topology, build_edges
from assessor.topology.edges import AvailabilityRole, Edge, EdgeKind

from .inventories import identity, inventory, row

GROUP = AvailabilityGroup(
    name="AG1",
    cluster_type="WSFC",
    replicas=(
        AvailabilityReplica("NODE1", "TCP://node1.corp.example:5022", "TCP://node1.corp.example:1433"),
        AvailabilityReplica("NODE2", "TCP://node2.corp.example:5022", "TCP://node2.corp.example:1450"),
    ),
    listeners=(AvailabilityListener("AGLIST", 1433),),
    read_only_routed=("NODE2",),
)


def topology(*inventories: Inventory) -> Topology:
    return build_edges(inventories, [each.instance for each in inventories])


def node(name: str = "node1", group: AvailabilityGroup | None = GROUP, **facts: Any) -> Inventory:
    return inventory(
        f"{name}.corp.example",
        identity=identity(name.upper(), domain="corp.example", **facts.pop("identity", {})),
        in_availability_group=True,
        availability_groups=(group,) if group else (),
        **facts,
    )


def dialling(data_source: str, provider_string: str | None = None) -> Inventory:
    link = row("LINK", data_source=data_source, provider_string=provider_string)
    return inventory("src.corp.example", linked_servers=(link,))


def edge_of(found: Topology) -> Edge:
    return next(edge for edge in found.edges if edge.kind is EdgeKind.LINKED_SERVER)


# --- listeners ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["AGLIST", "aglist.corp.example", "tcp:aglist.corp.example,1433", "aglist.CORP.example."]
)
def test_a_listener_leads_to_every_replica_under_the_name_that_is_dialled(name: str) -> None:
    edge = edge_of(topology(dialling(name), node("node1"), node("node2")))
    assert {each.endpoint for each in edge.also} == {
        Endpoint("node1.corp.example", 1433),
        Endpoint("node2.corp.example", 1433),
    }
    assert edge.dialled is not None
    assert {each.host for each in edge.also} == {edge.dialled.host}
    assert "replica NODE1, replica NODE2" in edge.detail
    assert set(edge.also_endpoints) == {each.endpoint for each in edge.also}


def test_one_replica_in_the_estate_is_enough_to_know_the_listener() -> None:
    edge = edge_of(topology(dialling("AGLIST"), node("node1")))
    assert {each.who for each in edge.also} == {"replica NODE1", "replica NODE2"}
    assert Endpoint("node2", 1433) in edge.also_endpoints


@pytest.mark.parametrize("name", ["aglist.other.example", "aglist2", "node1.corp.example", "10.0.0.5"])
def test_another_name_is_no_listener(name: str) -> None:
    assert edge_of(topology(dialling(name), node("node1"), node("node2"))).also == ()


def test_a_listener_of_a_named_instance_leads_to_the_instances_of_the_replicas() -> None:
    group = replace(GROUP, replicas=(AvailabilityReplica("NODE1\\SALES"),))
    edge = edge_of(topology(dialling("AGLIST"), node("node3", group)))
    assert edge.also_endpoints == (Endpoint("node1", None, "sales"),)


def test_a_read_only_session_is_sent_to_the_host_in_the_url_under_that_name() -> None:
    edge = edge_of(topology(dialling("AGLIST", "ApplicationIntent=ReadOnly"), node("node1"), node("node2")))
    (routed,) = [each for each in edge.also if each.who.startswith("read-only")]
    assert (routed.host, routed.endpoint) == ("node2.corp.example", Endpoint("node2.corp.example", 1450))


def test_a_routing_url_that_is_none_is_a_gap_and_not_dropped() -> None:
    group = replace(GROUP, replicas=(AvailabilityReplica("NODE2", None, "node2"),))
    edge = edge_of(topology(dialling("AGLIST", "ApplicationIntent=ReadOnly"), node("node1", group)))
    routed = next(each for each in edge.also if each.who.startswith("read-only"))
    assert routed.endpoint is None
    assert routed.gap is not None


def test_a_group_whose_replicas_could_not_be_seen_leaves_the_rest_unknown() -> None:
    edge = edge_of(topology(dialling("AGLIST"), node("node1", replace(GROUP, replicas=()))))
    assert [each.endpoint for each in edge.also] == [None]


def test_where_listeners_are_hidden_a_strange_name_in_the_domain_may_be_one() -> None:
    hidden = Gap("availability_listeners", GapKind.HIDDEN, "no rows", "x")
    blind = node("node1", None, gaps=(hidden,))
    doubtful = edge_of(topology(dialling("aglist.corp.example"), blind))
    assert [each.endpoint for each in doubtful.also] == [None]
    assert edge_of(topology(dialling("aglist.other.example"), blind)).also == ()
    assert edge_of(topology(dialling("node1.corp.example"), blind)).also == ()


def test_an_instance_without_groups_hides_no_listener() -> None:
    hidden = Gap("availability_listeners", GapKind.HIDDEN, "no rows", "x")
    plain = replace(node("node1", None, gaps=(hidden,)), in_availability_group=False)
    assert edge_of(topology(dialling("aglist.corp.example"), plain)).also == ()


def test_a_failover_partner_is_a_second_name_on_a_second_server() -> None:
    edge = edge_of(topology(dialling("sql01", "FailoverPartner=sql02\\OLD;Encrypt=yes")))
    (partner,) = edge.also
    assert (partner.host, partner.endpoint) == ("sql02", Endpoint("sql02", None, "old"))


# --- the cluster, data movement -----------------------------------------------------------------------------


def roles(found: Topology, role: AvailabilityRole) -> list[Edge]:
    return [edge for edge in found.edges if edge.role is role]


def test_the_cluster_connects_to_each_replica_on_its_own_node() -> None:
    found = topology(node("node1"), node("node2"))
    edges = roles(found, AvailabilityRole.CLUSTER_CONNECTION)
    assert [(edge.source, edge.target, edge.endpoint) for edge in edges] == [
        ("node1.corp.example", "node1.corp.example", None),
        ("node2.corp.example", "node2.corp.example", None),
    ]


def test_options_of_the_cluster_connection_make_it_worth_probing() -> None:
    group = replace(GROUP, cluster_options="Encrypt=Strict;HostNameInCertificate=node1.corp.example")
    (edge,) = roles(topology(node("node1", group)), AvailabilityRole.CLUSTER_CONNECTION)
    assert edge.endpoint == Endpoint("node1.corp.example", 1433)
    assert edge.options is not None
    assert edge.options.host_name_in_certificate == "node1.corp.example"


@pytest.mark.parametrize(
    ("group", "facts"),
    [
        (replace(GROUP, cluster_type="NONE"), {}),
        (replace(GROUP, cluster_type="EXTERNAL"), {}),
        (GROUP, {"platform": "Linux"}),
    ],
)
def test_without_a_windows_cluster_there_is_no_such_connection(group: AvailabilityGroup, facts: dict[str, Any]) -> None:
    assert roles(topology(node("node1", group, identity=facts)), AvailabilityRole.CLUSTER_CONNECTION) == []


def test_a_failover_cluster_instance_has_one_too() -> None:
    clustered = inventory("fci01", identity=identity("FCI01", is_clustered=True))
    (edge,) = roles(topology(clustered), AvailabilityRole.CLUSTER_CONNECTION)
    assert edge.options is not None
    new = inventory("fci01", identity=identity("FCI01", is_clustered=True, product_version="17.0.1000.7"))
    (edge,) = roles(topology(new), AvailabilityRole.CLUSTER_CONNECTION)
    assert edge.options is None


def test_replicas_exchange_data_without_tds() -> None:
    edges = roles(topology(node("node1"), node("node2")), AvailabilityRole.DATA_MOVEMENT)
    assert {(edge.source, edge.target) for edge in edges} == {
        ("node1.corp.example", "node2.corp.example"),
        ("node2.corp.example", "node1.corp.example"),
    }
    assert all(edge.endpoint is None and edge.endpoint_gap for edge in edges)


def test_the_replicas_of_a_distributed_group_are_groups_and_not_servers() -> None:
    across = AvailabilityGroup(
        "DAG", is_distributed=True, replicas=(AvailabilityReplica("AG1"), AvailabilityReplica("AG2", "TCP://far:5022"))
    )
    member = replace(node("node1"), availability_groups=(GROUP, across))
    found = topology(member)
    far = [edge for edge in roles(found, AvailabilityRole.DATA_MOVEMENT) if edge.detail.startswith("distributed")]
    assert [(edge.name, edge.target) for edge in far] == [("AG2", "AG2")]


def test_a_contained_group_has_linked_servers_that_are_not_seen_from_the_instance() -> None:
    found = topology(node("node1", replace(GROUP, is_contained=True)))
    assert [left.name for left in found.left_out] == ["AG1"]
    assert "listener" in found.left_out[0].reason


# --- mirroring ----------------------------------------------------------------------------------------------


def test_partner_and_witness_are_drawn_and_never_probed() -> None:
    mirrored = MirroredDatabase(
        "Sales", "PRINCIPAL", "TCP://sql02.corp.example:5022", "SQL02", "TCP://wit.corp.example:5022"
    )
    found = topology(inventory("sql01", mirrored=(mirrored,)))
    edges = [edge for edge in found.edges if edge.kind is EdgeKind.MIRRORING]
    assert {(edge.role, edge.target) for edge in edges} == {
        (AvailabilityRole.PARTNER, "SQL02"),
        (AvailabilityRole.WITNESS, "wit.corp.example"),
    }
    assert all(edge.endpoint is None for edge in edges)


def test_a_partner_that_is_only_known_by_a_strange_url_is_kept() -> None:
    mirrored = MirroredDatabase("Sales", None, "somewhere", None, None)
    (edge,) = [e for e in topology(inventory("sql01", mirrored=(mirrored,))).edges if e.kind is EdgeKind.MIRRORING]
    assert edge.name == "somewhere"
