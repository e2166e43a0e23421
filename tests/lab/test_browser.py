"""SQL Browser as the lab emulates it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pyodbc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.lab.behaviour import Behaviour
from assessor.lab.browser import BROWSER_PORT, BrowserEntry, BrowserServer, answer
from assessor.lab.server import ServerLoop, TdsServer
from tests.lab.conftest import connection_string

HR = BrowserEntry("PAY01", "HR", "16.0.4175.1", 49301)
DEFAULT = BrowserEntry("PAY01", "MSSQLSERVER", "13.0.6435.1", 1433)


def test_one_instance_is_found_by_its_name_in_any_case() -> None:
    text = b"ServerName;PAY01;InstanceName;HR;IsClustered;No;Version;16.0.4175.1;tcp;49301;;"
    for name in (b"hr", b"HR", b"Hr\0"):
        assert answer(b"\x04" + name, [DEFAULT, HR]) == b"\x05" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize("request_", [b"\x02", b"\x03"])
def test_all_instances_are_listed_for_a_broadcast_or_a_host(request_: bytes) -> None:
    reply = answer(request_, [DEFAULT, HR])
    assert reply is not None
    assert reply[3:].decode() == DEFAULT.text() + HR.text()
    assert int.from_bytes(reply[1:3], "little") == len(reply) - 3


@pytest.mark.parametrize("request_", [b"", b"\x04nobody\0", b"\x0f\x01HR\0", b"\x05", b"\x03more"])
def test_what_is_unknown_or_malformed_meets_silence(request_: bytes) -> None:
    assert answer(request_, [DEFAULT, HR]) is None


def test_a_host_whose_instances_all_hide_is_silent() -> None:
    assert answer(b"\x03", []) is None


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=100))
def test_no_datagram_crashes_it(datagram: bytes) -> None:
    reply = answer(datagram, [DEFAULT, HR])
    assert reply is None or reply[0] == 5


def free_network() -> str:
    """A loopback address whose Browser port is free; other tests run at the same time."""
    for last in range(1, 255):
        address = f"127.91.{last}.1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
            try:
                trial.bind((address, BROWSER_PORT))
            except OSError:
                continue
            return address
    pytest.skip("no second loopback address on this machine")


def test_the_real_driver_finds_a_named_instance_through_it(
    serve: Callable[[Behaviour], TdsServer], behaviour: Behaviour, driver: Path, loop: ServerLoop
) -> None:
    address = free_network()
    with TdsServer(behaviour, address, loop=loop) as server:
        entry = BrowserEntry("PAY01", "HR", "16.0.4175.1", server.port)
        with BrowserServer([entry], address, loop=loop) as browser:
            text = connection_string(driver, rf"{address}\Hr", TrustServerCertificate="yes")
            connection = pyodbc.connect(text, timeout=5, autocommit=True)
            assert connection.execute("SELECT typed").fetchone() is not None
            connection.close()
            assert browser.requests[-1].lower().rstrip(b"\0") == b"\x04hr"
            hidden = connection_string(driver, rf"{address}\OTHER", TrustServerCertificate="yes")
            with pytest.raises(pyodbc.OperationalError, match=r"HYT00|08001"):
                pyodbc.connect(hidden, timeout=1)
            assert browser.requests[-1].lower().rstrip(b"\0") == b"\x04other"
