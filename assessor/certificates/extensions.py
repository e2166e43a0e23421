"""The extensions that decide whether a chain holds, read as OpenSSL 3.0 reads them.

OpenSSL reads a handful of extensions when it first looks at a certificate (crypto/x509/v3_purp.c,
``ossl_x509v3_cache_extensions``). One of these malformed or present twice spoils the certificate: it is then nobody's
issuer and nobody is its. All others may hold anything. The version does not matter: a version 1 certificate with
extensions has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from assessor.certificates import der
from assessor.certificates.der import DerError, Element
from assessor.certificates.directory_names import DirectoryName, read_name

_T = TypeVar("_T")

SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
NAME_CONSTRAINTS = "2.5.29.30"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
CERTIFICATE_POLICIES = "2.5.29.32"
POLICY_MAPPINGS = "2.5.29.33"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
POLICY_CONSTRAINTS = "2.5.29.36"
EXTENDED_KEY_USAGE = "2.5.29.37"
INHIBIT_ANY_POLICY = "2.5.29.54"
PROXY_CERTIFICATE = "1.3.6.1.5.5.7.1.14"
OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
NETSCAPE_TYPE = "2.16.840.1.113730.1.1"

#: Extensions that may be critical (``X509_supported_extension``). The key identifiers are not among them. OpenSSL
#: also takes RFC 3779's for granted, which no SQL Server has ever had; here they count as unknown.
HANDLED_CRITICAL = frozenset(
    {
        NETSCAPE_TYPE,
        KEY_USAGE,
        SUBJECT_ALTERNATIVE_NAME,
        BASIC_CONSTRAINTS,
        CERTIFICATE_POLICIES,
        CRL_DISTRIBUTION_POINTS,
        EXTENDED_KEY_USAGE,
        OCSP_NO_CHECK,
        POLICY_CONSTRAINTS,
        PROXY_CERTIFICATE,
        NAME_CONSTRAINTS,
        POLICY_MAPPINGS,
        INHIBIT_ANY_POLICY,
    }
)

#: Kinds of general name: the number of the choice (RFC 5280 section 4.2.1.6).
OTHER_NAME, MAIL, DNS, X400, DIRECTORY, EDI_PARTY, URI, IP, REGISTERED_ID = range(9)
_CONSTRUCTED = frozenset({OTHER_NAME, X400, DIRECTORY, EDI_PARTY})

#: Names of the key-usage bits, first bit first.
KEY_USAGE_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class GeneralName:
    """One general name. ``value`` is the content as it stands; a directory name is parsed besides."""

    kind: int
    value: bytes
    directory: DirectoryName = ()
    other: str | None = None  #: the type of an otherName

    @property
    def text(self) -> str:
        """A dNSName, mail address or URI as text; what is no UTF-8 is replaced."""
        return self.value.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Subtree:
    """One entry of name constraints."""

    base: GeneralName
    has_distance: bool  #: a minimum or maximum is given, which OpenSSL refuses to weigh


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """What names a CA may certify."""

    permitted: tuple[Subtree, ...]
    excluded: tuple[Subtree, ...]


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """Whether it is a CA, and how many CAs may follow below it."""

    ca: bool
    path_length: int | None


@dataclass(frozen=True, slots=True)
class AuthorityKeyIdentifier:
    """What a certificate says of its issuer's certificate."""

    key: bytes | None
    issuer: DirectoryName | None  #: the first directory name of authorityCertIssuer
    serial: int | None


@dataclass(frozen=True, slots=True)
class Extensions:
    """What was read. ``None`` where the extension is absent."""

    unreadable: str = ""  #: why OpenSSL takes the whole certificate for invalid; empty when it does not
    basic_constraints: BasicConstraints | None = None
    key_usage: frozenset[str] | None = None
    extended_key_usage: frozenset[str] | None = None
    netscape_type: int | None = None
    subject_key: bytes | None = None
    authority_key: AuthorityKeyIdentifier | None = None
    general_names: tuple[GeneralName, ...] | None = None
    name_constraints: NameConstraints | None = None
    is_proxy: bool = False
    unhandled_critical: tuple[str, ...] = ()


def read_extensions(listed: Sequence[Element]) -> Extensions:
    """Read the ``Extension`` elements of a certificate. Raises :class:`DerError` where their frame is broken."""
    values: dict[str, list[bytes]] = {}
    unhandled: list[str] = []
    for element in listed:
        dotted, critical, value = _extension(element)
        values.setdefault(dotted, []).append(value)
        if critical and dotted not in HANDLED_CRITICAL:
            unhandled.append(dotted)
    reading = _Reading(values)
    usage = reading.of(KEY_USAGE, "key usage", _key_usage)
    constraints = reading.of(BASIC_CONSTRAINTS, "basic constraints", _basic_constraints)
    alternative = reading.of(SUBJECT_ALTERNATIVE_NAME, "subject alternative name", _general_names)
    proxy = reading.of(PROXY_CERTIFICATE, "proxy certificate information", _proxy)
    if proxy and ((constraints is not None and constraints.ca) or alternative is not None):
        reading.fault("a proxy certificate that is a CA or has alternative names")
    reading.of(CRL_DISTRIBUTION_POINTS, "CRL distribution points", _distribution_points)
    return Extensions(
        basic_constraints=constraints,
        key_usage=usage,
        extended_key_usage=reading.of(EXTENDED_KEY_USAGE, "extended key usage", _object_identifiers),
        netscape_type=reading.of(NETSCAPE_TYPE, "Netscape type", _netscape_type),
        subject_key=reading.of(SUBJECT_KEY_IDENTIFIER, "subject key identifier", der.octets),
        authority_key=reading.of(AUTHORITY_KEY_IDENTIFIER, "authority key identifier", _authority_key),
        general_names=alternative,
        name_constraints=reading.of(NAME_CONSTRAINTS, "name constraints", _name_constraints),
        is_proxy=bool(proxy),
        unhandled_critical=tuple(unhandled),
        unreadable="; ".join(reading.faults),
    )


class _Reading:
    """Reads one extension after the other and keeps the faults."""

    def __init__(self, values: dict[str, list[bytes]]) -> None:
        self._values = values
        self.faults: list[str] = []

    def of(self, dotted: str, name: str, read: Callable[[Element], _T]) -> _T | None:
        values = self._values.get(dotted)
        if values is None:
            return None
        if len(values) > 1:
            self.fault(f"{name} present {len(values)} times")
            return None
        try:
            return read(der.first(values[0]))  # bytes behind it are not looked at
        except DerError as error:
            self.fault(f"malformed {name} ({error})")
            return None

    def fault(self, text: str) -> None:
        self.faults.append(text)


def _extension(element: Element) -> tuple[str, bool, bytes]:
    parts = der.children(element)
    if len(parts) == 2:
        return der.oid(parts[0]), False, der.octets(parts[1])
    if len(parts) == 3:
        return der.oid(parts[0]), der.boolean(parts[1]), der.octets(parts[2])
    raise DerError("an extension of another form")


def _basic_constraints(element: Element) -> BasicConstraints:
    parts = list(der.children(element))
    ca = der.boolean(parts.pop(0)) if parts and parts[0].tag == der.BOOLEAN else False
    length = der.integer(parts.pop(0)) if parts else None
    if parts:
        raise DerError("more than two parts")
    if length is not None and length < 0:
        raise DerError("a negative path length")
    return BasicConstraints(ca, None if length is None or length.bit_length() > 63 else length)


def _key_usage(element: Element) -> frozenset[str]:
    data = der.bits(element)
    if not any(data[:2]):
        raise DerError("no usage is set")
    flags = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
    return frozenset(name for at, name in enumerate(KEY_USAGE_BITS) if flags & 0x8000 >> at)


def _object_identifiers(element: Element) -> frozenset[str]:
    return frozenset(der.oid(each) for each in der.children(element))


def _netscape_type(element: Element) -> int:
    data = der.bits(element)
    return data[0] if data else 0


def _proxy(element: Element) -> bool:
    parts = der.children(element)
    if not parts or parts[-1].tag != der.SEQUENCE or len(parts) > 2:
        raise DerError("another form")
    return True


def _authority_key(element: Element) -> AuthorityKeyIdentifier:
    key: bytes | None = None
    issuer: DirectoryName | None = None
    serial: int | None = None
    position = -1
    for part in der.children(element):
        number = part.tag & 0x1F
        if not part.is_context or number <= position or number > 2:
            raise DerError("another form")
        position = number
        if number == 0:
            key = der.octets(part, 0x80)
        elif number == 1:
            names = tuple(_general_name(each) for each in der.children(part, 0xA1))
            issuer = next((name.directory for name in names if name.kind == DIRECTORY), None)
        else:
            serial = der.integer(part, 0x82)
    return AuthorityKeyIdentifier(key, issuer, serial)


def _general_names(element: Element) -> tuple[GeneralName, ...]:
    return tuple(_general_name(each) for each in der.children(element))


def _general_name(element: Element) -> GeneralName:
    kind = element.tag & 0x1F
    if not element.is_context or kind > REGISTERED_ID or bool(element.tag & 0x20) != (kind in _CONSTRUCTED):
        raise DerError("no general name")
    if kind == DIRECTORY:
        inner = der.elements(element.body)
        if len(inner) != 1:
            raise DerError("no directory name")
        return GeneralName(kind, element.body, directory=read_name(inner[0]))
    if kind == OTHER_NAME:
        parts = der.elements(element.body)
        if len(parts) != 2 or parts[1].tag != 0xA0:
            raise DerError("no other name")
        return GeneralName(kind, parts[1].body, other=der.oid(parts[0]))
    if kind == REGISTERED_ID:
        der.oid(element, element.tag)
    elif kind in _CONSTRUCTED:
        der.elements(element.body)
    return GeneralName(kind, element.body)


def _name_constraints(element: Element) -> NameConstraints:
    found: dict[int, tuple[Subtree, ...]] = {}
    for part in der.children(element):
        if part.tag not in (0xA0, 0xA1) or any(part.tag <= seen for seen in found):
            raise DerError("another form")
        found[part.tag] = tuple(_subtree(each) for each in der.elements(part.body))
    return NameConstraints(found.get(0xA0, ()), found.get(0xA1, ()))


def _subtree(element: Element) -> Subtree:
    parts = der.children(element)
    if not parts:
        raise DerError("an empty subtree")
    minimum, maximum = 0, False
    for part in parts[1:]:
        if part.tag == 0x80:
            minimum = der.integer(part, 0x80)
        elif part.tag == 0x81:
            der.integer(part, 0x81)
            maximum = True
        else:
            raise DerError("a subtree of another form")
    return Subtree(_general_name(parts[0]), maximum or minimum != 0)


def _distribution_points(element: Element) -> int:
    points = der.children(element)
    for point in points:
        parts = der.children(point)
        if any(part.tag not in (0xA0, 0x81, 0xA2) for part in parts):
            raise DerError("another form")
        tags = {part.tag for part in parts}
        issuers = [each for part in parts if part.tag == 0xA2 for each in der.elements(part.body)]
        for each in issuers:
            _general_name(each)
        for part in parts:
            if part.tag == 0xA0:
                _distribution_point_name(part)
            elif part.tag == 0x81:
                der.bits(part, 0x81)
        if 0xA0 not in tags and not issuers:
            raise DerError("a distribution point that names nothing")
    return len(points)


def _distribution_point_name(element: Element) -> None:
    inner = der.elements(element.body)
    if len(inner) != 1 or inner[0].tag not in (0xA0, 0xA1):
        raise DerError("another form")
    parts = der.elements(inner[0].body)
    if inner[0].tag == 0xA0:
        for part in parts:
            _general_name(part)
