"""Which queries will work: the permission test weighed, and asked of instances through scripted connections."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pyodbc
import pytest

from assessor.collect.checking import InstanceCheck, Prospect, check_all, weigh
from assessor.collect.connection import Answer, Conversation
from assessor.collect.driver import Driver
from assessor.collect.queries import Query, Scope, load_queries
from assessor.collect.rows import Row, Table, read_answer
from assessor.estate import EstateInstance
from assessor.lab.derived import DERIVED, Facts
from assessor.passwords import Password
from assessor.routes import Routes

from .scripted import DRIVER, denied, estate, instance, lost

QUERIES = load_queries()
BY_NAME = {query.name: query for query in QUERIES}
Change = Callable[[dict[str, object]], dict[str, object] | None]


def facts(major: int = 16, lacks: tuple[str, ...] = (), databases: tuple[str, ...] = ("Sales",)) -> Facts:
    made: dict[str, object] = dict.fromkeys(Facts.__dataclass_fields__)
    made |= {"login": "assessor", "port": 1433, "version": f"{major}.0.1.2", "edition": "Ent", "platform": "Windows"}
    made |= {"databases": databases, "lacks": lacks}
    return Facts(**made)  # type: ignore[arg-type]


def table(query: Query, rows: list[dict[str, object]]) -> Table:
    columns = tuple(column.name for column in query.returns)
    return read_answer(query, Answer(columns, tuple(tuple(row.get(column) for column in columns) for row in rows)))


def weighed(change: Change = lambda row: row, own: dict[str, object] | None = None, **given: object) -> InstanceCheck:
    """The check of an instance that has every right, but for what ``given`` and the changes say."""
    server = facts(**given)  # type: ignore[arg-type]
    permissions: Row = table(BY_NAME["permissions"], [{**DERIVED["permissions"](server)[0], **(own or {})}]).only
    rows = [changed for row in DERIVED["permission_test"](server) if (changed := change(dict(row))) is not None]
    return weigh("sql01", QUERIES, permissions, table(BY_NAME["permission_test"], rows))


def prospects(found: InstanceCheck) -> dict[str, Prospect]:
    return {each.query: each.prospect for each in found.queries}


def test_every_query_that_fits_the_version_has_a_prospect_and_no_other() -> None:
    for major in (11, 13, 17):
        fitting = {query.name for query in QUERIES if major in query.versions and query.platform != "linux"}
        found = {each.query for each in weighed(major=major).queries}
        assert found == fitting - {"permissions", "permission_test", "registered_servers"}


def test_with_every_right_but_sysadmin_only_the_registry_of_the_host_stays_hidden() -> None:
    found = weighed()
    assert {name for name, prospect in prospects(found).items() if prospect is Prospect.EMPTY} == {
        query.name for query in QUERIES if any(right.is_role for right in query.rights or ())
    }
    assert Prospect.REFUSED not in prospects(found).values()
    assert not found.works


def test_for_a_sysadmin_everything_works() -> None:
    found = weighed(own={"is_sysadmin": 1}, lacks=("VIEW ANY DEFINITION", "ALTER ANY LINKED SERVER"))
    assert set(prospects(found).values()) <= {Prospect.WORKS, Prospect.NOT_NEEDED}
    assert found.works


@pytest.mark.parametrize(
    ("right", "query", "prospect"),
    [
        ("ALTER ANY LINKED SERVER", "linked_servers", Prospect.EMPTY),
        ("VIEW SERVER SECURITY STATE", "listeners", Prospect.REFUSED),
        ("VIEW ANY ERROR LOG", "loaded_certificate", Prospect.REFUSED),
        ("VIEW ANY DEFINITION", "availability_replicas", Prospect.EMPTY),
        ("VIEW ANY DATABASE", "databases", Prospect.EMPTY),
        ("SELECT ON msdb.dbo.MSdistpublishers", "distribution_publishers", Prospect.REFUSED),
        ("SELECT ON $(database).dbo.MSreplication_subscriptions", "held_subscriptions", Prospect.REFUSED),
        ("EXECUTE ON master.dbo.xp_instance_regread", "network_settings_registry", Prospect.REFUSED),
    ],
)
def test_a_missing_right_shows_where_it_is_needed_with_its_name(right: str, query: str, prospect: Prospect) -> None:
    found = weighed(lacks=(right,))
    (check,) = [each for each in found.queries if each.query == query]
    assert check.prospect is prospect
    assert right in check.why
    assert prospects(weighed())[query] is Prospect.WORKS


def test_rights_of_2022_are_not_asked_of_2019() -> None:
    assert prospects(weighed(major=15, lacks=("VIEW ANY ERROR LOG",)))["loaded_certificate"] is Prospect.WORKS
    assert prospects(weighed(major=15, lacks=("VIEW SERVER STATE",)))["loaded_certificate"] is Prospect.REFUSED


def test_a_right_that_the_instance_does_not_tell_is_unknown() -> None:
    found = weighed(lambda row: {**row, "granted": None} if row["permission"] == "VIEW SERVER SECURITY STATE" else row)
    assert prospects(found)["listeners"] is Prospect.UNKNOWN


def test_a_row_that_the_answer_lacks_is_unknown_too() -> None:
    found = weighed(lambda row: None if row["permission"] == "VIEW SERVER SECURITY STATE" else row)
    assert prospects(found)["listeners"] is Prospect.UNKNOWN


@pytest.mark.parametrize(
    ("lacks", "prospect"), [((), Prospect.NOT_NEEDED), (("VIEW ANY DEFINITION",), Prospect.UNKNOWN)]
)
def test_a_table_that_is_not_seen_is_absent_only_for_who_sees_every_definition(
    lacks: tuple[str, ...], prospect: Prospect
) -> None:
    found = weighed(
        lambda row: {**row, "granted": None} if row.get("securable") == "msdb.dbo.systargetservers" else row,
        lacks=lacks,
    )
    assert prospects(found)["target_servers"] is prospect


def test_one_column_that_may_not_be_read_is_enough() -> None:
    found = weighed(lambda row: {**row, "granted": 0} if row.get("column_name") == "distribution_db" else row)
    assert prospects(found)["distribution_publishers"] is Prospect.REFUSED


def test_a_database_that_we_may_not_enter_refuses_what_it_would_be_asked() -> None:
    found = weighed(
        lambda row: {**row, "granted": 0} if (row["permission"], row.get("name")) == ("ENTER", "Closed") else row,
        databases=("Closed", "Open"),
        lacks=("CONNECT ANY DATABASE",),
    )
    (check,) = [each for each in found.queries if each.query == "held_subscriptions"]
    assert (check.prospect, check.databases) == (Prospect.REFUSED, ("Closed",))
    assert prospects(found)["databases"] is Prospect.EMPTY


def test_users_in_every_database_are_as_good_as_connect_any_database() -> None:
    assert prospects(weighed(lacks=("CONNECT ANY DATABASE",)))["databases"] is Prospect.WORKS


def test_an_offline_database_is_not_asked() -> None:
    found = weighed(lambda row: {**row, "state_desc": "OFFLINE"} if row.get("name") == "Sales" else row)
    assert prospects(found)["held_subscriptions"] is Prospect.NOT_NEEDED


def test_queries_of_replication_are_needed_only_where_databases_replicate() -> None:
    assert prospects(weighed())["publications"] is Prospect.NOT_NEEDED
    published = weighed(lambda row: {**row, "is_published": True} if row.get("name") == "Sales" else row)
    assert prospects(published)["publications"] is Prospect.WORKS


def test_an_instance_that_does_not_tell_its_version_is_a_failure() -> None:
    assert weighed(own={"product_version": None}).failure is not None


class _Scripted:
    def __init__(self, asked: list[str], reply: Exception | None = None) -> None:
        self.asked, self.reply, self.closed = asked, reply, False

    def ask(self, batch: str) -> Answer:
        name = batch.split("\n", 1)[0].removeprefix("-- assessor: ")
        self.asked.append(name)
        if self.reply is not None:
            raise self.reply
        rows, columns = DERIVED[name](facts()), tuple(column.name for column in BY_NAME[name].returns)
        return Answer(columns, tuple(tuple(row.get(column) for column in columns) for row in rows))

    def close(self) -> None:
        self.closed = True


def test_nothing_but_the_permission_test_is_run_and_what_fails_costs_only_itself() -> None:
    asked: list[str] = []
    conversations: list[_Scripted] = []

    def open_connection(
        where: EstateInstance, driver: Driver, routes: Routes, password: Password | None
    ) -> Conversation:
        if where.address == "OFF":
            raise pyodbc.OperationalError("08001", "[08001] [Microsoft][ODBC Driver 18 for SQL Server]No route (113)")
        reply = {"DENIED": denied(229), "LOST": lost()}.get(where.address)
        conversations.append(_Scripted(asked, reply))
        return conversations[-1]

    plan = estate(instance("OK"), instance("OFF"), instance("DENIED"), instance("LOST"))
    found = check_all(plan, DRIVER, threading.Event(), open_connection=open_connection)
    assert [each.instance for each in found] == ["OK", "OFF", "DENIED", "LOST"]
    assert [each.failure is None for each in found] == [True, False, False, False]
    assert set(asked) == {"permissions", "permission_test"}
    assert all(conversation.closed for conversation in conversations)


def test_a_stopped_check_says_which_instances_were_not_asked() -> None:
    stop = threading.Event()
    stop.set()
    (found,) = check_all(estate(), DRIVER, stop, open_connection=lambda *_: _Scripted([]))
    assert found.failure is not None
    assert "stopped" in found.failure


def test_the_permission_test_is_a_query_of_the_server() -> None:
    assert BY_NAME["permission_test"].scope is Scope.SERVER
