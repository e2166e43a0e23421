"""The line of a query's header that says its rights for machines."""

from __future__ import annotations

import pytest

from assessor.collect.queries import load_queries
from assessor.collect.rights import BadRights, Otherwise, Right, parse_rights


def test_no_right_is_no_right() -> None:
    assert parse_rights("none") == ()


def test_rights_are_read_with_versions_columns_and_what_happens_without_them() -> None:
    assert parse_rights(
        "VIEW SERVER STATE (11-15) else refused; VIEW ANY DEFINITION else hidden; sysadmin else hidden;"
        " SELECT ON msdb.dbo.MSdistpublishers [name, active] else refused; SELECT ON $(database).dbo.t (17-) else refused"
    ) == (
        Right("VIEW SERVER STATE", None, (), 11, 15, Otherwise.REFUSED),
        Right("VIEW ANY DEFINITION", None, (), 0, None, Otherwise.HIDDEN),
        Right("sysadmin", None, (), 0, None, Otherwise.HIDDEN),
        Right("SELECT", "msdb.dbo.MSdistpublishers", ("name", "active"), 0, None, Otherwise.REFUSED),
        Right("SELECT", "$(database).dbo.t", (), 17, None, Otherwise.REFUSED),
    )


@pytest.mark.parametrize(("major", "needed"), [(10, False), (11, True), (15, True), (16, False)])
def test_a_right_is_needed_within_its_versions(major: int, needed: bool) -> None:
    assert parse_rights("VIEW SERVER STATE (11-15) else refused")[0].needed_by(major) is needed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "VIEW SERVER STATE",
        "VIEW SERVER STATE else maybe",
        "VIEW SERVER STATE ON msdb.dbo.t else refused",
        "SELECT else refused",
        "SELECT ON sysjobs else refused",
        "EXECUTE ON master.dbo.p [a] else refused",
        "VIEW SERVER STATE else refused;",
        "GRANT ALL; DROP TABLE x",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadRights):
        parse_rights(text)


def test_every_select_of_a_bundled_query_stands_in_its_rights() -> None:
    """The T-SQL and the header agree about tables outside ``sys``."""
    for query in load_queries():
        if query.name == "permission_test":
            continue
        body = "\n".join(line for line in query.text.splitlines() if not line.startswith("--"))
        for right in query.rights or ():
            if right.permission == "SELECT" and right.securable is not None:
                assert f"{right.securable} AS " in body, (query.name, right.securable)
