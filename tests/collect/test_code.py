"""Modules, synonyms, job steps and external data sources: what is kept of them, and what is told to be missing."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.collect.code import external_data_sources_of
from assessor.collect.connection import Answer
from assessor.collect.inventory import (
    ExternalDataSource,
    FeatureSettings,
    Gap,
    GapKind,
    Inventory,
    MasterServer,
    TargetServer,
    Usage,
    UsageKind,
)
from assessor.collect.rows import read_answer

from .scripted import QUERIES, Script, collect, database, denied, healthy

CANARY = "Canary-Dunlin-3317"


def link(name: str) -> dict[str, object]:
    return {"name": name, "provider": "SQLNCLI11", "is_linked": True, "sees_all": 1}


def piece(text: str | None, object_id: int = 7, number: int = 0, size: int | None = None) -> dict[str, object]:
    return {
        "object_id": object_id,
        "schema_name": "dbo",
        "object_name": f"proc{object_id}",
        "piece": number,
        "text_piece": text,
        "text_bytes": None if text is None else 2 * len(text) if size is None else size,
    }


def step(command: str, subsystem: str = "CmdExec", **more: object) -> dict[str, object]:
    return {
        "job_name": "Nightly",
        "is_enabled": 1,
        "step_id": 1,
        "subsystem": subsystem,
        "command": command,
        "command_bytes": 2 * len(command),
        **more,
    }


def inventory_of(major: int = 15, **replies: object) -> Inventory:
    return collect(Script({**healthy(major), "databases": [database("Sales")], **replies}))  # type: ignore[dict-item]


def gaps_of(inventory: Inventory, query: str) -> list[Gap]:
    return [gap for gap in inventory.gaps if gap.query == query]


def source(location: str, options: str | None = None) -> ExternalDataSource:
    query = QUERIES["external_data_sources"]
    names = tuple(column.name for column in query.returns)
    table = read_answer(query, Answer(names, (("Src", "NONE", location, options),)))
    (found,) = external_data_sources_of("Sales", table)
    return found


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_read_and_an_unknown_option_stays_unknown() -> None:
    row = {"is_polybase_installed": 1, "ad_hoc_distributed_queries": 0, "polybase_network_encryption": None}
    assert inventory_of(feature_settings=[row]).feature_settings == FeatureSettings(False, True, None)


# --- external data sources --------------------------------------------------------------------------------------------


def test_external_data_sources_are_asked_for_from_2016_on() -> None:
    for major, asked in ((12, False), (13, True), (15, True)):
        script = Script({**healthy(major), "databases": [database("Sales")]})
        collect(script)
        assert (("external_data_sources", "Sales") in script.asked) is asked


def test_secrets_in_options_and_location_are_masked() -> None:
    found = source(
        f"sqlserver://sa:{CANARY}@FIN01:1450?key={CANARY}", f"Encrypt=yes;ColumnEncryptionKeystoreSecret={CANARY}"
    )
    assert CANARY not in repr(found)
    assert "FIN01:1450" in found.location
    assert found.connection_options is not None
    assert found.connection_options.startswith("Encrypt=yes;")


def test_options_in_json_become_keywords() -> None:
    found = source("sqlserver://FIN01", f'{{"Encrypt": "Optional", "TrustServerCertificate": true, "PWD": "{CANARY}"}}')
    assert found.connection_options == "Encrypt=Optional;TrustServerCertificate=yes;PWD=***"


@pytest.mark.parametrize("options", ["{", "[]", '{"a": {"b": 1}}', '{"a": [1]}', "[" * 10_000])
def test_options_in_a_form_nobody_can_read_are_unknown_and_leave_a_gap(options: str) -> None:
    row = {"name": "Src", "type_desc": "NONE", "location": "sqlserver://FIN01", "connection_options": options}
    if len(options) > 8000:
        return
    inventory = inventory_of(external_data_sources=[row])
    assert not inventory.external_data_sources[0].connection_options_known
    assert "can't read" in gaps_of(inventory, "external_data_sources")[0].message


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_location_and_no_options_bring_it_to_a_stop(location: str, options: str) -> None:
    source(location, options)


# --- modules ----------------------------------------------------------------------------------------------------------


def test_pieces_of_a_module_are_put_together_in_their_order() -> None:
    text = f"SELECT * FROM OPENROWSET('MSOLEDBSQL', 'Server=FIN01;PWD={CANARY}', 'q')"
    rows = [piece(text[20:], number=1, size=2 * len(text)), piece(text[:20], size=2 * len(text))]
    inventory = inventory_of(module_texts=rows)
    (call,) = [call for call in inventory.ad_hoc_calls if call.database == "Sales"]
    assert (call.name, call.provider_string) == ("dbo.proc7", "Server=FIN01;PWD=***")
    assert CANARY not in repr(inventory)
    assert gaps_of(inventory, "module_texts") == []


def test_what_stands_where_a_server_is_expected_is_masked_when_it_is_a_string() -> None:
    sql = f"SELECT * FROM OPENROWSET('SQLNCLI', 'Server=FIN01;PWD={CANARY}';'u';'{CANARY}', 'q')"
    assert CANARY not in repr(inventory_of(module_texts=[piece(sql)]))


def test_a_module_longer_than_was_read_is_a_gap() -> None:
    (found, *_) = gaps_of(inventory_of(module_texts=[piece("SELECT 1", size=900_000)]), "module_texts")
    assert (found.kind, found.database) == (GapKind.FAILED, "master") or found.database in ("msdb", "Sales")
    assert "dbo.proc7" in found.message


def test_an_encrypted_module_is_a_gap_with_its_name() -> None:
    (found, *_) = gaps_of(inventory_of(module_texts=[piece(None)]), "module_texts")
    assert found.kind is GapKind.HIDDEN
    assert "dbo.proc7" in found.message


def test_a_million_modules_are_cut_and_the_cut_is_told() -> None:
    rows = [piece("x", object_id=number) for number in range(4001)]
    script = Script({**healthy(), "databases": [database("Sales")], ("module_texts", "Sales"): rows})
    assert any("cut after 4001 rows" in gap.message for gap in gaps_of(collect(script), "module_texts"))


def test_without_the_right_to_see_definitions_no_answer_proves_anything() -> None:
    permissions = {**healthy()["permissions"][0], "view_any_definition": 0}  # type: ignore[index]
    inventory = inventory_of(permissions=[permissions])
    for query in ("module_texts", "remote_synonyms", "external_data_sources"):
        assert gaps_of(inventory, query)[0].kind is GapKind.HIDDEN


@pytest.mark.parametrize(("state", "access"), [("OFFLINE", 0), ("RESTORING", 0), ("ONLINE", 0)])
def test_a_database_that_cannot_be_entered_is_a_gap_for_each_fact_and_nothing_is_asked(state: str, access: int) -> None:
    script = Script({**healthy(), "databases": [database("Sales", state_desc=state, has_access=access)]})
    inventory = collect(script)
    assert not any(name == "Sales" for _, name in script.asked)
    assert {"module_texts", "remote_synonyms", "external_data_sources"} <= {gap.query for gap in inventory.gaps}


def test_one_database_that_refuses_costs_only_itself() -> None:
    script = Script(
        {
            **healthy(),
            "linked_servers": [link("FIN")],
            "databases": [database("Sales"), database("Secondary")],
            ("module_texts", "Secondary"): denied(976),
            ("remote_dependencies", "Secondary"): denied(976),
            ("remote_synonyms", "Secondary"): denied(976),
            ("external_data_sources", "Secondary"): denied(976),
            ("module_texts", "Sales"): [piece("SELECT * FROM FIN.a.b.c")],
        }
    )
    inventory = collect(script)
    assert [usage.name for usage in inventory.usages] == ["dbo.proc7"]
    assert {gap.database for gap in inventory.gaps if gap.query == "module_texts"} == {"Secondary"}


# --- who uses it ------------------------------------------------------------------------------------------------------


def test_uses_come_from_texts_dependencies_synonyms_and_job_steps_each_once() -> None:
    inventory = inventory_of(
        linked_servers=[link("FIN")],
        databases=[database("Sales")],
        module_texts=[],
        job_steps=[
            step("DELETE fin.a.b.c", "TSQL", database_name="Sales", last_run_date=20261101, last_run_time=13005)
        ],
    )
    assert inventory.usages == (
        Usage("FIN", UsageKind.JOB_STEP, "Sales", "Nightly, step 1", datetime(2026, 11, 1, 1, 30, 5)),
    )
    script = Script(
        {
            **healthy(),
            "linked_servers": [link("FIN")],
            "databases": [database("Sales")],
            ("module_texts", "Sales"): [piece("SELECT * FROM FIN.a.b.c")],
            ("remote_dependencies", "Sales"): [
                {"object_id": 7, "schema_name": "dbo", "object_name": "proc7", "server_name": "fin"},
                {"object_id": 8, "schema_name": "dbo", "object_name": "encrypted", "server_name": "FIN"},
                {"object_id": 9, "schema_name": "dbo", "object_name": "p", "server_name": "GONE"},
            ],
            ("remote_synonyms", "Sales"): [
                {"schema_name": "dbo", "synonym_name": "Entries", "base_object_name": "[FIN].[a].[b].[c]"},
                {"schema_name": "dbo", "synonym_name": "Local", "base_object_name": "[a.b].[c.d]"},
            ],
            "module_last_runs": [
                {"database_name": "SALES", "object_id": 7, "last_execution_time": datetime(2026, 11, 2, 3, 4)}
            ],
        }
    )
    assert collect(script).usages == (
        Usage("FIN", UsageKind.MODULE, "Sales", "dbo.proc7", datetime(2026, 11, 2, 3, 4)),
        Usage("FIN", UsageKind.MODULE, "Sales", "dbo.encrypted", None),
        Usage("FIN", UsageKind.SYNONYM, "Sales", "dbo.Entries", None),
    )


def test_last_runs_are_asked_only_where_some_module_matters() -> None:
    script = Script({**healthy(), "databases": [database("Sales")]})
    collect(script)
    assert "module_last_runs" not in [name for name, _ in script.asked]


def test_dependencies_that_are_refused_cost_nothing_where_the_texts_were_searched() -> None:
    assert gaps_of(inventory_of(remote_dependencies=denied(229)), "remote_dependencies") == []
    both = inventory_of(module_texts=denied(229), remote_dependencies=denied(229))
    assert gaps_of(both, "remote_dependencies") != []


# --- job steps --------------------------------------------------------------------------------------------------------


def test_a_million_job_steps_are_cut_and_the_cut_is_told() -> None:
    inventory = inventory_of(job_steps=[step("sqlcmd -S a", step_id=number) for number in range(1, 5002)])
    assert len(inventory.tool_calls) == 5001
    assert "cut after 5001 rows" in gaps_of(inventory, "job_steps")[0].message


def test_refused_job_steps_are_a_gap_that_may_hide_connections() -> None:
    (found,) = gaps_of(inventory_of(job_steps=denied(229)), "job_steps")
    assert (found.kind, found.hides_edges) == (GapKind.REFUSED, True)
    assert found.permission is not None
    assert "sysjobsteps" in found.permission


def test_a_disabled_job_is_kept_and_marked() -> None:
    (call,) = inventory_of(job_steps=[step("sqlcmd -S a", is_enabled=0)]).tool_calls
    assert call.is_enabled is False


def test_a_module_that_runs_a_tool_is_told_apart_from_a_job() -> None:
    script = Script(
        {
            **healthy(),
            "databases": [database("Sales")],
            ("module_texts", "Sales"): [piece(f"EXEC xp_cmdshell 'bcp a in b -S DW01 -P {CANARY}' -- OPENROWSET")],
        }
    )
    inventory = collect(script)
    (call,) = inventory.tool_calls
    assert (call.job, call.step, call.tool, call.server) == ("Sales.dbo.proc7", 0, "bcp", "DW01")
    assert CANARY not in repr(inventory)


# --- multiserver ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "messages", "channel", "has_gap"),
    [
        (2, (), 2, False),
        (0, (), 0, False),
        (7, (), None, False),
        (None, ("RegQueryValueEx() returned error 2",), 2, False),
        (None, ("RegQueryValueEx() returned error 5",), None, True),
        (None, (), None, True),
    ],
)
def test_how_the_agent_encrypts_towards_its_master(
    value: int | None, messages: tuple[str, ...], channel: int | None, has_gap: bool
) -> None:
    script = Script(
        {
            **healthy(),
            "master_server": [{"originating_server": "MSX01", "is_master": 1}],
            "msx_encryption": [{"msx_encrypt_channel_options": value}],
        },
        messages={"msx_encryption": messages},
    )
    inventory = collect(script)
    assert inventory.master_server == MasterServer("MSX01", channel)
    assert bool(gaps_of(inventory, "msx_encryption")) is has_gap


def test_the_registry_is_asked_only_on_target_servers() -> None:
    script = Script(healthy())
    inventory = collect(script)
    assert "msx_encryption" not in [name for name, _ in script.asked]
    assert inventory.master_server is None


def test_target_servers_of_a_master() -> None:
    assert inventory_of(target_servers=[{"server_name": "TSX01"}]).target_servers == (TargetServer("TSX01"),)
