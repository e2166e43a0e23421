"""What an error means: decided by number and SQLSTATE, never by translated words."""

from __future__ import annotations

import pyodbc
import pytest

from assessor.collect.failures import classify_connection, classify_query, scrub
from assessor.collect.inventory import GapKind

PREFIX = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"


def error(state: str, text: str) -> pyodbc.Error:
    return pyodbc.ProgrammingError(state, f"[{state}] {PREFIX}{text} (SQLExecDirectW)")


@pytest.mark.parametrize("number", [229, 297, 300, 371, 916, 15003, 27219, 15247, 14260])
def test_a_missing_right_is_refused_in_any_language(number: int) -> None:
    failure = classify_query(error("42000", f"Die Berechtigung wurde verweigert. ({number})"))
    assert (failure.kind, failure.number) == (GapKind.REFUSED, number)
    assert failure.message == f"Msg {number}: Die Berechtigung wurde verweigert."
    assert not failure.lost


@pytest.mark.parametrize(
    ("state", "text", "kind", "lost"),
    [
        ("HYT00", "Query timeout expired (0)", GapKind.TIMED_OUT, False),
        ("HYT01", "Connection timeout expired (0)", GapKind.TIMED_OUT, False),
        ("42000", "Lock request time out period exceeded. (1222)", GapKind.TIMED_OUT, False),
        ("42S02", "Invalid object name 'x'. (208)", GapKind.FAILED, False),
        ("08S01", "TCP Provider: Error code 0x68 (104)", GapKind.FAILED, True),
        ("08001", "Protocol error (0)", GapKind.FAILED, True),
        ("42000", "Something about 229 apples (50000)", GapKind.FAILED, False),
    ],
)
def test_other_failures_of_a_query(state: str, text: str, kind: GapKind, lost: bool) -> None:
    failure = classify_query(error(state, text))
    assert (failure.kind, failure.lost) == (kind, lost)


def test_the_first_of_several_records_decides() -> None:
    both = pyodbc.ProgrammingError(
        "42000", f"[42000] {PREFIX}VIEW SERVER STATE was denied. (300) (SQLExecDirectW); [42000] {PREFIX}No. (297)"
    )
    assert classify_query(both).number == 300


@pytest.mark.parametrize(
    ("state", "text", "kind"),
    [
        ("28000", "Login failed for user 'x'. (18456)", GapKind.LOGIN_FAILED),
        ("42000", "Login failed for user 'x'. (18456)", GapKind.LOGIN_FAILED),
        ("42000", "Cannot open database (4060)", GapKind.LOGIN_FAILED),
        ("HYT00", "Login timeout expired (0)", GapKind.UNREACHABLE),
        ("08001", "TCP Provider: Error code 0x2749 (10057)", GapKind.UNREACHABLE),
    ],
)
def test_a_failed_connection_is_a_refused_login_or_out_of_reach(state: str, text: str, kind: GapKind) -> None:
    assert classify_connection(error(state, text)).kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "SSL Provider: [error:0A000086:SSL routines::certificate verify failed:unable to get issuer] (-1)",
        "SSL Provider: Die Zertifikatkette wurde von einer nicht vertrauenswürdigen Stelle ausgestellt. (-2146893019)",
        "SSL Provider: The target principal name is incorrect. (-2146893022)",
    ],
)
def test_a_certificate_that_we_refuse_comes_with_the_ways_to_mend_it(text: str) -> None:
    failure = classify_connection(error("08001", text))
    assert failure.kind is GapKind.UNREACHABLE
    assert "connect_trust_store" in failure.message
    assert "connection.validate = false" in failure.message


def test_what_a_server_says_is_shown_on_one_line_without_controls_and_short() -> None:
    shown = scrub("a\x1b[31m\r\nb\u202ec\x00" + "x" * 5000)
    assert shown.isprintable()
    assert shown.startswith("a [31m b c")
    assert len(shown) <= 600


def test_our_own_password_never_comes_through() -> None:
    failure = classify_query(error("42000", "PWD={hunt}}er2} and hunt}er2 (50000)"), secrets=("hunt}er2",))
    assert "er2" not in failure.message


def test_an_error_without_arguments_is_still_told() -> None:
    assert classify_query(pyodbc.Error()).kind is GapKind.FAILED
    assert classify_query(UnicodeDecodeError("utf-16", b"x", 0, 1, "truncated")).message
