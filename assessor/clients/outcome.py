"""The outcome of one connection attempt by one client."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assessor.clients.options import Encrypt


class Basis(StrEnum):
    """What a prediction rests on."""

    MEASURED = "measured"  #: checked against the real driver by ``tests/oracle``
    DOCUMENTED = "documented"  #: a published statement; the profile names it
    INFERRED = "inferred"  #: our reasoning from the mechanism


class ReasonClass(StrEnum):
    """Why an attempt connects or fails; the key into ``clients/errors.toml``."""

    CONNECTED = "connected"  #: certificate validated
    CONNECTED_UNVALIDATED = "connected_unvalidated"  #: encrypted, certificate not looked at
    CONNECTED_LOGIN_ONLY = "connected_login_only"  #: login packet encrypted, session in clear, nothing validated
    CONNECTED_IN_CLEAR = "connected_in_clear"
    UNTRUSTED_ROOT = "untrusted_root"
    INTERMEDIATE_MISSING = "intermediate_missing"
    NAME_MISMATCH = "name_mismatch"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_USAGE = "wrong_usage"
    INVALID_CA = "invalid_ca"
    PATH_LENGTH = "path_length"
    NAME_CONSTRAINTS = "name_constraints"
    WEAK_KEY = "weak_key"
    WEAK_SIGNATURE = "weak_signature"
    BAD_CERTIFICATE = "bad_certificate"  #: unreadable, unknown critical extension, bad signature
    TLS_VERSION = "tls_version"  #: no common TLS version or cipher
    ENCRYPTION_NOT_SUPPORTED = "encryption_not_supported"
    STRICT_REQUIRED = "strict_required"  #: TDS 7 client, Force Strict server
    STRICT_NOT_SUPPORTED = "strict_not_supported"  #: strict client, server without TDS 8
    PIN_MISMATCH = "pin_mismatch"
    BAD_OPTION = "bad_option"  #: the driver refuses the option before it dials
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"  #: a fact is missing; ``depends_on`` says which


@dataclass(frozen=True, slots=True)
class PredictedError:
    """The error that a person will see. Match on ``number``: the text is translated on localised systems."""

    number: int | None  #: native code, e.g. -2146893019; ``None`` where the client gives none
    text: str  #: the English text as the client prints it
    wrapped_in: tuple[str, ...] = ()  #: what the engine prints around it, e.g. ``Msg 7303 …``
    source: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens when one client with given options dials an endpoint with given evidence.

    ``connects`` is ``None`` when the evidence does not decide it; ``depends_on`` then says on what it depends.
    """

    client: str  #: id of the client profile
    encrypt: Encrypt | None
    connects: bool | None
    reason: ReasonClass
    validated: bool | None  #: the certificate was checked (``None`` when unknown)
    explanation: str  #: one sentence
    error: PredictedError | None
    basis: Basis
    depends_on: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
