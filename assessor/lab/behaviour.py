"""How one emulated server behaves: everything a client can notice about it, as one value that can be swapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assessor.lab.tls import DEFAULT_CIPHERS, Credentials, TlsVersion
from assessor.lab.wire import Column, ServerMessage, Value


class Manner(StrEnum):
    """What a listening port does with a connection."""

    TDS = "tds"
    SILENT = "silent"  #: accepts, reads, never answers
    CLOSES = "closes"  #: accepts and hangs up
    OTHER_SERVICE = "other_service"  #: speaks first, and not TDS


class Encryption(StrEnum):
    """Server-side encryption, as PRELOGIN negotiates it (MS-TDS 2.2.6.5)."""

    AVAILABLE = "available"  #: encrypts the login always, the rest when the client asks
    FORCED = "forced"  #: Force Encryption = Yes
    NOT_SUPPORTED = "not_supported"


@dataclass(frozen=True, slots=True)
class Rows:
    """A result set."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """One or more messages in place of rows."""

    messages: tuple[ServerMessage, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """The statement ran and returned no result set."""


@dataclass(frozen=True, slots=True)
class Hangs:
    """No answer until the client gives up (sends an attention)."""


@dataclass(frozen=True, slots=True)
class Drops:
    """The connection is reset in place of an answer."""


Reply = Rows | Refused | Nothing | Hangs | Drops

#: Answers a batch: its text and the current database in, a reply out; ``None`` when the batch is unknown.
Answers = Callable[[str, str], Reply | None]


def answers_nothing(batch: str, database: str) -> Reply | None:
    """A server without canned rows: every batch is unknown."""
    return None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One server's behaviour. Frozen: change a running server by giving it another one.

    Sharing :class:`Credentials` between behaviours keeps handshakes cheap, as TLS contexts are kept per
    credentials.
    """

    credentials: Credentials | None = None  #: ``None``: no certificate, so no TLS at all
    encryption: Encryption = Encryption.AVAILABLE
    force_strict: bool = False
    tds8: bool = True
    tls: tuple[TlsVersion, TlsVersion] = (TlsVersion.V1_2, TlsVersion.V1_3)
    ciphers: str = DEFAULT_CIPHERS  #: as OpenSSL writes lists of them; up to TLS 1.2
    version: tuple[int, int, int, int] = (16, 0, 4175, 1)
    server_name: str = "LAB"
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)  #: login name to password
    databases: tuple[str, ...] = ("master", "model", "msdb", "tempdb")
    answers: Answers = answers_nothing
    manner: Manner = Manner.TDS

    def __post_init__(self) -> None:
        """Refuse a server that can't exist.

        Raises:
            ValueError: encryption is demanded without a certificate.

        """
        if self.credentials is None and (self.force_strict or self.encryption is Encryption.FORCED):
            raise ValueError("a server that forces encryption needs a certificate")
        if self.force_strict and not self.tds8:
            raise ValueError("Force Strict Encryption needs TDS 8.0")
