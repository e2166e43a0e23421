"""The server's half of the wire format, without sockets."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.lab import wire
from assessor.lab.behaviour import Behaviour
from assessor.lab.conversation import Conversation, End
from assessor.lab.wire import Column, PacketReader, PacketType, SqlType, WireError

quick = settings(deadline=None, max_examples=60)


def read_all(reader: PacketReader) -> list[wire.Message]:
    messages = []
    while (message := reader.next_message()) is not None:
        messages.append(message)
    return messages


@quick
@given(
    messages=st.lists(
        st.tuples(st.sampled_from([PacketType.SQL_BATCH, PacketType.LOGIN7]), st.binary(max_size=3000)), max_size=4
    ),
    size=st.integers(512, 4096),
    data=st.data(),
)
def test_messages_come_back_however_the_bytes_are_cut(
    messages: list[tuple[PacketType, bytes]], size: int, data: st.DataObject
) -> None:
    stream = b"".join(wire.packets(kind, payload, size) for kind, payload in messages)
    reader = PacketReader()
    found: list[wire.Message] = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:cut])
        stream = stream[cut:]
        found += read_all(reader)
    assert [(message.type, message.payload) for message in found] == messages


def test_a_message_comes_back_byte_by_byte_with_another_following() -> None:
    stream = wire.packets(1, b"a" * 900, 512) + wire.packets(6, b"")
    reader = PacketReader()
    found = []
    for at in range(len(stream)):
        reader.feed(stream[at : at + 1])
        found += read_all(reader)
    assert [(message.type, len(message.payload)) for message in found] == [(1, 900), (6, 0)]


def test_an_attention_cancels_a_request_that_is_half_sent() -> None:
    half = wire.packets(1, b"a" * 900, 512)[:512]
    reader = PacketReader()
    reader.feed(half + wire.packets(PacketType.ATTENTION, b""))
    assert [message.type for message in read_all(reader)] == [PacketType.ATTENTION]


@pytest.mark.parametrize("length", [0, 7])
def test_a_packet_shorter_than_its_header_is_refused(length: int) -> None:
    reader = PacketReader()
    reader.feed(struct.pack(">BBHHBB", 1, 1, length, 0, 1, 0))
    with pytest.raises(WireError):
        reader.next_message()


def test_an_endless_message_is_refused() -> None:
    reader = PacketReader()
    packet = wire.HEADER.pack(1, 0, 32_767, 0, 1, 0) + bytes(32_767 - 8)
    for _ in range(32):
        reader.feed(packet)
        assert reader.next_message() is None
    reader.feed(packet)
    with pytest.raises(WireError, match="too large"):
        reader.next_message()


@quick
@given(st.binary(max_size=200))
def test_no_first_bytes_crash_a_server(data: bytes) -> None:
    for first in (b"", b"\x12", b"\x16\x03\x01", wire.packets(PacketType.PRELOGIN, data)):
        conversation = Conversation(Behaviour())
        conversation.receive(first + data)
        assert conversation.end in (None, End.CLOSE, End.RESET)


@quick
@given(st.binary(max_size=300))
def test_no_login_crashes_a_server(data: bytes) -> None:
    clear = wire.prelogin_answer((0, 0, 0, 0), wire.Encrypt.NOT_SUPPORTED, fedauth=False)
    conversation = Conversation(Behaviour())
    conversation.receive(wire.packets(PacketType.PRELOGIN, clear))
    conversation.receive(wire.packets(PacketType.LOGIN7, data))
    assert conversation.end is End.CLOSE
    assert not conversation.seen.logged_in


def test_a_login_never_shows_its_password() -> None:
    password = "Gömlek§7"
    hidden = bytes(((byte << 4 | byte >> 4) & 0xFF) ^ 0xA5 for byte in password.encode("utf-16-le"))
    fields = [(94, 0), (94, 2), (98, len(password))] + [(98 + len(hidden), 0)] * 6
    payload = (
        struct.pack("<III", 0, wire.TDS_7_4, 4096)
        + bytes(24)
        + b"".join(struct.pack("<HH", *place) for place in fields)
        + bytes(22)
        + "sa".encode("utf-16-le")
        + hidden
    )
    login = wire.parse_login7(payload)
    assert (login.user, login.password, login.packet_size) == ("sa", password, 4096)
    assert password not in repr(login)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nvarchar(3)", "abcd"),
        ("nvarchar(1)", "🙂"),
        ("int", True),
        ("int", 2**31),
        ("tinyint", -1),
        ("bit", 1),
        ("datetime2", "2020-01-01"),
        ("uniqueidentifier", "x"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(text: str, value: Any) -> None:
    with pytest.raises(ValueError):
        SqlType.parse(text).encode(value)


@pytest.mark.parametrize("text", ["nvarchar", "nvarchar(4001)", "int(4)", "datetime2(8)", "xml", "nvarchar(0)", ""])
def test_a_type_the_lab_cannot_send_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        SqlType.parse(text)


def test_datetime_rounds_to_its_ticks_even_past_midnight() -> None:
    encoded = SqlType("datetime").encode(datetime(2020, 1, 1, 23, 59, 59, 999_999))
    days, ticks = struct.unpack("<iI", encoded[1:])
    assert (days, ticks) == ((datetime(2020, 1, 2) - datetime(1900, 1, 1)).days, 0)


def test_a_result_set_names_its_columns_and_counts_its_rows() -> None:
    tokens = wire.result_set([Column("a", SqlType("int"))], [(1,), (None,)])
    assert tokens.startswith(b"\x81\x01\x00")
    assert tokens.endswith(b"\xd1\x04\x01\x00\x00\x00\xd1\x00" + wire.done(2))
