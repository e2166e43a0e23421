"""The reader of DER: forgiving where OpenSSL is, and never anything but a DerError."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.forge import integer, oid, sequence, text, tlv

from assessor.certificates import der
from assessor.certificates.certificate import Certificate, UnreadableCertificate
from assessor.certificates.der import DerError

from .making import HOST, forge, leaf_draft


@settings(deadline=None, max_examples=200)
@given(st.integers(-(1 << 200), 1 << 200))
def test_an_integer_of_any_size_comes_back(value: int) -> None:
    assert der.integer(der.first(integer(value))) == value


@pytest.mark.parametrize("dotted", ["2.5.4.3", "1.2.840.113549.1.1.11", "2.999.1", "0.9.2342.19200300.100.1.25"])
def test_an_object_identifier_comes_back(dotted: str) -> None:
    assert der.oid(der.first(oid(dotted))) == dotted


@pytest.mark.parametrize("tag", der.STRINGS)
def test_every_string_type_gives_its_text(tag: int) -> None:
    assert der.string(der.first(text("SQL01", tag))) == "SQL01"


def test_a_string_that_is_not_what_it_says_is_refused() -> None:
    with pytest.raises(DerError, match="utf-8"):
        der.string(der.first(tlv(0x0C, b"\xff\xfe")))


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x05\x01", b"\x30\x85\x01\x01\x01\x01\x01", b"\x3f\x81\x01\x00"])
def test_bytes_that_are_cut_short_or_too_long_are_refused(data: bytes) -> None:
    with pytest.raises(DerError):
        der.first(data)


def test_what_follows_an_element_is_left_alone() -> None:
    assert der.first(sequence() + b"rest").whole == sequence()


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_certificate_with_a_wrong_byte_is_read_or_refused_and_never_crashes(data: st.DataObject) -> None:
    whole = bytearray(forge(leaf_draft(HOST)).der)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[at] = data.draw(st.integers(0, 255))
    touch(bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))]))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_never_crashes(data: bytes) -> None:
    with pytest.raises(UnreadableCertificate):
        touch_all(Certificate(data))


def touch(data: bytes) -> None:
    with contextlib.suppress(UnreadableCertificate):
        touch_all(Certificate(data))


def touch_all(made: Certificate) -> None:
    for name in (
        "subject", "issuer", "names", "not_before", "not_after", "key_description", "signature_hash", "curve",
        "is_self_signed", "is_fallback", "unreadable", "unhandled_critical", "serial_number", "thumbprint", "pem",
        "signature_algorithm", "organisation", "key_bits",
    ):  # fmt: skip
        getattr(made, name)
    made.is_signed_by(made)
