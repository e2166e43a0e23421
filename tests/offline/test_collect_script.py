"""The collect script holds the bundled queries, changes them only in fixed ways, and does nothing else."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import pytest
import sqlglot
from queries.reads_only import prove_that_it_only_reads
from sqlglot import exp
from sqlglot.tokens import TokenType  # type: ignore[attr-defined]

from assessor.collect import plan
from assessor.collect.plan import Catalogue
from assessor.collect.queries import BadQuery, Query, Scope, load_queries
from assessor.collect.rows import Row
from assessor.collect.script import collect_script, into_variable, major_version
from assessor.errors import UsageError
from assessor.releases import YEARS
from assessor.shipped import queries_dir

QUERIES = load_queries()
MAJORS = tuple(YEARS.values())
_FOR_XML = "\nFOR XML RAW(N'row'), ELEMENTS XSINIL, ROOT(N'answer'))"
_TABLE = re.compile(
    r"DECLARE @assessor_rows table \([^;]*\);\nINSERT @assessor_rows (?P<body>.*?);\n"
    r"SELECT @assessor_answer = \(\nSELECT [^()]* FROM @assessor_rows" + re.escape(_FOR_XML) + r";\n",
    re.DOTALL,
)
#: Every word that the script has outside of its literals, besides its variables.
_FRAME_WORDS = frozenset(
    [
        "SET",
        "NOCOUNT",
        "ON",
        "XACT_ABORT",
        "OFF",
        "ROWCOUNT",
        "LOCK_TIMEOUT",
        "ANSI_NULLS",
        "ANSI_WARNINGS",
        "QUOTED_IDENTIFIER",
        "CONCAT_NULL_YIELDS_NULL",
        "DECLARE",
        "NVARCHAR",
        "MAX",
        "INT",
        "BIGINT",
        "CONVERT",
        "SYSUTCDATETIME",
        "SELECT",
        "NULL",
        "BEGIN",
        "TRY",
        "EXEC",
        "SYS",
        "SP_EXECUTESQL",
        "OUTPUT",
        "AS",
        "QUERY",
        "VERSIONS",
        "DATABASE",
        "ERROR",
        "MESSAGE",
        "FOR",
        "XML",
        "PATH",
        "COALESCE",
        "END",
        "CATCH",
        "ERROR_NUMBER",
        "ERROR_MESSAGE",
        "WHILE",
        "TOP",
        "D",
        "DATABASE_ID",
        "NAME",
        "IS_PUBLISHED",
        "IS_MERGE_PUBLISHED",
        "IS_DISTRIBUTOR",
        "FROM",
        "DATABASES",
        "WHERE",
        "AND",
        "OR",
        "STATE_DESC",
        "HAS_DBACCESS",
        "ORDER",
        "BY",
        "IF",
        "BREAK",
        "QUOTENAME",
        "REPLACE",
        "NOT",
        "IN",
        "PATINDEX",
        "COLLATE",
        "LATIN1_GENERAL_BIN2",
        "SUBSTRING",
        "UNICODE",
        "LEFT",
        "NEWID",
        "DATALENGTH",
        "WITH",
        "DIGITS",
        "DIGIT",
        "VALUES",
        "V",
        "NUMBERS",
        "NUMBER",
        "ROW_NUMBER",
        "OVER",
        "A",
        "B",
        "C",
        "E",
        "F",
        "G",
        "CROSS",
        "JOIN",
        "RIGHT",
        "N",
        "REPLICATE",
    ]
) | {"ASSESSOR INVENTORY", "ORDER BY"}


@pytest.fixture(autouse=True)
def _quiet_parser(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="sqlglot")


def outer(script: str) -> str:
    """The script without literals and comments."""
    return re.sub(r"(N'(?:[^']|'')*')|--[^\n]*", lambda match: "N''" if match[1] else "", script)


def statements(text: str) -> str:
    return " ".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("--"))


def restored(text: str) -> str:
    """An embedded text with the fixed frames taken away again."""
    text = _TABLE.sub(lambda found: found["body"] + ";\n", text)
    text = re.sub(r"^EXEC \(N'(DBCC .*)'\);$", r"\1;", text, flags=re.MULTILINE)
    return text.replace("SELECT @assessor_answer = (\n", "").replace(_FOR_XML, "")


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.name}-{query.versions.first}")
def test_an_embedded_query_is_the_proven_one_in_a_fixed_frame(query: Query) -> None:
    text = into_variable(query)
    assert text.startswith(f"-- assessor: {query.name}\n")
    assert "@assessor_answer" in text
    if query.name == "distributor":
        return  # has a text of its own, proven below
    assert " ".join(statements(restored(text)).split()) == " ".join(statements(query.text).split())


def test_the_text_for_the_distributor_only_reads() -> None:
    (query,) = (query for query in QUERIES if query.name == "distributor")
    prove_that_it_only_reads(restored(into_variable(query)))


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.name}-{query.versions.first}")
def test_every_answer_goes_into_the_variable_once_for_each_select_that_returns_rows(query: Query) -> None:
    text = into_variable(query)
    rendered = replace(query, text=text).render("x" if query.scope is Scope.DATABASE else None)
    assert text.count("SELECT @assessor_answer = (") == text.count("FOR XML RAW(N'row')") >= 1
    if "@assessor_rows" in text:
        assert query.name in (
            "loaded_certificate",
            "self_generated_certificate",
            "self_generated_certificate_local",
            "service_principal_names",
            "trace_flags",
        )  # the documented exceptions; a new one belongs into docs/offline.md
        return
    parsed = sqlglot.parse(
        rendered.replace("FOR XML RAW(N'row'), ELEMENTS XSINIL, ROOT(N'answer')", ""), dialect="tsql"
    )
    for statement in parsed:
        assert statement is not None
        for select in statement.find_all(exp.Select):
            is_top = not isinstance(select.parent, exp.Subquery | exp.Exists | exp.In | exp.Union | exp.Paren)
            if is_top and statement.find(exp.Execute) is None:
                assert "@assessor_answer" in select.sql("tsql") or "@" in select.sql("tsql")


@pytest.mark.parametrize("major", MAJORS)
def test_the_frame_runs_no_procedure_but_sp_executesql_and_reads_no_table_but_sys_databases(major: int) -> None:
    code = outer(collect_script(QUERIES, major))
    tokens = sqlglot.tokenize(code, dialect="tsql")
    words = {
        token.text.upper()
        for token in tokens
        if re.fullmatch(r"[A-Za-z_][\w ]*", token.text) and token.token_type is not TokenType.PARAMETER
    }
    variables = set(re.findall(r"@(\w+)", code.upper()))
    assert words - variables - _FRAME_WORDS == set()
    assert set(re.findall(r"\bEXEC\s+(\S+)", code)) == {"sys.sp_executesql"}
    assert set(re.findall(r"\bFROM\s+(\S+)", code)) <= {"sys.databases", "(VALUES", "digits", "numbers"}


@pytest.mark.parametrize("major", MAJORS)
def test_every_query_of_the_version_is_asked_once_and_no_other(major: int) -> None:
    script = collect_script(QUERIES, major)
    asked = re.findall(r"SELECT @query = N'(\w+)', @versions = N'([\d-]+)'", script)
    assert sorted(asked) == sorted(
        (query.name, f"{query.versions.first}-{query.versions.last or ''}")
        for query in QUERIES
        if query.fits(major, None)
    )
    assert asked[0][0] == "identity"


@pytest.mark.parametrize("major", MAJORS)
def test_no_line_is_one_that_sqlcmd_or_ssms_would_obey_and_all_is_ascii(major: int) -> None:
    script = collect_script(QUERIES, major)
    assert script.isascii()
    assert "$(" not in script
    assert not [
        line
        for line in script.splitlines()
        if re.match(r"\s*(go|exit|quit|reset|ed)\b|\s*:|\s*!!", line, re.IGNORECASE)
    ]


def test_a_query_with_such_a_line_is_refused() -> None:
    query = replace(QUERIES[0], text=QUERIES[0].text + "\nGO\nSELECT 1 AS a;\n")
    with pytest.raises(BadQuery, match="GO"):
        collect_script([query], 15)


@pytest.mark.parametrize("platform", ["windows", "linux"])
def test_a_platform_leaves_out_the_queries_of_the_other(platform: str) -> None:
    script = collect_script(QUERIES, 15, platform)
    assert ("@query = N'client_flags'" in script) is (platform == "windows")


def test_a_database_is_asked_exactly_what_the_plan_would_ask_it() -> None:
    script = collect_script(QUERIES, 15)
    catalogue = Catalogue(QUERIES)
    conditions = dict(re.findall(r"IF (.*)\n    BEGIN\n(?:        --.*\n)?        SELECT @query = N'(\w+)'", script))
    by_query = {name: condition for condition, name in conditions.items()}
    row = Row(
        {"name": "sales", "is_published": 1, "is_merge_published": 0, "is_distributor": 0, "state_desc": "ONLINE"}
    )
    for name in plan.wanted_of_database(row):
        if catalogue.any_of(name).fits(15, None) and name in by_query:
            assert "1" in by_query[name]


def test_a_hint_stays_outside_of_the_parentheses_and_a_common_table_before_them() -> None:
    text = (
        "-- header\n\nWITH c AS (SELECT a FROM sys.t)\nSELECT a, CASE WHEN a = 1 THEN 2 ELSE 3 END AS b FROM c\n"
        "UNION ALL\nSELECT 1, 2\nORDER BY a\nOPTION (MAXRECURSION 10);\n"
    )
    changed = into_variable(replace(QUERIES[0], name="sample", text=text))
    assert changed.count("FOR XML RAW") == 1
    assert re.search(r"sys\.t\)\nSELECT @assessor_answer = \(\nSELECT a, CASE", changed)
    assert "ROOT(N'answer'))\nOPTION (MAXRECURSION 10);" in changed


def test_an_assignment_returns_no_rows() -> None:
    text = "DECLARE @a int;\nSELECT TOP (1) @a = b FROM sys.t;\nSET @a = (SELECT 1);\nSELECT @@VERSION AS v;\n"
    changed = into_variable(replace(QUERIES[0], name="sample", text=text))
    assert changed.count("@assessor_answer") == 1
    assert "(\nSELECT @@VERSION AS v\n" in changed


def test_a_query_that_returns_nothing_is_refused() -> None:
    with pytest.raises(BadQuery, match="no statement of it returns rows"):
        into_variable(replace(QUERIES[0], name="sample", text="SET NOCOUNT ON;\n"))


@pytest.mark.parametrize(("text", "major"), [("2019", 15), ("15", 15), (" 2025 ", 17), ("11", 11)])
def test_a_version_is_a_year_or_a_major_version(text: str, major: int) -> None:
    assert major_version(text) == major


@pytest.mark.parametrize("text", ["", "2013", "10", "18", "x", "15.0", "-1", "99999"])
def test_another_version_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(UsageError, match="2019"):
        major_version(text)


def test_the_query_that_imports_an_estate_only_reads_and_is_in_no_script() -> None:
    (query,) = load_queries(queries_dir() / "import")
    prove_that_it_only_reads(query.text)
    assert query.name not in {each.name for each in QUERIES}


def test_a_database_name_never_enters_a_comment_of_a_live_batch() -> None:
    hostile = "x\nDROP DATABASE y --"
    for query in QUERIES:
        if query.scope is Scope.DATABASE:
            batch = query.render(hostile)
            comments = [line for line in batch.splitlines() if line.lstrip().startswith("--")]
            assert all("DROP" not in line for line in comments)
            assert not any(
                line.startswith("DROP") and "[x" not in batch.splitlines()[number - 1]
                for number, line in enumerate(batch.splitlines())
            )
