"""The Markdown page as a ticket system gets it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from snapshots_by_hand import HOSTILE, edge, hostile, snapshot

from assessor.judge.verdicts import VerdictKind
from assessor.report.markdown import markdown_page, plain

UNESCAPED_PIPE = re.compile(r"(?<!\\)\|")


def test_it_begins_with_the_estate_and_the_answer() -> None:
    lines = markdown_page(snapshot()).splitlines()
    assert lines[0] == "# SQL Server 2025 upgrade: Sales &amp; Billing"
    assert lines[2].startswith("**NO GO.**")
    assert "2 of 8 connections break on 2026" in lines[2].replace("\\", "")


def test_what_breaks_what_to_do_and_what_nobody_knows_are_all_there() -> None:
    page = markdown_page(snapshot())
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    for heading in ("What breaks", "What to do", "What expires soon after", "What fails already"):
        assert f"## {heading}" in headings
    assert headings[-1] == "## Where this comes from"
    assert "sql03" in page.partition("## What could not be assessed")[2]


def test_an_estate_without_breaks_says_what_that_is_worth() -> None:
    page = markdown_page(snapshot(edges=(edge("a", VerdictKind.WORKS),)))
    assert "No connection that could be assessed breaks." in page


def test_an_interrupted_or_pseudonymised_run_says_so() -> None:
    run = snapshot().run
    page = markdown_page(snapshot(run=replace(run, interrupted=True, pseudonymised=True)))
    assert "interrupted" in page
    assert "pseudonyms" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("`code`", "\\`code\\`"),
        ("<b>", "&lt;b&gt;"),
        ("a & b", "a &amp; b"),
        ("[x](http://a.example)", "\\[x\\]\\(http&#58;//a.example\\)"),
        ("two\nlines", "two lines"),
        ("@everyone #12", "&#64;everyone &#35;12"),
        ("**bold** _it_", "\\*\\*bold\\*\\* \\_it\\_"),
        ("back\\slash", "back\\\\slash"),
    ],
)
def test_markup_in_a_text_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_every_row_of_a_table_has_as_many_cells_as_its_heading_even_in_a_hostile_estate() -> None:
    cells = None
    for line in markdown_page(hostile()).splitlines():
        if not line.startswith("|"):
            cells = None
            continue
        found = len(UNESCAPED_PIPE.findall(line))
        cells = found if cells is None else cells
        assert found == cells, line


def test_no_html_and_no_control_character_of_a_hostile_estate_survives() -> None:
    page = markdown_page(hostile(HOSTILE))
    assert "<" not in page
    assert all(character.isprintable() or character == "\n" for character in page)
