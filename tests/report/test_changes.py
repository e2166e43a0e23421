"""The sheets of a rerun, and the same as text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from assessor.board import Board, BoardEntry, SubjectKind
from assessor.cli.compare import exit_code
from assessor.compare import CertificateFate, EdgeFate, compare
from assessor.errors import ExitCode
from assessor.judge.verdicts import VerdictKind
from assessor.report.changes import (
    FATES,
    Rerun,
    carry_to,
    certificates_that_changed,
    changes_sentence,
    changes_table,
    exceptions_table,
)
from assessor.report.changes_text import changes_json, changes_markdown, changes_text
from assessor.report.workbook import write_workbook
from assessor.snapshot import Snapshot
from tests.snapshots_by_hand import HOSTILE, NOON, RULES, certificate, edge, endpoint, hostile, inventory, snapshot


def later(made: Snapshot, days: int = 1) -> Snapshot:
    return replace(
        made, run=replace(made.run, started=NOON + timedelta(days=days), finished=NOON + timedelta(days=days))
    )


def with_edges(*verdicts: VerdictKind) -> Snapshot:
    """A snapshot of one verdict an edge, from instances that could all be read."""
    made = snapshot()
    return replace(
        made,
        edges=tuple(edge(f"L{number}", verdict) for number, verdict in enumerate(verdicts)),
        estate=replace(made.estate, instances=made.estate.instances[:2]),
        inventories=(inventory("sql01.corp.example"), inventory("sql02.corp.example")),
    )


V = VerdictKind


def test_every_fate_has_words() -> None:
    assert set(FATES) == set(EdgeFate)
    assert len({words.label for words in FATES.values()}) == len(EdgeFate)


def test_the_sentence_counts_what_changed() -> None:
    comparison = compare(
        with_edges(V.BREAKS, V.BREAKS, V.WORKS, V.WORKS), later(with_edges(V.WORKS, V.BREAKS, V.BREAKS, V.WORKS))
    )
    assert changes_sentence(comparison) == "Since 2026-11-23 12:00 UTC: 1 regressed, 1 still open, 1 fixed."


def test_the_sheet_lists_what_is_not_as_it_was_and_counts_the_rest() -> None:
    comparison = compare(with_edges(V.BREAKS, V.WORKS, V.WORKS), later(with_edges(V.WORKS, V.WORKS, V.WORKS)))
    frame = changes_table(comparison).frame
    assert list(frame["Change"]) == ["in short", "✓ fixed", "= unchanged"]
    assert frame["What happened"].iloc[0] == changes_sentence(comparison)
    assert "2 connections in order" in frame["What happened"].iloc[2]
    assert frame["Before"].iloc[1] == "✗ breaks"
    assert frame["Now"].iloc[1] == "✓ works"


def test_two_names_of_one_server_are_one_row_of_certificates() -> None:
    new_leaf = certificate(
        subject="CN=sql02", thumbprint="A" * 40, is_fallback=False, not_after=NOON + timedelta(days=900)
    )
    names = ("sql02", "sql02.corp.example")
    old = replace(with_edges(V.BREAKS), endpoints=tuple(map(endpoint, names)))
    new = replace(with_edges(V.WORKS), endpoints=tuple(endpoint(name, certificates=(new_leaf,)) for name in names))
    (change,) = certificates_that_changed(compare(old, later(new)))
    assert change.fate is CertificateFate.REPLACED
    assert change.endpoint == "sql02,1433; sql02.corp.example,1433"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (V.BREAKS, V.WORKS, ExitCode.NOTHING_BREAKS),
        (V.WORKS, V.WORKS, ExitCode.NOTHING_BREAKS),
        (V.WORKS, V.BREAKS, ExitCode.SOMETHING_BREAKS),
        (V.NOT_ASSESSED, V.BREAKS, ExitCode.SOMETHING_BREAKS),
        (V.BREAKS, V.BREAKS, ExitCode.NOT_ALL_ASSESSED),
        (V.NOT_ASSESSED, V.NOT_ASSESSED, ExitCode.NOT_ALL_ASSESSED),
        (V.NOT_ASSESSED, V.WORKS, ExitCode.NOTHING_BREAKS),
    ],
)
def test_the_exit_code_says_worse_unfinished_or_in_order(before: V, after: V, expected: ExitCode) -> None:
    assert exit_code(compare(with_edges(before), later(with_edges(after)))) is expected


def test_a_new_edge_that_breaks_is_worse_and_one_that_works_is_not() -> None:
    old = with_edges(V.WORKS)
    assert exit_code(compare(old, later(with_edges(V.WORKS, V.BREAKS)))) is ExitCode.SOMETHING_BREAKS
    assert exit_code(compare(old, later(with_edges(V.WORKS, V.WORKS)))) is ExitCode.NOTHING_BREAKS


def test_an_instance_that_could_not_be_read_is_unfinished_even_without_a_known_edge() -> None:
    made = with_edges(V.WORKS)
    blind = replace(made, inventories=made.inventories[:1])
    assert exit_code(compare(blind, later(blind))) is ExitCode.NOT_ALL_ASSESSED


def test_markdown_tells_how_many_went_from_which_verdict_to_which() -> None:
    comparison = compare(with_edges(V.BREAKS, V.WORKS), later(with_edges(V.WORKS)))
    assert changes_markdown(comparison).endswith(
        "## From verdict to verdict\n\n| before | now | connections |\n|---|---|---|\n"
        "| ✗ breaks | ✓ works | 1 |\n| ✓ works | – | 1 |\n"
    )


def test_json_has_every_edge_of_either_run_and_is_ascii() -> None:
    text = changes_json(compare(with_edges(V.BREAKS, V.WORKS), later(with_edges(V.WORKS))))
    assert text.isascii()
    told = json.loads(text)
    assert [(each["name"], each["fate"]) for each in told["edges"]] == [("L0", "fixed"), ("L1", "gone")]
    assert told["counts"]["fixed"] == 1
    assert told["old"]["started"] == "2026-11-23T12:00:00+00:00"


def test_hostile_names_stay_harmless_in_every_form(tmp_path: Path) -> None:
    old, new = hostile(), later(hostile(tuple(reversed(HOSTILE))))
    comparison = compare(old, new)
    for text in (changes_text(comparison, 110), changes_markdown(comparison)):
        assert all(character.isprintable() or character == "\n" for character in text)
    markdown = changes_markdown(comparison)
    assert not re.search(r"(?<!\\)<script", markdown)
    json.loads(changes_json(comparison))
    board = carry_to(
        Board("=1+1", tuple(BoardEntry(SubjectKind.EDGE, text, owner=text) for text in HOSTILE if text)), new
    )
    write_workbook(new, RULES, tmp_path / "x.xlsx", Rerun(comparison, board))
    for sheet in load_workbook(tmp_path / "x.xlsx"):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n", "b", "d"), f"{sheet.title}!{cell.coordinate} is {cell.value!r}"


def test_exceptions_are_listed_by_urgency_with_what_was_typed_about_edges_that_are_gone() -> None:
    made = with_edges(V.BREAKS, V.BREAKS)
    first, second = (each.id for each in made.edges)
    entries = (
        BoardEntry(SubjectKind.EDGE, first, exception_reason="legacy", exception_until=date(2030, 1, 1)),
        BoardEntry(SubjectKind.EDGE, second, exception_reason="legacy", exception_until=date(2020, 1, 1)),
        BoardEntry(SubjectKind.EDGE, "linked_server:gone:x", owner="Ada"),
    )
    frame = exceptions_table(carry_to(Board("old.xlsx", entries, ("a note",)), made)).frame
    assert list(frame["State"]) == ["OPEN: exception expired", "holds", "subject is gone", "note", "note"]
    assert list(frame["Board: owner"])[2] == "Ada"
    assert list(frame["Id"])[2] == "linked_server:gone:x"


def test_a_first_run_has_no_changes_and_shows_where_exceptions_will_stand(tmp_path: Path) -> None:
    write_workbook(snapshot(), RULES, tmp_path / "x.xlsx")
    book = load_workbook(tmp_path / "x.xlsx")
    assert "Changes" not in book.sheetnames
    assert book["Exceptions"]["A2"].value == "none"
