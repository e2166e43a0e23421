from __future__ import annotations

import errno
import socket
import threading
import time

import pytest

from assessor.probe import dial as dialling
from assessor.probe.dial import Resolver, dial
from assessor.probe.evidence import FailureClass
from assessor.probe.wire import Address, Deadline, ProbeError

from .servers import closed_port, listening, wait_for_the_end

SOON = 0.3


def at(port: int, host: str = "127.0.0.1") -> Address:
    return Address(socket.AF_INET, (host, port))


def full_backlog() -> tuple[socket.socket, list[socket.socket]]:
    """A listener that accepts nobody any more: connecting to it times out."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
        waiting.append(one)
    time.sleep(0.05)
    return listener, waiting


class TestDial:
    def test_the_first_address_that_answers_is_kept_and_open(self) -> None:
        with listening(lambda connected, _: connected.sendall(b"hello")) as port:
            connected, address = dial([at(closed_port()), at(port)], Deadline(10))
            with connected:
                connected.settimeout(10)
                assert connected.recv(5) == b"hello"
        assert address == at(port)

    def test_a_silent_address_does_not_hold_up_the_next(self) -> None:
        listener, waiting = full_backlog()
        try:
            with listening(lambda connected, _: wait_for_the_end(connected)) as port:
                connected, address = dial([at(listener.getsockname()[1]), at(port)], Deadline(10))
                connected.close()
        finally:
            for one in (listener, *waiting):
                one.close()
        assert address == at(port)

    def failure(self, *addresses: Address) -> ProbeError:
        with pytest.raises(ProbeError) as raised:
            dial(addresses, Deadline(SOON))
        return raised.value

    def test_silence_is_timed_out(self) -> None:
        listener, waiting = full_backlog()
        try:
            assert self.failure(at(listener.getsockname()[1])).failure is FailureClass.TIMED_OUT
        finally:
            for one in (listener, *waiting):
                one.close()

    def test_a_refusal_tells_more_than_an_unreachable_network(self) -> None:
        error = self.failure(at(closed_port()), at(1433, "255.255.255.255"))
        assert error.failure is FailureClass.PORT_CLOSED
        assert "127.0.0.1" in error.detail
        assert "255.255.255.255" in error.detail

    def test_an_address_that_can_not_be_dialled_is_unreachable(self) -> None:
        assert self.failure(at(1433, "255.255.255.255")).failure is FailureClass.UNREACHABLE

    def test_a_family_that_the_machine_lacks_is_unreachable(self) -> None:
        assert self.failure(Address(9999, ("x", 1))).failure is FailureClass.UNREACHABLE

    def test_no_address_at_all_is_unreachable(self) -> None:
        assert self.failure().failure is FailureClass.UNREACHABLE

    def test_a_deadline_that_has_passed_dials_nobody(self) -> None:
        with pytest.raises(ProbeError) as raised:
            dial([at(closed_port())], Deadline(0))
        assert raised.value.failure is FailureClass.TIMED_OUT


class TestResolver:
    @pytest.mark.parametrize("literal", ["127.0.0.1", "::1", "fe80::1"])
    def test_an_address_needs_no_name_service(self, literal: str, monkeypatch: pytest.MonkeyPatch) -> None:
        real = socket.getaddrinfo

        def numeric_only(host: str, port: int, **how: int) -> object:
            assert how["flags"] & socket.AI_NUMERICHOST
            return real(host, port, **how)

        monkeypatch.setattr(socket, "getaddrinfo", numeric_only)
        (address,) = Resolver(1).resolve(literal, 1433, Deadline(5))
        assert (address.ip, address.sockaddr[1]) == (literal, 1433)

    def test_a_name_service_that_hangs_is_left_behind_and_its_slot_with_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        release = threading.Event()

        def hang(host: str, port: int, **how: int) -> object:
            if how["flags"]:
                raise socket.gaierror(socket.EAI_NONAME, "not numeric")
            release.wait(30)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        resolver = Resolver(1)
        try:
            with pytest.raises(ProbeError, match="did not answer in time") as raised:
                resolver.resolve("sql01", 1433, Deadline(SOON))
            assert raised.value.failure is FailureClass.NAME_NOT_RESOLVED
            with pytest.raises(ProbeError, match="busy"):
                resolver.resolve("sql02", 1433, Deadline(SOON))
        finally:
            release.set()

    def test_a_look_up_that_ended_makes_room_for_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def look_up(host: str, port: int, **how: int) -> object:
            if how["flags"] or host == "unknown":
                raise socket.gaierror(socket.EAI_NONAME, "no such name")
            return [(socket.AF_INET, 1, 6, "", ("10.0.0.5", port))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        resolver = Resolver(1)
        for _ in range(3):
            with pytest.raises(ProbeError, match="no such name"):
                resolver.resolve("unknown", 1433, Deadline(5))
            assert [address.ip for address in resolver.resolve("sql01", 1433, Deadline(5))] == ["10.0.0.5"]

    def test_only_so_many_addresses_of_a_name_are_tried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        many = [(socket.AF_INET, 1, 6, "", (f"10.0.0.{n}", 1433)) for n in range(200)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: many * 2)
        assert len(Resolver(1).resolve("sql01", 1433, Deadline(5))) == dialling.MAX_ADDRESSES


def test_errors_of_connecting_have_their_class() -> None:
    assert dialling._failure(errno.ECONNREFUSED)[0] is FailureClass.PORT_CLOSED
    assert dialling._failure(errno.ETIMEDOUT)[0] is FailureClass.TIMED_OUT
    assert dialling._failure(errno.EHOSTUNREACH)[0] is FailureClass.UNREACHABLE
