"""Linked servers: each definition becomes an edge that says what it dials, or why nobody can know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assessor.clients.options import Encrypt
from assessor.clients.providers import resolve
from assessor.collect.inventory import LinkedServer
from assessor.probe.evidence import Endpoint
from assessor.topology.build import build_edges
from assessor.topology.edges import Edge, EdgeKind

from .inventories import inventory, row

CORPUS = Path(__file__).parents[1] / "data" / "corpus" / "linked_servers.jsonl"


def edges_of(*rows: LinkedServer, address: str = "sql01.corp.example") -> tuple[Edge, ...]:
    return build_edges([inventory(address, linked_servers=rows)], [address]).edges


def edge_of(definition: LinkedServer) -> Edge:
    (edge,) = edges_of(definition)
    return edge


def test_a_definition_becomes_an_edge_with_its_options_and_endpoint() -> None:
    edge = edge_of(
        row("FIN", data_source="tcp:FIN01\\ERP,1450", provider_string="Encrypt=yes;PWD=***", catalog="Ledger")
    )
    assert (edge.id, edge.source, edge.kind) == (
        "linked_server:sql01.corp.example:fin",
        "sql01.corp.example",
        EdgeKind.LINKED_SERVER,
    )
    assert edge.target == "tcp:FIN01\\ERP,1450"
    assert edge.endpoint == Endpoint("fin01", 1450)
    assert edge.options is not None
    assert edge.options.encrypt is Encrypt.MANDATORY
    assert (edge.options_gap, edge.endpoint_gap) == (None, None)
    assert "catalog Ledger" in edge.detail


def test_a_hidden_provider_string_is_unknown_and_not_empty() -> None:
    edge = edge_of(row("FIN", provider_string_known=False))
    assert edge.options is None
    assert edge.options_gap is not None
    assert "ALTER ANY LINKED SERVER" in edge.options_gap


def test_the_local_row_is_no_edge_but_a_loopback_is() -> None:
    local = row("SQL01", is_linked=False, data_source="SQL01")
    loopback = row("LOOPBACK", data_source=".")
    (edge,) = edges_of(local, loopback)
    assert (edge.name, edge.target, edge.endpoint) == (
        "LOOPBACK",
        "sql01.corp.example",
        Endpoint("sql01.corp.example", 1433),
    )


@pytest.mark.parametrize(
    "entry",
    [
        row("repl_distributor", data_source="DIST01", is_distributor=True, is_data_access_enabled=True),
        row("SUB01", is_subscriber=True, is_data_access_enabled=False),
        row("PUB01", is_publisher=True, is_data_access_enabled=False),
    ],
)
def test_an_entry_that_only_replication_uses_is_no_linked_server(entry: LinkedServer) -> None:
    topology = build_edges([inventory("sql01", linked_servers=(entry,))], ["sql01"])
    assert not any(edge.kind is EdgeKind.LINKED_SERVER for edge in topology.edges)
    assert topology.edges or topology.left_out, "it must not vanish"


def test_a_subscriber_that_queries_may_use_stays_a_linked_server() -> None:
    assert edge_of(row("SUB01", is_subscriber=True)).kind is EdgeKind.LINKED_SERVER


def test_a_remote_server_and_one_without_mappings_are_edges_too() -> None:
    assert [edge.name for edge in edges_of(row("OLD", is_linked=False), row("UNMAPPED", logins=()))] == [
        "OLD",
        "UNMAPPED",
    ]


def test_product_sql_server_without_a_data_source_dials_the_name() -> None:
    edge = edge_of(row("FIN01\\ERP", product="SQL Server", provider="SQLNCLI", data_source=None))
    assert edge.dialled is not None
    assert edge.endpoint == Endpoint("fin01", None, "erp")


def test_a_server_in_the_provider_string_is_dialled_where_the_data_source_is_missing() -> None:
    assert edge_of(row("X", data_source=None, provider_string="Server=FIN01,1450;UID=***")).endpoint == Endpoint(
        "fin01", 1450
    )
    assert edge_of(row("X", data_source="FIN02", provider_string="Server=FIN01")).endpoint == Endpoint("fin02", 1433)


@pytest.mark.parametrize(("known", "says"), [(True, "names no server"), (False, "hidden")])
def test_a_definition_that_names_no_server_says_so(known: bool, says: str) -> None:
    edge = edge_of(row("X", data_source=None, provider_string_known=known))
    assert (edge.dialled, edge.endpoint, edge.target) == (None, None, "X")
    assert edge.endpoint_gap is not None
    assert says in edge.endpoint_gap


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        ("MSDASQL", "ODBC"),
        ("OraOLEDB.Oracle", "no SQL Server client"),
        ("MSOLAP", "no SQL Server client"),
        ("MSOLEDBSQL20", "not one that assessor knows"),
    ],
)
def test_what_another_driver_dials_is_not_probed(provider: str, says: str) -> None:
    edge = edge_of(row("X", provider=provider, data_source="FIN01"))
    assert (edge.dialled, edge.endpoint, edge.target, edge.provider) == (None, None, "FIN01", provider)
    assert edge.endpoint_gap is not None
    assert says in edge.endpoint_gap


def test_a_cube_server_with_the_name_of_an_instance_is_another_node() -> None:
    edge = edge_of(row("CUBE", provider="MSOLAP", data_source="sql01.corp.example"))
    assert edge.target == "sql01.corp.example (MSOLAP)"


def test_a_bad_data_source_keeps_its_options_and_tells_how_to_mend_it() -> None:
    edge = edge_of(row("X", data_source="fin01:1433", provider_string="Encrypt=no"))
    assert edge.dialled is None
    assert edge.endpoint_gap is not None
    assert "write fin01,1433" in edge.endpoint_gap
    assert edge.options is not None
    assert edge.options.encrypt is Encrypt.OPTIONAL
    assert edge.target == "fin01:1433"


@pytest.mark.parametrize("data_source", [r"np:\\fin01\pipe\sql\query", "lpc:.", "(localdb)\\X", "admin:fin01"])
def test_what_is_not_tcp_has_no_endpoint_and_says_why(data_source: str) -> None:
    edge = edge_of(row("X", data_source=data_source))
    assert edge.dialled is not None
    assert edge.endpoint is None
    assert edge.endpoint_gap


HOSTILE = [
    '=HYPERLINK("http://x")',
    "<script>alert(1)</script>",
    "\x1b[31mred\x1b[0m",
    "a\nb",
    "🙂" * 64,
    "x" * 128,
    "a:b%c",
    " ",
    "\ud800",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_survives_as_data_under_a_harmless_id(name: str) -> None:
    edge = edge_of(row(name, data_source="fin01"))
    assert edge.name == name
    assert edge.id.isascii()
    assert edge.id.isprintable()
    assert edge.id.count(":") == 2
    assert edge_of(row(name)).name == name, "and as a data source"


def test_names_that_differ_in_case_only_get_numbered_ids_in_a_fixed_order() -> None:
    both = [row("Fin", data_source="a"), row("FIN", data_source="b")]
    ids = {edge.name: edge.id for edge in edges_of(*both)}
    assert ids == {edge.name: edge.id for edge in edges_of(*reversed(both))}
    assert ids == {"FIN": "linked_server:sql01.corp.example:fin", "Fin": "linked_server:sql01.corp.example:fin~2"}
    assert len({edge.id for edge in edges_of(*both, row("fin~2", data_source="c"))}) == 3


def stored_row(call: dict[str, Any]) -> LinkedServer:
    """The row of ``sys.servers`` that a call of ``sp_addlinkedserver`` leaves behind."""
    if call["provider"] is None:  # the short form: product 'SQL Server', shown as SQLNCLI with the name as data source
        return row(call["server"], product="SQL Server", provider="SQLNCLI", data_source=call["server"])
    return row(
        call["server"],
        product=call["srvproduct"] or "",
        provider="SQLNCLI" if call["provider"].upper() == "SQLOLEDB" else call["provider"],
        data_source=call["datasrc"],
        location=call["location"],
        provider_string=call["provstr"],
        catalog=call["catalog"],
    )


CALLS = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


def test_every_definition_found_in_the_wild_becomes_an_edge_or_is_refused_with_a_reason() -> None:
    rows = [stored_row(call) for call in CALLS]
    edges = [edge_of(each) for each in rows]
    for definition, edge in zip(rows, edges, strict=True):
        assert edge.name == definition.name
        assert (edge.endpoint is None) == (edge.endpoint_gap is not None), definition
        assert (edge.dialled is not None) or edge.endpoint_gap, definition
        assert edge.options is not None
        assert edge.target
    assert len(CALLS) > 140
    assert sum(edge.endpoint is not None for edge in edges) > 80, "most of them can be dialled"


@pytest.mark.parametrize(
    "call",
    [call for call in CALLS if call["provider"] and not call["provider"].startswith("@")],
    ids=lambda call: call["server"],
)
def test_every_provider_found_in_the_wild_is_known(call: dict[str, Any]) -> None:
    assert resolve(call["provider"], call["srvproduct"] or "", 15).is_known
