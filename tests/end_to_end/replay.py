"""What the demo estate answered once, answered again to the real collector with one right taken away.

A recording holds every batch with its answer. The replay stands where the connection does, so that plan, reading, gaps
and judging are the real ones and a whole estate takes a fraction of a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pyodbc

from assessor.collect.collector import Opener, collect_all
from assessor.collect.connection import Answer, Conversation, connect
from assessor.collect.driver import Driver
from assessor.collect.inventory import Inventory
from assessor.collect.queries import Query, Scope, load_queries
from assessor.collect.rights import Otherwise, Right
from assessor.estate import Estate, EstateInstance
from assessor.passwords import Password
from assessor.routes import Routes

QUERIES = load_queries()
_SYSTEM = ("master", "tempdb", "model", "msdb")

#: Changes what one batch answers: the query, its answer; raises what the driver would.
Denial = Callable[[Query, Answer], Answer]


def query_of(batch: str) -> Query:
    """The bundled query that a batch was made of, in the variant that was sent."""
    name = batch.split("\n", 1)[0].removeprefix("-- assessor: ")
    versions = next(line for line in batch.splitlines() if line.startswith("-- versions: "))
    return next(query for query in QUERIES if query.name == name and versions in query.text)


@dataclass
class Recording:
    """By instance: how connecting went, and what each batch brought."""

    refused: dict[str, Exception] = field(default_factory=dict)
    answers: dict[tuple[str, str], Answer | Exception] = field(default_factory=dict)

    def opener(self) -> Opener:
        """Connects for real and writes everything down."""

        def open_connection(
            instance: EstateInstance, driver: Driver, routes: Routes, password: Password | None
        ) -> Conversation:
            try:
                real = connect(instance, driver, routes, password)
            except pyodbc.Error as error:
                self.refused[instance.address] = error
                raise
            return _Recorder(self, instance.address, real)

        return open_connection

    def replaying(self, denial: Denial) -> Opener:
        """Answers from the record, after ``denial`` has had its say."""

        def open_connection(
            instance: EstateInstance, driver: Driver, routes: Routes, password: Password | None
        ) -> Conversation:
            if instance.address in self.refused:
                raise self.refused[instance.address]
            return _Replay(self, instance.address, denial)

        return open_connection


@dataclass
class _Recorder:
    recording: Recording
    address: str
    real: Conversation

    def ask(self, batch: str) -> Answer:
        try:
            answer = self.real.ask(batch)
        except pyodbc.Error as error:
            self.recording.answers[self.address, batch] = error
            raise
        self.recording.answers[self.address, batch] = answer
        return answer

    def close(self) -> None:
        """Before it ends, ask what this run had no reason to ask, and another may have."""
        version = next(self._values("identity", "product_version"))
        for query in QUERIES:
            fits = query.fits(int(str(version).split(".", 1)[0]), None) and query.scope is Scope.SERVER
            if fits and (self.address, query.render()) not in self.recording.answers:
                with suppress(pyodbc.Error):
                    self.ask(query.render())
        self.real.close()

    def _values(self, name: str, column: str) -> Iterator[object]:
        for (address, batch), answer in self.recording.answers.items():
            if address == self.address and query_of(batch).name == name and isinstance(answer, Answer):
                yield from (row[column] for row in dictionaries(answer))


@dataclass
class _Replay:
    recording: Recording
    address: str
    denial: Denial

    def ask(self, batch: str) -> Answer:
        query = query_of(batch)
        # What was never asked live (a second opinion, say) has an answer without rows.
        answer = self.recording.answers.get((self.address, batch))
        if isinstance(answer, Exception):
            raise answer
        return self.denial(query, answer or Answer(tuple(column.name for column in query.returns), ()))

    def close(self) -> None:
        """Nothing is open."""


def record(estate: Estate, driver: Driver) -> tuple[Recording, tuple[Inventory, ...]]:
    """Collect the estate for real, once."""
    recording = Recording()
    return recording, collect_all(estate, driver, threading.Event(), open_connection=recording.opener())


def collect_again(recording: Recording, estate: Estate, driver: Driver, denial: Denial) -> tuple[Inventory, ...]:
    """The estate as the collector sees it after ``denial``."""
    return collect_all(estate, driver, threading.Event(), open_connection=recording.replaying(denial))


# --- denials -------------------------------------------------------------------------------------------------


def error(number: int) -> pyodbc.Error:
    text = f"[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Denied. ({number}) (SQLExecDirectW)"
    return pyodbc.ProgrammingError("42000", text)


def nothing(query: Query, answer: Answer) -> Answer:
    """Every right is there."""
    return answer


def refusing(name: str) -> Denial:
    """One query is refused everywhere."""

    def denial(query: Query, answer: Answer) -> Answer:
        if query.name == name:
            raise error(229)
        return answer

    return denial


def hanging(name: str) -> Denial:
    """One query takes too long everywhere."""

    def denial(query: Query, answer: Answer) -> Answer:
        if query.name == name:
            raise pyodbc.OperationalError(
                "HYT00", "[HYT00] [Microsoft][ODBC Driver 18 for SQL Server]Query timeout expired (0)"
            )
        return answer

    return denial


def without(lost: Right) -> Denial:
    """One right is missing on every instance, as each query's header says what comes of it."""

    def denial(query: Query, answer: Answer) -> Answer:
        if query.name == "permissions":
            # A sysadmin lacks nothing, so nobody is one here.
            missing = {"is_sysadmin", _column(lost)} & set(answer.columns)
            return changed(answer, **dict.fromkeys(missing, 0))
        for right in query.rights or ():
            if (right.permission, right.securable) != (lost.permission, lost.securable):
                continue
            if right.otherwise is Otherwise.REFUSED and not _knows_that_it_is_absent(right, answer):
                raise error(229 if right.securable else 300)
            if right.otherwise is Otherwise.HIDDEN:
                answer = hidden(query, right, answer)
        return answer

    return denial


def hidden(query: Query, right: Right, answer: Answer) -> Answer:
    """The answer as it looks without a right that hides: fewer rows, or NULL in a column, and no error."""
    match query.name, right.permission:
        case "linked_servers", _:
            return changed(answer, provider_string=None, sees_all=0)
        case "login_mappings", "VIEW ANY DEFINITION":
            return changed(answer, local_login=None)
        case "databases", "VIEW ANY DATABASE":
            return kept(answer, lambda row: row["name"] in _SYSTEM)
        case "databases", "CONNECT ANY DATABASE":
            rows = [row if row["name"] in _SYSTEM else {**row, "has_access": 0} for row in dictionaries(answer)]
            return Answer(answer.columns, tuple(tuple(row.values()) for row in rows), answer.messages)
        case (("held_subscriptions" | "held_merge_subscriptions"), _):
            if not answer.rows:
                raise error(208)  # it can't be told from a table that is absent, so it is read, and fails
            return answer
        case (("database_features" | "security_log_audits"), _):
            return changed(answer, **dict.fromkeys(answer.columns, 0))
        case (("client_flags" | "host_domain" | "msx_encryption"), _):
            said = "RegOpenKeyEx() returned error 5, 'Access is denied.'"
            return Answer(answer.columns, ((None,) * len(answer.columns),), (*answer.messages, said))
        case _:
            return Answer(answer.columns, (), answer.messages)


def _knows_that_it_is_absent(right: Right, answer: Answer) -> bool:
    """A table that is not there refuses nobody; it is there where there were rows, or where the table always is."""
    return right.in_database and not answer.rows


def _column(right: Right) -> str:
    return "is_sysadmin" if right.permission == "sysadmin" else right.permission.lower().replace(" ", "_")


def dictionaries(answer: Answer) -> Iterator[dict[str, object]]:
    for row in answer.rows:
        yield dict(zip(answer.columns, row, strict=True))


def changed(answer: Answer, **values: object) -> Answer:
    """The same rows with other values in some columns."""
    rows = tuple(tuple({**row, **values}.values()) for row in dictionaries(answer))
    return Answer(answer.columns, rows, answer.messages)


def kept(answer: Answer, keep: Callable[[dict[str, object]], bool]) -> Answer:
    """Only the rows that ``keep`` wants."""
    rows = tuple(tuple(row.values()) for row in dictionaries(answer) if keep(row))
    return Answer(answer.columns, rows, answer.messages)
