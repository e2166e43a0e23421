"""T-SQL for review: every text inert, every option kept, nothing written that could not be right."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import datetime

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots_by_hand import HOSTILE, inventory

from assessor.clients.options import redact
from assessor.collect.inventory import LinkedServer, LinkedServerOptions, LoginMapping
from assessor.remedies.actions import Action
from assessor.remedies.ladder import Change, Owner, RemedyId
from assessor.remedies.tsql import (
    NotScripted,
    changed_definition,
    comment,
    definition_of,
    definition_script,
    distributor_script,
    literal,
    with_host,
)
from tests.remedies.tsql_effect import Instance, Stopped, run

_NOT_ON_A_LINE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
OPTIONS = LinkedServerOptions(
    rpc=True,
    collation_compatible=False,
    use_remote_collation=True,
    collation_name="Latin1_General_BIN",
    connect_timeout=15,
    query_timeout=600,
    lazy_schema_validation=True,
    remote_proc_transaction_promotion=False,
)


def row(**changes: object) -> LinkedServer:
    base = replace(
        inventory("sql01").linked_servers[0],
        name="LINK",
        product="",
        provider="SQLNCLI11",
        data_source="sql02",
        options=OPTIONS,
        modified=None,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def action(
    kind: Change = Change.HOST_NAME, setting: str = "HostNameInCertificate=sql02.corp.example", **changes: object
) -> Action:
    made = Action(
        id="an:action",
        title="A change",
        kind=kind,
        on="sql01",
        owner=Owner.SOURCE_DBA,
        edges=("e",),
        unblocks=1,
        wave=1,
        price="",
        is_secure=True,
        restart=False,
        only_after_upgrade=False,
        verify="",
        undo="",
        detail="",
        remedy=RemedyId.HOST_NAME,
        chosen=True,
        left=0,
        subject="LINK",
        setting=setting,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def instance(definition: LinkedServer, major: int = 17) -> Instance:
    return Instance("SQL01", major, {definition.name: {"name": definition.name, "product": definition.product}})


def played(definition: LinkedServer, change: Action, **fill: str) -> dict[str, object]:
    found = instance(definition)
    run(definition_script(change, inventory("sql01"), definition).change, found, fill)
    return found.servers[definition.name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "N'plain'"),
        ("O'Brien", "N'O''Brien'"),
        ("", "N''"),
        ("a\nGO\nb", "N'a' + NCHAR(10) + N'GO' + NCHAR(10) + N'b'"),
        ("$(x)", "N'$' + N'(x)'"),
        ("\U000e0001", "NCHAR(56128) + NCHAR(56321)"),
        ("\ud800", "NCHAR(55296)"),
    ],
)
def test_a_text_is_written_so_that_nothing_obeys_it(text: str, expected: str) -> None:
    assert literal(text) == expected


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(), max_size=60))
def test_any_text_survives_as_data_and_stays_on_one_line(text: str) -> None:
    written = literal(text)
    assert written.isprintable()
    assert "$(" not in written
    sqlglot.parse_one(f"SELECT {written}", read="tsql")
    # Two surrogates in a row are one character to SQL Server, whichever way Python holds them.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    found = Instance("X", 17, {text: {}})
    run(f"DECLARE @server sysname = {written}; EXEC sp_setnetname @server = @server, @netname = @server;", found)
    assert found.servers[text]["data_source"] == text


@settings(deadline=None, max_examples=150)
@given(st.text(st.characters(), max_size=60))
def test_a_comment_is_one_line_that_nothing_replaces(text: str) -> None:
    assert not [character for character in comment(text) if unicodedata.category(character) in _NOT_ON_A_LINE]
    assert "$(" not in comment(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_whole_scripts_with_hostile_names_parse_and_do_what_they_say(text: str) -> None:
    if not text:
        return
    definition = row(name=text, product=text, data_source=text, location=text, catalog=text, options=OPTIONS)
    definition = replace(definition, logins=(LoginMapping(text, False, text),), provider_string=redact(text))
    host = inventory("sql01")
    written = definition_script(
        action(Change.DATA_SOURCE, "x.example", title=text, id=text, subject=text), host, definition
    )
    for script in (written.change, written.undo):
        sqlglot.parse(script, read="tsql", error_level=sqlglot.ErrorLevel.RAISE)
        assert not [line for line in script.splitlines() if not line.isprintable()]
        assert "$(" not in script
        found = instance(definition)
        run(script, found, {f"secret_{number}": "s" for number in range(1, 9)})
        assert list(found.servers) == [text]
        assert found.mappings[0]["local_login"] == text


def test_a_keyword_is_put_first_and_the_old_one_taken_out() -> None:
    old = definition_of(row(provider_string="encrypt=no;Application Name=x;ENCRYPT=yes"))
    assert changed_definition(old, Change.TRUST, "Encrypt=yes;TrustServerCertificate=yes").string == (
        "Encrypt=yes;TrustServerCertificate=yes;Application Name=x"
    )


def test_a_pin_is_dropped_and_nothing_else() -> None:
    old = definition_of(row(provider_string="ServerCertificate=c:/x.cer;Encrypt=yes"))
    assert changed_definition(old, Change.DROP_PIN, "").string == "Encrypt=yes"


def test_a_string_that_never_ends_is_not_scripted() -> None:
    with pytest.raises(NotScripted, match="never closed"):
        changed_definition(definition_of(row(provider_string="PWD={abc")), Change.TRUST, "Encrypt=yes")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sql02", "new.example"),
        ("tcp:sql02\\SALES,1450", "tcp:new.example\\SALES,1450"),
        ("sql02,1450", "new.example,1450"),
        ("tcp:10.0.0.1,1450", "tcp:new.example,1450"),
        ("[::1],1450", "new.example,1450"),
    ],
)
def test_only_the_host_of_a_data_source_is_exchanged(before: str, after: str) -> None:
    assert with_host(before, "new.example") == after


def test_a_short_string_is_changed_in_place_so_that_mappings_are_never_touched() -> None:
    script = definition_script(action(), inventory("sql01"), row(provider_string="Application Name=x"))
    assert "sp_dropserver" not in script.change + script.undo
    assert played(row(provider_string="Application Name=x"), action())["provider_string"] == (
        "HostNameInCertificate=sql02.corp.example;Application Name=x"
    )


@pytest.mark.parametrize(
    "definition",
    [
        pytest.param(row(provider_string="Application Name=" + "x" * 100), id="over 128 characters"),
        pytest.param(row(product="SQL Server", provider="SQLNCLI"), id="product SQL Server"),
    ],
)
def test_otherwise_it_is_recreated_with_all_options(definition: LinkedServer) -> None:
    found = played(definition, action())
    assert found["product"] == ""
    assert str(found["provider_string"]).startswith("HostNameInCertificate=sql02.corp.example")
    assert found["query_timeout"] == 600
    assert found["collation_name"] == "Latin1_General_BIN"
    assert found["is_remote_proc_transaction_promotion_enabled"] is False


def test_before_2016_the_option_is_not_trusted_to_exist() -> None:
    old = inventory("sql01")
    assert old.identity is not None
    old = replace(old, identity=replace(old.identity, product_version="12.0.6024.0"))
    assert "sp_dropserver" in definition_script(action(Change.TRUST, "Encrypt=yes"), old, row()).change


def test_product_sql_server_waits_for_the_driver_on_versions_that_lack_it() -> None:
    definition = row(product="SQL Server", provider="SQLNCLI")
    script = definition_script(action(Change.TRUST, "Encrypt=yes"), inventory("sql01"), definition).change
    with pytest.raises(Stopped, match="Install OLE DB Driver 18"):
        run(script, instance(definition, major=13))
    run(script, instance(definition, major=13), {"driver_is_installed": "1"})


def test_a_masked_string_is_never_written_back() -> None:
    definition = row(provider_string=redact("UID=sa;PWD={a;b};Foo=bar;Application Name=x"))
    script = definition_script(action(), inventory("sql01"), definition).change
    assert "***" not in script
    with pytest.raises(Stopped, match="fill in each @secret"):
        run(script, instance(definition))
    found = played(definition, action(), secret_1="sa", secret_2="{a;b}", secret_3="Foo=bar")
    assert found["provider_string"] == (
        "HostNameInCertificate=sql02.corp.example;UID=sa;PWD={a;b};Foo=bar;Application Name=x"
    )


def test_a_remote_password_has_to_be_filled_in() -> None:
    definition = row(
        product="SQL Server", logins=(LoginMapping(None, False, "reader"), LoginMapping("CORP\\x", True, None))
    )
    script = definition_script(action(), inventory("sql01"), definition).change
    found = instance(definition)
    with pytest.raises(Stopped):
        run(script, found)
    run(script, found, {"secret_1": "pw"})
    assert [(each.get("remote_name"), each["uses_self_credential"]) for each in found.mappings] == [
        ("reader", False),
        (None, True),
    ]


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        (row(provider_string_known=False), "could not be read"),
        (row(product="SQL Server", is_subscriber=True), "replication uses this entry"),
        (row(product="SQL Server", is_linked=False), "sp_addserver"),
        (row(product="SQL Server", options=None), "options were not read"),
        (
            row(product="SQL Server", logins=(LoginMapping("(login hidden from us, principal_id 7)", True, None),)),
            "mappings",
        ),
    ],
)
def test_what_would_lose_something_is_not_scripted(definition: LinkedServer, why: str) -> None:
    with pytest.raises(NotScripted, match=why):
        definition_script(action(), inventory("sql01"), definition)


def test_a_definition_that_changed_since_stops_the_script() -> None:
    definition = row(modified=datetime(2026, 11, 1, 12, 0, 5, 123))
    script = definition_script(action(), inventory("sql01"), definition)
    assert "@read_as nvarchar(19) = N'2026-11-01T12:00:05'" in script.change
    assert "@read_as" not in script.undo, "the change itself changes the date"


def test_the_price_of_an_insecure_change_stands_in_its_script() -> None:
    change = action(Change.TRUST, "Encrypt=yes;TrustServerCertificate=yes", is_secure=False, price="Nobody notices.")
    script = definition_script(change, inventory("sql01"), row())
    assert "-- NOT SECURE. Price: Nobody notices." in script.change
    assert "NOT SECURE" not in script.undo


def test_a_distributor_property_waits_for_2025_and_goes_back() -> None:
    change = action(Change.DISTRIBUTOR_TRUST, "yes", only_after_upgrade=True)
    script = distributor_script(change, inventory("sql01"))
    with pytest.raises(Stopped, match="Only after the upgrade"):
        run(script.change, Instance("SQL01", 16))
    found = Instance("SQL01", 17)
    run(script.change, found)
    assert found.properties == {"trust_distributor_certificate": "yes"}
    run(script.undo, found)
    assert found.properties == {"trust_distributor_certificate": "no"}
