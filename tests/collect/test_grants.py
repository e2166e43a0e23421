"""The least-privilege script: what it gives, what it never gives, and that it says so."""

from __future__ import annotations

import logging
import re

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.collect.grants import grant_script, grants_for, undo_script
from assessor.collect.queries import load_queries
from assessor.errors import UsageError

QUERIES = load_queries()
MAJORS = range(11, 18)


@pytest.fixture(autouse=True)
def _quiet_parser(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="sqlglot")


def active(script: str) -> str:
    """The script without its comments."""
    return "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("--"))


def server_rights(major: int, *, is_managed: bool = False) -> set[str]:
    return {permission for permission, _ in grants_for(QUERIES, major, is_managed=is_managed).server}


@pytest.mark.parametrize(
    ("major", "expected"),
    [
        (11, {"VIEW SERVER STATE", "VIEW ANY DEFINITION"}),
        (12, {"VIEW SERVER STATE", "VIEW ANY DEFINITION", "CONNECT ANY DATABASE"}),
        (15, {"VIEW SERVER STATE", "VIEW ANY DEFINITION", "CONNECT ANY DATABASE"}),
        *(
            (
                major,
                {
                    "VIEW SERVER PERFORMANCE STATE",
                    "VIEW SERVER SECURITY STATE",
                    "VIEW ANY DEFINITION",
                    "VIEW ANY ERROR LOG",
                    "CONNECT ANY DATABASE",
                },
            )
            for major in (16, 17)
        ),
    ],
)
def test_the_server_rights_are_those_of_the_version(major: int, expected: set[str]) -> None:
    assert server_rights(major) == expected


def test_a_managed_instance_keeps_the_right_that_2022_splits() -> None:
    assert server_rights(17, is_managed=True) == {"VIEW SERVER STATE", "VIEW ANY DEFINITION", "CONNECT ANY DATABASE"}
    assert "VIEW ANY ERROR LOG: not known on Managed Instance" in grant_script(QUERIES, 17, "x", is_managed=True)


@pytest.mark.parametrize("major", MAJORS)
def test_nothing_is_granted_that_can_change_anything(major: int) -> None:
    text = active(grant_script(QUERIES, major, "assessor"))
    granted = re.findall(r"GRANT ([A-Z ]+?)(?: ON | TO )", text)
    assert granted
    assert set(granted) <= {"SELECT", *server_rights(major)}
    assert not re.search(r"\b(ALTER|CONTROL|INSERT|UPDATE|DELETE|EXECUTE|ADD MEMBER|sp_add\w+)\b", text)
    assert not re.search(r"password|login_?name|storage_connection", text, re.IGNORECASE)


def test_what_is_left_out_is_said_with_a_way_round_it() -> None:
    script = grant_script(QUERIES, 15, "assessor")
    assert "--   ALTER ANY LINKED SERVER: lets its holder change linked servers" in script
    assert "collect-script" in script
    assert "linked_servers" in script


def test_on_2012_every_database_gets_a_user_and_later_only_those_of_replication() -> None:
    old, new = grant_script(QUERIES, 11, "assessor"), grant_script(QUERIES, 12, "assessor")
    assert "on 2012 in every database" in old
    assert "BEGIN\n    IF DATABASE_PRINCIPAL_ID(N''assessor'') IS NULL" not in old
    assert "BEGIN\n    IF DATABASE_PRINCIPAL_ID(N''assessor'') IS NULL" in new


@pytest.mark.parametrize("major", MAJORS)
def test_what_is_granted_is_revoked_and_nothing_else(major: int) -> None:
    given_ = active(grant_script(QUERIES, major, "x"))
    taken = active(undo_script(QUERIES, major, "x"))
    grants = {one.replace("''", "'") for one in re.findall(r"GRANT (.+?) TO ", given_)}
    revokes = {one.replace("''", "'") for one in re.findall(r"REVOKE (.+?) FROM ", taken)}
    assert grants == revokes
    assert "DROP USER [x]" in taken
    assert "DROP LOGIN" not in taken


def test_the_undo_stands_in_comments_of_the_grant_script_whole() -> None:
    script, undo = grant_script(QUERIES, 16, "x"), undo_script(QUERIES, 16, "x")
    commented = script.split("-- Undo, to be run by itself:\n", 1)[1]
    assert all(line.startswith("--") for line in commented.splitlines())
    assert undo.endswith("\n".join(line[3:] for line in commented.splitlines()) + "\n")


@pytest.mark.parametrize("name", ["", "   ", "a" * 129, "a\nb", "a\x1b[31m", "$(x)", "a\u2028b"])
def test_a_name_that_no_script_can_hold_safely_is_refused(name: str) -> None:
    for write in (grant_script, undo_script):
        with pytest.raises(UsageError, match="--login"):
            write(QUERIES, 15, name)


NAMES = st.text(
    st.characters(exclude_categories=("C", "Z")) | st.sampled_from("]['\"-/*; "), min_size=1, max_size=40
).filter(lambda name: bool(name.strip()) and name.isprintable() and "$(" not in name)


@settings(deadline=None, max_examples=30)
@given(NAMES)
def test_any_login_name_is_one_identifier_and_nothing_more(name: str) -> None:
    """However it is spelt, it adds no word to the script: with the quoted forms put back there is the script of ``x``."""
    identifier, literal = "[" + name.replace("]", "]]") + "]", name.replace("'", "''")
    for write in (grant_script, undo_script):
        script = active(write(QUERIES, 12, name))
        plain = (
            script.replace(f"N''{literal.replace(chr(39), chr(39) * 2)}''", "N''x''")
            .replace(f"N'{literal}'", "N'x'")
            .replace(identifier.replace("'", "''"), "[x]")
            .replace(identifier, "[x]")
        )
        assert plain == active(write(QUERIES, 12, "x"))


@pytest.mark.parametrize("major", MAJORS)
def test_both_scripts_parse(major: int) -> None:
    for write in (grant_script, undo_script):
        assert sqlglot.parse(write(QUERIES, major, "o'h]are /* -- */"), dialect="tsql")
