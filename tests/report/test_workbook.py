"""The workbook as Excel will find it: types, safety, set-up."""

from __future__ import annotations

import errno
import io
import itertools
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import Cell
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from snapshots_by_hand import HOSTILE, LONG, RULES, edge, hostile, snapshot

from assessor.board import CarriedBoard
from assessor.errors import OutputError
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.actions import plan_actions
from assessor.report import workbook
from assessor.report.answer import answer, unread_instances
from assessor.report.board_tables import actions_table, clients_table, provenance_table
from assessor.report.changes import exceptions_table
from assessor.report.tables import tables
from assessor.report.words import VERDICTS
from assessor.report.workbook import LOOKS, MAX_CELL, draw, fit, put, write_workbook
from assessor.snapshot import Snapshot

SHEETS = [
    "Summary",
    "Actions",
    "Edges",
    "Endpoints",
    "Clients",
    "Instances",
    "Exceptions",
    "Upgrade findings",
    "Not assessed",
    "Rules",
    "Provenance",
]
TABLES = SHEETS[1:]


def reopened(run: Snapshot, path: Path) -> Workbook:
    write_workbook(run, RULES, path)
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbook]:
    opened = reopened(snapshot(), tmp_path_factory.mktemp("book") / "book.xlsx")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "hostile.xlsx"
    write_workbook(hostile(), RULES, path)
    return path


def cell_under(sheet: Worksheet, heading: str, row: int = 2) -> Cell:
    column = next(cell.column for cell in sheet[1] if cell.value == heading)
    found = sheet.cell(row=row, column=column)
    assert isinstance(found, Cell)
    return found


def texts(sheet: Worksheet) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def text_in(parts: zipfile.ZipFile, name: str) -> Iterator[str]:
    for element in ElementTree.fromstring(parts.read(name)).iter():
        yield element.text or ""


class TestSheets:
    def test_have_their_order(self, book: Workbook) -> None:
        assert book.sheetnames == SHEETS

    @pytest.mark.parametrize("title", TABLES)
    def test_have_a_frozen_heading_a_filter_over_all_rows_and_widths(self, book: Workbook, title: str) -> None:
        sheet = book[title]
        every = (
            *tables(snapshot(), RULES),
            actions_table(plan_actions(snapshot())),
            clients_table(snapshot()),
            provenance_table(snapshot()),
            exceptions_table(CarriedBoard("", (), (), (), ())),
        )
        table = next(table for table in every if table.title == title)
        headings = [cell.value for cell in sheet[1]]
        own = [column.heading for column in table.columns]
        assert headings[: len(own)] == own
        # Right of the tool's own columns stand those that people fill in.
        assert all(heading.startswith(("Board: ", "Exception")) for heading in headings[len(own) :])
        assert sheet.freeze_panes is not None
        assert sheet.freeze_panes.endswith("2")
        assert sheet.auto_filter.ref == sheet.dimensions
        assert sheet.max_row == max(len(table.frame), 1) + 1  # an empty table says "none"
        assert all(dimension.width for dimension in sheet.column_dimensions.values())

    @pytest.mark.parametrize("title", SHEETS)
    def test_print_on_a4_as_wide_as_the_page_with_page_numbers(self, book: Workbook, title: str) -> None:
        sheet = book[title]
        assert sheet.page_setup.orientation == ("portrait" if title == "Summary" else "landscape")
        assert int(sheet.page_setup.paperSize) == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.oddFooter.right.text == "page &P of &N"
        if title != "Summary":
            assert sheet.print_title_rows == "$1:$1"

    @pytest.mark.parametrize("title", TABLES)
    def test_say_on_paper_that_there_is_more_on_screen(self, book: Workbook, title: str) -> None:
        sheet = book[title]
        last_printed = sheet.print_area.rsplit("$", 2)[1]
        last = sheet.dimensions.split(":")[1].rstrip("0123456789")
        if last_printed != last:
            assert str(sheet.oddHeader.right.text).startswith(f"columns A to {last_printed}; more, to ")

    def test_an_ampersand_in_the_estate_name_is_no_header_code(self, tmp_path: Path) -> None:
        assert draw(snapshot(), RULES)["Edges"].oddHeader.left.text == "Sales && Billing"

    def test_without_rows_say_none(self, tmp_path: Path) -> None:
        found = reopened(snapshot(edges=(), endpoints=(), inventories=()), tmp_path / "empty.xlsx")
        assert found["Edges"]["A2"].value == "none"
        found.close()

    def test_properties_say_what_it_is_and_what_made_it(self, book: Workbook) -> None:
        assert book.properties.title == "SQL Server 2025 upgrade: Sales & Billing"
        assert book.properties.creator == "assessor 0.1.0"
        assert book.properties.description == answer(snapshot())
        assert book.properties.created == datetime(2026, 11, 23, 12, 4)


class TestTypes:
    def test_numbers_are_numbers_dates_are_dates_and_truths_are_truths(self, book: Workbook) -> None:
        edges, endpoints, instances = book["Edges"], book["Endpoints"], book["Instances"]
        assert cell_under(edges, "Error number").value == -2146893019
        assert cell_under(edges, "Error number").data_type == "n"
        assert cell_under(edges, "Wave").value == 1
        valid_until = cell_under(endpoints, "Valid until (UTC)")
        assert valid_until.is_date
        assert valid_until.number_format == "yyyy-mm-dd hh:mm"
        assert cell_under(instances, "Force encryption").value is False
        assert cell_under(instances, "Force encryption").data_type == "b"

    def test_unknown_is_said_and_not_left_empty(self, book: Workbook) -> None:
        assert cell_under(book["Instances"], "Force encryption", row=4).value == "unknown"

    def test_the_upgrade_date_is_a_date(self, book: Workbook) -> None:
        found = next(row[1] for row in book["Summary"].iter_rows() if row[0].value == "Upgrade date")
        assert found.value == datetime(2026, 12, 20)
        assert found.number_format == "yyyy-mm-dd"

    @pytest.mark.parametrize("value", [2**53, -(2**53), 0])
    def test_an_integer_that_excel_holds_is_a_number(self, value: int) -> None:
        cell = Workbook().active["A1"]
        put(cell, value)
        assert (cell.value, cell.data_type) == (value, "n")

    @pytest.mark.parametrize("value", [2**53 + 1, pytest.param(10**5000, id="5001 digits")])
    def test_an_integer_that_excel_would_round_is_text(self, value: int) -> None:
        cell = Workbook().active["A1"]
        put(cell, value)
        assert cell.data_type == "s"
        assert cell.value.startswith("0x")

    def test_what_no_table_has_is_refused(self) -> None:
        with pytest.raises(TypeError, match="no cell holds a list"):
            put(Workbook().active["A1"], [])


class TestLooks:
    def test_a_verdict_has_symbol_word_fill_and_a_break_is_bold(self, book: Workbook) -> None:
        cell = book["Edges"]["A2"]
        assert cell.value == "✗ breaks"
        assert cell.font.bold
        assert cell.fill.start_color.rgb.endswith(LOOKS[VerdictKind.BREAKS].fill)

    def test_fills_differ_in_lightness_so_that_grey_paper_will_do(self) -> None:
        shades = sorted(_luminance(look.fill) for look in LOOKS.values())
        assert set(LOOKS) == set(VERDICTS)
        assert all(lighter - darker > 0.03 for darker, lighter in itertools.pairwise(shades))
        assert shades[0] == _luminance(LOOKS[VerdictKind.BREAKS].fill)

    @pytest.mark.parametrize("kind", VerdictKind)
    def test_letters_can_be_read_on_their_fill(self, kind: VerdictKind) -> None:
        light, dark = sorted((_luminance(LOOKS[kind].fill), _luminance(LOOKS[kind].letters)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, success criterion 1.4.3

    def test_an_edge_leads_to_its_endpoint_instance_and_first_rule(self, book: Workbook) -> None:
        edges = book["Edges"]
        for heading, sheet, first in (("Endpoint", "Endpoints", "sql02,1433"), ("Rules", "Rules", "LS-01")):
            place = cell_under(edges, heading).hyperlink.location
            title, coordinate = place.split("!")
            assert title == f"'{sheet}'"
            assert book[sheet][coordinate].value == first
        assert cell_under(edges, "Source").hyperlink.location == "'Instances'!A2"

    def test_every_link_stays_inside_the_workbook(self, hostile_file: Path) -> None:
        with zipfile.ZipFile(hostile_file) as parts:
            for name in parts.namelist():
                assert b'TargetMode="External"' not in parts.read(name)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


class TestSummary:
    def test_begins_with_estate_and_answer(self, book: Workbook) -> None:
        assert book["Summary"]["A1"].value == "SQL Server 2025 upgrade: Sales & Billing"
        assert book["Summary"]["A2"].value == answer(snapshot())

    def test_counts_every_verdict_with_its_meaning(self, book: Workbook) -> None:
        rows = {row[0].value: row for row in book["Summary"].iter_rows()}
        for kind, words in VERDICTS.items():
            count = sum(edge.verdict is kind for edge in snapshot().edges)
            assert rows[words.label][1].value == count
            assert rows[words.label][2].value == words.meaning

    def test_says_whether_the_upgrade_can_go_ahead_and_by_which_rule(self, book: Workbook) -> None:
        found = texts(book["Summary"])
        assert "NO GO" in found
        assert any(text.startswith("The rule: NO GO while any connection breaks") for text in found)

    def test_shows_the_topology_and_a_native_chart(self, hostile_file: Path) -> None:
        with zipfile.ZipFile(hostile_file) as parts:
            assert [name for name in parts.namelist() if name.startswith("xl/media/")]
            assert [name for name in parts.namelist() if name.startswith("xl/charts/chart")]

    def test_says_what_to_do_what_nobody_knows_how_we_connected_and_where_it_comes_from(self, book: Workbook) -> None:
        found = texts(book["Summary"])
        assert any(text.startswith("NOT VALIDATED") and text.endswith("sql02.corp.example") for text in found)
        found += texts(book["Provenance"])
        assert "1. Install a CA certificate on sql02" in found
        assert "1 connection without a verdict, 2 facts missing: see the sheet Not assessed." in found
        assert any(text.startswith("system store of jump01") and text.endswith("140 certificates") for text in found)
        assert {"assessor 0.1.0", "2026-11-23", "jump01", "ODBC Driver 18.6"} <= set(found)

    def test_an_interrupted_run_says_so_at_the_top(self, tmp_path: Path) -> None:
        run = snapshot(run=replace(snapshot().run, interrupted=True))
        assert texts(draw(run, RULES)["Summary"])[2].startswith("INTERRUPTED RUN")

    def test_is_bounded_however_many_sources_and_actions_there_are(self) -> None:
        run = snapshot(edges=tuple(edge(f"L{n}", source=f"s{n}", target=f"t{n}") for n in range(500)))
        sheet = draw(run, RULES)["Summary"]
        assert sheet.max_row < 160
        assert "and 495 more: see the sheet Actions" in texts(sheet)
        assert "and 473 more: see the sheet Instances" in texts(sheet)

    def test_a_break_without_remedy_is_not_passed_over(self) -> None:
        sheet = draw(snapshot(edges=(edge("A", remedies=()),)), RULES)["Summary"]
        assert "No remedy is known for 1 breaking connection." in texts(sheet)


class TestHostileText:
    def test_makes_no_formula_no_error_value_and_no_number(self, hostile_file: Path) -> None:
        book = openpyxl.load_workbook(hostile_file)
        for sheet in book:
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type in ("s", "n", "b", "d")
                    assert cell.data_type != "n" or not isinstance(cell.value, str)
        names = {cell.value for cell in book["Edges"]["C"]}
        assert {'=HYPERLINK("http://attacker.example","click")', "#N/A", "TRUE", "1e5", "+1", "-1"} <= names
        book.close()

    def test_is_marked_as_text_where_editing_the_cell_would_make_a_formula_of_it(self, hostile_file: Path) -> None:
        book = openpyxl.load_workbook(hostile_file)
        quoted = {cell.value for cell in book["Edges"]["C"] if cell.quotePrefix}
        assert {"=1+1", "@SUM(1,2)", "+1", "-1"} <= quoted
        assert "TRUE" not in quoted
        book.close()

    def test_leaves_every_part_well_formed_without_formula_element(self, hostile_file: Path) -> None:
        with zipfile.ZipFile(hostile_file) as parts:
            assert parts.testzip() is None
            for name in parts.namelist():
                if name.endswith((".xml", ".rels")):
                    root = ElementTree.fromstring(parts.read(name))
                    if not name.startswith("xl/charts/"):  # there it is a reference to cells, written by us
                        assert not [element for element in root.iter() if element.tag.endswith("}f")]

    def test_has_no_control_character_left_and_shows_each(self, hostile_file: Path) -> None:
        with zipfile.ZipFile(hostile_file) as parts:
            found = "".join(text for name in parts.namelist() if "sheet" in name for text in text_in(parts, name))
        assert all(character.isprintable() or character in "\n\xa0" for character in found)
        for mark in ("␛[31mred", "nul␀inside", "‹U+202E›LQS", "lone‹U+D800›surrogate", "<script>", "‹U+FFFE›"):
            assert mark in found

    def test_escapes_what_excel_would_decode(self) -> None:
        assert fit("_x0041__x001B_") == "_x005F_x0041__x005F_x001B_"
        assert fit("_x0041") == "_x0041"

    @pytest.mark.parametrize("text", [*HOSTILE, LONG])
    def test_each_alone_draws_a_workbook_that_opens(self, text: str) -> None:
        stream = io.BytesIO()
        draw(hostile((text,)), RULES).save(stream)
        openpyxl.load_workbook(stream).close()

    @given(st.text(st.characters(exclude_categories=()), max_size=40))
    @settings(deadline=None, max_examples=60)
    def test_any_text_comes_back_as_text(self, text: str) -> None:
        book, stream = Workbook(), io.BytesIO()
        put(book.active["A1"], text)
        book.save(stream)
        found = openpyxl.load_workbook(stream).active["A1"]
        assert found.data_type == ("s" if text else "n")
        assert found.value == book.active["A1"].value


class TestLimits:
    def test_a_text_too_long_for_a_cell_is_cut_and_says_so(self, hostile_file: Path) -> None:
        book = openpyxl.load_workbook(hostile_file)
        longest = max((str(cell.value) for cell in book["Edges"]["C"]), key=len)
        assert len(longest) == MAX_CELL
        assert longest.endswith("… [cut here: 40,000 characters, more than a cell holds; the snapshot has them all]")
        book.close()

    @given(st.integers(MAX_CELL - 90, MAX_CELL + 90), st.sampled_from(["x", "𝔊", "_x0041_", "\n"]))
    @settings(deadline=None, max_examples=40)
    def test_a_cell_never_holds_more_than_excel_reads(self, length: int, unit: str) -> None:
        text = (unit * length)[:length]
        fitted = fit(text)
        assert len(fitted.encode("utf-16-le")) // 2 <= MAX_CELL
        assert fitted == text or "[cut here" in fitted or "_x005F_" in fitted

    def test_rows_too_many_for_a_sheet_are_cut_and_counted(self) -> None:
        table = tables(snapshot(edges=tuple(edge(f"L{n:02}") for n in range(20))), RULES)[0]
        sheet = Workbook().active
        workbook._draw_table(sheet, table, {}, "estate", max_rows=11)
        assert sheet.max_row == 11
        assert sheet["C10"].value == "L08"
        assert sheet["A11"].value == "11 rows left out: a sheet holds 11; the snapshot has them all"

    def test_rows_that_just_fit_are_all_there(self) -> None:
        table = tables(snapshot(edges=tuple(edge(f"L{n:02}") for n in range(10))), RULES)[0]
        sheet = Workbook().active
        workbook._draw_table(sheet, table, {}, "estate", max_rows=11)
        assert sheet["C11"].value == "L09"

    def test_no_row_is_higher_than_excel_allows(self, hostile_file: Path) -> None:
        book = openpyxl.load_workbook(hostile_file)
        heights = [dimension.height for sheet in book for dimension in sheet.row_dimensions.values()]
        assert max(height for height in heights if height) <= 409
        book.close()


class TestWriting:
    def test_a_missing_folder_is_one_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="there is no folder"):
            write_workbook(snapshot(), RULES, tmp_path / "absent" / "board.xlsx")

    def test_a_disk_without_room_for_temporary_files_is_one_sentence_and_keeps_the_old_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        (tmp_path / "board.xlsx").write_bytes(b"old")
        monkeypatch.setattr(Workbook, "save", full)
        with pytest.raises(OutputError, match="no room for temporary files"):
            write_workbook(snapshot(), RULES, tmp_path / "board.xlsx")
        assert (tmp_path / "board.xlsx").read_bytes() == b"old"


def test_the_summary_counts_no_noughts_for_an_instance_that_was_not_read(book: Workbook) -> None:
    """Zeros would read as "nothing starts there"."""
    run = snapshot()
    (unread,) = unread_instances(run)
    sheet = book["Summary"]
    (row,) = [cells for cells in sheet.iter_rows(values_only=True) if cells[0] == unread.address and cells[9] == "?"]
    assert 0 not in row[2:9]
