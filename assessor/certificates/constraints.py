"""Name constraints as OpenSSL 3.0 applies them (crypto/x509/v3_ncons.c), after RFC 5280 section 4.2.1.10."""

from __future__ import annotations

from assessor.certificates import extensions as kinds
from assessor.certificates.certificate import Certificate
from assessor.certificates.directory_names import COMMON_NAME, EMAIL, IA5_STRING, attributes, canonical_name
from assessor.certificates.extensions import GeneralName, NameConstraints, Subtree

_PERMITTED = "permitted subtree violation"
_EXCLUDED = "excluded subtree violation"
_UNSUPPORTED = "unsupported name constraint type"
_DISTANCE = "name constraints minimum and maximum not supported"
_SYNTAX = "unsupported or invalid name syntax"
_EXCESSIVE = "unspecified certificate verification error"

#: OpenSSL gives up where names times constraints exceed this (NAME_CHECK_MAX).
_MOST_COMPARISONS = 1 << 20
_SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9"


class _Refused(Exception):
    """A name can't be weighed at all; the text is OpenSSL's."""


def violates(certificate: Certificate, constraints: NameConstraints, *, is_leaf: bool) -> str | None:
    """OpenSSL's words for the first violation, or ``None``.

    The subject, its e-mail addresses and every SAN entry are checked; for a leaf without a dNSName, also each CN
    that looks like a host name.
    """
    count = sum(len(relative) for relative in certificate.subject_name) + len(certificate.general_names)
    if count * (len(constraints.permitted) + len(constraints.excluded)) > _MOST_COMPARISONS:
        return _EXCESSIVE
    try:
        for name in _names(certificate, is_leaf=is_leaf):
            if (verdict := _check(name, constraints)) is not None:
                return verdict
    except _Refused as refusal:
        return str(refusal)
    return None


def _names(certificate: Certificate, *, is_leaf: bool) -> list[GeneralName]:
    names: list[GeneralName] = []
    subject = certificate.subject_name
    if subject:
        names.append(GeneralName(kinds.DIRECTORY, b"", directory=subject))
    for attribute in attributes(subject, EMAIL):
        # Names before this one are still to be checked, so the fault travels as a name.
        good = attribute.tag == IA5_STRING
        names.append(GeneralName(kinds.MAIL, attribute.body if good else b"", other=None if good else _SYNTAX))
    names.extend(certificate.general_names)
    if is_leaf and not certificate.dns_names:
        for attribute in attributes(subject, COMMON_NAME):
            text = (attribute.text or "").rstrip("\0")
            if "\0" in text:
                names.append(GeneralName(kinds.DNS, b"", other=_SYNTAX))
            elif looks_like_host(text):
                names.append(GeneralName(kinds.DNS, text.encode()))
    return names


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


def _check(name: GeneralName, constraints: NameConstraints) -> str | None:
    if name.other == _SYNTAX:
        return _SYNTAX
    permitted = [subtree for subtree in constraints.permitted if _is_about(subtree, name)]
    inside = False
    for subtree in permitted:
        if subtree.has_distance:
            return _DISTANCE
        inside = inside or _matches(name, subtree.base)
    if permitted and not inside:
        return _PERMITTED
    for subtree in constraints.excluded:
        if not _is_about(subtree, name):
            continue
        if subtree.has_distance:
            return _DISTANCE
        if _matches(name, subtree.base):
            return _EXCLUDED
    return None


def _is_about(subtree: Subtree, name: GeneralName) -> bool:
    kind = name.kind
    if kind == kinds.OTHER_NAME and name.other == _SMTP_UTF8_MAILBOX:
        kind = kinds.MAIL
    if kind == kinds.OTHER_NAME and subtree.base.other != name.other:
        return False
    return subtree.base.kind == kind


def _matches(name: GeneralName, base: GeneralName) -> bool:
    """``name`` lies in the subtree of ``base``, which is of the same kind. Raises :class:`_Refused`."""
    value, wanted = name.value, base.value
    match name.kind:
        case kinds.DNS:
            return _dns_in(value, wanted)
        case kinds.MAIL:
            return _mail_in(value, wanted)
        case kinds.URI:
            return _uri_in(value, wanted)
        case kinds.DIRECTORY:
            whole, prefix = canonical_name(name.directory), canonical_name(base.directory)
            return whole[: len(prefix)] == prefix
        case kinds.IP:
            return _ip_in(value, wanted)
        case _:
            raise _Refused(_UNSUPPORTED)


def _dns_in(name: bytes, base: bytes) -> bool:
    if not base:
        return True
    if not name.lower().endswith(base.lower()):
        return False
    rest = name[: len(name) - len(base)]
    return not rest or base.startswith(b".") or rest.endswith(b".")


def _mail_in(name: bytes, base: bytes) -> bool:
    mailbox, at, host = name.rpartition(b"@")
    if not at:
        raise _Refused(_SYNTAX)
    if b"@" not in base and base.startswith(b"."):
        return len(name) > len(base) and name.lower().endswith(base.lower())
    wanted_mailbox, _, wanted = base.rpartition(b"@")
    if wanted_mailbox and wanted_mailbox != mailbox:
        return False
    return host.lower() == wanted.lower()


def _uri_in(name: bytes, base: bytes) -> bool:
    before, colon, rest = name.partition(b":")
    del before
    if not colon or not rest.startswith(b"//"):
        raise _Refused(_SYNTAX)
    rest = rest[2:]
    # The port's colon is looked for first, wherever it stands.
    host = rest.split(b":", 1)[0] if b":" in rest else rest.split(b"/", 1)[0]
    if not host:
        raise _Refused(_SYNTAX)
    if base.startswith(b"."):
        return len(host) > len(base) and host.lower().endswith(base.lower())
    return host.lower() == base.lower()


def _ip_in(name: bytes, base: bytes) -> bool:
    if len(name) not in (4, 16) or len(base) not in (8, 32):
        raise _Refused(_SYNTAX)
    if len(name) * 2 != len(base):
        return False
    network, mask = base[: len(name)], base[len(name) :]
    return all(one & bit == other & bit for one, other, bit in zip(name, network, mask, strict=True))
