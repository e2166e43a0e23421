"""The bundled queries: reads ``queries/*.sql`` and the comment header that each file begins with.

The header is for three readers: the DBA who reviews the file, the collector, which takes from it what a refusal
costs and which columns must come back, and the lab, which takes the types of the columns from it. Its lines::

    -- assessor: NAME            first line, always; so a trace on the server shows who asked what
    -- purpose: one sentence
    -- scope: server | database
    -- versions: 11- | 11-15     major versions, inclusive
    -- platform: any | windows | linux
    -- permission: none | the right that gives the whole answer
    -- loses: what is unknown without it
    -- returns: name type [not null], [name with spaces] type, …
    -- finds: edges | settings | findings       what a refusal costs; edges when left out
    -- rights: the permission for machines, see :mod:`assessor.collect.rights`

A line that begins with ``--`` and two more spaces goes on with the line before it. The header ends at the first
line that is no comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from assessor.collect.rights import BadRights, Right, parse_rights
from assessor.shipped import queries_dir

_KEYS = ("assessor", "purpose", "scope", "versions", "platform", "permission", "loses", "returns")
_MORE_KEYS = ("finds", "rights")
_HEADER_LINE = re.compile(r"-- ([a-z]+): (\S.*)")
_CONTINUATION = re.compile(r"--   +(\S.*)")
_COLUMN = re.compile(
    r"(?:\[(?P<quoted>[^\]]+)\]|(?P<plain>\w+)) (?P<type>[a-z0-9]+(?:\((?:\d+|max)\))?)"
    r"(?P<required> not null)?"
)


class Scope(StrEnum):
    """Asked once an instance, or once for each database that matters."""

    SERVER = "server"
    DATABASE = "database"


class Platform(StrEnum):
    """The platform a query fits."""

    ANY = "any"
    WINDOWS = "windows"
    LINUX = "linux"


class Finds(StrEnum):
    """What the facts of a query are for, so what is at stake when they are missing."""

    EDGES = "edges"  #: which connections there are: without it one may go unseen
    SETTINGS = "settings"  #: how connections behave: an edge that depends on it is not assessed, and says so
    FINDINGS = "findings"  #: what else the upgrade meets; no connection depends on it
    RIGHTS = "rights"  #: what our own login may see


class BadQuery(ValueError):
    """A bundled query breaks the header format: our own mistake, or a file somebody edited."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the answer: its name, its T-SQL type as ``nvarchar(128)``, and whether NULL is impossible."""

    name: str
    type: str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Major versions, both ends included; 11 is SQL Server 2012, 17 is 2025. ``last`` is ``None`` when open."""

    first: int
    last: int | None

    def __contains__(self, major: object) -> bool:
        return isinstance(major, int) and self.first <= major and (self.last is None or major <= self.last)

    def overlaps(self, other: VersionRange) -> bool:
        """Some version lies in both."""
        return (self.last is None or other.first <= self.last) and (other.last is None or self.first <= other.last)


@dataclass(frozen=True, slots=True)
class Query:
    """One bundled query, as its file describes it. ``text`` is the whole file, header included."""

    name: str
    purpose: str
    scope: Scope
    versions: VersionRange
    platform: Platform
    permission: str | None  #: ``None``: no right is needed
    loses: str
    returns: tuple[Column, ...]
    text: str
    finds: Finds = Finds.EDGES
    rights: tuple[Right, ...] | None = None  #: ``None``: the header does not state them for machines

    def fits(self, major: int, platform: str | None) -> bool:
        """Whether it suits an instance of this major version on this platform (``None``: not known, so try)."""
        if major not in self.versions:
            return False
        return self.platform is Platform.ANY or platform is None or self.platform == platform.lower()

    def render(self, database: str | None = None) -> str:
        """The batch to send. ``database`` is a plain name, taken from ``sys.databases``, and is quoted here.

        ``$(database)`` becomes the bracketed identifier, ``$(database_text)`` the same for use inside a string
        literal. Raises ``ValueError`` when the scope and the argument disagree.
        """
        if (self.scope is Scope.DATABASE) != (database is not None):
            raise ValueError(f"query {self.name} has scope {self.scope}: wrong call")
        if database is None:
            return self.text
        identifier = "[" + database.replace("]", "]]") + "]"
        literal = identifier.replace("'", "''")

        def named(line: str) -> str:
            # Never into a comment: a name may hold a line feed, and what follows it would be a statement.
            if line.lstrip().startswith("--"):
                return line
            # One pass, so that a database called $(database) is a name like any other.
            return re.sub(
                r"\$\((database|database_text)\)",
                lambda found: identifier if found[1] == "database" else literal,
                line,
            )

        return "\n".join(named(line) for line in self.text.split("\n"))


def load_queries(folder: Path | None = None) -> tuple[Query, ...]:
    """All bundled queries, by file name. Raises :class:`BadQuery` with file and mend."""
    folder = folder or queries_dir()
    loaded: list[Query] = []
    for file in sorted(folder.glob("*.sql")):
        query = parse_query(file.read_text(encoding="utf-8"), file.name)
        if query.name != file.name.split(".", 1)[0]:
            raise BadQuery(f"{file.name}: the first line names {query.name}; name the file {query.name}.sql")
        for other in loaded:
            if other.name == query.name and other.versions.overlaps(query.versions):
                raise BadQuery(f"{file.name}: another file has the name {query.name} for the same versions")
        loaded.append(query)
    return tuple(loaded)


def parse_query(text: str, file: str) -> Query:
    """One query from the text of its file; ``file`` is its name, for errors. Raises :class:`BadQuery`."""
    header = _read_header(text, file)
    try:
        scope = Scope(header["scope"])
        platform = Platform(header["platform"])
        finds = Finds(header.get("finds", Finds.EDGES))
        rights = parse_rights(header["rights"]) if "rights" in header else None
    except BadRights as wrong:
        raise BadQuery(f"{file}: {wrong}") from None
    except ValueError as wrong:
        raise BadQuery(f"{file}: {wrong} of its header key") from None
    if scope is Scope.SERVER and any(right.in_database for right in rights or ()):
        raise BadQuery(f"{file}: a right in $(database) belongs to queries of scope database")
    if (scope is Scope.DATABASE) != ("$(database)" in text):
        raise BadQuery(f"{file}: $(database) belongs into queries of scope database, and only there")
    versions = re.fullmatch(r"(\d+)-(\d*)", header["versions"])
    if versions is None:
        raise BadQuery(f"{file}: write versions as 11- or 11-15, not {header['versions']}")
    permission = header["permission"]
    return Query(
        name=header["assessor"],
        purpose=header["purpose"],
        scope=scope,
        versions=VersionRange(int(versions[1]), int(versions[2]) if versions[2] else None),
        platform=platform,
        permission=None if permission == "none" else permission,
        loses=header["loses"],
        returns=_read_columns(header["returns"], file),
        text=text,
        finds=finds,
        rights=rights,
    )


def _read_header(text: str, file: str) -> dict[str, str]:
    header: dict[str, str] = {}
    key: str | None = None
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if (found := _HEADER_LINE.fullmatch(line)) and found[1] in (*_KEYS, *_MORE_KEYS):
            key = found[1]
            if key in header:
                raise BadQuery(f"{file}: its header has the key {key} twice")
            header[key] = found[2].strip()
        elif (more := _CONTINUATION.fullmatch(line)) and key is not None:
            header[key] += " " + more[1].strip()
        else:
            raise BadQuery(f"{file}: this header line is none of {', '.join((*_KEYS, *_MORE_KEYS))}: {line}")
    if tuple(header) != (*_KEYS, *(key for key in _MORE_KEYS if key in header)):
        raise BadQuery(f"{file}: its header must have the keys {', '.join(_KEYS)}, in this order")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", header["assessor"]):
        raise BadQuery(f"{file}: the first line must be '-- assessor: NAME', with a name like linked_servers")
    return header


def _read_columns(text: str, file: str) -> tuple[Column, ...]:
    columns: list[Column] = []
    for item in text.split(","):
        found = _COLUMN.fullmatch(item.strip())
        if found is None:
            raise BadQuery(f"{file}: {item.strip()} is no column of the form 'name type'")
        columns.append(Column(found["quoted"] or found["plain"], found["type"], found["required"] is not None))
    names = [column.name.lower() for column in columns]
    if len(set(names)) != len(names):
        raise BadQuery(f"{file}: its header names a column twice")
    return tuple(columns)
