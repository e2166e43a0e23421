"""Host names: does a certificate cover the name that a client dialled, by that client's own rules.

The rules differ, and a certificate that passes one client can fail another (clients reference, 1.4); so they are
data, one :class:`NameRules` a client profile.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from assessor.certificates.certificate import Certificate


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
    """One client's matching rules. Case never matters and ``*`` covers one whole label, in all of them."""

    common_name: CommonName
    ip_address: IpAddress
    wildcard_in_common_name: bool = True


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
    candidates = list(certificate.dns_names)
    if any(matches(pattern, name) for pattern in candidates):
        return True
    if not _looks_at_common_name(certificate, rules):
        return False
    return any(
        matches(pattern, name) if rules.wildcard_in_common_name else pattern.lower() == name.lower()
        for pattern in certificate.common_names
    )


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


def matches(pattern: str, name: str) -> bool:
    """One name of a certificate against the dialled name: equal, or ``*`` for exactly the first label."""
    pattern, name = pattern.lower(), name.lower()
    if pattern == name:
        return True
    if not pattern.startswith("*."):
        return False
    first, dot, rest = name.partition(".")
    return bool(first) and bool(dot) and rest == pattern[2:] and _as_ip(name) is None


def _as_ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
