"""The error table: complete, sourced, and honest where nobody knows."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from assessor.clients.errors import (
    SUCCESSES,
    ErrorTableError,
    families,
    parse_errors,
    predicted_error,
    rows,
    signed,
    status_codes,
    verify_texts,
    why_unknown,
)
from assessor.clients.outcome import Basis, ReasonClass

FAILURES = [reason for reason in ReasonClass if reason not in SUCCESSES and reason is not ReasonClass.UNKNOWN]


def shipped() -> str:
    return resources.files("assessor.clients").joinpath("errors.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("family", families())
def test_every_failure_of_every_family_is_known_or_said_to_be_unknown(family: str) -> None:
    for reason in FAILURES:
        known = predicted_error(family, reason) is not None
        assert known != (why_unknown(family, reason) is not None), (family, reason)


@pytest.mark.parametrize("family", families())
def test_a_connection_that_succeeds_brings_no_error(family: str) -> None:
    for reason in (*SUCCESSES, ReasonClass.UNKNOWN):
        assert predicted_error(family, reason) is None


def test_the_engine_s_error_for_an_untrusted_root_is_the_one_of_the_breaking_changes_page() -> None:
    error = predicted_error("linked-server", ReasonClass.UNTRUSTED_ROOT)
    assert error is not None
    assert error.number == -2146893019
    expected = "SSL Provider: The certificate chain was issued by an authority that is not trusted."
    assert error.text == expected
    assert error.wrapped_in[0].startswith('OLE DB provider "MSOLEDBSQL19" for linked server "<name>" returned')
    assert "Client unable to establish connection" in error.wrapped_in[0]
    assert error.wrapped_in[1].startswith("Msg 7303,")
    assert "07/02/2026" in error.source


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (ReasonClass.UNTRUSTED_ROOT, "unable to get local issuer certificate"),
        (ReasonClass.INTERMEDIATE_MISSING, "unable to get local issuer certificate"),
        (ReasonClass.NAME_MISMATCH, "subject name does not match host name"),
        (ReasonClass.EXPIRED, "certificate has expired"),
        (ReasonClass.NOT_YET_VALID, "certificate is not yet valid"),
        (ReasonClass.WRONG_USAGE, "unsuitable certificate purpose"),
        (ReasonClass.WEAK_KEY, "EE certificate key too weak"),
        (ReasonClass.WEAK_SIGNATURE, "CA signature digest algorithm too weak"),
        (ReasonClass.PATH_LENGTH, "path length constraint exceeded"),
        (ReasonClass.INVALID_CA, "invalid CA certificate"),
        (ReasonClass.NAME_CONSTRAINTS, "permitted subtree violation"),
    ],
)
def test_odbc_on_linux_prints_what_was_measured(reason: ReasonClass, text: str) -> None:
    (row,) = [row for row in rows() if row.family == "odbc-linux" and row.reason is reason]
    assert row.text == (
        "[Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: "
        f"[error:0A000086:SSL routines::certificate verify failed:{text}]"
    )
    assert (row.number, row.sqlstate, row.basis) == (-1, "08001", Basis.MEASURED)


def test_a_known_verification_text_replaces_the_likeliest_one() -> None:
    error = predicted_error("odbc-linux", ReasonClass.UNTRUSTED_ROOT, detail="self-signed certificate")
    assert error is not None
    assert error.text.endswith("certificate verify failed:self-signed certificate]")


def test_older_openssl_has_its_own_prefix_and_spelling() -> None:
    error = predicted_error("odbc-linux-openssl-1.1", ReasonClass.WRONG_USAGE)
    assert error is not None
    assert "error:1416F086:SSL routines:tls_process_server_certificate" in error.text
    assert error.text.endswith(":unsupported certificate purpose]")


def test_managed_sqlclient_has_one_number_for_every_certificate_problem() -> None:
    numbers = {row.number for row in rows() if row.family == "sqlclient-managed" and row.text.startswith("Certificate")}
    assert numbers == {-2146893019}


def test_a_text_that_rests_on_a_guess_says_so() -> None:
    """SEC_E_CERT_UNKNOWN for a broken certificate is our reading, though the families' frames are published."""
    (row,) = [row for row in rows() if row.family == "oledb" and row.reason is ReasonClass.BAD_CERTIFICATE]
    assert row.basis is Basis.INFERRED


def test_every_row_names_a_dated_source() -> None:
    for row in rows():
        assert re.search(r"\d{2}/\d{2}/\d{4}|\d{2}/\d{4}|undated", row.source), row


def test_status_codes_are_printed_signed() -> None:
    codes = {code.symbol: code.number for code in status_codes()}
    assert codes["SEC_E_UNTRUSTED_ROOT"] == -2146893019
    assert codes["SEC_E_WRONG_PRINCIPAL"] == -2146893022
    assert codes["SEC_E_CERT_EXPIRED"] == -2146893016
    assert codes["SEC_E_CERT_WRONG_USAGE"] == -2146892983
    assert codes["SEC_E_ALGORITHM_MISMATCH"] == -2146893007
    assert codes["CERT_E_CN_NO_MATCH"] == -2146762481
    assert signed(10054) == 10054


def test_verification_texts_are_those_of_the_openssl_at_hand() -> None:
    """pyOpenSSL's OpenSSL is asked, so that no text here is a slip of the pen."""
    from OpenSSL import _util

    string = _util.lib.X509_verify_cert_error_string
    known = {_util.ffi.string(string(number)).decode() for number in range(110)}
    by_the_driver = {"subject name does not match host name"}
    for entry in verify_texts():
        assert {*entry.spellings} & known or {*entry.spellings} <= by_the_driver, entry.text


def test_a_verification_text_of_another_openssl_is_put_in_the_family_s_words() -> None:
    newest = "certificate is not yet valid or the system clock is incorrect"
    error = predicted_error("odbc-linux", ReasonClass.NOT_YET_VALID, detail=newest)
    assert error is not None
    assert error.text.endswith(":certificate is not yet valid]")
    error = predicted_error("odbc-linux-openssl-1.1", ReasonClass.UNTRUSTED_ROOT, detail="self-signed certificate")
    assert error is not None
    assert error.text.endswith(":self signed certificate]")


def test_an_unknown_family_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="not a client family"):
        predicted_error("telnet", ReasonClass.EXPIRED)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('reason = "bad_option"', 'reason = "bad_mood"', "errors."),
        ('family = "jdbc"', 'family = "odbc"', "the family odbc is not in"),
        ('source = "jvm"', 'source = "hearsay"', "the source hearsay is not in"),
        ('reasons = ["tls_version"]\nwhy', 'reasons = ["expired"]\nwhy', "odbc-linux-openssl-1.0 with expired"),
        ('id = "tedious"', 'id = "jdbc"', "a family is there twice"),
        ("code = 0x80090325", "code = 25", "schannel.0.code"),
        ("[[families]]", "[[families]", "not valid TOML"),
        ('family = "freetds"', 'famly = "freetds"', "errors."),
    ],
)
def test_a_slip_in_the_file_is_named_with_its_place(old: str, new: str, complaint: str) -> None:
    text = shipped()
    assert old in text
    with pytest.raises(ErrorTableError, match=re.escape(complaint)):
        parse_errors(text.replace(old, new, 1))
