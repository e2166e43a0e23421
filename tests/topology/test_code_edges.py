"""External data sources, ad hoc calls, job steps and multiserver jobs: each becomes an edge, or says why not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.clients.options import Encrypt
from assessor.collect.inventory import (
    AdHocCall,
    ExternalDataSource,
    FeatureSettings,
    Inventory,
    MasterServer,
    TargetServer,
    ToolCall,
)
from assessor.probe.evidence import Endpoint
from assessor.topology.build import Topology, build_edges
from assessor.topology.edges import Edge, EdgeKind
from assessor.topology.external_data_sources import dialled_text

from .inventories import identity, inventory, row

SQL01 = "sql01.corp.example"


def source(location: str, options: str | None = None, known: bool = True, name: str = "Src") -> ExternalDataSource:
    return ExternalDataSource("Sales", name, "NONE", location, options, known)


def call(**facts: Any) -> AdHocCall:
    defaults: dict[str, Any] = {
        "database": "Sales",
        "name": "dbo.p",
        "is_job_step": False,
        "function": "OPENROWSET",
        "provider": "MSOLEDBSQL",
        "data_source": None,
        "provider_string": "Server=FIN01;Encrypt=yes",
        "is_three_part": False,
        "is_known": True,
    }
    return AdHocCall(**(defaults | facts))


def tool(name: str = "sqlcmd", **facts: Any) -> ToolCall:
    defaults: dict[str, Any] = {
        "job": "Nightly",
        "is_enabled": True,
        "step": 2,
        "step_name": "Load",
        "subsystem": "CmdExec",
        "tool": name,
        "server": None,
        "is_server_known": True,
        "switches": "",
        "options": None,
    }
    return ToolCall(**(defaults | facts))


def draw(*inventories: Inventory) -> Topology:
    return build_edges(inventories, [each.instance for each in inventories])


def only(*inventories: Inventory) -> Edge:
    (edge,) = draw(*inventories).edges
    return edge


# --- external data sources --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "options", "dialled"),
    [
        ("sqlserver://FIN01", None, "FIN01"),
        ("SQLSERVER://fin01.corp.example:1450/", None, "fin01.corp.example,1450"),
        ("sqlserver://FIN01\\ERP", None, "FIN01\\ERP"),
        ("sqlserver://FIN01\\ERP:1450", None, "FIN01\\ERP,1450"),
        ("sqlserver://[::1]:1450", None, "[::1],1450"),
        ("sqlserver://FIN01", "Server=%s\\ERP", "FIN01\\ERP"),
        ("sqlserver://FIN01:1450", "Server=%s\\ERP", "FIN01\\ERP,1450"),
        ("sqlserver://FIN01", "Server=%s,1451", "FIN01,1451"),
        ("sqlserver://FIN01", "Server=OTHER", "OTHER"),
        ("oracle://ora01:1521", None, None),
        ("FIN01", None, None),
    ],
)
def test_a_location_is_read_as_polybase_reads_it(location: str, options: str | None, dialled: str | None) -> None:
    assert dialled_text(source(location, options)) == dialled


def test_a_sql_server_source_is_an_edge_with_its_options() -> None:
    edge = only(inventory(SQL01, external_data_sources=(source("sqlserver://FIN01:1450", "Encrypt=Strict"),)))
    assert (edge.kind, edge.name, edge.provider) == (EdgeKind.EXTERNAL_DATA_SOURCE, "Sales.Src", "sqlserver")
    assert edge.endpoint == Endpoint("fin01", 1450)
    assert edge.options is not None
    assert edge.options.encrypt is Encrypt.STRICT
    assert edge.id == "external_data_source:sql01.corp.example:sales.src"


def test_other_schemes_are_edges_that_nobody_probes() -> None:
    edge = only(inventory(SQL01, external_data_sources=(source("oracle://ora01:1521"),)))
    assert (edge.provider, edge.target, edge.endpoint) == ("oracle", "ora01:1521", None)
    assert edge.endpoint_gap is not None


@pytest.mark.parametrize(
    "location", ["sqlserver://", "sqlserver://a b", "sqlserver://x:99999999", "", "sqlserver://?***"]
)
def test_a_location_that_nobody_can_dial_is_an_edge_with_the_reason(location: str) -> None:
    edge = only(inventory(SQL01, external_data_sources=(source(location),)))
    assert (edge.dialled, edge.endpoint) == (None, None)
    assert edge.endpoint_gap


def test_options_that_could_not_be_read_are_not_empty() -> None:
    edge = only(inventory(SQL01, external_data_sources=(source("sqlserver://FIN01", None, known=False),)))
    assert edge.options is None
    assert edge.options_gap is not None


def test_installed_polybase_is_a_hop_of_its_own() -> None:
    edge = only(inventory(SQL01, feature_settings=FeatureSettings(is_polybase_installed=True)))
    assert (edge.source, edge.target, edge.name) == (SQL01, SQL01, "PolyBase services")


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80), st.text(max_size=40))
def test_every_source_becomes_an_edge_whatever_its_location_says(location: str, options: str) -> None:
    only(inventory(SQL01, external_data_sources=(source(location, options),)))


# --- ad hoc calls -----------------------------------------------------------------------------------------------------


def test_a_call_with_a_provider_string() -> None:
    edge = only(inventory(SQL01, ad_hoc_calls=(call(),)))
    assert (edge.kind, edge.name, edge.endpoint) == (
        EdgeKind.AD_HOC,
        "Sales.dbo.p: OPENROWSET",
        Endpoint("fin01", 1433),
    )
    assert edge.options is not None
    assert edge.options.encrypt is Encrypt.MANDATORY


def test_a_call_in_three_parts_states_no_option() -> None:
    edge = only(
        inventory(SQL01, ad_hoc_calls=(call(is_three_part=True, data_source="FIN01\\ERP", provider_string=None),))
    )
    assert edge.endpoint == Endpoint("fin01", None, "erp")
    assert edge.options is not None
    assert (edge.options.encrypt, edge.options.has_text) == (None, False)


@pytest.mark.parametrize(
    ("function", "encrypt", "trust"), [("OPENDATASOURCE", Encrypt.MANDATORY, True), ("OPENROWSET", None, None)]
)
def test_spaced_keywords_count_in_an_initialisation_string_only(
    function: str, encrypt: Encrypt | None, trust: bool | None
) -> None:
    text = "Data Source=FIN01;Use Encryption for Data=true;Trust Server Certificate=True"
    edge = only(inventory(SQL01, ad_hoc_calls=(call(function=function, provider_string=text),)))
    assert edge.options is not None
    assert (edge.options.encrypt, edge.options.trust_server_certificate) == (encrypt, trust)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"is_known": False, "provider_string": None}, "run time"),
        ({"provider": "Nobody.Knows"}, "not one that assessor knows"),
        ({"provider": "MSDASQL"}, "MSDASQL"),
        ({"provider": "Microsoft.ACE.OLEDB.12.0"}, "no SQL Server client"),
        ({"provider_string": "Trusted_Connection=yes"}, "names no server"),
    ],
)
def test_a_call_that_dials_nobody_we_know_says_why(facts: dict[str, Any], says: str) -> None:
    edge = only(inventory(SQL01, ad_hoc_calls=(call(**facts),)))
    assert edge.endpoint is None
    assert edge.endpoint_gap is not None
    assert says in edge.endpoint_gap


# --- job steps --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [None, ".", "(local)", "$(SRVR)", "$(MACH)", "SQL01", "sql01.corp.example"])
def test_the_local_server_is_an_edge_to_itself(server: str | None) -> None:
    edge = only(inventory(SQL01, tool_calls=(tool(server=server),)))
    assert (edge.kind, edge.source, edge.target) == (EdgeKind.JOB_STEP, SQL01, SQL01)
    assert edge.endpoint == Endpoint(SQL01, 1433)


def test_a_named_instance_finds_itself_where_the_estate_file_says() -> None:
    address = "sql01.corp.example,50123"
    found = inventory(address, tool_calls=(tool(server="$(SRVR)"), tool(server="$(MACH)\\$(INST)", step=3)))
    found = Inventory(instance=address, identity=identity("SQL01\\POS"), tool_calls=found.tool_calls)
    assert [edge.endpoint for edge in draw(found).edges] == [Endpoint(SQL01, 50123)] * 2


def test_another_server_is_found_in_the_estate() -> None:
    topology = draw(inventory(SQL01, tool_calls=(tool(server="DW01"),)), inventory("dw01.corp.example"))
    (edge,) = topology.edges
    assert edge.target == "dw01.corp.example"
    assert edge.name == "Nightly, step 2: sqlcmd"


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"is_server_known": False}, "variable"),
        ({"name": "script", "runs": "E:\\x.cmd", "is_server_known": False}, "not written in the job"),
        ({"name": "dtexec", "runs": "x.dtsx"}, "not written in the job"),
        ({"server": "a b c"}, "character"),
    ],
)
def test_a_step_whose_target_nobody_can_know_says_why(facts: dict[str, Any], says: str) -> None:
    edge = only(inventory(SQL01, tool_calls=(tool(**facts),)))
    assert edge.endpoint is None
    assert edge.endpoint_gap is not None
    assert says in edge.endpoint_gap


def test_the_detail_shows_what_a_person_needs_to_find_the_step() -> None:
    edge = only(inventory(SQL01, tool_calls=(tool(server="a", is_enabled=False, switches="-No"),)))
    assert edge.detail == "the job is disabled; step Load; switches -No"


@pytest.mark.parametrize(
    "name", ['=HYPERLINK("x")', "a:b~c/d%e", "\x1b[31m", "\ud800", "😀", "x" * 128, " ", "'; DROP"]
)
def test_names_of_every_kind_become_edges_with_ids_of_their_own(name: str) -> None:
    found = draw(
        inventory(
            SQL01,
            tool_calls=(tool(job=name, server="a"), tool(job=name, server="b")),
            ad_hoc_calls=(call(name=name), call(name=name, provider_string="Server=other")),
            external_data_sources=(source("sqlserver://a", name=name),),
        )
    ).edges
    assert len(found) == len({edge.id for edge in found}) == 5
    assert any(edge.name.startswith(name) for edge in found)


# --- multiserver ------------------------------------------------------------------------------------------------------


def test_a_target_polls_its_master_and_the_edge_is_drawn_once() -> None:
    target = inventory("tsx01.corp.example", master_server=MasterServer("MSX01", 1))
    master = inventory("msx01.corp.example", target_servers=(TargetServer("TSX01"), TargetServer("GONE01")))
    topology = draw(target, master)
    (edge,) = topology.edges
    assert (edge.kind, edge.source, edge.target) == (EdgeKind.MULTISERVER, "tsx01.corp.example", "msx01.corp.example")
    assert edge.msx_encrypt_channel == 1
    assert [(left.kind, left.name) for left in topology.left_out] == [(EdgeKind.MULTISERVER, "GONE01")]


def test_a_target_that_only_its_master_knows_of_is_drawn_with_what_is_unknown() -> None:
    topology = draw(
        inventory("tsx01.corp.example"), inventory("msx01.corp.example", target_servers=(TargetServer("TSX01"),))
    )
    (edge,) = topology.edges
    assert (edge.source, edge.msx_encrypt_channel) == ("tsx01.corp.example", None)


# --- MSDASQL by driver ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("string", "endpoint"),
    [
        ("DRIVER={ODBC Driver 17 for SQL Server};SERVER=fin01,1450;UID=a;PWD=b", Endpoint("fin01", 1450)),
        ("Driver={SQL Server};Server=FIN01;Trusted_Connection=yes", Endpoint("fin01", 1433)),
        ("DRIVER={MySQL ODBC 8.0 Unicode Driver};SERVER=my01", None),
        ("DRIVER={Somebody's own};SERVER=x01", None),
        ("DSN=Reports", None),
        (None, None),
    ],
)
def test_a_definition_by_odbc_is_dialled_where_it_names_a_sql_server_driver(
    string: str | None, endpoint: Endpoint | None
) -> None:
    definition = row("ODBC", provider="MSDASQL", data_source=None, provider_string=string)
    edge = only(inventory(SQL01, linked_servers=(definition,)))
    assert edge.endpoint == endpoint
    assert (edge.endpoint_gap is None) is (endpoint is not None)
