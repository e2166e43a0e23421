"""Host names: does a certificate cover the name that a client dialled, by that client's own rules.

The rules differ, and a certificate that passes one client can fail another (clients reference, 1.4); so they are
data, one :class:`NameRules` a client profile.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from assessor.certificates.certificate import Certificate
from assessor.certificates.extensions import DNS


class CommonName(StrEnum):
    """When a client looks at the subject's CN."""

    NEVER = "never"
    WITHOUT_DNS_NAMES = "without_dns_names"  #: only when the SAN has no dNSName
    WITHOUT_SAN = "without_san"  #: only when there is no SAN at all
    ALWAYS = "always"  #: a CN match is accepted although a SAN exists


class IpAddress(StrEnum):
    """How a client matches a dialled IP address."""

    SAN = "san"  #: against iPAddress entries
    TEXT = "text"  #: as text, against dNSName and CN: iPAddress entries never match
    SAN_OR_TEXT = "san_or_text"
    UNKNOWN = "unknown"  #: not documented


@dataclass(frozen=True, slots=True)
class NameRules:
    """One client's matching rules. Case never matters and ``*`` covers one whole label, in all of them.

    ``reads_raw_bytes``: the client takes names as C strings, so they end at a NUL, and a CN of two bytes a letter
    (BMPString) reads as empty. Measured for ODBC Driver 18.6; others are taken to decode names properly.
    """

    common_name: CommonName
    ip_address: IpAddress
    wildcard_in_common_name: bool = True
    reads_raw_bytes: bool = False


def covers(certificate: Certificate, name: str, rules: NameRules) -> bool | None:
    """The certificate covers ``name`` under ``rules``; ``None`` when nobody has documented what happens.

    ``name`` is the host as dialled or ``HostNameInCertificate``: no instance, no port. Unlike OpenSSL's own check
    nothing is resolved or completed: the typed text is what is matched (measured for ODBC Driver 18.6).
    """
    if certificate.unreadable:
        return False
    address = _as_ip(name)
    if address is not None:
        if rules.ip_address is IpAddress.UNKNOWN:
            return None
        if rules.ip_address in (IpAddress.SAN, IpAddress.SAN_OR_TEXT) and str(address) in certificate.ip_addresses:
            return True
        if rules.ip_address is IpAddress.SAN:
            return False
    wild = address is None or rules.ip_address is IpAddress.TEXT
    if any(matches(pattern, name, wild=wild) for pattern in _dns_names(certificate, rules)):
        return True
    if not _looks_at_common_name(certificate, rules):
        return False
    wild = wild and rules.wildcard_in_common_name
    return any(matches(pattern, name, wild=wild) for pattern in _common_names(certificate, rules))


def _dns_names(certificate: Certificate, rules: NameRules) -> Iterator[str]:
    for name in certificate.general_names:
        if name.kind == DNS:
            yield _until_nul(name.value) if rules.reads_raw_bytes else name.text


def _common_names(certificate: Certificate, rules: NameRules) -> Iterator[str]:
    if rules.reads_raw_bytes:
        yield from map(_until_nul, certificate.common_name_bytes)
    else:
        yield from certificate.common_names


def _until_nul(value: bytes) -> str:
    return value.partition(b"\0")[0].decode("utf-8", "replace")


def _looks_at_common_name(certificate: Certificate, rules: NameRules) -> bool:
    match rules.common_name:
        case CommonName.ALWAYS:
            return True
        case CommonName.WITHOUT_SAN:
            return not certificate.has_san
        case CommonName.WITHOUT_DNS_NAMES:
            return not certificate.dns_names
        case CommonName.NEVER:
            return False


def matches(pattern: str, name: str, *, wild: bool = True) -> bool:
    """One name of a certificate against the dialled name: equal, or ``*`` for exactly the first label."""
    pattern, name = _fold(pattern), _fold(name)
    if pattern == name:
        return bool(name)
    if not wild or not pattern.startswith("*."):
        return False
    first, dot, rest = name.partition(".")
    return bool(first) and bool(dot) and rest == pattern[2:]


def _fold(name: str) -> str:
    """Lower case for ASCII alone: the Kelvin sign is no k."""
    return "".join(each.lower() if each.isascii() else each for each in name)


def _as_ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
