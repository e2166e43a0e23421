"""One X.509 certificate as facts that clients judge by. Nothing here decides.

The frame, the names and the extensions are read by our own forgiving reader (:mod:`assessor.certificates.der` says
why); keys and signatures are ``cryptography``'s.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from assessor.certificates import der, extensions
from assessor.certificates.der import DerError, Element
from assessor.certificates.directory_names import (
    COMMON_NAME,
    ORGANISATION,
    DirectoryName,
    attributes,
    canonical_name,
    read_name,
    shown_name,
)
from assessor.certificates.extensions import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Extensions,
    GeneralName,
    NameConstraints,
    read_extensions,
)

#: Subject and issuer of the certificate that SQL Server makes for itself at start when none is provisioned.
#: Source: SupportArticles-docs connect/certificate-validation-failure.md, 2024-01-17.
FALLBACK_COMMON_NAME = "SSL_Self_Signed_Fallback"

#: Stands for a date that can't be read: such a certificate is never in date.
UNREADABLE_START = datetime.max.replace(tzinfo=UTC)
UNREADABLE_END = datetime.min.replace(tzinfo=UTC)

_RSA, _PSS, _EC, _DSA = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.2.1", "1.2.840.10040.4.1"
_ED25519, _ED448 = "1.3.101.112", "1.3.101.113"
_KEYS = {_RSA: "RSA", _PSS: "RSA-PSS", _EC: "ECDSA", _DSA: "DSA", _ED25519: "Ed25519", _ED448: "Ed448"}

#: Signature algorithms: the kind of key that makes them, and the hash.
_SIGNATURES = {
    "1.2.840.113549.1.1.2": ("RSA", "md2"),
    "1.2.840.113549.1.1.3": ("RSA", "md4"),
    "1.2.840.113549.1.1.4": ("RSA", "md5"),
    "1.2.840.113549.1.1.5": ("RSA", "sha1"),
    "1.3.14.3.2.29": ("RSA", "sha1"),
    "1.2.840.113549.1.1.14": ("RSA", "sha224"),
    "1.2.840.113549.1.1.11": ("RSA", "sha256"),
    "1.2.840.113549.1.1.12": ("RSA", "sha384"),
    "1.2.840.113549.1.1.13": ("RSA", "sha512"),
    "1.2.840.113549.1.1.15": ("RSA", "sha512-224"),
    "1.2.840.113549.1.1.16": ("RSA", "sha512-256"),
    "2.16.840.1.101.3.4.3.13": ("RSA", "sha3-224"),
    "2.16.840.1.101.3.4.3.14": ("RSA", "sha3-256"),
    "2.16.840.1.101.3.4.3.15": ("RSA", "sha3-384"),
    "2.16.840.1.101.3.4.3.16": ("RSA", "sha3-512"),
    "1.2.840.10045.4.1": ("ECDSA", "sha1"),
    "1.2.840.10045.4.3.1": ("ECDSA", "sha224"),
    "1.2.840.10045.4.3.2": ("ECDSA", "sha256"),
    "1.2.840.10045.4.3.3": ("ECDSA", "sha384"),
    "1.2.840.10045.4.3.4": ("ECDSA", "sha512"),
    "2.16.840.1.101.3.4.3.9": ("ECDSA", "sha3-224"),
    "2.16.840.1.101.3.4.3.10": ("ECDSA", "sha3-256"),
    "2.16.840.1.101.3.4.3.11": ("ECDSA", "sha3-384"),
    "2.16.840.1.101.3.4.3.12": ("ECDSA", "sha3-512"),
    "1.2.840.10040.4.3": ("DSA", "sha1"),
    "2.16.840.1.101.3.4.3.1": ("DSA", "sha224"),
    "2.16.840.1.101.3.4.3.2": ("DSA", "sha256"),
    "2.16.840.1.101.3.4.3.3": ("DSA", "sha384"),
    "2.16.840.1.101.3.4.3.4": ("DSA", "sha512"),
    _ED25519: ("Ed25519", "Ed25519"),
    _ED448: ("Ed448", "Ed448"),
}
_HASH_OBJECTS = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.5": "sha512-224",
    "2.16.840.1.101.3.4.2.6": "sha512-256",
    "2.16.840.1.101.3.4.2.7": "sha3-224",
    "2.16.840.1.101.3.4.2.8": "sha3-256",
    "2.16.840.1.101.3.4.2.9": "sha3-384",
    "2.16.840.1.101.3.4.2.10": "sha3-512",
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303  (what a server was given, not what we would choose)
    "sha1": hashes.SHA1(),  # noqa: S303
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha512-224": hashes.SHA512_224(),
    "sha512-256": hashes.SHA512_256(),
    "sha3-224": hashes.SHA3_224(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}

_PublicKey = (
    rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
)
_PEM_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_SERVER_USAGES = frozenset(
    {
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.4.1.311.10.3.3",  # Microsoft server-gated crypto
        "2.16.840.1.113730.4.1",  # Netscape server-gated crypto
    }
)


class UnreadableCertificate(ValueError):
    """Bytes that were sent as a certificate can't be parsed as one."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A certificate taken apart."""

    signed: bytes
    version: int  #: 1, 2 or 3
    serial: int
    inner_algorithm: bytes
    issuer: DirectoryName
    not_before: datetime | None
    not_after: datetime | None
    subject: DirectoryName
    key: bytes
    extensions: Extensions
    algorithm: Element
    signature: bytes


def _take_apart(data: bytes) -> _Frame:
    outer = der.elements(data)
    if len(outer) != 1:
        raise DerError("more than one element")
    signed, algorithm, signature = _exactly(der.children(outer[0]), 3)
    parts = list(der.children(signed))
    version = 1
    if parts and parts[0].tag == 0xA0:
        version = 1 + der.integer(der.first(parts.pop(0).body))
    if len(parts) < 6:
        raise DerError("too few parts")
    serial, inner, issuer, validity, subject, key, *rest = parts
    begins, ends = _exactly(der.children(validity), 2)
    listed: tuple[Element, ...] = ()
    for part in rest:
        if part.tag == 0xA3:
            listed = der.children(der.first(part.body))
        elif part.tag not in (0x81, 0x82):  # the unique identifiers that nobody ever used
            raise DerError("a part too many")
    return _Frame(
        signed=signed.whole,
        version=version,
        serial=der.integer(serial),
        inner_algorithm=der.expect(inner, der.SEQUENCE).whole,
        issuer=read_name(issuer),
        not_before=der.instant(begins),
        not_after=der.instant(ends),
        subject=read_name(subject),
        key=der.expect(key, der.SEQUENCE).whole,
        extensions=read_extensions(listed),
        algorithm=der.expect(algorithm, der.SEQUENCE),
        signature=der.bits(signature),
    )


def _exactly(parts: Sequence[Element], count: int) -> Sequence[Element]:
    if len(parts) != count:
        raise DerError(f"{len(parts)} parts in place of {count}")
    return parts


@dataclass(frozen=True)
class Certificate:
    """A parsed certificate. Equal when the bytes are equal.

    Facts are read once and kept. A property raises :class:`UnreadableCertificate` where the bytes are no certificate
    at all; an extension that can't be read makes :attr:`unreadable` non-empty instead, because a client meets such a
    certificate and does something with it too.
    """

    der: bytes

    @classmethod
    def from_pem(cls, pem: str) -> Certificate:
        """The first PEM block. Raises :class:`UnreadableCertificate`."""
        block = _PEM_BLOCK.search(pem)
        try:
            certificate = cls(base64.b64decode("".join(block[1].split()), validate=True) if block else b"")
        except ValueError as error:
            raise UnreadableCertificate("not a certificate: no Base-64") from error
        certificate._frame  # noqa: B018  (raises for what is none)
        return certificate

    @cached_property
    def _frame(self) -> _Frame:
        try:
            return _take_apart(self.der)
        except DerError as error:
            raise UnreadableCertificate(f"not a certificate: {error}") from error

    @cached_property
    def pem(self) -> str:
        """The certificate as one PEM block."""
        text = base64.b64encode(self.der).decode("ascii")
        lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
        return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"

    @cached_property
    def thumbprint(self) -> str:
        """SHA-1 of the bytes, upper-case hex: the name SQL Server and Windows use for it."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    # -- names and dates ------------------------------------------------------------------------------------------

    @cached_property
    def subject(self) -> str:
        """RFC 4514 text of the subject."""
        return shown_name(self._frame.subject)

    @cached_property
    def issuer(self) -> str:
        """RFC 4514 text of the issuer."""
        return shown_name(self._frame.issuer)

    @property
    def subject_name(self) -> DirectoryName:
        """The subject, part by part."""
        return self._frame.subject

    @cached_property
    def subject_key(self) -> object:
        """The subject in a form that compares as OpenSSL compares names."""
        return canonical_name(self._frame.subject)

    @cached_property
    def issuer_key(self) -> object:
        """The issuer in a form that compares as OpenSSL compares names."""
        return canonical_name(self._frame.issuer)

    @cached_property
    def common_names(self) -> tuple[str, ...]:
        """Every CN of the subject, in order."""
        return tuple(attribute.shown for attribute in attributes(self._frame.subject, COMMON_NAME))

    @cached_property
    def common_name_bytes(self) -> tuple[bytes, ...]:
        """Every CN of the subject as it is stored: two bytes a letter in a BMPString."""
        return tuple(attribute.body for attribute in attributes(self._frame.subject, COMMON_NAME))

    @cached_property
    def organisation(self) -> str | None:
        """The first O of the subject."""
        found = attributes(self._frame.subject, ORGANISATION)
        return found[0].shown if found else None

    @cached_property
    def issuer_organisation(self) -> str | None:
        """The first O of the issuer."""
        found = attributes(self._frame.issuer, ORGANISATION)
        return found[0].shown if found else None

    @property
    def not_before(self) -> datetime:
        """Start of validity, UTC; :data:`UNREADABLE_START` where it can't be read."""
        return self._frame.not_before or UNREADABLE_START

    @property
    def not_after(self) -> datetime:
        """End of validity, UTC; :data:`UNREADABLE_END` where it can't be read."""
        return self._frame.not_after or UNREADABLE_END

    @property
    def serial_number(self) -> int:
        """The serial number; may be negative in the wild."""
        return self._frame.serial

    @property
    def is_v1(self) -> bool:
        """Version 1, which was made before there were extensions."""
        return self._frame.version == 1

    # -- extensions -----------------------------------------------------------------------------------------------

    @property
    def unreadable(self) -> str:
        """Why the extensions can't be read; empty when they can."""
        return self._frame.extensions.unreadable

    @property
    def general_names(self) -> tuple[GeneralName, ...]:
        """All entries of the SAN."""
        return self._frame.extensions.general_names or ()

    @property
    def has_san(self) -> bool:
        """A subject alternative name extension is present, whatever it holds."""
        return self._frame.extensions.general_names is not None

    @cached_property
    def dns_names(self) -> tuple[str, ...]:
        """The dNSName entries of the SAN, as written."""
        return tuple(name.text for name in self.general_names if name.kind == extensions.DNS)

    @cached_property
    def ip_addresses(self) -> tuple[str, ...]:
        """The iPAddress entries of the SAN, as text; those that are no address are left out."""
        return tuple(
            str(ipaddress.ip_address(name.value))
            for name in self.general_names
            if name.kind == extensions.IP and len(name.value) in (4, 16)
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the certificate says it is for: ``DNS:…``, ``IP:…``, or ``CN:…`` when the SAN names no host."""
        san = tuple(f"DNS:{name}" for name in self.dns_names) + tuple(f"IP:{ip}" for ip in self.ip_addresses)
        return san or tuple(f"CN:{name}" for name in self.common_names)

    @property
    def basic_constraints(self) -> BasicConstraints | None:
        """The basic constraints, when the extension is present."""
        return self._frame.extensions.basic_constraints

    @property
    def key_usage(self) -> frozenset[str] | None:
        """Names of the key-usage bits that are set; ``None`` when there is no such extension."""
        return self._frame.extensions.key_usage

    @property
    def extended_key_usage(self) -> frozenset[str] | None:
        """Dotted OIDs of the extended key usage; ``None`` when there is no such extension."""
        return self._frame.extensions.extended_key_usage

    @property
    def netscape_type(self) -> int | None:
        """The bits of Netscape's certificate type; ``None`` when there is no such extension."""
        return self._frame.extensions.netscape_type

    @property
    def is_proxy(self) -> bool:
        """A proxy certificate (RFC 3820)."""
        return self._frame.extensions.is_proxy

    @property
    def allows_server_authentication(self) -> bool:
        """No EKU, or one that names server authentication (or the old server-gated crypto)."""
        eku = self.extended_key_usage
        return eku is None or bool(eku & _SERVER_USAGES)

    @property
    def name_constraints(self) -> NameConstraints | None:
        """The name constraints, when the extension is present."""
        return self._frame.extensions.name_constraints

    @property
    def unhandled_critical(self) -> tuple[str, ...]:
        """Dotted OIDs of critical extensions that a client does not know."""
        return self._frame.extensions.unhandled_critical

    @property
    def subject_key_identifier(self) -> bytes | None:
        """The SKI, when present."""
        return self._frame.extensions.subject_key

    @property
    def authority_key_identifier(self) -> AuthorityKeyIdentifier | None:
        """The AKI, when present."""
        return self._frame.extensions.authority_key

    # -- key and signature ----------------------------------------------------------------------------------------

    @cached_property
    def key_algorithm(self) -> str:
        """``RSA``, ``RSA-PSS``, ``ECDSA``, ``Ed25519``, ``Ed448``, ``DSA`` or ``unknown``; also if it can't be read."""
        if self._public_key is None:
            return "unknown"
        return _KEYS.get(_algorithm_of(self._frame.key), "unknown")

    @cached_property
    def key_bits(self) -> int:
        """Size of the key in bits; 0 when the key can't be read."""
        key = self._public_key
        if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey):
            return key.key_size
        return {"Ed25519": 256, "Ed448": 456}.get(self.key_algorithm, 0)

    @cached_property
    def key_description(self) -> str:
        """``RSA 2048``, ``ECDSA secp256r1``, ``Ed25519``: for people."""
        key = self._public_key
        if isinstance(key, ec.EllipticCurvePublicKey):
            return f"ECDSA {key.curve.name}"
        if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
            return f"{self.key_algorithm} {key.key_size}"
        return self.key_algorithm

    @cached_property
    def curve(self) -> str | None:
        """Name of the elliptic curve of an ECDSA key, as SEC 2 names it; ``None`` for other keys."""
        key = self._public_key
        return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else None

    @cached_property
    def _public_key(self) -> _PublicKey | None:
        data = self._frame.key
        try:
            if _algorithm_of(data) == _PSS:
                data = _as_plain_rsa(data)
            key = load_der_public_key(data)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return None
        return key if isinstance(key, _PublicKey) else None

    @cached_property
    def signature_hash(self) -> str:
        """``sha256``, ``sha1`` …; the algorithm's own name where it needs no separate hash."""
        dotted = _dotted(self._frame.algorithm)
        if dotted == _PSS:
            parameters = _pss_parameters(self._frame.algorithm)
            return parameters[0] if parameters else "unknown"
        return _SIGNATURES.get(dotted, ("unknown", "unknown"))[1]

    @cached_property
    def signature_algorithm(self) -> str:
        """What kind of key made the signature: ``RSA``, ``RSA-PSS``, ``ECDSA``, ``Ed25519``, ``Ed448``, ``DSA``."""
        dotted = _dotted(der.first(self._frame.inner_algorithm))
        return "RSA-PSS" if dotted == _PSS else _SIGNATURES.get(dotted, ("unknown", ""))[0]

    def is_signed_by(self, issuer: Certificate) -> bool:
        """The signature verifies with the issuer's key, and names one algorithm inside and outside (X509_verify)."""
        frame, key = self._frame, issuer._public_key
        if key is None or frame.inner_algorithm != frame.algorithm.whole:
            return False
        try:
            return _verifies(key, frame)
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            return False

    # -- what follows from these ----------------------------------------------------------------------------------

    @cached_property
    def is_self_issued(self) -> bool:
        """Subject and issuer are the same name."""
        return self.subject_key == self.issuer_key

    @cached_property
    def is_self_signed(self) -> bool:
        """Self-issued, its own key identifiers agree, and key and signature are of one kind.

        That is OpenSSL's EXFLAG_SS (crypto/x509/v3_purp.c of 3.0): the signature itself is not checked.
        """
        return likely_issued(self, self)

    @property
    def is_fallback(self) -> bool:
        """SQL Server's own certificate, made anew at each start."""
        return self.is_self_issued and self.common_names == (FALLBACK_COMMON_NAME,)


def _dotted(algorithm: Element) -> str:
    try:
        return der.oid(der.first(algorithm.body))
    except DerError:
        return ""


def _algorithm_of(key: bytes) -> str:
    try:
        return _dotted(der.first(der.first(key).body))
    except DerError:
        return ""


def _as_plain_rsa(key: bytes) -> bytes:
    """An RSA-PSS key as an ordinary RSA key: the same numbers under another name."""
    _, numbers = _exactly(der.children(der.first(key)), 2)
    body = bytes.fromhex("300d06092a864886f70d0101010500") + numbers.whole
    if len(body) < 0x80:
        return bytes((der.SEQUENCE, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((der.SEQUENCE, 0x80 | len(size))) + size + body


def _pss_parameters(algorithm: Element) -> tuple[str, str, int] | None:
    """Hash, hash of the mask and length of the salt (RFC 4055 section 3.1); ``None`` where they can't be read."""
    digest, mask, salt = "sha1", "sha1", 20
    try:
        parts = der.children(algorithm)
        for part in der.children(parts[1]) if len(parts) > 1 else ():
            inner = der.first(part.body)
            if part.tag == 0xA0:
                digest = _HASH_OBJECTS.get(_dotted(inner), "")
            elif part.tag == 0xA1:
                mask = _HASH_OBJECTS.get(_dotted(der.children(inner)[1]), "")
            elif part.tag == 0xA2:
                salt = der.integer(inner)
    except (DerError, IndexError):
        return None
    return (digest, mask, salt) if digest and mask and 0 <= salt <= 1024 else None


def _verifies(key: _PublicKey, frame: _Frame) -> bool:
    dotted = _dotted(frame.algorithm)
    kind, digest = _SIGNATURES.get(dotted, ("", ""))
    if dotted == _PSS:
        parameters = _pss_parameters(frame.algorithm)
        if parameters is None or not isinstance(key, rsa.RSAPublicKey):
            return False
        hashing, mask = _HASHES[parameters[0]], _HASHES[parameters[1]]
        key.verify(frame.signature, frame.signed, padding.PSS(padding.MGF1(mask), parameters[2]), hashing)
        return True
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(frame.signature, frame.signed)
        return kind in ("Ed25519", "Ed448")
    if digest not in _HASHES:
        return False
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(frame.signature, frame.signed, padding.PKCS1v15(), _HASHES[digest])
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(frame.signature, frame.signed, ec.ECDSA(_HASHES[digest]))
    else:
        key.verify(frame.signature, frame.signed, _HASHES[digest])
    return True


def matches_authority_key(issuer: Certificate, subject: Certificate) -> bool:
    """The subject's authority key identifier, as far as it speaks, names this issuer (X509_check_akid)."""
    wanted = subject.authority_key_identifier
    if wanted is None:
        return True
    own = issuer.subject_key_identifier
    if wanted.key is not None and own is not None and wanted.key != own:
        return False
    if wanted.serial is not None and wanted.serial != issuer.serial_number:
        return False
    return wanted.issuer is None or canonical_name(wanted.issuer) == issuer.issuer_key


def signature_fits_key(issuer: Certificate, subject: Certificate) -> bool:
    """The subject's signature is of a kind that the issuer's key can make (check_sig_alg_match)."""
    kind, key = subject.signature_algorithm, issuer.key_algorithm
    return kind != "unknown" and (kind == key or (kind, key) == ("RSA-PSS", "RSA"))


def likely_issued(issuer: Certificate, subject: Certificate) -> bool:
    """Names, key identifiers and algorithms say that ``issuer`` may have issued ``subject``; no signature is checked.

    OpenSSL 3.0's ``ossl_x509_likely_issued``: the test by which a chain is built. A certificate whose extensions
    can't be read never passes, on either side.
    """
    return (
        issuer.subject_key == subject.issuer_key
        and not issuer.unreadable
        and not subject.unreadable
        and matches_authority_key(issuer, subject)
        and signature_fits_key(issuer, subject)
    )
