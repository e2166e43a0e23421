"""The workbook: :mod:`~assessor.report.tables` and the summary, drawn with openpyxl for screen and paper.

Strings from servers are written as text, whatever they begin with: openpyxl would make a formula of ``=…``
and an error value of ``#N/A``, and Excel would make one of ``+…``, ``-…`` and ``@…`` when the cell is
edited. Limits: "Excel specifications and limits", support.microsoft.com, read 2026-11.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.image import Image
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from assessor.atomic import write_whole
from assessor.board import CarriedBoard, SubjectKind
from assessor.errors import OutputError
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.actions import Action, plan_actions
from assessor.report.answer import (
    answer,
    breaking_without_remedy,
    connections_made,
    first_actions,
    gap_count,
    unread_instances,
    verdict_counts,
)
from assessor.report.board_columns import draw_board_columns
from assessor.report.board_tables import (
    ACTIONS,
    CLIENTS,
    CONNECTS,
    PROVENANCE,
    WAVES,
    actions_table,
    clients_table,
    provenance_table,
    waves_table,
)
from assessor.report.changes import (
    CHANGES,
    EXCEPTIONS,
    Rerun,
    changes_sentence,
    changes_table,
    exceptions_table,
)
from assessor.report.decision import Recommendation, board_answer
from assessor.report.picture import draw_topology
from assessor.report.tables import (
    EDGES,
    ENDPOINTS,
    FINDINGS,
    INSTANCES,
    NOT_ASSESSED,
    RULES,
    Table,
    counts_by_source,
    in_utc,
    tables,
)
from assessor.report.text import prose, shorten, visible, visible_lines
from assessor.report.words import NOT_CONNECTED, UNKNOWN, VALIDATED, VERDICTS, connection_words, count
from assessor.snapshot import Snapshot
from assessor.waves import WavePlan

if TYPE_CHECKING:
    from assessor.judge.rules import Rule

MAX_ROWS: Final = 1_048_576
MAX_CELL: Final = 32_767  #: in UTF-16 code units
_MAX_NUMBER: Final = 2**53  #: beyond it Excel's numbers lose digits

_SUMMARY: Final = "Summary"
_NONE: Final = "–"
_UNKNOWN: Final = "?"
_SUMMARY_COLUMNS: Final = 10
_SUMMARY_WIDTHS: Final = (30, 8, 11, 11, 11, 11, 11, 11, 11, 14)
#: Headings of summary columns that hold numbers.
_CENTRED_HEADS: Final = frozenset(
    ("Count", "Mends", "Still break after it", "Wave", "all", *(words.label for words in VERDICTS.values()))
)
_MAX_ACTIONS: Final = 5  #: as many as are read aloud; the sheet Actions has them all
_MAX_SOURCES: Final = 30
_MAX_UNREAD: Final = 15
_MAX_NAME: Final = 100  #: characters of a name on the summary; the other sheets have it whole

_PICTURE_WIDTH: Final = 900  #: pixels; what the summary's columns are wide
_PICTURE_ROW: Final = 24.0  #: points
_POINTS_A_PIXEL: Final = 0.75
_POINTS_A_CENTIMETRE: Final = 28.35

_LETTERS_A_DIGIT: Final = 1.12  #: in running text; widths are in digits
_POINTS_A_LINE: Final = 13.0
_MAX_ROW_HEIGHT: Final = 409.0  #: points; Excel's limit
_LOOKED_AT: Final = 20_000  #: characters of a text that its height is estimated from: enough for the highest row
_STARTS_FORMULA: Final = re.compile(r"\s*[=+\-@＝＋－＠]")
#: Excel reads ``_x0041_`` inside a string as ``A`` (ECMA-376 part 1, ST_Xstring); ``_x005F_`` is its underscore.
_OOXML_ESCAPE: Final = re.compile(r"_(?=[xX][0-9A-Fa-f]{4}_)")


@dataclass(frozen=True, slots=True)
class VerdictLook:
    """Fill and letter colour of a verdict, RGB hex. The fills differ in lightness, so that grey paper will
    do.
    """

    fill: str
    letters: str
    bold: bool


#: The more a verdict matters, the darker its fill.
LOOKS: Final[dict[VerdictKind, VerdictLook]] = {
    VerdictKind.BREAKS: VerdictLook("9C1C1C", "FFFFFF", True),
    VerdictKind.NOT_ASSESSED: VerdictLook("8E8E9C", "000000", True),
    VerdictKind.FAILS_TODAY: VerdictLook("E0A070", "000000", False),
    VerdictKind.EXPIRES: VerdictLook("F2CC66", "000000", False),
    VerdictKind.WORKS_INSECURELY: VerdictLook("F7E3A1", "000000", False),
    VerdictKind.WORKS: VerdictLook("DDF0DD", "000000", False),
    VerdictKind.NOT_AFFECTED: VerdictLook("FFFFFF", "000000", False),
}
_RECOMMENDATION_LOOKS: Final = {
    Recommendation.NO_GO: LOOKS[VerdictKind.BREAKS],
    Recommendation.CONDITIONS: LOOKS[VerdictKind.EXPIRES],
    Recommendation.GO: LOOKS[VerdictKind.WORKS],
}
_LOOK_BY_LABEL: Final = {VERDICTS[kind].label: look for kind, look in LOOKS.items()} | {
    CONNECTS[False]: LOOKS[VerdictKind.FAILS_TODAY],
    CONNECTS[None]: VerdictLook("D8D8DE", "000000", False),
}

_FACE: Final = "Arial"  # or a face of the same widths: everybody has one, so the row heights hold
_SIZE: Final = 10
_BASE = Font(name=_FACE, size=_SIZE)
_BOLD = Font(name=_FACE, size=_SIZE, bold=True)
_FAINT = Font(name=_FACE, size=_SIZE, italic=True, color="6B6B6B")
_LINK = Font(name=_FACE, size=_SIZE, underline="single", color="1F4E9E")
_TITLE = Font(name=_FACE, size=16, bold=True)
_ANSWER = Font(name=_FACE, size=13, bold=True)
_SECTION = Font(name=_FACE, size=12, bold=True, color="1F3864")
_HEAD = Font(name=_FACE, size=_SIZE, bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", start_color="1F3864")
_WARNING_FILL = PatternFill("solid", start_color="F2CC66")
_LINE = Border(bottom=Side(style="hair", color="A0A0A0"))
_RULED = Border(bottom=Side(style="medium", color="1F3864"))
_TOP = Alignment(vertical="top", wrap_text=True)
_TOP_LEFT = Alignment(vertical="top", horizontal="left", wrap_text=True)
_TOP_CENTRE = Alignment(vertical="top", horizontal="center", wrap_text=True)
_HEAD_ALIGNMENT = Alignment(vertical="center", wrap_text=True)
_HEAD_CENTRE = Alignment(vertical="center", horizontal="center", wrap_text=True)


@dataclass(frozen=True, slots=True, eq=False)
class _CellLook:
    """How the cells of a table look; each is made once and is equal to itself only."""

    font: Font = _BASE
    alignment: Alignment = _TOP
    fill: PatternFill | None = None


def _verdict_cell(look: VerdictLook) -> _CellLook:
    return _CellLook(
        Font(name=_FACE, size=_SIZE, bold=look.bold, color=look.letters),
        fill=PatternFill("solid", start_color=look.fill),
    )


_TEXT_CELL: Final = _CellLook()
_CENTRED_CELL: Final = _CellLook(alignment=_TOP_CENTRE)
_UNKNOWN_CELL: Final = _CellLook(_FAINT)
_LINK_CELL: Final = _CellLook(_LINK)
_CELL_BY_LABEL: Final = {label: _verdict_cell(look) for label, look in _LOOK_BY_LABEL.items()}


def write_workbook(
    snapshot: Snapshot,
    rules: Sequence[Rule],
    path: Path,
    rerun: Rerun | None = None,
    waves: WavePlan | None = None,
) -> None:
    """Draw the snapshot as a workbook at ``path``, whole or not at all.

    ``rerun`` is what is known of the previous run; without ``waves`` there is no sheet of that name.
    Raises :class:`~assessor.errors.OutputError` with one sentence when it can't be written.
    """
    stream = io.BytesIO()
    book = draw(snapshot, rules, rerun, waves)
    try:
        book.save(stream)
    except OSError as error:  # openpyxl keeps each sheet in a temporary file before it packs them
        reason = visible(error.strerror or str(error))
        raise OutputError(f"Cannot write {visible(str(path))}: no room for temporary files ({reason}).") from error
    write_whole(path, stream.getvalue())


def draw(
    snapshot: Snapshot, rules: Sequence[Rule], rerun: Rerun | None = None, waves: WavePlan | None = None
) -> Workbook:
    """The workbook, not yet written."""
    book = Workbook()
    _set_normal_font(book)
    summary = book.active
    assert isinstance(summary, Worksheet)
    summary.title = _SUMMARY
    actions = plan_actions(snapshot)
    _Summary(summary, snapshot, actions, rerun or Rerun()).draw()
    drawn = _all_tables(snapshot, rules, actions, rerun, waves)
    rows_by_key = {table.title: _rows_by_key(table) for table in drawn}
    for table in drawn:
        _draw_table(book.create_sheet(table.title), table, rows_by_key, snapshot.estate.name)
        if table.title in _BOARD_IDS:
            _draw_board(book[table.title], table, rerun.board if rerun else None)
    _set_properties(book, snapshot)
    return book


#: Sheets that people fill in, the column that says which row is which, and what a row is about.
_BOARD_IDS: Final = {EDGES: ("Id", SubjectKind.EDGE), ACTIONS: ("Action id", SubjectKind.ACTION)}
#: The order of the sheets after the Summary. What a run has no table for is left out.
_ORDER: Final = (
    ACTIONS,
    EDGES,
    ENDPOINTS,
    CLIENTS,
    INSTANCES,
    WAVES,
    CHANGES,
    EXCEPTIONS,
    FINDINGS,
    NOT_ASSESSED,
    RULES,
    PROVENANCE,
)


def _all_tables(
    snapshot: Snapshot,
    rules: Sequence[Rule],
    actions: Sequence[Action],
    rerun: Rerun | None,
    waves: WavePlan | None,
) -> list[Table]:
    """Every table there is for this run, in the order of the sheets."""
    found = [
        *tables(snapshot, rules),
        actions_table(actions),
        clients_table(snapshot),
        provenance_table(snapshot),
    ]
    if waves is not None:
        found.append(waves_table(waves, snapshot))
    if rerun is not None and rerun.comparison is not None:
        found.append(changes_table(rerun.comparison))
    # Also in a first run, so that people see where their exceptions will be listed.
    found.append(exceptions_table((rerun.board if rerun else None) or CarriedBoard("", (), (), (), ())))
    return sorted(found, key=lambda table: _ORDER.index(table.title))


def _rows_by_key(table: Table) -> dict[str, int]:
    """Where each row is, by the value that other sheets link to: the id where there is one, else the first column."""
    keys = table.frame["Id"] if "Id" in table.frame.columns else table.frame.iloc[:, 0]
    return {str(key): row for row, key in reversed(list(enumerate(keys, start=2))) if row <= MAX_ROWS}


def _draw_board(sheet: Worksheet, table: Table, board: CarriedBoard | None) -> None:
    """The board's own columns, right of the tool's."""
    column, kind = _BOARD_IDS[table.title]
    ids = [str(value) for value in table.frame[column]][: MAX_ROWS - 2]
    first = len(table.columns) + 1
    drawn = draw_board_columns(sheet, first, ids, kind, board, put)
    sheet.auto_filter.ref = f"A1:{get_column_letter(first + drawn - 1)}{max(2, len(ids) + 1)}"


def _set_normal_font(book: Workbook) -> None:
    """Make the text's font that of the style *Normal* too: columns are as wide as so many of its digits."""
    normal = next(style for style in book._named_styles if style.name == "Normal")  # type: ignore[attr-defined]
    normal.font = _BASE
    normal.bind(book)


# --- cells ---------------------------------------------------------------------------------------------------


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    cell = sheet.cell(row=row, column=column)
    assert isinstance(cell, Cell)  # and not the hidden part of a merged one
    return cell


def put(cell: Cell, value: object) -> None:
    """Put a value into a cell as what it is: number, date, yes or no, or text that stays text.

    Raises :class:`TypeError` for a type that no table has.
    """
    if value is None or value == "":
        return
    if isinstance(value, bool | date):  # a datetime is a date
        cell.value = value
        if isinstance(value, bool):
            cell.number_format = '"TRUE";"TRUE";"FALSE"'  # LibreOffice would show 1 and 0; Excel does not look
        else:
            cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(value, datetime) else "yyyy-mm-dd"
    elif isinstance(value, int) and abs(value) <= _MAX_NUMBER:
        cell.value = value
        cell.number_format = "0"
    elif isinstance(value, int | str):
        text = visible_lines(str(value)) if isinstance(value, str) else shorten(f"{value:#x}", 40)
        text = fit(text)
        cell.value = text
        cell.data_type = "s"
        if _STARTS_FORMULA.match(text):
            cell.quotePrefix = True
    else:
        raise TypeError(f"no cell holds a {type(value).__name__}")


def fit(text: str) -> str:
    """Text that a cell holds, with what Excel would take for an escape escaped, and a clear mark where it
    is cut.
    """
    text = _OOXML_ESCAPE.sub("_x005F_", text)
    if _units(text) <= MAX_CELL:
        return text
    mark = f" … [cut here: {count(len(text), 'character')}, more than a cell holds; the snapshot has them all]"
    kept = text[: MAX_CELL - len(mark)]
    while _units(kept) > MAX_CELL - len(mark):
        kept = kept[: len(kept) - max(1, (_units(kept) - MAX_CELL + len(mark)) // 2)]
    return kept + mark


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


# --- tables --------------------------------------------------------------------------------------------------


def _draw_table(
    sheet: Worksheet,
    table: Table,
    rows_by_key: dict[str, dict[str, int]],
    estate: str,
    max_rows: int = MAX_ROWS,
) -> None:
    for index, column in enumerate(table.columns, start=1):
        head = _cell(sheet, row=1, column=index)
        put(head, column.heading)
        head.font, head.fill, head.alignment = _HEAD, _HEAD_FILL, _HEAD_ALIGNMENT
        sheet.column_dimensions[get_column_letter(index)].width = column.width
    sheet.row_dimensions[1].height = 2 * _POINTS_A_LINE + 6
    sheet.sheet_view.zoomScale = 100

    left_out = max(0, len(table.frame) + 1 - max_rows)
    shown = table.frame if not left_out else table.frame.iloc[: max_rows - 2]
    dressed: dict[_CellLook, StyleArray] = {}
    for row, values in enumerate(shown.itertuples(index=False, name=None), start=2):
        lines = 1
        for index, (column, value) in enumerate(zip(table.columns, values, strict=True), start=1):
            cell = _cell(sheet, row=row, column=index)
            there = _row_linked_to(value, rows_by_key.get(column.links_to or "", {}))
            _dress(cell, _look_of(value) if there is None else _LINK_CELL, dressed)
            put(cell, value)
            if isinstance(value, str) and index <= table.printed:
                lines = max(lines, _lines(value, column.width))
            if there is not None:
                cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{column.links_to}'!A{there}")
        # LibreOffice does not grow rows by itself when it opens a file, so the height is set here. What is only on
        # screen may be longer than its row: it must not stretch the rows on paper.
        sheet.row_dimensions[row].height = min(_MAX_ROW_HEIGHT, lines * _POINTS_A_LINE + 2)
    last = max(2, len(shown) + 1)
    if not len(table.frame):
        put(_cell(sheet, row=2, column=1), "none")
        _cell(sheet, row=2, column=1).font = _FAINT
    if left_out:
        last += 1
        missing = len(table.frame) - len(shown)
        note = _cell(sheet, row=last, column=1)
        put(note, f"{count(missing, 'row')} left out: a sheet holds {max_rows:,}; the snapshot has them all")
        note.font, note.fill = _BOLD, _WARNING_FILL

    columns = len(table.columns)
    sheet.freeze_panes = _cell(sheet, row=2, column=table.frozen + 1).coordinate
    sheet.auto_filter.ref = f"A1:{get_column_letter(columns)}{last}"
    _set_up_page(sheet, estate)
    sheet.print_title_rows = "1:1"
    sheet.print_area = f"A1:{get_column_letter(table.printed)}{last}"
    if table.printed < columns:
        printed, all_columns = get_column_letter(table.printed), get_column_letter(columns)
        assert sheet.oddHeader is not None
        sheet.oddHeader.right.text = f"columns A to {printed}; more, to {all_columns}, on screen"


def _look_of(value: object) -> _CellLook:
    if isinstance(value, int | date):  # truth values and moments too
        return _CENTRED_CELL
    if not isinstance(value, str):
        return _TEXT_CELL
    return _CELL_BY_LABEL.get(value) or (_UNKNOWN_CELL if value == UNKNOWN else _TEXT_CELL)


def _dress(cell: Cell, look: _CellLook, dressed: dict[_CellLook, StyleArray]) -> None:
    """Give a cell its look. ``dressed`` has the looks that the book knows already: openpyxl would compare each font,
    fill and border of each cell with all that there are, which takes longer than everything else.
    """
    known = dressed.get(look)
    if known is not None:
        cell._style = copy(known)  # type: ignore[attr-defined]
        return
    cell.font, cell.alignment, cell.border = look.font, look.alignment, _LINE
    if look.fill is not None:
        cell.fill = look.fill
    dressed[look] = copy(cell._style)  # type: ignore[attr-defined]


def _row_linked_to(value: object, rows: dict[str, int]) -> int | None:
    """The row of another sheet that a cell leads to; of several ids in a cell the first, which decided."""
    if not rows or not isinstance(value, str):
        return None
    return rows.get(value, rows.get(value.split(", ", 1)[0]))


def _lines(text: str, width: float) -> int:
    """How many lines the text takes in a column so wide, broken between words; good enough for a height."""
    room = width * _LETTERS_A_DIGIT
    lines = 0
    for line in text[:_LOOKED_AT].split("\n"):
        lines += 1
        used = 0
        for word in line.split(" "):
            if used and used + len(word) > room:
                lines += 1
                used = 0
            lines += max(0, math.ceil(len(word) / room) - 1)
            used += len(word) + 1
    return lines


def _set_up_page(sheet: Worksheet, estate: str) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0  # as many pages down as it takes
    assert sheet.sheet_properties.pageSetUpPr is not None
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.8
    sheet.page_margins.header = sheet.page_margins.footer = 0.4
    assert sheet.oddHeader is not None
    assert sheet.oddFooter is not None
    # An ampersand begins a code in headers and footers.
    sheet.oddHeader.left.text = shorten(visible(estate), 80).replace("&", "&&") or None
    sheet.oddFooter.left.text = sheet.title
    sheet.oddFooter.right.text = "page &P of &N"


def _set_properties(book: Workbook, snapshot: Snapshot) -> None:
    properties = book.properties
    properties.title = shorten(f"SQL Server 2025 upgrade: {visible(snapshot.estate.name)}", 200)
    properties.subject = "Connections between SQL Servers that break on the upgrade date"
    properties.creator = f"assessor {visible(snapshot.run.tool_version)}"
    properties.keywords = "SQL Server 2025, linked server, TLS, certificate"
    properties.description = visible(answer(snapshot))
    made = in_utc(snapshot.run.finished)
    if isinstance(made, datetime):
        properties.created = made


# --- summary -------------------------------------------------------------------------------------------------


def _name(text: str) -> str:
    return shorten(visible(text), _MAX_NAME)


class _Summary:
    """The first sheet: what a change board reads, from the answer down to where it came from."""

    def __init__(self, sheet: Worksheet, snapshot: Snapshot, planned: Sequence[Action], rerun: Rerun) -> None:
        self.sheet = sheet
        self.snapshot = snapshot
        self.planned = planned
        self.rerun = rerun
        self.row = 0
        self.dressed: dict[_CellLook, StyleArray] = {}

    def draw(self) -> None:
        for index, width in enumerate(_SUMMARY_WIDTHS, start=1):
            self.sheet.column_dimensions[get_column_letter(index)].width = width
        self._answer()
        self._recommendation()
        self._verdicts()
        self._actions()
        self._unknown()
        self._warnings()
        self._picture()
        self._sources()
        self.sheet.sheet_view.showGridLines = False
        self.sheet.freeze_panes = "A2"
        _set_up_page(self.sheet, self.snapshot.estate.name)
        self.sheet.page_setup.orientation = "portrait"  # one page that reads like a letter

    def _answer(self) -> None:
        estate = self.snapshot.estate
        self._line((1, 10, f"SQL Server 2025 upgrade: {shorten(visible(estate.name), 100)}"), font=_TITLE, points=26)
        self._line((1, 10, visible(answer(self.snapshot))), font=_ANSWER, points=19)
        if self.snapshot.run.interrupted:
            self._line((1, 10, "INTERRUPTED RUN: what is missing here was not looked at."), font=_BOLD)
            _cell(self.sheet, row=self.row, column=1).fill = _WARNING_FILL
        self._fact("Upgrade date", estate.upgrade_date)
        self._fact("Days looked past it", estate.horizon_days)

    def _verdicts(self) -> None:
        self._section("What happens to the connections")
        self._line((1, 1, "Verdict"), (2, 2, "Count"), (3, 10, "Meaning"), head=True)
        for kind, number in verdict_counts(self.snapshot).items():
            words = VERDICTS[kind]
            self._line((1, 1, words.label), (2, 2, number), (3, 10, words.meaning))
        self._line((1, 1, "all connections"), (2, 2, len(self.snapshot.edges)), (3, 10, ""), font=_BOLD)

    def _actions(self) -> None:
        self._section("What to do first")
        actions = first_actions(self.snapshot, self.planned)
        helpless = breaking_without_remedy(self.snapshot)
        if actions:
            self._line(
                (1, 4, "Change"),
                (5, 5, "Mends"),
                (6, 6, "Still break after it"),
                (7, 8, "Who"),
                (9, 9, "Secure"),
                (10, 10, "When"),
                head=True,
            )
        for number, action in enumerate(actions[:_MAX_ACTIONS], start=1):
            title = f"{number}. {shorten(prose(action.title), 300)}"
            when = "after the upgrade" if action.only_after_upgrade else "now"
            self._line(
                (1, 4, f"{title} — price: {shorten(prose(action.price), 200)}" if action.price else title),
                (5, 5, action.unblocks),
                (6, 6, action.left),
                (7, 8, action.owner.value),
                (9, 9, "✓ yes" if action.is_secure else "✗ NO"),
                (10, 10, f"{when}, restart" if action.restart else when),
            )
        if len(actions) > _MAX_ACTIONS:
            self._line((1, 10, f"and {len(actions) - _MAX_ACTIONS:,} more: see the sheet {ACTIONS}"), font=_FAINT)
        if helpless:
            self._line((1, 10, f"No remedy is known for {count(helpless, 'breaking connection')}."), font=_BOLD)
        if not actions and not helpless:
            nothing = (
                "No connection that could be assessed breaks. What could not be assessed, if anything, comes first."
            )
            self._line((1, 10, nothing), font=_FAINT)

    def _sources(self) -> None:
        self._new_page()
        self._section("Where the connections start")
        words = list(VERDICTS.values())
        heads = [(place, place, words.label) for place, words in enumerate(words, start=3)]
        self._line((1, 1, "Source"), (2, 2, "Wave"), *heads, (10, 10, "all"), head=True)
        waves = {instance.address: instance.wave for instance in self.snapshot.estate.instances}
        counts = counts_by_source(self.snapshot)
        unread = {inventory.address for inventory in unread_instances(self.snapshot)}
        for source, numbers in zip(counts.index[:_MAX_SOURCES], counts.to_numpy().tolist(), strict=False):
            # What starts at an instance that was not read is not known: a nought would say "nothing".
            numbers = [_UNKNOWN if source in unread and not number else number for number in numbers]
            total = _UNKNOWN if source in unread else sum(numbers)
            cells = [(place, place, number) for place, number in enumerate(numbers, start=3)]
            wave = waves.get(str(source))
            self._line((1, 1, _name(str(source))), (2, 2, _NONE if wave is None else wave), *cells, (10, 10, total))
            broken = _cell(self.sheet, row=self.row, column=3)
            if numbers[0] not in (0, _UNKNOWN):
                broken.fill = PatternFill("solid", start_color=LOOKS[VerdictKind.BREAKS].fill)
                broken.font = Font(name=_FACE, size=_SIZE, bold=True, color=LOOKS[VerdictKind.BREAKS].letters)
        if len(counts):
            self._chart(self.row - min(len(counts), _MAX_SOURCES), self.row)
        if len(counts) > _MAX_SOURCES:
            rest = len(counts) - _MAX_SOURCES
            self._line((1, 10, f"and {rest:,} more: see the sheet {INSTANCES}"), font=_FAINT)

    def _chart(self, head: int, last: int) -> None:
        """A native chart of the table above: verdicts by source, stacked, in the verdicts' own shades."""
        chart = BarChart()
        chart.type, chart.grouping, chart.overlap = "bar", "stacked", 100
        chart.title = None
        chart.add_data(
            Reference(self.sheet, min_col=3, max_col=2 + len(VERDICTS), min_row=head, max_row=last),
            titles_from_data=True,
        )
        chart.set_categories(Reference(self.sheet, min_col=1, min_row=head + 1, max_row=last))
        for series, kind in zip(chart.series, VERDICTS, strict=True):
            series.graphicalProperties = GraphicalProperties(solidFill=LOOKS[kind].fill)
            series.graphicalProperties.line.solidFill = "606060"
        chart.y_axis.majorGridlines = None
        chart.x_axis.delete = chart.y_axis.delete = False
        chart.x_axis.scaling.orientation = "maxMin"
        chart.legend.position = "b"
        chart.width, chart.height = 23, 4 + 0.55 * (last - head)
        rows = math.ceil(chart.height * _POINTS_A_CENTIMETRE / _PICTURE_ROW) + 1
        self.sheet.add_chart(chart, f"A{self.row + 2}")
        for row in range(self.row + 1, self.row + rows + 1):
            self.sheet.row_dimensions[row].height = _PICTURE_ROW
        self.row += rows

    def _unknown(self) -> None:
        self._section("What could not be assessed")
        unread = unread_instances(self.snapshot)
        unknown = verdict_counts(self.snapshot)[VerdictKind.NOT_ASSESSED]
        gaps = gap_count(self.snapshot)
        for item in unread[:_MAX_UNREAD]:
            reasons = "; ".join(prose(gap.message) for gap in item.gaps) or "the run never came to it"
            self._line((1, 1, _name(item.address)), (2, 10, f"not read: {shorten(reasons, 400)}"))
        if len(unread) > _MAX_UNREAD:
            self._line((1, 10, f"and {count(len(unread) - _MAX_UNREAD, 'more instance')} not read"), font=_FAINT)
        if unread or unknown or gaps:
            missed = f"{count(unknown, 'connection')} without a verdict, {count(gaps, 'fact')} missing"
            self._line((1, 10, f"{missed}: see the sheet {NOT_ASSESSED}."), font=_BOLD)
        else:
            self._line((1, 10, "Nothing: every instance answered every question."), font=_FAINT)

    def _recommendation(self) -> None:
        found = board_answer(self.snapshot, self.rerun.board)
        self._section("Can the upgrade go ahead?")
        look = _RECOMMENDATION_LOOKS[found.recommendation]
        self._line((1, 2, found.recommendation.value), (3, 10, found.because), font=_ANSWER, points=19)
        banner = _cell(self.sheet, row=self.row, column=1)
        banner.fill = PatternFill("solid", start_color=look.fill)
        banner.font = Font(name=_FACE, size=13, bold=True, color=look.letters)
        for condition in found.conditions:
            self._line((1, 10, f"– {condition}"))
        self._line((1, 10, f"The rule: {found.rule}"), font=_FAINT)
        if self.rerun.comparison is not None:
            self._section("Since the previous run")
            self._line(
                (1, 10, f"{prose(changes_sentence(self.rerun.comparison))} See the sheet {CHANGES}."), font=_BOLD
            )

    def _warnings(self) -> None:
        for connection in connections_made(self.snapshot):
            if connection.way in (VALIDATED, NOT_CONNECTED):
                continue
            names = ", ".join(_name(address) for address in connection.addresses)
            self._line((1, 10, f"{connection_words(connection.way)}: {shorten(names, 600)}"), font=_BOLD)

    def _picture(self) -> None:
        if not self.snapshot.edges:
            return
        self._new_page()
        self._section("Who connects to whom")
        picture = draw_topology(self.snapshot.edges)
        image = Image(io.BytesIO(picture.png))
        scale = _PICTURE_WIDTH / picture.width
        image.width, image.height = _PICTURE_WIDTH, round(picture.height * scale)
        rows = math.ceil(image.height * _POINTS_A_PIXEL / _PICTURE_ROW) + 1
        self.row += 1  # a blank line, or the picture would hide the rule under the heading
        self.sheet.add_image(image, f"A{self.row + 1}")
        for row in range(self.row + 1, self.row + rows + 1):
            self.sheet.row_dimensions[row].height = _PICTURE_ROW
        self.row += rows
        caption = (
            "Thick and solid: breaks. Several connections between two servers are one line, with the worst of them."
        )
        if picture.left_out:
            caption += f" {count(picture.left_out, 'server')} did not fit; those with breaking connections came first."
        self._line((1, 10, caption), font=_FAINT)

    def _new_page(self) -> None:
        """Begin a page on paper, so that neither the picture nor the chart is cut in two."""
        self.sheet.row_breaks.append(Break(id=self.row))

    def _section(self, title: str) -> None:
        self.row += 1
        self._line((1, 10, title), font=_SECTION, points=20)
        for column in range(1, _SUMMARY_COLUMNS + 1):
            self.sheet.cell(row=self.row, column=column).border = _RULED

    def _fact(self, label: str, value: object) -> None:
        self._line((1, 1, label), (2, 10, value))

    def _line(
        self,
        *parts: tuple[int, int, Any],
        font: Font | None = None,
        head: bool = False,
        points: float = _POINTS_A_LINE + 1,
    ) -> None:
        """One row of (first column, last column, value). Merged cells do not grow, so the height is set
        here.
        """
        self.row += 1
        lines = 1
        for first, last, value in parts:
            cell = _cell(self.sheet, row=self.row, column=first)
            _dress(cell, _look_of(value), self.dressed)
            is_centred = (isinstance(value, int) and first == last) or value in (_NONE, _UNKNOWN)
            cell.alignment = _TOP_CENTRE if is_centred else _TOP_LEFT
            if font is not None:
                cell.font = font
            if head:
                cell.font, cell.fill = _HEAD, _HEAD_FILL
                cell.alignment = _HEAD_CENTRE if value in _CENTRED_HEADS else _HEAD_ALIGNMENT
            put(cell, value)
            if last > first:
                self.sheet.merge_cells(start_row=self.row, end_row=self.row, start_column=first, end_column=last)
            size = font.size if font is not None and font.size else _SIZE
            lines = max(lines, _lines(str(value), sum(_SUMMARY_WIDTHS[first - 1 : last]) * _SIZE / size))
        self.sheet.row_dimensions[self.row].height = min(_MAX_ROW_HEIGHT, lines * points)
