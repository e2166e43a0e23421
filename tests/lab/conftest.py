"""Servers and clients that the lab's tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyodbc
import pytest

from assessor.collect.driver import bundled_driver
from assessor.lab.behaviour import Behaviour, Drops, Hangs, Refused, Reply, Rows
from assessor.lab.certificates import CertificateShop, Description
from assessor.lab.server import ServerLoop, TdsServer
from assessor.lab.wire import Column, ServerMessage, SqlType

PASSWORD = "Pä;$$}w{ö €"
DENIED = "The SELECT permission was denied on the object 'MSdistpublishers', database 'msdb', schema 'dbo'."

TYPED = Rows(
    (
        Column("name", SqlType.parse("nvarchar(128)")),
        Column("text", SqlType.parse("nvarchar(max)")),
        Column("is_linked", SqlType.parse("bit")),
        Column("port", SqlType.parse("int")),
        Column("big", SqlType.parse("bigint")),
        Column("small", SqlType.parse("smallint")),
        Column("tiny", SqlType.parse("tinyint")),
        Column("modify_date", SqlType.parse("datetime")),
        Column("changed", SqlType.parse("datetime2")),
        Column("id", SqlType.parse("uniqueidentifier")),
    ),
    (
        (
            "FIN01 – größer 🙂",
            "x" * 70_000,
            True,
            -1433,
            2**40,
            -3,
            255,
            datetime(2019, 3, 1, 10, 30, 0, 123_000),
            datetime(2019, 3, 1, 10, 30, 0, 123_456),
            UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ),
        (None,) * 10,
    ),
)


def answers(batch: str, database: str) -> Reply | None:
    if "typed" in batch:
        return TYPED
    if "where am I" in batch:
        return Rows((Column("db", SqlType("nvarchar", 128)),), ((database,),))
    if "denied" in batch:
        return Refused((ServerMessage(229, DENIED),))
    if "slow" in batch:
        return Hangs()
    if "dies" in batch:
        return Drops()
    return None


@pytest.fixture(scope="session")
def shop() -> CertificateShop:
    authorities = {
        "root": Description("root", "Lab Root CA", valid_days=(-365, 3650), key="ec-p256"),
        "issuing": Description("issuing", "Lab Issuing CA", "root", valid_days=(-365, 3650), key="ec-p256"),
    }
    certificates = {
        "good": Description("good", "127.0.0.1", "issuing", dns=("localhost", "127.0.0.1")),
        "leaf only": Description("leaf only", "127.0.0.1", "issuing", dns=("127.0.0.1",), sends=()),
        "other name": Description("other name", "other.test", "issuing", dns=("other.test",)),
        "expired": Description("expired", "127.0.0.1", "issuing", dns=("127.0.0.1",), valid_days=(-90, -1)),
        "named": Description("named", "pay01.lab.test", "issuing", dns=("pay01.lab.test",)),
    }
    return CertificateShop(authorities, certificates)


@pytest.fixture(scope="session")
def behaviour(shop: CertificateShop) -> Behaviour:
    return Behaviour(
        shop.credentials("good"), accounts={"assessor": PASSWORD}, answers=answers, databases=("master", "Payroll")
    )


@pytest.fixture(scope="session")
def loop() -> Iterator[ServerLoop]:
    with ServerLoop() as running:
        yield running


@pytest.fixture
def serve(loop: ServerLoop) -> Iterator[Callable[[Behaviour], TdsServer]]:
    servers: list[TdsServer] = []

    def start(behaviour: Behaviour) -> TdsServer:
        server = TdsServer(behaviour, loop=loop)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def driver() -> Path:
    path = bundled_driver()
    if path is None:
        pytest.skip("no ODBC Driver 18 for this machine")
    return path


def connection_string(driver: Path, server: str, **options: str) -> str:
    settings = {"UID": "assessor", "PWD": PASSWORD} | options
    written = "".join(f"{key}={{{value.replace('}', '}}')}}};" for key, value in settings.items())
    return f"DRIVER={{{driver}}};SERVER={server};{written}"


@pytest.fixture
def connect(driver: Path) -> Callable[..., pyodbc.Connection]:
    def dial(server: TdsServer, **options: str) -> pyodbc.Connection:
        text = connection_string(driver, f"tcp:{server.address},{server.port}", **options)
        return pyodbc.connect(text, timeout=5, autocommit=True)

    return dial


_PROGRAM = """
import sys, pyodbc
try:
    connection = pyodbc.connect(sys.stdin.read(), timeout=5, autocommit=True)
except pyodbc.Error as error:
    print(error.args[1])
    sys.exit(1)
connection.close()
print("connected")
"""


def dial_elsewhere(text: str, **environment: str) -> str:
    """Connect in a process of its own: OpenSSL reads SSL_CERT_FILE, and libc LD_PRELOAD, at its start."""
    run: Any = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=text,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode in (0, 1), run.stderr
    return str(run.stdout).strip()
