"""The columns of the workbook that people fill in for the change board: drawn, and read back from an older workbook.

A row is known by the id in its hidden column, never by its place, so that it may be sorted, filtered, copied or moved
to another sheet. Whatever was done to the workbook costs one entry at most, and that is said in a note: what comes out
of a spreadsheet is input like any other. Formulas are never evaluated; what was last shown is what counts.
"""

from __future__ import annotations

import math
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, cast
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from assessor.board import DECISIONS, Board, BoardEntry, CarriedBoard, ExceptionState, SubjectKind
from assessor.errors import UsageError
from assessor.remedies.ladder import Change
from assessor.report.text import prose, shorten, visible
from assessor.report.words import count
from assessor.topology.edges import EdgeKind


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """One column that people fill in."""

    field: str  #: of :class:`~assessor.board.BoardEntry`
    heading: str
    width: int  #: in characters
    is_date: bool = False


#: In the order in which they stand. All begin with "Board", so that they are not taken for columns of the tool's own.
BOARD_COLUMNS: Final = (
    BoardColumn("owner", "Board: owner", 16),
    BoardColumn("decision", "Board: decision", 18),
    BoardColumn("ticket", "Board: ticket", 13),
    BoardColumn("due", "Board: due date", 12, is_date=True),
    BoardColumn("exception_reason", "Board: exception, why", 28),
    BoardColumn("exception_until", "Board: exception until", 13, is_date=True),
)
#: What became of the exception; drawn by the tool, and not read back.
STATE_HEADING: Final = "Exception"
#: Headings of the column that says which row is which, by kind of subject.
ID_HEADINGS: Final[Mapping[SubjectKind, str]] = {SubjectKind.EDGE: "Id", SubjectKind.ACTION: "Action id"}

#: Stands for the id in rows that only repeat what is typed on another sheet.
ELSEWHERE: Final = "(on its own sheet)"

MAX_FILE: Final = 100 * 2**20  #: bytes of the file
MAX_UNPACKED: Final = 600 * 2**20  #: bytes of all its parts together
MAX_PARTS: Final = 20_000
MAX_SHEETS: Final = 200
MAX_ROWS_READ: Final = 300_000  #: of one sheet; the estate of the largest site we know of has a tenth
MAX_COLUMNS_READ: Final = 256
MAX_PECULIAR: Final = 20_000  #: merged ranges, and formulas without a value, of one sheet
MAX_TEXT: Final = 2_000  #: characters of one typed text that are kept
_LOOKED_FOR_IDS: Final = 500
_LONGEST_IDENTIFIER: Final = 4_000  #: characters
_LOOKED_FOR_HEADINGS: Final = 30  #: rows; people put titles and notes above a table
_NOTES_A_SHEET: Final = 25
_CLOSE_ENOUGH: Final = 0.8

_ZIP: Final = b"PK\x03\x04"
_COMPOUND_FILE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
#: The first part of an id says what it is; both vocabularies are ours.
_KINDS: Final[Mapping[str, SubjectKind]] = {
    **{kind.value: SubjectKind.EDGE for kind in EdgeKind},
    **{change.value: SubjectKind.ACTION for change in Change},
}
_ID: Final = re.compile(r"(?P<what>[a-z_0-9]+):[^\s:]+(?::[^\s:]*)*")


# --- drawing -------------------------------------------------------------------------------------------------

_FACE: Final = "Arial"
_HEAD: Final = Font(name=_FACE, size=10, bold=True, color="1F3864")
_HEAD_FILL: Final = PatternFill("solid", start_color="FFF2CC")
_TYPED: Final = Font(name=_FACE, size=10)
_TOP: Final = Alignment(vertical="top", wrap_text=True)
_DATE_FORMAT: Final = "yyyy-mm-dd"
_FIRST_ROW: Final = 2  #: under the headings


def draw_board_columns(
    sheet: Worksheet,
    first_column: int,
    ids: Sequence[str],
    kind: SubjectKind,
    carried: CarriedBoard | None,
    put: Callable[[Any, object], None],
) -> int:
    """Draw the board's columns from ``first_column`` on, for the rows of ``ids`` (row 2 is the first).

    ``put`` writes a value into a cell as what it is, text as text. Returns the number of columns drawn.
    """
    headings = [column.heading for column in BOARD_COLUMNS] + [STATE_HEADING]
    widths = [column.width for column in BOARD_COLUMNS] + [14]
    for place, (heading, width) in enumerate(zip(headings, widths, strict=True), start=first_column):
        head = sheet.cell(row=1, column=place)
        put(head, heading)
        head.font, head.fill, head.alignment = _HEAD, _HEAD_FILL, _TOP
        sheet.column_dimensions[get_column_letter(place)].width = width
    entries = {entry.subject: entry for entry in (carried.entries if carried else ()) if entry.kind is kind}
    states = {
        each.entry.subject: each.state for each in (carried.exceptions if carried else ()) if each.entry.kind is kind
    }
    styles: dict[int, StyleArray] = {}
    for row, subject in enumerate(ids, start=_FIRST_ROW):
        entry = entries.get(subject)
        for place, column in enumerate(BOARD_COLUMNS, start=first_column):
            cell = sheet.cell(row=row, column=place)
            if row == _FIRST_ROW:
                cell.font, cell.alignment = _TYPED, _TOP
                if column.is_date:
                    cell.number_format = _DATE_FORMAT
                styles[place] = copy(cell._style)  # type: ignore[union-attr]
            else:  # openpyxl looks every font up anew, which is slow in a long table
                cell._style = copy(styles[place])  # type: ignore[union-attr]
            if entry is not None:
                put(cell, getattr(entry, column.field))
        if subject in states:
            cell = sheet.cell(row=row, column=first_column + len(BOARD_COLUMNS))
            cell.font, cell.alignment = _TYPED, _TOP
            put(cell, state_words(states[subject]))
    _offer_choices(sheet, first_column, len(ids))
    return len(headings)


def state_words(state: ExceptionState) -> str:
    """An exception's state as a reader should take it: what does not hold is open."""
    return {
        ExceptionState.HOLDS: "holds",
        ExceptionState.EXPIRED: "OPEN: exception expired",
        ExceptionState.NO_EXPIRY: "OPEN: no expiry",
        ExceptionState.UNREADABLE_EXPIRY: "OPEN: expiry is no date",
        ExceptionState.NO_REASON: "holds; no reason given",
        ExceptionState.NEEDLESS: "no longer needed",
        ExceptionState.SUBJECT_GONE: "subject is gone",
    }[state]


def _offer_choices(sheet: Worksheet, first_column: int, rows: int) -> None:
    """A list of usual decisions and a calendar check; neither stops anybody from typing something else."""
    if not rows:
        return
    for place, column in enumerate(BOARD_COLUMNS, start=first_column):
        if column.field == "decision":
            rule = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True)
        elif column.is_date:
            rule = DataValidation(type="date", operator="greaterThan", formula1="36526", allow_blank=True)
            rule.promptTitle, rule.prompt = "Date", "A date, such as 2027-03-31"
            rule.error, rule.errorTitle = "Write a date, such as 2027-03-31.", "No date"
        else:
            continue
        rule.errorStyle = "warning"
        letter = get_column_letter(place)
        rule.add(f"{letter}2:{letter}{rows + 1}")
        sheet.add_data_validation(rule)


# --- reading -------------------------------------------------------------------------------------------------


def read_board(path: Path) -> Board:
    """Read what people typed into the workbook at ``path``.

    Raises :class:`~assessor.errors.UsageError` with one sentence when it is no workbook that can be read; everything
    less is a note of the board.
    """
    shown = visible(str(path))
    try:
        if path.stat().st_size > MAX_FILE:
            raise UsageError(f"{shown}: is larger than {MAX_FILE // 2**20} MB, so it is no workbook of ours.")
        with path.open("rb") as stream:
            return _read(stream, shown, visible(path.name))
    except FileNotFoundError as error:
        raise UsageError(f"{shown}: there is no such file; name the workbook of the previous run.") from error
    except IsADirectoryError as error:
        raise UsageError(f"{shown}: is a folder; name the workbook in it.") from error
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({visible(error.strerror or str(error))}).") from error


def _read(stream: IO[bytes], shown: str, name: str) -> Board:
    package = _open_package(stream, shown)
    try:
        with package:
            macros = any(part.lower().endswith("vbaproject.bin") for part in package.namelist())
            entries, notes = _read_sheets(stream, package, shown)
    except UsageError:
        raise
    except (zipfile.BadZipFile, ParseError, zlib.error, EOFError, NotImplementedError) as error:
        raise UsageError(f"{shown}: is a damaged workbook; open it in Excel, save it, and try again.") from error
    except OSError:
        raise
    except Exception as error:  # openpyxl raises whatever its own code trips over in a doctored file
        reason = shorten(prose(f"{type(error).__name__}: {error}"), 120)
        raise UsageError(f"{shown}: is no workbook that can be read ({reason}); save it again in Excel.") from error
    if macros:
        notes.insert(0, "It has macros; they were not looked at, and are not in the new workbook.")
    return Board(name, tuple(entries), tuple(notes))


def _open_package(stream: IO[bytes], shown: str) -> zipfile.ZipFile:
    """The workbook as an archive; refuse what is none, and what would unpack to more than a workbook ever does."""
    start = stream.read(8)
    if start == _COMPOUND_FILE:
        raise UsageError(
            f"{shown}: is protected with a password, or in the format of Excel 2003; save it as .xlsx without a password."
        )
    if not start.startswith(_ZIP):
        raise UsageError(f"{shown}: is no .xlsx workbook; name the one that the previous run wrote.")
    stream.seek(0)
    try:
        package = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UsageError(f"{shown}: is a damaged or cut-off workbook; take it from where it was written.") from error
    parts = package.infolist()
    names = {part.filename for part in parts}
    complaint = ""
    if "mimetype" in names and "content.xml" in names:
        complaint = "is an OpenDocument file; save it as Excel 2007-365 (.xlsx)"
    elif "[Content_Types].xml" not in names:
        complaint = "is an archive, and no .xlsx workbook; name the one that the previous run wrote"
    elif any(part.flag_bits & 1 for part in parts):
        complaint = "is an encrypted archive; save it as .xlsx without a password"
    elif len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        complaint = f"would unpack to more than {MAX_UNPACKED // 2**20} MB, which no workbook of ours does"
    if complaint:
        package.close()
        raise UsageError(f"{shown}: {complaint}.")
    return package


def _read_sheets(stream: IO[bytes], package: zipfile.ZipFile, shown: str) -> tuple[list[BoardEntry], list[str]]:
    _refuse_entities(package, shown)
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of parts that it does not read, none of which is ours
        return _read_book(stream, package, shown)


def _read_book(stream: IO[bytes], package: zipfile.ZipFile, shown: str) -> tuple[list[BoardEntry], list[str]]:
    book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    try:
        entries: list[BoardEntry] = []
        notes: list[str] = []
        is_found = False
        sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")]
        if len(sheets) > MAX_SHEETS:
            notes.append(f"It has {count(len(sheets), 'sheet')}; only the first {MAX_SHEETS} were looked at.")
        for sheet in sheets[:MAX_SHEETS]:
            reading = _SheetReading(sheet, package, book.epoch)
            if not reading.is_ours:
                continue
            is_found = True
            entries += reading.entries
            notes += reading.notes
    finally:
        book.close()
    if not is_found:
        wanted = f"'{ID_HEADINGS[SubjectKind.EDGE]}' and '{BOARD_COLUMNS[0].heading}'"
        raise UsageError(
            f"{shown}: has no sheet with the columns {wanted}, so there is nothing to carry over; is it our workbook?"
        )
    return entries, notes


def _refuse_entities(package: zipfile.ZipFile, shown: str) -> None:
    """No part of a workbook has a document type; one that does wants entities expanded."""
    for part in package.infolist():
        if part.filename.lower().endswith((".xml", ".rels", ".vml")):
            with package.open(part) as stream:
                start = stream.read(2048).replace(b"\0", b"")
            if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                raise UsageError(f"{shown}: holds XML with a document type, which no spreadsheet program writes.")


@dataclass(frozen=True, slots=True)
class _Heading:
    """Where a sheet's table begins, and which column holds what."""

    row: int
    id_column: int  #: from 0
    fields: Mapping[str, int]


class _SheetReading:
    """What one sheet tells; not ours when it has no table with an id and at least one of the board's columns."""

    def __init__(self, sheet: Any, package: zipfile.ZipFile, epoch: datetime) -> None:
        self.title = visible(shorten(str(sheet.title), 60))
        self.entries: list[BoardEntry] = []
        self._epoch = epoch
        self._problems: list[str] = []
        self._without_id: list[int] = []
        sheet.reset_dimensions()  # what a file says of its size need not be so
        heading = _find_heading(sheet)
        self.is_ours = heading is not None
        if heading is None:
            return
        self._columns = {column.field: column for column in BOARD_COLUMNS}
        for column in BOARD_COLUMNS:
            if column.field not in heading.fields:
                self._problems.append(f"the column '{column.heading}' is not there, so nothing of it was carried over")
        peculiar = _Peculiarities.of(package, getattr(sheet, "_worksheet_path", ""), set(heading.fields.values()))
        if peculiar.without_value:
            cells = ", ".join(peculiar.without_value[:10]) + (" …" if len(peculiar.without_value) > 10 else "")
            self._problems.append(f"formulas without a value are not worked out here: {cells}")
        self._read_rows(sheet, heading, peculiar.merged)

    @property
    def notes(self) -> list[str]:
        """One sentence for each thing that was met, at most so many."""
        problems = list(self._problems)
        if self._without_id:
            rows = ", ".join(map(str, self._without_id[:10])) + (" …" if len(self._without_id) > 10 else "")
            some = count(len(self._without_id), "row")
            problems.append(f"{some} with board texts and no id that we know, so nobody can say what for: row {rows}")
        left = len(problems) - _NOTES_A_SHEET
        if left > 0:
            problems = [*problems[:_NOTES_A_SHEET], f"and {count(left, 'more note')} of this kind"]
        return [f"Sheet '{self.title}': {problem}." for problem in problems]

    def _read_rows(self, sheet: Any, heading: _Heading, merged: Sequence[_Merged]) -> None:
        shared: dict[tuple[int, int], object] = {}
        width = max(heading.id_column, *heading.fields.values()) + 1
        rows = sheet.iter_rows(min_row=heading.row + 1, max_col=width)
        for number, cells in enumerate(islice(rows, MAX_ROWS_READ), start=heading.row + 1):
            values = {field: _value(cells, column) for field, column in heading.fields.items()}
            for area in merged:
                for field, column in heading.fields.items():
                    if column == area.column and area.first <= number <= area.last:
                        value = shared.setdefault((area.column, area.first), values[field])
                        values[field] = value if values[field] is None else values[field]
            found = _subject(_value(cells, heading.id_column))
            if found is None:
                if str(_value(cells, heading.id_column)).strip() == ELSEWHERE:
                    continue
                if any(self._text(value) for value in values.values()):
                    self._without_id.append(number)
                continue
            entry = self._entry(found, values, number)
            if not entry.is_empty:
                self.entries.append(entry)
        if next(rows, None) is not None:
            self._problems.append(f"only the first {MAX_ROWS_READ:,} rows were looked at")

    def _entry(self, found: tuple[SubjectKind, str], values: Mapping[str, object], row: int) -> BoardEntry:
        typed: dict[str, Any] = {}
        for field, value in values.items():
            column = self._columns[field]
            if column.is_date:
                typed[field] = self._date(value, column, row)
            else:
                typed[field] = self._text(value)
                if len(typed[field]) > MAX_TEXT:
                    typed[field] = shorten(typed[field], MAX_TEXT)
                    self._problems.append(f"'{column.heading}' in row {row} was cut to {MAX_TEXT:,} characters")
        return BoardEntry(*found, **typed)

    def _text(self, value: object) -> str:
        if value is None or isinstance(value, bool):
            return "" if value is None else ("yes" if value else "no")
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)  # a ticket number
        if isinstance(value, datetime):
            value = value.date() if value.time() == datetime.min.time() else value
        return prose(str(value)[: 4 * MAX_TEXT])

    def _date(self, value: object, column: BoardColumn, row: int) -> date | str | None:
        found = _date_of(value, self._epoch)
        if isinstance(found, date) or found is None:
            return found
        text = shorten(found, 100)
        self._problems.append(f"'{column.heading}' in row {row} is '{text}', which is no date: write 2027-03-31")
        return text


def _value(cells: Sequence[Any], column: int) -> object:
    """What a cell shows. An error value (``#REF!``) shows nothing that anybody typed."""
    if column >= len(cells):
        return None
    cell = cells[column]
    value = cell.value
    if getattr(cell, "data_type", "") == "e":
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    return cast(object, value)


def _subject(value: object) -> tuple[SubjectKind, str] | None:
    if isinstance(value, str) and len(value) <= _LONGEST_IDENTIFIER and (match := _ID.fullmatch(value.strip())):
        kind = _KINDS.get(match["what"])
        if kind is not None:
            return kind, match[0]
    return None


def _find_heading(sheet: Any) -> _Heading | None:
    """The first row with at least one of the board's headings, and the column below it that holds the ids."""
    rows = sheet.iter_rows(min_row=1, max_row=_LOOKED_FOR_HEADINGS, max_col=MAX_COLUMNS_READ, values_only=True)
    for number, values in enumerate(rows, start=1):
        headings = [value if isinstance(value, str) else "" for value in values]
        fields = _match_headings(headings)
        if fields:
            column = _id_column(sheet, number, headings)
            return None if column is None else _Heading(number, column, fields)
    return None


def _id_column(sheet: Any, heading_row: int, headings: Sequence[str]) -> int | None:
    """The column that holds ids: the one so called, else the one that most ids stand in."""
    found: Counter[int] = Counter()
    rows = sheet.iter_rows(
        min_row=heading_row + 1, max_row=heading_row + _LOOKED_FOR_IDS, max_col=MAX_COLUMNS_READ, values_only=True
    )
    for values in rows:
        found.update(place for place, value in enumerate(values) if _subject(value) is not None)
    wanted = {_plain(heading) for heading in ID_HEADINGS.values()} | {"id", "edgeid", "actionid"}
    named = [place for place, heading in enumerate(headings) if _plain(heading) in wanted]
    with_ids = [place for place in named if found[place]] + [place for place, _ in found.most_common(1)]
    return next(iter([*with_ids, *named]), None)


def _match_headings(headings: Sequence[str]) -> dict[str, int]:
    """Which column holds what: the closest headings first, each column and each field once."""
    scores = []
    for place, heading in enumerate(headings):
        plain = _plain(heading[:200])
        if "board" not in plain:
            continue
        for order, column in enumerate(BOARD_COLUMNS):
            score = SequenceMatcher(None, plain, _plain(column.heading)).ratio()
            if score >= _CLOSE_ENOUGH:
                scores.append((-score, order, place, column.field))
    found: dict[str, int] = {}
    for _, _, place, field in sorted(scores):
        if field not in found and place not in found.values():
            found[field] = place
    return found


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]", "", heading.lower())


@dataclass(frozen=True, slots=True)
class _Merged:
    """Cells of one column that were made one: what is typed in the first is meant for all."""

    column: int  #: from 0
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Peculiarities:
    """What openpyxl does not tell of a sheet that it streams, looked for in the text of the part.

    No cell can hold an unescaped ``<``, so what looks like an element is one.
    """

    merged: tuple[_Merged, ...]
    without_value: tuple[str, ...]  #: cells with a formula that no program has worked out

    @classmethod
    def of(cls, package: zipfile.ZipFile, part: str, columns: set[int]) -> _Peculiarities:
        merged: list[_Merged] = []
        without_value: list[str] = []
        try:
            stream = package.open(part.lstrip("/"))
        except KeyError:
            return cls((), ())
        with stream:
            for match in islice(_matches(stream), MAX_PECULIAR):
                reference = match[match.lastgroup or 0].decode("ascii").replace("$", "")
                try:
                    left, top, _, bottom = range_boundaries(reference)
                except (ValueError, TypeError):
                    continue
                if left is None or top is None or bottom is None or left - 1 not in columns:
                    continue
                if match.lastgroup == "formula":
                    without_value.append(reference)
                elif bottom > top:
                    merged.append(_Merged(left - 1, top, bottom))
        return cls(tuple(merged), tuple(without_value))


_PECULIAR: Final = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^<>]*?\bref=["'](?P<merged>[A-Z0-9:$]{1,40})["']"""
    rb"""|<(?:\w+:)?c\s[^<>]*?\br=["'](?P<formula>[A-Z]{1,3}[0-9]{1,7})["'][^<>]*>"""
    rb"""\s*<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*(?:/>|></(?:\w+:)?v>)\s*)?</(?:\w+:)?c>"""
)
_CHUNK: Final = 2**18
_LONGEST: Final = 2**14  #: bytes that one of these can take: a formula has 8,192 characters at most


def _matches(stream: IO[bytes]) -> Iterator[re.Match[bytes]]:
    left = b""
    while chunk := stream.read(_CHUNK):
        text = left + chunk
        end = 0
        for match in _PECULIAR.finditer(text):
            end = match.end()
            yield match
        left = text[max(end, len(text) - _LONGEST) :]


# --- dates ---------------------------------------------------------------------------------------------------

_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})")
_SLASHES: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})")
_DAY_MONTH_NAME: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?[ -]([A-Za-zäÄ]{3,9})\.?,?[ -](\d{4}|\d{2})")
_MONTH_NAME_DAY: Final = re.compile(r"([A-Za-zäÄ]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
#: English and German, by their first three letters.
_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12, "mär": 3, "mae": 3, "mai": 5, "okt": 10, "dez": 12,
}  # fmt: skip
#: Serial numbers of 1990 to 2119: a cell whose date format was lost.
_SERIALS: Final = range(32_874, 80_355)


def _date_of(value: object, epoch: datetime) -> date | str | None:
    """The date that a cell holds or that somebody wrote as text; the text itself when none is certain."""
    if value is None or isinstance(value, bool):
        return None if value is None else str(value)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float):
        if math.isfinite(value) and int(value) in _SERIALS:
            found = from_excel(int(value), epoch)
            return found.date() if isinstance(found, datetime) else str(value)
        return str(value)
    if isinstance(value, timedelta):
        return str(value)
    text = prose(str(value)[:200])
    return _date_from_text(text) or text or None


def _date_from_text(text: str) -> date | None:
    if match := _YEAR_FIRST.fullmatch(text):
        return _day(match[1], match[2], match[3])
    if match := _DAY_FIRST.fullmatch(text):
        return _day(match[3], match[2], match[1])
    if match := _SLASHES.fullmatch(text):
        one, other = int(match[1]), int(match[2])
        if one > 12 or one == other:
            return _day(match[3], match[2], match[1])
        if other > 12:
            return _day(match[3], match[1], match[2])
        return None  # 03/04: the third of April, or the fourth of March? Nobody knows.
    if match := _DAY_MONTH_NAME.fullmatch(text):
        return _day(match[3], str(_MONTHS.get(match[2].lower()[:3], 0)), match[1])
    if match := _MONTH_NAME_DAY.fullmatch(text):
        return _day(match[3], str(_MONTHS.get(match[1].lower()[:3], 0)), match[2])
    return None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
