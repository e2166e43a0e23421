"""What a script of assessor.remedies would do to an instance: a reading of the T-SQL, by the tokens of sqlglot's lexer.

Knows the statements that such scripts are made of, and fails on any other: DECLARE, IF with BEGIN … END, EXEC with named
parameters, RAISERROR, RETURN, SET NOCOUNT, BEGIN TRY and BEGIN CATCH.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot.dialects.tsql import TSQL
from sqlglot.tokens import Token, TokenType

Row = dict[str, Any]


class _Lexer(TSQL.Tokenizer):
    COMMANDS: set[TokenType] = set()  # noqa: RUF012 - else END swallows what follows as one token


def tokenize(script: str) -> list[Token]:
    """The tokens of a script; a byte order mark before it does not count."""
    return list(_Lexer().tokenize(script.lstrip("\ufeff")))


class Stopped(Exception):
    """The script stopped by itself; the message is what it said."""


@dataclass
class Instance:
    """As much of an instance as such a script can see and change."""

    server_name: str
    major: int
    servers: dict[str, Row] = field(default_factory=dict)
    mappings: list[Row] = field(default_factory=list)
    properties: dict[str, str | None] = field(default_factory=dict)


def run(script: str, instance: Instance, fill: Mapping[str, str] | None = None) -> None:
    """Let ``script`` do its work. ``fill`` sets variables as a DBA would by editing their DECLARE.

    Raises :class:`Stopped` where the script says that it stops.
    """
    _Run(tokenize(script), instance, dict(fill or {})).block()


def _as_sql_server(text: str) -> str:
    """Two NCHARs that are halves of one character are that character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@dataclass
class _Run:
    tokens: list[Token]
    instance: Instance
    fill: dict[str, str]
    at: int = 0
    variables: dict[str, Any] = field(default_factory=dict)

    # -- tokens

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place].text.upper() if place < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        text = self.tokens[self.at].text
        assert not expected or text.upper() in expected, (text, expected)
        self.at += 1
        return text

    def skip_to(self, end: str) -> None:
        while self.take().upper() != end:
            pass

    # -- statements

    def block(self) -> None:
        while self.at < len(self.tokens):
            if self.peek() == "END":
                return
            self.statement()

    def statement(self) -> None:
        match self.peek():
            case ";":
                self.take()
            case "SET":
                self.skip_to(";")
            case "DECLARE":
                self.declare()
            case "IF":
                self.condition_and_body()
            case "BEGIN" if self.peek(1) == "TRY":
                self.take(), self.take()
                self.block()
                self.take("END"), self.take("TRY")
                while not (self.peek() == "END" and self.peek(1) == "CATCH"):  # nothing failed
                    self.take()
                self.take(), self.take()
            case "RAISERROR":
                self.take(), self.take("(")
                raise Stopped(str(self.expression()))
            case "EXEC" | "EXECUTE":
                self.execute()
            case _:
                raise AssertionError(
                    f"unknown statement at {[token.text for token in self.tokens[self.at : self.at + 8]]}"
                )

    def declare(self) -> None:
        self.take("DECLARE")
        name = self.variable()
        while self.peek() != "=":
            self.take()
        self.take("=")
        value = self.expression()
        self.variables[name] = self.fill.get(name, value)
        self.take(";")

    def condition_and_body(self) -> None:
        self.take("IF")
        holds = self.condition()
        if self.peek() == "BEGIN":
            self.take()
            if holds:
                self.block()
            else:
                while self.peek() != "END":
                    self.take()
            self.take("END")
        elif holds:
            self.statement()
        else:
            self.skip_to(";")

    def condition(self) -> bool:
        start = self.at
        while self.peek() not in ("BEGIN", "EXEC", "EXECUTE"):
            self.at += 1
        words = self.tokens[start : self.at]
        end, self.at = self.at, start
        shown = " ".join(token.text for token in words)
        try:
            if "EXISTS" in shown:
                is_there = self.variables["server"] in self.instance.servers
                assert "modify_date" not in shown, "a definition that was changed since is not played"
                return not is_there if "NOT EXISTS" in shown else is_there
            if "ServerName" in shown:
                while self.peek() != "<>":
                    self.take()
                self.take()
                return self.instance.server_name != self.expression()
            if "ProductMajorVersion" in shown:
                missing = "driver_is_installed" not in shown or not self.variables["driver_is_installed"]
                return missing and self.instance.major < int(words[-1].text)
            holds = False
            while self.at < end:
                name = self.variable()
                self.take("=")
                holds |= self.variables[name] == self.expression()
                if self.at < end:
                    self.take("OR")
            return holds
        finally:
            self.at = end

    def execute(self) -> None:
        self.take("EXEC", "EXECUTE")
        name = self.take()
        while self.peek() == ".":
            self.take()
            name = self.take()
        given: dict[str, Any] = {}
        while True:
            parameter = self.variable()
            self.take("=")
            given[parameter] = self.operand()
            if self.take(",", ";") == ";":
                break
        _PROCEDURES[name](self.instance, given)

    # -- expressions

    def variable(self) -> str:
        text = self.take()
        return self.take() if text == "@" else text.removeprefix("@")

    def expression(self) -> Any:
        value = self.operand()
        while self.peek() == "+":
            self.take()
            value += self.operand()
        return _as_sql_server(value) if isinstance(value, str) else value

    def operand(self) -> Any:
        token = self.tokens[self.at]
        if token.token_type in (TokenType.NATIONAL_STRING, TokenType.STRING):
            self.take()
            return token.text
        if token.text.upper() == "NCHAR":
            self.take(), self.take("(")
            value = chr(int(self.take()))
            self.take(")")
            return value
        if token.text.upper() == "NULL":
            self.take()
            return None
        if token.token_type is TokenType.NUMBER:
            return int(self.take())
        return self.variables[self.variable()]


def _drop(instance: Instance, given: Row) -> None:
    assert given["droplogins"] == "droplogins"
    del instance.servers[given["server"]]
    instance.mappings = [row for row in instance.mappings if row["server_name"] != given["server"]]


def _add(instance: Instance, given: Row) -> None:
    name, product = given["server"], given["srvproduct"]
    assert name not in instance.servers
    if product == "SQL Server":
        assert set(given) == {"server", "srvproduct"}, "Msg 15428"
        row: Row = {"provider": "SQLNCLI", "data_source": name}
    else:
        assert given["provider"], "Msg 15427"
        assert product is not None, "Msg 15429"
        row = {"provider": given["provider"], "data_source": given.get("datasrc")}
        row |= {
            "location": given.get("location"),
            "provider_string": given.get("provstr"),
            "catalog": given.get("catalog"),
        }
    instance.servers[name] = {"name": name, "product": product, **row}
    instance.mappings.append({"server_name": name, "local_principal_id": 0, "uses_self_credential": True})


_FLAGS = {
    "rpc": "is_remote_login_enabled",
    "rpc out": "is_rpc_out_enabled",
    "data access": "is_data_access_enabled",
    "collation compatible": "is_collation_compatible",
    "use remote collation": "uses_remote_collation",
    "lazy schema validation": "lazy_schema_validation",
    "remote proc transaction promotion": "is_remote_proc_transaction_promotion_enabled",
}


def _option(instance: Instance, given: Row) -> None:
    row, name, value = instance.servers[given["server"]], given["optname"], given["optvalue"]
    assert value is None or len(value) <= 128, "@optvalue is nvarchar(128)"
    if name in _FLAGS:
        row[_FLAGS[name]] = {"true": True, "false": False}[value]
    elif name in ("connect timeout", "query timeout"):
        row[name.replace(" ", "_")] = int(value)
    elif name == "provider string":
        assert row["product"] != "SQL Server", "nobody has documented that"
        row["provider_string"] = value
    else:
        row[{"collation name": "collation_name"}[name]] = value


def _unmap(instance: Instance, given: Row) -> None:
    assert given["locallogin"] is None
    instance.mappings = [row for row in instance.mappings if row["server_name"] != given["rmtsrvname"]]


def _map(instance: Instance, given: Row) -> None:
    row: Row = {"server_name": given["rmtsrvname"], "uses_self_credential": given["useself"] == "True"}
    local = given["locallogin"]
    row |= {"local_principal_id": 0} if local is None else {"local_principal_id": 260, "local_login": local}
    if not row["uses_self_credential"]:
        row["remote_name"] = given["rmtuser"]
        assert given["rmtuser"] is None or given["rmtpassword"]
    instance.mappings.append(row)


def _property(instance: Instance, given: Row) -> None:
    assert instance.major >= 17
    instance.properties[given["property"]] = given["value"]


def _netname(instance: Instance, given: Row) -> None:
    instance.servers[given["server"]]["data_source"] = given["netname"]


_PROCEDURES: dict[str, Callable[[Instance, Row], None]] = {
    "sp_dropserver": _drop,
    "sp_addlinkedserver": _add,
    "sp_serveroption": _option,
    "sp_setnetname": _netname,
    "sp_droplinkedsrvlogin": _unmap,
    "sp_addlinkedsrvlogin": _map,
    "sp_changedistributor_property": _property,
}


def literals(script: str) -> Iterator[str]:
    """Every string literal of a script."""
    for token in tokenize(script):
        if token.token_type in (TokenType.NATIONAL_STRING, TokenType.STRING):
            yield token.text
