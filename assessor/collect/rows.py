"""An answer read by column name, with its types checked: a server may send anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from assessor.collect.connection import Answer
from assessor.collect.queries import Column, Query

#: Characters in one value. The widest column that a bundled query reads is nvarchar(4000).
LONGEST_TEXT = 8000


class BadAnswer(ValueError):
    """The answer is not what the query's header promises; says how."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, whose types were checked by :func:`read_answer`. ``None`` is NULL."""

    _values: dict[str, object]

    def text(self, column: str) -> str | None:
        """A character value, as sent."""
        value = self._values[column.lower()]
        assert value is None or isinstance(value, str)
        return value

    def required(self, column: str) -> str:
        """A character value of a column that the header declares ``not null``."""
        value = self.text(column)
        assert value is not None
        return value

    def integer(self, column: str) -> int | None:
        """An integer of any width; a bit is 0 or 1."""
        value = self._values[column.lower()]
        assert value is None or isinstance(value, int)
        return None if value is None else int(value)

    def flag(self, column: str) -> bool | None:
        """A bit, or an integer used as one."""
        value = self.integer(column)
        return None if value is None else value != 0

    def moment(self, column: str) -> datetime | None:
        """A date and time, without a zone: the server's local time."""
        value = self._values[column.lower()]
        assert value is None or isinstance(value, datetime)
        return value


@dataclass(frozen=True, slots=True)
class Table:
    """A whole answer. ``is_cut``: it has as many rows as the query asks for at most, so there may be more."""

    rows: tuple[Row, ...]
    messages: tuple[str, ...] = ()
    is_cut: bool = False

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def only(self) -> Row:
        """The single row of a query that :func:`read_answer` was told always has one."""
        (row,) = self.rows
        return row


_TYPES: Final[dict[str, type]] = {
    **dict.fromkeys(("bit", "tinyint", "smallint", "int", "bigint"), int),
    **dict.fromkeys(("nvarchar", "varchar", "nchar", "char"), str),
    **dict.fromkeys(("datetime", "datetime2", "smalldatetime"), datetime),
}


def python_type(column: Column) -> type:
    """The type of a value of ``column``: ``int``, ``str`` or ``datetime``. Raises ``KeyError`` for a type nobody reads."""
    return _TYPES[column.type.partition("(")[0]]


def read_answer(query: Query, answer: Answer, *, has_one_row: bool = False) -> Table:
    """The answer as the header of ``query`` describes it. Columns beyond the promised ones are left out.

    Raises :class:`BadAnswer` when a promised column is missing, or a value is of another type, NULL against the
    promise or longer than any such value can be.
    """
    position: dict[str, int] = {}
    for number, name in enumerate(answer.columns):
        position.setdefault(name.lower(), number)
    for column in query.returns:
        if column.name.lower() not in position:
            raise BadAnswer(f"the answer lacks the column {column.name}")
    if has_one_row and len(answer.rows) != 1:
        raise BadAnswer(f"the answer has {len(answer.rows)} rows where there is always one")
    rows = tuple(
        Row({column.name.lower(): _checked(column, values[position[column.name.lower()]]) for column in query.returns})
        for values in answer.rows
    )
    limits = [int(limit) for limit in re.findall(r"\bTOP \((\d+)\)\n", query.text)]
    return Table(rows, answer.messages, bool(limits) and len(rows) >= max(limits))


def _checked(column: Column, value: object) -> object:
    if value is None:
        if column.is_required:
            raise BadAnswer(f"column {column.name} is NULL")
        return None
    if not isinstance(value, _TYPES[column.type.partition("(")[0]]):
        raise BadAnswer(f"column {column.name} is not of type {column.type}")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise BadAnswer(f"column {column.name} is longer than {LONGEST_TEXT} characters")
    return value
