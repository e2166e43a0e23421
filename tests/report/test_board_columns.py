"""The board's columns: drawn into a workbook, mistreated as workbooks are, and read back."""

from __future__ import annotations

import contextlib
import re
import shutil
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from assessor.board import Board, BoardEntry, CarriedBoard, SubjectKind
from assessor.errors import UsageError
from assessor.remedies.actions import plan_actions
from assessor.report import board_columns
from assessor.report.board_columns import BOARD_COLUMNS, read_board
from assessor.report.changes import Rerun, carry_to
from assessor.report.text import prose
from assessor.report.workbook import put, write_workbook
from assessor.snapshot import Snapshot
from tests.snapshots_by_hand import RULES, edge, snapshot

SAVED_BY_LIBREOFFICE = Path(__file__).parents[1] / "data" / "board_saved_by_libreoffice.xlsx"
A, B, C = (
    "linked_server:sql01.corp.example:a",
    "linked_server:sql01.corp.example:b",
    "linked_server:sql01.corp.example:c",
)


def estate() -> Snapshot:

    return replace(snapshot(), edges=tuple(edge(each.rsplit(":", 1)[1].upper(), id=each) for each in (A, B, C)))


FULL = BoardEntry(
    SubjectKind.EDGE,
    A,
    owner="Ada Lovelace",
    decision="accept risk",
    ticket="CHG-0042",
    due=date(2026, 12, 1),
    exception_reason="=cmd|' /c calc'!A0",
    exception_until=date(2027, 3, 31),
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "drawn.xlsx"
    write_workbook(estate(), RULES, path, Rerun(board=CarriedBoard("x.xlsx", (FULL,), (), (), ())))
    return path


@pytest.fixture
def workbook(drawn: Path, tmp_path: Path) -> Path:
    """A workbook of the tool's own, with one entry in it, that a test may mistreat."""
    return Path(shutil.copyfile(drawn, tmp_path / "previous.xlsx"))


def change(path: Path, how: Callable[[Worksheet], None]) -> Path:
    book = load_workbook(path)
    how(book["Edges"])
    book.save(path)
    return path


def column(sheet: Worksheet, heading: str) -> int:
    found = [cell.column for cell in sheet[1] if cell.value == heading]
    assert found, f"no column {heading}"
    return int(found[0])


def row_of(sheet: Worksheet, subject: str) -> int:
    ids = column(sheet, "Id")
    return next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, ids).value == subject)


def type_in(path: Path, subject: str, **typed: object) -> Path:
    def how(sheet: Worksheet) -> None:
        for field, value in typed.items():
            heading = next(each.heading for each in BOARD_COLUMNS if each.field == field)
            cell = sheet.cell(row_of(sheet, subject), column(sheet, heading))
            cell.value = value  # type: ignore[assignment]

    return change(path, how)


def by_subject(board: Board) -> dict[str, BoardEntry]:
    return {each.subject: each for each in board.entries}


# ---------------------------------------------------------------- as it should be


def test_what_was_typed_is_read_back(workbook: Path) -> None:
    board = read_board(workbook)
    assert board.entries == (FULL,)
    assert board.notes == ()


def test_the_next_workbook_has_it_again(workbook: Path, tmp_path: Path) -> None:
    carried = carry_to(read_board(workbook), estate())
    write_workbook(estate(), RULES, tmp_path / "next.xlsx", Rerun(board=carried))
    assert read_board(tmp_path / "next.xlsx").entries == (FULL,)


def test_what_was_typed_about_an_edge_that_is_gone_survives_more_than_one_run(workbook: Path, tmp_path: Path) -> None:

    without = replace(estate(), edges=estate().edges[1:])
    path = workbook
    for number in range(3):
        board = carry_to(read_board(path), without)
        assert board.vanished == (FULL,)
        path = tmp_path / f"run{number}.xlsx"
        write_workbook(without, RULES, path, Rerun(board=board))
    assert carry_to(read_board(path), estate()).entries == (FULL,)


def test_an_exception_that_was_cleared_does_not_come_back_from_the_list_of_exceptions(
    workbook: Path, tmp_path: Path
) -> None:
    path = tmp_path / "next.xlsx"
    write_workbook(estate(), RULES, path, Rerun(board=carry_to(read_board(workbook), estate())))
    type_in(path, A, exception_reason=None, exception_until=None)
    board = carry_to(read_board(path), estate())
    assert board.exceptions == ()
    assert board.entries[0].owner == "Ada Lovelace"


def test_what_was_typed_about_an_action_is_carried_over_too(tmp_path: Path) -> None:
    made = snapshot()
    action = next(each for each in plan_actions(made) if each.edges)
    entry = BoardEntry(SubjectKind.ACTION, action.id, owner="Ada", ticket="CHG-7", due=date(2026, 12, 1))
    path = tmp_path / "actions.xlsx"
    write_workbook(made, RULES, path, Rerun(board=CarriedBoard("x", (entry,), (), (), ())))
    assert read_board(path).entries == (entry,)
    assert carry_to(read_board(path), made).entries == (entry,)


TYPED = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


def as_read(entry: BoardEntry) -> BoardEntry:
    """A cell that holds nothing but white space of any kind counts as empty."""
    fields = ("owner", "decision", "ticket", "exception_reason")
    return replace(entry, **{name: "" for name in fields if not getattr(entry, name).strip()})


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(owner="", decision="", ticket="", reason="\xa0", due=None, until=None)
@given(
    owner=TYPED,
    decision=TYPED,
    ticket=TYPED,
    reason=TYPED,
    due=st.none() | st.dates(date(1900, 3, 1), date(9999, 12, 31)),
    until=st.none() | st.dates(date(1900, 3, 1), date(9999, 12, 31)),
)
def test_any_text_and_date_makes_the_round_trip(
    tmp_path: Path, owner: str, decision: str, ticket: str, reason: str, due: date | None, until: date | None
) -> None:
    entry = BoardEntry(SubjectKind.EDGE, B, prose(owner), prose(decision), prose(ticket), due, prose(reason), until)
    path = tmp_path / "round.xlsx"
    write_workbook(estate(), RULES, path, Rerun(board=CarriedBoard("x", (entry,), (), (), ())))
    read = as_read(entry)
    assert read_board(path).entries == (() if read.is_empty else (read,))


# ---------------------------------------------------------------- as it is


def test_rows_may_be_sorted_and_deleted(workbook: Path) -> None:
    type_in(workbook, C, owner="Cy")

    def reverse(sheet: Worksheet) -> None:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        rows = [row for row in reversed(rows) if B not in row]
        sheet.delete_rows(2, sheet.max_row)
        for row in rows:
            sheet.append(row)

    found = by_subject(read_board(change(workbook, reverse)))
    assert {subject: each.owner for subject, each in found.items()} == {A: "Ada Lovelace", C: "Cy"}


def test_hidden_and_filtered_rows_count_like_any_other(workbook: Path) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[row_of(sheet, A)].hidden = True
        sheet.auto_filter.add_filter_column(0, ["nothing"])

    assert read_board(change(workbook, hide)).entries == (FULL,)


def test_rows_may_be_duplicated(workbook: Path) -> None:
    def duplicate(sheet: Worksheet) -> None:
        row = [cell.value for cell in sheet[row_of(sheet, A)]]
        row[column(sheet, "Board: owner") - 1] = "Bob"
        sheet.append(row)

    carried = carry_to(read_board(change(workbook, duplicate)), estate())
    assert [each.owner for each in carried.entries] == ["Ada Lovelace"]
    assert any("owner 'Bob'" in note for note in carried.notes)


def test_sheets_may_be_renamed_and_moved(workbook: Path) -> None:
    book = load_workbook(workbook)
    book["Edges"].title = "Verbindungen (final)"
    book.move_sheet("Verbindungen (final)", 3)
    book.save(workbook)
    assert read_board(workbook).entries == (FULL,)


def test_columns_may_be_moved_and_other_columns_added(workbook: Path) -> None:
    def move(sheet: Worksheet) -> None:
        sheet.insert_cols(1, 2)
        sheet.cell(1, 1).value = "My notes"
        rows = [[cell.value for cell in row][::-1] for row in sheet.iter_rows()]
        sheet.delete_rows(1, sheet.max_row)
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row, start=1):
                put(sheet.cell(number, place), value)

    assert read_board(change(workbook, move)).entries == (FULL,)


def test_columns_may_be_renamed_slightly(workbook: Path) -> None:
    def rename(sheet: Worksheet) -> None:
        for old, new in {
            "Board: owner": "BOARD owner ",
            "Board: due date": "Board - due  date (yyyy)",
            "Board: exception, why": "Board: exceptions why?",
            "Id": "Edge ID",
        }.items():
            sheet.cell(1, column(sheet, old)).value = new

    board = read_board(change(workbook, rename))
    assert board.entries == (FULL,)
    assert board.notes == ()


def test_the_tools_own_owner_column_is_never_taken_for_the_boards(workbook: Path) -> None:
    def drop(sheet: Worksheet) -> None:
        sheet.delete_cols(column(sheet, "Board: owner"))

    board = read_board(change(workbook, drop))
    assert by_subject(board)[A].owner == ""
    assert board.notes == ("Sheet 'Edges': the column 'Board: owner' is not there, so nothing of it was carried over.",)


def test_the_id_column_is_found_by_what_is_in_it(workbook: Path) -> None:
    def rename(sheet: Worksheet) -> None:
        sheet.cell(1, column(sheet, "Id")).value = "Schlüssel"

    assert read_board(change(workbook, rename)).entries == (FULL,)


def test_titles_above_the_table_are_passed_over(workbook: Path) -> None:
    def insert(sheet: Worksheet) -> None:
        sheet.insert_rows(1, 4)
        sheet["A1"] = "Change board of 14 December"
        sheet["A2"] = "Board: please fill in by Friday"

    assert read_board(change(workbook, insert)).entries == (FULL,)


def test_a_row_without_an_id_is_told_by_its_number(workbook: Path) -> None:
    def add(sheet: Worksheet) -> None:
        sheet.cell(9, column(sheet, "Board: owner")).value = "Who am I"

    board = read_board(change(workbook, add))
    assert board.entries == (FULL,)
    assert board.notes == (
        "Sheet 'Edges': 1 row with board texts and no id that we know, so nobody can say what for: row 9.",
    )


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2027-03-31", date(2027, 3, 31)),
        (" 2027/3/31 ", date(2027, 3, 31)),
        ("2027-03-31 00:00:00", date(2027, 3, 31)),
        ("31.03.2027", date(2027, 3, 31)),
        ("31. 3. 27", date(2027, 3, 31)),
        ("31/03/2027", date(2027, 3, 31)),
        ("3/31/2027", date(2027, 3, 31)),
        ("05/05/2027", date(2027, 5, 5)),
        ("31 March 2027", date(2027, 3, 31)),
        ("31-Mar-27", date(2027, 3, 31)),
        ("March 31st, 2027", date(2027, 3, 31)),
        ("31. März 2027", date(2027, 3, 31)),
        (datetime(2027, 3, 31, 15, 30), date(2027, 3, 31)),
        (46477, date(2027, 3, 31)),
        (46477.5, date(2027, 3, 31)),
    ],
)
def test_dates_are_read_however_they_were_typed(workbook: Path, typed: object, expected: date) -> None:
    board = read_board(type_in(workbook, B, due=typed))
    assert by_subject(board)[B].due == expected
    assert board.notes == ()


@pytest.mark.parametrize("typed", ["03/04/2027", "2027-02-30", "end of March", "Q1", "99.99.9999", "31.12.", True])
def test_a_date_that_is_not_certain_stays_as_it_was_typed_and_is_pointed_out(workbook: Path, typed: object) -> None:
    board = read_board(type_in(workbook, B, exception_until=typed))
    assert by_subject(board)[B].exception_until == str(typed)
    (note,) = board.notes
    assert f"'{typed}', which is no date: write 2027-03-31" in note


def test_a_ticket_that_is_a_number_stays_a_number_without_a_point(workbook: Path) -> None:
    assert by_subject(read_board(type_in(workbook, B, ticket=4711.0)))[B].ticket == "4711"


def test_a_formula_counts_as_what_was_last_shown_and_is_never_evaluated(workbook: Path) -> None:
    type_in(workbook, B, owner='=HYPERLINK("http://attacker.example")', ticket="=1+1")
    board = read_board(workbook)  # openpyxl writes formulas without values
    assert B not in by_subject(board)
    assert any("formulas without a value are not worked out here" in note for note in board.notes)

    def with_value(data: bytes) -> bytes:
        return re.sub(rb"(<f>1\+1</f>)<v\s*/>|(<f>1\+1</f>)<v></v>", rb"<f>1+1</f><v>7</v>", data)

    _rewrite(workbook, "xl/worksheets/", with_value)
    assert by_subject(read_board(workbook))[B].ticket == "7"


def test_an_error_value_is_nothing_that_anybody_typed(workbook: Path) -> None:
    assert B not in by_subject(read_board(type_in(workbook, B, owner="#REF!")))


def test_merged_cells_mean_all_of_their_rows(workbook: Path) -> None:
    def merge(sheet: Worksheet) -> None:
        owner = column(sheet, "Board: owner")
        sheet.cell(2, owner).value = "All of us"
        sheet.merge_cells(start_row=2, end_row=4, start_column=owner, end_column=owner)

    found = by_subject(read_board(change(workbook, merge)))
    assert {subject: each.owner for subject, each in found.items()} == dict.fromkeys((A, B, C), "All of us")


def test_control_and_invisible_characters_are_made_visible(workbook: Path) -> None:
    found = by_subject(read_board(type_in(workbook, B, owner="A\u202ebob\u200b")))[B].owner
    assert found.isprintable()


def test_a_novel_in_a_cell_is_cut_with_a_note(workbook: Path) -> None:
    board = read_board(type_in(workbook, B, exception_reason="x" * 30_000))
    assert len(by_subject(board)[B].exception_reason) == board_columns.MAX_TEXT
    assert any("was cut to 2,000 characters" in note for note in board.notes)


def test_a_workbook_that_libreoffice_saved_is_read() -> None:
    board = read_board(SAVED_BY_LIBREOFFICE)
    assert by_subject(board) == {
        A: FULL,
        B: BoardEntry(SubjectKind.EDGE, B, owner="Bob", decision="retire", ticket="17", due=date(2027, 1, 15)),
    }
    assert board.notes == ()


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.timeout(110)
def test_a_workbook_that_libreoffice_saves_now_is_read(workbook: Path, tmp_path: Path) -> None:
    type_in(workbook, B, owner="Bob", decision="retire", ticket=17, due=date(2027, 1, 15))
    resaved = resave(workbook, tmp_path)
    assert by_subject(read_board(resaved))[A] == FULL
    assert by_subject(read_board(resaved))[B].due == date(2027, 1, 15)


def resave(path: Path, folder: Path) -> Path:
    out = folder / "resaved"
    profile = (folder / "profile").as_uri()
    command = ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "xlsx", "--outdir"]
    subprocess.run([*command, str(out), str(path)], check=True, capture_output=True, timeout=100)
    return out / path.name


# ---------------------------------------------------------------- refused in one sentence


def _rewrite(path: Path, part: str, how: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, how(data) if name.startswith(part) else data)


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_board(path)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    return sentence


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "none.xlsx")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path)


@pytest.mark.parametrize("data", [b"", b"id,owner\r\n", b"%PDF-1.7", b"\x00" * 100])
def test_something_that_is_no_workbook(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.xlsx").write_bytes(data)
    assert "is no .xlsx workbook" in refused(tmp_path / "x.xlsx")


def test_a_workbook_with_a_password(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1000)
    assert "protected with a password" in refused(tmp_path / "x.xlsx")


def test_an_opendocument_file_and_another_archive(tmp_path: Path) -> None:
    for names, expected in (
        (("mimetype", "content.xml"), "is an OpenDocument file"),
        (("word/document.xml",), "is an archive, and no .xlsx workbook"),
    ):
        with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as package:
            for name in names:
                package.writestr(name, "x")
        assert expected in refused(tmp_path / "x.xlsx")


def test_a_workbook_of_somebody_else(tmp_path: Path) -> None:
    book = Workbook()
    book.active["A1"] = "Owner"  # type: ignore[index]
    book.save(tmp_path / "x.xlsx")
    assert "there is nothing to carry over; is it our workbook?" in refused(tmp_path / "x.xlsx")


def test_a_workbook_cut_off_anywhere(workbook: Path) -> None:
    whole = workbook.read_bytes()
    for size in range(30, len(whole) - 1, len(whole) // 7):
        workbook.write_bytes(whole[:size])
        assert "damaged or cut-off" in refused(workbook)


def test_a_workbook_with_a_flipped_byte_gives_entries_or_one_sentence(workbook: Path) -> None:
    whole = bytearray(workbook.read_bytes())
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        whole[place] ^= 0xFF
        workbook.write_bytes(whole)
        with contextlib.suppress(UsageError):
            assert read_board(workbook).origin == workbook.name
        whole[place] ^= 0xFF


def test_a_workbook_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        package.writestr("[Content_Types].xml", "<x/>")
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 2**31)  # the size it claims to unpack to
    path.write_bytes(data)
    assert "would unpack to more than" in refused(path)


def test_xml_entities_are_refused_before_they_are_expanded(workbook: Path) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>'
    _rewrite(workbook, "xl/workbook.xml", lambda data: bomb)
    assert "document type" in refused(workbook)


def test_a_huge_file_is_not_even_opened(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_columns, "MAX_FILE", 1000)
    assert "is larger than" in refused(workbook)


def test_a_sheet_with_more_rows_than_are_looked_at_says_so(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(workbook, C, owner="Cy")
    monkeypatch.setattr(board_columns, "MAX_ROWS_READ", 2)
    board = read_board(workbook)
    assert C not in by_subject(board)
    assert any("only the first 2 rows were looked at" in note for note in board.notes)


def test_macros_are_not_looked_at_and_that_is_said(workbook: Path) -> None:
    with zipfile.ZipFile(workbook, "a") as package:
        package.writestr("xl/vbaProject.bin", b"\0" * 10)
    board = read_board(workbook)
    assert board.entries == (FULL,)
    assert "has macros" in board.notes[0]


def make_the_sample() -> None:
    """Write tests/data/board_saved_by_libreoffice.xlsx anew: ``python -m tests.report.test_board_columns``."""

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SAVED_BY_LIBREOFFICE.name
        second = BoardEntry(SubjectKind.EDGE, B, "Bob", "retire", "17", date(2027, 1, 15))
        write_workbook(estate(), RULES, path, Rerun(board=CarriedBoard("x.xlsx", (FULL, second), (), (), ())))
        type_in(path, B, ticket=17)
        SAVED_BY_LIBREOFFICE.write_bytes(resave(path, Path(folder)).read_bytes())


if __name__ == "__main__":
    make_the_sample()
