"""The server's half of the TDS wire, sans I/O: bytes in, messages out; replies in, bytes out.

Everything here follows [MS-TDS] (Microsoft open specifications, revision of 2025); the section is named where a
fact is used. Written apart from :mod:`assessor.probe` on purpose: the two must not share a misunderstanding.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from uuid import UUID

HEADER = struct.Struct(">BBHHBB")  #: type, status, length, SPID, packet number, window (2.2.3.1)
DEFAULT_PACKET_SIZE = 4096
MAX_MESSAGE = 1 << 20  #: no client of the lab needs more than 1 MiB in one message
END_OF_MESSAGE = 0x01

TDS_7_4 = 0x74000004

#: Latin1_General_CI_AS, code page 1252 (2.2.5.1.2): LCID and flags, then sort id.
COLLATION = bytes((0x09, 0x04, 0xD0, 0x00, 0x34))


class WireError(Exception):
    """The client broke the protocol; the connection can't go on."""


class PacketType(IntEnum):
    """First byte of a packet header (2.2.3.1.1)."""

    SQL_BATCH = 0x01
    RPC = 0x03
    TABULAR_RESULT = 0x04
    ATTENTION = 0x06
    TRANSACTION = 0x0E
    LOGIN7 = 0x10
    PRELOGIN = 0x12  #: also carries TLS during a TDS 7 handshake


class Encrypt(IntEnum):
    """The ENCRYPTION option of PRELOGIN (2.2.6.5)."""

    OFF = 0x00
    ON = 0x01
    NOT_SUPPORTED = 0x02
    REQUIRED = 0x03


# --- packets ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message: the payloads of its packets, joined."""

    type: int
    payload: bytes


class PacketReader:
    """Joins packets to messages, however the bytes are cut (2.2.3)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._payload = bytearray()
        self._type: int | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire."""
        self._buffer += data

    def next_packet(self) -> tuple[int, int, bytes] | None:
        """Take one packet out: type, status, payload; ``None`` until it is whole.

        Raises:
            WireError: the header's length is impossible.

        """
        if len(self._buffer) < HEADER.size:
            return None
        kind, status, length, _, _, _ = HEADER.unpack_from(self._buffer)
        if length < HEADER.size:
            raise WireError(f"packet length {length} is less than a header")
        if len(self._buffer) < length:
            return None
        payload = bytes(self._buffer[HEADER.size : length])
        del self._buffer[:length]
        return kind, status, payload

    def next_message(self) -> Message | None:
        """Take one message out; ``None`` until its last packet is whole.

        Raises:
            WireError: a packet is malformed, of another type than its message, or the message is too large.

        """
        while (packet := self.next_packet()) is not None:
            kind, status, payload = packet
            if self._type is not None and kind != self._type:
                if kind != PacketType.ATTENTION:
                    raise WireError(f"packet of type {kind:#x} inside a message of type {self._type:#x}")
                self._payload.clear()  # an attention cancels a request that is still being sent (2.2.1.7)
            self._type = kind
            self._payload += payload
            if len(self._payload) > MAX_MESSAGE:
                raise WireError("message too large")
            if status & END_OF_MESSAGE:
                message = Message(kind, bytes(self._payload))
                self._payload.clear()
                self._type = None
                return message
        return None

    def take_rest(self) -> bytes:
        """Hand over bytes that are no packet of ours, when TLS takes over the wire."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest


def packets(kind: int, payload: bytes, size: int = DEFAULT_PACKET_SIZE) -> bytes:
    """Cut ``payload`` into packets of at most ``size`` bytes, header included."""
    room = size - HEADER.size
    pieces = [payload[at : at + room] for at in range(0, len(payload), room)] or [b""]
    out = bytearray()
    for number, piece in enumerate(pieces, 1):
        status = END_OF_MESSAGE if number == len(pieces) else 0
        out += HEADER.pack(kind, status, HEADER.size + len(piece), 0, number & 0xFF, 0)
        out += piece
    return bytes(out)


# --- what the client says --------------------------------------------------------------------------------

_VERSION, _ENCRYPTION, _INSTOPT, _THREADID, _MARS, _TRACEID, _FEDAUTH = range(7)
_TERMINATOR = 0xFF


@dataclass(frozen=True, slots=True)
class Prelogin:
    """A client's PRELOGIN, as far as a server acts on it."""

    encryption: int | None
    instance: bytes
    asks_fedauth: bool


def parse_prelogin(payload: bytes) -> Prelogin:
    """Read a PRELOGIN (2.2.6.5).

    Raises:
        WireError: an option points outside the message, or VERSION isn't first.

    """
    options: dict[int, bytes] = {}
    at = 0
    while True:
        if at >= len(payload):
            raise WireError("PRELOGIN has no terminator")
        token = payload[at]
        if token == _TERMINATOR:
            break
        if at + 5 > len(payload):
            raise WireError("PRELOGIN option list is cut short")
        offset, length = struct.unpack_from(">HH", payload, at + 1)
        if offset + length > len(payload):
            raise WireError("PRELOGIN option points outside the message")
        if not options and token != _VERSION:
            raise WireError("PRELOGIN does not begin with VERSION")
        options[token] = payload[offset : offset + length]
        at += 5
    encryption = options.get(_ENCRYPTION)
    return Prelogin(
        encryption[0] if encryption else None,
        options.get(_INSTOPT, b"\0").rstrip(b"\0"),
        _FEDAUTH in options,
    )


def prelogin_answer(version: tuple[int, int, int, int], encryption: Encrypt, *, fedauth: bool) -> bytes:
    """The server's PRELOGIN payload: version, encryption, no MARS."""
    major, minor, build, revision = version
    options: list[tuple[int, bytes]] = [
        (_VERSION, struct.pack(">BBHH", major, minor, build, revision)),
        (_ENCRYPTION, bytes((encryption,))),
        (_INSTOPT, b"\0"),
        (_THREADID, b""),
        (_MARS, b"\0"),
    ]
    if fedauth:
        options.append((_FEDAUTH, b"\0"))
    offset = 5 * len(options) + 1
    head, body = bytearray(), bytearray()
    for token, data in options:
        head += struct.pack(">BHH", token, offset + len(body), len(data))
        body += data
    return bytes(head) + bytes((_TERMINATOR,)) + bytes(body)


@dataclass(frozen=True, slots=True)
class Login7:
    """A client's LOGIN7, as far as SQL authentication needs it. The password never shows in a ``repr``."""

    tds_version: int
    packet_size: int
    host_name: str
    user: str
    password: str = field(repr=False)
    application: str
    server: str
    database: str
    integrated: bool  #: asks for Windows authentication (SSPI)


_LOGIN7_FIXED = 94


def parse_login7(payload: bytes) -> Login7:
    """Read a LOGIN7 (2.2.6.4).

    Raises:
        WireError: it is shorter than its fixed part, or a field points outside it.

    """
    if len(payload) < _LOGIN7_FIXED:
        raise WireError("LOGIN7 is cut short")
    tds_version, packet_size = struct.unpack_from("<II", payload, 4)
    option_flags_2 = payload[25]

    def raw(at: int) -> bytes:
        offset, characters = struct.unpack_from("<HH", payload, at)
        end = offset + 2 * characters
        if end > len(payload):
            raise WireError("a LOGIN7 field points outside the message")
        return payload[offset:end]

    def text(at: int) -> str:
        return raw(at).decode("utf-16-le", "replace")

    return Login7(
        tds_version,
        packet_size,
        text(36),
        text(40),
        _clear_password(raw(44)),
        text(48),
        text(52),
        text(68),
        bool(option_flags_2 & 0x80),
    )


def _clear_password(hidden: bytes) -> str:
    """Undo 2.2.6.4's obfuscation: XOR with 0xA5 came last, swapping nibbles first."""
    clear = bytes(((byte ^ 0xA5) << 4 | (byte ^ 0xA5) >> 4) & 0xFF for byte in hidden)
    return clear.decode("utf-16-le", "replace")


def without_headers(payload: bytes) -> bytes:
    """Skip ALL_HEADERS (2.2.5.3), which TDS 7.2 and later put before a request.

    Raises:
        WireError: its length is impossible.

    """
    if len(payload) < 4:
        raise WireError("request without ALL_HEADERS")
    (total,) = struct.unpack_from("<I", payload)
    if not 4 <= total <= len(payload):
        raise WireError("ALL_HEADERS has an impossible length")
    return payload[total:]


def parse_batch(payload: bytes) -> str:
    """The text of an SQL batch (2.2.6.7).

    Raises:
        WireError: no text can be there.

    """
    return without_headers(payload).decode("utf-16-le", "replace")


class TransactionRequest(IntEnum):
    """The transaction manager requests that a client without distributed transactions makes (2.2.6.9)."""

    BEGIN = 5
    COMMIT = 7
    ROLLBACK = 8
    SAVE = 9


def parse_transaction(payload: bytes) -> tuple[int, bool]:
    """Read a transaction manager request: its type, and whether a new transaction begins at once after it.

    Raises:
        WireError: it is cut short.

    """
    body = without_headers(payload)
    if len(body) < 2:
        raise WireError("transaction request is cut short")
    (request,) = struct.unpack_from("<H", body)
    begins = False
    if request in (TransactionRequest.COMMIT, TransactionRequest.ROLLBACK) and len(body) >= 4:
        name_length = body[2]
        flags_at = 3 + name_length
        begins = flags_at < len(body) and bool(body[flags_at] & 1)
    return request, begins


def parse_rpc_name(payload: bytes) -> str | int:
    """The name, or the well-known number, of the procedure an RPC calls (2.2.6.6).

    Raises:
        WireError: it is cut short.

    """
    body = without_headers(payload)
    if len(body) < 4:
        raise WireError("RPC is cut short")
    length, number = struct.unpack_from("<HH", body)
    if length == 0xFFFF:
        return int(number)
    return body[2 : 2 + 2 * length].decode("utf-16-le", "replace")


# --- tokens ----------------------------------------------------------------------------------------------


def _b_varchar(text: str) -> bytes:
    encoded = text.encode("utf-16-le", "replace")[: 2 * 255]
    return bytes((len(encoded) // 2,)) + encoded


def _us_varchar(text: str) -> bytes:
    encoded = text.encode("utf-16-le", "replace")[: 2 * 4000]
    return struct.pack("<H", len(encoded) // 2) + encoded


def _token(kind: int, body: bytes) -> bytes:
    return struct.pack("<BH", kind, len(body)) + body


def login_ack(version: tuple[int, int, int, int]) -> bytes:
    """LOGINACK (2.2.7.14) for TDS 7.4; TDS 8.0 announces the same number."""
    major, minor, build, _ = version
    body = b"\x01" + struct.pack(">I", TDS_7_4) + _b_varchar("Microsoft SQL Server")
    return _token(0xAD, body + struct.pack(">BBH", major, minor, build))


def environment_change(kind: int, new: str, old: str) -> bytes:
    """ENVCHANGE (2.2.7.9) with text values: 1 database, 2 language, 4 packet size."""
    return _token(0xE3, bytes((kind,)) + _b_varchar(new) + _b_varchar(old))


def environment_change_bytes(kind: int, new: bytes, old: bytes) -> bytes:
    """ENVCHANGE (2.2.7.9) with binary values: 7 collation, 8 begin, 9 commit, 10 roll back."""
    return _token(0xE3, bytes((kind, len(new))) + new + bytes((len(old),)) + old)


@dataclass(frozen=True, slots=True)
class ServerMessage:
    """One error or informational message, as SQL Server numbers them. Severity 11 and above is an error."""

    number: int
    text: str
    severity: int = 14
    state: int = 1


def server_message(message: ServerMessage, server: str) -> bytes:
    """ERROR (2.2.7.10) or INFO (2.2.7.13), by severity."""
    body = struct.pack("<iBB", message.number, message.state, message.severity)
    body += _us_varchar(message.text) + _b_varchar(server) + _b_varchar("") + struct.pack("<I", 1)
    return _token(0xAA if message.severity > 10 else 0xAB, body)


DONE_ERROR = 0x02
_DONE_COUNT = 0x10
_DONE_ATTENTION = 0x20


def done(rows: int | None = None, *, status: int = 0) -> bytes:
    """DONE (2.2.7.6): the end of one statement, and of the message."""
    if rows is not None:
        status |= _DONE_COUNT
    return struct.pack("<BHHQ", 0xFD, status, 0xC1 if rows is not None else 0, rows or 0)


def done_attention() -> bytes:
    """The answer to an attention, also when nothing was left to cancel (2.2.1.7)."""
    return done(status=_DONE_ATTENTION)


# --- types -----------------------------------------------------------------------------------------------

Value = str | int | bool | bytes | datetime | UUID | None

_INTEGERS = {"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8}
_TYPE = re.compile(r"\s*(?P<name>[a-z0-9]+)\s*(?:\(\s*(?P<size>max|\d+)\s*\))?\s*", re.IGNORECASE)
_EPOCH_1900 = datetime(1900, 1, 1)
_TICKS_PER_DAY = 300 * 86_400


@dataclass(frozen=True, slots=True)
class SqlType:
    """A T-SQL type as a ``returns:`` header writes it. Every column the lab sends is nullable.

    ``size`` is characters (nvarchar), bytes (varchar, varbinary), or fractional digits (datetime2); ``None``
    is ``max`` for the first three and has no meaning for the others.
    """

    name: str
    size: int | None = None

    @classmethod
    def parse(cls, text: str) -> SqlType:
        """Read ``nvarchar(128)``, ``bit``, ``datetime2``, ``sysname`` …

        Raises:
            ValueError: the lab has no such type.

        """
        match = _TYPE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a T-SQL type")
        name, size = match["name"].lower(), match["size"]
        if name == "sysname":
            return cls("nvarchar", 128)
        if name in _INTEGERS or name in ("bit", "datetime", "uniqueidentifier"):
            if size is not None:
                raise ValueError(f"{name} takes no size: {text!r}")
            return cls(name)
        if name == "datetime2":
            digits = 7 if size is None else int(size)
            if digits > 7:
                raise ValueError(f"datetime2 has at most 7 digits: {text!r}")
            return cls(name, digits)
        if name in ("nvarchar", "varchar", "varbinary"):
            if size is None:
                raise ValueError(f"write the size of {name}, as in {name}(128) or {name}(max)")
            if size.lower() == "max":
                return cls(name, None)
            limit = 4000 if name == "nvarchar" else 8000
            if not 1 <= int(size) <= limit:
                raise ValueError(f"{name} holds 1 to {limit}, or max: {text!r}")
            return cls(name, int(size))
        raise ValueError(f"the lab has no type {name!r}")

    def accepts(self, value: Value) -> str | None:
        """Say why ``value`` can't be stored, or ``None`` when it can."""
        if value is None:
            return None
        expected: type | tuple[type, ...]
        match self.name:
            case "nvarchar" | "varchar":
                expected = str
            case "bit":
                expected = bool
            case "uniqueidentifier":
                expected = UUID
            case "datetime" | "datetime2":
                expected = datetime
            case "varbinary":
                expected = bytes
            case _:
                expected = int
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            return f"{value!r} is no {self}"
        if isinstance(value, str | bytes):
            wide = isinstance(value, str) and self.name == "nvarchar"
            length = len(str(value).encode("utf-16-le", "surrogatepass")) // 2 if wide else len(value)
            if self.size is not None and length > self.size:
                return f"a text of {length} characters is too long for {self}"
        elif self.name in _INTEGERS and isinstance(value, int):
            bits = 8 * _INTEGERS[self.name]
            low, high = (0, 255) if bits == 8 else (-(1 << bits - 1), (1 << bits - 1) - 1)
            if not low <= value <= high:
                return f"{value} does not fit {self}"
        return None

    def __str__(self) -> str:
        if self.name in ("nvarchar", "varchar", "varbinary"):
            return f"{self.name}({self.size if self.size is not None else 'max'})"
        return f"{self.name}({self.size})" if self.size is not None else self.name

    def describe(self) -> bytes:
        """TYPE_INFO (2.2.5.6)."""
        match self.name:
            case "nvarchar":
                return struct.pack("<BH", 0xE7, 0xFFFF if self.size is None else 2 * self.size) + COLLATION
            case "varchar":
                return struct.pack("<BH", 0xA7, 0xFFFF if self.size is None else self.size) + COLLATION
            case "varbinary":
                return struct.pack("<BH", 0xA5, 0xFFFF if self.size is None else self.size)
            case "bit":
                return b"\x68\x01"
            case "datetime":
                return b"\x6f\x08"
            case "datetime2":
                return bytes((0x2A, self.size or 0))
            case "uniqueidentifier":
                return b"\x24\x10"
            case _:
                return bytes((0x26, _INTEGERS[self.name]))

    def encode(self, value: Value) -> bytes:
        """TYPE_VARBYTE of one value (2.2.5.5.3, 2.2.7.19).

        Raises:
            ValueError: the value doesn't fit; see :meth:`accepts`.

        """
        if complaint := self.accepts(value):
            raise ValueError(complaint)
        if self.name in ("nvarchar", "varchar", "varbinary"):
            return self._encode_long(value)
        if value is None:
            return b"\0"
        if isinstance(value, bool):
            data = bytes((value,))
        elif isinstance(value, int):
            data = int(value).to_bytes(_INTEGERS[self.name], "little", signed=self.name != "tinyint")
        elif isinstance(value, UUID):
            data = value.bytes_le
        else:
            assert isinstance(value, datetime)  # accepts() lets nothing else through
            data = self._encode_time(value)
        return bytes((len(data),)) + data

    def _encode_long(self, value: Value) -> bytes:
        if isinstance(value, str):
            wide = self.name == "nvarchar"
            data = value.encode("utf-16-le", "surrogatepass") if wide else value.encode("cp1252", "replace")
        elif isinstance(value, bytes):
            data = value
        else:
            return b"\xff" * (8 if self.size is None else 2)
        if self.size is not None:
            return struct.pack("<H", len(data)) + data
        chunk = struct.pack("<I", len(data)) + data if data else b""
        return struct.pack("<Q", len(data)) + chunk + struct.pack("<I", 0)

    def _encode_time(self, value: datetime) -> bytes:
        if value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        midnight = datetime(value.year, value.month, value.day)
        microseconds = (value - midnight) // timedelta(microseconds=1)
        if self.name == "datetime":
            days = (midnight - _EPOCH_1900).days
            ticks = (microseconds * 300 + 500_000) // 1_000_000
            if ticks == _TICKS_PER_DAY:
                days, ticks = days + 1, 0
            return struct.pack("<iI", days, ticks)
        digits = self.size or 0
        units = int(microseconds * 10**digits // 1_000_000)
        width = 3 if digits <= 2 else 4 if digits <= 4 else 5
        days = value.toordinal() - date.min.toordinal()
        return units.to_bytes(width, "little") + days.to_bytes(3, "little")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result set."""

    name: str
    type: SqlType


def result_set(columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> bytes:
    """COLMETADATA (2.2.7.4), a ROW (2.2.7.19) for each row, and DONE.

    Raises:
        ValueError: a value doesn't fit its column.

    """
    out = bytearray(struct.pack("<BH", 0x81, len(columns)))
    for column in columns:
        # User type 0; flags: nullable, and whether it can be updated is unknown.
        out += struct.pack("<IH", 0, 0x0009) + column.type.describe() + _b_varchar(column.name)
    count = 0
    for row in rows:
        out.append(0xD1)
        for column, value in zip(columns, row, strict=True):
            out += column.type.encode(value)
        count += 1
    return bytes(out) + done(count)
