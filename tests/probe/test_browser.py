from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.probe.browser import (
    BrowserInstance,
    BrowserReplyError,
    ask,
    browser_requests,
    find_port,
    parse_browser_reply,
)
from assessor.probe.evidence import FailureClass
from assessor.probe.settings import ProbeSettings
from assessor.probe.wire import Address, Deadline, ProbeError
from assessor.routes import Routes


def reply(text: bytes) -> bytes:
    return b"\x05" + len(text).to_bytes(2, "little") + text


def entry(name: bytes, protocols: bytes = b"tcp;50001;", server: bytes = b"SQL01") -> bytes:
    start = b"ServerName;" + server + b";InstanceName;" + name
    return start + b";IsClustered;No;Version;16.0.1000.6;" + protocols + b";"


class TestTheRequest:
    def test_it_asks_for_one_instance_by_name(self) -> None:
        assert browser_requests("sales") == (b"\x04sales\x00",)

    def test_a_name_outside_ascii_is_asked_for_in_every_code_page_that_has_it(self) -> None:
        requests = browser_requests("größe")
        assert requests[0] == b"\x04gr\xc3\xb6\xc3\x9fe\x00", "UTF-8 first"
        assert b"\x04gr\xf6\xdfe\x00" in requests, "Windows-1252 after it"
        assert len(requests) == len(set(requests))

    def test_a_japanese_name_is_asked_for_as_a_japanese_windows_writes_it(self) -> None:
        assert b"\x04" + "販売".encode("cp932") + b"\x00" in browser_requests("販売")

    @pytest.mark.parametrize("name", ["", "x" * 33, "a\0b"])
    def test_what_is_no_instance_name_is_not_asked_for(self, name: str) -> None:
        assert browser_requests(name) == ()


class TestTheReply:
    def test_one_instance(self) -> None:
        datagram = reply(entry(b"SALES", rb"tcp;50001;np;\\SQL01\pipe\MSSQL$SALES\sql\query;"))
        assert parse_browser_reply(datagram) == (
            BrowserInstance(b"SQL01", b"SALES", "16.0.1000.6", 50001, r"\\SQL01\pipe\MSSQL$SALES\sql\query"),
        )

    def test_protocols_may_come_in_any_order(self) -> None:
        (instance,) = parse_browser_reply(reply(entry(b"SALES", rb"np;\\SQL01\pipe\x;tcp;50001;")))
        assert instance.tcp_port == 50001

    def test_an_instance_without_tcp_has_no_port(self) -> None:
        (instance,) = parse_browser_reply(reply(entry(b"SALES", rb"np;\\SQL01\pipe\x;")))
        assert instance.tcp_port is None

    def test_an_instance_without_any_protocol_is_still_one(self) -> None:
        (instance,) = parse_browser_reply(reply(entry(b"SALES", b"")))
        assert (instance.name, instance.tcp_port) == (b"SALES", None)

    def test_several_instances_stay_apart(self) -> None:
        datagram = reply(entry(b"MSSQLSERVER", b"tcp;1433;") + entry(b"SALES"))
        assert [(i.name, i.tcp_port) for i in parse_browser_reply(datagram)] == [
            (b"MSSQLSERVER", 1433),
            (b"SALES", 50001),
        ]

    @pytest.mark.parametrize("wanted", ["sales", "SALES", "Sales"])
    def test_names_match_whatever_their_case(self, wanted: str) -> None:
        assert BrowserInstance(b"S", b"SALES", "", 1, None).is_named(wanted)

    @pytest.mark.parametrize("code_page", ["utf-8", "cp1252", "cp1250", "cp850"])
    def test_a_name_outside_ascii_matches_in_an_ansi_code_page(self, code_page: str) -> None:
        instance = BrowserInstance(b"S", "GRÖSSE".encode(code_page), "", 1, None)
        assert instance.is_named("grösse") is (code_page != "cp850")

    def test_a_longer_name_is_another_instance(self) -> None:
        assert not BrowserInstance(b"S", b"SALES2", "", 1, None).is_named("sales")

    @pytest.mark.parametrize(
        ("datagram", "complaint"),
        [
            (b"", "no SVR_RESP"),
            (b"\x05\x00", "no SVR_RESP"),
            (b"\x04" + reply(entry(b"SALES"))[1:], "no SVR_RESP"),
            (reply(entry(b"SALES")) + b"x", "bytes follow"),
            (reply(entry(b"SALES"))[:-1], "bytes follow"),
            (reply(entry(b"SALES")[:-1]), "does not end"),
            (reply(b""), "does not end"),
            (reply(b";;"), "names and values"),
            (reply(b"ServerName;SQL01;InstanceName;;"), "names and values"),
            (reply(b"ServerName;SQL01;;"), "no instance"),
            (reply(entry(b"SALES", b"tcp;1;tcp;2;")), "twice"),
            (reply(entry(b"SALES", b"tcp;0;")), "no port"),
            (reply(entry(b"SALES", b"tcp;65536;")), "no port"),
            (reply(entry(b"SALES", b"tcp;+1;")), "no port"),
            (reply(entry(b"SALES", b"tcp;999999999999;")), "no port"),
            (bytes.fromhex("05 0600 01 9905"), "bytes follow"),  # the answer to another question, for the DAC
        ],
    )
    def test_garbage_is_refused(self, datagram: bytes, complaint: str) -> None:
        with pytest.raises(BrowserReplyError, match=complaint):
            parse_browser_reply(datagram)

    @given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(reply)))
    @settings(deadline=None, max_examples=200)
    def test_random_bytes_raise_nothing_but_a_reply_error(self, datagram: bytes) -> None:
        with contextlib.suppress(BrowserReplyError):
            parse_browser_reply(datagram)

    @given(
        names=st.lists(
            st.text("abcÄß_$#1", min_size=1, max_size=16).map(lambda name: name.encode()), min_size=1, max_size=5
        ),
        port=st.integers(1, 65535),
        cut=st.integers(0, 30),
    )
    @settings(deadline=None, max_examples=100)
    def test_what_is_written_is_read_and_a_datagram_cut_short_never_is(
        self, names: list[bytes], port: int, cut: int
    ) -> None:
        whole = reply(b"".join(entry(name, b"tcp;%d;" % port) for name in names))
        assert [(i.name, i.tcp_port) for i in parse_browser_reply(whole)] == [(name, port) for name in names]
        if cut:
            with pytest.raises(BrowserReplyError):
                parse_browser_reply(whole[:-cut])


@contextlib.contextmanager
def browsing(
    answer: Callable[[bytes, int], list[bytes]], host: str = "127.0.0.1", family: int = socket.AF_INET
) -> Iterator[int]:
    """A Browser that answers its n-th datagram with these; the port it listens at."""
    with socket.socket(family, socket.SOCK_DGRAM) as serving:
        serving.bind((host, 0))
        serving.settimeout(20)
        port = serving.getsockname()[1]

        def serve() -> None:
            number = 0
            while True:
                request, peer = serving.recvfrom(2048)
                if request == b"end":
                    return
                for datagram in answer(request, number):
                    serving.sendto(datagram, peer)
                number += 1

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            with socket.socket(family, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"end", (host, port))
            thread.join(20)


def ask_at(port: int, instance: str = "sales", seconds: float = 6.0, tries: int = 3) -> int:
    return ask([Address(socket.AF_INET, ("127.0.0.1", port))], instance, tries, Deadline(seconds))


class TestAsking:
    def test_the_port_of_the_instance_that_was_asked_for(self) -> None:
        asked = []

        def answer(request: bytes, _: int) -> list[bytes]:
            asked.append(request)
            return [reply(entry(b"SALES"))]

        with browsing(answer) as port:
            assert ask_at(port) == 50001
        assert asked == [b"\x04sales\x00"]

    def test_of_several_instances_the_named_one_and_never_the_first(self) -> None:
        both = reply(entry(b"HR", b"tcp;50002;") + entry(b"SALES"))
        with browsing(lambda *_: [both]) as port:
            assert ask_at(port) == 50001

    def test_a_lost_datagram_costs_a_retry(self) -> None:
        with browsing(lambda _, number: [reply(entry(b"SALES"))] if number else []) as port:
            assert ask_at(port, seconds=3) == 50001

    def test_garbage_before_the_answer_is_passed_over(self) -> None:
        with browsing(lambda *_: [b"", b"\x05\xff\xffnonsense", reply(entry(b"SALES"))]) as port:
            assert ask_at(port) == 50001

    def test_an_instance_asked_for_in_its_servers_code_page(self) -> None:
        name = "größe".encode("cp1252")

        def answer(request: bytes, _: int) -> list[bytes]:
            return [reply(entry(name.upper()))] if request == b"\x04" + name + b"\x00" else []

        with browsing(answer) as port:
            assert ask_at(port, "größe") == 50001

    def failure(self, port: int, **how: float) -> ProbeError:
        with pytest.raises(ProbeError) as raised:
            ask_at(port, seconds=how.get("seconds", 0.4))
        return raised.value

    def test_silence_is_silence(self) -> None:
        with browsing(lambda *_: []) as port:
            assert self.failure(port).failure is FailureClass.BROWSER_SILENT

    def test_a_closed_port_is_silence_and_says_so_at_once(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.bind(("127.0.0.1", 0))
            port = bound.getsockname()[1]
        error = self.failure(port, seconds=30)
        assert error.failure is FailureClass.BROWSER_SILENT
        assert "refused" in error.detail

    def test_only_other_instances_is_silence_about_this_one(self) -> None:
        with browsing(lambda *_: [reply(entry(b"H\x1b[31mR"))]) as port:
            error = self.failure(port)
        assert error.failure is FailureClass.BROWSER_SILENT
        assert "H?[31mR" in error.detail

    def test_nothing_but_garbage_is_a_broken_protocol(self) -> None:
        with browsing(lambda *_: [b"\x05\xff\xffnonsense"]) as port:
            assert self.failure(port).failure is FailureClass.PROTOCOL_ERROR

    def test_an_instance_without_tcp_is_known_and_can_not_be_dialled(self) -> None:
        with browsing(lambda *_: [reply(entry(b"SALES", rb"np;\\SQL01\pipe\x;"))]) as port:
            assert self.failure(port, seconds=6).failure is FailureClass.INSTANCE_HAS_NO_TCP

    def test_a_flood_ends(self) -> None:
        with browsing(lambda *_: [b"flood"] * 100) as port:
            assert self.failure(port, seconds=10).failure is FailureClass.TOO_LARGE

    def test_a_datagram_from_another_address_is_ignored(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            peers: list[tuple[str, int]] = []
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as honest:
                honest.bind(("127.0.0.1", 0))
                honest.settimeout(20)

                def serve() -> None:
                    for _ in range(2):
                        _, peer = honest.recvfrom(2048)
                        peers.append(peer)
                        stranger.sendto(reply(entry(b"SALES", b"tcp;666;")), peer)
                    honest.sendto(reply(entry(b"SALES")), peers[-1])

                thread = threading.Thread(target=serve)
                thread.start()
                try:
                    assert ask_at(honest.getsockname()[1], seconds=3) == 50001
                finally:
                    thread.join(20)
            assert len(peers) == 2

    def test_a_name_that_can_not_be_asked_for_is_not(self) -> None:
        assert self.failure_of_name("x" * 40).failure is FailureClass.BROWSER_SILENT

    def failure_of_name(self, name: str) -> ProbeError:
        with pytest.raises(ProbeError) as raised:
            ask_at(9, name)
        return raised.value


def test_find_port_dials_the_browser_through_its_route() -> None:
    with browsing(lambda *_: [reply(entry(b"SALES"))]) as port:
        routes = Routes.parse({"sql01.invalid:1434": f"127.0.0.1:{port}"})
        assert find_port("sql01.invalid", "sales", ProbeSettings(routes=routes)) == 50001
