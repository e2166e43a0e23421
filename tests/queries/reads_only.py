"""Proof that a T-SQL batch only reads, from its parsed tree (sqlglot, dialect tsql).

An allow-list throughout: statement types, node types, procedures, functions and table hints that are not named
here are refused. The tree is then held against the words of the batch, for the parser is lenient in places
(``IF x IS NULL EXEC p`` becomes an alias called EXEC), and a word that makes a statement must have become one.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

#: Procedures that read and nothing else, as the bundled queries write them.
PROCEDURES = frozenset(
    {
        "master.dbo.xp_regread",
        "master.dbo.xp_instance_regread",
        "sys.sp_readerrorlog",
        "master.sys.sp_helpdistributor",
    }
)

#: Functions without a node type of their own.
FUNCTIONS = frozenset(
    {
        "SERVERPROPERTY", "CONNECTIONPROPERTY", "HAS_PERMS_BY_NAME", "IS_SRVROLEMEMBER", "HAS_DBACCESS",
        "DATALENGTH", "DB_NAME", "QUOTENAME",
    }
)  # fmt: skip

STATEMENTS = (exp.Select, exp.Union, exp.Declare, exp.Set, exp.Execute, exp.IfBlock)

#: Every node type that may stand inside a statement.
NODES = (
    *STATEMENTS,
    exp.Alias,
    exp.And,
    exp.Anonymous,
    exp.Block,
    exp.Boolean,
    exp.Case,
    exp.Cast,
    exp.Coalesce,
    exp.Collate,
    exp.Column,
    exp.Convert,
    exp.Count,
    exp.CurrentUser,
    exp.DataType,
    exp.DataTypeParam,
    exp.DeclareItem,
    exp.Distinct,
    exp.EQ,
    exp.From,
    exp.Exists,
    exp.Group,
    exp.GTE,
    exp.Identifier,
    exp.If,
    exp.In,
    exp.Is,
    exp.Join,
    exp.Left,
    exp.Like,
    exp.Limit,
    exp.Literal,
    exp.LT,
    exp.Max,
    exp.Mul,
    exp.Add,
    exp.GT,
    exp.NEQ,
    exp.National,
    exp.Neg,
    exp.Not,
    exp.Null,
    exp.ObjectId,
    exp.Or,
    exp.Order,
    exp.Ordered,
    exp.Parameter,
    exp.Paren,
    exp.Replace,
    exp.SetItem,
    exp.Subquery,
    exp.Substring,
    exp.StrPosition,
    exp.Tuple,
    exp.Union,
    exp.Values,
    exp.Table,
    exp.TableAlias,
    exp.Var,
    exp.Where,
    exp.WithTableHint,
)

#: SET options that change nothing but this session's own reading.
SET_OPTIONS = frozenset({"NOCOUNT ON", "LOCK_TIMEOUT 10000"})

#: The only DBCC command, word by word: sqlglot has no node for DBCC.
DBCC = ["DBCC", "TRACESTATUS", "(", "17600", ",", "-", "1", ")", "WITH", "NO_INFOMSGS"]

#: Words that begin a statement or a clause which writes, wherever they stand as a word of their own.
_WRITING = """
    INSERT UPDATE DELETE MERGE INTO DROP CREATE ALTER TRUNCATE GRANT DENY REVOKE BACKUP RESTORE KILL
    SHUTDOWN RECONFIGURE CHECKPOINT WAITFOR RAISERROR PRINT USE BULK WRITETEXT UPDATETEXT BEGIN COMMIT
    ROLLBACK SAVE GOTO WHILE RETURN THROW ENABLE DISABLE ADD OPENROWSET OPENQUERY OPENDATASOURCE OPENXML
    NEXT CURSOR OPEN FETCH CLOSE DEALLOCATE SEND RECEIVE MOVE GET GO SETUSER REVERT DUMP LOAD READTEXT
    PROC PROCEDURE TRAN TRANSACTION AT
"""
WRITING_WORDS = frozenset(_WRITING.split())


class NotARead(AssertionError):
    """The batch does something that is not on the allow-list; says what."""


def prove_that_it_only_reads(batch: str) -> None:
    """Raise :class:`NotARead` unless every statement of ``batch`` is known to read only."""
    try:
        tokens = sqlglot.tokenize(batch, dialect="tsql")
    except sqlglot.errors.TokenError as error:
        raise NotARead(f"not tokenised: {error}") from None
    words = [token for token in tokens if token.token_type not in (TokenType.STRING, TokenType.NATIONAL_STRING)]
    for token in words:
        if token.token_type is not TokenType.IDENTIFIER and token.text.upper() in WRITING_WORDS:
            raise NotARead(f"the word {token.text}")
    if any(token.text.upper() == "DBCC" for token in words):
        _prove_dbcc(tokens)
        return
    try:
        statements = sqlglot.parse(batch, dialect="tsql")
    except sqlglot.errors.ParseError as error:
        raise NotARead(f"not parsed: {error}") from None
    found = [statement for statement in statements if statement is not None]
    if not found:
        raise NotARead("no statement")
    for statement in found:
        _prove_statement(statement)
    _prove_counts(found, words)


def _prove_dbcc(tokens: list[Token]) -> None:
    texts = [token.text.upper() for token in tokens]
    if texts[-1] == ";":
        texts.pop()
    if texts != DBCC:
        raise NotARead(f"DBCC other than {' '.join(DBCC)}")


def _prove_statement(statement: exp.Expression) -> None:
    if not isinstance(statement, STATEMENTS):
        raise NotARead(f"statement {type(statement).__name__}: {statement.sql('tsql')[:80]}")
    for node in statement.walk():
        if type(node) not in NODES:
            raise NotARead(f"{type(node).__name__} in {statement.sql('tsql')[:80]}")
        if isinstance(node, exp.Select) and node.args.get("into"):
            raise NotARead("SELECT INTO")
        if isinstance(node, exp.Block):
            for inner in node.expressions:
                if not isinstance(inner, STATEMENTS):
                    raise NotARead(f"{type(inner).__name__} in a block")
        if isinstance(node, exp.Anonymous) and str(node.this).upper() not in FUNCTIONS:
            raise NotARead(f"function {node.this}")
        if isinstance(node, exp.Execute):
            _prove_execute(node)
        if isinstance(node, exp.Set):
            _prove_set(node)
        if isinstance(node, exp.WithTableHint) and [h.name.upper() for h in node.expressions] != ["READUNCOMMITTED"]:
            raise NotARead(f"table hint {node.sql('tsql')}")
        if isinstance(node, exp.DeclareItem):
            kind = node.args.get("kind")
            if not isinstance(kind, exp.DataType) or kind.this not in (exp.DType.INT, exp.DType.NVARCHAR):
                raise NotARead(f"variable of type {kind}")
        if isinstance(node, exp.Table) and not isinstance(node.parent, exp.Execute):
            _prove_table(node)


def _prove_execute(node: exp.Execute) -> None:
    procedure = node.this
    name = ".".join(part.name for part in procedure.parts) if isinstance(procedure, exp.Table) else ""
    if name not in PROCEDURES or not all(isinstance(part, exp.Identifier) for part in procedure.parts):
        raise NotARead(f"procedure {node.this.sql('tsql')}")


def _prove_set(node: exp.Set) -> None:
    for item in node.expressions:
        assignment = item.this
        if not isinstance(assignment, exp.EQ):
            raise NotARead(f"SET {item.sql('tsql')}")
        if isinstance(assignment.this, exp.Parameter):
            continue  # a variable of the batch
        option = f"{assignment.this.name} {assignment.expression.name}".upper()
        if option not in SET_OPTIONS:
            raise NotARead(f"SET {option}")


def _prove_table(node: exp.Table) -> None:
    if not isinstance(node.this, exp.Identifier):
        raise NotARead(f"source {node.sql('tsql')}")
    if node.db.lower() not in ("sys", "dbo"):
        raise NotARead(f"table {node.sql('tsql')} outside sys and dbo")
    if len(node.parts) > 3:
        raise NotARead(f"table {node.sql('tsql')} on another server")


def _prove_counts(statements: list[exp.Expression], words: list[Token]) -> None:
    """Each word that makes a statement has become one, and nothing was swallowed as a name or an alias."""
    for keywords, kinds in (
        (("EXEC", "EXECUTE"), (exp.Execute,)),
        (("SELECT",), (exp.Select,)),
        (("DECLARE",), (exp.Declare,)),
        (("SET",), (exp.Set,)),
        (("IF",), (exp.IfBlock,)),
    ):
        written = sum(token.text.upper() in keywords for token in words if token.token_type != TokenType.IDENTIFIER)
        parsed = sum(isinstance(node, kinds) for statement in statements for node in statement.walk())
        if written != parsed:
            raise NotARead(f"{written} times {keywords[0]}, but {parsed} in the tree")
