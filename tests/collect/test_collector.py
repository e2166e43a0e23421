"""What the collector makes of answers, refusals, lost connections and stops; the conversation is scripted."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pyodbc
import pytest

from assessor.clients.options import Encrypt
from assessor.collect import collector
from assessor.collect.collector import collect_all
from assessor.collect.connection import AnswerTooLarge
from assessor.collect.inventory import (
    DistributedSubscription,
    Distributor,
    Gap,
    GapKind,
    Inventory,
    Listener,
    LoginMapping,
    Publication,
    Subscriber,
    Subscription,
    TraceFlag,
)
from assessor.estate import ConnectionPolicy, Login, LoginMethod
from assessor.passwords import EnvironmentVariable

from .scripted import DRIVER, Script, collect, database, denied, estate, healthy, instance, log, lost


def gap(inventory: Inventory, query: str) -> Gap:
    found = inventory.lacks(query)
    assert found is not None, [entry.query for entry in inventory.gaps]
    return found


def link(name: str, **columns: object) -> dict[str, object]:
    return {"name": name, "provider": "SQLNCLI11", "is_linked": True, "sees_all": 1, **columns}


# --- a healthy instance -------------------------------------------------------------------------------------


def test_an_instance_that_answers_everything_leaves_no_gap() -> None:
    inventory = collect(Script(healthy()))
    assert inventory.gaps == ()
    assert inventory.identity is not None
    assert inventory.identity.platform == "Windows"
    assert inventory.identity.fqdn == "SQL01.corp.example"
    assert inventory.collected_as == "inventory"
    assert inventory.connection_validated is True
    assert inventory.collected_at is not None
    assert inventory.collected_at.tzinfo is not None
    assert inventory.in_availability_group is False
    assert inventory.encryption.loaded_thumbprint == "AB" * 20
    assert inventory.encryption.self_generated is False
    assert inventory.trace_flags == (TraceFlag(17600, False, False),)


def test_every_question_is_asked_once() -> None:
    script = Script({**healthy(), "databases": [database("a"), database("b", is_published=True)]})
    collect(script)
    assert len(script.asked) == len(set(script.asked))
    assert ("publications", "b") in script.asked
    assert ("publications", "a") not in script.asked


def test_results_come_in_the_order_of_the_estate_and_are_announced_as_they_end() -> None:
    instances = tuple(instance(f"SQL{number:02}") for number in range(20))
    announced: list[str] = []
    script = Script(healthy())
    found = collect_all(
        estate(*instances),
        DRIVER,
        threading.Event(),
        lambda inventory: announced.append(inventory.instance),
        open_connection=script.open,
    )
    assert [inventory.instance for inventory in found] == [entry.address for entry in instances]
    assert sorted(announced) == [entry.address for entry in instances]


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [name for name in healthy() if name not in ("identity", "database_features")])
def test_one_refused_query_costs_only_its_own_facts(query: str) -> None:
    script = Script({**healthy(), query: denied(229)})
    inventory = collect(script)
    assert inventory.identity is not None
    others = {name for name, _ in script.asked}
    assert {"linked_servers", "trace_flags", "distributor"} <= others
    assert gap(inventory, query).kind is GapKind.REFUSED


def test_a_gap_names_the_right_that_would_close_it() -> None:
    found = gap(collect(Script({**healthy(), "listeners": denied(300)})), "listeners")
    assert found.permission is not None
    assert "VIEW SERVER STATE" in found.permission
    assert "not be recognised" in found.loses
    assert found.message == "Msg 300: Denied."


def test_without_an_identity_nothing_else_is_asked() -> None:
    script = Script({**healthy(), "identity": denied(229)})
    inventory = collect(script)
    assert inventory.identity is None
    assert gap(inventory, "identity").kind is GapKind.REFUSED
    assert script.asked == [("identity", "")]


def test_an_object_that_may_be_hidden_is_no_proof_of_absence() -> None:
    script = Script({**healthy(), "databases": [database("a")], "held_subscriptions": denied(208)})
    found = gap(collect(script), "held_subscriptions")
    assert (found.kind, found.database) == (GapKind.HIDDEN, "a")


# --- what is hidden -----------------------------------------------------------------------------------------


def test_a_provider_string_that_we_may_not_see_is_unknown_and_not_empty() -> None:
    replies = healthy()
    replies["permissions"] = [{**replies["permissions"][0], "alter_any_linked_server": 0}]  # type: ignore[index,dict-item]
    replies["linked_servers"] = [link("A", sees_all=0, provider_string=None)]
    inventory = collect(Script(replies))
    (server,) = inventory.linked_servers
    assert (server.provider_string, server.provider_string_known) == (None, False)
    found = gap(inventory, "linked_servers")
    assert (found.kind, found.permission) == (GapKind.HIDDEN, "ALTER ANY LINKED SERVER")


def test_no_linked_servers_is_not_believed_of_a_login_that_can_not_see_them_all() -> None:
    replies = healthy()
    replies["permissions"] = [{**replies["permissions"][0], "alter_any_linked_server": 0}]  # type: ignore[index,dict-item]
    assert gap(collect(Script(replies)), "linked_servers").kind is GapKind.HIDDEN


def test_with_the_right_a_provider_string_is_known_and_stripped_of_secrets() -> None:
    rows = [
        link("A", provider_string="Encrypt=no;Password=hunter2", data_source="SQL02"),
        link("B", provider_string=None),
        link("C", provider="MSDASQL", data_source="DSN=x;PWD=hunter2", location="UID=a;PWD=hunter2"),
    ]
    inventory = collect(Script({**healthy(), "linked_servers": rows}))
    first, second, third = inventory.linked_servers
    assert first.provider_string is not None
    assert "Encrypt=no" in first.provider_string
    assert first.data_source == "SQL02"
    assert (second.provider_string, second.provider_string_known) == (None, True)
    assert "hunter2" not in repr(inventory)
    assert third.data_source is not None


def test_a_linked_server_without_any_mapping_is_kept_and_mappings_stay_with_their_logins() -> None:
    script = Script(
        {
            **healthy(),
            "linked_servers": [link("A"), link("B")],
            "login_mappings": [
                {"server_name": "A", "local_principal_id": 0, "uses_self_credential": False, "remote_name": "r"},
                {"server_name": "A", "local_principal_id": 267, "local_login": "x", "uses_self_credential": True},
                {"server_name": "A", "local_principal_id": 268, "local_login": None, "remote_name": "s"},
            ],
        }
    )
    inventory = collect(script)
    first, second = inventory.linked_servers
    assert second.logins == ()
    assert first.logins[:2] == (LoginMapping(None, False, "r"), LoginMapping("x", True, None))
    # A login whose name is hidden must not look like the mapping for everyone.
    assert first.logins[2].local_login == "(login hidden from us, principal_id 268)"
    assert gap(inventory, "login_mappings").kind is GapKind.HIDDEN


def test_an_answer_as_long_as_its_limit_is_reported_as_cut() -> None:
    rows = [link(f"L{number}") for number in range(10_001)]
    inventory = collect(Script({**healthy(), "linked_servers": rows}))
    assert len(inventory.linked_servers) == 10_001
    assert "cut after 10001 rows" in gap(inventory, "linked_servers").message


def test_no_start_up_parameters_is_unknown_for_there_is_always_one() -> None:
    inventory = collect(Script({**healthy(), "startup_parameters": []}))
    assert inventory.trace_flags == (TraceFlag(17600, False, None),)
    assert gap(inventory, "startup_parameters").kind is GapKind.HIDDEN


@pytest.mark.parametrize(
    ("status", "parameters", "flag"),
    [
        ((1, 1), "-T17600", TraceFlag(17600, True, True)),
        ((1, 0), "-T1760", TraceFlag(17600, False, False)),
        ((1, 1), "-T176001", TraceFlag(17600, True, False)),
    ],
)
def test_a_trace_flag_counts_only_when_it_is_global(status: tuple[int, int], parameters: str, flag: TraceFlag) -> None:
    script = Script(
        {
            **healthy(17),
            "trace_flags": [{"TraceFlag": 17600, "Status": status[0], "Global": status[1], "Session": 1}],
            "startup_parameters": [{"value_name": "SQLArg3", "value_data": parameters}],
        }
    )
    assert collect(script).trace_flags == (flag,)


def test_databases_that_may_be_unlisted_are_a_gap() -> None:
    replies = healthy()
    replies["permissions"] = [{**replies["permissions"][0], "view_any_database": 0}]  # type: ignore[index,dict-item]
    assert gap(collect(Script(replies)), "databases").permission == "VIEW ANY DATABASE"


def test_a_database_that_can_not_be_entered_is_a_gap_and_is_not_asked() -> None:
    script = Script(
        {
            **healthy(),
            "databases": [
                database("closed", has_access=0, is_published=True),
                database("asleep", has_access=None, state_desc="OFFLINE"),
            ],
        }
    )
    inventory = collect(script)
    assert all(where == "" for _, where in script.asked)
    found = {(entry.query, entry.database): entry.kind for entry in inventory.gaps}
    assert found["publications", "closed"] is GapKind.REFUSED
    assert found["held_subscriptions", "closed"] is GapKind.REFUSED
    assert found["held_subscriptions", "asleep"] is GapKind.FAILED


def test_a_connection_string_written_as_the_product_is_stripped_of_secrets() -> None:
    replies = healthy(16)
    replies["linked_servers"] = [link("A", product="Server=SQL02;Password=hunter2")]
    (server,) = collect(Script(replies)).linked_servers
    assert server.product == "Server=SQL02;Password=***"


# --- encryption ---------------------------------------------------------------------------------------------


def test_a_registry_value_that_is_missing_is_unknown_and_asked_a_second_time() -> None:
    script = Script(
        {
            **healthy(16),
            "network_settings": [{"value_name": "ForceEncryption", "value_data": "1"}],
            "network_settings_registry": [{"force_encryption": 0, "hide_instance": 1, "certificate": None}],
        }
    )
    inventory = collect(script)
    settings = inventory.encryption
    assert settings.force_encryption is True  # the view's word stands
    assert settings.hide_instance is True
    assert (settings.force_strict, settings.configured_thumbprint) == (None, None)
    assert "force_strict, certificate" in gap(inventory, "network_settings").message


def test_a_refused_view_is_no_gap_when_the_registry_procedure_tells_everything() -> None:
    script = Script(
        {
            **healthy(16),
            "network_settings": denied(300),
            "network_settings_registry": [
                {"force_encryption": 0, "force_strict": 1, "hide_instance": 0, "certificate": "cd" * 20}
            ],
        }
    )
    inventory = collect(script)
    assert inventory.gaps == ()
    assert inventory.encryption.force_strict is True
    assert inventory.encryption.configured_thumbprint == "CD" * 20


def test_strict_encryption_can_not_be_forced_before_2022() -> None:
    script = Script({**healthy(15), "network_settings": [], "network_settings_registry": [{}]})
    assert collect(script).encryption.force_strict is False


def test_microsofts_second_name_for_forced_encryption_counts_too() -> None:
    rows = [{"value_name": "ForceEncryption", "value_data": "0"}, {"value_name": "Encrypt", "value_data": "1"}]
    script = Script({**healthy(), "network_settings": rows, "network_settings_registry": [{}]})
    assert collect(script).encryption.force_encryption is True


def test_a_thumbprint_pasted_from_the_certificate_dialog_is_read() -> None:
    text = "\u200e" + " ".join(["ab"] * 20)
    rows = [*healthy()["network_settings"], {"value_name": "Certificate", "value_data": text}]  # type: ignore[misc]
    assert collect(Script({**healthy(), "network_settings": rows})).encryption.configured_thumbprint == "AB" * 20


def test_linux_has_no_registry_so_its_settings_are_unknown_and_not_off() -> None:
    script = Script({**healthy(15, "/"), "network_settings": []})
    inventory = collect(script)
    asked = {name for name, _ in script.asked}
    assert not asked & {"network_settings", "network_settings_registry", "client_flags", "startup_parameters"}
    assert inventory.encryption.force_encryption is None
    assert "mssql.conf" in gap(inventory, "network_settings").message
    assert gap(inventory, "client_flags").kind is GapKind.HIDDEN


def test_the_self_made_certificate_is_searched_in_the_servers_own_words_only_when_needed() -> None:
    script = Script(
        {
            **healthy(),
            "loaded_certificate": [],
            "self_generated_certificate_local": [log("Ein selbst generiertes Zertifikat", "spid12s")],
        }
    )
    inventory = collect(script)
    assert inventory.encryption.self_generated is True
    assert inventory.encryption.loaded_thumbprint is None
    assert inventory.gaps == ()
    english = Script({**healthy(), "loaded_certificate": [], "self_generated_certificate": [log("A self-…")]})
    assert collect(english).encryption.self_generated is True
    assert ("self_generated_certificate_local", "") not in english.asked


def test_a_log_that_was_cycled_tells_nothing() -> None:
    inventory = collect(Script({**healthy(), "loaded_certificate": []}))
    assert inventory.encryption.self_generated is None
    assert "cycled" in gap(inventory, "loaded_certificate").message


def test_a_failed_login_can_not_forge_the_thumbprint() -> None:
    forged = log(f"Login failed for user '[Cert Hash(sha1) \"{'ee' * 20}\"]'", "Logon", minute=5)
    rows = [log(f'[Cert Hash(sha1) "{"ab" * 20}"]', "spid9s"), forged]
    assert collect(Script({**healthy(), "loaded_certificate": rows})).encryption.loaded_thumbprint == "AB" * 20
    # A client's own spid has no s at its end.
    only = [log(f'[Cert Hash(sha1) "{"ee" * 20}"]', "spid51")]
    assert collect(Script({**healthy(), "loaded_certificate": only})).encryption.loaded_thumbprint is None


# --- the host -----------------------------------------------------------------------------------------------


def test_client_flags_go_by_their_labels() -> None:
    row: dict[str, object] = {
        "sni18_flag1": 0,
        "sni18_flag2": 1,
        "sni19_flag1": 1,
        "sni19_flag1_label": "Trust Server Certificate",
        "sni19_flag2": 2,
        "sni19_flag2_label": "Force protocol encryption",
    }
    flags = collect(Script({**healthy(), "client_flags": [row]})).client_flags
    assert (flags.sni18_flag1, flags.sni18_flag2, flags.sni19_flag1, flags.sni19_flag2) == (0, 1, 2, 1)


@pytest.mark.parametrize(
    ("message", "is_gap"),
    [
        ("RegOpenKeyEx() returned error 5, 'Access is denied.'", True),
        ("RegOpenKeyEx() returned error 2, 'The system cannot find the file specified.'", False),
        (None, True),
    ],
)
def test_client_flags_that_are_denied_are_a_gap_and_those_that_do_not_exist_are_none(
    message: str | None, is_gap: bool
) -> None:
    script = Script({**healthy(), "client_flags": [{}]}, {"client_flags": (message,) if message else ()})
    inventory = collect(script)
    assert inventory.client_flags.sni19_flag1 is None
    assert (inventory.lacks("client_flags") is not None) is is_gap


def test_the_domain_comes_from_the_registered_names_where_the_registry_is_closed() -> None:
    text = "successfully registered the Service Principal Name (SPN) [ MSSQLSvc/SQL01.Corp.Example:1433 ]"
    script = Script({**healthy(), "host_domain": [{}], "service_principal_names": [log(text)]})
    inventory = collect(script)
    assert inventory.identity is not None
    assert inventory.identity.domain == "corp.example"
    assert inventory.gaps == ()


def test_another_hosts_registered_name_is_not_ours() -> None:
    rows = [log("[ MSSQLSvc/OTHER.corp.example:1433 ]")]
    inventory = collect(Script({**healthy(), "host_domain": [{}], "service_principal_names": rows}))
    assert inventory.identity is not None
    assert inventory.identity.domain is None
    assert gap(inventory, "host_domain").kind is GapKind.HIDDEN


def test_the_port_that_let_us_in_is_known_even_when_listeners_are_refused() -> None:
    inventory = collect(Script({**healthy(), "listeners": denied(300)}))
    assert inventory.listeners == (Listener("10.0.0.1", 1433, "TSQL"),)
    assert gap(inventory, "listeners").kind is GapKind.REFUSED


def test_a_listener_that_is_not_open_is_left_out() -> None:
    rows = [
        {"ip_address": "::", "port": 1433, "type_desc": "TSQL", "state_desc": "ONLINE"},
        {"ip_address": "::", "port": 1500, "type_desc": "TSQL", "state_desc": "PENDING_RESTART"},
    ]
    assert [entry.port for entry in collect(Script({**healthy(), "listeners": rows})).listeners] == [1433]


@pytest.mark.parametrize(
    ("enabled", "rows", "may_see", "answer"),
    [(0, 3, 1, False), (1, 3, 0, True), (1, 0, 1, False), (1, 0, 0, None), (None, 0, 0, None)],
)
def test_no_availability_group_is_believed_only_with_the_right_to_see_one(
    enabled: int | None, rows: int, may_see: int, answer: bool | None
) -> None:
    replies = healthy()
    replies["identity"] = [{**replies["identity"][0], "is_hadr_enabled": enabled}]  # type: ignore[index,dict-item]
    replies["permissions"] = [{**replies["permissions"][0], "view_any_definition": may_see}]  # type: ignore[index,dict-item]
    replies["availability_replicas"] = [{"group_name": "g", "replica_server_name": "r"}] * rows
    inventory = collect(Script(replies))
    assert inventory.in_availability_group is answer
    assert (inventory.lacks("availability_replicas") is not None) is (answer is None)


def test_a_managed_instance_is_asked_what_its_views_can_answer() -> None:
    replies = healthy(12)
    replies["identity"] = [{**replies["identity"][0], "engine_edition": 8}]  # type: ignore[index,dict-item]
    assert collect(Script(replies)).identity is not None


# --- replication --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply", [denied(14071), denied(20028), [], [{"distributor": None, "distribution database": None}]]
)
def test_no_distributor_is_an_answer(reply: object) -> None:
    inventory = collect(Script({**healthy(), "distributor": reply}))
    assert inventory.distributor is None
    assert inventory.gaps == ()


def test_the_hidden_linked_server_names_the_distributor_where_the_procedure_fails() -> None:
    script = Script(
        {
            **healthy(),
            "distributor": denied(229),
            "linked_servers": [link("repl_distributor", data_source="DIST01", is_distributor=True)],
        }
    )
    inventory = collect(script)
    assert inventory.distributor == Distributor("DIST01", None)
    assert inventory.gaps == ()


def test_publications_and_their_subscribers() -> None:
    script = Script(
        {
            **healthy(),
            "databases": [database("db", is_published=True, is_merge_published=True)],
            "publications": [
                {"name": "t", "repl_freq": 0, "options": 0},
                {"name": "s", "repl_freq": 1, "options": 0},
                {"name": "p", "repl_freq": 0, "options": 9},
            ],
            "subscriptions": [
                {"publication": "t", "subscriber": "SUB01", "subscriber_db": "x", "subscription_type": 0},
                {"publication": "t", "subscriber": "SUB02", "subscriber_db": "x", "subscription_type": 1},
            ],
            "merge_publications": [
                {"name": "m", "publisher": "sql01", "publisher_db": "DB", "distributor": "DIST01"},
                {"name": "elsewhere", "publisher": "OTHER", "publisher_db": "db", "distributor": "DIST02"},
            ],
            "merge_subscriptions": [
                {
                    "publication": "m",
                    "publisher": "SQL01",
                    "publisher_db": "db",
                    "subscriber": "SUB03",
                    "subscriber_db": "y",
                    "subscription_type": 2,
                }
            ],
        }
    )
    inventory = collect(script)
    assert inventory.publications == (
        Publication("db", "t", "transactional", None),
        Publication("db", "s", "snapshot", None),
        Publication("db", "p", "peer_to_peer", None),
        Publication("db", "m", "merge", "DIST01"),
    )
    assert inventory.subscriptions == (
        Subscription("db", "t", "SUB01", "x", True),
        Subscription("db", "t", "SUB02", "x", False),
        Subscription("db", "m", "SUB03", "y", False),
    )
    assert inventory.gaps == ()


def test_subscriptions_that_are_held_here() -> None:
    held = {"publisher": "PUB01", "publisher_db": "p", "publication": "n"}
    merge = {"publisher": "PUB02", "publisher_db": "q", "publication": "m", "distributor": "DIST02"}
    script = Script(
        {
            **healthy(),
            "databases": [database("master"), database("db")],
            "held_subscriptions": [
                {**held, "subscription_type": 1, "update_mode": 0},
                {**held, "publication": "o", "subscription_type": 0, "update_mode": 1},
            ],
            "pull_distributors": [{"publisher": "pub01", "publisher_db": "P", "publication": "N", "distributor": "D"}],
            "held_merge_subscriptions": [
                {**merge, "subscriber": "sql01", "subscriber_db": "DB", "subscription_type": 1},
                {**merge, "subscriber": "ELSE", "subscriber_db": "db", "subscription_type": 1},
            ],
        }
    )
    inventory = collect(script)
    assert set(inventory.subscribers) == {
        Subscriber("db", "PUB01", "p", "n", False, False, distributor="D"),
        Subscriber("db", "PUB01", "p", "o", True, True),
        Subscriber("db", "PUB02", "q", "m", False, False, is_merge=True, distributor="DIST02"),
    }
    assert not any(where == "master" and "subscri" in name for name, where in script.asked)


def test_the_distributors_view_and_partners_whose_name_no_list_knows() -> None:
    script = Script(
        {
            **healthy(),
            "databases": [database("dist", is_distributor=True, is_published=True)],
            "distribution_publishers": [{"name": "PUB01", "distribution_db": "dist", "active": True}],
            "distributed_subscriptions": [
                {
                    "publisher": "PUB01",
                    "publisher_db": "p",
                    "publication": "n",
                    "publication_type": 0,
                    "subscriber_id": 1,
                    "subscriber": "SUB01",
                    "subscriber_db": "s",
                    "subscription_type": 0,
                },
                {"publisher": "PUB01", "subscriber_id": 7, "subscriber": None},
            ],
        }
    )
    inventory = collect(script)
    assert inventory.distributed == (DistributedSubscription("dist", "PUB01", "p", "n", "SUB01", "s", True, False),)
    assert [publisher.name for publisher in inventory.publishers] == ["PUB01"]
    assert "by an id that no list knows" in gap(inventory, "distributed_subscriptions").message
    # Its tables have the names of a publication database's, and other columns.
    assert ("publications", "dist") not in script.asked


# --- answers that can't be true -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("linked_servers", [{"name": 5}]),
        ("linked_servers", [{"name": None}]),
        ("linked_servers", [{"name": "x" * 100_000}]),
        ("linked_servers", [{"name": "x", "modify_date": "yesterday"}]),
        ("databases", [{"name": b"x"}]),
        ("trace_flags", [{"TraceFlag": "17600", "Global": 1}]),
        ("client_flags", []),
        ("permissions", [{}, {}]),
    ],
)
def test_an_answer_of_the_wrong_shape_is_a_gap(query: str, rows: list[dict[str, object]]) -> None:
    found = gap(collect(Script({**healthy(), query: rows})), query)
    assert found.kind is GapKind.FAILED


@pytest.mark.parametrize("version", ["", "sixteen", "16", "-1.0.0.0", "1" * 50 + ".0"])
def test_an_instance_without_a_version_is_not_understood(version: str) -> None:
    replies = healthy()
    replies["identity"] = [{**replies["identity"][0], "product_version": version}]  # type: ignore[index,dict-item]
    assert collect(Script(replies)).identity is None


def test_an_answer_without_a_promised_column_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(healthy())
    ask = script.ask
    monkeypatch.setattr(
        script, "ask", lambda batch: replace(ask(batch), columns=()) if "listeners" in batch[:30] else ask(batch)
    )
    assert "lacks the column" in gap(collect(script), "listeners").message


# --- connections --------------------------------------------------------------------------------------------


def test_a_refused_login_costs_only_its_instance() -> None:
    error = pyodbc.InterfaceError(
        "28000", "[28000] [Microsoft][ODBC Driver 18 for SQL Server]No. (18456) (SQLDriverConnect)"
    )
    inventory = collect(Script({"connection": error}))
    assert inventory.identity is None
    assert gap(inventory, "connection").kind is GapKind.LOGIN_FAILED


def test_a_connection_lost_once_is_made_again_and_nothing_is_missing() -> None:
    broken = [lost()]

    def flaky() -> list[dict[str, object]]:
        if broken:
            raise broken.pop()
        return [link("A")]

    script = Script({**healthy(), "linked_servers": flaky})
    inventory = collect(script)
    assert script.opened == 2
    assert [server.name for server in inventory.linked_servers] == ["A"]
    assert inventory.gaps == ()


@pytest.mark.parametrize("error", [lost(), AnswerTooLarge("too large")])
def test_a_query_that_breaks_every_connection_is_left_out_and_the_others_are_answered(error: Exception) -> None:
    script = Script({**healthy(), "listeners": error})
    inventory = collect(script)
    assert script.opened == 3
    assert {entry.query for entry in inventory.gaps} == {"listeners"}
    assert inventory.trace_flags


def test_an_instance_that_goes_away_keeps_what_it_has_told() -> None:
    script = Script(healthy())

    def gone() -> list[dict[str, object]]:
        script.replies["connection"] = lost()
        raise lost()

    script.replies["trace_flags"] = gone
    inventory = collect(script)
    assert inventory.identity is not None
    assert inventory.listeners
    found = gap(inventory, "trace_flags")
    assert found.kind is GapKind.FAILED
    assert "connection was lost" in found.message
    assert inventory.lacks("distributor") is not None


@pytest.mark.parametrize(
    ("policy", "validated"),
    [
        (ConnectionPolicy(), True),
        (ConnectionPolicy(encrypt=Encrypt.STRICT), True),
        (ConnectionPolicy(validate=False), False),
        (ConnectionPolicy(encrypt=Encrypt.OPTIONAL), False),
    ],
)
def test_the_inventory_says_whether_our_own_connection_was_validated(policy: ConnectionPolicy, validated: bool) -> None:
    (inventory,) = collect_all(
        estate(instance(connection=policy)), DRIVER, threading.Event(), open_connection=Script(healthy()).open
    )
    assert inventory.connection_validated is validated


def test_a_password_that_is_not_there_costs_only_its_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSESSOR_NONE", raising=False)
    login = Login(LoginMethod.SQL, "sa", password=EnvironmentVariable("ASSESSOR_NONE"))
    script = Script(healthy())
    first, second = collect_all(
        estate(instance("SQL01", login=login), instance("SQL02")),
        DRIVER,
        threading.Event(),
        open_connection=script.open,
    )
    assert "ASSESSOR_NONE is not set" in gap(first, "connection").message
    assert second.identity is not None


def test_a_server_that_repeats_our_password_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSESSOR_PASSWORD", "hunter2")
    login = Login(LoginMethod.SQL, "sa", password=EnvironmentVariable("ASSESSOR_PASSWORD"))
    evil = pyodbc.ProgrammingError("42000", "[42000] [x]your password is hunter2 (50000) (SQLExecDirectW)")
    script = Script({**healthy(), "listeners": evil})
    (inventory,) = collect_all(estate(instance(login=login)), DRIVER, threading.Event(), open_connection=script.open)
    assert script.passwords == ["hunter2"]
    assert "hunter2" not in repr(inventory)


def test_a_bug_in_our_own_code_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        collect(Script({"connection": ZeroDivisionError()}))


# --- stops --------------------------------------------------------------------------------------------------


def test_a_stop_keeps_what_was_learnt_and_names_what_was_not_asked() -> None:
    stop = threading.Event()
    script = Script(healthy())

    def stopping() -> list[dict[str, object]]:
        stop.set()
        return [link("A")]

    script.replies["linked_servers"] = stopping
    release = threading.Event()

    def hang() -> list[dict[str, object]]:
        release.wait(10)
        return []

    script.replies["login_mappings"] = hang
    (inventory,) = collect_all(estate(), DRIVER, stop, open_connection=script.open)
    release.set()
    assert inventory.identity is not None
    assert inventory.databases == ()
    assert gap(inventory, "trace_flags").kind is GapKind.INTERRUPTED


def test_instances_that_were_not_begun_are_interrupted_too() -> None:
    stop = threading.Event()
    stop.set()
    found = collect_all(
        estate(instance("SQL01"), instance("SQL02")), DRIVER, stop, open_connection=Script(healthy()).open
    )
    assert [gap(inventory, "connection").kind for inventory in found] == [GapKind.INTERRUPTED] * 2


def test_an_instance_that_hangs_beyond_every_timeout_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_GRACE_SECONDS", -0.8)
    release = threading.Event()

    def hang() -> list[dict[str, object]]:
        release.wait(20)
        return []

    script = Script({**healthy(), "databases": hang})
    policy = ConnectionPolicy(login_timeout_seconds=1, query_timeout_seconds=1)
    (inventory,) = collect_all(
        estate(instance(connection=policy)), DRIVER, threading.Event(), open_connection=script.open
    )
    release.set()
    assert inventory.identity is not None
    assert gap(inventory, "databases").kind is GapKind.TIMED_OUT
    assert gap(inventory, "linked_servers").kind is GapKind.TIMED_OUT


def test_the_trust_store_of_our_connections_is_set_for_the_run_and_taken_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import os

    monkeypatch.setenv("SSL_CERT_FILE", "before")
    seen: list[str | None] = []
    script = Script(healthy())

    def look() -> list[dict[str, object]]:
        seen.append(os.environ.get("SSL_CERT_FILE"))
        return []

    script.replies["databases"] = look
    plan = replace(estate(), connect_trust_store=tmp_path / "ca.pem")
    collect_all(plan, DRIVER, threading.Event(), open_connection=script.open)
    assert seen == [str(tmp_path / "ca.pem")]
    assert os.environ["SSL_CERT_FILE"] == "before"


def test_options_that_a_recreated_definition_needs_are_read_whole_or_not_at_all() -> None:
    options = {
        "is_remote_login_enabled": True,
        "is_collation_compatible": False,
        "uses_remote_collation": True,
        "collation_name": None,
        "connect_timeout": 15,
        "query_timeout": 600,
        "lazy_schema_validation": False,
        "is_remote_proc_transaction_promotion_enabled": True,
    }
    rows = [link("A", **options), link("B", **{**options, "query_timeout": None})]
    first, second = collect(Script({**healthy(), "linked_servers": rows})).linked_servers
    assert first.options is not None
    assert (first.options.rpc, first.options.query_timeout, first.options.collation_name) == (True, 600, None)
    assert second.options is None
