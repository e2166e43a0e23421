"""Certificates of any form as bytes, broken ones included: ``cryptography`` refuses to make what a server may show.

A :class:`Draft` says what the certificate holds, :func:`forge` signs it. The DER is written by hand (X.690), so that
every field may be wrong on purpose; only keys, signatures and the well-formed extensions come from ``cryptography``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import count

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

# ------------------------------------------------------------------------------------------------------------ DER

UTF8, PRINTABLE, TELETEX, IA5, BMP, UNIVERSAL = 0x0C, 0x13, 0x14, 0x16, 0x1E, 0x1C
_ENCODINGS = {BMP: "utf-16-be", UNIVERSAL: "utf-32-be", TELETEX: "latin-1"}


def tlv(tag: int, *parts: bytes) -> bytes:
    """One DER element."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def integer(value: int) -> bytes:
    size = (value.bit_length() if value >= 0 else (value + 1).bit_length()) // 8 + 1
    return tlv(0x02, value.to_bytes(size, "big", signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = bytearray()
    for number in (first * 40 + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | (number & 0x7F))
        body += bytes(reversed(groups))
    return tlv(0x06, bytes(body))


def bits(data: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes((unused,)), data)


def octets(data: bytes) -> bytes:
    return tlv(0x04, data)


def text(value: str, tag: int = UTF8) -> bytes:
    return tlv(tag, value.encode(_ENCODINGS.get(tag, "utf-8")))


NULL = tlv(0x05)
TRUE = tlv(0x01, b"\xff")
FALSE = tlv(0x01, b"\x00")


def instant(moment: datetime) -> bytes:
    if moment.year >= 2050:
        return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())
    return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


# ---------------------------------------------------------------------------------------------------------- names

CN, O, OU, C, EMAIL = "2.5.4.3", "2.5.4.10", "2.5.4.11", "2.5.4.6", "1.2.840.113549.1.9.1"  # noqa: E741

#: One relative name an entry; an entry of several attributes is one relative name with several.
Name = tuple[tuple[tuple[str, str, int], ...], ...]


def cn(value: str, tag: int = UTF8) -> Name:
    return (((CN, value, tag),),)


def attribute(kind: str, value: str, tag: int = UTF8) -> Name:
    return (((kind, value, tag),),)


def name_der(name: Name) -> bytes:
    return sequence(
        *(
            tlv(0x31, *sorted(sequence(oid(kind), text(value, tag)) for kind, value, tag in relative))
            for relative in name
        )
    )


# ----------------------------------------------------------------------------------------------------------- keys

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "ec-p224": ec.SECP224R1,
    "ec-p256": ec.SECP256R1,
    "ec-p384": ec.SECP384R1,
    "ec-p521": ec.SECP521R1,
    "ec-k256": ec.SECP256K1,
    "ec-bp256": ec.BrainpoolP256R1,
}


def pem(kind: str, data: bytes) -> str:
    """One PEM block."""
    body = base64.b64encode(data).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


@dataclass(frozen=True, eq=False)
class Key:
    """A private key. ``kind`` is ``rsa-2048``, ``ec-p256``, ``ed25519``, ``pss-2048`` …"""

    kind: str
    private: PrivateKey = field(repr=False)

    @property
    def spki(self) -> bytes:
        plain = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if self.kind.startswith("pss"):
            raw = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
            return sequence(sequence(oid("1.2.840.113549.1.1.10")), bits(raw))
        return plain

    @property
    def identifier(self) -> bytes:
        return hashlib.sha1(self.spki, usedforsecurity=False).digest()

    @cached_property
    def pem(self) -> str:
        """The private key (PKCS #8), for a server."""
        if self.kind.startswith("pss"):
            raw = self.private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            whole = sequence(integer(0), sequence(oid("1.2.840.113549.1.1.10")), octets(raw))
            return pem("PRIVATE KEY", whole)
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def key(kind: str, owner: str = "") -> Key:
    """The key of ``owner``: the same one every time within this process."""
    family, _, size = kind.partition("-")
    if family in ("rsa", "pss"):
        return Key(kind, rsa.generate_private_key(65537, int(size)))
    if kind == "ed25519":
        return Key(kind, ed25519.Ed25519PrivateKey.generate())
    if kind == "ed448":
        return Key(kind, ed448.Ed448PrivateKey.generate())
    return Key(kind, ec.generate_private_key(_CURVES[kind]()))


# ----------------------------------------------------------------------------------------------------- signatures

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_RSA = {"md5": 4, "sha1": 5, "sha224": 14, "sha256": 11, "sha384": 12, "sha512": 13}
_ECDSA = {"sha1": "1", "sha224": "3.1", "sha256": "3.2", "sha384": "3.3", "sha512": "3.4"}
_HASH_OIDS = {
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


def _suits(signer: Key, signature: str) -> tuple[bool, str]:
    """Whether it is PSS, and the hash; MD5 is there for PKCS #1 alone."""
    scheme, _, digest = signature.rpartition("-")
    is_pss = signer.kind.startswith("pss") or (scheme == "pss" and signer.kind.startswith("rsa"))
    return is_pss, "sha1" if digest == "md5" and (is_pss or not signer.kind.startswith("rsa")) else digest


def _pss_algorithm(digest: str) -> bytes:
    hashing = sequence(oid(_HASH_OIDS[digest]), NULL)
    parameters = sequence(
        tlv(0xA0, hashing),
        tlv(0xA1, sequence(oid("1.2.840.113549.1.1.8"), hashing)),
        tlv(0xA2, integer(_HASHES[digest].digest_size)),
    )
    return sequence(oid("1.2.840.113549.1.1.10"), parameters)


def algorithm(signer: Key, signature: str) -> bytes:
    """The AlgorithmIdentifier. ``signature`` is a hash, or ``pss-`` and a hash."""
    is_pss, digest = _suits(signer, signature)
    if signer.kind == "ed25519":
        return sequence(oid("1.3.101.112"))
    if signer.kind == "ed448":
        return sequence(oid("1.3.101.113"))
    if signer.kind.startswith("ec"):
        return sequence(oid(f"1.2.840.10045.4.{_ECDSA[digest]}"))
    if is_pss:
        return _pss_algorithm(digest)
    return sequence(oid(f"1.2.840.113549.1.1.{_RSA[digest]}"), NULL)


def sign(signer: Key, signature: str, data: bytes) -> bytes:
    is_pss, digest = _suits(signer, signature)
    private = signer.private
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(_HASHES[digest]))
    if isinstance(private, rsa.RSAPrivateKey):
        hashing = _HASHES[digest]
        if is_pss:
            return private.sign(data, padding.PSS(padding.MGF1(hashing), hashing.digest_size), hashing)
        return private.sign(data, padding.PKCS1v15(), hashing)
    return private.sign(data)


# --------------------------------------------------------------------------------------------------- certificates


@dataclass(frozen=True, slots=True)
class Extension:
    """``critical`` ``None`` leaves the field out; ``False`` writes the default, which DER forbids."""

    oid: str
    value: bytes
    critical: bool | None = None

    def der(self) -> bytes:
        flag = b"" if self.critical is None else TRUE if self.critical else FALSE
        return sequence(oid(self.oid), flag, octets(self.value))


def extension(value: x509.ExtensionType, critical: bool = False) -> Extension:
    """A well-formed extension."""
    return Extension(value.oid.dotted_string, value.public_bytes(), True if critical else None)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a certificate shall hold. Days count from now. ``None`` for an identifier leaves it out."""

    subject: Name
    key: Key
    days: tuple[float, float] = (-30.0, 365.0)
    version: int = 3
    serial: int | None = None
    signature: str = "sha256"
    inner_signature: str | None = None  #: another algorithm inside the signed part
    extensions: tuple[Extension, ...] = ()
    skid: bytes | None = b"own"  #: ``b"own"`` stands for that of the key
    akid: bytes | None = b"issuer"  #: ``b"issuer"`` stands for that of the issuer's key
    akid_issuer: Name | None = None  #: authorityCertIssuer and, with it, the serial number
    akid_serial: int | None = None
    issuer: Name | None = None  #: another issuer name than the issuer's own
    break_signature: bool = False
    moments: tuple[bytes, bytes] | None = None  #: notBefore and notAfter as DER
    spki: bytes | None = None

    def but(self, **changes: object) -> Draft:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Forged:
    """A signed certificate, with what is needed to sign another one with it."""

    draft: Draft
    der: bytes
    serial: int

    @property
    def key(self) -> Key:
        return self.draft.key

    @cached_property
    def pem(self) -> str:
        return pem("CERTIFICATE", self.der)


_serials = count(0x5EED0001)


def forge(draft: Draft, issuer: Forged | None = None) -> Forged:
    """Sign ``draft`` with the key of ``issuer``, or with its own."""
    signer = issuer.key if issuer else draft.key
    issuer_name = draft.issuer if draft.issuer is not None else (issuer.draft if issuer else draft).subject
    serial = next(_serials) if draft.serial is None else draft.serial
    now = datetime.now(UTC)
    validity = draft.moments or (
        instant(now + timedelta(days=draft.days[0])),
        instant(now + timedelta(days=draft.days[1])),
    )
    parts = [] if draft.version == 1 else [tlv(0xA0, integer(draft.version - 1))]
    parts += [
        integer(serial),
        algorithm(signer, draft.inner_signature or draft.signature),
        name_der(issuer_name),
        sequence(*validity),
        name_der(draft.subject),
        draft.spki or draft.key.spki,
    ]
    if draft.version == 3 and (extensions := (*_identifiers(draft, signer), *draft.extensions)):
        parts.append(tlv(0xA3, sequence(*(each.der() for each in extensions))))
    signed = sequence(*parts)
    signature = bytearray(sign(signer, draft.signature, signed))
    if draft.break_signature:
        # A byte in the middle: the outer form of an ECDSA signature stays whole.
        signature[len(signature) // 2] ^= 0x55
    return Forged(draft, sequence(signed, algorithm(signer, draft.signature), bits(bytes(signature))), serial)


def _identifiers(draft: Draft, signer: Key) -> Iterable[Extension]:
    if draft.skid is not None:
        value = draft.key.identifier if draft.skid == b"own" else draft.skid
        yield Extension("2.5.29.14", octets(value))
    parts = []
    if draft.akid is not None:
        parts.append(tlv(0x80, signer.identifier if draft.akid == b"issuer" else draft.akid))
    if draft.akid_issuer is not None:
        parts.append(tlv(0xA1, tlv(0xA4, name_der(draft.akid_issuer))))
    if draft.akid_serial is not None:
        parts.append(b"\x82" + integer(draft.akid_serial)[1:])
    if parts:
        yield Extension("2.5.29.35", sequence(*parts))


# ----------------------------------------------------------------------------------------- the usual extensions

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def ca(path_length: int | None = None, critical: bool = True) -> Extension:
    return extension(x509.BasicConstraints(True, path_length), critical)


def not_ca() -> Extension:
    return extension(x509.BasicConstraints(False, None), True)


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


def usage(*named: str, critical: bool = True) -> Extension:
    chosen = {each: each in named for each in _USAGES}
    return extension(x509.KeyUsage(**chosen, encipher_only=False, decipher_only=False), critical)


CA_USAGE = usage("key_cert_sign", "crl_sign")
TLS_USAGE = usage("digital_signature", "key_encipherment")


def eku(*oids: x509.ObjectIdentifier, critical: bool = False) -> Extension:
    return extension(x509.ExtendedKeyUsage(oids), critical)


def san(*names: x509.GeneralName, critical: bool = False) -> Extension:
    return extension(x509.SubjectAlternativeName(names), critical)


def dns(*names: str) -> Extension:
    """A SAN of dNSNames as they stand, whatever characters they have."""
    return raw_san(*(tlv(0x82, name.encode("utf-8")) for name in names))


def raw_san(*names: bytes) -> Extension:
    return Extension("2.5.29.17", sequence(*names))


def constraints(
    permitted: Sequence[x509.GeneralName] = (), excluded: Sequence[x509.GeneralName] = (), critical: bool = True
) -> Extension:
    return extension(x509.NameConstraints(permitted or None, excluded or None), critical)
