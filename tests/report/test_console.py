"""The console summary: short, honest, and inert."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from snapshots_by_hand import HOSTILE, edge, hostile, snapshot

from assessor.judge.verdicts import VerdictKind
from assessor.report.answer import answer
from assessor.report.console import print_snapshot, summary_text
from assessor.snapshot_file import parse_snapshot

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_the_answer_comes_first_and_the_files_last() -> None:
    text = summary_text(snapshot(), 100, colour=False, written=(Path("out/board.xlsx"), Path("run.json")))
    assert squeezed(text).startswith(answer(snapshot()))
    assert text.splitlines()[-2:] == [f"Written: {Path('out/board.xlsx')}", "Written: run.json"]


def test_each_breaking_edge_has_one_line_with_its_first_reason() -> None:
    lines = summary_text(snapshot(), 160, colour=False).splitlines()
    start = lines.index("Breaks:")
    assert lines[start + 1].startswith("  ✗ sql01.corp.example → sql02 (SQL02)  The certificate of sql02 is signed")
    assert lines[start + 2].startswith("  ✗ sql01.corp.example → sql02 (SQL02_REPORTS)  ")
    assert lines[start + 3] == ""


def test_many_breaking_edges_are_bounded_and_the_rest_is_counted() -> None:
    text = summary_text(snapshot(edges=tuple(edge(f"L{number}") for number in range(1_234))), 100, colour=False)
    assert "  and 1,214 more" in text.splitlines()
    assert len(text.splitlines()) < 60


def test_what_nobody_knows_is_said_with_its_reason() -> None:
    text = squeezed(summary_text(snapshot(), 160, colour=False))
    assert "? sql02.corp.example → sql02 (repl_distributor) Its provider string could not be read." in text
    assert "? sql03.corp.example [08001] TCP Provider: No connection could be made because" in text
    assert "2 facts could not be read" in text


def test_a_connection_that_was_not_validated_is_stated_plainly() -> None:
    assert "sql02.corp.example: NOT VALIDATED" in squeezed(summary_text(snapshot(), 100, colour=False))


def test_an_insecure_remedy_is_called_insecure() -> None:
    insecure = edge("A").remedies[1]
    text = summary_text(snapshot(edges=(edge("A", remedies=(insecure,)),)), 120, colour=False)
    assert "Trust any certificate on linked server A (NOT SECURE): mends 1, leaves 0" in text


def test_colour_is_only_ever_an_addition() -> None:
    plain, coloured = (summary_text(snapshot(), 100, colour=colour) for colour in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[1;31m✗ breaks" in coloured
    assert squeezed(COLOURS.sub("", coloured)) == squeezed(plain)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [1, 40, 200])
def test_nothing_from_a_server_is_obeyed_and_no_line_is_too_wide(width: int, colour: bool) -> None:
    text = COLOURS.sub("", summary_text(hostile(), width, colour=colour))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert max(map(len, text.splitlines())) <= max(width, 40)


@pytest.mark.parametrize("name", [text for text in HOSTILE if text])
def test_every_single_hostile_name_is_inert_in_a_breaking_edge(name: str) -> None:
    text = summary_text(snapshot(edges=(edge(name, reasons=(name,), target=name),)), 120, colour=True)
    assert all(character.isprintable() or character == "\n" for character in COLOURS.sub("", text))


def test_markup_is_shown_as_it_is() -> None:
    text = summary_text(snapshot(edges=(edge("[red]x[/red]:boom:"),)), 120, colour=False)
    assert "([red]x[/red]:boom:)" in text


def test_an_estate_without_connections_still_has_a_summary() -> None:
    text = summary_text(snapshot(edges=()), 80, colour=False)
    assert "Breaks:" not in text
    assert "not an all-clear" in squeezed(text)


def test_verdicts_that_nobody_got_take_no_line() -> None:
    text = summary_text(snapshot(edges=(edge("A", VerdictKind.WORKS),)), 100, colour=False)
    assert "works insecurely" not in text


def test_the_snapshot_goes_out_as_utf8_whatever_the_console_speaks() -> None:
    stream = io.BytesIO()
    print_snapshot(snapshot(edges=(edge("Ærø"),)), stream)
    assert "Ærø".encode() in stream.getvalue()
    assert parse_snapshot(stream.getvalue(), "stdout").edges[0].name == "Ærø"
