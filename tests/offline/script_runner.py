"""Runs a collect script without a SQL Server: follows its statements, and takes rows where the lab has them.

There is no T-SQL engine here. What is emulated: the variables, the branches and loops that the script has, FOR XML RAW
and PATH, TRY and CATCH around sp_executesql, and how sqlcmd and SSMS print a result set. A statement that is not known
fails the test, so the script can't grow a part that nobody follows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from assessor.lab.behaviour import Answers, Refused, Rows

_LITERAL = r"N'(?:[^']|'')*'"
_STEP = re.compile(
    rf"\s*SELECT @query = (?P<query>{_LITERAL}), @versions = (?P<versions>{_LITERAL}), @answer = NULL, @batch = "
    rf"(?P<batch>(?:{_LITERAL}|[^;'])*);\s*"
    r"BEGIN TRY(?P<try>.*?)END TRY\s*BEGIN CATCH(?P<catch>.*?)END CATCH;",
    re.DOTALL,
)
_TRY = (
    "EXEC sys.sp_executesql @batch, N'@assessor_answer nvarchar(max) OUTPUT', @assessor_answer = @answer OUTPUT; "
    "SET @document = @document + N'<step>' "
    "+ (SELECT @query AS [query], @versions AS [versions], @database AS [database] FOR XML PATH(N'')) "
    "+ COALESCE(@answer, N'<answer/>') + N'</step>';"
)
_CATCH = (
    "SET @document = @document + N'<step>' "
    "+ (SELECT @query AS [query], @versions AS [versions], @database AS [database], "
    "ERROR_NUMBER() AS [error], ERROR_MESSAGE() AS [message] FOR XML PATH(N'')) + N'</step>';"
)
_LOOP = re.compile(r"\s*SET @database_id = 0;\s*WHILE 1 = 1\nBEGIN(?P<next>.*?)BREAK;(?P<body>.*?)\nEND;\n", re.DOTALL)
_NEXT = (
    "SELECT TOP (1) @database_id = d.database_id, @database = d.name, "
    "@roles = CONVERT(int, d.is_published) + 2 * CONVERT(int, d.is_merge_published) + 4 * CONVERT(int, d.is_distributor) "
    "FROM sys.databases AS d "
    "WHERE d.database_id > @database_id AND d.state_desc = N'ONLINE' AND HAS_DBACCESS(d.name) = 1 "
    "ORDER BY d.database_id; IF @@ROWCOUNT = 0"
)
_QUOTED = "SET @quoted = QUOTENAME(@database); SET @quoted_text = REPLACE(@quoted, N'''', N'''''');"
_IF = re.compile(r"\s*IF (?P<condition>[^\n]*)\n\s*BEGIN\n")
_FOR_XML = re.compile(r"FOR XML RAW\(N'(\w+)'\), ELEMENTS XSINIL, ROOT\(N'(\w+)'\)")


@dataclass
class Printed:
    """The lines that the last statement returns."""

    lines: list[str]
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    HEADER = "assessor inventory"


class NotFollowed(Exception):
    """The script has a statement that the runner does not know."""


def run_script(script: str, answers: Answers, *, started: datetime, run: str = "0A1B2C3D") -> Printed:
    """Run ``script`` on the instance that ``answers`` stands for."""
    code = _without_comments(script)
    declared = code.index("SET @document = ")
    _expect(
        r"\s*(?:SET [A-Z_]+ [A-Z0-9]+;\s*)+DECLARE (?:@\w+ [\w()]+,?\s*)+;\s*", code[:declared], "the script's settings"
    )
    begins = re.match(
        r"SET @document = (N'[^']*')\s*\+ CONVERT\(nvarchar\(30\), SYSUTCDATETIME\(\), 126\) \+ (N'[^']*');",
        code[declared:],
    )
    assert begins is not None, "the document's beginning"
    document = _value(begins[1]) + started.isoformat() + _value(begins[2])
    asked: list[tuple[str, str | None]] = []
    position = declared + begins.end()
    while step := _STEP.match(code, position):
        document += _run_step(step, None, answers, asked)
        position = step.end()
    loop = _LOOP.match(code, position)
    assert loop is not None, code[position : position + 200]
    assert _flat(loop["next"]) == _NEXT
    for name, roles in _databases(answers):
        document += _run_loop(loop["body"], name, roles, answers, asked)
    return Printed(_print(code[loop.end() :], document, run), asked)


def _run_loop(body: str, name: str, roles: int, answers: Answers, asked: list[tuple[str, str | None]]) -> str:
    found = ""
    position = body.index("@quoted_text = ")
    position = body.index(";", position) + 1
    assert _flat(body[:position]) == _QUOTED
    while branch := _IF.match(body, position):
        step = _STEP.match(body, branch.end())
        assert step is not None, body[branch.end() : branch.end() + 300]
        end = re.compile(r"\s*END;").match(body, step.end())
        assert end is not None
        if _holds(branch["condition"], name, roles):
            found += _run_step(step, name, answers, asked)
        position = end.end()
    assert not body[position:].strip(), body[position:][:300]
    return found


def _run_step(step: re.Match[str], database: str | None, answers: Answers, asked: list[tuple[str, str | None]]) -> str:
    assert _flat(step["try"]) == _TRY
    assert _flat(step["catch"]) == _CATCH
    batch = _evaluate(step["batch"], database)
    query = _value(step["query"])
    asked.append((query, database))
    told: list[tuple[str, object]] = [("query", query), ("versions", _value(step["versions"])), ("database", database)]
    reply = answers(_as_asked_live(batch), "master")
    match reply:
        case Rows(columns, rows):
            answer = _for_xml_raw(batch, [column.name for column in columns], rows) or "<answer/>"
            return f"<step>{_for_xml_path(told)}{answer}</step>"
        case Refused(messages):
            told += [("error", messages[0].number), ("message", messages[0].text)]
            return f"<step>{_for_xml_path(told)}</step>"
        case _:
            raise NotFollowed(f"{query}: {reply}")


def _as_asked_live(batch: str) -> str:
    """The lab knows a batch by its first line and by the database in it; both are as in a live batch."""
    return batch


def _for_xml_raw(batch: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str | None:
    found = set(_FOR_XML.findall(batch))
    assert len(found) == 1, batch
    row_name, root = found.pop()
    if not rows:
        return None
    names = [re.sub(r"[^\w.\-]", lambda match: f"_x{ord(match[0]):04X}_", name) for name in columns]
    body = "".join(
        f"<{row_name}>" + "".join(_cell(name, value) for name, value in zip(names, row, strict=True)) + f"</{row_name}>"
        for row in rows
    )
    return f'<{root} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{body}</{root}>'


def _cell(name: str, value: object) -> str:
    return f'<{name} xsi:nil="true"/>' if value is None else f"<{name}>{_xml(value)}</{name}>"


def _for_xml_path(values: Sequence[tuple[str, object]]) -> str:
    return "".join(f"<{name}>{_xml(value)}</{name}>" for name, value in values if value is not None)


def _xml(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"[\x00-\x08\x0b-\x1f]", lambda match: f"&#x{ord(match[0]):02X};", text)


def _print(tail: str, document: str, run: str) -> list[str]:
    end = re.match(r"\s*SET @document = @document \+ (N'[^']*');", tail)
    assert end is not None, tail[:200]
    document += _value(end[1])
    assert "PATINDEX(N'%[^ -~]%', @document COLLATE Latin1_General_BIN2)" in tail
    units = document.encode("utf-16-le", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2)]
    document = "".join(chr(code) if 0x20 <= code <= 0x7E else f"&#{code};" for code in codes)
    width = re.search(r"\+ (\d+) - 1\) / \1;", tail)
    assert width is not None
    size = int(width[1])
    assert f"LEFT(SUBSTRING(@document, {size} * (n.number - 1) + 1, {size}) + REPLICATE(N' ', {size}), {size})" in tail
    pieces = [document[at : at + size].ljust(size) for at in range(0, len(document), size)]
    return [f"{run} {number:07}|{piece}|" for number, piece in enumerate(pieces, 1)]


def _databases(answers: Answers) -> list[tuple[str, int]]:
    reply = answers("-- assessor: databases\n", "master")
    assert isinstance(reply, Rows)
    names = [column.name for column in reply.columns]
    found = []
    for values in reply.rows:
        row = dict(zip(names, values, strict=True))
        roles = sum(
            2**bit * int(bool(row[flag]))
            for bit, flag in enumerate(("is_published", "is_merge_published", "is_distributor"))
        )
        if row["state_desc"] == "ONLINE" and row["has_access"] == 1:
            found.append((str(row["name"]), roles))
    return found


def _holds(condition: str, database: str, roles: int) -> bool:
    python = (
        condition.replace("NOT IN", "not in").replace(" IN ", " in ").replace(" AND ", " and ").replace(" OR ", " or ")
    )
    python = re.sub(r"N'(\w+)'\)", r"'\1',)", re.sub(r"N'(\w+)'(?!\))", r"'\1'", python))
    python = re.sub(r"in \((\d+)\)", r"in (\1,)", python.replace("@database = ", "@database == "))
    assert re.fullmatch(r"[@\w\s(),'=]*", python), python
    python = python.replace("@database", repr(database)).replace("@roles", str(roles))
    return bool(eval(python))


def _evaluate(expression: str, database: str | None) -> str:
    quoted = "[" + (database or "").replace("]", "]]") + "]"
    values: dict[str, str] = {"@quoted": quoted, "@quoted_text": quoted.replace("'", "''")}
    result = ""
    rest = expression.strip()
    if head := re.match(rf"CONVERT\(nvarchar\(max\), ({_LITERAL})\)", rest):
        result, rest = _value(head[1]), rest[head.end() :]
        assert database is not None
    token = re.compile(rf"\s*\+?\s*(?:(?P<literal>{_LITERAL})|(?P<variable>@\w+))")
    while rest.strip():
        found = token.match(rest)
        if found is None:
            raise NotFollowed(rest[:100])
        result += _value(found["literal"]) if found["literal"] else values[found["variable"]]
        rest = rest[found.end() :]
    return result


def _value(literal: str) -> str:
    return literal[2:-1].replace("''", "'")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _expect(pattern: str, text: str, what: str) -> None:
    assert re.fullmatch(pattern, text), f"{what}: {text[:300]}"


def _without_comments(script: str) -> str:
    """The script without comments of its own; those inside literals belong to the batches."""
    token = re.compile(rf"({_LITERAL})|--[^\n]*", re.DOTALL)
    return token.sub(lambda match: match[1] or "", script)


# --- how tools save it --------------------------------------------------------------------------------------


def sqlcmd(printed: Printed, encoding: str = "cp850") -> bytes:
    """``sqlcmd -i script.sql -o file``, with no switches; ``utf-16`` is ``-u``, ``utf-8`` is ``-f 65001``."""
    lines = [f"{Printed.HEADER:<78}", "-" * 78, *printed.lines, ""]
    return "".join(f"{line}\r\n" for line in lines).encode(encoding)


def sqlcmd_with_messages(printed: Printed) -> bytes:
    """The same with what a server says besides."""
    text = "Changed database context to 'master'.\nMsg 22001, Level 1, State 1\nRegOpenKeyEx() returned error 2\n\n"
    return text.encode() + sqlcmd(printed, "ascii") + b"\r\n(1 rows affected)\r\n"


def ssms_grid_csv(printed: Printed) -> bytes:
    """Results to Grid, saved as CSV in SSMS's UTF-8 with its mark."""
    return ("\ufeff" + "".join(f"{line}\r\n" for line in printed.lines)).encode()


def ssms_grid_csv_quoted(printed: Printed) -> bytes:
    """The same with the option that quotes whatever holds a separator or a quote."""
    lines = ['"' + line.replace('"', '""') + '"' if "," in line or '"' in line else line for line in printed.lines]
    return "".join(f"{line}\r\n" for line in lines).encode()


def ssms_many_servers(printed: Printed) -> bytes:
    """A query on a group of servers: a column with the server's name comes first."""
    return "".join(f"SQL01\t{line}\r\n" for line in [Printed.HEADER, *printed.lines]).encode("utf-16")


def powershell(printed: Printed) -> bytes:
    """``Invoke-Sqlcmd | Out-File``, as Windows PowerShell 5.1 writes it."""
    lines = ["", Printed.HEADER, "-" * len(Printed.HEADER), *printed.lines, "", ""]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-16")


TOOLS: dict[str, Callable[[Printed], bytes]] = {
    "sqlcmd": sqlcmd,
    "sqlcmd -u": lambda printed: sqlcmd(printed, "utf-16"),
    "sqlcmd -u without its mark": lambda printed: sqlcmd(printed, "utf-16-le"),
    "sqlcmd -f 65001": lambda printed: sqlcmd(printed, "utf-8-sig"),
    "sqlcmd and messages": sqlcmd_with_messages,
    "SSMS grid": ssms_grid_csv,
    "SSMS grid, quoting": ssms_grid_csv_quoted,
    "SSMS, many servers": ssms_many_servers,
    "PowerShell": powershell,
}
