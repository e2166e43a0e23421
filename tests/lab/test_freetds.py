"""FreeTDS (`tsql`) takes the lab for a SQL Server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from assessor.lab.behaviour import Behaviour, Encryption
from assessor.lab.server import TdsServer

pytestmark = pytest.mark.skipif(shutil.which("tsql") is None, reason="FreeTDS is not installed")

Serve = Callable[[Behaviour], TdsServer]


def tsql(server: TdsServer, script: str, password: str = "simple") -> str:
    run = subprocess.run(
        ["tsql", "-H", server.address, "-p", str(server.port), "-U", "assessor", "-P", password],
        input=script,
        env={**os.environ, "TDSVER": "7.4", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return run.stdout + run.stderr


@pytest.fixture
def plain(behaviour: Behaviour) -> Behaviour:
    # tsql takes the password on its command line, so it is a plain one here.
    return replace(behaviour, accounts={"assessor": "simple"})


@pytest.mark.parametrize("encryption", [Encryption.AVAILABLE, Encryption.NOT_SUPPORTED])
def test_it_logs_in_and_reads_typed_rows(serve: Serve, plain: Behaviour, encryption: Encryption) -> None:
    said = tsql(serve(replace(plain, encryption=encryption)), "SELECT typed\ngo\n")
    assert "FIN01 – größer 🙂" in said
    assert "6F9619FF-8B86-D011-B42D-00C04FC964FF" in said
    assert "1099511627776" in said
    assert "(2 rows affected)" in said


def test_a_wrong_password_is_message_18456(serve: Serve, plain: Behaviour) -> None:
    said = tsql(serve(plain), "SELECT typed\ngo\n", password="wrong")
    assert "Msg 18456" in said
    assert "Login failed for user 'assessor'." in said


def test_a_refused_query_is_a_message_with_number_and_severity(serve: Serve, plain: Behaviour) -> None:
    said = tsql(serve(plain), "SELECT denied\ngo\n")
    assert "Msg 229 (severity 14, state 1)" in said
