"""T-SQL as words: comments and strings are told from code, and what dials elsewhere is found in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.collect.tsql import (
    Kind,
    enables_ad_hoc_queries,
    provider_calls,
    server_of_name,
    servers_used,
    shell_commands,
    tokens,
)

NAMES = {"fin": "FIN", "odd]name": "Odd]Name", "fin_gl": "FIN_GL", "a.b": "a.b"}


def texts(sql: str) -> list[str]:
    return [token.text for token in tokens(sql)]


def test_comments_are_left_out_and_nest() -> None:
    assert texts("a -- b 'c\n d /* e /* f */ g ' */ h") == ["a", "d", "h"]


def test_quotes_are_taken_off_and_doubled_ones_made_single() -> None:
    found = list(tokens("N'it''s' [a]]b] \"c\"\"d\" 'open"))
    assert [(token.kind, token.text, token.is_open) for token in found] == [
        (Kind.STRING, "it's", False),
        (Kind.NAME, "a]b", False),
        (Kind.NAME, 'c"d', False),
        (Kind.STRING, "open", True),
    ]


PIECES = st.sampled_from(["word", "@v", "12", ".", ",", "(", ")", " ", "\n", "=", ";", "+"])
QUOTED = st.text(st.sampled_from("ab'\"]/*- \n["), max_size=8)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.sampled_from("'[\""), QUOTED), max_size=6))
def test_whatever_is_quoted_comes_back_as_it_was(items: list[tuple[str, str]]) -> None:
    closing = {"'": "'", "[": "]", '"': '"'}
    sql = " , ".join(quote + text.replace(closing[quote], closing[quote] * 2) + closing[quote] for quote, text in items)
    assert [token.text for token in tokens(sql) if token.kind is not Kind.SIGN] == [text for _, text in items]


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab'\"[] \n.;(),"), max_size=30), st.text(st.sampled_from("ab' \n\"]["), max_size=20))
def test_a_comment_anywhere_between_tokens_changes_nothing(code: str, remark: str) -> None:
    if any(token.is_open for token in tokens(code)):
        return
    once = list(tokens(code))
    assert list(tokens(f"/*{remark}*/ {code} -- {remark.replace(chr(10), ' ')}\n/*{remark}*/")) == once


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200))
def test_no_text_whatever_brings_it_to_a_stop(text: str) -> None:
    list(tokens(text))
    for sql in (text, f"OPENROWSET({text}", f"EXEC xp_cmdshell {text}", f"FIN.{text}"):
        provider_calls(sql)
        shell_commands(sql)
        servers_used(sql, NAMES)


# --- ad hoc calls -------------------------------------------------------------------------------------------------


def test_the_form_with_a_provider_string() -> None:
    (call,) = provider_calls("SELECT * FROM OPENROWSET('MSOLEDBSQL', N'Server=FIN01;Encrypt=yes', 'SELECT 1') AS x")
    assert (call.function, call.provider, call.provider_string) == (
        "OPENROWSET",
        "MSOLEDBSQL",
        "Server=FIN01;Encrypt=yes",
    )
    assert not call.is_three_part
    assert call.is_known


@pytest.mark.parametrize("query", ["'SELECT 1'", "Ledger.dbo.Entries", "[Ledger]..[Entries]"])
def test_the_form_in_three_parts_keeps_no_password(query: str) -> None:
    (call,) = provider_calls(f"select * from OpenRowset ('SQLNCLI' , 'FIN01\\ERP';'sa';'s3;cret', {query})")
    assert (call.data_source, call.is_three_part, call.provider_string) == ("FIN01\\ERP", True, None)
    assert "s3;cret" not in repr(call)


def test_opendatasource_and_its_string() -> None:
    (call,) = provider_calls("SELECT * FROM OPENDATASOURCE('MSOLEDBSQL', 'Data Source=FIN01').db.dbo.t")
    assert (call.function, call.provider_string, call.is_known) == ("OPENDATASOURCE", "Data Source=FIN01", True)


@pytest.mark.parametrize(
    "sql",
    [
        "OPENROWSET(BULK 'c:\\x.csv', SINGLE_CLOB)",
        "OPENROWSET ( bulk N'c:\\x.csv', FORMAT = 'CSV')",
        "-- OPENROWSET('SQLNCLI', 'Server=x', 'q')",
        "/* OPENROWSET('SQLNCLI', 'Server=x', 'q') */",
        "SELECT 'call it OPENROWSET for short'",
        "SELECT openrowset FROM t",
    ],
)
def test_what_dials_nobody_is_no_call(sql: str) -> None:
    assert provider_calls(sql) == ()


def test_dynamic_sql_is_read_where_it_is_whole() -> None:
    (call,) = provider_calls("EXEC('SELECT * FROM OPENROWSET(''SQLNCLI'', ''Server=FIN01'', ''SELECT 1'')')")
    assert (call.provider_string, call.is_known) == ("Server=FIN01", True)


@pytest.mark.parametrize(
    "sql",
    [
        "SET @s = 'SELECT * FROM OPENROWSET(''SQLNCLI'', ''Server=' + @server + ''', ''q'')'",
        "OPENROWSET(@provider, 'Server=x', 'q')",
        "OPENROWSET('SQLNCLI', 'Server=' + 'x', 'q')",
        "OPENROWSET('SQLNCLI', 'Server=x",
        "OPENROWSET('SQLNCLI'",
        "OPENROWSET(",
    ],
)
def test_what_is_put_together_at_run_time_is_a_call_that_is_not_known(sql: str) -> None:
    (call,) = provider_calls(sql)
    assert not call.is_known
    assert call.provider_string is None


def test_a_text_that_switches_ad_hoc_queries_on_says_so() -> None:
    assert enables_ad_hoc_queries("EXEC sp_configure 'Ad Hoc Distributed Queries', 1")
    assert not enables_ad_hoc_queries("-- EXEC sp_configure 'Ad Hoc Distributed Queries', 1")


# --- who uses a linked server ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "used"),
    [
        ("SELECT * FROM FIN.Ledger.dbo.Entries", ("FIN",)),
        ("select * from [fin] . Ledger..Entries", ("FIN",)),
        ('SELECT * FROM "FIN"...Entries', ("FIN",)),
        ("EXEC FIN.master.dbo.sp_who", ("FIN",)),
        ("SELECT * FROM [Odd]]Name].a.b.c", ("Odd]Name",)),
        ("SELECT * FROM [a.b].c.d.e", ("a.b",)),
        ("SELECT * FROM OPENQUERY(FIN_GL, 'SELECT 1')", ("FIN_GL",)),
        ("EXEC ('SELECT 1') AT FIN", ("FIN",)),
        ("EXEC sp_executesql N'SELECT * FROM FIN.a.b.c'", ("FIN",)),
        ("SELECT FIN.Amount FROM dbo.FIN", ()),
        ("SELECT x.FIN.a.b.c FROM x", ()),
        ("SELECT FIN.dbo.t.col FROM FIN.dbo.t", ("FIN",)),
        ("-- FIN.a.b.c", ()),
        ("PRINT 'FIN is slow'", ()),
        ("SELECT * FROM OTHER.a.b.c", ()),
    ],
)
def test_uses_of_a_linked_server(sql: str, used: tuple[str, ...]) -> None:
    assert servers_used(sql, NAMES) == used


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("[FIN].[Ledger].[dbo].[Entries]", "FIN"),
        ("FIN...Entries", "FIN"),
        ("[Odd]]Name].[a].[b].[c]", "Odd]Name"),
        ("[Ledger].[dbo].[Entries]", None),
        ("[a.b.c.d]", None),
        ("", None),
    ],
)
def test_the_server_of_a_synonym(name: str, server: str | None) -> None:
    assert server_of_name(name) == server


# --- xp_cmdshell ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "commands"),
    [
        ("EXEC master..xp_cmdshell 'sqlcmd -S a'", ("sqlcmd -S a",)),
        ("EXEC xp_cmdshell @command_string = N'dir'", ("dir",)),
        ("EXEC [master].[dbo].[xp_cmdshell] @cmd", ("",)),
        ("EXEC xp_cmdshell 'sqlcmd -S ' + @s", ("",)),
        ("EXEC ('xp_cmdshell ''sqlcmd -S a''')", ("sqlcmd -S a",)),
        ("EXEC sp_configure 'xp_cmdshell', 1", ()),
        ("-- EXEC xp_cmdshell 'x'", ()),
    ],
)
def test_command_lines_that_t_sql_runs(sql: str, commands: tuple[str, ...]) -> None:
    assert shell_commands(sql) == commands
