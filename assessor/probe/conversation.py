"""Visit one endpoint and write down what it shows. It never logs in.

The order of questions:

1. Where? The name is resolved; SQL Browser is asked for the port of a named instance; TCP connects.
2. TDS 7: PRELOGIN with ENCRYPT_OFF, so that the answer tells "forced" from "available", then the TLS handshake
   inside TDS packets, for the certificate.
3. TDS 8: on a second connection TLS first, with PRELOGIN inside. A server that closes the first conversation
   without a word and answers this one accepts strict clients only, if it closes once more when asked again:
   a connection may also be lost by accident.

Each question has its own time, all together have one more, and each connection a limit of bytes.
"""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from assessor.probe import browser
from assessor.probe.dial import Resolver, dial
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass, TlsSession
from assessor.probe.prelogin import (
    ClientEncryption,
    NotTdsError,
    OversizeError,
    PacketReader,
    PacketType,
    PreloginAnswer,
    TdsError,
    packets,
    parse_prelogin_answer,
    prelogin_request,
)
from assessor.probe.settings import ProbeSettings
from assessor.probe.tls import TDS8_ALPN, TlsClient, TlsError, TlsMode
from assessor.probe.wire import Address, Deadline, ProbeError, Wire, printable

_TLS_RECORDS = frozenset({0x14, 0x15, 0x16})  #: first bytes of a TLS peer: change cipher, alert, handshake


def probe_endpoint(endpoint: Endpoint, settings: ProbeSettings, resolver: Resolver) -> Evidence:
    """All that ``endpoint`` shows within the limits of ``settings``. Raises nothing: failures are evidence."""
    began = time.monotonic()
    evidence = _Visit(endpoint, settings, resolver).evidence()
    return replace(evidence, milliseconds=round((time.monotonic() - began) * 1000))


class _NoTds7(Exception):
    """The peer would not talk TDS 7, in one of the two ways in which a strict-only server won't."""

    def __init__(self, failure: FailureClass, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


class _OtherProtocol(ProbeError):
    """TLS refused ALPN ``tds/8.0``: there is a TLS server, for something else."""


class _Stream(Protocol):
    def send(self, data: bytes) -> None: ...

    def receive(self) -> bytes: ...


class _Visit:
    """The state of one visit: whom, how, and until when."""

    def __init__(self, endpoint: Endpoint, settings: ProbeSettings, resolver: Resolver) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._resolver = resolver
        self._deadline = Deadline(settings.total_seconds)

    def evidence(self) -> Evidence:
        seen = Evidence(
            endpoint=self._endpoint,
            vantage=self._settings.vantage,
            probed_at=datetime.now(UTC),
            port=self._endpoint.port,
        )
        try:
            port = self._port()
            seen = replace(seen, port=port)
            connected, address = self._connect(self._addresses(port))
            seen = replace(seen, address=address.ip)
            seen = self._tds7(seen, connected)
        except ProbeError as error:
            return replace(seen, failure=error.failure, failure_detail=error.detail)
        except _NoTds7 as refusal:
            return self._strict_only(seen, address, refusal)
        try:
            session, _ = self._tls_first(address)
        except ProbeError as error:
            return replace(seen, strict_failure=error.failure, strict_failure_detail=error.detail)
        return replace(seen, strict=session)

    # Where?

    def _addresses(self, port: int) -> tuple[Address, ...]:
        host, dialled_port = self._settings.routes.to(self._endpoint.host, port)
        until = self._deadline.within(self._settings.resolve_seconds)
        return self._resolver.resolve(host, dialled_port, until)

    def _port(self) -> int:
        if self._endpoint.port is not None:
            if not 1 <= self._endpoint.port <= 65535:  # the system's resolver would dial it modulo 65536
                raise ProbeError(FailureClass.NOT_ADDRESSABLE, f"{self._endpoint.port} is no TCP port")
            return self._endpoint.port
        if self._endpoint.instance is None:
            raise ProbeError(FailureClass.NOT_ADDRESSABLE, "the endpoint has neither a port nor an instance name")
        return browser.find_port(
            self._endpoint.host, self._endpoint.instance, self._settings, self._resolver, self._deadline
        )

    def _connect(self, addresses: tuple[Address, ...]) -> tuple[socket.socket, Address]:
        return dial(addresses, self._deadline.within(self._settings.connect_seconds))

    def _phase(self) -> Deadline:
        return self._deadline.within(self._settings.answer_seconds)

    # TDS 7

    def _tds7(self, seen: Evidence, connected: socket.socket) -> Evidence:
        wire = Wire(connected, self._phase())
        try:
            reader = PacketReader()
            answer = _prelogin(wire, reader, ClientEncryption.OFF)
            seen = replace(seen, encryption=answer.encryption, server_version=answer.server_version)
            if answer.encryption is EncryptionAnswer.NOT_SUPPORTED:
                return seen
            wire.deadline = self._phase()
            tls = TlsClient(TlsMode.INSIDE_TDS7, self._endpoint.host)
            try:
                _handshake(_InsideTds(wire, reader), tls)
                return replace(seen, tls=_session(tls))
            except ProbeError as error:
                return replace(
                    seen,
                    tls_failure=error.failure,
                    tls_failure_detail=error.detail,
                    unfinished_chain=_chain_so_far(tls),
                )
        finally:
            wire.close()

    # TDS 8

    def _strict_only(self, seen: Evidence, address: Address, refusal: _NoTds7) -> Evidence:
        try:
            session, answer = self._tls_first(address)
        except ProbeError as error:
            failure = refusal.failure
            if isinstance(error, _OtherProtocol) or error.failure is FailureClass.NOT_TDS:
                failure = FailureClass.NOT_TDS
            detail = f"{refusal.detail}; TLS first: {error.detail}"
            return replace(seen, failure=failure, failure_detail=detail)
        try:
            connected, _ = self._connect((address,))
            return replace(self._tds7(seen, connected), strict=session)
        except (ProbeError, _NoTds7):
            return replace(
                seen,
                encryption=EncryptionAnswer.STRICT_ONLY,
                server_version=answer.server_version if answer else None,
                strict=session,
            )

    def _tls_first(self, address: Address) -> tuple[TlsSession, PreloginAnswer | None]:
        """TLS, then PRELOGIN inside. A server of anything else but TDS is not taken for one."""
        connected, _ = self._connect((address,))
        wire = Wire(connected, self._phase())
        try:
            tls = TlsClient(TlsMode.TDS8, self._endpoint.host)
            _handshake(wire, tls)
            session = _session(tls)
            wire.deadline = self._phase()
            try:
                inside = _prelogin(_InsideTls(wire, tls), PacketReader(), ClientEncryption.NOT_SUPPORTED)
            except ProbeError as error:
                # A refusal by TLS, such as the demand for a client's certificate, comes only now in TLS 1.3.
                if error.failure is FailureClass.TLS_FAILED:
                    raise
                return self._without_prelogin(session, error.detail)
            except _NoTds7 as refusal:
                return self._without_prelogin(session, refusal.detail)
            return session, inside
        finally:
            wire.close()

    @staticmethod
    def _without_prelogin(session: TlsSession, detail: str) -> tuple[TlsSession, None]:
        if session.alpn == TDS8_ALPN:
            return session, None
        raise ProbeError(FailureClass.NOT_TDS, f"it speaks TLS, but not TDS 8.0 inside: {detail}")


class _InsideTds:
    """TLS records as the payload of TDS packets ([MS-TDS] 2.2.6.5), until the handshake ends."""

    def __init__(self, wire: Wire, reader: PacketReader) -> None:
        self._wire = wire
        self._reader = reader

    def send(self, data: bytes) -> None:
        self._wire.send(packets(PacketType.PRELOGIN, data))

    def receive(self) -> bytes:
        while True:
            try:
                packet = self._reader.next_packet()
            except TdsError as error:
                raise ProbeError(FailureClass.PROTOCOL_ERROR, f"in the TLS handshake: {error}") from None
            if packet is not None and packet.payload:
                return packet.payload
            if packet is None:
                received = self._wire.receive()
                if not received:
                    return b""
                self._reader.feed(received)


class _InsideTls:
    """TDS packets inside a TLS connection (TDS 8.0)."""

    def __init__(self, wire: Wire, tls: TlsClient) -> None:
        self._wire = wire
        self._tls = tls

    def send(self, data: bytes) -> None:
        try:
            self._wire.send(self._tls.encrypt(data))
        except TlsError as error:
            raise _tls_failed(error) from None

    def receive(self) -> bytes:
        received = b""  # first what came together with the end of the handshake
        while True:
            try:
                inside = self._tls.decrypt(received)
            except TlsError as error:
                raise _tls_failed(error) from None
            if inside is None:
                return b""
            if inside:
                return inside
            received = self._wire.receive()
            if not received:
                return b""


def _prelogin(stream: _Stream, reader: PacketReader, encryption: ClientEncryption) -> PreloginAnswer:
    """Ask, and read the one message that answers. What follows it stays in ``reader``."""
    stream.send(prelogin_request(encryption))
    anything = False
    try:
        while (message := reader.next_message()) is None:
            received = stream.receive()
            if not received and not anything:
                raise _NoTds7(FailureClass.CLOSED, "closed without an answer to PRELOGIN")
            if not received:
                raise ProbeError(FailureClass.PROTOCOL_ERROR, "closed in the middle of its answer to PRELOGIN")
            anything = True
            reader.feed(received)
        kind, body = message
        if kind is not PacketType.ANSWER:
            raise TdsError(f"answered PRELOGIN with a packet of type 0x{kind:02X}")
        return parse_prelogin_answer(body)
    except NotTdsError as error:
        if error.first_bytes[0] in _TLS_RECORDS:
            raise _NoTds7(FailureClass.NOT_TDS, "answered PRELOGIN with a TLS record") from None
        detail = f"answered PRELOGIN with '{printable(error.first_bytes)}'"
        raise ProbeError(FailureClass.NOT_TDS, detail) from None
    except OversizeError as error:
        raise ProbeError(FailureClass.TOO_LARGE, f"answered PRELOGIN with {error}") from None
    except TdsError as error:
        raise ProbeError(FailureClass.PROTOCOL_ERROR, str(error)) from None


def _handshake(stream: _Stream, tls: TlsClient) -> None:
    received = b""
    while True:
        try:
            complete = tls.advance(received)
        except TlsError as error:
            if alert := tls.outgoing():
                stream.send(alert)
            raise _tls_failed(error) from None
        if outgoing := tls.outgoing():
            stream.send(outgoing)
        if complete:
            return
        received = stream.receive()
        if not received:
            raise ProbeError(FailureClass.CLOSED, "closed in the middle of the TLS handshake")


def _session(tls: TlsClient) -> TlsSession:
    try:
        return tls.session()
    except TlsError as error:
        raise _tls_failed(error) from None


def _chain_so_far(tls: TlsClient) -> tuple[str, ...]:
    try:
        return tls.chain()
    except TlsError:  # too many: the failure already says so
        return ()


def _tls_failed(error: TlsError) -> ProbeError:
    detail = printable(str(error), 200)
    if error.is_oversize:
        return ProbeError(FailureClass.TOO_LARGE, detail)
    if error.is_alpn_refusal:
        return _OtherProtocol(FailureClass.TLS_FAILED, detail)
    return ProbeError(FailureClass.TLS_FAILED, detail)
