"""Whatever rows the lab is given, drivers nobody here wrote read the same values back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyodbc
import pytds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.lab.behaviour import Behaviour, Encryption, Reply, Rows
from assessor.lab.server import ServerLoop, TdsServer
from assessor.lab.wire import Column, SqlType
from tests.lab.conftest import PASSWORD, connection_string

# A NUL or half a surrogate pair is no text that SQL Server's catalog would hold.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "nvarchar(128)": texts,
    "nvarchar(max)": st.one_of(texts, texts.map(lambda text: text * 200)),
    "bit": st.booleans(),
    "tinyint": st.integers(0, 255),
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "datetime2": st.datetimes(),
    "datetime2(3)": st.datetimes().map(lambda value: value.replace(microsecond=value.microsecond // 1000 * 1000)),
    "datetime": st.datetimes(datetime(1753, 1, 1), datetime(9999, 12, 30)).map(
        lambda value: value.replace(microsecond=0)
    ),
    "uniqueidentifier": st.uuids(),
    "varbinary(40)": st.binary(max_size=40),
}
COLUMNS = tuple(Column(f"c{number}", SqlType.parse(text)) for number, text in enumerate(VALUES))
ROWS = st.lists(st.tuples(*(st.none() | values for values in VALUES.values())), max_size=4)

quick = settings(deadline=None, max_examples=40)


class _Shelf:
    """Answers every batch with the rows that lie on it."""

    def __init__(self) -> None:
        self.rows: tuple[tuple[Any, ...], ...] = ()

    def __call__(self, batch: str, database: str) -> Reply | None:
        return Rows(COLUMNS, self.rows) if "shelf" in batch else None


@pytest.fixture(scope="module")
def shelf() -> _Shelf:
    return _Shelf()


@pytest.fixture(scope="module")
def server(behaviour: Behaviour, loop: ServerLoop, shelf: _Shelf) -> Iterator[TdsServer]:
    with TdsServer(replace(behaviour, answers=shelf), loop=loop) as running:
        yield running


@pytest.fixture(scope="module")
def odbc(server: TdsServer, driver: Path) -> Iterator[pyodbc.Connection]:
    text = connection_string(driver, f"tcp:{server.address},{server.port}", TrustServerCertificate="yes")
    connection = pyodbc.connect(text, autocommit=True)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def tds(server: TdsServer) -> Iterator[Any]:
    server.behaviour = replace(server.behaviour, encryption=Encryption.NOT_SUPPORTED)
    connection = pytds.connect(server.address, port=server.port, user="assessor", password=PASSWORD, autocommit=True)
    yield connection
    connection.close()


@quick
@given(rows=ROWS)
def test_odbc_driver_18_reads_back_what_was_given(odbc: pyodbc.Connection, shelf: _Shelf, rows: Any) -> None:
    shelf.rows = tuple(rows)
    found = [tuple(row) for row in odbc.execute("SELECT shelf").fetchall()]
    guid, binary = list(VALUES).index("uniqueidentifier"), list(VALUES).index("varbinary(40)")

    def as_pyodbc_says_it(row: tuple[Any, ...]) -> tuple[Any, ...]:
        said = list(row)
        said[guid] = None if row[guid] is None else str(row[guid]).upper()
        said[binary] = None if row[binary] is None else bytes(row[binary])
        return tuple(said)

    assert found == [as_pyodbc_says_it(row) for row in rows]


@quick
@given(rows=ROWS)
def test_python_tds_reads_back_what_was_given(tds: Any, shelf: _Shelf, rows: Any) -> None:
    shelf.rows = tuple(rows)
    cursor = tds.cursor()
    cursor.execute("SELECT shelf")
    assert cursor.fetchall() == rows
