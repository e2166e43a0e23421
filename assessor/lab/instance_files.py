"""Reads the lab's data: ``certificates.toml`` and ``instances/*.toml``, as ``sample_data/README.md`` describes them.

Every complaint is one sentence with file, key and mend (:class:`~assessor.errors.UsageError`).
"""

from __future__ import annotations

import ipaddress
import re
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assessor.collect.queries import Platform, Query, Scope
from assessor.errors import UsageError
from assessor.lab.behaviour import Drops, Encryption, Hangs, Refused, Reply, Rows
from assessor.lab.canned import columns_of
from assessor.lab.certificates import KEY_KINDS, SIGNATURES, USAGES, Description
from assessor.lab.derived import COLUMN_DEFAULTS, DERIVED, SYSTEM_DATABASES, Facts
from assessor.lab.tls import TlsVersion
from assessor.lab.wire import Column, ServerMessage, Value

_M = TypeVar("_M", bound=BaseModel)
_DEFAULT_PORT: Final = 1433
_TDS8_SINCE: Final = 16
_VERSION = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,5}\.\d{1,5}")


class State(StrEnum):
    """Whether and how a server's port answers."""

    UP = "up"
    OFF = "off"  #: nothing listens
    SILENT = "silent"
    CLOSES = "closes"
    OTHER_SERVICE = "other_service"


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _AuthorityTable(_Table):
    cn: str = Field(min_length=1, max_length=64)
    issuer: str | None = None
    valid_days: list[int] = Field(default=[-365, 3650], min_length=2, max_length=2)
    key: str = "ec-p256"
    signature: str = "sha256"


class _CertificateTable(_AuthorityTable):
    dns: list[str] = []
    ip: list[str] = []
    valid_days: list[int] = Field(default=[-30, 365], min_length=2, max_length=2)
    eku: list[str] = ["server"]
    key: str = "rsa-2048"
    sends: list[str] | None = None


class _CertificatesFile(_Table):
    upgrade_in_days: int = Field(default=60, ge=0, le=3650)
    authorities: dict[str, _AuthorityTable] = {}
    certificates: dict[str, _CertificateTable] = {}


class _InstanceTable(_Table):
    host: str = Field(min_length=1, max_length=253)
    names: list[str] | None = None
    instance: str | None = Field(default=None, min_length=1, max_length=16)
    port: int | None = Field(default=None, ge=1, le=65535)
    version: str = "15.0.4415.2"
    edition: str = "Enterprise Edition (64-bit)"
    platform: Literal["Windows", "Linux"] = "Windows"
    domain: str | None = None
    registered_name: str | None = None
    databases: list[str] = []
    state: Literal["up", "off", "silent", "closes", "other_service"] = "up"
    certificate: str | None = None
    encryption: Literal["available", "forced", "not_supported"] = "available"
    force_strict: bool = False
    tds8: bool | None = None
    tls: list[Literal["1.0", "1.1", "1.2", "1.3"]] | None = Field(default=None, min_length=2, max_length=2)
    hidden: bool = False
    browser: bool = True
    logins: list[str] = ["assessor"]
    lacks: list[str] = []
    configured: str | None = None
    rows: dict[str, Any] = {}
    change: dict[str, dict[str, Any]] = {}
    hangs: list[str] = []
    drops: list[str] = []
    conceals: list[str] = []
    refuse: dict[str, Any] = {}


class _RefusalTable(_Table):
    number: int = Field(ge=1)
    message: str = Field(min_length=1)
    severity: int = Field(default=14, ge=11, le=25)
    state: int = Field(default=1, ge=0, le=255)


@dataclass(frozen=True, slots=True)
class CertificatesFile:
    """``certificates.toml``, read and checked."""

    upgrade_in_days: int
    authorities: Mapping[str, Description]
    certificates: Mapping[str, Description]


def read_certificates(path: Path) -> CertificatesFile:
    """Read ``certificates.toml``.

    Raises:
        UsageError: it is missing, malformed or asks for what the lab can't make.

    """
    file = _validate(_CertificatesFile, _read_toml(path), path)

    def describe(name: str, where: str, table: _AuthorityTable) -> Description:
        place = f"{path.name}: [{where}.{name}]"
        if table.key not in KEY_KINDS:
            raise UsageError(f"{place} key = {table.key!r}: write one of {', '.join(KEY_KINDS)}")
        if table.signature not in SIGNATURES:
            raise UsageError(f"{place} signature = {table.signature!r}: write one of {', '.join(SIGNATURES)}")
        first, last = table.valid_days
        if first >= last:
            raise UsageError(f"{place} valid_days = {table.valid_days}: the first day must come before the last")
        if not isinstance(table, _CertificateTable):
            return Description(
                name, table.cn, table.issuer, valid_days=(first, last), key=table.key, signature=table.signature
            )
        for address in table.ip:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise UsageError(f"{place} ip = {address!r} is no IP address; names go into dns") from None
        for usage in table.eku:
            if usage not in USAGES:
                raise UsageError(f"{place} eku = {usage!r}: write one of {', '.join(USAGES)}")
        return Description(
            name=name,
            cn=table.cn,
            issuer=table.issuer,
            dns=tuple(table.dns),
            ip=tuple(table.ip),
            valid_days=(first, last),
            eku=tuple(table.eku),
            key=table.key,
            signature=table.signature,
            sends=None if table.sends is None else tuple(table.sends),
        )

    return CertificatesFile(
        file.upgrade_in_days,
        {name: describe(name, "authorities", table) for name, table in file.authorities.items()},
        {name: describe(name, "certificates", table) for name, table in file.certificates.items()},
    )


@dataclass(frozen=True, slots=True)
class InstanceFile:
    """One ``instances/NAME.toml``, read and checked but for its rows, which need the certificate's thumbprint."""

    path: Path
    table: _InstanceTable

    @property
    def key(self) -> str:
        """The file's name without its suffix: how the lab calls this server."""
        return self.path.stem

    @property
    def host(self) -> str:
        """Full host name, lower case."""
        return self.table.host.lower()

    @property
    def short(self) -> str:
        """First label of the host name."""
        return self.host.split(".", 1)[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that leads to the host, the full one first, lower case."""
        others = [self.short] if self.table.names is None else self.table.names
        return tuple(dict.fromkeys((self.host, *(name.lower() for name in others))))

    @property
    def port(self) -> int:
        """TCP port, as configured."""
        return self.table.port or _DEFAULT_PORT

    @property
    def state(self) -> State:
        """Whether it answers."""
        return State(self.table.state)

    @property
    def version(self) -> tuple[int, int, int, int]:
        """The product version, in four numbers."""
        major, minor, build, revision = (int(part) for part in self.table.version.split("."))
        return major, minor, build, revision

    @property
    def encryption(self) -> Encryption:
        """Server-side encryption."""
        return Encryption(self.table.encryption)

    @property
    def tds8(self) -> bool:
        """Whether TLS-first connections are answered."""
        return self.version[0] >= _TDS8_SINCE if self.table.tds8 is None else self.table.tds8

    @property
    def tls(self) -> tuple[TlsVersion, TlsVersion]:
        """Lowest and highest TLS version."""
        if self.table.tls is None:
            return TlsVersion.V1_2, TlsVersion.V1_3 if self.version[0] >= _TDS8_SINCE else TlsVersion.V1_2
        lowest, highest = self.table.tls
        return TlsVersion(lowest), TlsVersion(highest)

    @property
    def server_name(self) -> str:
        r"""``HOST`` or ``HOST\INSTANCE``."""
        host = self.short.upper()
        return host if self.table.instance is None else f"{host}\\{self.table.instance}"

    @property
    def databases(self) -> tuple[str, ...]:
        """All databases."""
        return (*SYSTEM_DATABASES, *self.table.databases)

    def facts(self, thumbprint: str | None, started: datetime, configured: str | None = None) -> Facts:
        """What derived rows are made from. ``thumbprint`` is ``None`` for the server's own certificate; ``configured``
        is the one in the registry where that is another, which takes effect at the next start.
        """
        table = self.table
        _, _, suffix = self.host.partition(".")
        return Facts(
            host=self.host,
            short=self.short,
            instance=table.instance,
            port=self.port,
            version=table.version,
            edition=table.edition,
            platform=table.platform,
            domain=table.domain if table.domain is not None else suffix or None,
            server_name=self.server_name,
            registered_name=table.registered_name or self.server_name,
            databases=tuple(table.databases),
            encryption=self.encryption,
            force_strict=table.force_strict,
            hidden=table.hidden,
            login=table.logins[0] if table.logins else "assessor",
            thumbprint=thumbprint,
            started=started,
            lacks=tuple(table.lacks),
            configured=configured,
        )

    def queries(self, bundled: Sequence[Query]) -> dict[str, Query]:
        """The bundled queries of this version, by name. One for another platform is known, too: it gets no rows."""
        return {query.name: query for query in bundled if self.version[0] in query.versions}

    def replies(
        self, bundled: Sequence[Query], facts: Facts, texts: Mapping[str, str]
    ) -> dict[tuple[str, str | None], Reply]:
        """What each bundled query answers here; ``texts`` are the values of ``${…}``.

        Raises:
            UsageError: a query, database or column is unknown, or a value doesn't fit its column.

        """
        return _Answering(self, self.queries(bundled), facts, texts).replies()


def read_instance(path: Path) -> InstanceFile:
    """Read one instance file.

    Raises:
        UsageError: it is malformed or contradicts itself.

    """
    table = _validate(_InstanceTable, _read_toml(path), path)
    if not _VERSION.fullmatch(table.version):
        raise UsageError(f"{path.name}: version = {table.version!r}: write four parts, such as 16.0.4175.1")
    if table.instance is not None and table.port is None:
        raise UsageError(f"{path.name}: a named instance needs its port, such as port = 49301")
    if table.tls is not None and table.tls[0] > table.tls[1]:
        raise UsageError(f"{path.name}: tls = {table.tls}: the lowest version comes first")
    file = InstanceFile(path, table)
    if table.force_strict and not file.tds8:
        raise UsageError(f"{path.name}: force_strict needs TDS 8.0: a version from 16 on, or tds8 = true")
    if table.encryption == "not_supported" and (table.force_strict or table.certificate is not None):
        raise UsageError(f'{path.name}: encryption = "not_supported" allows no certificate and no force_strict')
    return file


class _ChangesTable(_Table):
    """What ``remediated.toml`` says of one instance: keys that replace those of its file, and rows by query."""

    set_: dict[str, Any] = Field(default={}, alias="set")
    drop_rows: dict[str, list[str]] = {}
    change_rows: dict[str, list[dict[str, Any]]] = {}
    add_rows: dict[str, list[dict[str, Any]]] = {}


class _WordsTable(_Table):
    old: str = Field(min_length=1)
    new: str


class _BoardTable(_Table):
    edge: str
    owner: str = ""
    decision: str = ""
    ticket: str = ""
    due_in_days: int | None = None
    exception_reason: str = ""
    exception_until_in_days: int | None = None


class _RemediationFile(_Table):
    estate: list[_WordsTable] = []
    instances: dict[str, _ChangesTable] = {}
    board: list[_BoardTable] = []


@dataclass(frozen=True, slots=True)
class TypedByTheBoard:
    """What people type into the workbook between two runs of the demo's story. Days count from today."""

    edge: str  #: id
    owner: str
    decision: str
    ticket: str
    due_in_days: int | None
    exception_reason: str
    exception_until_in_days: int | None


@dataclass(frozen=True, slots=True)
class Remediation:
    """``remediated.toml``: what people did between two runs."""

    estate: tuple[tuple[str, str], ...]  #: texts of the estate file, and what stands there afterwards
    instances: tuple[InstanceFile, ...]  #: the changed ones, whole
    board: tuple[TypedByTheBoard, ...]


def read_remediation(path: Path, instances: Mapping[str, InstanceFile]) -> Remediation:
    """Read ``remediated.toml``, which changes ``instances`` (by file name).

    Raises:
        UsageError: it is malformed, or changes what is not there.

    """
    file = _validate(_RemediationFile, _read_toml(path), path)
    changed = []
    for key, changes in file.instances.items():
        if key not in instances:
            known = ", ".join(sorted(instances))
            raise UsageError(f"{path.name}: [instances.{key}]: there is no such file; there are {known}")
        changed.append(_changed(instances[key], changes, path))
    return Remediation(
        tuple((words.old, words.new) for words in file.estate),
        tuple(changed),
        tuple(TypedByTheBoard(**typed.model_dump()) for typed in file.board),
    )


def _changed(file: InstanceFile, changes: _ChangesTable, path: Path) -> InstanceFile:
    data = _read_toml(file.path)
    data.update(changes.set_)
    rows = data.setdefault("rows", {})
    for query in {*changes.drop_rows, *changes.change_rows, *changes.add_rows}:
        kept: list[dict[str, Any]] = rows.setdefault(query, [])
        by_name = {row.get("name", row.get("server_name")): row for row in kept}
        for name in (
            *changes.drop_rows.get(query, ()),
            *(row.get("name") for row in changes.change_rows.get(query, ())),
        ):
            if name not in by_name:
                raise UsageError(f"{path.name}: [instances.{file.key}]: {query} has no row named {name!r}")
        for row in changes.change_rows.get(query, ()):
            by_name[row["name"]].update(row)
        dropped = set(changes.drop_rows.get(query, ()))
        rows[query] = [row for row in kept if row.get("name", row.get("server_name")) not in dropped]
        rows[query] += changes.add_rows.get(query, ())
    changed = InstanceFile(file.path, _validate(_InstanceTable, data, path, f"[instances.{file.key}]"))
    if (changed.host, changed.port, changed.table.instance) != (file.host, file.port, file.table.instance):
        raise UsageError(
            f"{path.name}: [instances.{file.key}]: host, port and instance can't change while the lab runs"
        )
    return changed


class _Answering:
    """Turns the tables of one instance file into replies."""

    def __init__(
        self, file: InstanceFile, queries: Mapping[str, Query], facts: Facts, texts: Mapping[str, str]
    ) -> None:
        self._file = file
        self._table = file.table
        self._queries = queries
        self._facts = facts
        self._texts = texts

    def replies(self) -> dict[tuple[str, str | None], Reply]:
        self._check_conceals()
        found: dict[tuple[str, str | None], Reply] = {}
        for name, derive in DERIVED.items():
            if name in self._queries and name not in self._table.rows:
                rows = [dict(row) for row in derive(self._facts)]
                found[name, None] = self._rows(name, f"derived {name}", rows)
        for name in self._table.change:
            if name not in DERIVED or name in self._table.rows:
                raise self._wrong(f"change.{name}", "change only rows the lab derives; write rows of your own")
        for name, given in self._table.rows.items():
            for database, rows in self._by_database("rows", name, given):
                place = f"rows.{name}" if database is None else f"rows.{name}.{database}"
                found[name, database] = self._rows(name, place, rows)
        for name, given in self._table.refuse.items():
            query = self._query("refuse", name)
            if query.scope is Scope.DATABASE and isinstance(given, dict) and "number" not in given:
                for database, refusal in given.items():
                    place = f"refuse.{name}.{database}"
                    found[name, self._database(place, database)] = self._refused(place, refusal)
            else:
                found[name, None] = self._refused(f"refuse.{name}", given)
        for names, reply in ((self._table.hangs, Hangs()), (self._table.drops, Drops())):
            for name in names:
                self._query("hangs/drops", name)
                found = {key: old for key, old in found.items() if key[0] != name}
                found[name, None] = reply
        return found

    def _wrong(self, place: str, complaint: str) -> UsageError:
        return UsageError(f"{self._file.path.name}: {place}: {complaint}")

    def _query(self, place: str, name: str) -> Query:
        if name not in self._queries:
            known = ", ".join(sorted(self._queries))
            raise self._wrong(place, f"no bundled query {name!r} fits this version; known are: {known}")
        return self._queries[name]

    def _database(self, place: str, database: str) -> str:
        known = {name.lower() for name in self._file.databases}
        if database.lower() not in known:
            raise self._wrong(place, f"{database!r} is not among databases = {self._table.databases}")
        return database.lower()

    def _by_database(self, what: str, name: str, given: Any) -> list[tuple[str | None, list[Any]]]:
        query = self._query(what, name)
        if query.scope is Scope.SERVER:
            if not isinstance(given, list):
                raise self._wrong(f"{what}.{name}", f"asked once per server: write [[{what}.{name}]]")
            return [(None, given)]
        if not isinstance(given, dict) or not all(isinstance(rows, list) for rows in given.values()):
            raise self._wrong(f"{what}.{name}", f"asked per database: write [[{what}.{name}.DATABASE]]")
        return [(self._database(f"{what}.{name}", database), rows) for database, rows in given.items()]

    def _refused(self, place: str, given: Any) -> Refused:
        refusals = given if isinstance(given, list) else [given]
        tables = [_validate(_RefusalTable, refusal, self._file.path, place) for refusal in refusals]
        return Refused(
            tuple(
                ServerMessage(table.number, self._fill(table.message, place), table.severity, table.state)
                for table in tables
            )
        )

    def _rows(self, name: str, place: str, rows: Sequence[Any]) -> Rows:
        query = self._queries[name]
        columns = columns_of(query)
        if query.platform is not Platform.ANY and query.platform != self._table.platform.lower():
            return Rows(columns)
        changes = self._table.change.get(name, {})
        answer = []
        for number, row in enumerate(rows, 1):
            where = f"{place} row {number}"
            if not isinstance(row, dict):
                raise self._wrong(where, "a row is a table: column = value")
            row = {**COLUMN_DEFAULTS.get(name, {}), **row, **changes}
            known = [column.name for column in columns]
            for column in row:
                if column not in known:
                    raise self._wrong(where, f"no column {column!r}; the columns are: {', '.join(known)}")
            answer.append(tuple(self._value(query, column, row, where) for column in columns))
        return Rows(columns, tuple(answer))

    def _value(self, query: Query, column: Column, row: Mapping[str, Any], where: str) -> Value:
        if f"{query.name}.{column.name}" in self._table.conceals:
            return None
        if column.name not in row:
            return False if column.type.name == "bit" else None
        value = row[column.name]
        if isinstance(value, str):
            value = self._fill(value, where)
            if column.type.name == "uniqueidentifier":
                try:
                    value = UUID(value)
                except ValueError:
                    raise self._wrong(where, f"{column.name} = {value!r} is no uniqueidentifier") from None
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        elif isinstance(value, int) and not isinstance(value, bool) and column.type.name == "bit":
            value = {0: False, 1: True}.get(value, value)
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        if complaint := column.type.accepts(value):
            raise self._wrong(where, f"{column.name}: {complaint}")
        result: Value = value
        return result

    def _fill(self, text: str, where: str) -> str:
        try:
            return string.Template(text).substitute(self._texts) if "${" in text else text
        except (KeyError, ValueError):
            known = ", ".join("${" + name + "}" for name in self._texts)
            raise self._wrong(where, f"{text!r} has an unknown placeholder; known are {known}") from None

    def _check_conceals(self) -> None:
        for entry in self._table.conceals:
            name, _, column = entry.partition(".")
            query = self._query("conceals", name)
            if column not in [known.name for known in query.returns]:
                raise self._wrong("conceals", f"{entry!r} names no column; write QUERY.COLUMN")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: the lab can't read it ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from error


def _validate(model: type[_M], data: object, path: Path, place: str = "") -> _M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = f"{path.name}: {place + ': ' if place else ''}{key or 'table'}"
        if first["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields)
            raise UsageError(f"{where}: no such key; at this place known are: {known}") from None
        raise UsageError(f"{where}: {first['msg']}") from None
