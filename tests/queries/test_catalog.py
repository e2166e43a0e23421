"""What the bundled queries read exists in every version that they claim, by what is published about the catalog."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assessor.collect.queries import Query, load_queries, parse_query

from .columns_read import Unresolved, columns_read

QUERIES = [query for query in load_queries() if query.name != "trace_flags"]  # DBCC reads no object
FIRST, NEWEST = 11, 17
#: Tables that may be absent: the query looks for them first, and names of absent tables are resolved when they are used.
GUARDED = {("distributed_subscriptions", "dbo.MSreplservers")}


@dataclass(frozen=True)
class SystemObject:
    """One object of the catalog file."""

    since: int
    columns: dict[str, int]  #: each with the first major version that has it


def catalog() -> dict[str, SystemObject]:
    tables = tomllib.loads((Path(__file__).parent / "catalog.toml").read_text("utf-8"))["objects"]
    return {
        name.lower(): SystemObject(
            table["since"], {**dict.fromkeys(table["columns"], table["since"]), **table.get("later", {})}
        )
        for name, table in tables.items()
    }


CATALOG = catalog()


def faults(query: Query) -> Iterator[str]:
    """What of it does not exist somewhere that it claims."""
    for name, column in sorted(columns_read(query)):
        known = CATALOG.get(name.lower())
        if known is None:
            yield f"{name} is not in catalog.toml: look it up, and add it with its source"
            continue
        first = known.columns.get(column) if column else known.since
        if first is None:
            yield f"{name}.{column} is not in catalog.toml: look it up, and add it with its source"
        elif query.versions.first < first and (query.name, name) not in GUARDED:
            yield f"{name}.{column} came with major version {first}, and the query claims {query.versions.first}"


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: f"{query.name}-{query.versions.first}")
def test_every_column_that_a_query_reads_is_in_every_version_that_it_claims(query: Query) -> None:
    assert list(faults(query)) == []


@pytest.mark.parametrize(("query", "table"), sorted(GUARDED))
def test_a_table_that_may_be_absent_is_looked_for_before_it_is_read(query: str, table: str) -> None:
    (text,) = [found.text for found in QUERIES if found.name == query]
    assert f"IF OBJECT_ID(N'$(database_text).{table}') IS NULL" in text


def test_every_object_of_the_catalog_file_has_a_source_and_sensible_versions() -> None:
    tables = tomllib.loads((Path(__file__).parent / "catalog.toml").read_text("utf-8"))["objects"]
    for name, table in tables.items():
        assert table["source"], name
        assert FIRST <= table["since"] <= NEWEST, name
        assert all(table["since"] < version <= NEWEST for version in table.get("later", {}).values()), name


def test_nothing_is_in_the_catalog_file_that_no_query_reads() -> None:
    read = {name.lower() for query in QUERIES for name, _ in columns_read(query)}
    assert set(CATALOG) - read == set()


HEADER = """-- assessor: sample
-- purpose: To be read.
-- scope: {scope}
-- versions: {versions}
-- platform: any
-- permission: none
-- loses: nothing
-- returns: name nvarchar(128)

"""


def sample(body: str, versions: str = "11-", scope: str = "server") -> Query:
    return parse_query(HEADER.format(versions=versions, scope=scope) + body, "sample.sql")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("SELECT s.is_rda_server AS name FROM sys.servers AS s;", "is_rda_server came with major version 13"),
        ("SELECT s.invented AS name FROM sys.servers AS s;", "sys.servers.invented is not in catalog.toml"),
        ("SELECT h.host_platform AS name FROM sys.dm_os_host_info AS h;", "sys.dm_os_host_info is not in catalog.toml"),
        ("SELECT name FROM sys.external_data_sources;", "came with major version 13"),
        (
            "SELECT s.name FROM sys.servers AS s WHERE EXISTS (SELECT 1 FROM sys.tables AS t WHERE t.nothing = s.name);",
            "sys.tables.nothing is not",
        ),
        ("IF 1 = 1 SELECT g.is_distributed AS name FROM sys.availability_groups AS g;", "is_distributed came with"),
    ],
)
def test_the_comparison_sees_what_does_not_exist(body: str, complaint: str) -> None:
    assert complaint in " ".join(faults(sample(body)))


def test_a_variant_for_later_versions_may_read_later_columns() -> None:
    assert list(faults(sample("SELECT s.is_rda_server AS name FROM sys.servers AS s;", "13-"))) == []


@pytest.mark.parametrize(
    "body",
    [
        "SELECT name FROM sys.servers AS s INNER JOIN sys.databases AS d ON d.name = s.name;",
        "SELECT x.name FROM sys.servers AS s;",
    ],
)
def test_a_column_whose_object_cannot_be_told_is_refused(body: str) -> None:
    with pytest.raises(Unresolved):
        columns_read(sample(body))


def test_a_query_reads_an_object_in_the_database_it_is_asked_about() -> None:
    found = columns_read(sample("SELECT p.name FROM $(database).dbo.syspublications AS p;", scope="database"))
    assert found == {("dbo.syspublications", ""), ("dbo.syspublications", "name")}
