"""Writes ``queries/permission_test.sql``: one query that asks which of the rights of all others our login has.

The rights stand in the headers of the queries, so this file is drawn from them; a test holds it against them::

    python -m assessor.collect.permission_test queries/permission_test.sql

``HAS_PERMS_BY_NAME`` answers NULL, never an error, to a right that the version does not know and to an object that is
absent or that the login may not see; names of three parts are allowed for objects (has-perms-by-name-transact-sql.md).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from assessor.collect.queries import Query, load_queries
from assessor.collect.rights import IN_DATABASE, Right

NAME = "permission_test"
#: What a row says of a database itself: 1 means that our login may enter it.
ENTER = "ENTER"

_TEXT = """\
-- assessor: permission_test
-- purpose: Which of the rights that the other queries need our login has; all that `assessor check` asks.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: none
-- loses: which queries will work, will be refused or will be silently empty
-- returns: permission nvarchar(60) not null, securable nvarchar(400), column_name nvarchar(128),
--   name nvarchar(128), state_desc nvarchar(60), is_published bit, is_merge_published bit, is_distributor bit,
--   granted int
-- finds: rights
-- rights: none

-- Drawn by assessor/collect/permission_test.py from the headers of all other queries; not to be changed by hand.
-- NULL means that the version does not know the right, or that the object is absent or hidden from us. The function
-- checks rights and reads nothing; a database that we may not enter is not looked into.
SET NOCOUNT ON;
SET LOCK_TIMEOUT 10000;
SELECT
    s.permission,
    CONVERT(nvarchar(400), NULL) AS securable,
    CONVERT(nvarchar(128), NULL) AS column_name,
    CONVERT(nvarchar(128), NULL) AS name,
    CONVERT(nvarchar(60), NULL) AS state_desc,
    CONVERT(bit, NULL) AS is_published,
    CONVERT(bit, NULL) AS is_merge_published,
    CONVERT(bit, NULL) AS is_distributor,
    HAS_PERMS_BY_NAME(NULL, NULL, s.permission) AS granted
FROM (
    VALUES
        {server}
) AS s (permission)
UNION ALL
SELECT
    r.permission,
    CONVERT(nvarchar(400), NULL) AS securable,
    CONVERT(nvarchar(128), NULL) AS column_name,
    CONVERT(nvarchar(128), NULL) AS name,
    CONVERT(nvarchar(60), NULL) AS state_desc,
    CONVERT(bit, NULL) AS is_published,
    CONVERT(bit, NULL) AS is_merge_published,
    CONVERT(bit, NULL) AS is_distributor,
    IS_SRVROLEMEMBER(r.permission) AS granted
FROM (
    VALUES
        {roles}
) AS r (permission)
UNION ALL
SELECT
    o.permission,
    o.securable,
    o.column_name,
    CONVERT(nvarchar(128), NULL) AS name,
    CONVERT(nvarchar(60), NULL) AS state_desc,
    CONVERT(bit, NULL) AS is_published,
    CONVERT(bit, NULL) AS is_merge_published,
    CONVERT(bit, NULL) AS is_distributor,
    CASE
        WHEN o.column_name IS NULL THEN HAS_PERMS_BY_NAME(o.securable, N'OBJECT', o.permission)
        ELSE HAS_PERMS_BY_NAME(o.securable, N'OBJECT', o.permission, o.column_name, N'COLUMN')
    END AS granted
FROM (
    VALUES
        {objects}
) AS o (permission, securable, column_name)
UNION ALL
SELECT TOP (50001)
    t.permission,
    t.securable,
    t.column_name,
    d.name,
    d.state_desc,
    d.is_published,
    d.is_merge_published,
    d.is_distributor,
    CASE
        WHEN t.permission = N'ENTER' THEN HAS_DBACCESS(d.name)
        WHEN d.state_desc <> N'ONLINE' OR COALESCE(HAS_DBACCESS(d.name), 0) = 0 THEN NULL
        WHEN t.column_name IS NULL
            THEN HAS_PERMS_BY_NAME(QUOTENAME(d.name) + N'.' + t.securable, N'OBJECT', t.permission)
        ELSE HAS_PERMS_BY_NAME(
            QUOTENAME(d.name) + N'.' + t.securable, N'OBJECT', t.permission, t.column_name, N'COLUMN')
    END AS granted
FROM sys.databases AS d
CROSS JOIN (
    VALUES
        (N'ENTER', CONVERT(nvarchar(400), NULL), CONVERT(nvarchar(128), NULL)),
        {tables}
) AS t (permission, securable, column_name);
"""


def permission_test(queries: Iterable[Query]) -> str:
    """The text of the file, from the rights of all other queries."""
    rights = [right for query in queries if query.name != NAME for right in query.rights or ()]
    server = sorted({right.permission for right in rights if right.securable is None and not right.is_role})
    roles = sorted({right.permission for right in rights if right.is_role})
    return _TEXT.format(
        server=_lines(f"(N'{permission}')" for permission in server),
        roles=_lines(f"(N'{role}')" for role in roles),
        objects=_lines(_values(right for right in rights if right.securable is not None and not right.in_database)),
        tables=_lines(_values(right for right in rights if right.in_database)),
    )


def _values(rights: Iterable[Right]) -> list[str]:
    found = {
        (str(right.securable).removeprefix(IN_DATABASE), right.permission, column)
        for right in rights
        for column in right.columns or ("",)
    }
    return [
        f"(N'{permission}', N'{securable}', " + (f"N'{column}')" if column else "NULL)")
        for securable, permission, column in sorted(found)
    ]


def _lines(rows: Iterable[str]) -> str:
    return ",\n        ".join(rows)


def main(arguments: Sequence[str]) -> int:
    """Draw the file anew. Returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m assessor.collect.permission_test queries/permission_test.sql\n")
        return 2
    Path(arguments[0]).write_text(permission_test(load_queries()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
