"""Certificate requests: accepted by the real openssl, with exactly the names that are dialled."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assessor.remedies.dialled_names import DialledNames
from assessor.remedies.requests import certreq_inf, openssl_config

LONG = "a-very-long-label-that-is-still-allowed-in-dns.and-another-one-of-them.corp.example"


def names(*san: str) -> DialledNames:
    return DialledNames(san=san, dialled=san, addresses=(), unusable=(), carried=())


def request(folder: Path, config: str) -> x509.CertificateSigningRequest:
    """What ``openssl req`` makes of a configuration, run as its first lines say."""
    (folder / "x.cnf").write_text(config, encoding="ascii")
    command = next(line for line in config.splitlines() if "openssl req" in line).lstrip("# ").split()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return x509.load_pem_x509_csr((folder / "x.csr").read_bytes())


@pytest.mark.parametrize("san", [("sql02.corp.example", "sql02", "sales-lsnr"), (LONG, "sql02"), ("x_1",)])
def test_openssl_makes_a_request_with_these_names(tmp_path: Path, san: tuple[str, ...]) -> None:
    made = request(tmp_path, openssl_config("SQL02\\POS $x \n [names] é", names(*san), "x"))
    assert made.is_signature_valid
    assert isinstance(made.public_key(), rsa.RSAPublicKey)
    assert made.public_key().key_size >= 2048
    alternative = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(alternative.get_values_for_type(x509.DNSName)) == san
    (common,) = made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert common.value == next(name for name in san if len(name) <= 64)
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_certreq_asks_for_the_same_in_a_provider_that_sql_server_takes() -> None:
    text = certreq_inf("SQL02", names("sql02.corp.example", "sql02"))
    assert text.isascii()
    lines = text.split("\r\n")
    extensions = lines[lines.index("[Extensions]") + 1 :]
    assert extensions == [
        '2.5.29.17 = "{text}"',
        '_continue_ = "dns=sql02.corp.example&"',
        '_continue_ = "dns=sql02"',
        "",
    ]
    parser = configparser.RawConfigParser(comment_prefixes=(";",), strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text.replace("\r\n", "\n"))
    asked = dict(parser["NewRequest"])
    assert asked["Subject"] == '"CN=sql02.corp.example"'
    assert asked["KeySpec"] == "1"
    assert asked["ProviderName"] == '"Microsoft RSA SChannel Cryptographic Provider"'
    assert asked["ProviderType"] == "12"
    assert int(asked["KeyLength"]) >= 2048
    assert asked["KeyUsage"] == "0xA0"
    assert asked["MachineKeySet"] == "TRUE"
    assert asked["HashAlgorithm"] == "sha256"
    assert asked["RequestType"] == "PKCS10"
    assert parser["EnhancedKeyUsageExtension"]["OID"] == "1.3.6.1.5.5.7.3.1"


def test_a_hostile_server_name_stays_in_its_comment() -> None:
    evil = "x\r\n[NewRequest]\r\nExportable = TRUE\u2028é"
    for text in (certreq_inf(evil, names("a.example")), openssl_config(evil, names("a.example"), "x")):
        assert text.isascii()
        assert len([line for line in text.splitlines() if line.startswith("[NewRequest]")]) <= 1
        assert "\nExportable = TRUE" not in text
