"""Certificates are what their description says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assessor.lab.certificates import (
    FALLBACK_NAME,
    CertificateProblem,
    CertificateShop,
    Description,
    key_of,
    thumbprint,
)

NOW = datetime(2027, 5, 4, 13, 30, tzinfo=UTC)
MIDNIGHT = datetime(2027, 5, 4, tzinfo=UTC)
AUTHORITIES = {
    "root": Description("root", "Root", valid_days=(-10, 100), key="ec-p256"),
    "middle": Description("middle", "Middle", "root", valid_days=(-10, 100), key="ec-p256"),
    "issuing": Description("issuing", "Issuing", "middle", valid_days=(-10, 100), key="rsa-2048"),
}


def leaf(**words: Any) -> Any:
    described = Description(**{"name": "pay01", "cn": "pay01.test", "issuer": "issuing", **words})
    return CertificateShop(AUTHORITIES, {"pay01": described}, today=NOW).credentials("pay01")


def common_names(certificates: tuple[x509.Certificate, ...]) -> list[Any]:
    return [certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for certificate in certificates]


def test_days_are_counted_from_today() -> None:
    certificate = leaf(valid_days=(-400, -35)).certificate
    assert certificate.not_valid_before_utc == MIDNIGHT - timedelta(days=400)
    assert certificate.not_valid_after_utc == MIDNIGHT - timedelta(days=35)


def test_names_and_addresses_go_into_the_subject_alternative_name() -> None:
    certificate = leaf(dns=("pay01.test", "pay01"), ip=("10.0.0.5",)).certificate
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pay01.test", "pay01"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5"]


def test_without_names_there_is_no_subject_alternative_name() -> None:
    with pytest.raises(x509.ExtensionNotFound):
        leaf().certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_usage_is_as_described_and_an_empty_one_leaves_the_extension_out() -> None:
    usage = leaf(eku=("client",)).certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    with pytest.raises(x509.ExtensionNotFound):
        leaf(eku=()).certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)


@pytest.mark.parametrize(
    ("sends", "sent"),
    [
        (None, ["Issuing", "Middle"]),
        ((), []),
        (("root", "middle", "issuing"), ["Root", "Middle", "Issuing"]),
    ],
)
def test_what_is_sent_after_the_leaf_is_as_described(sends: Any, sent: list[str]) -> None:
    assert common_names(leaf(sends=sends).extra) == sent


@pytest.mark.parametrize("kind", ["rsa-1024", "rsa-2048", "ec-p256", "ec-p384"])
def test_keys_are_of_the_kind_described_and_made_once(kind: str) -> None:
    credentials = leaf(key=kind)
    assert credentials.key is key_of(kind)
    assert credentials.key.key_size == int(kind.rsplit("-", 1)[1].removeprefix("p"))


@pytest.mark.parametrize("signature", ["sha256", "sha384", "sha512"])
def test_signatures_are_as_described_and_verify(signature: str) -> None:
    shop = CertificateShop(AUTHORITIES, {"x": Description("x", "x", "issuing", signature=signature)})
    certificate = shop.credentials("x").certificate
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == signature
    certificate.verify_directly_issued_by(shop.authorities["issuing"].certificate)


def test_a_sha_1_signature_is_a_true_one() -> None:
    shop = CertificateShop(AUTHORITIES, {"x": Description("x", "x", "issuing", signature="sha1")})
    certificate = shop.credentials("x").certificate
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA1)
    key = shop.authorities["issuing"].certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA1())


def test_a_sha_1_signature_by_an_elliptic_key_is_refused_in_words() -> None:
    shop = CertificateShop(AUTHORITIES, {"x": Description("x", "x", "root", signature="sha1")})
    with pytest.raises(CertificateProblem, match="give its issuer an RSA key"):
        shop.credentials("x")


def test_sql_servers_own_certificate_looks_like_the_real_one() -> None:
    credentials = CertificateShop(today=NOW).fallback()
    certificate = credentials.certificate
    assert common_names((certificate,)) == [FALLBACK_NAME]
    assert certificate.issuer == certificate.subject
    assert FALLBACK_NAME.encode("utf-16-be") in certificate.subject.public_bytes()
    assert isinstance(credentials.key, rsa.RSAPrivateKey)
    assert certificate.not_valid_after_utc.year >= 2056
    assert len(certificate.extensions) == 0


def test_each_own_certificate_is_another_one() -> None:
    shop = CertificateShop()
    assert thumbprint(shop.fallback().certificate) != thumbprint(shop.fallback().certificate)


def test_an_authority_that_is_not_described_is_named() -> None:
    with pytest.raises(CertificateProblem, match="'pay01' names authority 'gone'; known are: issuing, middle, root"):
        leaf(issuer="gone")


def test_authorities_that_issue_each_other_are_refused() -> None:
    ring = {
        "a": Description("a", "A", "b", key="ec-p256"),
        "b": Description("b", "B", "a", key="ec-p256"),
    }
    with pytest.raises(CertificateProblem, match="own issuer"):
        CertificateShop(ring)
