"""Microsoft's ODBC Driver 18 takes the lab for a SQL Server."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyodbc
import pytest

from assessor.lab.behaviour import Behaviour, Encryption, Manner
from assessor.lab.certificates import CertificateShop, pem
from assessor.lab.server import TdsServer
from assessor.lab.tls import TlsVersion
from tests.lab.conftest import DENIED, TYPED, connection_string, dial_elsewhere

Serve = Callable[[Behaviour], TdsServer]
Connect = Callable[..., pyodbc.Connection]


@pytest.mark.parametrize("encrypt", ["no", "yes"])
def test_every_type_comes_back_as_it_was_given(
    serve: Serve, connect: Connect, behaviour: Behaviour, encrypt: str
) -> None:
    server = serve(behaviour)
    connection = connect(server, Encrypt=encrypt, TrustServerCertificate="yes")
    rows = connection.execute("SELECT typed").fetchall()
    connection.close()
    expected = list(TYPED.rows[0])
    expected[-1] = str(expected[-1]).upper()
    assert [list(row) for row in rows] == [expected, [None] * 10]
    assert server.seen[-1].encrypted is (encrypt == "yes")


def test_columns_have_the_names_and_sizes_that_were_declared(
    serve: Serve, connect: Connect, behaviour: Behaviour
) -> None:
    connection = connect(serve(behaviour), TrustServerCertificate="yes")
    cursor = connection.execute("SELECT typed")
    assert [(column[0], column[1], column[3]) for column in cursor.description][:4] == [
        ("name", str, 128),
        ("text", str, 0),
        ("is_linked", bool, 1),
        ("port", int, 10),
    ]
    connection.close()


def test_a_wrong_password_is_error_18456(serve: Serve, connect: Connect, behaviour: Behaviour) -> None:
    server = serve(behaviour)
    with pytest.raises(pyodbc.InterfaceError, match=r"Login failed for user 'assessor'\. \(18456\)"):
        connect(server, PWD="wrong", TrustServerCertificate="yes")
    assert not server.seen[-1].logged_in


def test_an_unknown_database_is_error_4060(serve: Serve, connect: Connect, behaviour: Behaviour) -> None:
    with pytest.raises(pyodbc.Error, match="4060"):
        connect(serve(behaviour), Database="Nowhere", TrustServerCertificate="yes")


def test_a_refused_query_shows_its_number_and_costs_no_other_query(
    serve: Serve, connect: Connect, behaviour: Behaviour
) -> None:
    connection = connect(serve(behaviour), TrustServerCertificate="yes")
    with pytest.raises(pyodbc.ProgrammingError) as refused:
        connection.execute("SELECT denied")
    assert f"{DENIED} (229)" in refused.value.args[1]
    assert connection.execute("SELECT typed").fetchone() is not None
    connection.close()


def test_a_hanging_query_can_be_cancelled_by_a_timeout_and_the_connection_lives_on(
    serve: Serve, connect: Connect, behaviour: Behaviour
) -> None:
    connection = connect(serve(behaviour), TrustServerCertificate="yes")
    connection.timeout = 1
    with pytest.raises(pyodbc.OperationalError, match="HYT00"):
        connection.cursor().execute("SELECT slow")
    assert connection.execute("SELECT where am I").fetchval() == "master"
    connection.close()


def test_a_dropped_connection_is_a_communication_error(serve: Serve, connect: Connect, behaviour: Behaviour) -> None:
    connection = connect(serve(behaviour), TrustServerCertificate="yes")
    with pytest.raises(pyodbc.OperationalError, match="08S01"):
        connection.execute("SELECT dies")
    connection.close()


def test_use_moves_the_session_to_another_database(serve: Serve, connect: Connect, behaviour: Behaviour) -> None:
    connection = connect(serve(behaviour), TrustServerCertificate="yes")
    connection.execute("USE [Payroll]")
    assert connection.execute("SELECT where am I").fetchval() == "Payroll"
    connection.close()


def test_transactions_are_played_along(serve: Serve, driver: Path, behaviour: Behaviour) -> None:
    server = serve(behaviour)
    text = connection_string(driver, f"{server.address},{server.port}", TrustServerCertificate="yes")
    connection = pyodbc.connect(text, timeout=5, autocommit=False)
    connection.execute("SELECT typed").fetchall()
    connection.commit()
    connection.execute("SELECT typed").fetchall()
    connection.rollback()
    connection.close()


def test_a_batch_that_is_not_bundled_is_refused(serve: Serve, connect: Connect, behaviour: Behaviour) -> None:
    connection = connect(serve(behaviour), TrustServerCertificate="yes")
    with pytest.raises(pyodbc.Error, match=r"\(50000\)"):
        connection.execute("DROP TABLE important")
    connection.close()


@pytest.mark.parametrize(
    ("encryption", "encrypt", "trust", "outcome"),
    [
        (Encryption.AVAILABLE, "no", "no", "login only"),
        (Encryption.AVAILABLE, "yes", "yes", "all"),
        (Encryption.AVAILABLE, "yes", "no", "certificate verify failed"),
        (Encryption.FORCED, "no", "yes", "all"),
        (Encryption.FORCED, "no", "no", "certificate verify failed"),
        (Encryption.FORCED, "yes", "yes", "all"),
        (Encryption.NOT_SUPPORTED, "no", "no", "clear"),
        (Encryption.NOT_SUPPORTED, "yes", "yes", "Encryption not supported on SQL Server"),
    ],
)
def test_what_is_encrypted_and_checked_follows_from_both_sides(
    serve: Serve,
    connect: Connect,
    behaviour: Behaviour,
    encryption: Encryption,
    encrypt: str,
    trust: str,
    outcome: str,
) -> None:
    server = serve(replace(behaviour, encryption=encryption))
    options = {"Encrypt": encrypt, "TrustServerCertificate": trust}
    if outcome in ("login only", "all", "clear"):
        connect(server, **options).close()
        seen = server.seen[-1]
        assert (seen.tls, seen.encrypted) == {
            "login only": ("TLSv1.2", False),
            "all": ("TLSv1.2", True),
            "clear": (None, False),
        }[outcome]
    else:
        with pytest.raises(pyodbc.OperationalError, match=outcome):
            connect(server, **options)


def test_a_strict_server_closes_the_door_on_tds_7(serve: Serve, connect: Connect, behaviour: Behaviour) -> None:
    server = serve(replace(behaviour, force_strict=True))
    for encrypt in ("no", "yes"):
        with pytest.raises(pyodbc.OperationalError, match="handshakes before login"):
            connect(server, Encrypt=encrypt, TrustServerCertificate="yes")


def test_a_server_without_tds_8_resets_a_strict_client(serve: Serve, connect: Connect, behaviour: Behaviour) -> None:
    server = serve(replace(behaviour, tds8=False))
    with pytest.raises(pyodbc.OperationalError, match=r"0x68|0x2746"):
        connect(server, Encrypt="strict")


def test_a_strict_client_with_a_pin_speaks_tds_8(
    serve: Serve, connect: Connect, behaviour: Behaviour, shop: CertificateShop, tmp_path: Path
) -> None:
    pin = tmp_path / "pin.pem"
    pin.write_text(pem(shop.credentials("good").certificate))
    server = serve(replace(behaviour, force_strict=True))
    connection = connect(server, Encrypt="strict", ServerCertificate=str(pin))
    assert connection.execute("SELECT typed").fetchone() is not None
    connection.close()
    seen = server.seen[-1]
    assert (seen.strict, seen.protocol, seen.tls, seen.encrypted) == (True, "tds/8.0", "TLSv1.3", True)


def test_tls_1_2_is_enough_for_tds_8(
    serve: Serve, connect: Connect, behaviour: Behaviour, shop: CertificateShop, tmp_path: Path
) -> None:
    pin = tmp_path / "pin.pem"
    pin.write_text(pem(shop.credentials("good").certificate))
    server = serve(replace(behaviour, tls=(TlsVersion.V1_2, TlsVersion.V1_2)))
    connect(server, Encrypt="strict", ServerCertificate=str(pin)).close()
    assert server.seen[-1].tls == "TLSv1.2"


def test_a_server_of_tls_1_0_fails_even_without_encryption(
    serve: Serve, connect: Connect, behaviour: Behaviour
) -> None:
    server = serve(replace(behaviour, tls=(TlsVersion.V1_0, TlsVersion.V1_0)))
    with pytest.raises(pyodbc.OperationalError, match="SSL"):
        connect(server, Encrypt="no", TrustServerCertificate="yes")


@pytest.mark.parametrize(
    ("certificate", "outcome"),
    [
        ("good", "connected"),
        ("leaf only", "unable to get local issuer certificate"),
        ("other name", "subject name does not match host name"),
        ("expired", "certificate has expired"),
    ],
)
@pytest.mark.parametrize("encrypt", ["yes", "strict"])
def test_a_client_that_trusts_the_root_finds_each_fault(
    serve: Serve,
    behaviour: Behaviour,
    driver: Path,
    shop: CertificateShop,
    tmp_path: Path,
    certificate: str,
    outcome: str,
    encrypt: str,
) -> None:
    root = tmp_path / "root.pem"
    root.write_text(shop.authorities["root"].pem)
    server = serve(replace(behaviour, credentials=shop.credentials(certificate)))
    text = connection_string(driver, f"tcp:{server.address},{server.port}", Encrypt=encrypt)
    assert outcome in dial_elsewhere(text, SSL_CERT_FILE=str(root))


NSS_WRAPPER = Path("/usr/lib/x86_64-linux-gnu/libnss_wrapper.so")


@pytest.mark.skipif(not NSS_WRAPPER.exists(), reason="libnss-wrapper is not installed")
def test_a_name_of_the_lab_can_be_dialled_through_nss_wrapper(
    serve: Serve, behaviour: Behaviour, driver: Path, shop: CertificateShop, tmp_path: Path
) -> None:
    root, hosts = tmp_path / "root.pem", tmp_path / "hosts"
    root.write_text(shop.authorities["root"].pem)
    hosts.write_text("127.0.0.1 pay01.lab.test\n")
    server = serve(replace(behaviour, credentials=shop.credentials("named")))
    text = connection_string(driver, f"tcp:pay01.lab.test,{server.port}", Encrypt="yes")
    preload = {"LD_PRELOAD": str(NSS_WRAPPER), "NSS_WRAPPER_HOSTS": str(hosts)}
    assert dial_elsewhere(text, SSL_CERT_FILE=str(root), **preload) == "connected"
    assert server.seen[-1].server_name == "pay01.lab.test"


@pytest.mark.parametrize(
    ("manner", "outcome"),
    [
        (Manner.CLOSES, "handshakes before login"),
        (Manner.OTHER_SERVICE, "Protocol error in TDS stream"),
    ],
)
def test_a_port_that_is_no_sql_server_is_no_sql_server(
    serve: Serve, connect: Connect, behaviour: Behaviour, manner: Manner, outcome: str
) -> None:
    with pytest.raises(pyodbc.Error, match=outcome):
        connect(serve(replace(behaviour, manner=manner)), TrustServerCertificate="yes")


def test_a_silent_port_keeps_a_client_waiting_until_it_gives_up(
    serve: Serve, driver: Path, behaviour: Behaviour
) -> None:
    server = serve(replace(behaviour, manner=Manner.SILENT))
    text = connection_string(driver, f"tcp:{server.address},{server.port}")
    before = time.monotonic()
    with pytest.raises(pyodbc.OperationalError, match=r"HYT00|08001"):
        pyodbc.connect(text, timeout=1)
    assert time.monotonic() - before >= 0.9


def test_a_running_server_can_be_given_another_behaviour(serve: Serve, connect: Connect, behaviour: Behaviour) -> None:
    server = serve(behaviour)
    connect(server, Encrypt="no").close()
    server.behaviour = replace(behaviour, encryption=Encryption.FORCED)
    with pytest.raises(pyodbc.OperationalError, match="certificate verify failed"):
        connect(server, Encrypt="no")
    server.behaviour = behaviour
    connect(server, Encrypt="no").close()
    assert [seen.logged_in for seen in server.seen] == [True, False, True]
