"""Command lines and PowerShell of job steps: which programs in them dial a SQL Server, where, and with what switches.

Passwords never leave this module: of a command line only the server, the switches about encryption and the names of
packages and scripts are kept. Switches: sql-docs ``tools/sqlcmd/sqlcmd-utility.md`` and ``tools/bcp-utility.md`` (SQL
Server 2025 editions), ``tools/osql-utility.md``, ``integration-services/packages/dtexec-utility.md``; tokens:
``ssms/agent/use-tokens-in-job-steps.md``; ``Invoke-Sqlcmd``: the SqlServer module's own page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from assessor.clients.options import MASK, parse_provider_string, redact

#: What ``$(ESCAPE_SQUOTE(SRVR))`` and its relatives are written as, and ``%COMPUTERNAME%``.
LOCAL_SERVER: Final = "$(SRVR)"
LOCAL_MACHINE: Final = "$(MACH)"

SCRIPT: Final = "script"
SQLPS: Final = "sqlps"
SQLCLIENT: Final = "sqlclient"
DBATOOLS: Final = "dbatools"
DTEXEC: Final = "dtexec"
INVOKE_SQLCMD: Final = "invoke-sqlcmd"
SQLCMD: Final = "sqlcmd"
OSQL: Final = "osql"
BCP: Final = "bcp"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool. ``server`` is ``None`` where none is named, so that the tool dials the local one."""

    tool: str
    server: str | None = None
    is_server_known: bool = True
    switches: str = ""  #: those about encryption, as written
    options: str | None = None  #: the same in the words of a connection string
    provider: str | None = None
    runs: str | None = None
    tools_version: int | None = None


# --------------------------------------------------------------------------------------------------- tokens of Agent

_TOKEN = re.compile(r"\$\((?:ESCAPE_(?:SQUOTE|DQUOTE|RBRACKET|NONE)\(\s*)?(\w+)\s*\)?\)", re.IGNORECASE)
_MACHINE = re.compile(r"%COMPUTERNAME%|\$env:COMPUTERNAME|\$\{env:COMPUTERNAME\}", re.IGNORECASE)
#: Stand-ins of private use, so that no tokenizer takes the parentheses apart.
_SRVR, _MACH, _INST, _OTHER = "\ue001", "\ue002", "\ue003", "\ue004"
_STAND_INS = {"SRVR": _SRVR, "MACH": _MACH, "INST": _INST}
_PRIVATE = re.compile("[\ue001-\ue004]")


def _with_stand_ins(text: str) -> str:
    text = _PRIVATE.sub("\ufffd", text)
    text = _TOKEN.sub(lambda found: _STAND_INS.get(found[1].upper(), _OTHER), text)
    return _MACHINE.sub(_MACH, text)


#: A server is shown only if it looks like one: what was taken for it by mistake may be anything.
_SERVER = re.compile(r"[\w.\\,:()\[\]\- \ue001-\ue003]{1,260}")


def _server(text: str | None) -> tuple[str | None, bool]:
    """The server as it may be kept, and whether it is known. No text: the tool's default."""
    if text is None:
        return None, True
    text = text.strip()
    if not text:
        return None, True
    if not _SERVER.fullmatch(text):
        return None, False
    shown = text.replace(_SRVR, LOCAL_SERVER).replace(_MACH, LOCAL_MACHINE).replace(_INST, "$(INST)")
    return shown, True


# --------------------------------------------------------------------------------------------------- command lines


@dataclass(frozen=True, slots=True)
class _Word:
    """One argument; ``is_quoted``: it began with a quote, so a leading dash is no switch for sure."""

    text: str
    is_quoted: bool = False


_BREAKS = frozenset("&|\r\n")
_INTERPRETERS = frozenset({"call", "start", "do", "cscript", "wscript", "python", "python3", "perl"})
_REMARKS = frozenset({"rem", "@rem", "::", "echo", "@echo", "title"})


def calls_in_command(command: str) -> tuple[Call, ...]:
    """The tool calls of a CmdExec step or of a string given to ``xp_cmdshell``, each once, in order."""
    return tuple(dict.fromkeys(_calls_in_command(_with_stand_ins(command), 0)))


def _calls_in_command(command: str, depth: int) -> Iterator[Call]:
    for words in _segments(command):
        yield from _calls_in_segment(words, depth)


def _segments(command: str) -> Iterator[list[_Word]]:
    """The simple commands of a command line, split at ``&``, ``|`` and line ends outside quotes."""
    words: list[_Word] = []
    current: list[str] = []
    began_quoted = in_quotes = has_word = False

    def end_word() -> None:
        nonlocal has_word, began_quoted
        if has_word:
            words.append(_Word("".join(current), began_quoted))
        current.clear()
        has_word = began_quoted = False

    position = 0
    while position < len(command):
        sign = command[position]
        position += 1
        if sign == '"' and in_quotes and command.startswith('"', position):
            current.append(sign)  # doubled inside quotes it is one
            position += 1
        elif sign == '"':
            if not has_word:
                began_quoted = True
            in_quotes, has_word = not in_quotes, True
        elif sign == "\\" and command.startswith('"', position) and (in_quotes or current):
            # A backslash before a quote escapes it, unless it ends a path: "C:\\Jobs\\" is read as two words otherwise.
            if in_quotes and _closes(command, position):
                current.append(sign)
            else:
                current.append('"')
                position += 1
            has_word = True
        elif sign == "^" and not in_quotes and position < len(command):
            if command[position] in "\r\n":
                position += 2 if command.startswith("\r\n", position) else 1
            else:
                current.append(command[position])
                has_word = True
                position += 1
        elif sign in _BREAKS and (not in_quotes or sign in "\r\n"):
            end_word()
            in_quotes = False
            yield list(words)
            words.clear()
        elif sign.isspace() and not in_quotes:
            end_word()
        else:
            current.append(sign)
            has_word = True
    end_word()
    yield list(words)


def _closes(command: str, quote: int) -> bool:
    """The quote at this place ends a quoted path: a blank or the end follows, and no further quote pairs up with it."""
    after = command[quote + 1 : quote + 2]
    return (not after or after.isspace()) and command.count('"', quote + 1) % 2 == 0


def _program(word: _Word) -> str:
    name = re.split(r"[\\/]", word.text.lower().lstrip("@("))[-1]
    return name.removesuffix(".exe")


_SCRIPT_FILE = re.compile(r"\.(?:bat|cmd|ps1|vbs|js|wsf|py|pl)$", re.IGNORECASE)
#: A program given by its path that is no part of Windows: what it dials, nobody sees.
_OWN_PROGRAM = re.compile(r"^(?!.*\\(?:windows|winnt|system32)\\).*[\\/][^\\/]+\.exe$", re.IGNORECASE)
_SHOWN_FILE = re.compile(r"[\w.\\/:$% ()~\-]{1,260}")


def _file(text: str) -> str:
    return text if _SHOWN_FILE.fullmatch(text) else MASK


def _calls_in_segment(words: Sequence[_Word], depth: int) -> Iterator[Call]:
    if not words or words[0].text.lower() in _REMARKS or words[0].text.startswith("::"):
        return
    for number, word in enumerate(words):
        program, rest = _program(word), words[number + 1 :]
        if program in _TOOLS:
            yield _TOOLS[program](word, rest)
            return
        if program in ("cmd", "powershell", "pwsh", "sqlps") and depth < 3:
            yield from _calls_in_shell(program, rest, depth)
            return
        if number == 0 or any(_program(each) in _INTERPRETERS for each in words[:number]):
            if _SCRIPT_FILE.search(word.text):
                yield Call(SCRIPT, runs=_file(word.text), is_server_known=False)
                return
        if number == 0 and _OWN_PROGRAM.search(word.text):
            yield Call(SCRIPT, runs=_file(word.text), is_server_known=False)
            return


def _calls_in_shell(program: str, words: Sequence[_Word], depth: int) -> Iterator[Call]:
    if program == "cmd":
        for number, word in enumerate(words):
            if word.text.lower() in ("/c", "/k", "/r"):
                rest = words[number + 1 :]
                if len(rest) == 1 and rest[0].is_quoted:
                    yield from _calls_in_command(rest[0].text, depth + 1)
                else:
                    yield from _calls_in_segment(rest, depth + 1)
                return
        return
    for number, word in enumerate(words):
        switch, rest = word.text.lower().lstrip("-/"), words[number + 1 :]
        if not word.text.startswith(("-", "/")):
            continue
        if switch and "encodedcommand".startswith(switch) and switch[0] == "e" and switch not in ("ex", "exe", "exec"):
            yield Call(SCRIPT, runs="an encoded PowerShell command", is_server_known=False)
            return
        if switch and "command".startswith(switch):
            yield from _calls_in_powershell(" ".join(each.text for each in rest), depth + 1)
            return
        if switch and "file".startswith(switch):
            yield Call(SCRIPT, runs=_file(rest[0].text) if rest else None, is_server_known=False)
            return
    for word in words:
        if _SCRIPT_FILE.search(word.text):
            yield Call(SCRIPT, runs=_file(word.text.lstrip("&. '\"")), is_server_known=False)
            return
    if words and not words[-1].text.startswith("-"):
        yield from _calls_in_powershell(" ".join(each.text for each in words), depth + 1)


# ------------------------------------------------------------------------------------------- sqlcmd, osql, bcp, dtexec

_TOOLS_FOLDER = re.compile(r"\\ODBC\\(\d{2,3})\\Tools\\|\\(\d{2,3})\\Tools\\Binn\\", re.IGNORECASE)


def _tools_version(word: _Word) -> int | None:
    found = _TOOLS_FOLDER.search(word.text.replace("/", "\\"))
    return int(found[1] or found[2]) if found else None


@dataclass(frozen=True, slots=True)
class _Grammar:
    valued: str  #: switches that take a value, glued to them or as the next argument
    gluing: str  #: switches whose value, if any, is glued: ``-Nm``
    optional: str = ""  #: switches whose value may be left out: the next argument is one unless it is a switch
    many: str = ""  #: switches that take every argument up to the next switch
    positional: int = 0  #: arguments that are no switches


_SQLCMD = _Grammar(valued="aSUPHlthswcioqQVmfyYdKJFDzZ", gluing="NrpkXL", many="v")
_OSQL = _Grammar(valued="aSUPHlthswcioqQmdD", gluing="r")
_BCP = _Grammar(valued="abCdefFhHiJKlLmoPSUV", gluing="Y", optional="rt", positional=3)


@dataclass(frozen=True, slots=True)
class _Switches:
    values: Mapping[str, str | None]  #: the last of each; ``None`` without a value
    is_clear: bool  #: every argument was understood


def _switches(words: Sequence[_Word], grammar: _Grammar) -> _Switches:
    values: dict[str, str | None] = {}
    left_over = 0
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        text = word.text
        if len(text) < 2 or text[0] not in "-/" or (text[0] == "/" and len(text) > 2 and "/" in text[1:]):
            if text[:1] in "<>" or re.fullmatch(r"[12]?>{1,2}.*", text):
                position += 1 if re.fullmatch(r"[12]?[<>]{1,2}", text) else 0
                continue
            left_over += 1
            continue
        switch, glued = text[1], text[2:]
        if switch in grammar.many:
            values[switch] = None
            while position < len(words) and not words[position].text.startswith(("-", "/")):
                position += 1
        elif switch in grammar.valued and not glued:
            # Whatever follows is the value: a password may look like a switch.
            values[switch] = words[position].text if position < len(words) else None
            position += 1
        elif switch in grammar.optional and not glued:
            if position < len(words) and (words[position].is_quoted or not words[position].text.startswith(("-", "/"))):
                position += 1
        elif switch in grammar.valued or switch in grammar.gluing:
            values[switch] = glued or None
            if switch == "N" and not glued and position < len(words) and words[position].text in tuple("smoSMO"):
                values[switch] = " " + words[position].text
                position += 1
        else:
            values[switch] = None
    return _Switches(values, left_over <= grammar.positional)


_MODES: Final = {"s": "Strict", "m": "Mandatory", "o": "Optional"}


def _encryption(found: _Switches, mode: str, trust: str, host_name: str, pin: str) -> tuple[str, str | None]:
    """The switches about encryption as written, and in the words of a connection string."""
    written: list[str] = []
    options: list[str] = []
    values = found.values
    if mode in values:
        word = values[mode] or ""
        written.append(f"-{mode}{word if word.strip().lower() in ('', *_MODES) else '?'}")
        if word.strip().lower() in ("", *_MODES):
            options.append(f"Encrypt={_MODES.get(word.strip().lower(), 'Mandatory')}")
    if trust in values:
        written.append(f"-{trust}")
        options.append("TrustServerCertificate=yes")
    for switch, keyword in ((host_name, "HostNameInCertificate"), (pin, "ServerCertificate")):
        if value := values.get(switch):
            written.append(f"-{switch}")
            options.append(f"{keyword}={{{value}}}")
    return " ".join(written), redact(";".join(options)) or None


def _sqlcmd(program: _Word, words: Sequence[_Word]) -> Call:
    found = _switches(words, _SQLCMD)
    server, is_known = _server(found.values.get("S"))
    switches, options = _encryption(found, "N", "C", "F", "J")
    return Call(
        SQLCMD,
        server,
        is_known and found.is_clear and "D" not in found.values,
        switches,
        options,
        tools_version=_tools_version(program),
    )


def _osql(program: _Word, words: Sequence[_Word]) -> Call:
    found = _switches(words, _OSQL)
    server, is_known = _server(found.values.get("S"))
    is_known = is_known and found.is_clear and "D" not in found.values
    return Call(OSQL, server, is_known, tools_version=_tools_version(program))


def _bcp(program: _Word, words: Sequence[_Word]) -> Call:
    found = _switches(words, _BCP)
    server, is_known = _server(found.values.get("S"))
    switches, options = _encryption(found, "Y", "u", "H", "J")
    is_known = is_known and found.is_clear and "D" not in found.values
    return Call(BCP, server, is_known, switches, options, tools_version=_tools_version(program))


#: Options of dtexec that take one value, by the shortest form it knows. Those with secrets are here to be stepped over.
_DTEXEC_VALUED: Final = (
    "f", "sq", "dt", "iss", "ser", "conn", "cons", "com", "de", "set", "par", "env", "p", "u", "dump", "l", "m", "vl",
    "verifys", "ch", "rem", "rep", "res",
)  # fmt: skip


def _dtexec(program: _Word, words: Sequence[_Word]) -> Call:
    """Only the package's place; its connections are in the package, or given anew by ``/CONNECTION``."""
    values: dict[str, str] = {}
    connections: list[str] = []
    position = 0
    while position < len(words):
        text = words[position].text.lower()
        position += 1
        if text[:1] not in "-/" or not text[1:]:
            continue
        option = text[1:]
        value = words[position].text if position < len(words) else ""
        if option.startswith("conn"):
            connections.append(value)
        elif option.startswith(("f", "sq", "dt", "iss")):
            values["runs"] = value
        elif option.startswith("ser"):
            values["server"] = value
        if option.startswith(_DTEXEC_VALUED):
            position += 1
    runs = _file(values["runs"].strip('"')) if values.get("runs") else None
    server, is_known = _server(values.get("server", "").strip('"') or None)
    return Call(
        DTEXEC,
        server,
        is_known,
        runs=runs,
        provider=_provider_of(connections),
        tools_version=_tools_version(program),
    )


_PROVIDER = re.compile(r"provider\s*=\s*([\w.]{1,60})", re.IGNORECASE)


def _provider_of(connections: Sequence[str]) -> str | None:
    found = [match[1] for connection in connections for match in _PROVIDER.finditer(connection)]
    return found[0] if len({each.lower() for each in found}) == 1 else None


def calls_in_package_step(command: str) -> tuple[Call, ...]:
    """The call of an SSIS step, whose command is what dtexec would be given."""
    words = next((words for words in _segments(" ".join(_with_stand_ins(command).split())) if words), [])
    return (_dtexec(_Word("dtexec"), words),)


_TOOLS: Final[Mapping[str, Callable[[_Word, Sequence[_Word]], Call]]] = {
    "sqlcmd": _sqlcmd,
    "osql": _osql,
    "isql": _osql,
    "bcp": _bcp,
    "dtexec": _dtexec,
}


# ------------------------------------------------------------------------------------------------------- PowerShell

_PS_COMMENT = re.compile(r"<#.*?(?:#>|\Z)", re.DOTALL)
_PS_SEPARATORS = frozenset(";|{}()&\n\r,=")
_CONNECTION_STRING = re.compile(r"(?:^|;)\s*(?:server|data source|address|addr|network address)\s*=", re.IGNORECASE)
_CLASS = re.compile(r"((?:System\.Data|Microsoft\.Data)\.(?:SqlClient|OleDb|Odbc))", re.IGNORECASE)
_COMMAND_NAME = re.compile(r"[a-z]+-dba[a-z]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _PsToken:
    text: str
    is_string: bool = False
    is_separator: bool = False


def calls_in_powershell(script: str) -> tuple[Call, ...]:
    """The tool calls of a PowerShell step, each once, in order."""
    return tuple(dict.fromkeys(_calls_in_powershell(_with_stand_ins(script), 0)))


def _calls_in_powershell(script: str, depth: int) -> Iterator[Call]:
    found = tuple(_ps_tokens(_PS_COMMENT.sub(" ", script)))
    for number, token in enumerate(found):
        word = token.text.lower()
        if token.is_separator:
            continue
        if token.is_string:
            if _CONNECTION_STRING.search(token.text):
                yield _from_connection_string(token.text, script, _switch_before(found, number))
            continue
        program = _program(_Word(token.text))
        arguments = _ps_arguments(found, number + 1)
        if word == INVOKE_SQLCMD:
            if not _has_connection_string(arguments):
                yield _invoke_sqlcmd(arguments)
        elif _COMMAND_NAME.fullmatch(word):
            server, is_known = _server_of(arguments, "sqlinstance")
            yield Call(DBATOOLS, server, is_known)
        elif program in _TOOLS:
            yield _TOOLS[program](_Word(token.text), [_Word(each.text, each.is_string) for each in arguments])
        elif program in ("cmd", "powershell", "pwsh", "sqlps") and depth < 3 and not token.text.startswith("-"):
            yield from _calls_in_shell(program, [_Word(each.text, each.is_string) for each in arguments], depth)
        elif _SCRIPT_FILE.search(token.text) and _begins_command(found, number):
            yield Call(SCRIPT, runs=_file(token.text), is_server_known=False)
        elif word.startswith("sqlserver:"):
            yield Call(SQLPS, LOCAL_SERVER)
    yield from _scripts_called(found)


def _ps_tokens(script: str) -> Iterator[_PsToken]:
    position = 0
    length = len(script)
    while position < length:
        sign = script[position]
        here = (
            re.compile(r"@([\"'])[ \t]*\r?\n(.*?)\r?\n\1@", re.DOTALL).match(script, position) if sign == "@" else None
        )
        if here:
            yield _PsToken(here[2], is_string=True)
            position = here.end()
        elif sign == "`" and position + 1 < length:
            position += 3 if script.startswith("\r\n", position + 1) else 2
        elif sign == "#":
            end = re.compile(r"[\r\n]").search(script, position)
            position = end.start() if end else length
        elif sign in "'\"":
            text, position = _ps_string(script, position)
            yield _PsToken(text, is_string=True)
        elif sign in _PS_SEPARATORS:
            yield _PsToken(sign, is_separator=True)
            position += 1
        elif sign.isspace():
            position += 1
        else:
            start = position
            while position < length and not script[position].isspace() and script[position] not in "'\"`;|{}()&,=":
                position += 1
            yield _PsToken(script[start:position])
            if position == start:
                position += 1


def _ps_string(script: str, start: int) -> tuple[str, int]:
    quote = script[start]
    content: list[str] = []
    position = start + 1
    while position < len(script):
        sign = script[position]
        if sign == "`" and quote == '"' and position + 1 < len(script):
            content.append(script[position + 1])
            position += 2
        elif sign == quote and script.startswith(quote, position + 1):
            content.append(quote)
            position += 2
        elif sign == quote:
            return "".join(content), position + 1
        else:
            content.append(sign)
            position += 1
    return "".join(content), position


def _ps_arguments(found: Sequence[_PsToken], start: int) -> list[_PsToken]:
    """The tokens up to the end of the command: a line's end, a pipe, a closing brace at its own depth."""
    arguments: list[_PsToken] = []
    depth = 0
    for token in found[start:]:
        if token.is_separator:
            if token.text in "({":
                depth += 1
            elif token.text in ")}":
                depth -= 1
                if depth < 0:
                    break
            elif depth == 0 and token.text in ";|&\r\n":
                break
            arguments.append(token)
            continue
        arguments.append(token)
    return arguments


def _begins_command(found: Sequence[_PsToken], number: int) -> bool:
    return (
        number == 0
        or (found[number - 1].is_separator and found[number - 1].text in ";|{&\r\n(")
        or found[number - 1].text == "."
    )


def _scripts_called(found: Sequence[_PsToken]) -> Iterator[Call]:
    for number, token in enumerate(found):
        if token.is_string and _SCRIPT_FILE.search(token.text) and number and found[number - 1].text in ("&", "."):
            yield Call(SCRIPT, runs=_file(token.text), is_server_known=False)


def _value_of(arguments: Sequence[_PsToken], parameter: str, shortest: int) -> tuple[bool, str | None]:
    """Whether a parameter is given, and its value where that is a literal."""
    for number, token in enumerate(arguments):
        if token.is_string or not token.text.startswith("-"):
            continue
        name, colon, glued = token.text[1:].lower().partition(":")
        if len(name) < shortest or not parameter.startswith(name):
            continue
        following = arguments[number + 1] if number + 1 < len(arguments) else None
        if colon and glued:
            return True, token.text[2 + len(name) :]
        if following is None or following.is_separator:
            return True, None
        if not following.is_string and following.text.startswith("-"):
            return True, None
        return True, following.text
    return False, None


def _server_of(arguments: Sequence[_PsToken], parameter: str) -> tuple[str | None, bool]:
    given, value = _value_of(arguments, parameter, 6)
    if not given:
        is_splatted = any(not each.is_string and each.text.startswith("@") for each in arguments)
        return None, not is_splatted
    if value is None or "$" in value:
        return None, False
    return _server(value)


def _has_connection_string(arguments: Sequence[_PsToken]) -> bool:
    given, value = _value_of(arguments, "connectionstring", 5)
    return given and value is not None and _CONNECTION_STRING.search(value) is not None


def _invoke_sqlcmd(arguments: Sequence[_PsToken]) -> Call:
    if _value_of(arguments, "connectionstring", 5)[0]:
        return Call(INVOKE_SQLCMD, None, False)
    server, is_known = _server_of(arguments, "serverinstance")
    written: list[str] = []
    options: list[str] = []
    given, mode = _value_of(arguments, "encrypt", 5)
    if given and mode and mode.lower() in ("optional", "mandatory", "strict"):
        written.append(f"-Encrypt {mode}")
        options.append(f"Encrypt={mode}")
    given, value = _value_of(arguments, "trustservercertificate", 5)
    if given and (value or "").lower() not in ("false", "$false"):
        written.append("-TrustServerCertificate")
        options.append("TrustServerCertificate=yes")
    given, value = _value_of(arguments, "hostnameincertificate", 5)
    if given and value:
        written.append("-HostNameInCertificate")
        options.append(f"HostNameInCertificate={{{value}}}")
    return Call(INVOKE_SQLCMD, server, is_known, " ".join(written), redact(";".join(options)) or None)


def _switch_before(found: Sequence[_PsToken], number: int) -> str:
    before = found[number - 1] if number else _PsToken("")
    return before.text.lower() if not before.is_string else ""


def _from_connection_string(text: str, script: str, before: str) -> Call:
    shown = redact(text)
    classes = {match[1] for match in _CLASS.finditer(script)}
    server, is_known = _server(_data_source(shown))
    tool = INVOKE_SQLCMD if before.startswith("-connection") else SQLCLIENT
    return Call(
        tool,
        server,
        is_known and server is not None,
        "",
        shown,
        provider=next(iter(classes)) if len(classes) == 1 else None,
    )


def _data_source(shown: str) -> str | None:
    server = parse_provider_string(shown).server
    return server if server is not None and "$" not in server else "\x00"
