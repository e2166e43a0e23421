"""Trust stores: the certificates that a source host trusts, from a file, a folder or this machine's own store."""

from __future__ import annotations

import hashlib
import socket
import ssl
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from assessor.certificates.certificate import Certificate, UnreadableCertificate
from assessor.errors import UsageError

_PEM_BEGIN = b"-----BEGIN CERTIFICATE-----"
_PEM_END = b"-----END CERTIFICATE-----"
_SUFFIXES = {".pem", ".crt", ".cer", ".der", ".p7b", ".p7c"}
#: A trust store is a few hundred certificates of a few kilobytes; more is a mistake, not a store.
_LARGEST_FILE = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TrustStore:
    """A set of certificates with its origin. Roots and intermediates lie together, as OpenSSL keeps them.

    ``is_source`` says that the store was taken from the source host; otherwise it is merely the store of the
    machine that runs, and a verdict that leans on it says so.
    """

    id: str
    origin: str
    certificates: tuple[Certificate, ...]
    is_source: bool = True
    total: int | None = None  #: certificates in the whole store, where ``certificates`` are only those that matter
    issuers: frozenset[str] = frozenset()  #: what was looked up in the whole store, see :func:`name_digest`

    def by_subject(self, name: object) -> tuple[Certificate, ...]:
        """The certificates with this subject (see :attr:`Certificate.subject_key`), in store order."""
        return tuple(certificate for certificate in self.certificates if certificate.subject_key == name)

    def __contains__(self, certificate: Certificate) -> bool:
        return certificate in self.certificates

    def can_judge(self, chain: Iterable[Certificate]) -> bool:
        """Whether nothing that building ``chain`` could touch was left out when the store was put into a snapshot."""
        if self.total is None or self.total == len(self.certificates):
            return True
        return all(name_digest(certificate.issuer_key) in self.issuers for certificate in chain)

    def looked_up(self, chains: Iterable[Iterable[Certificate]]) -> frozenset[str]:
        """The issuers' names that building ``chains`` looks up here, as digests."""
        chains = [tuple(chain) for chain in chains]
        found = (*(each for chain in chains for each in chain), *self.relevant_to(chains))
        names = frozenset(name_digest(certificate.issuer_key) for certificate in found)
        return names if self.total is None else names & self.issuers

    def relevant_to(self, chains: Iterable[Iterable[Certificate]]) -> tuple[Certificate, ...]:
        """The certificates that building any of ``chains`` could touch: enough to judge them again elsewhere.

        A chain is built by looking up issuer names, so the closure over those names loses nothing.
        """
        wanted = {certificate.issuer_key for chain in chains for certificate in chain}
        kept: list[Certificate] = []
        grew = True
        while grew:
            grew = False
            for certificate in self.certificates:
                if certificate.subject_key in wanted and certificate not in kept:
                    kept.append(certificate)
                    wanted.add(certificate.issuer_key)
                    grew = True
        return tuple(sorted(kept, key=self.certificates.index))


def name_digest(name: object) -> str:
    """A certificate's name (:attr:`Certificate.issuer_key`) in few characters, for comparing only."""
    return hashlib.sha256(repr(name).encode("utf-8", "backslashreplace")).hexdigest()


def load_certificates(data: bytes, where: str) -> tuple[Certificate, ...]:
    """Every certificate in ``data``: PEM bundle, one DER, or PKCS #7 in either dress, as Windows exports them.

    Raises :class:`UsageError` naming ``where`` when there is none or one of them can't be parsed.
    """
    if _PEM_BEGIN in data:
        return tuple(_each_pem(data, where))
    if b"-----BEGIN PKCS7-----" in data:
        return _from_pkcs7(data, where, pem=True)
    if b"-----BEGIN" in data:
        raise UsageError(f"{where} is PEM but holds no certificate; export the certificates, not a key or a request.")
    try:
        certificate = Certificate(bytes(data))
        certificate.subject_key  # noqa: B018  (parses now, so that a bad file is reported with its name)
    except UnreadableCertificate:
        return _from_pkcs7(data, where, pem=False)
    return (certificate,)


def _each_pem(data: bytes, where: str) -> Iterable[Certificate]:
    rest, number = data, 0
    while (begin := rest.find(_PEM_BEGIN)) >= 0:
        number += 1
        end = rest.find(_PEM_END, begin)
        if end < 0:
            raise UsageError(f"{where}: certificate {number} has no END line; the file is cut short, export it again.")
        block = rest[begin : end + len(_PEM_END)]
        rest = rest[end + len(_PEM_END) :]
        try:
            yield Certificate.from_pem(block.decode("ascii", "replace") + "\n")
        except UnreadableCertificate as error:
            raise UsageError(f"{where}: certificate {number} can't be read ({error}); export it again.") from error


def _from_pkcs7(data: bytes, where: str, *, pem: bool) -> tuple[Certificate, ...]:
    try:
        loaded = pkcs7.load_pem_pkcs7_certificates(data) if pem else pkcs7.load_der_pkcs7_certificates(data)
    except ValueError as error:
        raise UsageError(
            f"{where} is neither a PEM, DER nor PKCS #7 certificate file; export the store again as Base-64 (.cer or .p7b)."
        ) from error
    if not loaded:
        raise UsageError(f"{where} holds no certificate; export the store again.")
    return tuple(Certificate(each.public_bytes(Encoding.DER)) for each in loaded)


def load_trust_store(path: Path) -> TrustStore:
    """The store in a file, or in all certificate files of a folder. Raises :class:`UsageError`."""
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.is_file() and each.suffix.lower() in _SUFFIXES)
        if not files:
            raise UsageError(
                f"{path} holds no certificate file ({', '.join(sorted(_SUFFIXES))}); export the store into it."
            )
    else:
        files = [path]
    found: dict[bytes, Certificate] = {}
    for file in files:
        try:
            if file.stat().st_size > _LARGEST_FILE:
                raise UsageError(f"{file} is larger than a trust store can be; name the exported certificates.")
            data = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{file} can't be read ({error.strerror or error}); check trust_store.") from error
        for certificate in load_certificates(data, str(file)):
            found.setdefault(certificate.der, certificate)
    return TrustStore(id=str(path), origin=f"file {path.name}", certificates=tuple(found.values()))


def system_trust_store() -> TrustStore:
    """The store of the machine that runs. On Windows: ROOT and CA of the local machine and user."""
    found: dict[bytes, Certificate] = {}
    if sys.platform == "win32":
        for store in ("ROOT", "CA"):
            for data, encoding, _ in ssl.enum_certificates(store):
                if encoding == "x509_asn":
                    found.setdefault(bytes(data), Certificate(bytes(data)))
    else:
        for der in _openssl_default_store():
            found.setdefault(der, Certificate(der))
    readable = tuple(certificate for certificate in found.values() if _is_readable(certificate))
    host = socket.gethostname()
    return TrustStore(id="system", origin=f"system store of {host}", certificates=readable, is_source=False)


def _openssl_default_store() -> list[bytes]:
    """What OpenSSL's default paths hold: the file, and the folder that OpenSSL itself reads only on demand."""
    paths = ssl.get_default_verify_paths()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    ders = context.get_ca_certs(binary_form=True)
    if not ders and paths.capath:
        for file in sorted(Path(paths.capath).glob("*.pem")):
            ders.extend(each.der for each in load_certificates(file.read_bytes(), str(file)))
    return ders


def _is_readable(certificate: Certificate) -> bool:
    try:
        certificate.subject_key  # noqa: B018
    except UnreadableCertificate:
        return False
    return True
