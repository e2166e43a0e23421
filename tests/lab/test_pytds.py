"""python-tds takes the lab for a SQL Server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytds
import pytest

from assessor.lab.behaviour import Behaviour, Encryption
from assessor.lab.certificates import CertificateShop
from assessor.lab.server import TdsServer
from tests.lab.conftest import PASSWORD, TYPED

Serve = Callable[[Behaviour], TdsServer]


def connect(server: TdsServer, password: str = PASSWORD, **options: Any) -> Any:
    return pytds.connect(
        server.address, port=server.port, user="assessor", password=password, login_timeout=5, **options
    )


def test_it_logs_in_and_reads_typed_rows_inside_a_transaction(serve: Serve, behaviour: Behaviour) -> None:
    # python-tds begins a transaction by itself: a transaction manager request (0x0E).
    with connect(serve(replace(behaviour, encryption=Encryption.NOT_SUPPORTED))) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT typed")
        assert cursor.fetchall() == [TYPED.rows[0], TYPED.rows[1]]
        connection.commit()
        cursor.execute("SELECT typed")
        cursor.fetchall()
        connection.rollback()


@pytest.mark.filterwarnings("ignore:X509:DeprecationWarning")  # python-tds reads names as pyOpenSSL once did
def test_it_validates_the_certificate_and_encrypts_everything(
    serve: Serve, behaviour: Behaviour, shop: CertificateShop, tmp_path: Path
) -> None:
    root = tmp_path / "root.pem"
    root.write_text(shop.authorities["root"].pem)
    server = serve(replace(behaviour, encryption=Encryption.FORCED))
    with connect(server, cafile=str(root), autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT typed")
        assert cursor.fetchall() == [TYPED.rows[0], TYPED.rows[1]]
    assert server.seen[-1].encrypted


def test_a_server_that_forces_encryption_ends_the_talk_with_a_client_that_has_none(
    serve: Serve, behaviour: Behaviour
) -> None:
    server = serve(replace(behaviour, encryption=Encryption.FORCED))
    with pytest.raises(pytds.Error, match="encryption"):
        connect(server)
    assert server.seen[-1].login is None


def test_a_wrong_password_is_error_18456(serve: Serve, behaviour: Behaviour) -> None:
    with pytest.raises(pytds.OperationalError, match="Login failed for user 'assessor'") as refused:
        connect(serve(behaviour), password="wrong")
    assert refused.value.number == 18456


def test_a_refused_query_carries_its_number(serve: Serve, behaviour: Behaviour) -> None:
    with connect(serve(behaviour), autocommit=True) as connection:
        cursor = connection.cursor()
        with pytest.raises(pytds.OperationalError) as refused:
            cursor.execute("SELECT denied")
        assert refused.value.number == 229
