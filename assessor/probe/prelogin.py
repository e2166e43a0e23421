"""TDS packets and the PRELOGIN exchange: bytes in, bytes out, no socket.

Source of every structure: [MS-TDS], sections 2.2.3 (packets) and 2.2.6.5 (PRELOGIN). A parser here returns a
value, returns ``None`` for "need more", or raises :class:`TdsError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from assessor.probe.evidence import EncryptionAnswer

HEADER_BYTES: Final = 8
#: [MS-TDS] 2.2.3.1.3: a packet has 512 to 32767 bytes, 4096 until the login negotiates another size.
PACKET_BYTES: Final = 4096
MAX_PACKET_BYTES: Final = 32767
#: An answer has about 40 bytes, with a nonce and a trace 120; a server that sends this much is up to something.
MAX_ANSWER_BYTES: Final = 16 * 1024

_END_OF_MESSAGE: Final = 0x01
_LIST_END: Final = 0xFF
_OPTION_BYTES: Final = 5


class TdsError(ValueError):
    """The peer broke the protocol; the message says how."""


class NotTdsError(TdsError):
    """The very first byte is none that a TDS server sends: something else lives there."""

    def __init__(self, first_bytes: bytes) -> None:
        super().__init__("the first byte is not that of a TDS packet")
        self.first_bytes = first_bytes


class OversizeError(TdsError):
    """The peer sent more than a sane server ever would."""


class PacketType(IntEnum):
    """[MS-TDS] 2.2.3.1.1, as far as a probe meets them."""

    ANSWER = 0x04  #: "tabular result": what a server answers with, to PRELOGIN too
    PRELOGIN = 0x12  #: the client's PRELOGIN, and TLS records of either side until the handshake ends


@dataclass(frozen=True, slots=True)
class Packet:
    """One TDS packet."""

    type: PacketType
    last: bool  #: ends its message
    payload: bytes


class PacketReader:
    """Cuts a byte stream into packets and messages, however the stream was cut on its way."""

    def __init__(self) -> None:
        """Start with an empty stream."""
        self._pending = bytearray()
        self._message = bytearray()
        self._type: PacketType | None = None
        self._begun = False

    @property
    def rest(self) -> bytes:
        """Bytes received that belong to no packet taken so far."""
        return bytes(self._pending)

    @property
    def is_empty(self) -> bool:
        """Nothing but whole messages was received so far."""
        return not self._pending and self._type is None

    def feed(self, received: bytes) -> None:
        """Append what came in."""
        self._pending += received

    def next_packet(self) -> Packet | None:
        """Take one packet off the stream, or ``None`` while it is incomplete.

        Raises:
            NotTdsError: the stream's first byte is no packet type of ours.
            TdsError: a later packet's header can't be one.

        """
        if not self._pending:
            return None
        try:
            kind = PacketType(self._pending[0])
        except ValueError:
            if not self._begun:
                raise NotTdsError(bytes(self._pending)) from None
            raise TdsError(f"packet type 0x{self._pending[0]:02X} where a server's answer belongs") from None
        self._begun = True
        if len(self._pending) < HEADER_BYTES:
            return None
        length = int.from_bytes(self._pending[2:4], "big")
        if not HEADER_BYTES <= length <= MAX_PACKET_BYTES:
            raise TdsError(f"packet length {length} is outside {HEADER_BYTES} to {MAX_PACKET_BYTES}")
        if len(self._pending) < length:
            return None
        packet = Packet(kind, bool(self._pending[1] & _END_OF_MESSAGE), bytes(self._pending[8:length]))
        del self._pending[:length]
        return packet

    def next_message(self, max_bytes: int = MAX_ANSWER_BYTES) -> tuple[PacketType, bytes] | None:
        """Take one message, of one packet or several, or ``None`` while it is incomplete.

        Raises:
            OversizeError: the message has more than ``max_bytes``.
            TdsError: as :meth:`next_packet`, or the packet type changes within the message.

        """
        while (packet := self.next_packet()) is not None:
            if self._type not in (None, packet.type):
                raise TdsError("the packet type changes in the middle of a message")
            self._type = packet.type
            self._message += packet.payload
            if len(self._message) > max_bytes:
                raise OversizeError(f"one message of more than {max_bytes} bytes")
            if packet.last:
                message = packet.type, bytes(self._message)
                self._message.clear()
                self._type = None
                return message
        return None


def packets(kind: PacketType, message: bytes, packet_bytes: int = PACKET_BYTES) -> bytes:
    """Wrap one message into as many packets as it takes, the last one marked ([MS-TDS] 2.2.3.1.2)."""
    room = packet_bytes - HEADER_BYTES
    if room < 1:
        raise ValueError(f"a packet of {packet_bytes} bytes has no room for data")
    wrapped = bytearray()
    for number, start in enumerate(range(0, max(len(message), 1), room), start=1):
        payload = message[start : start + room]
        status = _END_OF_MESSAGE if start + room >= len(message) else 0
        length = HEADER_BYTES + len(payload)
        wrapped += bytes((kind, status)) + length.to_bytes(2, "big") + bytes((0, 0, number % 256, 0)) + payload
    return bytes(wrapped)


class Option(IntEnum):
    """PL_OPTION_TOKEN, [MS-TDS] 2.2.6.5."""

    VERSION = 0x00
    ENCRYPTION = 0x01
    INSTANCE = 0x02
    THREAD_ID = 0x03
    MARS = 0x04
    TRACE_ID = 0x05
    FED_AUTH_REQUIRED = 0x06
    NONCE = 0x07


class ClientEncryption(IntEnum):
    """What a client says about encryption in its PRELOGIN."""

    OFF = 0x00  #: encrypt the login only, if you can
    NOT_SUPPORTED = 0x02  #: what Microsoft's clients send inside a TDS 8.0 connection, where it is noise


_ANSWERS: Final = {
    0x00: EncryptionAnswer.OFF,
    0x01: EncryptionAnswer.ON,
    0x02: EncryptionAnswer.NOT_SUPPORTED,
    0x03: EncryptionAnswer.REQUIRED,
}


def prelogin_request(encryption: ClientEncryption) -> bytes:
    """The PRELOGIN message, packet header included, of a client without instance name, MARS or federation.

    The empty instance name makes the server skip its check of it: a probe wants whoever lives at the port.
    """
    options = (
        (Option.VERSION, bytes(6)),  # a version of the client that no server decides anything by
        (Option.ENCRYPTION, bytes((encryption,))),
        (Option.INSTANCE, b"\x00"),
        (Option.THREAD_ID, bytes(4)),
        (Option.MARS, b"\x00"),
    )
    offset = len(options) * _OPTION_BYTES + 1
    table = bytearray()
    for token, data in options:
        table += bytes((token,)) + offset.to_bytes(2, "big") + len(data).to_bytes(2, "big")
        offset += len(data)
    return packets(PacketType.PRELOGIN, bytes(table) + bytes((_LIST_END,)) + b"".join(d for _, d in options))


@dataclass(frozen=True, slots=True)
class PreloginAnswer:
    """What a server's PRELOGIN answer says."""

    encryption: EncryptionAnswer
    server_version: str  #: ``16.0.4135``


def parse_prelogin_answer(message: bytes) -> PreloginAnswer:
    """Read the body of a server's PRELOGIN answer ([MS-TDS] 2.2.6.5).

    Raises:
        TdsError: the option list is malformed, points outside the message, lacks VERSION or ENCRYPTION, or
            the encryption byte is none of the four that answer a client without a certificate.

    """
    options = _options(message)
    version = _required(options, Option.VERSION, 6)
    encryption = _required(options, Option.ENCRYPTION, 1)[0]
    if encryption not in _ANSWERS:
        raise TdsError(f"the ENCRYPTION option is 0x{encryption:02X}, none of the four answers")
    build = int.from_bytes(version[2:4], "big")
    return PreloginAnswer(_ANSWERS[encryption], f"{version[0]}.{version[1]}.{build}")


def _options(message: bytes) -> dict[int, bytes]:
    """The option list as token to data. Unknown tokens are kept: newer servers may have some."""
    end = 0
    while True:
        if end >= len(message):
            raise TdsError("the option list of PRELOGIN has no end")
        if message[end] == _LIST_END:
            break
        end += _OPTION_BYTES
    options: dict[int, bytes] = {}
    for start in range(0, end, _OPTION_BYTES):
        token = message[start]
        offset = int.from_bytes(message[start + 1 : start + 3], "big")
        length = int.from_bytes(message[start + 3 : start + 5], "big")
        if token in options:
            raise TdsError(f"PRELOGIN option 0x{token:02X} comes twice")
        if length and not (end < offset and offset + length <= len(message)):
            raise TdsError(f"PRELOGIN option 0x{token:02X} points outside the message's data")
        options[token] = message[offset : offset + length] if length else b""
    return options


def _required(options: dict[int, bytes], token: Option, length: int) -> bytes:
    data = options.get(token)
    if data is None:
        raise TdsError(f"PRELOGIN lacks its {token.name} option")
    if len(data) != length:
        raise TdsError(f"PRELOGIN option {token.name} has {len(data)} bytes instead of {length}")
    return data
