"""Trust stores: every form in which a store is exported, and one clear sentence for what is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from oracle.forge import cn

from assessor.certificates.trust import load_trust_store
from assessor.errors import UsageError

from .making import Forged, certificate, forge, root_draft

ROOTS = tuple(forge(root_draft(subject=cn(f"Root {number}"), owner=f"root {number}")) for number in range(3))


def loaded(*made: Forged) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(each.der) for each in made]


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_pem_bundle_keeps_its_order_and_drops_what_is_there_twice(tmp_path: Path) -> None:
    text = "# roots\n" + "".join(each.pem for each in (*ROOTS, ROOTS[0])) + "trailing words\n"
    store = load_trust_store(write(tmp_path, "roots.pem", text.encode()))
    assert store.certificates == tuple(certificate(each) for each in ROOTS)
    assert store.origin == "file roots.pem"


def test_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    data = ROOTS[0].pem.replace("\n", "\r\n").encode()
    assert len(load_trust_store(write(tmp_path, "root.cer", data)).certificates) == 1


def test_one_der_certificate_is_a_store(tmp_path: Path) -> None:
    assert certificate(ROOTS[1]) in load_trust_store(write(tmp_path, "root.cer", ROOTS[1].der))


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_pkcs_7_as_windows_exports_it_is_a_store(encoding: Encoding, tmp_path: Path) -> None:
    data = pkcs7.serialize_certificates(loaded(*ROOTS), encoding)
    store = load_trust_store(write(tmp_path, "roots.p7b", data))
    assert set(store.certificates) == {certificate(each) for each in ROOTS}


def test_a_folder_is_all_its_certificate_files(tmp_path: Path) -> None:
    write(tmp_path, "a.pem", ROOTS[0].pem.encode())
    write(tmp_path, "b.der", ROOTS[1].der)
    write(tmp_path, "notes.txt", b"not a certificate")
    assert len(load_trust_store(tmp_path).certificates) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither a PEM, DER nor PKCS #7"),
        (b"hello", "neither a PEM, DER nor PKCS #7"),
        (b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "certificate 1 has no END line"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1 can't be read"),
        (b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "certificate 1 can't be read"),
    ],
)
def test_a_bad_file_is_one_sentence_with_its_name_and_the_mend(data: bytes, words: str, tmp_path: Path) -> None:
    path = write(tmp_path, "roots.pem", data)
    with pytest.raises(UsageError) as caught:
        load_trust_store(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "export" in str(caught.value)


def test_the_second_certificate_is_named_when_it_is_the_bad_one(tmp_path: Path) -> None:
    bad = ROOTS[0].pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(UsageError, match="certificate 2"):
        load_trust_store(write(tmp_path, "roots.pem", bad.encode()))


def test_a_missing_file_and_an_empty_folder_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        load_trust_store(tmp_path / "nowhere.pem")
    with pytest.raises(UsageError, match="holds no certificate file"):
        load_trust_store(tmp_path)


def test_only_what_a_chain_could_touch_is_relevant_to_it(tmp_path: Path) -> None:
    store = load_trust_store(write(tmp_path, "roots.pem", "".join(each.pem for each in ROOTS).encode()))
    leaf = forge(root_draft(subject=cn("leaf"), owner="leaf"), ROOTS[1])
    assert store.relevant_to([[certificate(leaf)]]) == (certificate(ROOTS[1]),)
