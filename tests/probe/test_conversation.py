from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from assessor.probe.conversation import probe_endpoint
from assessor.probe.dial import Resolver
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass
from assessor.probe.settings import ProbeSettings
from assessor.routes import Routes

from .servers import (
    Credentials,
    Script,
    answer_prelogin,
    closed_port,
    flood,
    is_tls,
    listening,
    packet,
    prelogin_body,
    read_packet,
    reset,
    tls_first,
    tls_inside_tds,
    wait_for_the_end,
)
from .test_browser import browsing, entry, reply

HOST = "sql01.corp.example"
old_versions = pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
PATIENT = ProbeSettings(vantage="here", answer_seconds=15)
HASTY = replace(PATIENT, answer_seconds=0.4, total_seconds=3)


def visit(script: Script, settings: ProbeSettings = PATIENT) -> Evidence:
    """What the probe sees of a server that is called HOST and behaves as ``script``."""
    with listening(script) as port:
        routes = Routes.parse({HOST: f"127.0.0.1:{port}"})
        return probe_endpoint(Endpoint(HOST, 1433), replace(settings, routes=routes), Resolver(2))


def tds7(
    credentials: Credentials,
    encryption: int,
    context: ssl.SSLContext | None = None,
    **how: int,
) -> Script:
    """SQL Server up to 2019: answers PRELOGIN, and closes what begins with TLS."""

    def script(connected: socket.socket, _: int) -> None:
        if is_tls(connected):
            return
        answer_prelogin(connected, encryption)
        tls_inside_tds(connected, context or credentials.ours(), **how)

    return script


def answer_inside(tls: ssl.SSLSocket) -> None:
    answer_prelogin(tls, 0)
    with contextlib.suppress(OSError):
        tls.recv(1)


def strict_only(
    context: ssl.SSLContext,
    inside: Callable[[ssl.SSLSocket], None] = answer_inside,
    refuse: Callable[[socket.socket], None] = socket.socket.close,
) -> Script:
    """A server that has nothing to say to a TDS 7 client."""

    def script(connected: socket.socket, _: int) -> None:
        if is_tls(connected):
            tls_first(connected, context, inside)
        else:
            read_packet(connected)
            refuse(connected)

    return script


class TestTds7:
    @pytest.mark.parametrize(
        ("byte", "answer"),
        [(0, EncryptionAnswer.OFF), (1, EncryptionAnswer.ON), (3, EncryptionAnswer.REQUIRED)],
    )
    def test_the_answer_and_the_chain_are_written_down(
        self, credentials: Credentials, byte: int, answer: EncryptionAnswer
    ) -> None:
        seen = visit(tds7(credentials, byte))
        assert seen.failure is None
        assert seen.reachable
        assert seen.encryption is answer
        assert seen.server_version == "16.0.4135"
        assert seen.tls is not None
        assert seen.tls.version == "TLSv1.2"
        assert seen.tls.alpn is None
        assert seen.chain == (credentials.leaf, credentials.issuer)
        assert (seen.address, seen.port, seen.vantage) == ("127.0.0.1", 1433, "here")
        assert seen.unfinished_chain == ()

    def test_a_server_without_tds8_closes_and_that_is_not_a_failure_of_the_endpoint(
        self, credentials: Credentials
    ) -> None:
        seen = visit(tds7(credentials, 0))
        assert seen.strict is None
        assert seen.strict_failure is FailureClass.CLOSED

    def test_no_encryption_means_no_handshake(self, credentials: Credentials) -> None:
        seen = visit(tds7(credentials, 2))
        assert seen.failure is None
        assert seen.encryption is EncryptionAnswer.NOT_SUPPORTED
        assert (seen.tls, seen.tls_failure) == (None, None)

    @old_versions
    @pytest.mark.parametrize(
        ("version", "name"), [(ssl.TLSVersion.TLSv1, "TLSv1"), (ssl.TLSVersion.TLSv1_1, "TLSv1.1")]
    )
    def test_an_old_server_is_still_seen(self, credentials: Credentials, version: ssl.TLSVersion, name: str) -> None:
        seen = visit(tds7(credentials, 3, credentials.only(version)))
        assert seen.tls is not None
        assert seen.tls.version == name
        assert seen.chain == (credentials.leaf, credentials.issuer)

    @pytest.mark.parametrize("how", [{"at_a_time": 1}, {"chunk": 1}, {"chunk": 100, "at_a_time": 150}])
    def test_the_handshake_may_come_in_any_pieces(self, credentials: Credentials, how: dict[str, int]) -> None:
        seen = visit(tds7(credentials, 0, **how))
        assert seen.tls is not None, seen.tls_failure_detail
        assert seen.chain == (credentials.leaf, credentials.issuer)

    def test_the_answer_may_come_byte_by_byte(self, credentials: Credentials) -> None:
        def script(connected: socket.socket, _: int) -> None:
            if is_tls(connected):
                return
            read_packet(connected)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in packet(prelogin_body(3)):
                connected.sendall(bytes((byte,)))
                time.sleep(0.001)
            tls_inside_tds(connected, credentials.ours())

        seen = visit(script)
        assert seen.encryption is EncryptionAnswer.REQUIRED
        assert seen.tls is not None

    def test_the_answer_may_come_in_two_packets_of_one_write(self, credentials: Credentials) -> None:
        def script(connected: socket.socket, _: int) -> None:
            if is_tls(connected):
                return
            read_packet(connected)
            body = prelogin_body(3)
            connected.sendall(packet(body[:11], last=False) + packet(body[11:]))
            tls_inside_tds(connected, credentials.ours())

        seen = visit(script)
        assert seen.encryption is EncryptionAnswer.REQUIRED
        assert seen.tls is not None


class TestTlsThatFailsInsideTds7:
    def test_an_alert_leaves_the_answer_standing(self, credentials: Credentials) -> None:
        context = credentials.ours()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        seen = visit(tds7(credentials, 3, context))
        assert seen.failure is None
        assert seen.encryption is EncryptionAnswer.REQUIRED
        assert seen.tls is None
        assert seen.tls_failure is FailureClass.TLS_FAILED
        assert "alert" in seen.tls_failure_detail
        assert seen.chain == ()

    def test_a_late_alert_leaves_the_certificates_too(self, credentials: Credentials) -> None:
        context = credentials.ours()
        context.verify_mode = ssl.CERT_REQUIRED
        seen = visit(tds7(credentials, 0, context))
        assert seen.tls_failure is FailureClass.TLS_FAILED
        assert seen.unfinished_chain == (credentials.leaf, credentials.issuer)
        assert seen.tls is None

    def misbehave(self, after: Callable[[socket.socket], None], settings: ProbeSettings = PATIENT) -> Evidence:
        def script(connected: socket.socket, _: int) -> None:
            if is_tls(connected):
                return
            answer_prelogin(connected, 3)
            read_packet(connected)
            after(connected)

        seen = visit(script, settings)
        assert seen.failure is None
        assert seen.encryption is EncryptionAnswer.REQUIRED
        assert seen.tls is None
        return seen

    @pytest.mark.parametrize("close", [socket.socket.close, reset])
    def test_a_closed_handshake(self, close: Callable[[socket.socket], None]) -> None:
        assert self.misbehave(close).tls_failure is FailureClass.CLOSED

    def test_a_silent_handshake(self) -> None:
        seen = self.misbehave(lambda connected: wait_for_the_end(connected), HASTY)
        assert seen.tls_failure is FailureClass.STALLED

    def test_garbage_inside_a_packet(self) -> None:
        seen = self.misbehave(lambda connected: connected.sendall(packet(b"not TLS at all", 0x12)))
        assert seen.tls_failure is FailureClass.TLS_FAILED

    def test_a_server_whose_tls_we_break_off_is_told_by_an_alert(self) -> None:
        told: list[tuple[int, bytes]] = []

        def after(connected: socket.socket) -> None:
            connected.sendall(packet(bytes.fromhex("16 0303 0004 63 000000"), 0x12))
            told.append(read_packet(connected))

        assert self.misbehave(after).tls_failure is FailureClass.TLS_FAILED
        ((kind, payload),) = told
        assert (kind, payload[0]) == (0x12, 0x15)

    def test_garbage_instead_of_a_packet(self) -> None:
        seen = self.misbehave(lambda connected: connected.sendall(b"not TDS at all"))
        assert seen.tls_failure is FailureClass.PROTOCOL_ERROR

    def test_empty_packets_without_end(self) -> None:
        seen = self.misbehave(lambda connected: flood(connected, packet(b"", 0x12) * 500))
        assert seen.tls_failure is FailureClass.TOO_LARGE

    def test_more_certificates_than_anybody_has(self, credentials: Credentials) -> None:
        context = credentials.context(credentials.leaf, *[credentials.stranger] * 40)
        seen = visit(tds7(credentials, 0, context))
        assert seen.tls is None
        assert seen.tls_failure is FailureClass.TOO_LARGE


class TestTds8:
    def test_a_2022_server_shows_both(self, credentials: Credentials) -> None:
        seen = visit(both(credentials, credentials.tds8()))
        assert seen.encryption is EncryptionAnswer.OFF
        assert seen.tls is not None
        assert seen.tls.version == "TLSv1.2"
        assert seen.strict is not None, seen.strict_failure_detail
        assert (seen.strict.version, seen.strict.alpn) == ("TLSv1.3", "tds/8.0")
        assert seen.strict.certificates == (credentials.leaf, credentials.issuer)

    def test_a_server_without_alpn_is_confirmed_by_prelogin_inside(self, credentials: Credentials) -> None:
        seen = visit(both(credentials, credentials.ours()))
        assert seen.strict is not None, seen.strict_failure_detail
        assert seen.strict.alpn is None

    @pytest.mark.parametrize("close", [socket.socket.close, reset])
    def test_a_closed_prelogin_is_strict_only_when_tls_first_answers(
        self, credentials: Credentials, close: Callable[[socket.socket], None]
    ) -> None:
        seen = visit(strict_only(credentials.tds8(), refuse=close))
        assert seen.failure is None
        assert seen.encryption is EncryptionAnswer.STRICT_ONLY
        assert (seen.tls, seen.tls_failure, seen.strict_failure) == (None, None, None)
        assert seen.strict is not None
        assert seen.chain == (credentials.leaf, credentials.issuer)
        assert seen.server_version == "16.0.4135"

    def test_a_first_connection_lost_by_accident_does_not_make_a_server_strict_only(
        self, credentials: Credentials
    ) -> None:
        def script(connected: socket.socket, number: int) -> None:
            if number:
                both(credentials, credentials.tds8())(connected, number)

        seen = visit(script)
        assert seen.encryption is EncryptionAnswer.OFF
        assert seen.tls is not None
        assert seen.strict is not None

    def test_a_tls_alert_instead_of_a_close_is_no_reason_to_give_up(self, credentials: Credentials) -> None:
        def refuse(connected: socket.socket) -> None:
            connected.sendall(bytes.fromhex("15 0301 0002 02 46"))

        seen = visit(strict_only(credentials.tds8(), refuse=refuse))
        assert seen.encryption is EncryptionAnswer.STRICT_ONLY

    def test_strict_only_without_alpn_is_confirmed_by_prelogin_inside(self, credentials: Credentials) -> None:
        seen = visit(strict_only(credentials.ours()))
        assert seen.encryption is EncryptionAnswer.STRICT_ONLY
        assert seen.server_version == "16.0.4135"

    def test_alpn_alone_confirms_when_prelogin_inside_gets_no_answer(self, credentials: Credentials) -> None:
        seen = visit(strict_only(credentials.tds8(), inside=lambda tls: None))
        assert seen.encryption is EncryptionAnswer.STRICT_ONLY
        assert seen.server_version is None

    def test_a_closed_prelogin_and_a_closed_tls_is_closed(self) -> None:
        seen = visit(lambda connected, _: None)
        assert seen.failure is FailureClass.CLOSED
        assert seen.encryption is None
        assert "TLS first" in seen.failure_detail

    def test_a_strict_server_that_wants_a_clients_certificate_is_not_open_to_strict_clients(
        self, credentials: Credentials
    ) -> None:
        context = credentials.tds8()
        context.verify_mode = ssl.CERT_REQUIRED  # TLS 1.3: the client has finished before it hears of it
        seen = visit(both(credentials, context))
        assert seen.strict is None
        assert seen.strict_failure is FailureClass.TLS_FAILED

    def test_tls_first_that_stalls_costs_only_itself(self, credentials: Credentials) -> None:
        def script(connected: socket.socket, number: int) -> None:
            if number == 0:
                tds7(credentials, 0)(connected, number)
            else:
                wait_for_the_end(connected)

        seen = visit(script, replace(PATIENT, answer_seconds=1.5))
        assert seen.tls is not None
        assert seen.strict_failure is FailureClass.STALLED


class TestNotTds:
    def https(self, credentials: Credentials, alpn: list[str]) -> Script:
        context = credentials.ours()
        if alpn:
            context.set_alpn_protocols(alpn)

        def inside(tls: ssl.SSLSocket) -> None:
            tls.recv(100)
            tls.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        return strict_only(context, inside)

    @pytest.mark.parametrize("alpn", [[], ["http/1.1"]])
    def test_an_https_server_is_not_taken_for_strict_only(self, credentials: Credentials, alpn: list[str]) -> None:
        seen = visit(self.https(credentials, alpn))
        assert seen.failure is FailureClass.NOT_TDS
        assert seen.encryption is None
        assert seen.strict is None

    def test_an_https_server_that_closes_inside_is_not_either(self, credentials: Credentials) -> None:
        seen = visit(strict_only(credentials.ours(), inside=lambda tls: None))
        assert seen.failure is FailureClass.NOT_TDS

    def test_a_server_that_refuses_our_alpn_speaks_something_else(self) -> None:
        def script(connected: socket.socket, _: int) -> None:
            if is_tls(connected):
                connected.recv(4096)
                connected.sendall(bytes.fromhex("15 0303 0002 02 78"))
            else:
                read_packet(connected)

        assert visit(script).failure is FailureClass.NOT_TDS

    @pytest.mark.parametrize(
        ("banner", "shown"),
        [
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400 Bad Request??"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
            (b"\x4a\x00\x00\x00\x0a8.0.33\x00", "J????8.0.33"),
            (b"\x1b]0;owned\x07\x1b[2J", "?]0;owned??[2J"),
        ],
    )
    def test_another_protocol_is_named_by_what_it_said_made_fit_to_show(self, banner: bytes, shown: str) -> None:
        seen = visit(lambda connected, _: connected.sendall(banner) or wait_for_the_end(connected))
        assert seen.failure is FailureClass.NOT_TDS
        assert shown.rstrip("?") in seen.failure_detail
        assert seen.failure_detail.isprintable()


class TestBrokenProtocol:
    @pytest.mark.parametrize(
        "answer",
        [
            packet(prelogin_body(4)),
            packet(prelogin_body(0)[:-3]),
            packet(b"\xaa" + bytes(40)),
            packet(b""),
            packet(prelogin_body(0), kind=0x12),
            b"\x04\x01\x00\x00\x00\x00\x01\x00",
            packet(prelogin_body(0))[:20],
        ],
    )
    def test_what_begins_as_tds_and_goes_wrong(self, answer: bytes) -> None:
        def script(connected: socket.socket, _: int) -> None:
            read_packet(connected)
            connected.sendall(answer)

        seen = visit(script)
        assert seen.failure is FailureClass.PROTOCOL_ERROR
        assert seen.encryption is None

    @pytest.mark.parametrize("flooding", [packet(b"x" * 4000, last=False), packet(b"", last=False) * 500])
    def test_an_answer_without_end(self, flooding: bytes) -> None:
        seen = visit(lambda connected, _: flood(connected, flooding))
        assert seen.failure is FailureClass.TOO_LARGE

    def test_silence(self) -> None:
        seen = visit(lambda connected, _: wait_for_the_end(connected), HASTY)
        assert seen.failure is FailureClass.STALLED

    def test_an_answer_that_drips_is_as_good_as_none(self) -> None:
        def script(connected: socket.socket, _: int) -> None:
            for byte in packet(prelogin_body(0)):
                connected.sendall(bytes((byte,)))
                time.sleep(0.05)

        seen = visit(script, HASTY)
        assert seen.failure is FailureClass.STALLED
        assert seen.milliseconds < 15_000

    def test_all_phases_together_are_bounded_too(self) -> None:
        settings = replace(PATIENT, total_seconds=0.4)
        seen = visit(lambda connected, _: wait_for_the_end(connected), settings)
        assert seen.failure is FailureClass.STALLED
        assert seen.milliseconds < 10_000


class TestWhere:
    def probe(self, endpoint: Endpoint, **how: object) -> Evidence:
        return probe_endpoint(endpoint, replace(PATIENT, **how), Resolver(2))  # type: ignore[arg-type]

    def test_a_name_that_does_not_resolve(self) -> None:
        seen = self.probe(Endpoint("no-such-host.invalid", 1433))
        assert seen.failure is FailureClass.NAME_NOT_RESOLVED
        assert (seen.address, seen.port) == (None, 1433)

    @pytest.mark.parametrize("host", ["", "a\0b", "x" * 300, "a..b", "ü" * 70 + ".example"])
    def test_what_can_be_no_name_is_one_that_does_not_resolve(self, host: str) -> None:
        assert self.probe(Endpoint(host, 1433)).failure is FailureClass.NAME_NOT_RESOLVED

    def test_a_closed_port(self) -> None:
        seen = self.probe(Endpoint("127.0.0.1", closed_port()))
        assert seen.failure is FailureClass.PORT_CLOSED
        assert "127.0.0.1" in seen.failure_detail

    def test_neither_port_nor_instance(self) -> None:
        assert self.probe(Endpoint("127.0.0.1", None)).failure is FailureClass.NOT_ADDRESSABLE

    @pytest.mark.parametrize("port", [0, -1, 65536, 70000])
    def test_a_port_that_is_none_is_not_dialled_as_another(self, port: int) -> None:
        assert self.probe(Endpoint("127.0.0.1", port)).failure is FailureClass.NOT_ADDRESSABLE

    def test_a_named_instance_is_dialled_where_browser_says(self, credentials: Credentials) -> None:
        with listening(tds7(credentials, 3)) as port:
            said = reply(entry(b"HR", b"tcp;1;") + entry(b"SALES", b"tcp;%d;" % port))
            with browsing(lambda *_: [said]) as browser_port:
                seen = self.probe(Endpoint("127.0.0.1", None, "sales"), browser_port=browser_port)
        assert seen.failure is None
        assert seen.encryption is EncryptionAnswer.REQUIRED
        assert (seen.port, seen.endpoint.port) == (port, None)

    def test_the_port_that_browser_names_is_routed_as_any_other(self, credentials: Credentials) -> None:
        with listening(tds7(credentials, 3)) as port, browsing(lambda *_: [reply(entry(b"SALES"))]) as asked:
            routes = Routes.parse({f"{HOST}:1434": f"127.0.0.1:{asked}", f"{HOST}:50001": f"127.0.0.1:{port}"})
            seen = self.probe(Endpoint(HOST, None, "sales"), routes=routes)
        assert seen.encryption is EncryptionAnswer.REQUIRED
        assert seen.port == 50001

    def test_without_browser_a_named_instance_is_not_reached(self) -> None:
        with browsing(lambda *_: []) as port:
            seen = self.probe(Endpoint("127.0.0.1", None, "sales"), browser_port=port, browser_seconds=0.3)
        assert seen.failure is FailureClass.BROWSER_SILENT
        assert seen.port is None

    def test_an_ipv6_address(self, credentials: Credentials) -> None:
        try:
            with listening(tds7(credentials, 0), "::1", socket.AF_INET6) as port:
                seen = self.probe(Endpoint("::1", port))
        except OSError:
            pytest.skip("no IPv6 on this machine")
        assert seen.address == "::1"
        assert seen.tls is not None


def test_a_login_is_never_sent(credentials: Credentials) -> None:
    received: list[bytes] = []

    def script(connected: socket.socket, _: int) -> None:
        if is_tls(connected):
            tls_first(connected, credentials.tds8(), lambda tls: (answer_prelogin(tls, 0), read_on(tls)))
            return
        answer_prelogin(connected, 2)
        read_on(connected)

    def read_on(connected: socket.socket) -> None:
        with contextlib.suppress(OSError):
            received.append(connected.recv(4096))

    seen = visit(script)
    assert seen.strict is not None
    assert received == [b"", b""]


def both(credentials: Credentials, context: ssl.SSLContext) -> Script:
    """SQL Server 2022 and later that is not strict-only."""

    def script(connected: socket.socket, number: int) -> None:
        if is_tls(connected):
            tls_first(connected, context, answer_inside)
        else:
            tds7(credentials, 0)(connected, number)

    return script
