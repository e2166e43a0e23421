"""The server's half of TLS, in memory, by pyOpenSSL: it brings its own OpenSSL, so TLS 1.0 can still be shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL

ALPN = b"tds/8.0"
DEFAULT_CIPHERS = "DEFAULT"
_READ_SIZE = 1 << 16


class TlsVersion(Enum):
    """TLS versions, oldest first, by the name a DBA writes."""

    V1_0 = "1.0"
    V1_1 = "1.1"
    V1_2 = "1.2"
    V1_3 = "1.3"

    @property
    def number(self) -> int:
        """The version on the wire (RFC 8446 4.2.1)."""
        return 0x0301 + list(TlsVersion).index(self)


@dataclass(frozen=True, slots=True, eq=False)
class Credentials:
    """A certificate, its key, and the certificates that are sent after it, in that order.

    Compared by identity: two servers that share one share its TLS contexts.
    """

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    extra: tuple[x509.Certificate, ...] = ()

    def put_into(self, context: SSL.Context) -> None:
        """Let ``context`` serve them."""
        context.use_certificate(self.certificate)
        context.use_privatekey(self.key)
        for certificate in self.extra:
            context.add_extra_chain_cert(certificate)


@lru_cache(maxsize=512)
def _context(
    credentials: Credentials, lowest: TlsVersion, highest: TlsVersion, ciphers: str, strict: bool
) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    # Level 0 lets weak keys, SHA-1 and TLS 1.0 through: to refuse them is the client's decision.
    context.set_cipher_list(f"{ciphers}:@SECLEVEL=0".encode())
    context.set_min_proto_version(lowest.number)
    context.set_max_proto_version(highest.number)
    # A resumed handshake shows no certificate, and its last flight comes from the client.
    context.set_options(SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    credentials.put_into(context)
    if strict:
        context.set_alpn_select_callback(lambda _, offered: ALPN if ALPN in offered else SSL.NO_OVERLAPPING_PROTOCOLS)
    return context


class TlsFailed(Exception):
    """The handshake or the session broke, or the client closed it."""


class TlsSession:
    """One TLS session, sans I/O: bytes of the wire in and out on one side, clear bytes on the other."""

    def __init__(
        self,
        credentials: Credentials,
        versions: tuple[TlsVersion, TlsVersion],
        *,
        strict: bool,
        ciphers: str = DEFAULT_CIPHERS,
    ) -> None:
        """Begin as a server. TDS 7 never goes above TLS 1.2; TDS 8.0 (``strict``) never below it.

        Where that leaves no version the handshake fails, as it does with a real server.
        """
        lowest, highest = versions
        if strict:
            lowest = max(lowest, TlsVersion.V1_2, key=lambda version: version.number)
        else:
            highest = min(highest, TlsVersion.V1_2, key=lambda version: version.number)
        self._connection = SSL.Connection(_context(credentials, lowest, highest, ciphers, strict), None)
        self._connection.set_accept_state()
        self.established = False

    def receive(self, data: bytes) -> None:
        """Take bytes from the wire, and go on with the handshake if it isn't over.

        Raises:
            TlsFailed: the handshake failed; :meth:`outgoing` may hold an alert.

        """
        if data:
            self._connection.bio_write(data)
        if not self.established:
            try:
                self._connection.do_handshake()
            except SSL.WantReadError:
                return
            except SSL.Error as error:
                raise TlsFailed(str(error)) from error
            self.established = True

    def read(self) -> bytes:
        """All clear bytes that are there.

        Raises:
            TlsFailed: the session is broken or closed.

        """
        clear = bytearray()
        while True:
            try:
                clear += self._connection.recv(_READ_SIZE)
            except SSL.WantReadError:
                return bytes(clear)
            except SSL.Error as error:
                if clear:
                    return bytes(clear)
                raise TlsFailed(str(error)) from error

    def write(self, clear: bytes) -> None:
        """Encrypt ``clear``; fetch the result from :meth:`outgoing`."""
        self._connection.sendall(clear)

    def outgoing(self) -> bytes:
        """All bytes that wait for the wire."""
        out = bytearray()
        while True:
            try:
                out += self._connection.bio_read(_READ_SIZE)
            except SSL.WantReadError:
                return bytes(out)

    @property
    def version(self) -> str:
        """The version negotiated, as OpenSSL names it."""
        return self._connection.get_protocol_version_name()

    @property
    def server_name(self) -> str | None:
        """The name the client asked for (SNI)."""
        name = self._connection.get_servername()
        return name.decode("ascii", "replace") if name else None

    @property
    def protocol(self) -> str | None:
        """The protocol negotiated by ALPN."""
        return self._connection.get_alpn_proto_negotiated().decode("ascii", "replace") or None
