"""Asks a Central Management Server for the servers that it lists."""

from __future__ import annotations

from assessor.collect.collector import Opener
from assessor.collect.connection import AnswerTooLarge, connect
from assessor.collect.driver import Driver, load_pyodbc
from assessor.collect.failures import classify_connection, classify_query, scrub
from assessor.collect.queries import load_queries
from assessor.collect.rows import BadAnswer, Table, read_answer
from assessor.errors import AssessorError, ExitCode
from assessor.estate import EstateInstance
from assessor.passwords import Password
from assessor.probe.wire import ProbeError
from assessor.routes import Routes
from assessor.shipped import queries_dir


class CentralServerSilent(AssessorError):
    """The Central Management Server could not be asked."""

    exit_code = ExitCode.NOTHING_REACHED


def registered_servers(
    server: EstateInstance, driver: Driver, routes: Routes, password: Password | None, open_connection: Opener = connect
) -> Table:
    """The answer of ``queries/import/registered_servers.sql``. Raises :class:`CentralServerSilent`."""
    (query,) = load_queries(queries_dir() / "import")
    secrets = (password.reveal(),) if password is not None else ()
    try:
        conversation = open_connection(server, driver, routes, password)
    except ProbeError as error:
        raise CentralServerSilent(f"{server.address} can't be reached: SQL Browser: {scrub(error.detail)}.") from None
    except load_pyodbc().Error as error:
        raise CentralServerSilent(
            f"{server.address} can't be asked: {classify_connection(error, secrets).message}"
        ) from None
    try:
        return read_answer(query, conversation.ask(query.render()))
    except (BadAnswer, AnswerTooLarge, UnicodeError) as error:
        raise CentralServerSilent(f"{server.address} gave no list of servers: {scrub(str(error), secrets)}.") from None
    except load_pyodbc().Error as error:
        failure = classify_query(error, secrets)
        raise CentralServerSilent(
            f"{server.address} gave no list of servers: {failure.message}; it needs the {query.permission}."
        ) from None
    finally:
        conversation.close()
