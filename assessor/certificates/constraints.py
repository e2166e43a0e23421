"""Name constraints as OpenSSL 3.0 applies them (crypto/x509/v3_ncons.c), after RFC 5280 section 4.2.1.10."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cryptography import x509
from cryptography.x509.oid import NameOID

from assessor.certificates.certificate import Certificate, canonical_name

#: A name to check: the kind of general name it is, and its value.
_Name = tuple[type[x509.GeneralName], object]

_PERMITTED = "permitted subtree violation"
_EXCLUDED = "excluded subtree violation"
_UNSUPPORTED = "unsupported name constraint type"


def violates(certificate: Certificate, constraints: x509.NameConstraints, *, is_leaf: bool) -> str | None:
    """OpenSSL's words for the first violation, or ``None``.

    The subject, its e-mail addresses and every SAN entry are checked; for a leaf without a dNSName, also each CN
    that looks like a host name.
    """
    names: list[_Name] = []
    if list(certificate.subject_name):
        names.append((x509.DirectoryName, certificate.subject_name))
        for attribute in certificate.subject_name.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
            names.append((x509.RFC822Name, str(attribute.value)))
    names.extend((type(entry), entry.value) for entry in certificate.general_names)
    if is_leaf and not certificate.dns_names:
        names.extend((x509.DNSName, name) for name in certificate.common_names if looks_like_host(name))
    for kind, value in names:
        verdict = _check(kind, value, constraints)
        if verdict is not None:
            return verdict
    return None


def looks_like_host(text: str) -> bool:
    """OpenSSL's ``cn2dnsid``: letters, digits, ``-``, ``_``; dots only between labels, and at least one dot."""
    name = text.rstrip("\0")
    if not name.isascii() or "." not in name:
        return False
    labels = name.split(".")
    for label in labels:
        if not label or label.startswith("-") or label.endswith("-"):
            return False
        if not all(character.isalnum() or character in "-_" for character in label):
            return False
    return True


def _check(kind: type[x509.GeneralName], value: object, constraints: x509.NameConstraints) -> str | None:
    permitted = [base for base in constraints.permitted_subtrees or () if type(base) is kind]
    if permitted:
        answers = [_matches(value, base) for base in permitted]
        if None in answers and True not in answers:
            return _UNSUPPORTED
        if not any(answers):
            return _PERMITTED
    for base in constraints.excluded_subtrees or ():
        if type(base) is not kind:
            continue
        answer = _matches(value, base)
        if answer is None:
            return _UNSUPPORTED
        if answer:
            return _EXCLUDED
    return None


def _matches(value: object, base: x509.GeneralName) -> bool | None:
    """``value`` lies in the subtree of ``base``; ``None`` when OpenSSL does not support the type."""
    match base:
        case x509.DNSName():
            return _dns_in(str(value).lower(), base.value.lower())
        case x509.RFC822Name():
            return _email_in(str(value), base.value)
        case x509.UniformResourceIdentifier():
            return _uri_in(str(value), base.value)
        case x509.DirectoryName() if isinstance(value, x509.Name):
            return _starts_with(canonical_name(value), canonical_name(base.value))
        case x509.IPAddress():
            return _ip_in(value, base.value)
        case _:
            return None


def _dns_in(name: str, base: str) -> bool:
    if not base:
        return True
    if not name.endswith(base):
        return False
    rest = name[: len(name) - len(base)]
    return not rest or base.startswith(".") or rest.endswith(".")


def _email_in(name: str, base: str) -> bool:
    host = name.rpartition("@")[2].lower()
    if "@" in base:
        mailbox, _, wanted = base.rpartition("@")
        return (not mailbox or name.rpartition("@")[0] == mailbox) and host == wanted.lower()
    if base.startswith("."):
        return host.endswith(base.lower())
    return host == base.lower()


def _uri_in(name: str, base: str) -> bool:
    rest = name.partition("://")[2]
    host = rest.split("/", 1)[0].split(":", 1)[0].lower()
    if not host:
        return False
    if base.startswith("."):
        return host.endswith(base.lower())
    return host == base.lower()


def _ip_in(name: object, base: object) -> bool:
    if isinstance(name, ipaddress.IPv4Address) and isinstance(base, ipaddress.IPv4Network):
        return name in base
    if isinstance(name, ipaddress.IPv6Address) and isinstance(base, ipaddress.IPv6Network):
        return name in base
    return False


def _starts_with(name: Iterable[object], base: Iterable[object]) -> bool:
    whole, prefix = tuple(name), tuple(base)
    return whole[: len(prefix)] == prefix
