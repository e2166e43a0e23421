from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.probe.evidence import EncryptionAnswer
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

from .servers import packet, prelogin_body

A_2022 = PreloginAnswer(EncryptionAnswer.OFF, "16.0.4135")


def read(stream: bytes, piece: int) -> tuple[list[tuple[PacketType, bytes]], bytes]:
    """All messages of a stream that arrives ``piece`` bytes at a time, and what is left over."""
    reader = PacketReader()
    messages = []
    for start in range(0, len(stream), piece):
        reader.feed(stream[start : start + piece])
        while (message := reader.next_message()) is not None:
            messages.append(message)
    return messages, reader.rest


class TestTheRequest:
    @pytest.mark.parametrize("encryption", list(ClientEncryption))
    def test_it_is_one_packet_whose_options_lie_within_it_without_gaps(self, encryption: ClientEncryption) -> None:
        request = prelogin_request(encryption)
        kind, status, length = struct.unpack(">BBH", request[:4])
        body = request[8:]
        assert (kind, status, length) == (0x12, 0x01, len(request))
        options, position, expected = {}, 0, body.index(b"\xff") + 1
        while body[position] != 0xFF:
            token, offset, size = struct.unpack(">BHH", body[position : position + 5])
            assert offset == expected
            options[token] = body[offset : offset + size]
            expected += size
            position += 5
        assert expected == len(body)
        assert next(iter(options)) == 0, "VERSION must be the first token, or the server closes"
        assert options[1] == bytes((encryption,))
        assert options[2] == b"\x00", "no instance name: the server must not compare one"


class TestPackets:
    @given(message=st.binary(max_size=300), size=st.integers(9, 64), piece=st.integers(1, 40))
    @settings(deadline=None, max_examples=150)
    def test_a_message_survives_packets_of_any_size_and_reads_of_any_size(
        self, message: bytes, size: int, piece: int
    ) -> None:
        stream = packets(PacketType.PRELOGIN, message, size)
        assert read(stream, piece) == ([(PacketType.PRELOGIN, message)], b"")

    @given(
        first=st.binary(max_size=60),
        second=st.binary(max_size=60),
        rest=st.binary(max_size=7),
        piece=st.integers(1, 30),
    )
    @settings(deadline=None, max_examples=150)
    def test_two_messages_in_one_write_stay_two_and_what_follows_is_kept(
        self, first: bytes, second: bytes, rest: bytes, piece: int
    ) -> None:
        rest = b"\x04" + rest if rest else rest
        rest = rest[:7]
        messages, left = read(packet(first) + packet(second) + rest, piece)
        assert messages == [(PacketType.ANSWER, first), (PacketType.ANSWER, second)]
        assert left == rest

    def test_only_the_last_packet_of_a_message_is_marked(self) -> None:
        stream = packets(PacketType.PRELOGIN, b"x" * 10, 8 + 4)
        statuses = [stream[start + 1] for start in (0, 12, 24)]
        assert statuses == [0, 0, 1]
        assert [stream[start + 6] for start in (0, 12, 24)] == [1, 2, 3]

    @pytest.mark.parametrize("first", [b"H", b"S", b"\x16", b"\x15", b"\x00", b"\xaa"])
    def test_a_first_byte_that_no_tds_server_sends_is_told_apart_at_once(self, first: bytes) -> None:
        reader = PacketReader()
        reader.feed(first)
        with pytest.raises(NotTdsError) as raised:
            reader.next_packet()
        assert raised.value.first_bytes == first

    def test_a_bad_type_after_a_good_packet_is_a_broken_protocol_not_another_one(self) -> None:
        reader = PacketReader()
        reader.feed(packet(b"x") + b"HTTP")
        assert reader.next_packet() is not None
        with pytest.raises(TdsError) as raised:
            reader.next_packet()
        assert not isinstance(raised.value, NotTdsError)

    @pytest.mark.parametrize("length", [0, 7, 32768, 65535])
    def test_a_length_that_no_packet_has_is_refused(self, length: int) -> None:
        reader = PacketReader()
        reader.feed(struct.pack(">BBHHBB", 4, 1, length, 0, 1, 0))
        with pytest.raises(TdsError, match=f"packet length {length}"):
            reader.next_packet()

    def test_a_message_without_an_end_is_cut_off(self) -> None:
        reader = PacketReader()
        for _ in range(16):
            reader.feed(packet(b"x" * 1000, last=False))
            assert reader.next_message() is None
        reader.feed(packet(b"x" * 1000, last=False))
        with pytest.raises(OversizeError, match="16384"):
            reader.next_message()

    def test_the_type_may_not_change_within_a_message(self) -> None:
        reader = PacketReader()
        reader.feed(packet(b"a", 0x04, last=False) + packet(b"b", 0x12))
        with pytest.raises(TdsError, match="type changes"):
            reader.next_message()

    def test_packets_without_room_for_data_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no room"):
            packets(PacketType.PRELOGIN, b"x", 8)

    @given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
    @settings(deadline=None, max_examples=200)
    def test_random_bytes_raise_nothing_but_a_tds_error(self, pieces: list[bytes]) -> None:
        reader = PacketReader()
        try:
            for piece in pieces:
                reader.feed(piece)
                while reader.next_message() is not None:
                    pass
        except TdsError:
            pass


class TestTheAnswer:
    @pytest.mark.parametrize(
        ("byte", "meaning"),
        [
            (0, EncryptionAnswer.OFF),
            (1, EncryptionAnswer.ON),
            (2, EncryptionAnswer.NOT_SUPPORTED),
            (3, EncryptionAnswer.REQUIRED),
        ],
    )
    def test_each_encryption_byte_has_its_name(self, byte: int, meaning: EncryptionAnswer) -> None:
        assert parse_prelogin_answer(prelogin_body(byte)).encryption is meaning

    @pytest.mark.parametrize("byte", [4, 0x20, 0x80, 0x81, 0x83, 0xFF])
    def test_any_other_encryption_byte_is_refused(self, byte: int) -> None:
        with pytest.raises(TdsError, match=f"0x{byte:02X}"):
            parse_prelogin_answer(prelogin_body(byte))

    @pytest.mark.parametrize(
        ("wire", "text"),
        [
            (bytes((16, 0, 0x10, 0x27, 0, 0)), "16.0.4135"),
            (bytes((8, 0, 0x07, 0xF7, 0, 0)), "8.0.2039"),
            (bytes((17, 0, 0x03, 0xE8, 0, 5)), "17.0.1000"),
            (bytes((10, 50, 0x06, 0x40, 0, 1)), "10.50.1600"),
        ],
    )
    def test_the_version_reads_as_people_write_it(self, wire: bytes, text: str) -> None:
        assert parse_prelogin_answer(prelogin_body(0, wire)).server_version == text

    @given(piece=st.integers(1, 60), split=st.integers(9, 40), trailing=st.binary(max_size=20))
    @settings(deadline=None, max_examples=100)
    def test_it_is_read_whole_byte_by_byte_and_with_bytes_following(
        self, piece: int, split: int, trailing: bytes
    ) -> None:
        reader = PacketReader()
        stream = packets(PacketType.ANSWER, prelogin_body(0), split) + trailing
        for start in range(0, len(stream), piece):
            reader.feed(stream[start : start + piece])
            message = reader.next_message()
            if message is not None:
                break
        else:
            pytest.fail("the answer never became complete")
        kind, body = message
        assert kind is PacketType.ANSWER
        assert parse_prelogin_answer(body) == A_2022
        assert trailing.startswith(reader.rest)

    @given(trailing=st.binary(max_size=40))
    @settings(deadline=None, max_examples=50)
    def test_data_behind_the_options_changes_nothing(self, trailing: bytes) -> None:
        assert parse_prelogin_answer(prelogin_body(0) + trailing) == A_2022

    def test_options_that_we_do_not_know_are_let_be(self) -> None:
        body = option(0, 16, 6) + option(1, 22, 1) + option(0x42, 16, 2) + b"\xff" + bytes(6) + b"\x03"
        assert parse_prelogin_answer(body).encryption is EncryptionAnswer.REQUIRED

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (b"", "no end"),
            (b"\x00", "no end"),
            (prelogin_body(0)[:25], "no end"),
            (prelogin_body(0)[:-2], "outside"),
            (b"\xff", "lacks its VERSION"),
            (bytes.fromhex("00 0006 0006 ff") + bytes(6), "lacks its ENCRYPTION"),
            (bytes.fromhex("00 0010 0006 00 0010 0006 01 0010 0001 ff") + bytes(20), "comes twice"),
            (bytes.fromhex("00 000b 0006 01 0000 0001 ff") + bytes(6), "outside"),
            (bytes.fromhex("00 000b 0006 01 000a 0001 ff") + bytes(6), "outside"),
            (bytes.fromhex("00 000b 0006 01 0011 0001 ff") + bytes(6), "outside"),
            (bytes.fromhex("00 000b 0006 01 000b ffff ff") + bytes(6), "outside"),
            (bytes.fromhex("00 000b 0006 01 ffff 0001 ff") + bytes(6), "outside"),
            (bytes.fromhex("00 000b 0005 01 0010 0001 ff") + bytes(6), "VERSION has 5"),
            (bytes.fromhex("00 000b 0006 01 0011 0000 ff") + bytes(6), "ENCRYPTION has 0"),
            (bytes.fromhex("00 000b 0006 01 000b 0002 ff") + bytes(6), "ENCRYPTION has 2"),
            (b"\xaa" + bytes(30), "no end"),
        ],
    )
    def test_every_bound_is_enforced(self, body: bytes, complaint: str) -> None:
        with pytest.raises(TdsError, match=complaint):
            parse_prelogin_answer(body)

    @given(st.one_of(st.binary(max_size=80), st.binary(max_size=40).map(lambda tail: prelogin_body(0)[:20] + tail)))
    @settings(deadline=None, max_examples=300)
    def test_random_bytes_raise_nothing_but_a_tds_error(self, body: bytes) -> None:
        with contextlib.suppress(TdsError):
            parse_prelogin_answer(body)


def option(token: int, offset: int, length: int) -> bytes:
    return struct.pack(">BHH", token, offset, length)
