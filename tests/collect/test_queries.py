"""The header that every bundled query begins with, and the text that is sent."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.collect.permission_test import permission_test
from assessor.collect.queries import (
    BadQuery,
    Column,
    Platform,
    Query,
    Scope,
    VersionRange,
    load_queries,
    parse_query,
)
from assessor.shipped import queries_dir

HEADER = """-- assessor: sample
-- purpose: To be read.
-- scope: server
-- versions: 11-
-- platform: any
-- permission: none
-- loses: nothing
-- returns: name nvarchar(128) not null, [with space] int,
--   more bit
"""


def database_query() -> Query:
    text = HEADER.replace("scope: server", "scope: database")
    return parse_query(text + "\nSELECT 1 FROM $(database).sys.x WHERE N'$(database_text)' = 1;", "sample.sql")


def test_a_header_is_read() -> None:
    query = parse_query(HEADER + "\nSELECT 1;\n", "sample.sql")
    assert (query.name, query.scope, query.platform) == ("sample", Scope.SERVER, Platform.ANY)
    assert query.versions == VersionRange(11, None)
    assert query.permission is None
    assert query.returns == (
        Column("name", "nvarchar(128)", is_required=True),
        Column("with space", "int"),
        Column("more", "bit"),
    )


@pytest.mark.parametrize("query", load_queries(), ids=lambda query: query.name)
def test_every_bundled_query_says_what_it_costs_to_lose_it(query: Query) -> None:
    assert query.text.startswith(f"-- assessor: {query.name}\n")
    assert query.purpose.endswith(".")
    assert query.loses
    assert query.returns


def test_the_variants_of_a_query_follow_one_another_without_a_hole() -> None:
    variants: dict[str, list[VersionRange]] = {}
    for query in load_queries():
        variants.setdefault(query.name, []).append(query.versions)
    for name, ranges in variants.items():
        ordered = sorted(ranges, key=lambda versions: versions.first)
        for earlier, later in pairwise(ordered):
            assert earlier.last == later.first - 1, name
        assert ordered[-1].last is None, name


def test_every_bundled_query_says_what_it_finds_and_its_rights_for_machines() -> None:
    for query in load_queries():
        assert "\n-- finds: " in query.text, query.name
        assert query.rights is not None, query.name


def test_the_permission_test_asks_for_every_right_that_some_query_needs() -> None:
    file = queries_dir() / "permission_test.sql"
    assert file.read_text("utf-8") == permission_test(load_queries()), (
        "draw it again: python -m assessor.collect.permission_test queries/permission_test.sql"
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("-- purpose: To be read.\n", "", "must have the keys"),
        ("-- purpose: To be read.\n", "-- purpose: a\n-- purpose: b\n", "twice"),
        ("-- platform: any\n", "-- platform: any\n-- owner: me\n", "is none of"),
        ("-- platform: any", "-- platform: os2", "os2"),
        ("-- scope: server", "-- scope: galaxy", "galaxy"),
        ("-- scope: server", "-- scope: database", r"\$\(database\)"),
        ("11-", "2012+", "versions"),
        ("name nvarchar(128)", "name", "no column"),
        ("[with space]", "NAME", "twice"),
        ("assessor: sample", "assessor: Robert'); DROP", "first line"),
    ],
)
def test_a_broken_header_is_told(old: str, new: str, sentence: str) -> None:
    with pytest.raises(BadQuery, match=sentence):
        parse_query(HEADER.replace(old, new) + "\nSELECT 1;", "sample.sql")


def test_two_files_share_a_name_only_for_different_versions(tmp_path: Path) -> None:
    (tmp_path / "sample.sql").write_text(HEADER.replace("11-", "11-15") + "\nSELECT 1;")
    (tmp_path / "sample.16.sql").write_text(HEADER.replace("11-", "16-") + "\nSELECT 1;")
    assert [query.versions.first for query in load_queries(tmp_path)] == [16, 11]
    (tmp_path / "sample.16.sql").write_text(HEADER.replace("11-", "15-") + "\nSELECT 1;")
    with pytest.raises(BadQuery, match="same versions"):
        load_queries(tmp_path)


def test_a_file_is_named_after_its_query(tmp_path: Path) -> None:
    (tmp_path / "other.sql").write_text(HEADER + "\nSELECT 1;")
    with pytest.raises(BadQuery, match="names sample"):
        load_queries(tmp_path)


@pytest.mark.parametrize(
    ("versions", "major", "fits"),
    [("11-", 11, True), ("11-", 17, True), ("14-", 13, False), ("11-15", 15, True), ("11-15", 16, False)],
)
def test_a_query_fits_its_versions(versions: str, major: int, fits: bool) -> None:
    query = parse_query(HEADER.replace("11-", versions) + "\nSELECT 1;", "sample.sql")
    assert query.fits(major, "Windows") is fits


@pytest.mark.parametrize(
    ("platform", "host", "fits"),
    [("any", "Linux", True), ("windows", "Windows", True), ("windows", "Linux", False), ("windows", None, True)],
)
def test_a_query_fits_its_platform_and_is_tried_where_that_is_unknown(
    platform: str, host: str | None, fits: bool
) -> None:
    query = parse_query(HEADER.replace("platform: any", f"platform: {platform}") + "\nSELECT 1;", "sample.sql")
    assert query.fits(15, host) is fits


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab]['$().\n "), min_size=1, max_size=20) | st.just("$(database_text)"))
def test_a_database_name_stays_one_identifier_and_one_literal(name: str) -> None:
    text = database_query().render(name)
    body = text[len(database_query().text.split("SELECT")[0]) :]
    identifier = body.removeprefix("SELECT 1 FROM ").split(".sys.x WHERE N'")[0]
    assert identifier[0] + identifier[-1] == "[]"
    assert identifier[1:-1].replace("]]", "").count("]") == 0
    assert identifier[1:-1].replace("]]", "]") == name
    literal = body.split(".sys.x WHERE N'", 1)[1].removesuffix("' = 1;") if name.count(".sys.x") == 0 else None
    if literal is not None:
        assert literal.replace("''", "'") == identifier
        assert literal.replace("''", "").count("'") == 0


def test_rendering_for_the_wrong_scope_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="scope"):
        database_query().render()
    with pytest.raises(ValueError, match="scope"):
        parse_query(HEADER + "\nSELECT 1;", "sample.sql").render("db")
