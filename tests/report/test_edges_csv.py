"""The CSV as Excel and scripts read it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots_by_hand import HOSTILE, edge, hostile, snapshot

from assessor.judge.verdicts import VerdictKind
from assessor.report.edges_csv import edges_csv, harmless
from assessor.report.text import visible
from assessor.snapshot import Snapshot

STARTS = "=+-@\t\r＝＋－＠"


def rows(run: Snapshot) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(edges_csv(run).decode("utf-8-sig"), newline=""), strict=True))


def test_there_is_a_row_an_edge_most_urgent_first_under_headings_that_scripts_can_rely_on() -> None:
    found = rows(snapshot())
    assert len(found) == len(snapshot().edges)
    assert [row["verdict"] for row in found][:3] == ["breaks", "breaks", "not_assessed"]
    assert list(found[0])[:8] == ["id", "verdict", "source", "kind", "role", "name", "target", "wave"]


def test_the_file_begins_with_the_mark_that_tells_excel_it_is_utf_8_and_its_lines_end_as_rfc_4180_says() -> None:
    data = edges_csv(snapshot())
    assert data.startswith(b"\xef\xbb\xbfid,verdict,")
    assert data.endswith(b"\r\n")


def test_commas_quotes_and_line_feeds_stay_inside_their_cell() -> None:
    run = snapshot(edges=(edge("a", reasons=('He said "no", twice', "second")),))
    assert rows(run)[0]["reasons"] == 'He said "no", twice\nsecond'


def test_what_is_unknown_says_so() -> None:
    assert rows(snapshot(edges=(edge("a", provider=None),)))[0]["provider"] == "unknown"


def test_an_insecure_remedy_is_marked() -> None:
    assert "(NOT SECURE)" in rows(snapshot(edges=(edge("a"),)))[0]["remedies"]


def test_no_cell_of_a_hostile_estate_begins_a_formula() -> None:
    found = rows(hostile())
    assert len(found) == len(HOSTILE) + 1
    for row in found:
        for cell in row.values():
            assert not cell.startswith(tuple(STARTS)), cell
            assert all(character.isprintable() or character == "\n" for character in cell)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "  =1", "＝1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_a_server_is_called_the_row_comes_back_whole(name: str, target: str) -> None:
    run = snapshot(edges=(replace(edge("x", VerdictKind.WORKS), name=name, target=target),))
    (row,) = rows(run)
    assert row["name"] == harmless(visible(name))
    assert row["target"] == harmless(visible(target))
    assert None not in row
