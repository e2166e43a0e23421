"""Writes the collect script: every bundled query in one plain ``.sql`` that a DBA runs in SSMS or sqlcmd.

The script prints one XML document, cut into numbered lines short enough that no tool wraps or cuts them
(:mod:`assessor.collect.saved` puts them together again). What each answer means is decided where it always is; the
script only asks. It asks somewhat more than a live run, for T-SQL can't weigh one answer before the next question;
:mod:`assessor.collect.plan` takes from it what it would have asked.

Facts that shaped it (sql-docs unless said otherwise):

- sqlcmd wraps at 80 characters, cuts long columns at 256 and writes in the console's code page
  (``sqlcmd-utility.md``); SSMS shows 256 characters a column as text and 65535 in a grid (``ssms/menu-help``).
  So a line has 78 characters, all of them printable ASCII.
- ``FOR XML`` without ``TYPE`` writes characters that XML forbids as references instead of failing (``for-xml-sql-server``).
- ``GO`` alone on a line ends a batch, even inside a literal, and sqlcmd replaces ``$(name)`` everywhere.
- An error that a nested batch meets while it is compiled (a missing column) is caught by the TRY around
  ``sp_executesql`` (``try-catch-transact-sql.md``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from assessor import __version__
from assessor.collect import plan
from assessor.collect.queries import BadQuery, Query, Scope
from assessor.collect.rows import Row
from assessor.errors import UsageError
from assessor.releases import YEARS, year_of

FORMAT: Final = 1  #: of the document
PAYLOAD: Final = 60  #: characters of the document on one line
ROOT: Final = "assessor-inventory"

#: The procedure can't be read with INSERT … EXEC: it may ask the distributor itself, which would make a distributed
#: transaction of it, and its columns differ by version. Its output parameters give the same two values without a
#: result set (sp-helpdistributor-transact-sql.md, 2023-05-31: only the default ``%`` returns one).
_DISTRIBUTOR: Final = """DECLARE @distributor nvarchar(128), @distribdb nvarchar(128);
EXEC master.sys.sp_helpdistributor @distributor = @distributor OUTPUT, @distribdb = @distribdb OUTPUT;
SELECT @distributor AS distributor, @distribdb AS [distribution database];
"""

_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<text>[Nn]?'(?:[^']|'')*')"
    r"|(?P<name>\[(?:[^\]]|\]\])*\]|\"[^\"]*\"|\$\(\w+\))"
    r"|(?P<word>[@#\w]+)"
    r"|(?P<space>\s+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_STARTS = frozenset({"IF", "SET", "DECLARE", "EXEC", "EXECUTE", "DBCC", "WITH", "BEGIN", "END", "ELSE", "OPTION"})
_JOINS_SELECTS = frozenset({"UNION", "ALL", "EXCEPT", "INTERSECT"})
_FOR_XML = "FOR XML RAW(N'row'), ELEMENTS XSINIL, ROOT(N'answer')"
_PLACEHOLDER = re.compile(r"\$\((database|database_text)\)")
_ROLES: Final = ("is_published", "is_merge_published", "is_distributor")
_SYSTEM: Final = ("master", "tempdb", "model", "msdb")


def major_version(text: str) -> int:
    """``2019`` or ``15`` as the major version 15. Raises :class:`~assessor.errors.UsageError`."""
    number = int(text) if re.fullmatch(r"\d{1,4}", text.strip()) else 0
    major = YEARS.get(number, number)
    if major not in YEARS.values():
        known = ", ".join(f"{year} (or {major})" for year, major in YEARS.items())
        raise UsageError(f"--version {text} is no version that the queries know; write one of {known}.")
    return major


def collect_script(queries: Sequence[Query], major: int, platform: str | None = None) -> str:
    """The script for instances of one major version; ``platform`` ``None`` fits both.

    Raises :class:`~assessor.collect.queries.BadQuery` for a query whose answer can't be put into XML.
    """
    fitting = [query for query in queries if query.fits(major, platform)]
    servers = [query for query in fitting if query.scope is Scope.SERVER]
    servers.sort(key=lambda query: query.name != plan.IDENTITY.query)
    databases = [query for query in fitting if query.scope is Scope.DATABASE]
    parts = [
        _HEAD.format(tool=__version__, year=year_of(major), major=major, count=len(fitting), root=ROOT, format=FORMAT),
        *(_step(query) for query in servers),
        _LOOP_BEGINS,
        *(_indent(_database_step(query)) for query in databases),
        _LOOP_ENDS,
        _TAIL.format(root=ROOT, payload=PAYLOAD),
    ]
    script = "\n".join(parts)
    _refuse_what_tools_obey(script)
    return script


def into_variable(query: Query) -> str:
    """The text of ``query``, changed only so that its rows end up in ``@assessor_answer`` as XML."""
    text = f"-- assessor: {query.name}\n{_DISTRIBUTOR if query.name == 'distributor' else _body(query.text)}"
    selects = list(_result_selects(text))
    if selects:
        for begin, end in reversed(selects):
            body = text[begin:end].rstrip()
            tail = text[begin + len(body) : end]
            text = f"{text[:begin]}SELECT @assessor_answer = (\n{body}\n{_FOR_XML}){tail}{text[end:]}"
        return text
    return _through_table_variable(query, text)


def _body(text: str) -> str:
    """The statements with their comments, without the header and without comments that a database's name would enter."""
    lines = text.splitlines()
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(line for line in lines if not (line.lstrip().startswith("--") and "$(" in line)) + "\n"


def _through_table_variable(query: Query, text: str) -> str:
    """For what only a procedure or DBCC returns: the one thing the script keeps in tempdb, until its batch ends."""
    statement = _last_statement(text)
    if statement is None:
        raise BadQuery(f"{query.name}: no statement of it returns rows, so the collect script can't ask it")
    begin, end, keyword = statement
    body = text[begin:end].strip().rstrip(";")
    if keyword == "DBCC":
        body = f"EXEC ({literal(body)})"
    columns = ", ".join(f"[{column.name}] {_wide(column.type)} NULL" for column in query.returns)
    names = ", ".join(f"[{column.name}]" for column in query.returns)
    return (
        f"{text[:begin]}DECLARE @assessor_rows table ({columns});\n"
        f"INSERT @assessor_rows {body};\n"
        f"SELECT @assessor_answer = (\nSELECT {names} FROM @assessor_rows\n{_FOR_XML});\n"
    )


def _wide(type_: str) -> str:
    # A row that is longer than the header says would fail the INSERT and lose them all.
    return re.sub(r"^(n?varchar|n?char)\(.*", "nvarchar(max)", type_)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


def _tokens(text: str) -> list[_Token]:
    found = (_Token(match.lastgroup or "", match[0], match.start()) for match in _TOKEN.finditer(text))
    return [token for token in found if token.kind not in ("comment", "space")]


def _result_selects(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each SELECT statement that returns rows, in order."""
    begin: int | None = None
    depth = cases = 0
    before = ""
    tokens = _tokens(text)
    for number, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "sign" else 0
        if depth == 0:
            word = token.word
            if word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            elif begin is not None and cases == 0 and (token.text == ";" or _starts_another(word, before)):
                # A hint (OPTION) belongs to the outermost statement, so it stays outside of the parentheses.
                yield begin, token.at
                begin = None
            if word == "SELECT" and before not in _JOINS_SELECTS and not _is_assignment(tokens[number + 1 :]):
                begin = token.at
        before = token.word
    if begin is not None:
        yield begin, len(text)


def _starts_another(word: str, before: str) -> bool:
    if word == "SELECT":
        return before not in _JOINS_SELECTS
    # WITH begins a hint too, but then a parenthesis is open.
    return word in _STARTS and word != "WITH"


def _is_assignment(rest: Sequence[_Token]) -> bool:
    depth = 0
    for token in rest:
        if token.text in "()":
            depth += 1 if token.text == "(" else -1
        elif depth == 0 and token.word not in ("TOP", "DISTINCT"):
            return token.word.startswith("@") and not token.word.startswith("@@") and _next_is_equals(token, rest)
    return False


def _next_is_equals(token: _Token, rest: Sequence[_Token]) -> bool:
    following = rest[rest.index(token) + 1 :]
    return bool(following) and following[0].text == "="


def _last_statement(text: str) -> tuple[int, int, str] | None:
    found = None
    for token in _tokens(text):
        if token.word in ("EXEC", "EXECUTE", "DBCC"):
            found = (token.at, len(text), token.word)
    return found


def literal(text: str) -> str:
    """``text`` as a T-SQL literal."""
    return "N'" + text.replace("'", "''") + "'"


def _step(query: Query) -> str:
    return _STEP.format(
        comment=f"{query.name}: {query.purpose}",
        name=query.name,
        versions=versions_of(query),
        batch=literal(into_variable(query)),
    )


def _database_step(query: Query) -> str:
    text = into_variable(query)
    pieces: list[str] = []
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        pieces.append(literal(text[position : found.start()]))
        pieces.append("@quoted" if found[1] == "database" else "@quoted_text")
        position = found.end()
    pieces.append(literal(text[position:]))
    # The first piece makes the whole nvarchar(max), so that no sum is cut at 4000 characters.
    batch = f"CONVERT(nvarchar(max), {pieces[0]})" + "".join(f"\n    + {piece}" for piece in pieces[1:])
    step = _STEP.format(
        comment=f"{query.name}: {query.purpose}", name=query.name, versions=versions_of(query), batch=batch
    )
    return f"IF {_wanted(query.name)}\nBEGIN\n{_indent(step)}\nEND;\n"


def versions_of(query: Query) -> str:
    """``11-13``: tells the variants of a query apart."""
    return f"{query.versions.first}-{query.versions.last or ''}"


def _wanted(name: str) -> str:
    """The condition under which :mod:`assessor.collect.plan` would ask a database; taken from it, not repeated."""
    conditions = []
    roles = [number for number in range(2 ** len(_ROLES)) if name in _plan_for("other", number)]
    quoted = ", ".join(literal(each) for each in _SYSTEM)
    if not any(name in _plan_for(database, number) for database in ("other", *_SYSTEM) for number in range(8)):
        # It depends on an earlier answer, which the plan looks at when the output is read.
        return f"@database NOT IN ({quoted})"
    if roles:
        conditions.append(f"(@database NOT IN ({quoted}) AND @roles IN ({', '.join(map(str, roles))}))")
    for database in _SYSTEM:
        of_system = [number for number in range(2 ** len(_ROLES)) if name in _plan_for(database, number)]
        if of_system:
            conditions.append(f"(@database = {literal(database)} AND @roles IN ({', '.join(map(str, of_system))}))")
    return " OR ".join(conditions)


def _plan_for(database: str, roles: int) -> frozenset[str]:
    values: dict[str, object] = {"name": database, "state_desc": "ONLINE", "has_access": 1}
    values |= {role: int(bool(roles & 2**number)) for number, role in enumerate(_ROLES)}
    return frozenset(plan.wanted_of_database(Row(_Lenient(values))))


class _Lenient(dict[str, object]):
    """A row of ``databases`` of which only the roles are known; the rest is NULL."""

    def __missing__(self, key: str) -> None:
        return None


def _indent(text: str) -> str:
    """Indent the code, and leave what stands inside a literal alone."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        lines.append(line if inside or not line else f"    {line}")
        if not (line.lstrip().startswith("--") and not inside):
            inside ^= line.count("'") % 2 == 1
    return "\n".join(lines)


def _refuse_what_tools_obey(script: str) -> None:
    for number, line in enumerate(script.splitlines(), 1):
        if re.match(r"\s*(?:go\b|:|!!|exit\b|quit\b|reset\b|ed\b)", line, re.IGNORECASE) or "$(" in line:
            raise BadQuery(f"line {number} of the collect script is one that sqlcmd or SSMS would obey: {line.strip()}")


_HEAD: Final = """\
-- Collect script of assessor {tool} for SQL Server {year} (major version {major}): {count} queries, which only read.
--
-- Run it in SSMS (Results to Grid, Text or File) or with sqlcmd, in any database, with no switches:
--     sqlcmd -S SERVER -E -i this-script.sql -o SERVER.txt
-- Save everything it prints into one file an instance, put the files into a folder and run, wherever assessor is:
--     assessor assess ESTATE --inventory FOLDER
--
-- It changes nothing. Three or four answers that only a procedure or DBCC gives pass through a table variable, which
-- is gone when its batch ends; nothing else is kept anywhere. A query that is refused becomes a recorded error.
-- The output holds the definitions of linked servers, and the text of those modules and job steps that name one or
-- dial by themselves. A password that somebody wrote into one of them is among it: assessor removes it when it reads
-- the file, so keep the file to yourself.

SET NOCOUNT ON;
SET XACT_ABORT OFF;
SET ROWCOUNT 0;
SET LOCK_TIMEOUT 10000;
SET ANSI_NULLS ON;
SET ANSI_WARNINGS ON;
SET QUOTED_IDENTIFIER ON;
SET CONCAT_NULL_YIELDS_NULL ON;

DECLARE @document nvarchar(max), @batch nvarchar(max), @answer nvarchar(max), @query nvarchar(128),
        @versions nvarchar(10), @database nvarchar(128), @database_id int, @roles int,
        @quoted nvarchar(300), @quoted_text nvarchar(600), @unit nvarchar(2), @at bigint, @lines bigint,
        @run nvarchar(8);
SET @document = N'<{root}><format>{format}</format><tool>{tool}</tool><for>{major}</for><started>'
    + CONVERT(nvarchar(30), SYSUTCDATETIME(), 126) + N'</started>';
"""

_STEP: Final = """-- {comment}
SELECT @query = N'{name}', @versions = N'{versions}', @answer = NULL, @batch = {batch};
BEGIN TRY
    EXEC sys.sp_executesql @batch, N'@assessor_answer nvarchar(max) OUTPUT', @assessor_answer = @answer OUTPUT;
    SET @document = @document + N'<step>'
        + (SELECT @query AS [query], @versions AS [versions], @database AS [database] FOR XML PATH(N''))
        + COALESCE(@answer, N'<answer/>') + N'</step>';
END TRY
BEGIN CATCH
    SET @document = @document + N'<step>'
        + (SELECT @query AS [query], @versions AS [versions], @database AS [database],
                  ERROR_NUMBER() AS [error], ERROR_MESSAGE() AS [message] FOR XML PATH(N''))
        + N'</step>';
END CATCH;
"""

_LOOP_BEGINS: Final = """-- Every database that we may enter, one after the other.
SET @database_id = 0;
WHILE 1 = 1
BEGIN
    SELECT TOP (1)
        @database_id = d.database_id,
        @database = d.name,
        @roles = CONVERT(int, d.is_published) + 2 * CONVERT(int, d.is_merge_published)
            + 4 * CONVERT(int, d.is_distributor)
    FROM sys.databases AS d
    WHERE d.database_id > @database_id AND d.state_desc = N'ONLINE' AND HAS_DBACCESS(d.name) = 1
    ORDER BY d.database_id;
    IF @@ROWCOUNT = 0
        BREAK;
    SET @quoted = QUOTENAME(@database);
    SET @quoted_text = REPLACE(@quoted, N'''', N'''''');
"""

_LOOP_ENDS: Final = "END;\n"

_TAIL: Final = """SET @document = @document + N'</{root}>';

-- Characters other than printable ASCII become references, so that no code page can harm them.
SET @at = PATINDEX(N'%[^ -~]%', @document COLLATE Latin1_General_BIN2);
WHILE @at > 0
BEGIN
    SET @unit = SUBSTRING(@document COLLATE Latin1_General_BIN2, @at, 1);
    SET @document = REPLACE(
        @document COLLATE Latin1_General_BIN2, @unit COLLATE Latin1_General_BIN2,
        N'&#' + CONVERT(nvarchar(10), UNICODE(@unit COLLATE Latin1_General_BIN2)) + N';');
    SET @at = PATINDEX(N'%[^ -~]%', @document COLLATE Latin1_General_BIN2);
END;

-- One document, cut into numbered lines that no tool wraps or cuts.
SET @run = LEFT(REPLACE(CONVERT(nvarchar(36), NEWID()), N'-', N''), 8);
SET @lines = (DATALENGTH(@document) / 2 + {payload} - 1) / {payload};
WITH digits (digit) AS (
    SELECT v.digit FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS v (digit)
),
numbers (number) AS (
    SELECT ROW_NUMBER() OVER (ORDER BY (SELECT NULL))
    FROM digits AS a CROSS JOIN digits AS b CROSS JOIN digits AS c CROSS JOIN digits AS d
    CROSS JOIN digits AS e CROSS JOIN digits AS f CROSS JOIN digits AS g
)
SELECT TOP (@lines)
    CONVERT(nvarchar(78), @run + N' ' + RIGHT(N'000000' + CONVERT(nvarchar(10), n.number), 7) + N'|'
        + LEFT(SUBSTRING(@document, {payload} * (n.number - 1) + 1, {payload}) + REPLICATE(N' ', {payload}), {payload})
        + N'|') AS [assessor inventory]
FROM numbers AS n
ORDER BY n.number;
"""
