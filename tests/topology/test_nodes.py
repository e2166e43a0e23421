"""Nodes: names that mean one server become one, and names that may not stay apart."""

from __future__ import annotations

from typing import Any

import pytest

from assessor.collect.inventory import Inventory, Listener
from assessor.names import parse_data_source
from assessor.topology.nodes import NodeIndex

from .inventories import identity, inventory

SQL01 = inventory(
    "sql01.corp.example", listeners=(Listener("0.0.0.0", 1433, "TSQL"), Listener("127.0.0.1", 1434, "TSQL"))
)
SALES = inventory(
    "SQL02\\SALES", listeners=(Listener("::", 50123, "TSQL"), Listener("0.0.0.0", 5022, "DATABASE_MIRRORING"))
)


def node_of(dialled: str, *inventories: Inventory, on: str = "elsewhere", also: tuple[str, ...] = ()) -> str:
    known = inventories or (SQL01, SALES)
    index = NodeIndex.build(known, [found.instance for found in known], [dialled, *also])
    return index.name_of(parse_data_source(dialled), on)


@pytest.mark.parametrize(
    "dialled",
    [
        "sql01",
        "SQL01",
        "tcp:sql01",
        "sql01,1433",
        "SQL01.CORP.EXAMPLE",
        "sql01.corp.example.",
        "sql01\\MSSQLSERVER",
        "np:sql01",
    ],
)
def test_every_spelling_of_an_instance_leads_to_its_estate_address(dialled: str) -> None:
    assert node_of(dialled) == "sql01.corp.example"


@pytest.mark.parametrize(
    "dialled", ["sql02\\sales", "SQL02.corp.example\\SALES", "sql02,50123", "tcp:sql02.corp.example,50123"]
)
def test_a_named_instance_is_found_by_name_and_by_port(dialled: str) -> None:
    assert node_of(dialled) == "SQL02\\SALES"


@pytest.mark.parametrize(
    "dialled", ["sql02", "sql02\\HR", "sql02,5022", "sql01,1434", "sql01\\SALES", "sql01.partner.example"]
)
def test_another_instance_port_or_suffix_is_another_node(dialled: str) -> None:
    assert node_of(dialled) == dialled


def test_the_local_machine_is_the_one_that_dials() -> None:
    assert node_of(".", on="sql01.corp.example") == "sql01.corp.example"
    assert node_of("(local)\\SALES", on="SQL02") == "SQL02\\SALES"
    assert node_of("localhost,50123", on="SQL02") == "SQL02\\SALES"
    assert node_of(".\\YUKON", on="SQL02") == "SQL02\\YUKON"


def test_local_names_on_two_hosts_are_two_nodes() -> None:
    index = NodeIndex.build([], [], [])
    names = {index.name_of(parse_data_source(".\\X"), host) for host in ("a", "b")}
    assert names == {"a\\X", "b\\X"}


def test_short_name_and_fqdn_outside_the_estate_are_one_when_the_suffix_is_the_estates() -> None:
    index = NodeIndex.build([SQL01], [SQL01.instance], ["vendor01", "vendor01.corp.example"])
    names = [index.name_of(parse_data_source(text), "x") for text in ("vendor01", "Vendor01.corp.example,1433")]
    assert names == ["vendor01", "vendor01"]


def test_a_short_name_that_could_be_two_hosts_is_neither() -> None:
    index = NodeIndex.build([], [], ["db.a.example", "db.b.example", "db"])
    names = {index.name_of(parse_data_source(text), "x") for text in ("db.a.example", "db.b.example", "db")}
    assert len(names) == 3


def test_without_any_known_suffix_a_single_fqdn_is_taken_for_its_short_name() -> None:
    bare = inventory("SQL01", identity=identity("SQL01", domain=None))
    assert node_of("sql01.corp.example", bare) == "SQL01"
    assert node_of("sql01.corp.example", bare, also=("sql01.other.example",)) == "sql01.corp.example"


def test_stale_and_physical_names_lead_to_the_instance_unless_two_claim_them() -> None:
    facts: dict[str, Any] = {"physical_name": "NODE1"}
    first = inventory("virt1\\A", identity=identity("VIRT1\\A", registered_name="OLD1\\A", **facts))
    second = inventory("virt2\\A", identity=identity("VIRT2\\A", **facts))
    assert node_of("old1\\a", first, second) == "virt1\\A"
    assert node_of("node1\\a", first) == "virt1\\A"
    assert node_of("node1\\a", first, second) == "node1\\a"


def test_a_listeners_own_address_is_not_the_instances_port() -> None:
    replica = inventory("sql03\\AG", listeners=(Listener("::", 50001, "TSQL"), Listener("10.0.0.9", 1433, "TSQL")))
    assert node_of("sql03", replica) == "sql03"
    assert node_of("sql03,50001", replica) == "sql03\\AG"


def test_one_instance_listed_under_two_addresses_is_one_node() -> None:
    same = identity("SQL01")
    first, second = Inventory("sql01", identity=same), Inventory("alias01", identity=same)
    assert node_of("SQL01.corp.example", first, second) == "sql01"
    assert node_of("alias01", first, second) == "sql01"


def test_an_instance_that_could_not_be_collected_is_still_known_by_its_address() -> None:
    dead = Inventory("dead01.corp.example\\X")
    assert node_of("DEAD01\\x", dead) == "dead01.corp.example\\X"


def test_instances_on_local_ports_stay_apart() -> None:
    first, second = Inventory("localhost,14331"), Inventory("localhost,14332")
    assert node_of("localhost,14332", first, second, on="localhost") == "localhost,14332"
