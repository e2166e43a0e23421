"""Which bundled queries will work for our login, before any of them is run: the permission test, weighed.

Two queries are asked, ``permissions`` and ``permission_test``; neither reads anything but rights. What the test can't
tell is *unknown* and never "will work"; and a right that is there is no proof (First Responder Kit met logins whose
rights promised a read that failed), so only a run shows for certain.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assessor.collect import plan
from assessor.collect.connection import AnswerTooLarge, Conversation, connect, trusting
from assessor.collect.driver import Driver, load_pyodbc
from assessor.collect.failures import classify_connection, classify_query, scrub
from assessor.collect.permission_test import ENTER, NAME
from assessor.collect.queries import Finds, Platform, Query, Scope, load_queries
from assessor.collect.rights import IN_DATABASE, Otherwise, Right
from assessor.collect.rows import BadAnswer, Row, Table, read_answer
from assessor.concurrency import run_bounded
from assessor.estate import Estate, EstateInstance
from assessor.passwords import Password, PasswordUnavailable, PasswordVault, ask_for_passwords
from assessor.probe.wire import ProbeError
from assessor.routes import Routes

_CONCURRENCY: Final = 8
_MANAGED_INSTANCE: Final = 8
_NEWEST: Final = 17

Opener = Callable[[EstateInstance, Driver, Routes, Password | None], Conversation]


class Prospect(StrEnum):
    """What will become of a query, best first."""

    WORKS = "works"
    NOT_NEEDED = "not_needed"  #: no database here is worth asking, or what it reads is known to be absent
    UNKNOWN = "unknown"
    EMPTY = "empty"  #: it will run, and what it can't see will look as if it were not there
    REFUSED = "refused"


_IN_WORDS: Final[Mapping[Prospect, str]] = {
    Prospect.WORKS: "will work",
    Prospect.NOT_NEEDED: "not needed",
    Prospect.UNKNOWN: "unknown",
    Prospect.EMPTY: "will be silently empty",
    Prospect.REFUSED: "will be refused",
}


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """One query on one instance."""

    query: str
    prospect: Prospect
    why: str  #: empty where it will work
    databases: tuple[str, ...] = ()  #: those that the prospect is about, for queries of scope database

    @property
    def words(self) -> str:
        """``will be refused``."""
        return _IN_WORDS[self.prospect]


@dataclass(frozen=True, slots=True)
class InstanceCheck:
    """One instance. ``failure`` says why nothing is known of it; else ``queries`` holds every query that fits it."""

    instance: str
    login: str | None = None
    version: str | None = None
    failure: str | None = None
    queries: tuple[QueryCheck, ...] = ()

    @property
    def works(self) -> bool:
        """Every query that fits will work, as far as rights can tell."""
        good = (Prospect.WORKS, Prospect.NOT_NEEDED)
        return self.failure is None and all(each.prospect in good for each in self.queries)


def check_all(
    estate: Estate,
    driver: Driver,
    stop: threading.Event,
    *,
    vault: PasswordVault | None = None,
    open_connection: Opener = connect,
) -> tuple[InstanceCheck, ...]:
    """Connect to every instance, run the permission test and nothing else; in the estate's order.

    Raises:
        PasswordUnavailable: a password is to be asked for and nobody can be asked.

    """
    if vault is None:
        vault = ask_for_passwords(
            instance.login.password for instance in estate.instances if instance.login.password is not None
        )
    queries = load_queries()
    done: dict[str, InstanceCheck] = {}

    def work(instance: EstateInstance) -> InstanceCheck:
        return _check(instance, driver, estate.routes, vault, queries, open_connection)

    with trusting(estate.connect_trust_store):
        for instance, found in run_bounded(estate.instances, work, _CONCURRENCY, stop):
            done[instance.address] = found
    return tuple(
        done.get(instance.address, InstanceCheck(instance.address, failure="the check was stopped before it was asked"))
        for instance in estate.instances
    )


def _check(
    instance: EstateInstance,
    driver: Driver,
    routes: Routes,
    vault: PasswordVault,
    queries: Sequence[Query],
    open_connection: Opener,
) -> InstanceCheck:
    errors: tuple[type[Exception], ...] = (
        load_pyodbc().Error, AnswerTooLarge, BadAnswer, UnicodeError, OverflowError,
    )  # fmt: skip
    source = instance.login.password
    try:
        password = vault.of(source) if source is not None else None
    except PasswordUnavailable as error:
        return InstanceCheck(instance.address, failure=scrub(str(error)))
    secrets = (password.reveal(),) if password is not None else ()
    try:
        conversation = open_connection(instance, driver, routes, password)
    except ProbeError as error:
        return InstanceCheck(instance.address, failure=scrub(f"SQL Browser, for the port: {error.detail}", secrets))
    except errors as error:
        return InstanceCheck(instance.address, failure=classify_connection(error, secrets).message)
    named = {query.name: query for query in queries if query.name in ("permissions", NAME)}
    try:
        own = read_answer(named["permissions"], conversation.ask(named["permissions"].render()), has_one_row=True).only
        test = read_answer(named[NAME], conversation.ask(named[NAME].render()))
    except errors as error:
        return InstanceCheck(instance.address, failure=classify_query(error, secrets).message)
    finally:
        conversation.close()
    return weigh(instance.address, queries, own, test)


def weigh(address: str, queries: Sequence[Query], own: Row, test: Table) -> InstanceCheck:
    """What the answers of the two queries mean for every query that fits the instance. Pure."""
    version = own.text("product_version") or ""
    first = version.split(".", 1)[0]
    if not first.isdecimal():
        return InstanceCheck(address, own.text("login_name"), failure="the instance does not tell its version")
    major = _NEWEST if own.integer("engine_edition") == _MANAGED_INSTANCE else int(first)
    separator = own.text("path_separator")
    platform = {"/": Platform.LINUX, "\\": Platform.WINDOWS}.get(separator or "")
    rights = _Rights(major, own.integer("is_sysadmin") == 1, test)
    checks = [
        rights.check(query)
        for query in queries
        if query.finds is not Finds.RIGHTS and query.name not in plan.IMPORTS and query.fits(major, platform)
    ]
    if not checks:
        return InstanceCheck(address, own.text("login_name"), version, "no query fits this version")
    return InstanceCheck(address, own.text("login_name"), version, queries=tuple(checks))


class _Rights:
    """What the login holds, as far as the test told."""

    def __init__(self, major: int, is_sysadmin: bool, test: Table) -> None:
        self._major = major
        self._is_sysadmin = is_sysadmin
        self._is_cut = test.is_cut
        self._granted: dict[tuple[str | None, str, str | None, str | None], int | None] = {}
        self._databases: dict[str, Row] = {}
        for row in test:
            permission, database = row.required("permission"), row.text("name")
            if permission == ENTER and database is not None:
                self._databases[database] = row
            else:
                key = (database, permission, row.text("securable"), row.text("column_name"))
                self._granted[key] = row.integer("granted")

    def check(self, query: Query) -> QueryCheck:
        if query.scope is Scope.SERVER:
            prospect, why = self._weigh(query, None)
            return QueryCheck(query.name, prospect, why)
        found: list[tuple[Prospect, str, str]] = []
        for name, row in self._databases.items():
            if row.text("state_desc") != "ONLINE" or query.name not in _asked_of(row):
                continue
            if row.integer("granted") == 0 and not self._is_sysadmin:
                found.append((Prospect.REFUSED, "our login may not enter the database", name))
            else:
                found.append((*self._weigh(query, name), name))
        if self._is_cut:
            found.append((Prospect.UNKNOWN, "there are more databases than the permission test lists", "…"))
        if not found:
            return QueryCheck(query.name, Prospect.NOT_NEEDED, "no database here is worth asking")
        worst = max((prospect for prospect, _, _ in found), key=list(Prospect).index)
        why = next(why for prospect, why, _ in found if prospect is worst)
        return QueryCheck(query.name, worst, why, tuple(name for prospect, _, name in found if prospect is worst))

    def _weigh(self, query: Query, database: str | None) -> tuple[Prospect, str]:
        if self._is_sysadmin:
            return Prospect.WORKS, ""
        if query.rights is None:
            return Prospect.UNKNOWN, "its header does not state its rights for machines"
        return max(
            (self._weigh_right(right, database) for right in query.rights if right.needed_by(self._major)),
            key=lambda weighed: list(Prospect).index(weighed[0]),
            default=(Prospect.WORKS, ""),
        )

    def _weigh_right(self, right: Right, database: str | None) -> tuple[Prospect, str]:
        if right.permission == "CONNECT ANY DATABASE" and self._enters_all():
            return Prospect.WORKS, ""
        answers = list(self._answers(right, database))
        if all(answer == 1 for answer in answers):
            return Prospect.WORKS, ""
        if 0 in answers:
            missing = Prospect.REFUSED if right.otherwise is Otherwise.REFUSED else Prospect.EMPTY
            return missing, f"without {right}"
        if right.securable is None:
            return Prospect.UNKNOWN, f"the instance does not say whether we have {right}"
        if self._granted.get((None, "VIEW ANY DEFINITION", None, None)) == 1:
            return Prospect.NOT_NEEDED, f"{right.securable.removeprefix(IN_DATABASE)} is not here"
        return Prospect.UNKNOWN, f"{right.securable.removeprefix(IN_DATABASE)} is not here, or hidden from us"

    def _answers(self, right: Right, database: str | None) -> Iterator[int | None]:
        if right.securable is None:
            yield self._granted.get((None, right.permission, None, None))
            return
        inside = right.in_database
        for column in right.columns or (None,):
            securable = right.securable.removeprefix(IN_DATABASE)
            yield self._granted.get((database if inside else None, right.permission, securable, column))

    def _enters_all(self) -> bool:
        online = [row for row in self._databases.values() if row.text("state_desc") == "ONLINE"]
        return bool(online) and all(row.integer("granted") == 1 for row in online) and not self._is_cut


def _asked_of(row: Row) -> Iterable[str]:
    """The queries that a database is worth asking, and those that follow from their answers."""
    wanted = set(plan.wanted_of_database(row))
    if "held_subscriptions" in wanted:
        wanted.add("pull_distributors")
    if "module_texts" in wanted:
        wanted.add("remote_dependencies")
    return wanted
