"""Log shipping: members call a remote monitor, nobody calls a local one, and members outside the estate are not dropped."""

from __future__ import annotations

from typing import Any

from assessor.clients.options import ConnectionOptions
from assessor.collect.inventory import (
    Gap,
    GapKind,
    Inventory,
    LogShippingMember,
    LogShippingPrimary,
    LogShippingSecondary,
)
from assessor.topology.build import Topology, build_edges
from assessor.topology.edges import Edge, EdgeKind, LogShippingRole

from .inventories import identity, inventory

PRIMARY, SECONDARY = LogShippingRole.PRIMARY, LogShippingRole.SECONDARY


def topology(*inventories: Inventory) -> Topology:
    return build_edges(inventories, [each.instance for each in inventories])


def drawn(found: Topology) -> list[Edge]:
    return [edge for edge in found.edges if edge.kind is EdgeKind.LOG_SHIPPING]


def primary(monitor: str | None = "MON01", **facts: Any) -> Inventory:
    shipped = LogShippingPrimary("Ledger", monitor, ("SUB01",), monitor_options=facts.pop("options", None))
    return inventory("prim01", shipped=(shipped,), **facts)


def secondary(monitor: str = "MON01", version: str = "15.0.4415.2") -> Inventory:
    received = LogShippingSecondary("LedgerCopy", "PRIM01", "Ledger", monitor)
    return inventory("sub01", identity=identity("SUB01", product_version=version), received=(received,))


MONITOR = inventory("mon01")


def test_both_members_call_the_monitor_and_the_secondary_does_not_call_the_primary() -> None:
    edges = drawn(topology(primary(), secondary(), MONITOR))
    assert {(edge.source, edge.target, edge.role) for edge in edges} == {
        ("prim01", "mon01", PRIMARY),
        ("sub01", "mon01", SECONDARY),
    }
    copied = next(edge for edge in edges if edge.role is SECONDARY)
    assert "file share" in copied.detail
    assert copied.options == ConnectionOptions()


def test_a_monitor_on_the_member_itself_is_no_edge() -> None:
    assert drawn(topology(primary("PRIM01"))) == []
    assert drawn(topology(primary(None))) == []


def test_the_options_towards_the_monitor_are_read_and_those_of_different_databases_kept_apart() -> None:
    shipped = (
        LogShippingPrimary("A", "MON01", monitor_options="Encrypt=Mandatory;TrustServerCertificate=Yes;"),
        LogShippingPrimary("B", "MON01", monitor_options="Encrypt=Strict", primary_options="Encrypt=Optional"),
    )
    edges = drawn(topology(inventory("prim01", shipped=shipped), MONITOR))
    assert len({edge.id for edge in edges}) == 2
    trusting, strict = sorted(edges, key=lambda edge: edge.detail)
    assert trusting.options is not None
    assert trusting.options.trust_server_certificate is True
    assert strict.options is not None
    assert strict.options.encrypt == "strict"
    assert "to its own instance: Encrypt=Optional" in strict.detail


def test_where_a_secondary_on_2025_keeps_its_options_is_not_published() -> None:
    (edge,) = drawn(topology(secondary(version="17.0.1000.7"), MONITOR))
    assert edge.options is None
    assert edge.options_gap is not None


def test_a_secondary_and_a_member_outside_the_estate_are_told() -> None:
    told = LogShippingMember("ELSEWHERE", "Other", True)
    found = topology(primary(), inventory("mon01", monitored=(told,)))
    assert {left.name for left in found.left_out} == {"SUB01", "ELSEWHERE"}
    assert all("estate file" in left.reason for left in found.left_out)


def test_a_monitor_tells_of_a_member_whose_own_tables_are_closed() -> None:
    gap = Gap("log_shipping_primaries", GapKind.REFUSED, "Msg 229", "x")
    closed = inventory("prim01", gaps=(gap,))
    found = topology(closed, inventory("mon01", monitored=(LogShippingMember("PRIM01", "Ledger", True),)))
    (edge,) = drawn(found)
    assert (edge.source, edge.target, edge.options) == ("prim01", "mon01", None)


def test_a_monitor_row_without_a_counterpart_is_told_as_a_leftover() -> None:
    told = LogShippingMember("PRIM01", "Ledger", True)
    found = topology(inventory("prim01"), inventory("mon01", monitored=(told,)))
    assert drawn(found) == []
    assert ["leftover" in left.reason for left in found.left_out] == [True]


def test_a_members_row_about_itself_is_no_hint() -> None:
    own = LogShippingMember("PRIM01", "Ledger", True)
    found = topology(primary(monitored=(own,)), secondary(), MONITOR)
    assert found.left_out == ()
