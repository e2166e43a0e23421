"""Our own connection to an instance: the connection string, and pyodbc behind a few typed calls.

One connection an instance, with autocommit, read for as long as its queries last. Encrypted and validated unless
the estate file says otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from assessor.clients.options import Encrypt
from assessor.collect.driver import Driver, load_pyodbc
from assessor.estate import EstateInstance, LoginMethod
from assessor.names import DEFAULT_PORT
from assessor.passwords import Password
from assessor.probe.browser import find_port
from assessor.probe.settings import ProbeSettings
from assessor.routes import Routes, canonical_host

_MAX_ROWS = 60_000  #: more than any bundled query asks for
_MAX_CHARACTERS = 32 * 1024 * 1024  #: of one answer; a server that sends more is not answering our query
_FETCH = 500


class AnswerTooLarge(Exception):
    """The server sends more than the query can have asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query returned: column names, rows, and the informational messages that came with them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    messages: tuple[str, ...] = ()


class Conversation(Protocol):
    """An open connection, as far as the collector needs one."""

    def ask(self, batch: str) -> Answer:
        """Run one batch and return its result set. Raises what the driver raises."""

    def close(self) -> None:
        """End it; never raises."""


@dataclass(frozen=True, slots=True)
class DialledServer:
    """What goes into ``SERVER=``, and the name that the certificate must then carry, where they differ."""

    server: str
    host_name_in_certificate: str | None = None


def dialled_server(instance: EstateInstance, routes: Routes) -> DialledServer:
    """Where to dial. With a route it is an address and a port, and the original host stays the name to check.

    A routed named instance is looked up with SQL Browser by ourselves, for the driver would ask the wrong host;
    raises :class:`assessor.probe.wire.ProbeError` when Browser does not tell.
    """
    source = instance.data_source
    host = source.host or "localhost"
    if not any(route.host == canonical_host(host) for route in routes.entries):
        return DialledServer(instance.address if source.host not in ("", ".", "(local)") else _local(instance))
    port = source.port
    if port is None and source.instance is not None:
        port = find_port(host, source.instance, ProbeSettings(routes=routes))
    port = port or DEFAULT_PORT
    address, to_port = routes.to(host, port)
    if (address, to_port) == (host, port):
        return DialledServer(f"tcp:{host},{port}")
    return DialledServer(f"tcp:{address},{to_port}", host)


def _local(instance: EstateInstance) -> str:
    source = instance.data_source
    text = "localhost"
    if source.port is not None:
        return f"{text},{source.port}"
    return f"{text}\\{source.instance}" if source.instance else text


def connection_string(
    instance: EstateInstance, driver: Driver, dialled: DialledServer, password: Password | None
) -> Password:
    """The ODBC connection string. Every value is quoted, so none of them can add a keyword.

    It holds the password in clear, so it is wrapped like one.
    """
    policy = instance.connection
    pairs = [
        ("DRIVER", driver.name),
        ("SERVER", dialled.server),
        ("APP", "assessor"),
        # The words that every driver since 11 knows; mandatory and optional are 18's synonyms for them.
        ("Encrypt", {Encrypt.MANDATORY: "yes", Encrypt.OPTIONAL: "no"}.get(policy.encrypt, "strict")),
        ("TrustServerCertificate", "no" if policy.validate else "yes"),
        ("ConnectRetryCount", "0"),  # a lost connection is ours to notice
    ]
    if policy.encrypt is Encrypt.STRICT:
        pairs = [pair for pair in pairs if pair[0] != "TrustServerCertificate"]
    name = policy.host_name_in_certificate or dialled.host_name_in_certificate
    if name is not None:
        pairs.append(("HostNameInCertificate", name))
    login = instance.login
    if login.method is LoginMethod.WINDOWS:
        pairs.append(("Trusted_Connection", "yes"))
    elif login.method is LoginMethod.ENTRA and login.authentication is not None:
        pairs.append(("Authentication", login.authentication))
    if login.user is not None:
        pairs.append(("UID", login.user))
    if password is not None:
        pairs.append(("PWD", password.reveal()))
    return Password(";".join(f"{keyword}={quoted(value)}" for keyword, value in pairs))


def quoted(value: str) -> str:
    """A value in braces, as ODBC reads it: nothing inside is special but ``}``, which is doubled."""
    return "{" + value.replace("}", "}}") + "}"


class _OdbcConversation:
    """A pyodbc connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def ask(self, batch: str) -> Answer:
        cursor = self._connection.cursor()
        try:
            cursor.execute(batch)
            messages = _texts(cursor)
            while cursor.description is None:
                if not cursor.nextset():
                    return Answer((), (), messages)
                messages += _texts(cursor)
            columns = tuple(str(column[0]) for column in cursor.description)
            rows: list[tuple[object, ...]] = []
            characters = 0
            while batch_rows := cursor.fetchmany(_FETCH):
                for row in batch_rows:
                    values = tuple(row)
                    characters += sum(len(value) for value in values if isinstance(value, str | bytes))
                    rows.append(values)
                if len(rows) > _MAX_ROWS or characters > _MAX_CHARACTERS:
                    raise AnswerTooLarge("the answer is larger than the query can have asked for")
            return Answer(columns, tuple(rows), messages + _texts(cursor))
        finally:
            cursor.close()

    def close(self) -> None:
        with suppress(Exception):  # a connection that is lost can't be closed, and that is all right
            self._connection.close()


def _texts(cursor: Any) -> tuple[str, ...]:
    return tuple(str(text) for _, text in (cursor.messages or ())[:100])


def connect(instance: EstateInstance, driver: Driver, routes: Routes, password: Password | None) -> Conversation:
    """Open the connection. Raises ``pyodbc.Error``, or :class:`assessor.probe.wire.ProbeError` from Browser."""
    pyodbc = load_pyodbc()
    text = connection_string(instance, driver, dialled_server(instance, routes), password)
    connection = pyodbc.connect(text.reveal(), autocommit=True, timeout=instance.connection.login_timeout_seconds)
    connection.timeout = instance.connection.query_timeout_seconds
    return _OdbcConversation(connection)


@contextmanager
def trusting(store: Path | None) -> Iterator[None]:
    """Let our own connections trust the roots in ``store`` (a PEM file), for the whole process.

    Where OpenSSL validates for the driver (Linux and macOS), the roots come from the file that the environment
    variable ``SSL_CERT_FILE`` names, besides the system's folder. Measured with ODBC Driver 18.6 on Linux: it is
    read anew for every connection, so it takes effect at once and can be taken back. On Windows the certificate
    stores decide and this does nothing.
    """
    if store is None:
        yield
        return
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(store)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("SSL_CERT_FILE", None)
        else:
            os.environ["SSL_CERT_FILE"] = before
