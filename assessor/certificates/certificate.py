"""One X.509 certificate as facts that clients judge by. Parsing is ``cryptography``'s; nothing here decides."""

from __future__ import annotations

import hashlib
import ipaddress
import warnings
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, SignatureAlgorithmOID

#: Subject and issuer of the certificate that SQL Server makes for itself at start when none is provisioned.
#: Source: SupportArticles-docs connect/certificate-validation-failure.md, 2024-01-17.
FALLBACK_COMMON_NAME = "SSL_Self_Signed_Fallback"

#: Extensions that OpenSSL 3.0 understands, so that being critical does no harm (crypto/x509/v3_purp.c).
_HANDLED_CRITICAL = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)

_KEY_USAGE_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


class UnreadableCertificate(ValueError):
    """Bytes that were sent as a certificate can't be parsed as one."""


def canonical_name(name: x509.Name) -> tuple[tuple[tuple[str, str], ...], ...]:
    """A name as OpenSSL compares it: ASCII case folded, runs of blanks collapsed, order kept."""
    return tuple(
        tuple(
            sorted(
                (attribute.oid.dotted_string, " ".join(str(attribute.value).split()).lower()) for attribute in relative
            )
        )
        for relative in name.rdns
    )


@dataclass(frozen=True)
class Certificate:
    """A parsed certificate. Equal when the bytes are equal.

    Facts are read once and kept; a malformed extension makes :attr:`unreadable` non-empty instead of raising,
    because a client meets such a certificate and does something with it too.
    """

    der: bytes

    @classmethod
    def from_pem(cls, pem: str) -> Certificate:
        """One PEM block. Raises :class:`UnreadableCertificate`."""
        try:
            with warnings.catch_warnings():
                # A non-positive serial number is a fact about the server, not a reason to stop.
                warnings.simplefilter("ignore", CryptographyDeprecationWarning)
                return cls(x509.load_pem_x509_certificate(pem.encode("ascii")).public_bytes(Encoding.DER))
        except (ValueError, UnicodeEncodeError) as error:
            raise UnreadableCertificate(f"not a certificate: {error}") from error

    @cached_property
    def _x509(self) -> x509.Certificate:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            try:
                return x509.load_der_x509_certificate(self.der)
            except ValueError as error:
                raise UnreadableCertificate(f"not a certificate: {error}") from error

    @cached_property
    def pem(self) -> str:
        """The certificate as one PEM block."""
        return self._x509.public_bytes(Encoding.PEM).decode("ascii")

    @cached_property
    def thumbprint(self) -> str:
        """SHA-1 of the bytes, upper-case hex: the name SQL Server and Windows use for it."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @cached_property
    def subject(self) -> str:
        """RFC 4514 text of the subject."""
        return self._x509.subject.rfc4514_string()

    @cached_property
    def issuer(self) -> str:
        """RFC 4514 text of the issuer."""
        return self._x509.issuer.rfc4514_string()

    @cached_property
    def subject_key(self) -> object:
        """The subject in a form that compares as OpenSSL compares names."""
        return canonical_name(self._x509.subject)

    @cached_property
    def issuer_key(self) -> object:
        """The issuer in a form that compares as OpenSSL compares names."""
        return canonical_name(self._x509.issuer)

    @property
    def not_before(self) -> datetime:
        """Start of validity, UTC."""
        return self._x509.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """End of validity, UTC."""
        return self._x509.not_valid_after_utc

    @property
    def is_v1(self) -> bool:
        """Version 1: no extensions are possible."""
        return self._x509.version is x509.Version.v1

    @cached_property
    def unreadable(self) -> str:
        """Why the extensions can't be read; empty when they can."""
        try:
            list(self._x509.extensions)
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
            return str(error) or type(error).__name__
        return ""

    def _extension(self, kind: type[x509.ExtensionType]) -> x509.ExtensionType | None:
        if self.unreadable:
            return None
        try:
            return self._x509.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    @cached_property
    def common_names(self) -> tuple[str, ...]:
        """Every CN of the subject, in order."""
        attributes = self._x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(attribute.value) for attribute in attributes)

    @cached_property
    def organisation(self) -> str | None:
        """The first O of the subject."""
        found = self._x509.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return str(found[0].value) if found else None

    @cached_property
    def issuer_organisation(self) -> str | None:
        """The first O of the issuer."""
        found = self._x509.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return str(found[0].value) if found else None

    @cached_property
    def has_san(self) -> bool:
        """A subject alternative name extension is present, whatever it holds."""
        return self._extension(x509.SubjectAlternativeName) is not None

    @cached_property
    def dns_names(self) -> tuple[str, ...]:
        """The dNSName entries of the SAN, as written."""
        san = self._extension(x509.SubjectAlternativeName)
        return tuple(san.get_values_for_type(x509.DNSName)) if isinstance(san, x509.SubjectAlternativeName) else ()

    @cached_property
    def ip_addresses(self) -> tuple[str, ...]:
        """The iPAddress entries of the SAN, as text."""
        san = self._extension(x509.SubjectAlternativeName)
        if not isinstance(san, x509.SubjectAlternativeName):
            return ()
        return tuple(
            str(value)
            for value in san.get_values_for_type(x509.IPAddress)
            if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address)
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the certificate says it is for: ``DNS:…``, ``IP:…``, or ``CN:…`` when the SAN names no host."""
        san = tuple(f"DNS:{name}" for name in self.dns_names) + tuple(f"IP:{ip}" for ip in self.ip_addresses)
        return san or tuple(f"CN:{name}" for name in self.common_names)

    @cached_property
    def basic_constraints(self) -> x509.BasicConstraints | None:
        """The basic constraints, when the extension is present."""
        found = self._extension(x509.BasicConstraints)
        return found if isinstance(found, x509.BasicConstraints) else None

    @cached_property
    def key_usage(self) -> frozenset[str] | None:
        """Names of the key-usage bits that are set; ``None`` when there is no such extension."""
        found = self._extension(x509.KeyUsage)
        if not isinstance(found, x509.KeyUsage):
            return None
        return frozenset(bit for bit in _KEY_USAGE_BITS if getattr(found, bit))

    @cached_property
    def extended_key_usage(self) -> frozenset[str] | None:
        """Dotted OIDs of the extended key usage; ``None`` when there is no such extension."""
        found = self._extension(x509.ExtendedKeyUsage)
        if not isinstance(found, x509.ExtendedKeyUsage):
            return None
        return frozenset(oid.dotted_string for oid in found)

    @property
    def allows_server_authentication(self) -> bool:
        """No EKU, or one that names server authentication (or the old server-gated crypto)."""
        eku = self.extended_key_usage
        return eku is None or bool(eku & _SERVER_USAGES)

    @cached_property
    def name_constraints(self) -> x509.NameConstraints | None:
        """The name constraints, when the extension is present."""
        found = self._extension(x509.NameConstraints)
        return found if isinstance(found, x509.NameConstraints) else None

    @cached_property
    def general_names(self) -> tuple[x509.GeneralName, ...]:
        """All entries of the SAN."""
        san = self._extension(x509.SubjectAlternativeName)
        return tuple(san) if isinstance(san, x509.SubjectAlternativeName) else ()

    @property
    def subject_name(self) -> x509.Name:
        """The subject as ``cryptography`` holds it, for directory-name constraints."""
        return self._x509.subject

    @cached_property
    def unhandled_critical(self) -> tuple[str, ...]:
        """Dotted OIDs of critical extensions that a client does not know."""
        if self.unreadable:
            return ()
        return tuple(
            extension.oid.dotted_string
            for extension in self._x509.extensions
            if extension.critical and extension.oid not in _HANDLED_CRITICAL
        )

    @cached_property
    def subject_key_identifier(self) -> bytes | None:
        """The SKI, when present."""
        found = self._extension(x509.SubjectKeyIdentifier)
        return found.digest if isinstance(found, x509.SubjectKeyIdentifier) else None

    @cached_property
    def authority_key_identifier(self) -> x509.AuthorityKeyIdentifier | None:
        """The AKI, when present."""
        found = self._extension(x509.AuthorityKeyIdentifier)
        return found if isinstance(found, x509.AuthorityKeyIdentifier) else None

    @property
    def serial_number(self) -> int:
        """The serial number; may be negative in the wild."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            return self._x509.serial_number

    @cached_property
    def key_algorithm(self) -> str:
        """``RSA``, ``ECDSA``, ``Ed25519``, ``Ed448``, ``DSA`` or ``unknown``."""
        key = self._public_key
        if isinstance(key, rsa.RSAPublicKey):
            return "RSA"
        if isinstance(key, ec.EllipticCurvePublicKey):
            return "ECDSA"
        if isinstance(key, ed25519.Ed25519PublicKey):
            return "Ed25519"
        if isinstance(key, ed448.Ed448PublicKey):
            return "Ed448"
        return "DSA" if isinstance(key, dsa.DSAPublicKey) else "unknown"

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
    def _public_key(self) -> object | None:
        try:
            return self._x509.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return None

    @cached_property
    def public_key_der(self) -> bytes | None:
        """The SubjectPublicKeyInfo, or ``None`` when the key can't be read."""
        try:
            return self._x509.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except (ValueError, UnsupportedAlgorithm):
            return None

    @cached_property
    def signature_hash(self) -> str:
        """``sha256``, ``sha1`` …; the algorithm's own name where it needs no separate hash."""
        try:
            algorithm = self._x509.signature_hash_algorithm
        except UnsupportedAlgorithm:
            return "unknown"
        return algorithm.name if algorithm is not None else self.signature_algorithm

    @cached_property
    def signature_algorithm(self) -> str:
        """What kind of key made the signature: ``RSA``, ``RSA-PSS``, ``ECDSA``, ``Ed25519``, ``Ed448``, ``DSA``."""
        oid = self._x509.signature_algorithm_oid
        if oid == SignatureAlgorithmOID.RSASSA_PSS:
            return "RSA-PSS"
        name = getattr(oid, "_name", "").lower()
        for word, kind in (
            ("rsa", "RSA"),
            ("ecdsa", "ECDSA"),
            ("25519", "Ed25519"),
            ("448", "Ed448"),
            ("dsa", "DSA"),
        ):
            if word in name:
                return kind
        return "unknown"

    @cached_property
    def is_self_issued(self) -> bool:
        """Subject and issuer are the same name."""
        return self.subject_key == self.issuer_key

    @cached_property
    def is_self_signed(self) -> bool:
        """Self-issued, its own key identifiers agree, and key and signature are of one kind.

        That is OpenSSL's EXFLAG_SS (crypto/x509/v3_purp.c of 3.0): the signature itself is not checked.
        """
        return self.is_self_issued and matches_authority_key(self, self) and signature_fits_key(self, self)

    @property
    def is_fallback(self) -> bool:
        """SQL Server's own certificate, made anew at each start."""
        return self.is_self_issued and self.common_names == (FALLBACK_COMMON_NAME,)

    def is_signed_by(self, issuer: Certificate) -> bool:
        """The signature verifies with the issuer's key, whatever the names say."""
        try:
            self._x509.verify_directly_issued_by(issuer._x509)
        except (InvalidSignature, TypeError):
            return False
        except (ValueError, UnsupportedAlgorithm):
            return _verify_raw(self._x509, issuer._x509)
        return True


_SERVER_USAGES = frozenset(
    {
        ExtendedKeyUsageOID.SERVER_AUTH.dotted_string,
        "1.3.6.1.4.1.311.10.3.3",  # Microsoft server-gated crypto
        "2.16.840.1.113730.4.1",  # Netscape server-gated crypto
    }
)


def _verify_raw(subject: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Verify a signature when ``cryptography`` won't because the encoded names differ in case or blanks."""
    try:
        key = issuer.public_key()
        parameters = subject.signature_algorithm_parameters
        algorithm = subject.signature_hash_algorithm
        if isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            if not isinstance(parameters, padding.PKCS1v15 | padding.PSS):
                return False
            key.verify(subject.signature, subject.tbs_certificate_bytes, parameters, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
            key.verify(subject.signature, subject.tbs_certificate_bytes, parameters)
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(subject.signature, subject.tbs_certificate_bytes)
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def matches_authority_key(issuer: Certificate, subject: Certificate) -> bool:
    """The subject's authority key identifier, as far as it speaks, names this issuer (X509_check_akid)."""
    wanted = subject.authority_key_identifier
    if wanted is None:
        return True
    own = issuer.subject_key_identifier
    if wanted.key_identifier is not None and own is not None and wanted.key_identifier != own:
        return False
    if wanted.authority_cert_serial_number is not None:
        if wanted.authority_cert_serial_number != issuer.serial_number:
            return False
    if wanted.authority_cert_issuer:
        names = [entry.value for entry in wanted.authority_cert_issuer if isinstance(entry, x509.DirectoryName)]
        if names and canonical_name(names[0]) != issuer.issuer_key:
            return False
    return True


def signature_fits_key(issuer: Certificate, subject: Certificate) -> bool:
    """The subject's signature is of a kind that the issuer's key can make (check_sig_alg_match)."""
    kind = "RSA" if subject.signature_algorithm == "RSA-PSS" else subject.signature_algorithm
    return kind == issuer.key_algorithm


def likely_issued(issuer: Certificate, subject: Certificate) -> bool:
    """Names, key identifiers and algorithms say that ``issuer`` may have issued ``subject``; no signature is checked.

    OpenSSL 3.0's ``ossl_x509_likely_issued``: the test by which a chain is built.
    """
    return (
        issuer.subject_key == subject.issuer_key
        and matches_authority_key(issuer, subject)
        and signature_fits_key(issuer, subject)
    )
