"""Servers on loopback that behave and misbehave as a test says. Built without the code under test."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Script = Callable[[socket.socket, int], None]
"""What a server does with one connection; the number counts connections from 0."""


@contextlib.contextmanager
def listening(script: Script, host: str = "127.0.0.1", family: int = socket.AF_INET) -> Iterator[int]:
    """Serve ``script`` at an ephemeral port of ``host`` and give the port."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((host, 0))
    listener.listen(8)
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def serve(connected: socket.socket, number: int) -> None:
        with connected, contextlib.suppress(OSError, EOFError):
            connected.settimeout(20)
            script(connected, number)

    def accept() -> None:
        number = 0
        while not ended.is_set():
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            if ended.is_set():
                connected.close()
                return
            threads.append(threading.Thread(target=serve, args=(connected, number)))
            threads[-1].start()
            number += 1

    accepting = threading.Thread(target=accept)
    accepting.start()
    port = listener.getsockname()[1]
    try:
        yield port
    finally:
        ended.set()
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as waking:
            waking.settimeout(5)
            waking.connect((host, port))
        accepting.join(20)
        listener.close()
        for thread in threads:
            thread.join(20)


def closed_port(host: str = "127.0.0.1") -> int:
    """A port at which nobody listens."""
    with socket.socket() as bound:
        bound.bind((host, 0))
        return int(bound.getsockname()[1])


def reset(connected: socket.socket) -> None:
    """Close with RST."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connected.close()


# TDS


def prelogin_body(encryption: int, version: bytes = bytes((16, 0, 0x10, 0x27, 0, 0))) -> bytes:
    """A PRELOGIN answer as SQL Server 2022 lays it out: VERSION, ENCRYPTION, INSTOPT, THREADID, MARS."""
    values = [(0, version), (1, bytes((encryption,))), (2, b"\x00"), (3, b""), (4, b"\x00")]
    offset = 5 * len(values) + 1
    table = b""
    for token, value in values:
        table += struct.pack(">BHH", token, offset, len(value))
        offset += len(value)
    return table + b"\xff" + b"".join(value for _, value in values)


def packet(payload: bytes, kind: int = 0x04, *, last: bool = True) -> bytes:
    return struct.pack(">BBHHBB", kind, int(last), 8 + len(payload), 0, 1, 0) + payload


def read_exactly(connected: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connected.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_packet(connected: socket.socket) -> tuple[int, bytes]:
    header = read_exactly(connected, 8)
    return header[0], read_exactly(connected, struct.unpack(">H", header[2:4])[0] - 8)


def answer_prelogin(connected: socket.socket, encryption: int) -> None:
    read_packet(connected)
    connected.sendall(packet(prelogin_body(encryption)))


def tls_inside_tds(
    connected: socket.socket, context: ssl.SSLContext, *, chunk: int = 4088, at_a_time: int = 1 << 20
) -> None:
    """The server's side of the handshake, in packets of at most ``chunk`` and writes of ``at_a_time`` bytes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    complete = False
    while not complete:
        try:
            tls.do_handshake()
            complete = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            connected.sendall(packet(outgoing.read(), 0x12))
            return
        records = outgoing.read()
        pieces = [records[start : start + chunk] for start in range(0, len(records), chunk)]
        stream = b"".join(packet(piece, 0x12, last=piece is pieces[-1]) for piece in pieces)
        for start in range(0, len(stream), at_a_time):
            connected.sendall(stream[start : start + at_a_time])
        if not complete:
            incoming.write(read_packet(connected)[1])
    with contextlib.suppress(EOFError):
        read_packet(connected)


def tls_first(connected: socket.socket, context: ssl.SSLContext, inside: Callable[[ssl.SSLSocket], None]) -> None:
    with context.wrap_socket(connected, server_side=True) as tls:
        inside(tls)


def is_tls(connected: socket.socket) -> bool:
    return connected.recv(1, socket.MSG_PEEK)[:1] == b"\x16"


def wait_for_the_end(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connected.recv(4096):
            pass


def flood(connected: socket.socket, data: bytes) -> None:
    while True:
        connected.sendall(data)


# Certificates


@dataclass(frozen=True)
class Credentials:
    """A leaf, the CA that issued it and a stranger, in PEM; files for the ssl module."""

    folder: Path
    key: str
    leaf: str
    issuer: str
    stranger: str

    def context(self, *certificates: str) -> ssl.SSLContext:
        """A server that sends ``certificates`` in this order (the leaf must be the first)."""
        text = self.key + "".join(certificates)
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.pem"
        path.write_text(text)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def ours(self) -> ssl.SSLContext:
        return self.context(self.leaf, self.issuer)

    def tds8(self) -> ssl.SSLContext:
        context = self.ours()
        context.set_alpn_protocols(["tds/8.0"])
        return context

    def only(self, version: ssl.TLSVersion) -> ssl.SSLContext:
        context = self.ours()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = version
        context.minimum_version = version
        return context


def make_credentials(folder: Path) -> Credentials:
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = certificate("Test CA", root_key, "Test CA", root_key)
    leaf = certificate("sql01.corp.example", leaf_key, "Test CA", root_key)
    stranger = certificate("Stranger", leaf_key, "Stranger", leaf_key)
    key = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Credentials(folder, key.decode(), leaf, issuer, stranger)


def certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> str:
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1))
        .not_valid_after(datetime(2021, 1, 1))
        .sign(issuer_key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()
