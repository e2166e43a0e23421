"""`assessor queries`, `assessor grants` and `assessor check`, as a person calls them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from assessor.cli import app
from assessor.cli.check import as_json, exit_code, lines
from assessor.collect.checking import InstanceCheck, Prospect, QueryCheck
from assessor.collect.queries import load_queries
from assessor.errors import ExitCode, UsageError

CHECKS = (
    InstanceCheck(
        "sql01",
        "assessor",
        "15.0.4415.2",
        queries=(
            QueryCheck("identity", Prospect.WORKS, ""),
            QueryCheck("linked_servers", Prospect.EMPTY, "without ALTER ANY LINKED SERVER"),
            QueryCheck("publications", Prospect.REFUSED, "without SELECT", tuple(f"db{n}" for n in range(7))),
            QueryCheck("listeners", Prospect.UNKNOWN, "the instance does not say"),
        ),
    ),
    InstanceCheck("sql02\x1b[31m", failure="Msg 18456: Login\x07 failed"),
)
FINE = InstanceCheck("sql03", "assessor", "15.0.1.1", queries=(QueryCheck("identity", Prospect.WORKS, ""),))


def run(*arguments: str) -> str:
    ended = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_every_query_is_listed_with_purpose_right_and_loss() -> None:
    listed = " ".join(run("queries").split())
    for query in load_queries():
        assert f" {query.name} (" in f" {listed}"
        for text in (query.purpose, query.permission or "right: none", query.loses):
            assert " ".join(text.split()) in listed, query.name


def test_a_version_leaves_out_what_is_not_run_there() -> None:
    assert "external_data_sources" not in run("queries", "--version", "2014")
    assert "external_data_sources (2019 and later" in " ".join(run("queries", "--version", "2025").split())


def test_a_query_is_printed_as_it_is_shipped() -> None:
    (query,) = [query for query in load_queries() if query.name == "linked_servers"]
    assert run("queries", "--show", "linked_servers") == query.text
    assert run("queries", "--show", "linked_servers.sql") == query.text


def test_all_variants_of_a_query_are_printed_unless_a_version_chooses() -> None:
    variants = [query.text for query in load_queries() if query.name == "database_features"]
    assert len(variants) == 3
    assert all(text in run("queries", "--show", "database_features") for text in variants)
    assert run("queries", "--show", "database_features", "--version", "17") in variants


def test_an_unknown_name_is_told_with_what_was_probably_meant() -> None:
    with pytest.raises(UsageError, match="did you mean linked_servers"):
        run("queries", "--show", "linked_server")
    with pytest.raises(UsageError, match="lists them all"):
        run("queries", "--show", "\x1b[31m")


def test_grants_and_undo_are_printed_for_a_version() -> None:
    script = run("grants", "--version", "2022", "--login", "CORP\\inventory")
    assert "GRANT VIEW ANY ERROR LOG TO [CORP\\inventory];" in script
    assert "REVOKE VIEW ANY ERROR LOG FROM [CORP\\inventory];" in run(
        "grants", "--version", "16", "--login", "CORP\\inventory", "--undo"
    )
    assert "GRANT VIEW SERVER STATE TO [assessor];" in run("grants", "--version", "2025", "--managed-instance")


@pytest.mark.parametrize("version", ["2008", "9", "x", ""])
def test_a_version_that_the_queries_do_not_know_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match="--version"):
        run("grants", "--version", version)


class TestCheckText:
    def test_what_will_not_work_is_named_with_its_reason_the_worst_first(self) -> None:
        text = list(lines(CHECKS))
        assert text[0] == "sql01 (15.0.4415.2, as assessor)"
        assert text[1] == "  ✗ will be refused: publications in db0, db1, db2, db3, db4 and 2 more: without SELECT"
        assert text[2] == "  ~ will be silently empty: linked_servers: without ALTER ANY LINKED SERVER"
        assert text[3] == "  ? unknown: listeners: the instance does not say"
        assert text[4] == "  ✓ will work: identity"

    def test_no_terminal_escape_of_a_server_survives(self) -> None:
        assert "\x1b" not in "\n".join(lines(CHECKS))
        assert "\x07" not in "\n".join(lines(CHECKS))

    def test_the_json_holds_the_whole_matrix(self) -> None:
        data = json.loads(json.dumps(as_json(CHECKS)))
        assert [each["prospect"] for each in data["instances"][0]["queries"]] == [
            "works",
            "empty",
            "refused",
            "unknown",
        ]
        assert data["instances"][1]["failure"] is not None


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ((FINE,), ExitCode.NOTHING_BREAKS),
        ((FINE, CHECKS[0]), ExitCode.NOT_ALL_ASSESSED),
        ((FINE, CHECKS[1]), ExitCode.NOT_ALL_ASSESSED),
        ((CHECKS[1],), ExitCode.NOTHING_REACHED),
    ],
)
def test_the_exit_code_says_whether_all_will_work(checks: tuple[InstanceCheck, ...], code: ExitCode) -> None:
    assert exit_code(checks) is code
