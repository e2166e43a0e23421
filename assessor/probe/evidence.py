"""What the probe saw at an endpoint: received facts, no judgement (that is :mod:`assessor.judge`'s)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EncryptionAnswer(StrEnum):
    """The server's PRELOGIN answer to a client that sent ENCRYPT_OFF (MS-TDS 2.2.6.5).

    ``STRICT_ONLY`` is not a wire value: the server closed a TDS 7 conversation and answered a TLS-first one.
    """

    OFF = "off"  #: 0x00: encryption available, not forced
    ON = "on"  #: 0x01
    NOT_SUPPORTED = "not_supported"  #: 0x02
    REQUIRED = "required"  #: 0x03: Force Encryption
    STRICT_ONLY = "strict_only"  #: Force Strict Encryption


class FailureClass(StrEnum):
    """Why an endpoint, or one handshake with it, gave no evidence."""

    NAME_NOT_RESOLVED = "name_not_resolved"
    BROWSER_SILENT = "browser_silent"  #: SQL Browser did not answer: off, hidden, filtered or unknown instance
    INSTANCE_HAS_NO_TCP = "instance_has_no_tcp"
    PORT_CLOSED = "port_closed"
    UNREACHABLE = "unreachable"  #: network or host unreachable
    TIMED_OUT = "timed_out"  #: no TCP answer in time
    STALLED = "stalled"  #: connected, then silent or too slow
    CLOSED = "closed"  #: connected, then closed without an answer
    NOT_TDS = "not_tds"  #: something else lives at this port
    PROTOCOL_ERROR = "protocol_error"  #: began as TDS, then broke the protocol
    TLS_FAILED = "tls_failed"  #: TLS alert, or no common version or cipher
    TOO_LARGE = "too_large"  #: sent more than a sane server ever would
    NOT_ADDRESSABLE = "not_addressable"  #: named pipe, shared memory, LocalDB: nothing to probe over TCP
    SKIPPED = "skipped"  #: probing was switched off or interrupted


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """An address that is probed once, however many edges use it. All names are lower-case.

    ``port`` is ``None`` when only SQL Browser knows it (``instance`` is then set).
    """

    host: str
    port: int | None
    instance: str | None = None

    @property
    def id(self) -> str:
        r"""``host,port`` or ``host\instance``: stable across runs."""
        if self.port is not None:
            return f"{self.host},{self.port}"
        return f"{self.host}\\{self.instance}"


@dataclass(frozen=True, slots=True)
class TlsSession:
    """One completed TLS handshake: what was negotiated and the chain exactly as sent, leaf first."""

    version: str  #: ``TLSv1.2`` and its like, as OpenSSL names it
    cipher: str
    alpn: str | None
    certificates: tuple[str, ...]  #: PEM, in the order received; a name for each is in the certificate itself


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one endpoint showed to a client that never logged in.

    Either ``failure`` is set and nothing past it is known, or ``encryption`` is. ``tls`` is the handshake inside
    TDS 7 packets, ``strict`` the TLS-first one (TDS 8.0); each may fail apart, with its own failure.
    """

    endpoint: Endpoint
    vantage: str  #: host name of the machine that probed
    probed_at: datetime
    address: str | None = None  #: the IP address that answered
    port: int | None = None  #: the TCP port that was dialled (from Browser for a named instance)
    failure: FailureClass | None = None
    failure_detail: str = ""
    encryption: EncryptionAnswer | None = None
    server_version: str | None = None  #: from PRELOGIN, ``16.0.4135``
    tls: TlsSession | None = None
    tls_failure: FailureClass | None = None
    tls_failure_detail: str = ""
    unfinished_chain: tuple[str, ...] = ()  #: PEM, sent by a TDS 7 handshake that then failed
    strict: TlsSession | None = None
    strict_failure: FailureClass | None = None
    strict_failure_detail: str = ""
    milliseconds: int = 0

    @property
    def reachable(self) -> bool:
        """The endpoint spoke TDS with us."""
        return self.failure is None

    @property
    def chain(self) -> tuple[str, ...]:
        """The certificates sent, from whichever handshake completed, or from one that failed after them."""
        session = self.tls or self.strict
        return session.certificates if session else self.unfinished_chain
