"""The whole topology: order, ids and nodes do not depend on how the inventories happened to arrive."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.collect.inventory import Inventory
from assessor.topology.build import build_edges

from .inventories import inventory, row

NAMES = ["FIN", "fin", "Fin~2", "a:b", "A:B", "🙂", "=1+1", "x" * 128, "sql02", "..", "%3a"]


def test_an_instance_that_was_not_collected_opens_no_edges_and_is_a_node() -> None:
    found = build_edges([Inventory("dead01")], ["dead01", "sql01"])
    assert found.edges == ()
    assert [(node.name, node.in_estate) for node in found.nodes] == [("dead01", True), ("sql01", True)]


def test_nodes_are_the_estate_and_whatever_an_edge_leads_to() -> None:
    rows = (
        row("A", data_source="vendor01"),
        row("B", data_source="SQL02"),
        row("C", provider="OraOLEDB.Oracle", data_source="ORCL"),
    )
    found = build_edges([inventory("sql01", linked_servers=rows), inventory("sql02")], ["sql01", "sql02"])
    assert [node.name for node in found.nodes] == ["sql01", "sql02", "ORCL", "vendor01"]
    assert [edge.target for edge in found.edges] == ["vendor01", "sql02", "ORCL"]


def test_an_edge_id_does_not_change_with_what_the_definition_says() -> None:
    before = build_edges([inventory("sql01", linked_servers=(row("A", data_source="x"),))], ["sql01"])
    after = build_edges(
        [inventory("sql01", linked_servers=(row("A", data_source="y", provider="MSOLEDBSQL"),))], ["sql01"]
    )
    assert before.edges[0].id == after.edges[0].id == "linked_server:sql01:a"


@settings(deadline=None, max_examples=60)
@given(st.permutations(["sql01", "sql02", "sql03\\X"]), st.lists(st.sampled_from(NAMES), unique=True), st.randoms())
def test_any_order_of_inventories_and_rows_gives_the_same_topology(
    order: list[str], names: list[str], chance: random.Random
) -> None:
    addresses = ["sql01", "sql02", "sql03\\X"]
    reference = build_edges(
        [inventory(address, linked_servers=tuple(map(row, names))) for address in addresses], addresses
    )
    shuffled = names[:]
    chance.shuffle(shuffled)
    again = build_edges([inventory(address, linked_servers=tuple(map(row, shuffled))) for address in order], addresses)
    assert [(edge.id, edge.name, edge.source) for edge in again.edges] == [
        (edge.id, edge.name, edge.source) for edge in reference.edges
    ]
    assert len({edge.id for edge in again.edges}) == len(again.edges) == 3 * len(names)
