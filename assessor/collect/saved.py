"""Reads what the collect script printed, whichever tool saved it and however.

The lines that matter look like ``1A2B3C4D 0000001|…60 characters…|``: a run's name, a number, a piece of the document.
Everything else in a file (headers, ``(1 rows affected)``, messages, grids' row numbers) is passed over. Numbers and
lengths show whatever was cut, wrapped or lost. The document itself is XML of a few fixed elements; it is read by a
reader of exactly those, which knows no DTD and no entities, so that there is nothing to blow up. Does no I/O.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from assessor.collect.connection import Answer, AnswerTooLarge
from assessor.collect.failures import Failure, classify_number
from assessor.collect.inventory import GapKind
from assessor.collect.plan import Step
from assessor.collect.queries import Column, Query
from assessor.collect.rows import BadAnswer, python_type
from assessor.collect.script import FORMAT, PAYLOAD, ROOT, versions_of

#: A file: more than any real server's answers make, less than would hurt.
LARGEST_FILE: Final = 256 * 1024 * 1024
_MOST_ROWS: Final = 60_000  #: as in a live answer
_LONGEST_DOCUMENT: Final = 128 * 1024 * 1024
_LINE = re.compile(r"(?:^|[\s,;\"'|])([0-9A-F]{8}) (\d{7})\|")
_NIL: Final = ' xsi:nil="true"'
_TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z_][\w.\-]*)(?P<attributes>(?: [\w:]+=\"[^\"<]*\")*) ?(?P<empty>/?)>")
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_AGAIN: Final = "run the script again and save the whole output"


class UnreadableOutput(ValueError):
    """A saved output can't be used; one sentence without the file's name."""


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """What one query returned, still as text; or its error."""

    versions: str  #: of the variant that was asked, as ``11-13``
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    error: Failure | None = None

    def answer(self, query: Query) -> Answer:
        """The values in the types that ``query`` promises. Raises :class:`BadAnswer` or :class:`AnswerTooLarge`."""
        if self.versions != versions_of(query):
            raise BadAnswer(
                f"the script asked the variant for versions {self.versions} and this server needs the one for "
                f"{versions_of(query)}; write the script with --version for this server"
            )
        if len(self.rows) > _MOST_ROWS:
            raise AnswerTooLarge("the answer is larger than the query can have asked for")
        if not self.rows:
            return Answer(tuple(column.name for column in query.returns), ())
        types = {column.name.lower(): column for column in query.returns}
        promised = [types.get(name.lower()) for name in self.columns]
        rows = tuple(
            tuple(_value(column, text) for column, text in zip(promised, row, strict=True)) for row in self.rows
        )
        return Answer(self.columns, rows)


@dataclass(frozen=True, slots=True)
class SavedOutput:
    """One run of the collect script on one instance."""

    origin: str  #: the file's name
    started: datetime  #: UTC, by the server's clock
    tool: str
    major: str  #: the version that the script was written for
    answers: Mapping[Step, SavedAnswer] = field(default_factory=dict)


def read_outputs(data: bytes, origin: str) -> tuple[SavedOutput, ...]:
    """Every whole output in one file; several when it was run on many servers at once.

    Raises :class:`UnreadableOutput` when there is none, or one of them is not whole.
    """
    pieces = _pieces(decode(data))
    if not pieces:
        raise UnreadableOutput("it holds no output of the collect script")
    return tuple(_output(_joined(lines), origin) for lines in pieces.values())


def decode(data: bytes) -> str:
    """The text of a file in whatever encoding a tool chose. The lines that matter are ASCII in all of them."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    head = data[:4000]
    if head.count(0) > len(head) // 4:  # UTF-16 without its mark
        return data.decode("utf-16-le" if head[1:2] == b"\0" else "utf-16-be", "replace")
    return data.decode("latin-1")


def _pieces(text: str) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for raw in re.split(r"\r\n|\n|\r", text):
        line = raw
        match = _LINE.search(line)
        if match is None:
            continue
        if line.lstrip().startswith('"') or f',"{match[1]}' in line or f';"{match[1]}' in line:
            line = line.replace('""', '"')  # a CSV grid that quotes
            match = _LINE.search(line)
            assert match is not None
        run, number = match[1], int(match[2])
        payload = line[match.end() : match.end() + PAYLOAD]
        if line[match.end() + PAYLOAD : match.end() + PAYLOAD + 1] != "|":
            raise UnreadableOutput(
                f"line {number} of the output is cut or wrapped, for the tool showed too few characters a line; save it "
                "with at least 80 (sqlcmd: no -w, -W, -y or -Y; PowerShell: Out-File -Width 200)"
            )
        lines = found.setdefault(run, {})
        if lines.setdefault(number, payload) != payload:
            raise UnreadableOutput(f"line {number} of the output is there twice and differs; {_AGAIN}")
    return found


def _joined(lines: Mapping[int, str]) -> str:
    if len(lines) * PAYLOAD > _LONGEST_DOCUMENT:
        raise UnreadableOutput("it is larger than the queries can have asked for")
    last = max(lines)
    missing = next((number for number in range(1, last + 1) if number not in lines), None)
    if missing is not None:
        raise UnreadableOutput(f"line {missing} of the output is missing; {_AGAIN}")
    text = "".join(lines[number] for number in range(1, last + 1)).rstrip(" ")
    if not text.startswith(f"<{ROOT}>") or not text.endswith(f"</{ROOT}>"):
        raise UnreadableOutput(f"the output breaks off after line {last}; {_AGAIN}")
    return text


# --- the document -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Element:
    name: str
    is_nil: bool = False
    text: str = ""
    children: list[_Element] = field(default_factory=list)

    def child(self, name: str) -> _Element | None:
        return next((child for child in self.children if child.name == name), None)

    def value(self, name: str) -> str | None:
        child = self.child(name)
        return child.text if child is not None else None


def _output(text: str, origin: str) -> SavedOutput:
    root = _parse(text)
    if root.value("format") != str(FORMAT):
        raise UnreadableOutput(
            "it was written by another version of the collect script; write it anew and run it again"
        )
    try:
        started = datetime.fromisoformat(root.value("started") or "").replace(tzinfo=UTC)
    except ValueError:
        raise UnreadableOutput(f"it does not say when it was made; {_AGAIN}") from None
    answers: dict[Step, SavedAnswer] = {}
    for element in root.children:
        if element.name != "step":
            continue
        step = Step(element.value("query") or "", element.value("database"))
        if step in answers:
            raise UnreadableOutput(f"it answers {step.query} twice; {_AGAIN}")
        answers[step] = _answer(element)
    return SavedOutput(origin, started, root.value("tool") or "", root.value("for") or "", answers)


def _answer(step: _Element) -> SavedAnswer:
    versions = step.value("versions") or ""
    number = step.value("error")
    if number is not None:
        if not re.fullmatch(r"-?\d{1,9}", number):
            raise UnreadableOutput(f"an error in it has no number; {_AGAIN}")
        return SavedAnswer(versions, error=classify_number(int(number), step.value("message") or ""))
    answer = step.child("answer")
    if answer is None:
        raise UnreadableOutput(f"it has neither answer nor error for {step.value('query')}; {_AGAIN}")
    columns: tuple[str, ...] = ()
    rows: list[tuple[str | None, ...]] = []
    for row in answer.children:
        names = tuple(cell.name for cell in row.children)
        columns = columns or names
        if row.name != "row" or names != columns:
            error = Failure(GapKind.FAILED, None, "the rows of the answer differ in their columns")
            return SavedAnswer(versions, error=error)
        rows.append(tuple(None if cell.is_nil else cell.text for cell in row.children))
    return SavedAnswer(versions, tuple(map(_column_name, columns)), tuple(rows))


def _column_name(name: str) -> str:
    """``FOR XML`` writes a blank in a column's name as ``_x0020_``."""
    return _ENCODED.sub(lambda found: chr(int(found[1], 16)), name)


def _parse(text: str) -> _Element:
    """The tree of elements; five deep, so no stack of it can grow."""
    top = _Element("")
    open_elements = [top]
    for content, tag in _tags(text):
        inner = open_elements[-1]
        if content:
            inner.text += content
        if tag["close"]:
            if len(open_elements) == 1 or inner.name != tag["name"]:
                raise UnreadableOutput(f"its XML does not fit together; {_AGAIN}")
            open_elements.pop()
            continue
        element = _Element(tag["name"], _NIL in tag["attributes"])
        inner.children.append(element)
        if not tag["empty"]:
            open_elements.append(element)
            if len(open_elements) > 8:
                raise UnreadableOutput(f"its XML is deeper than the script writes it; {_AGAIN}")
    if len(open_elements) != 1 or len(top.children) != 1:
        raise UnreadableOutput(f"its XML does not fit together; {_AGAIN}")
    return top.children[0]


def _tags(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    position = 0
    while position < len(text):
        begin = text.find("<", position)
        if begin < 0:
            raise UnreadableOutput(f"its XML does not fit together; {_AGAIN}")
        match = _TAG.match(text, begin)
        if match is None:
            raise UnreadableOutput(f"its XML has something in it that the script does not write; {_AGAIN}")
        yield _plain(text[position:begin]), match
        position = match.end()


def _plain(text: str) -> str:
    if "&" not in text:
        return text
    rest = _REFERENCE.sub("", text)
    if "&" in rest:
        raise UnreadableOutput(f"its XML has a reference in it that the script does not write; {_AGAIN}")
    plain = _REFERENCE.sub(_character, text)
    try:
        # The script writes characters beyond U+FFFF as the two halves that nvarchar keeps.
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    code = int(found[1]) if found[1] else int(found[2], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


# --- values -------------------------------------------------------------------------------------------------


def _value(column: Column | None, text: str | None) -> object:
    """One value in its column's type. A column that was not promised stays text; it is not read."""
    if text is None or column is None:
        return text
    wanted = python_type(column)
    try:
        if wanted is int:
            if not re.fullmatch(r"[+-]?\d{1,19}", text):
                raise ValueError
            return int(text)
        if wanted is datetime:
            return datetime.fromisoformat(text)
    except ValueError:
        raise BadAnswer(f"column {column.name} is not of type {column.type}") from None
    return text
