"""The least-privilege script of one version, and its undo, written from the rights that the queries' headers state.

Facts that shape it (catalog reference, section J, and the sql-docs pages that it names):

- CONNECT ANY DATABASE came with 2014; on 2012 the login needs a user in every database.
- 2022 splits VIEW SERVER STATE in two and puts the error log behind VIEW ANY ERROR LOG.
- Roles that would make the script shorter (SQLAgentReaderRole, db_datareader on msdb, securityadmin) may write or show
  more than is read, so none of them is used. A right that can change something is never granted here.
- The recipe has been composed from documentation and has not been run as a whole on every version.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assessor.collect.queries import Query
from assessor.collect.rights import IN_DATABASE
from assessor.collect.script import literal
from assessor.errors import UsageError
from assessor.releases import year_of
from assessor.report.text import visible

_LONGEST_NAME = 128
_FIRST_TO_CONNECT_ANY = 12
_NEWEST = 17
#: Held through another right of the script, so not granted again.
_IMPLIED = {"VIEW ANY DATABASE": "VIEW ANY DEFINITION"}
#: A managed instance keeps the right that 2022 splits (sys-dm-exec-connections-transact-sql.md, 2023-02-24).
_ON_MANAGED_INSTANCE = {
    "VIEW SERVER PERFORMANCE STATE": "VIEW SERVER STATE",
    "VIEW SERVER SECURITY STATE": "VIEW SERVER STATE",
}
_NOT_ON_MANAGED_INSTANCE = ("VIEW ANY ERROR LOG",)
#: What is asked for reading and yet lets its holder write: why, and the ways round it.
_WRITES = {
    "ALTER ANY LINKED SERVER": (
        "lets its holder change linked servers, and is the only right that shows provider strings",
        "Grant it for the run and revoke it afterwards; or let a DBA run `assessor collect-script` and use --inventory.",
    ),
    "ALTER ANY LOGIN": (
        "lets its holder change logins",
        "Let a DBA run `assessor collect-script` and use --inventory.",
    ),
    "sysadmin": (
        "may do everything",
        "Export the registry of each host with `assessor trust-script`; or let a DBA run `assessor collect-script`.",
    ),
    "securityadmin": (
        "may become sysadmin",
        "Let a DBA run `assessor collect-script` and use --inventory.",
    ),
}


@dataclass(frozen=True, slots=True)
class Grants:
    """What a script gives, by where it is given, and what it leaves out."""

    server: tuple[tuple[str, tuple[str, ...]], ...]  #: permission, and the queries that need it
    msdb: tuple[tuple[str, tuple[str, ...]], ...]  #: table, and the only columns to be granted
    databases: tuple[tuple[str, tuple[str, ...]], ...]  #: the same, wherever a database has such a table
    left_out: tuple[tuple[str, tuple[str, ...]], ...]  #: right, and the queries that stay incomplete without it
    by_default: tuple[tuple[str, tuple[str, ...]], ...]  #: right that everyone has unless it was revoked


def grants_for(queries: Iterable[Query], major: int, *, is_managed: bool = False) -> Grants:
    """Which rights the queries of one version need. ``major`` is ignored for a managed instance."""
    version = _NEWEST if is_managed else major
    server: dict[str, set[str]] = {}
    left_out: dict[str, set[str]] = {}
    by_default: dict[str, set[str]] = {}
    tables: dict[str, list[tuple[str, ...]]] = {}
    for query in queries:
        if version not in query.versions:
            continue
        for right in query.rights or ():
            if not right.needed_by(version):
                continue
            if right.securable is not None:
                if right.permission == "SELECT":
                    tables.setdefault(right.securable, []).append(right.columns)
                else:
                    by_default.setdefault(str(right), set()).add(query.name)
                continue
            permission = (
                _ON_MANAGED_INSTANCE.get(right.permission, right.permission) if is_managed else right.permission
            )
            if permission in _WRITES or (is_managed and permission in _NOT_ON_MANAGED_INSTANCE):
                left_out.setdefault(permission, set()).add(query.name)
            else:
                server.setdefault(permission, set()).add(query.name)
    for implied, by in _IMPLIED.items():
        if by in server:
            server.pop(implied, None)
    merged = {securable: _columns(several) for securable, several in tables.items()}
    return Grants(
        server=_sorted(server),
        msdb=tuple(
            (securable.removeprefix("msdb."), columns)
            for securable, columns in sorted(merged.items())
            if securable.startswith("msdb.")
        ),
        databases=tuple(
            (securable.removeprefix(IN_DATABASE), columns)
            for securable, columns in sorted(merged.items())
            if securable.startswith(IN_DATABASE)
        ),
        left_out=_sorted(left_out),
        by_default=_sorted(by_default),
    )


def grant_script(queries: Sequence[Query], major: int, login: str, *, is_managed: bool = False) -> str:
    """The script that grants. Raises :class:`UsageError` for a login name that no script can hold safely."""
    name = _identifier(login)
    grants = grants_for(queries, major, is_managed=is_managed)
    lines = [
        *_head("Rights for assessor, and no more", major, login, is_managed),
        "-- Undo: the lines at the end, or `assessor grants --undo` with the same options.",
        "",
        "USE master;",
        f"IF SUSER_ID({literal(login)}) IS NULL",
        "BEGIN",
        f"    RAISERROR(N'Create the login %s first.', 16, 1, {literal(login)});",
        "    RETURN;",
        "END;",
        "",
        *_server_rights(grants, name),
        "",
        "-- msdb: single tables, and of tables that hold passwords single columns. The job tables show every command of",
        "-- every step: leave those two lines out if that is too much; the connections of job steps are then not assessed.",
        "USE msdb;",
        *_user(login),
        *(
            _guarded(f"GRANT SELECT ON {_column_list(table, columns)} TO {name}", table)
            for table, columns in grants.msdb
        ),
        "",
        "-- Replication keeps its tables in the databases themselves. The loop makes a user where there is such a table"
        + (
            ",\n-- and on 2012 in every database, for CONNECT ANY DATABASE came later."
            if _everywhere(major, is_managed)
            else "."
        ),
        *_loop(_grant_in_database(grants, login, major, is_managed)),
        "",
        "-- Not given by this script:",
        *_left_out(grants),
        "",
        "-- Undo, to be run by itself:",
        *(f"-- {line}".rstrip() for line in "\n".join(_undo_lines(grants, login)).split("\n")),
    ]
    return "\n".join(lines) + "\n"


def undo_script(queries: Sequence[Query], major: int, login: str, *, is_managed: bool = False) -> str:
    """The script that takes away what :func:`grant_script` gave; same arguments and errors."""
    _identifier(login)
    grants = grants_for(queries, major, is_managed=is_managed)
    lines = [
        *_head("Takes away the rights that assessor was given", major, login, is_managed),
        "-- If the login held one of these rights before, leave that line out. A user is dropped only where nothing but",
        "-- the right to connect is left to it.",
        "",
        *_undo_lines(grants, login),
    ]
    return "\n".join(lines) + "\n"


def _server_rights(grants: Grants, name: str) -> Iterator[str]:
    for permission, needed in grants.server:
        yield from textwrap.wrap(f"For {', '.join(needed)}:", 116, initial_indent="-- ", subsequent_indent="--   ")
        yield f"GRANT {permission} TO {name};"


def _undo_lines(grants: Grants, login: str) -> Iterator[str]:
    name = _identifier(login)
    yield "USE master;"
    for permission, _ in grants.server:
        yield f"REVOKE {permission} FROM {name};"
    yield "USE msdb;"
    for table, columns in grants.msdb:
        yield _guarded(f"REVOKE SELECT ON {_column_list(table, columns)} FROM {name}", table)  # noqa: S608 - T-SQL to be read and run by a DBA; names are quoted
    yield _drop_user(login)
    yield from _loop(_revoke_in_database(grants, login))


def _head(title: str, major: int, login: str, is_managed: bool) -> Iterator[str]:
    where = "Azure SQL Managed Instance" if is_managed else f"SQL Server {year_of(major)} (major version {major})"
    yield f"-- {title}: {where}, login {visible(login)}."
    yield "-- Written by assessor from the rights that its queries state (`assessor queries`). Read it before you run it."
    yield "-- Composed from Microsoft's documentation; not tried as a whole on every version. A line that fails costs only"
    yield "-- what it would have shown: `assessor check` tells afterwards what works."
    if is_managed:
        yield "-- Managed Instance keeps VIEW SERVER STATE; the ##MS_...## roles are documented as not available there."
    elif major > _FIRST_TO_CONNECT_ANY:
        yield "-- For Azure SQL Managed Instance add --managed-instance: its rights differ."


def _user(login: str) -> Iterator[str]:
    yield f"IF DATABASE_PRINCIPAL_ID({literal(login)}) IS NULL"
    yield f"    CREATE USER {_identifier(login)} FOR LOGIN {_identifier(login)};"


def _drop_user(login: str) -> str:
    who = f"DATABASE_PRINCIPAL_ID({literal(login)})"
    return (
        f"IF {who} IS NOT NULL\n"  # noqa: S608 - T-SQL to be read and run by a DBA; names are quoted
        "   AND NOT EXISTS (SELECT 1 FROM sys.database_permissions AS p\n"
        f"                   WHERE p.grantee_principal_id = {who} AND p.type <> N'CO')\n"
        f"   AND NOT EXISTS (SELECT 1 FROM sys.database_role_members AS m WHERE m.member_principal_id = {who})\n"
        f"   AND NOT EXISTS (SELECT 1 FROM sys.schemas AS s WHERE s.principal_id = {who})\n"
        f"    DROP USER {_identifier(login)};"
    )


def _guarded(statement: str, table: str) -> str:
    return f"IF OBJECT_ID({literal(table)}) IS NOT NULL\n    {statement};"


def _everywhere(major: int, is_managed: bool) -> bool:
    return major < _FIRST_TO_CONNECT_ANY and not is_managed


def _grant_in_database(grants: Grants, login: str, major: int, is_managed: bool) -> str:
    name = _identifier(login)
    statements = [
        _guarded(f"GRANT SELECT ON {_column_list(table, columns)} TO {name}", table)
        for table, columns in grants.databases
    ]
    user = "\n".join(_user(login))
    if _everywhere(major, is_managed):
        return "\n".join([user, *statements])
    exists = "\n   OR ".join(f"OBJECT_ID({literal(table)}) IS NOT NULL" for table, _ in grants.databases)
    body = "\n".join([user, *statements]).replace("\n", "\n    ")
    return f"IF {exists}\nBEGIN\n    {body}\nEND;"


def _revoke_in_database(grants: Grants, login: str) -> str:
    name = _identifier(login)
    statements = [
        _guarded(f"REVOKE SELECT ON {_column_list(table, columns)} FROM {name}", table)  # noqa: S608 - T-SQL to be read and run by a DBA; names are quoted
        for table, columns in grants.databases
    ]
    body = "\n".join([*statements, _drop_user(login)]).replace("\n", "\n    ")
    return f"IF DATABASE_PRINCIPAL_ID({literal(login)}) IS NOT NULL\nBEGIN\n    {body}\nEND;"


def _loop(body: str) -> Iterator[str]:
    """Run ``body`` in every user database that can be written to; one that fails is told and passed over."""
    yield from (
        "DECLARE @assessor_database sysname, @assessor_batch nvarchar(max);",
        "DECLARE assessor_databases CURSOR LOCAL FAST_FORWARD FOR",
        "    SELECT d.name FROM sys.databases AS d",
        "    WHERE d.state_desc = N'ONLINE' AND d.is_read_only = 0 AND d.database_id > 4;",
        "OPEN assessor_databases;",
        "FETCH NEXT FROM assessor_databases INTO @assessor_database;",
        "WHILE @@FETCH_STATUS = 0",
        "BEGIN",
        "    BEGIN TRY",
        # The first part is nvarchar(max), else the whole would be cut after 4000 characters.
        "        SET @assessor_batch = CONVERT(nvarchar(max), N'USE ') + QUOTENAME(@assessor_database) + N';' + NCHAR(10)",
        f"            + {literal(body)};",
        "        EXEC sys.sp_executesql @assessor_batch;",
        "    END TRY",
        "    BEGIN CATCH",
        "        PRINT @assessor_database + N': ' + ERROR_MESSAGE();",
        "    END CATCH;",
        "    FETCH NEXT FROM assessor_databases INTO @assessor_database;",
        "END;",
        "CLOSE assessor_databases;",
        "DEALLOCATE assessor_databases;",
    )


def _left_out(grants: Grants) -> Iterator[str]:
    for right, needed in grants.left_out:
        if right in _WRITES:
            why, instead = _WRITES[right]
            yield f"--   {right}: {why}."
            yield f"--     Without it these stay incomplete: {', '.join(needed)}."
            yield f"--     {instead}"
        else:
            yield f"--   {right}: not known on Managed Instance. Without it these stay incomplete: {', '.join(needed)}."
    for right, needed in grants.by_default:
        yield f"--   {right}: public has it unless hardening took it away ({', '.join(needed)})."


def _columns(several: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The columns that all uses of a table need together; none: the whole table, for one use needs it so."""
    if () in several:
        return ()
    return tuple(dict.fromkeys(column for columns in several for column in columns))


def _column_list(table: str, columns: tuple[str, ...]) -> str:
    return f"{table} ({', '.join(columns)})" if columns else table


def _sorted(rights: dict[str, set[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((right, tuple(sorted(needed))) for right, needed in sorted(rights.items()))


def _identifier(name: str) -> str:
    r"""``[name]``. A line break would end the comments that the undo stands in, and sqlcmd replaces ``$(…)`` anywhere."""
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise UsageError(f"--login: write the name of a login, of at most {_LONGEST_NAME} characters.")
    if any(not character.isprintable() for character in name) or "$(" in name:
        raise UsageError(
            f"--login {visible(name)}: a name with control characters or $( can't stand in a script that sqlcmd may run; "
            "use a login with another name."
        )
    return "[" + name.replace("]", "]]") + "]"
