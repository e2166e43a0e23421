"""Certificates made at start from a readable description, so that nothing in the repository ages.

The format of ``certificates.toml`` is described in ``sample_data/README.md``. Keys are made once a process
and shared between leaf certificates; every authority has its own.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assessor.lab.tls import Credentials

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

FALLBACK_NAME: Final = "SSL_Self_Signed_Fallback"
KEY_KINDS: Final = ("rsa-1024", "rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384")
_SIGNATURES: Final[Mapping[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = MappingProxyType(
    {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
)
SIGNATURES: Final = ("sha1", *_SIGNATURES)
USAGES: Final[Mapping[str, x509.ObjectIdentifier]] = MappingProxyType(
    {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
)

#: AlgorithmIdentifier of sha256WithRSAEncryption and sha1WithRSAEncryption (RFC 8017 A.2.4), of equal length.
_RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
_RSA_SHA1 = bytes.fromhex("300d06092a864886f70d0101050500")
_SHA1_DIGEST_INFO = bytes.fromhex("3021300906052b0e03021a05000414")


class CertificateProblem(ValueError):
    """The description asks for what can't be made; the sentence names the certificate and the mend."""


@dataclass(frozen=True, slots=True)
class Description:
    """One certificate in words: the keys of ``certificates.toml``. ``valid_days`` count from today."""

    name: str
    cn: str
    issuer: str | None = None  #: name of an authority; ``None``: self-signed
    dns: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    valid_days: tuple[int, int] = (-30, 365)
    eku: tuple[str, ...] = ("server",)
    key: str = "rsa-2048"
    signature: str = "sha256"
    sends: tuple[str, ...] | None = None  #: authorities sent after the leaf; ``None``: every intermediate


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the lab."""

    name: str
    issuer: str | None
    certificate: x509.Certificate
    key: Key = field(repr=False)

    @property
    def pem(self) -> str:
        """Its certificate, for a trust store."""
        return pem(self.certificate)


@lru_cache(maxsize=256)
def key_of(kind: str, owner: str = "") -> Key:
    """A private key, the same one every time this process asks for the same owner.

    Raises:
        ValueError: there is no such kind; see :data:`KEY_KINDS`.

    """
    if kind not in KEY_KINDS:
        raise ValueError(f"no key of kind {kind!r}; known are {', '.join(KEY_KINDS)}")
    family, _, size = kind.partition("-")
    if family == "rsa":
        return rsa.generate_private_key(65537, int(size))
    return ec.generate_private_key(ec.SECP384R1() if size == "p384" else ec.SECP256R1())


def pem(certificate: x509.Certificate) -> str:
    """``certificate`` as PEM text."""
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def thumbprint(certificate: x509.Certificate) -> str:
    """SHA-1 of the certificate, upper-case hex, as SQL Server writes it."""
    return hashlib.sha1(certificate.public_bytes(Encoding.DER), usedforsecurity=False).hexdigest().upper()


class CertificateShop:
    """Makes what the description asks for, relative to one day."""

    def __init__(
        self,
        authorities: Mapping[str, Description] | None = None,
        certificates: Mapping[str, Description] | None = None,
        *,
        today: datetime | None = None,
    ) -> None:
        now = today if today is not None else datetime.now(UTC)
        self._midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._serial = 0x1AB00000
        self.authorities: dict[str, Authority] = {}
        self._descriptions = dict(certificates or {})
        self._made: dict[str, Credentials] = {}
        for description in (authorities or {}).values():
            self._authority(description, dict(authorities or {}), ())

    def credentials(self, name: str) -> Credentials:
        """The server certificate called ``name``, its key and what is sent with it.

        Raises:
            CertificateProblem: it isn't described, or can't be made.

        """
        if name not in self._made:
            if name not in self._descriptions:
                known = ", ".join(sorted(self._descriptions)) or "none"
                raise CertificateProblem(f"certificate {name!r} is not described; known are: {known}")
            self._made[name] = self.leaf(self._descriptions[name])
        return self._made[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Every certificate that is described."""
        return tuple(self._descriptions)

    def leaf(self, description: Description) -> Credentials:
        """A server certificate as described.

        Raises:
            CertificateProblem: an authority is missing, or the signature can't be made with its key.

        """
        key = key_of(description.key)
        issuer = None if description.issuer is None else self._issuer(description.issuer, description.name)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        ]
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in description.dns]
        names += [x509.IPAddress(ipaddress.ip_address(address)) for address in description.ip]
        if names:
            extensions.append((x509.SubjectAlternativeName(names), False))
        if description.eku:
            usages = [USAGES[usage] for usage in description.eku]
            extensions.append((x509.ExtendedKeyUsage(usages), False))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, description.cn)])
        certificate = self._sign(description, subject, key, issuer, extensions)
        if description.sends is None:
            extra = self._intermediates(issuer)
        else:
            extra = tuple(self._issuer(name, description.name).certificate for name in description.sends)
        return Credentials(certificate, key, extra)

    def fallback(self, *, signature: str = "sha256") -> Credentials:
        """The certificate that SQL Server makes for itself: BMPString name, RSA, thirty years.

        SHA-1 signed up to 2016, SHA-256 from 2017 on (sql-docs, 2025-08-26).
        """
        # cryptography offers no public way to choose the string type of a name.
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, FALLBACK_NAME, _type=_ASN1Type.BMPString)])
        description = Description("fallback", FALLBACK_NAME, valid_days=(-1, 30 * 365), signature=signature)
        key = key_of(description.key)
        return Credentials(self._sign(description, name, key, None, []), key)

    def _issuer(self, name: str, wanted_by: str) -> Authority:
        if name not in self.authorities:
            known = ", ".join(sorted(self.authorities)) or "none"
            raise CertificateProblem(f"{wanted_by!r} names authority {name!r}; known are: {known}")
        return self.authorities[name]

    def _intermediates(self, issuer: Authority | None) -> tuple[x509.Certificate, ...]:
        chain: list[x509.Certificate] = []
        while issuer is not None and issuer.issuer is not None:
            chain.append(issuer.certificate)
            issuer = self.authorities[issuer.issuer]
        return tuple(chain)

    def _authority(
        self, description: Description, all_of_them: dict[str, Description], path: tuple[str, ...]
    ) -> Authority:
        if description.name in self.authorities:
            return self.authorities[description.name]
        if description.name in path:
            raise CertificateProblem(f"authority {description.name!r} is its own issuer's issuer")
        issuer = None
        if description.issuer is not None:
            if description.issuer not in all_of_them:
                raise CertificateProblem(
                    f"authority {description.name!r} names issuer {description.issuer!r}, which is not described"
                )
            issuer = self._authority(all_of_them[description.issuer], all_of_them, (*path, description.name))
        key = key_of(description.key, f"authority {description.name}")
        certificate = self._sign(
            description,
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, description.cn)]),
            key,
            issuer,
            [
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
                (_CA_KEY_USAGE, True),
            ],
        )
        authority = Authority(description.name, description.issuer, certificate, key)
        self.authorities[description.name] = authority
        return authority

    def _sign(
        self,
        description: Description,
        subject: x509.Name,
        key: Key,
        issuer: Authority | None,
        extensions: list[tuple[x509.ExtensionType, bool]],
    ) -> x509.Certificate:
        first, last = description.valid_days
        self._serial += 1
        builder = x509.CertificateBuilder(
            issuer_name=issuer.certificate.subject if issuer else subject,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=self._serial,
            not_valid_before=self._midnight + timedelta(days=first),
            not_valid_after=self._midnight + timedelta(days=last),
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        if issuer is not None:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        signer = issuer.key if issuer else key
        if description.signature != "sha1":
            return builder.sign(signer, _SIGNATURES[description.signature])
        if not isinstance(signer, rsa.RSAPrivateKey):
            raise CertificateProblem(
                f'{description.name!r} asks for a SHA-1 signature; give its issuer an RSA key (key = "rsa-2048")'
            )
        return _with_sha1(builder.sign(signer, hashes.SHA256()), signer)


_CA_KEY_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _with_sha1(certificate: x509.Certificate, signer: rsa.RSAPrivateKey) -> x509.Certificate:
    """Sign again with SHA-1, which cryptography rightly no longer does.

    Only the algorithm's identifier and the signature change, and both keep their length, so the rest of the
    DER stays as it is. PKCS #1 v1.5 by hand (RFC 8017 9.2).
    """
    body = certificate.tbs_certificate_bytes.replace(_RSA_SHA256, _RSA_SHA1, 1)
    numbers = signer.private_numbers()
    size = (numbers.public_numbers.n.bit_length() + 7) // 8
    digest = _SHA1_DIGEST_INFO + hashlib.sha1(body, usedforsecurity=False).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    signature = pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")
    der = certificate.public_bytes(Encoding.DER)
    start = der.index(certificate.tbs_certificate_bytes)
    end = start + len(certificate.tbs_certificate_bytes)
    tail = der[end:-size].replace(_RSA_SHA256, _RSA_SHA1, 1)
    return x509.load_der_x509_certificate(der[:start] + body + tail + signature)
