"""What the driver says, as reason classes: the whole of what the comparison forgives.

A text stands for the classes that it may rightly be predicted as. Two classes for one text mean that the driver does
not tell them apart, not that we may mix them up.
"""

from __future__ import annotations

import re

from assessor.clients.outcome import ReasonClass as R

from .driver import Said

_NO_ISSUER = frozenset({R.UNTRUSTED_ROOT, R.INTERMEDIATE_MISSING})
_BAD = frozenset({R.BAD_CERTIFICATE})

#: OpenSSL's verification texts. The driver's own check of the name speaks in the same place.
VERIFY: dict[str, frozenset[R]] = {
    "unable to get local issuer certificate": _NO_ISSUER,
    "unable to get issuer certificate": _NO_ISSUER,
    "self-signed certificate": frozenset({R.UNTRUSTED_ROOT}),
    "self-signed certificate in certificate chain": frozenset({R.UNTRUSTED_ROOT}),
    "subject name does not match host name": frozenset({R.NAME_MISMATCH}),
    "certificate has expired": frozenset({R.EXPIRED}),
    "certificate is not yet valid": frozenset({R.NOT_YET_VALID}),
    "unsuitable certificate purpose": frozenset({R.WRONG_USAGE}),
    "invalid CA certificate": frozenset({R.INVALID_CA}),
    "path length constraint exceeded": frozenset({R.PATH_LENGTH}),
    "certificate chain too long": frozenset({R.PATH_LENGTH}),
    "EE certificate key too weak": frozenset({R.WEAK_KEY}),
    "CA certificate key too weak": frozenset({R.WEAK_KEY}),
    "CA signature digest algorithm too weak": frozenset({R.WEAK_SIGNATURE}),
    "permitted subtree violation": frozenset({R.NAME_CONSTRAINTS}),
    "excluded subtree violation": frozenset({R.NAME_CONSTRAINTS}),
    "unsupported name constraint type": frozenset({R.NAME_CONSTRAINTS}),
    "unsupported or invalid name syntax": frozenset({R.NAME_CONSTRAINTS}),
    "name constraints minimum and maximum not supported": frozenset({R.NAME_CONSTRAINTS}),
    "certificate signature failure": _BAD,
    "unhandled critical extension": _BAD,
    "proxy certificates not allowed, please set the appropriate flag": _BAD,
    "format error in certificate's notBefore field": _BAD,
    "format error in certificate's notAfter field": _BAD,
}

#: All other texts, as patterns, with the modes in which they mean it.
_STRICT, _TDS7, _ANY = (True,), (False,), (True, False)
OTHERS: tuple[tuple[str, tuple[bool, ...], frozenset[R]], ...] = (
    (r"legacy sigalg disallowed or unsupported", _ANY, frozenset({R.TLS_VERSION})),
    (r"alert protocol version", _ANY, frozenset({R.TLS_VERSION})),
    (r"alert handshake failure", _ANY, frozenset({R.TLS_VERSION})),
    (r"unsupported protocol", _ANY, frozenset({R.TLS_VERSION})),
    (r"ecc cert not for signing", _ANY, _BAD),
    # Several unreadable certificates fill the place of the verification text, so it can't be told.
    (r"X509 V3 routines::invalid certificate\](?!.*verify failed)", _ANY, _NO_ISSUER | _BAD),
    # RSA's complaints about a wrong signature fill the place of the verification text.
    (r"(rsa|asn1 encoding) routines::[^]]*\](?!.*verify failed)", _ANY, _BAD),
    (r"Provided certificate doesn't match with server/peer certificate", _STRICT, frozenset({R.PIN_MISMATCH})),
    (r"server certificate is either expired or not valid", _STRICT, frozenset({R.EXPIRED, R.NOT_YET_VALID})),
    (r"Encryption not supported on SQL Server\. \(20\)", _TDS7, frozenset({R.ENCRYPTION_NOT_SUPPORTED})),
    (r"error was encountered during handshakes before login.*\(26\)", _TDS7, frozenset({R.STRICT_REQUIRED})),
    # A pinned certificate that OpenSSL can't read leaves an error behind, which ends the login.
    (r"error was encountered during handshakes before login.*\(26\)", _STRICT, _BAD),
    (r"TCP Provider: Error code 0x68 \(104\)", _STRICT, frozenset({R.STRICT_NOT_SUPPORTED})),
)

_VERIFY = re.compile(r"certificate verify failed:([^\]]*)\]")


def verify_text(text: str) -> str | None:
    """OpenSSL's verification text inside an error message."""
    found = _VERIFY.search(text)
    return found[1] if found else None


def classes(said: Said, *, strict: bool) -> frozenset[R] | None:
    """The classes that may have been predicted for this refusal; ``None`` for a text that is not in the tables."""
    if (verify := verify_text(said.text)) is not None:
        return VERIFY.get(verify)
    for pattern, modes, meant in OTHERS:
        if strict in modes and re.search(pattern, said.text):
            return meant
    return None
