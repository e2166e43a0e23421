from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.probe.tls import MAX_CERTIFICATES, TlsClient, TlsError, TlsMode, server_name_indication

from .servers import Credentials

old_versions = pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")


def shake(client: TlsClient, context: ssl.SSLContext, piece: int = 1 << 20) -> ssl.SSLObject:
    """Play a handshake over memory, ``piece`` bytes at a time towards the client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    complete = client.advance(b"")
    for _ in range(10):
        incoming.write(client.outgoing())
        with contextlib.suppress(ssl.SSLError):
            server.do_handshake()
        records = outgoing.read()
        for start in range(0, len(records), piece):
            complete = client.advance(records[start : start + piece])
        if complete:
            break
    incoming.write(client.outgoing())
    with contextlib.suppress(ssl.SSLWantReadError):
        server.do_handshake()
    return server


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize("mode", list(TlsMode))
def test_the_chain_comes_out_exactly_as_sent_however_it_is_cut(
    credentials: Credentials, mode: TlsMode, piece: int
) -> None:
    sent = (credentials.leaf, credentials.stranger, credentials.issuer, credentials.stranger)
    client = TlsClient(mode, "sql01.corp.example")
    shake(client, credentials.context(*sent), piece)
    assert client.session().certificates == sent


def test_a_leaf_alone_is_a_chain_of_one(credentials: Credentials) -> None:
    client = TlsClient(TlsMode.INSIDE_TDS7, "sql01")
    shake(client, credentials.context(credentials.leaf))
    assert client.session().certificates == (credentials.leaf,)


@old_versions
@pytest.mark.parametrize(
    ("version", "name"),
    [
        (ssl.TLSVersion.TLSv1, "TLSv1"),
        (ssl.TLSVersion.TLSv1_1, "TLSv1.1"),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
    ],
)
def test_inside_tds7_every_version_up_to_1_2_is_met_and_named_as_openssl_does(
    credentials: Credentials, version: ssl.TLSVersion, name: str
) -> None:
    client = TlsClient(TlsMode.INSIDE_TDS7, "sql01")
    shake(client, credentials.only(version))
    assert client.session().version == name


def test_inside_tds7_the_highest_version_is_1_2_whatever_the_server_could(credentials: Credentials) -> None:
    client = TlsClient(TlsMode.INSIDE_TDS7, "sql01")
    shake(client, credentials.ours())
    assert client.session().version == "TLSv1.2"
    assert client.session().alpn is None


def test_tds8_negotiates_1_3_and_its_alpn(credentials: Credentials) -> None:
    client = TlsClient(TlsMode.TDS8, "sql01")
    shake(client, credentials.tds8())
    session = client.session()
    assert (session.version, session.alpn) == ("TLSv1.3", "tds/8.0")
    assert session.cipher.startswith("TLS_")


def test_tds8_takes_a_server_that_answers_no_alpn(credentials: Credentials) -> None:
    client = TlsClient(TlsMode.TDS8, "sql01")
    shake(client, credentials.only(ssl.TLSVersion.TLSv1_2))
    assert (client.session().version, client.session().alpn) == ("TLSv1.2", None)


@old_versions
def test_tds8_refuses_anything_below_1_2(credentials: Credentials) -> None:
    client = TlsClient(TlsMode.TDS8, "sql01")
    with pytest.raises(TlsError, match=r"alert|version"):
        shake(client, credentials.only(ssl.TLSVersion.TLSv1_1))


def seen_name(context: ssl.SSLContext) -> Callable[[], str | None]:
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    return lambda: names[0]


@pytest.mark.parametrize("mode", list(TlsMode))
@pytest.mark.parametrize(
    ("dialled", "sent"),
    [
        ("sql01.corp.example", "sql01.corp.example"),
        ("sql_01.corp.example.", "sql_01.corp.example"),
        ("10.0.0.5", None),
        ("fe80::1%eth0", None),
    ],
)
def test_the_dialled_name_goes_along_and_an_address_does_not(
    credentials: Credentials, mode: TlsMode, dialled: str, sent: str | None
) -> None:
    context = credentials.ours()
    name = seen_name(context)
    shake(TlsClient(mode, dialled), context)
    assert name() == sent


@pytest.mark.parametrize(
    ("host", "indication"),
    [("zürich.example", b"xn--zrich-kva.example"), ("x" * 300, None), ("", None), ("..", None), ("a\0b", None)],
)
def test_names_that_are_not_plain(host: str, indication: bytes | None) -> None:
    assert server_name_indication(host) == indication


def test_a_handshake_that_fails_late_still_shows_the_chain(credentials: Credentials) -> None:
    context = credentials.ours()
    context.verify_mode = ssl.CERT_REQUIRED  # the alert comes after the client's empty certificate
    client = TlsClient(TlsMode.INSIDE_TDS7, "sql01")
    with pytest.raises(TlsError, match="alert"):
        shake(client, context)
    assert client.chain() == (credentials.leaf, credentials.issuer)


def test_a_server_from_before_secure_renegotiation_is_still_met() -> None:
    body = bytes.fromhex("0303") + bytes(32) + b"\x00" + bytes.fromhex("c02f 00")  # and no RFC 5746 extension
    hello = b"\x02" + len(body).to_bytes(3, "big") + body
    client = TlsClient(TlsMode.INSIDE_TDS7, "sql01")
    client.advance(b"")
    assert client.advance(bytes.fromhex("16 0303") + len(hello).to_bytes(2, "big") + hello) is False


def test_a_refused_alpn_is_told_from_other_alerts(credentials: Credentials) -> None:
    alert = bytes.fromhex("15 0303 0002 02 78")  # fatal, no_application_protocol (RFC 7301)
    client = TlsClient(TlsMode.TDS8, "sql01")
    client.advance(b"")
    with pytest.raises(TlsError) as raised:
        client.advance(alert)
    assert raised.value.is_alpn_refusal
    client = TlsClient(TlsMode.TDS8, "sql01")
    client.advance(b"")
    with pytest.raises(TlsError) as raised:
        client.advance(bytes.fromhex("15 0303 0002 02 28"))  # handshake_failure
    assert not raised.value.is_alpn_refusal


def test_more_certificates_than_any_server_sends_are_refused(credentials: Credentials) -> None:
    many = [credentials.leaf] + [credentials.stranger] * MAX_CERTIFICATES
    client = TlsClient(TlsMode.TDS8, "sql01")
    shake(client, credentials.context(*many))
    with pytest.raises(TlsError) as raised:
        client.session()
    assert raised.value.is_oversize


def test_certificates_of_more_bytes_than_openssl_takes_are_too_many(credentials: Credentials) -> None:
    many = [credentials.leaf] + [credentials.stranger] * 400
    client = TlsClient(TlsMode.INSIDE_TDS7, "sql01")
    with pytest.raises(TlsError) as raised:
        shake(client, credentials.context(*many))
    assert raised.value.is_oversize


def test_data_goes_both_ways_and_a_goodbye_is_heard(credentials: Credentials) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = credentials.tds8().wrap_bio(incoming, outgoing, server_side=True)
    client = TlsClient(TlsMode.TDS8, "sql01")
    client.advance(b"")
    incoming.write(client.outgoing())
    with contextlib.suppress(ssl.SSLWantReadError):
        server.do_handshake()
    assert client.advance(outgoing.read())
    incoming.write(client.outgoing())
    server.do_handshake()
    incoming.write(client.encrypt(b"question"))
    assert server.read() == b"question"
    server.write(b"answer")
    records = outgoing.read()
    assert [client.decrypt(records[:9]), client.decrypt(records[9:])] == [b"", b"answer"]
    with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLSyscallError):
        server.unwrap()
    assert client.decrypt(outgoing.read()) is None


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5), st.sampled_from(list(TlsMode)))
@settings(deadline=None, max_examples=60)
def test_random_bytes_raise_nothing_but_a_tls_error(pieces: list[bytes], mode: TlsMode) -> None:
    client = TlsClient(mode, "sql01")
    client.advance(b"")
    with contextlib.suppress(TlsError):
        for piece in pieces:
            assert client.advance(piece) is False
