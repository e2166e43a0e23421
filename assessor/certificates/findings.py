"""Findings: each thing that can be wrong with a certificate chain, separately."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assessor.clients.outcome import ReasonClass


class FindingCode(StrEnum):
    """What is wrong, or worth knowing. Stable: scripts match on it."""

    UNTRUSTED_ROOT = "untrusted_root"  #: the chain ends in a root, or in an issuer, that the store lacks
    SELF_SIGNED = "self_signed"  #: one self-signed certificate that the store lacks
    FALLBACK = "fallback_certificate"  #: SQL Server's own SSL_Self_Signed_Fallback
    INTERMEDIATE_MISSING = "intermediate_missing"  #: the server does not send a CA that the chain needs
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRES_SOON = "expires_soon"  #: before the horizon; not an error
    CA_EXPIRED = "ca_expired"
    CA_NOT_YET_VALID = "ca_not_yet_valid"
    NOT_A_CA = "not_a_ca"
    PATH_LENGTH = "path_length"
    WRONG_EKU = "wrong_extended_key_usage"
    KEY_USAGE = "key_usage"
    WEAK_KEY = "weak_key"
    WEAK_CA_KEY = "weak_ca_key"
    WEAK_SIGNATURE = "weak_signature"
    BAD_SIGNATURE = "bad_signature"
    NAME_CONSTRAINTS = "name_constraints"
    UNKNOWN_CRITICAL = "unknown_critical_extension"
    UNREADABLE = "unreadable_certificate"
    CHAIN_TOO_LONG = "chain_too_long"
    NAME_MISMATCH = "name_mismatch"
    NO_NAMES = "no_names"  #: the certificate names no host at all; not an error by itself


#: Which reason class a finding becomes when a client refuses because of it.
REASON_OF: dict[FindingCode, ReasonClass] = {
    FindingCode.UNTRUSTED_ROOT: ReasonClass.UNTRUSTED_ROOT,
    FindingCode.SELF_SIGNED: ReasonClass.UNTRUSTED_ROOT,
    FindingCode.FALLBACK: ReasonClass.UNTRUSTED_ROOT,
    FindingCode.INTERMEDIATE_MISSING: ReasonClass.INTERMEDIATE_MISSING,
    FindingCode.EXPIRED: ReasonClass.EXPIRED,
    FindingCode.CA_EXPIRED: ReasonClass.EXPIRED,
    FindingCode.NOT_YET_VALID: ReasonClass.NOT_YET_VALID,
    FindingCode.CA_NOT_YET_VALID: ReasonClass.NOT_YET_VALID,
    FindingCode.NOT_A_CA: ReasonClass.INVALID_CA,
    FindingCode.PATH_LENGTH: ReasonClass.PATH_LENGTH,
    FindingCode.WRONG_EKU: ReasonClass.WRONG_USAGE,
    FindingCode.KEY_USAGE: ReasonClass.WRONG_USAGE,
    FindingCode.WEAK_KEY: ReasonClass.WEAK_KEY,
    FindingCode.WEAK_CA_KEY: ReasonClass.WEAK_KEY,
    FindingCode.WEAK_SIGNATURE: ReasonClass.WEAK_SIGNATURE,
    FindingCode.BAD_SIGNATURE: ReasonClass.BAD_CERTIFICATE,
    FindingCode.NAME_CONSTRAINTS: ReasonClass.NAME_CONSTRAINTS,
    FindingCode.UNKNOWN_CRITICAL: ReasonClass.BAD_CERTIFICATE,
    FindingCode.UNREADABLE: ReasonClass.BAD_CERTIFICATE,
    FindingCode.CHAIN_TOO_LONG: ReasonClass.PATH_LENGTH,
    FindingCode.NAME_MISMATCH: ReasonClass.NAME_MISMATCH,
}

#: Findings that are worth reading but that no client refuses a connection for.
NOTES = frozenset({FindingCode.EXPIRES_SOON, FindingCode.NO_NAMES})


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, about the certificate at ``depth`` (0 is the server's own)."""

    code: FindingCode
    message: str  #: one sentence with the names and dates that matter
    depth: int
    openssl: str = ""  #: the words OpenSSL has for it, empty when it has none
