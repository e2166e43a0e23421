"""Which columns of which system objects a bundled query reads, from its parsed tree (sqlglot)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp, parse

from assessor.collect.queries import Query, Scope

_DATABASE = "asked"


class Unresolved(AssertionError):
    """A column or table whose object can't be told; the query should name it with an alias."""


def columns_read(query: Query) -> set[tuple[str, str]]:
    """Pairs of object and column: ``("sys.servers", "name")``, ``("msdb.dbo.sysjobs", "job_id")``.

    A table of the database that is asked about is ``dbo.X``, a catalog view ``sys.X`` whatever database it stands in.
    An object that is joined or counted without a column of it being read has the column ``""``.
    """
    text = query.render(_DATABASE if query.scope is Scope.DATABASE else None)
    return {pair for statement in parse(text, dialect="tsql") if statement is not None for pair in _of(statement)}


def _of(statement: exp.Expr) -> Iterator[tuple[str, str]]:
    for table in statement.find_all(exp.Table):
        if not isinstance(table.parent, exp.Execute):
            yield _object(table), ""
    for column in statement.find_all(exp.Column):
        if isinstance(column.this, exp.Parameter) or column.find_ancestor(exp.Select, exp.SetItem, exp.Execute) is None:
            continue
        if not isinstance(column.find_ancestor(exp.Select, exp.SetItem, exp.Execute), exp.Select):
            continue  # the name of a SET option, or a word that a procedure is given
        source = _source(column)
        if isinstance(source, exp.Table):
            yield _object(source), column.name


def _source(column: exp.Column) -> exp.Expression:
    """What the alias of a column stands for, in the nearest SELECT that has it."""
    select = column.find_ancestor(exp.Select)
    while select is not None:
        sources = list(_sources(select))
        if not column.table:
            if len(sources) == 1:
                return sources[0][1]
            raise Unresolved(f"{column.sql('tsql')}: write the alias of its table")
        for alias, source in sources:
            if alias.lower() == column.table.lower():
                return source
        select = select.find_ancestor(exp.Select)
    raise Unresolved(f"{column.sql('tsql')}: no table has this alias")


def _sources(select: exp.Select) -> Iterator[tuple[str, exp.Expression]]:
    from_ = select.args.get("from_") or select.args.get("from")
    for clause in (from_, *(select.args.get("joins") or ())):
        if clause is not None:
            yield clause.this.alias_or_name, clause.this


def _object(table: exp.Table) -> str:
    schema, database = table.db, table.catalog
    if schema == "sys" or not database or database == _DATABASE:
        return f"{schema}.{table.name}"
    return f"{database}.{schema}.{table.name}"
