"""A TLS client that wants to see a certificate and judges nothing: bytes in, bytes out, no socket.

It verifies nothing, on purpose: what is sent becomes evidence, and :mod:`assessor.certificates` judges it. It also
accepts what no client should any more (TLS 1.0, small keys, SHA-1), for a server that can do no better must still
be seen for what it is. Nothing secret is ever sent through it.
"""

from __future__ import annotations

import ipaddress
from enum import Enum
from typing import Final

from OpenSSL import SSL, crypto

from assessor.probe.evidence import TlsSession
from assessor.probe.wire import printable

TDS8_ALPN: Final = "tds/8.0"
#: OpenSSL itself refuses a certificate message of more than 100 KB.
MAX_CERTIFICATES: Final = 32

_CHUNK: Final = 64 * 1024
#: Every cipher that OpenSSL still has, but for those without a certificate.
_CIPHERS: Final = b"ALL:!aNULL:@SECLEVEL=0"
#: SSL_OP_LEGACY_SERVER_CONNECT: Windows 2008 without updates knows no secure renegotiation (RFC 5746).
_LEGACY_SERVER: Final = 0x4


class TlsMode(Enum):
    """Which of the two ways of TLS in TDS."""

    INSIDE_TDS7 = "inside TDS 7"  #: at most TLS 1.2, [MS-TDS] 2.2.6.5; no ALPN
    TDS8 = "TDS 8.0"  #: TLS first, 1.2 or 1.3, ALPN ``tds/8.0``


class TlsError(Exception):
    """The handshake, or a record after it, failed."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons) or "TLS failed without a reason")
        self.reasons = reasons  #: OpenSSL's own words

    @property
    def is_oversize(self) -> bool:
        """The peer's certificates exceed every bound."""
        return any("excessive message size" in reason or "too many" in reason for reason in self.reasons)

    @property
    def is_alpn_refusal(self) -> bool:
        """The peer speaks TLS, and wants another protocol inside than TDS (RFC 7301)."""
        return any("no application protocol" in reason for reason in self.reasons)


class TlsClient:
    """One TLS connection over memory.

    Call :meth:`advance` with what came in (``b""`` at first) and send :meth:`outgoing`, until it returns true.
    """

    def __init__(self, mode: TlsMode, server_name: str) -> None:
        """Prepare a handshake with ``server_name``, the host as dialled (SNI is sent unless it is an address)."""
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_verify(SSL.VERIFY_NONE)
        context.set_cipher_list(_CIPHERS)
        context.set_options(_LEGACY_SERVER)
        if mode is TlsMode.INSIDE_TDS7:
            context.set_min_proto_version(SSL.TLS1_VERSION)
            context.set_max_proto_version(SSL.TLS1_2_VERSION)
        else:
            context.set_min_proto_version(SSL.TLS1_2_VERSION)
            context.set_alpn_protos([TDS8_ALPN.encode()])
        self._connection = SSL.Connection(context, None)
        indication = server_name_indication(server_name)
        if indication is not None:
            self._connection.set_tlsext_host_name(indication)
        self._connection.set_connect_state()

    def advance(self, received: bytes) -> bool:
        """Take ``received`` and go on with the handshake; whether it is complete.

        Raises:
            TlsError: it can't be completed any more. :meth:`outgoing` may hold the alert, :meth:`chain` what the
                server sent before.

        """
        self._take(received)
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise _failed(error) from None
        return True

    def outgoing(self) -> bytes:
        """What is to be sent to the peer now; may be empty."""
        pieces = []
        while True:
            try:
                pieces.append(self._connection.bio_read(_CHUNK))
            except SSL.WantReadError:
                return b"".join(pieces)

    def encrypt(self, data: bytes) -> bytes:
        """``data`` as records to send, once the handshake is complete.

        Raises:
            TlsError: the connection is over.

        """
        try:
            self._connection.sendall(data)
        except SSL.Error as error:
            raise _failed(error) from None
        return self.outgoing()

    def decrypt(self, received: bytes) -> bytes | None:
        """What ``received`` holds for us: ``b""`` when more is needed, ``None`` when the peer said goodbye.

        Raises:
            TlsError: an alert, or a record that is none.

        """
        self._take(received)
        pieces = []
        while True:
            try:
                pieces.append(self._connection.recv(_CHUNK))
            except SSL.WantReadError:
                return b"".join(pieces)
            except SSL.ZeroReturnError:
                return b"".join(pieces) or None
            except SSL.Error as error:
                raise _failed(error) from None

    def chain(self) -> tuple[str, ...]:
        """The certificates as sent so far, in that order, PEM. Also after a handshake that failed late.

        Raises:
            TlsError: more than :data:`MAX_CERTIFICATES`.

        """
        sent = self._connection.get_peer_cert_chain() or []
        if len(sent) > MAX_CERTIFICATES:
            raise TlsError((f"too many certificates: {len(sent)}",))
        return tuple(crypto.dump_certificate(crypto.FILETYPE_PEM, one).decode("ascii") for one in sent)

    def session(self) -> TlsSession:
        """What was negotiated, once the handshake is complete.

        Raises:
            TlsError: the server sent no certificate, or too many.

        """
        certificates = self.chain()
        if not certificates:
            raise TlsError(("the server sent no certificate",))
        alpn = self._connection.get_alpn_proto_negotiated()
        return TlsSession(
            version=self._connection.get_protocol_version_name(),
            cipher=self._connection.get_cipher_name() or "",
            alpn=printable(alpn) if alpn else None,
            certificates=certificates,
        )

    def _take(self, received: bytes) -> None:
        view = memoryview(received)
        while view:
            view = view[self._connection.bio_write(bytes(view)) :]


def server_name_indication(host: str) -> bytes | None:
    """The SNI for ``host``: its ASCII form, or ``None`` for an address or what no name can be (RFC 6066 section 3)."""
    name = host.rstrip(".")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return None
    try:
        encoded = name.encode("ascii") if name.isascii() else name.encode("idna")
    except UnicodeError:
        return None
    return encoded if 0 < len(encoded) <= 255 and 0 not in encoded else None


def _failed(error: SSL.Error) -> TlsError:
    """OpenSSL's error queue, most telling last as it puts it, in its own words."""
    if isinstance(error, SSL.SysCallError):
        return TlsError(("the stream ended in the middle of TLS",))
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return TlsError(tuple(str(entry[-1]) for entry in queue if entry and entry[-1]))
