"""The bundled T-SQL reads, and does nothing else; and the proof of that refuses everything else."""

from __future__ import annotations

import logging

import pytest
from sqlglot import exp, parse

from assessor.collect.queries import Query, Scope, load_queries

from .reads_only import NotARead, prove_that_it_only_reads

QUERIES = load_queries()

WRITES = [
    "INSERT INTO dbo.t (a) VALUES (1)",
    "INSERT dbo.t EXEC sys.sp_readerrorlog",
    "UPDATE dbo.t SET a = 1",
    "DELETE FROM dbo.t",
    "WITH c AS (SELECT a FROM dbo.t) DELETE FROM c",
    "MERGE dbo.t AS t USING dbo.u AS u ON t.a = u.a WHEN MATCHED THEN DELETE;",
    "TRUNCATE TABLE dbo.t",
    "SELECT a INTO dbo.t FROM sys.servers",
    "SELECT a INTO #t FROM sys.servers",
    "CREATE TABLE #t (a int)",
    "DECLARE @t table (a int); INSERT @t VALUES (1)",
    "DECLARE @t table (a int)",
    "DROP TABLE dbo.t",
    "ALTER TABLE dbo.t ADD b int",
    "IF 1 = 1 DROP TABLE dbo.t; ELSE SELECT 1 AS a",
    "SELECT 1 AS a; DROP TABLE dbo.t",
    "SELECT 1 AS a DROP TABLE dbo.t",
    "EXEC sys.sp_configure N'show advanced options', 1",
    "EXEC master.dbo.xp_cmdshell N'dir'",
    "EXEC master.dbo.xp_regwrite N'HKEY_LOCAL_MACHINE', N'a', N'b', N'REG_DWORD', 1",
    "EXEC xp_regread N'HKEY_LOCAL_MACHINE'",
    "EXEC evil.dbo.xp_regread N'HKEY_LOCAL_MACHINE'",
    "EXEC other.master.dbo.xp_regread N'HKEY_LOCAL_MACHINE'",
    "EXEC (N'DROP TABLE dbo.t')",
    "EXECUTE (N'DROP TABLE dbo.t')",
    "EXEC (N'DROP TABLE dbo.t') AT other",
    "DECLARE @p nvarchar(9); SET @p = N'sp_who'; EXEC @p",
    "EXEC sys.sp_executesql N'DROP TABLE dbo.t'",
    "DECLARE @w int; IF @w IS NULL EXEC dbo.p",
    "DECLARE @w int; IF @w IS NOT NULL EXEC sys.sp_configure @p1 = 0",
    "sp_who",
    "shutdown",
    "RECONFIGURE",
    "CHECKPOINT",
    "KILL 5",
    "WAITFOR DELAY '0:10'",
    "PRINT 'x'",
    "RAISERROR('x', 20, 1) WITH LOG",
    "USE msdb",
    "BEGIN TRAN; COMMIT",
    "BACKUP DATABASE x TO DISK = 'c'",
    "GRANT SELECT ON dbo.t TO x",
    "UPDATE STATISTICS dbo.t",
    "DBCC TRACEON (17600, -1)",
    "DBCC TRACESTATUS (17600, -1) WITH NO_INFOMSGS; DBCC TRACEON (17600, -1)",
    "DBCC TRACESTATUS (17600, -1) WITH NO_INFOMSGS DROP TABLE dbo.t",
    "SELECT 1 AS a; DBCC TRACESTATUS (17600, -1) WITH NO_INFOMSGS",
    "DBCC FREEPROCCACHE",
    "SELECT a FROM OPENQUERY(other, 'DELETE FROM dbo.t')",
    "SELECT a FROM OPENROWSET('MSOLEDBSQL', 'Server=x', 'SELECT 1')",
    "SELECT a FROM other.master.sys.servers",
    "SELECT a FROM evil.t",
    "SELECT evil.f() AS a",
    "SELECT dbo.f(1) AS a",
    "SELECT NEXT VALUE FOR dbo.s AS a",
    "SELECT a FROM dbo.t WITH (TABLOCKX)",
    "SELECT a FROM dbo.t WITH (READUNCOMMITTED, XLOCK)",
    "SET IDENTITY_INSERT dbo.t ON",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET LOCK_TIMEOUT -1",
    "SET CONTEXT_INFO 0x01",
    "{call dbo.p}",
    "",
    "-- only a comment",
]


@pytest.fixture(autouse=True)
def _quiet_parser(caplog: pytest.LogCaptureFixture) -> None:
    # sqlglot warns when it gives up on a statement; here that is expected of the bad samples.
    caplog.set_level(logging.CRITICAL, logger="sqlglot")


def batch(query: Query) -> str:
    return query.render("o'hare] of $(database)" if query.scope is Scope.DATABASE else None)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_every_bundled_query_only_reads(query: Query) -> None:
    prove_that_it_only_reads(batch(query))


@pytest.mark.parametrize("text", WRITES)
def test_the_proof_refuses_what_is_not_a_known_read(text: str) -> None:
    with pytest.raises(NotARead):
        prove_that_it_only_reads(text)


@pytest.mark.parametrize("text", [text for text in WRITES if text and not text.startswith("--")])
def test_the_proof_refuses_it_after_a_bundled_query_too(text: str) -> None:
    for query in QUERIES:
        if query.name in ("linked_servers", "host_domain", "trace_flags", "held_subscriptions"):
            with pytest.raises(NotARead):
                prove_that_it_only_reads(batch(query) + "\n" + text)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_no_bundled_query_selects_a_star(query: Query) -> None:
    if query.name == "trace_flags":
        return  # DBCC, whose text is proven word by word
    for statement in parse(batch(query), dialect="tsql"):
        assert statement is not None
        assert not list(statement.find_all(exp.Star))


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_the_header_names_exactly_the_columns_that_each_select_returns(query: Query) -> None:
    if query.name == "trace_flags":
        return
    statements = [statement for statement in parse(batch(query), dialect="tsql") if statement is not None]
    last = statements[-1]
    if isinstance(last, exp.Execute):
        return  # a procedure names its own columns
    selects = [last] if isinstance(last, exp.Select) else list(last.find_all(exp.Select))
    assert selects
    for select in selects:
        assert [column.alias_or_name for column in select.expressions] == [c.name for c in query.returns]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_batch_of_more_than_a_select_counts_no_rows(query: Query) -> None:
    body = [line for line in query.text.splitlines() if line and not line.startswith("--")]
    if not body[0].startswith(("SELECT", "EXEC", "DBCC")):
        assert body[0] == "SET NOCOUNT ON;"


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_no_bundled_query_holds_anything_that_odbc_would_rewrite(query: Query) -> None:
    assert "?" not in query.text  # a parameter marker
    assert "{" not in query.text  # an escape clause


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_no_bundled_query_reads_a_column_that_holds_a_secret(query: Query) -> None:
    body = "\n".join(line for line in query.text.splitlines() if not line.startswith("--")).lower()
    assert "password" not in body
    assert "storage_connection_string" not in body
    # Job steps' commands are what it is about: cut in T-SQL, taken apart on arrival, never stored.
    assert "command" not in body or query.name in {"job_steps", "replication_agents", "permission_test"}
