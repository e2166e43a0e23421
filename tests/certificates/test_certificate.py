"""One certificate as facts, also where it is odd."""

from __future__ import annotations

import pytest
from cryptography import x509
from oracle.forge import BMP, TELETEX, UNIVERSAL, O, attribute, cn, eku, key
from oracle.shapes import SHAPES

from assessor.certificates.certificate import Certificate, UnreadableCertificate, likely_issued

from .making import HOST, certificate, forge, leaf_draft, root_draft


def test_the_facts_are_those_that_cryptography_reads() -> None:
    made = forge(leaf_draft(HOST))
    ours, theirs = certificate(made), x509.load_der_x509_certificate(made.der)
    assert ours.not_before == theirs.not_valid_before_utc
    assert ours.not_after == theirs.not_valid_after_utc
    assert ours.serial_number == theirs.serial_number
    assert ours.subject == theirs.subject.rfc4514_string()
    assert ours.dns_names == (HOST.fqdn,)
    assert ours.key_description == "RSA 2048"
    assert ours.signature_hash == "sha256"
    assert Certificate.from_pem(ours.pem) == ours


@pytest.mark.parametrize("name", ["a,b", " blank ", "#hash", 'q"uote', "back\\slash", "<x>", "a+b;c"])
def test_a_name_with_special_characters_is_written_as_cryptography_writes_it(name: str) -> None:
    made = forge(root_draft(subject=attribute(O, "Corp") + cn(name)))
    assert certificate(made).subject == x509.load_der_x509_certificate(made.der).subject.rfc4514_string()


@pytest.mark.parametrize("tag", [BMP, UNIVERSAL, TELETEX])
def test_names_compare_alike_in_every_string_type_case_and_spacing(tag: int) -> None:
    one, other = forge(root_draft(subject=cn("  Root  CA", tag))), forge(root_draft(subject=cn("root ca")))
    assert certificate(one).subject_key == certificate(other).subject_key


def test_letters_beyond_ascii_are_not_folded() -> None:
    kelvin, k = forge(root_draft(subject=cn("\u212a"))), forge(root_draft(subject=cn("k")))
    assert certificate(kelvin).subject_key != certificate(k).subject_key


@pytest.mark.parametrize(
    "shape", ["version_2_leaf", "universal_string_issuer", "malformed_explicit_not_critical", "pss_sha1_signature"]
)
def test_what_cryptography_refuses_whole_is_still_read(shape: str) -> None:
    shown = SHAPES[shape](HOST)
    for made in (shown.leaf, *shown.roots):
        assert certificate(made).names
        assert not certificate(made).unreadable


@pytest.mark.parametrize(
    "shape", ["malformed_san", "malformed_key_usage", "malformed_duplicate_eku", "empty_key_usage"]
)
def test_an_extension_that_openssl_can_t_read_spoils_the_certificate(shape: str) -> None:
    shown = SHAPES[shape](HOST)
    assert certificate(shown.leaf).unreadable
    assert not likely_issued(certificate(shown.roots[0]), certificate(shown.leaf))


@pytest.mark.parametrize(
    "shape",
    [
        "malformed_policies",
        "malformed_authority_information",
        "malformed_duplicate_policies",
        "malformed_explicit_not_ca",
    ],
)
def test_an_extension_that_openssl_does_not_read_may_be_anything(shape: str) -> None:
    assert not certificate(SHAPES[shape](HOST).leaf).unreadable


def test_the_fallback_certificate_is_known_by_its_name() -> None:
    assert certificate(SHAPES["fallback"](HOST).leaf).is_fallback
    assert not certificate(SHAPES["self_signed_leaf"](HOST).leaf).is_fallback


def test_a_signature_is_verified_whatever_the_kind_of_key() -> None:
    for kind in ("rsa-2048", "pss-2048", "ec-p256", "ec-p521", "ed25519", "ed448"):
        root = forge(root_draft(kind=kind))
        leaf, other = forge(leaf_draft(HOST), root), forge(leaf_draft(HOST, break_signature=True), root)
        assert certificate(leaf).is_signed_by(certificate(root)), kind
        assert not certificate(other).is_signed_by(certificate(root)), kind


def test_a_dated_hash_still_verifies_for_whether_to_accept_it_is_another_question() -> None:
    for signature in ("md5", "sha1", "sha224", "pss-sha1", "pss-sha512"):
        root = forge(root_draft())
        assert certificate(forge(leaf_draft(HOST, signature=signature), root)).is_signed_by(certificate(root))


def test_a_usage_extension_says_what_it_allows() -> None:
    made = certificate(forge(leaf_draft(HOST, usages=(eku(x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3")),))))
    assert made.allows_server_authentication
    assert made.key_usage is None


def test_a_key_that_can_t_be_read_has_no_bits() -> None:
    broken = key("rsa-2048", "broken").spki.replace(
        bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a864886f70d01010f")
    )
    made = certificate(forge(leaf_draft(HOST, spki=broken)))
    assert (made.key_algorithm, made.key_bits) == ("unknown", 0)


def test_pem_that_is_none_is_refused() -> None:
    for pem in ("", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----", "no certificate"):
        with pytest.raises(UnreadableCertificate):
            Certificate.from_pem(pem)
