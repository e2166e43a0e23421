"""The data-source grammar: every way a DBA or a definition writes the address of a SQL Server.

Read by :func:`parse_data_source`. Sources: clients reference section 5.2, which rests on SqlClient's source,
sql-docs ``connect/oledb/applications/using-connection-string-keywords-with-oledb-driver-for-sql-server.md``
(2020-09-30) and what ODBC Driver 18.6 was seen to do.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DEFAULT_PORT: Final = 1433
DEFAULT_INSTANCE: Final = "MSSQLSERVER"
MAX_DATA_SOURCE: Final = 512  #: characters; prefix, a DNS name of 253, instance and port fit twice
MAX_HOST: Final = 253  #: RFC 1035, as text without the trailing dot
MAX_LABEL: Final = 63


class Protocol(StrEnum):
    """Prefix of a data source. Without one the driver tries shared memory, TCP, then pipes."""

    TCP = "tcp"
    NAMED_PIPES = "np"
    SHARED_MEMORY = "lpc"
    ADMIN = "admin"


class BadDataSource(ValueError):
    """The text is nothing that a SQL Server client would dial; the message is one sentence with the mend."""


@dataclass(frozen=True, slots=True)
class DataSource:
    r"""A parsed data source.

    ``host`` is the text that a client matches against the certificate: prefix, brackets, instance and port
    are gone, case is as written. An empty host means the local machine, as ``.`` and ``(local)`` do.
    ``host\MSSQLSERVER`` is the default instance, so ``instance`` is then ``None``. Where instance and port
    are both given, the port wins and Browser isn't asked.
    """

    text: str
    protocol: Protocol | None
    host: str
    instance: str | None
    port: int | None
    pipe: str | None = None  #: the pipe path after ``np:``

    @property
    def is_local(self) -> bool:
        """The machine that dials is meant, whatever it is called."""
        return self.host.rstrip(".").lower() in LOCAL_HOSTS

    @property
    def is_local_db(self) -> bool:
        r"""``(localdb)\X``: a process of the dialling user, never on the network."""
        return self.host.lower() == LOCAL_DB


LOCAL_HOSTS: Final = frozenset({"", "(local)", "localhost", "127.0.0.1", "::1"})
LOCAL_DB: Final = "(localdb)"

_PREFIX = re.compile(r"(tcp|np|lpc|admin)[ \t]*:", re.IGNORECASE)
_PIPE = re.compile(r"\\\\(?P<host>[^\\]+)\\pipe\\(?P<path>.+)", re.IGNORECASE)
_SQL_PIPE = re.compile(r"(?:MSSQL\$(?P<instance>[^\\]+)\\)?sql\\query", re.IGNORECASE)
_COLON_PORT = re.compile(r"(?P<host>[^:\[\]]+):[ \t]*(?P<port>\d{1,5})")
_FORMS: Final = "write host, host\\instance or host,port"
_NEVER_IN_A_HOST = frozenset('"<>|*?;=[]{}')


def parse_data_source(text: str) -> DataSource:
    r"""Read one data source, e.g. ``tcp:sql01.corp.example\SALES,1450``.

    Raises :class:`BadDataSource` with one sentence that says what is wrong and how to write it.
    """
    if len(text) > MAX_DATA_SOURCE:
        raise BadDataSource(
            f"a data source of {len(text)} characters is no server address; "
            f"{_FORMS} ({MAX_DATA_SOURCE} characters at most)"
        )
    _refuse_control_characters(text)
    rest = text.strip()
    protocol: Protocol | None = None
    if prefix := _PREFIX.match(rest):
        protocol = Protocol(prefix.group(1).lower())
        rest = rest[prefix.end() :].strip()
    if rest.startswith("\\\\"):
        return _pipe(text, protocol, rest)
    if "/" in rest:
        raise BadDataSource(f"{_quoted(text)} contains '/', which no SQL Server address does; {_FORMS}")
    address, comma, port_text = rest.partition(",")
    port = _port(text, port_text) if comma else None
    host, slash, instance_text = address.partition("\\")
    host, instance_text = host.strip(), instance_text.strip()
    instance = _instance(text, instance_text) if slash else None
    if slash and not host:
        raise BadDataSource(f"{_quoted(text)} names no host before the '\\'; write host\\instance")
    if host.lower() == LOCAL_DB:
        if instance is None:
            raise BadDataSource(f"{_quoted(text)} names no LocalDB instance; write (localdb)\\INSTANCE")
    else:
        host = _host(text, host)
    return DataSource(text, protocol, host, instance, port)


def same_server_key(source: DataSource, *, local_host: str = "") -> str:
    """Text that is equal for two data sources that dial the same server from the same machine.

    Case, prefix, trailing dot, brackets and a written-out default port don't count; ``.`` and its relatives
    become ``local_host``. A port beats an instance name, as it does when dialling. Short names and FQDNs stay
    apart: which short name belongs to which FQDN only :mod:`assessor.topology.nodes` knows.
    """
    host = (local_host if source.is_local else source.host).rstrip(".").lower()
    return f"{host}{_service(source)}"


def _service(source: DataSource) -> str:
    if source.pipe is not None and source.instance is None and not _SQL_PIPE.fullmatch(source.pipe):
        return f"|{source.pipe.lower()}"
    # The port of an admin: address is that of the dedicated connection, not one that names the server.
    if source.port not in (None, DEFAULT_PORT) and source.protocol is not Protocol.ADMIN:
        return f",{source.port}"
    if source.instance is not None and source.port is None:
        return f"\\{source.instance.lower()}"
    return ""


def is_ip_address(host: str) -> bool:
    """``host`` is an IPv4 or IPv6 literal, zone included."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse_control_characters(text: str) -> None:
    for character in text:
        if character != "\t" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
            raise BadDataSource(
                f"a data source contains the control character U+{ord(character):04X}; take it out and {_FORMS}"
            )


def _pipe(text: str, protocol: Protocol | None, rest: str) -> DataSource:
    match = _PIPE.fullmatch(rest)
    if match is None or protocol not in (None, Protocol.NAMED_PIPES):
        raise BadDataSource(f"{_quoted(text)} is no pipe path; write np:\\\\host\\pipe\\sql\\query, or host to use TCP")
    path = match["path"]
    sql_pipe = _SQL_PIPE.fullmatch(path)
    instance = sql_pipe["instance"] if sql_pipe else None
    if instance is not None and instance.upper() == DEFAULT_INSTANCE:
        instance = None
    return DataSource(text, Protocol.NAMED_PIPES, _host(text, match["host"].strip()), instance, None, pipe=path)


def _port(text: str, port_text: str) -> int:
    digits = port_text.strip()
    if not digits:
        raise BadDataSource(f"{_quoted(text)} ends in a comma; write host,port, or leave the comma out")
    if not (digits.isascii() and digits.isdigit()):
        raise BadDataSource(
            f"{_quoted(text)} has something after the comma that is no port; write a number from 1 to 65535"
        )
    if len(digits) > 5 or not 1 <= int(digits) <= 65535:
        raise BadDataSource(f"{_quoted(text)} has a port outside 1 to 65535; write the instance's port")
    return int(digits)


def _instance(text: str, instance: str) -> str | None:
    if not instance or "\\" in instance:
        raise BadDataSource(f"{_quoted(text)} must have one instance name after the '\\'; write host\\instance")
    if any(character.isspace() or character in _NEVER_IN_A_HOST or character == ":" for character in instance):
        raise BadDataSource(f"{_quoted(text)} has a character that no instance name contains; write host\\instance")
    return None if instance.upper() == DEFAULT_INSTANCE else instance


def _host(text: str, host: str) -> str:
    if host.lower() in LOCAL_HOSTS or host == ".":
        return host
    if host.startswith("[") and host.endswith("]"):
        inner = host[1:-1]
        if ":" in inner and is_ip_address(inner):
            return inner
        raise BadDataSource(f"{_quoted(text)} has brackets around what is no IPv6 address; leave them out")
    if ":" in host:
        if is_ip_address(host):
            return host
        if colon := _COLON_PORT.fullmatch(host):
            mend = "host,port" if _may_hide_a_secret(text) else f"{_printable(colon['host'].strip())},{colon['port']}"
            raise BadDataSource(f"{_quoted(text)} has the port after a colon, a JDBC habit; write {mend}")
        raise BadDataSource(
            f"{_quoted(text)} is neither an IPv6 address nor one of tcp:, np:, lpc: and admin: with a host; {_FORMS}"
        )
    if any(character.isspace() or character in _NEVER_IN_A_HOST for character in host):
        raise BadDataSource(f"{_quoted(text)} has a character in the host that no host name contains; {_FORMS}")
    labels = host.removesuffix(".").split(".")
    if len(host) > MAX_HOST + 1 or any(not 1 <= len(label) <= MAX_LABEL for label in labels):
        raise BadDataSource(
            f"{_quoted(text)} is no host name: each part between dots has 1 to {MAX_LABEL} characters, "
            f"the whole {MAX_HOST} at most"
        )
    return host


def _may_hide_a_secret(text: str) -> bool:
    return ";" in text or "=" in text or "@" in text


def _quoted(text: str) -> str:
    """The text for a message, short; not at all where a connection string with a password may stand in it."""
    if _may_hide_a_secret(text):
        return "the data source (not shown, for it looks like a connection string)"
    shown = _printable(text.strip())
    return f"'{shown[:80]}…'" if len(shown) > 80 else f"'{shown}'"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
