"""An estate file from a list that exists already: SSMS's registered servers, a CSV, a Central Management Server. Pure.

Nothing that a list says is trusted: addresses are parsed as in an estate file, everything else becomes a comment.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from xml.parsers import expat

from assessor.collect.rows import Table
from assessor.errors import UsageError
from assessor.names import BadDataSource, Protocol, parse_data_source, same_server_key
from assessor.report.text import shorten, visible

LARGEST_FILE: Final = 16 * 1024 * 1024
_MOST_SERVERS: Final = 20_000
_DEEPEST: Final = 64  #: elements of a .regsrvr file that stand inside each other
_LONGEST_TEXT: Final = 4_000
_ADDRESS_COLUMNS: Final = (
    "address",
    "server",
    "servername",
    "server_name",
    "instance",
    "host",
    "hostname",
    "datasource",
)
_LOGIN_COLUMNS: Final = ("login", "user", "username")
_PASSWORD_COLUMNS: Final = ("password", "pwd", "passwort", "secret")


@dataclass(frozen=True, slots=True)
class Listed:
    """One server as a list names it. ``where`` says where in the list."""

    address: str
    where: str
    group: str = ""
    label: str = ""
    wave: str = ""
    login: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that can't be used."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportedEstate:
    """The estate file's text, and what the person should hear about it."""

    text: str
    instances: int
    merged: int
    refused: tuple[Refused, ...]


# --- lists --------------------------------------------------------------------------------------------------


def servers_in_csv(data: bytes, origin: str) -> Iterator[Listed | Refused]:
    """The rows of a CSV file: a header with a column ``address``, and ``wave`` and ``login`` if wanted, in any order.

    Raises :class:`~assessor.errors.UsageError` when there is no such header, or a column of passwords.
    """
    text = _decoded(data)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [re.sub(r"[\s\-]+", "", name).lower() for name in next(reader, [])]
    except csv.Error as error:
        raise UsageError(f"{origin} is no CSV file ({visible(str(error))}).") from None
    if any(name in _PASSWORD_COLUMNS for name in header):
        raise UsageError(
            f"{origin} has a column of passwords; take it out, for an estate file only names where they come from."
        )
    column = {
        key: next((number for number, name in enumerate(header) if name in names), None)
        for key, names in (
            ("address", _ADDRESS_COLUMNS),
            ("wave", ("wave",)),
            ("login", _LOGIN_COLUMNS),
            ("group", ("group",)),
        )
    }
    if column["address"] is None:
        raise UsageError(f"{origin} has no column called address; write a first line such as: address;wave;login")

    def cell(row: list[str], key: str) -> str:
        number = column[key]
        return row[number].strip() if number is not None and number < len(row) else ""

    while True:
        begins = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Refused(f"line {begins}", f"it can't be read ({visible(str(error))})")
            continue
        if not any(value.strip() for value in row):
            continue
        if len(row) > len(header):
            yield Refused(f"line {begins}", f"it has {len(row)} values, and the first line names {len(header)}")
            continue
        yield Listed(
            cell(row, "address"),
            f"line {begins}",
            group=cell(row, "group"),
            wave=cell(row, "wave"),
            login=cell(row, "login"),
        )


def servers_registered(data: bytes, origin: str) -> tuple[Listed | Refused, ...]:
    """The servers of a ``.regsrvr`` file, as SSMS exports a group of registered servers.

    Read with expat; a document type declaration is refused, so nothing in the file can expand. Raises
    :class:`~assessor.errors.UsageError` when it is no such file.
    """
    reader = _RegisteredServers()
    parser = expat.ParserCreate(namespace_separator="\n")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two: an encoding nobody has
        raise UsageError(
            f"{origin} is no file that SSMS exported ({error}); export the registered servers again."
        ) from None
    except _NotRegisteredServers as error:
        raise UsageError(f"{origin} is no file that SSMS exported: {error}.") from None
    if not reader.found:
        raise UsageError(f"{origin} holds no registered server; export a group of them from SSMS.")
    return tuple(reader.found)


class _NotRegisteredServers(Exception):
    pass


@dataclass(slots=True)
class _RegisteredServers:
    """Collects RegisteredServer elements, by the names that SSMS gives them whatever the prefix."""

    found: list[Listed | Refused] = field(default_factory=list)
    _path: list[str] = field(default_factory=list)
    _text: str = ""
    _server: dict[str, str] | None = None

    def doctype(self, *_: object) -> None:
        raise _NotRegisteredServers("it has a document type declaration")

    def start(self, name: str, _: dict[str, str]) -> None:
        local = name.rpartition("\n")[2]
        self._path.append(local)
        self._text = ""
        if len(self._path) > _DEEPEST:
            raise _NotRegisteredServers(f"its elements stand more than {_DEEPEST} deep inside each other")
        if local == "RegisteredServer" and self._path[-2:-1] != ["Reference"]:
            self._server = {}

    def characters(self, text: str) -> None:
        if len(self._text) < _LONGEST_TEXT:
            self._text += text

    def end(self, _: str) -> None:
        local = self._path.pop()
        server = self._server
        if server is not None:
            if local == "RegisteredServer":
                self._add(server)
                self._server = None
            elif local == "Uri" and "Parent" in self._path:
                server["Parent"] = self._text.strip()
            else:
                server.setdefault(local, self._text.strip())
        self._text = ""

    def _add(self, server: dict[str, str]) -> None:
        label = server.get("Name", "")
        where = f"registration {label or len(self.found) + 1}"
        if server.get("ServerType", "DatabaseEngine") not in ("DatabaseEngine", "0"):
            self.found.append(Refused(where, "it is no database engine"))
        elif not server.get("ServerName"):
            self.found.append(Refused(where, "it names no server"))
        else:
            groups = re.findall(
                r"/ServerGroup\[@Name='((?:[^']|'')*)'\]|/ServerGroup/([^/]+)", server.get("Parent", "")
            )
            names = [(quoted.replace("''", "'") or plain) for quoted, plain in groups]
            self.found.append(Listed(server["ServerName"], where, group=" / ".join(names), label=label))


def servers_managed(table: Table, server: str) -> Iterator[Listed | Refused]:
    """The answer of ``queries/import/registered_servers.sql``."""
    for number, row in enumerate(table, 1):
        label = row.text("label") or ""
        where = f"registration {label or number}"
        groups = [name for name in (row.text("parent_name"), row.text("group_name")) if name]
        address = row.text("server_name") or ""
        if not address.strip():
            yield Refused(where, "it names no server")
        else:
            yield Listed(address, where, group=" / ".join(groups), label=label)
    if table.is_cut:
        yield Refused(server, f"it lists more than {len(table) - 1} servers; the rest was not asked for")


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


# --- the estate file ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Entry:
    listed: Listed
    key: str
    lines: list[str]
    also: list[str] = field(default_factory=list)


def imported_estate(servers: Iterable[Listed | Refused], origin: str, upgrade_date: date) -> ImportedEstate:
    """The text of an estate file with every server of the list that can be one.

    A server that is listed twice is one instance, with a comment; a row that can't be used becomes a comment with its
    place and reason. Raises :class:`~assessor.errors.UsageError` when no server is left.
    """
    entries: dict[str, _Entry] = {}
    refused: list[Refused] = []
    merged = 0
    for server in servers:
        if isinstance(server, Refused):
            refused.append(server)
            continue
        made = _entry(server)
        if isinstance(made, Refused):
            refused.append(made)
        elif made.key in entries:
            merged += 1
            entries[made.key].also.append(_also(entries[made.key], made))
        elif len(entries) >= _MOST_SERVERS:
            refused.append(
                Refused(server.where, f"an estate file of more than {_MOST_SERVERS} instances is too long; split it")
            )
        else:
            entries[made.key] = made
    if not entries:
        why = f": {refused[0].where}: {refused[0].reason}" if refused else ""
        raise UsageError(f"{origin} lists no server that can be assessed{visible(why)}.")
    lines = [*_head(origin, upgrade_date, len(entries)), *_body(entries.values()), *_foot(refused)]
    return ImportedEstate("".join(f"{line}\n" for line in lines), len(entries), merged, tuple(refused))


def _entry(server: Listed) -> _Entry | Refused:
    address = server.address.strip()
    if not address:
        return Refused(server.where, "it names no server")
    try:
        source = parse_data_source(address)
    except BadDataSource as error:
        return Refused(server.where, str(error))
    if source.is_local_db or source.protocol not in (None, Protocol.TCP):
        return Refused(server.where, "it is not dialled over TCP")
    lines = [f"address = {_toml(address)}"]
    if server.wave:
        if server.wave.lower() in ("none", "no", "-"):
            lines.append('wave = "none"')
        elif re.fullmatch(r"\d{1,4}", server.wave):
            lines.append(f"wave = {int(server.wave)}")
        else:
            return Refused(server.where, "its wave is no whole number from 0 to 9999, and not none")
    if server.login:
        if server.login.lower() in ("windows", "integrated", "sspi", "trusted"):
            lines.append('login = { method = "windows" }')
        elif len(server.login) > 128:
            return Refused(server.where, "its login is longer than 128 characters")
        elif "\\" in server.login:
            lines.append(f"# login {_comment(server.login)}: a Windows account; start assessor as that account")
            lines.append('login = { method = "windows" }')
        else:
            user = server.login.removeprefix("sql:")
            lines.append(
                f'login = {{ method = "sql", user = {_toml(user)}, password = {{ env = "ASSESSOR_PASSWORD" }} }}'
            )
    return _Entry(server, same_server_key(source), lines)


def _also(first: _Entry, other: _Entry) -> str:
    remark = f"# also {_comment(other.listed.where)}: {_comment(other.listed.address)}"
    if other.listed.group and other.listed.group != first.listed.group:
        remark += f", in {_comment(other.listed.group)}"
    for word in ("wave", "login"):
        theirs, ours = getattr(other.listed, word), getattr(first.listed, word)
        if theirs and theirs != ours:
            remark += f", with {word} {_comment(theirs)}"
    return remark


def _head(origin: str, upgrade_date: date, count: int) -> Iterator[str]:
    yield f"# Estate file of assessor, made from {_comment(origin)}: {count} instances. CHANGE what says so."
    yield "# `assessor init` without --from writes one with every key explained; see docs/estate-file.md."
    yield ""
    yield 'name = "My estate"                       # CHANGE: heads every report'
    yield f"upgrade_date = {upgrade_date.isoformat()}                # CHANGE: certificates are judged at this date"
    yield ""
    yield "[defaults]"
    yield "wave = 1                                 # CHANGE: upgrade waves"
    yield 'login = { method = "windows" }'


def _body(entries: Iterable[_Entry]) -> Iterator[str]:
    group = None
    for entry in entries:
        yield ""
        if entry.listed.group and entry.listed.group != group:
            yield f"# ---- {_comment(entry.listed.group)} ----"
            yield ""
        group = entry.listed.group
        if entry.listed.label and entry.listed.label != entry.listed.address:
            yield f"# {_comment(entry.listed.label)}"
        yield from entry.also
        yield "[[instances]]"
        yield from entry.lines


def _foot(refused: Iterable[Refused]) -> Iterator[str]:
    begun = False
    for each in refused:
        if not begun:
            yield ""
            yield "# ---- not taken over ----"
            begun = True
        yield f"# {_comment(each.where)}: {_comment(each.reason)}"


def _comment(text: str) -> str:
    """Text that can't end the comment it stands in."""
    return shorten(" ".join(visible(text).split()), 300)


def _toml(text: str) -> str:
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    escaped = "".join(
        character if character.isprintable() and character not in '"\\' else f"\\U{_scalar(character):08X}"
        for character in text
    )
    return f'"{escaped}"'


def _scalar(character: str) -> int:
    """Its number; half a character, which TOML can't hold, counts as the replacement character."""
    code = ord(character)
    return 0xFFFD if 0xD800 <= code <= 0xDFFF else code
