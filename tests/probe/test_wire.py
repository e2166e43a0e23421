from __future__ import annotations

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.probe.evidence import FailureClass
from assessor.probe.wire import Deadline, ProbeError, Wire, printable


@given(st.one_of(st.text(), st.binary()), st.integers(1, 80))
@settings(deadline=None, max_examples=200)
def test_what_a_peer_sent_is_printable_and_short(peer_text: str | bytes, limit: int) -> None:
    shown = printable(peer_text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit + 1


def test_printable_keeps_letters_and_drops_what_steers_a_terminal_or_turns_text_around() -> None:
    assert printable("Größe \x1b[31m \u202e \u2028 \ud800") == "Größe ?[31m ? ? ?"


def test_what_is_cut_says_so() -> None:
    assert printable("abcdef", 3) == "abc…"
    assert printable(b"abc", 3) == "abc"


def test_a_deadline_within_another_is_the_earlier_of_both() -> None:
    assert Deadline(5).within(100).remaining() <= 5
    assert Deadline(100).within(5).remaining() <= 5
    assert Deadline(-1).remaining() == 0


def test_a_peer_that_takes_nothing_stalls() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        wire = Wire(ours, Deadline(0.2))
        with pytest.raises(ProbeError) as raised:
            wire.send(bytes(50_000_000))
        wire.close()
    assert raised.value.failure is FailureClass.STALLED


def test_what_a_peer_said_before_it_closed_is_heard_even_if_it_took_nothing() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"goodbye")
    theirs.close()
    wire = Wire(ours, Deadline(5))
    wire.send(b"hello")
    assert wire.receive() == b"goodbye"
    assert wire.receive() == b""
    wire.close()


def test_the_limit_counts_all_that_was_received() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        wire = Wire(ours, Deadline(5), max_received=10)
        theirs.sendall(b"12345")
        assert wire.receive() == b"12345"
        theirs.sendall(b"67890!")
        with pytest.raises(ProbeError) as raised:
            wire.receive()
        wire.close()
    assert raised.value.failure is FailureClass.TOO_LARGE
