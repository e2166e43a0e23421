"""One connection, seen from the server: a state machine that does no I/O.

The states are those of [MS-TDS] 3.3: the first byte tells TDS 7 (PRELOGIN, 0x12) from TDS 8.0 (TLS, 0x16); then
TLS, LOGIN7, and requests. Bytes may come in any pieces.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from enum import Enum, auto

from assessor.lab import wire
from assessor.lab.behaviour import (
    Behaviour,
    Drops,
    Encryption,
    Hangs,
    Manner,
    Nothing,
    Refused,
    Reply,
    Rows,
)
from assessor.lab.tls import TlsFailed, TlsSession
from assessor.lab.wire import Encrypt, PacketType, ServerMessage

_TLS_HANDSHAKE_RECORD = 0x16
_SSH_BANNER = b"SSH-2.0-OpenSSH_9.6\r\n"

#: MS-TDS 2.2.6.5: what the server answers to a client's ENCRYPTION option, and when it then hangs up.
_ANSWERS = {
    Encryption.AVAILABLE: {
        Encrypt.OFF: Encrypt.OFF,
        Encrypt.ON: Encrypt.ON,
        Encrypt.NOT_SUPPORTED: Encrypt.NOT_SUPPORTED,
        Encrypt.REQUIRED: Encrypt.ON,
    },
    Encryption.FORCED: {
        Encrypt.OFF: Encrypt.REQUIRED,
        Encrypt.ON: Encrypt.ON,
        Encrypt.NOT_SUPPORTED: Encrypt.REQUIRED,
        Encrypt.REQUIRED: Encrypt.ON,
    },
}

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_USE = re.compile(r"use\s+(?:\[(?P<quoted>(?:[^\]]|\]\])+)\]|(?P<plain>\w+))\s*;?", re.IGNORECASE)
#: Statements with which a client sets up a session or ends a transaction; they change nothing the lab keeps.
_HARMLESS = re.compile(
    r"(?:(?:set\s+[^;]*?|(?:if\s+@@trancount\s*>\s*0\s+)?(?:begin|commit|rollback)(?:\s+tran(?:saction)?)?)\s*(?:;|\n|$)\s*)*",
    re.IGNORECASE,
)


class End(Enum):
    """How the server ends a connection."""

    CLOSE = auto()  #: after everything was sent
    RESET = auto()


class _State(Enum):
    FIRST_BYTE = auto()
    PRELOGIN = auto()
    TLS_IN_TDS = auto()
    TLS_FIRST = auto()
    LOGIN = auto()
    READY = auto()
    OVER = auto()


@dataclass(slots=True)
class Seen:
    """What a client showed of itself on one connection. Never holds a password."""

    strict: bool = False  #: came TLS first
    asked: int | None = None  #: ENCRYPTION of its PRELOGIN
    tls: str | None = None  #: TLS version, once the handshake was over
    server_name: str | None = None  #: SNI
    protocol: str | None = None  #: ALPN
    login: str | None = None
    logged_in: bool = False
    dialled: str | None = None  #: server name in LOGIN7
    encrypted: bool = False  #: the session went on encrypted after the login
    batches: list[str] = field(default_factory=list)


class Conversation:
    """Feed it with :meth:`receive`; send what it returns; then look at :attr:`end`."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._state = _State.FIRST_BYTE
        self._reader = wire.PacketReader()
        self._tls: TlsSession | None = None
        self._encrypt_all = False
        self._packet_size = wire.DEFAULT_PACKET_SIZE
        self._database = "master"
        self._transaction = 0
        self._out = bytearray()
        self.end: End | None = None
        self.seen = Seen()

    def greet(self) -> bytes:
        """What the server says before the client does: nothing, if it speaks TDS."""
        match self._behaviour.manner:
            case Manner.OTHER_SERVICE:
                return _SSH_BANNER
            case Manner.CLOSES:
                self._finish(End.CLOSE)
        return b""

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the client; return bytes for it."""
        if self._behaviour.manner is Manner.OTHER_SERVICE:
            self._finish(End.CLOSE)
            return b"Invalid SSH identification string.\r\n"
        if self._behaviour.manner is not Manner.TDS or self.end is not None or not data:
            return b""
        try:
            self._advance(data)
        except wire.WireError:
            self._finish(End.CLOSE)
        except TlsFailed:
            self._flush_tls()
            self._finish(End.CLOSE)
        out = bytes(self._out)
        self._out.clear()
        return out

    def _finish(self, how: End) -> None:
        self._state = _State.OVER
        if self.end is None:
            self.end = how

    # -- bytes ----------------------------------------------------------------------------------------

    def _advance(self, data: bytes) -> None:
        if self._state is _State.FIRST_BYTE:
            self._begin(data[0])
            if self.end is not None:
                return
        if self._tls is not None and self._state is not _State.TLS_IN_TDS:
            self._receive_tls(data)
        else:
            self._reader.feed(data)
            if self._state is _State.TLS_IN_TDS:
                self._handshake_in_packets()
        self._handle_messages()

    def _begin(self, first: int) -> None:
        behaviour = self._behaviour
        if first == _TLS_HANDSHAKE_RECORD:
            if not behaviour.tds8 or behaviour.credentials is None:
                self._finish(End.RESET)
                return
            self.seen.strict = True
            self._encrypt_all = True
            self._tls = TlsSession(behaviour.credentials, behaviour.tls, strict=True, ciphers=behaviour.ciphers)
            self._state = _State.TLS_FIRST
        elif first == PacketType.PRELOGIN:
            if behaviour.force_strict:  # log message 17819 on the server, nothing for the client
                self._finish(End.CLOSE)
                return
            self._state = _State.PRELOGIN
        else:
            self._finish(End.CLOSE)

    def _receive_tls(self, data: bytes) -> None:
        assert self._tls is not None
        self._tls.receive(data)
        self._flush_tls()
        if self._state is _State.TLS_FIRST and self._tls.established:
            self._note_tls()
            self._state = _State.PRELOGIN
        if self._tls.established:
            self._reader.feed(self._tls.read())
            self._flush_tls()

    def _handshake_in_packets(self) -> None:
        assert self._tls is not None
        while not self._tls.established and (packet := self._reader.next_packet()) is not None:
            kind, _, payload = packet
            if kind != PacketType.PRELOGIN:
                raise wire.WireError(f"packet of type {kind:#x} during the TLS handshake")
            self._tls.receive(payload)
            self._flush_tls()
        if self._tls.established:
            self._note_tls()
            self._state = _State.LOGIN
            # From here on TLS records travel bare, and some may have come already.
            if rest := self._reader.take_rest():
                self._receive_tls(rest)

    def _flush_tls(self) -> None:
        if self._tls is None or not (data := self._tls.outgoing()):
            return
        if self._state is _State.TLS_IN_TDS:
            data = wire.packets(PacketType.PRELOGIN, data, self._packet_size)
        self._out += data

    def _note_tls(self) -> None:
        assert self._tls is not None
        self.seen.tls = self._tls.version
        self.seen.server_name = self._tls.server_name
        self.seen.protocol = self._tls.protocol

    def _send(self, tokens: bytes) -> None:
        data = wire.packets(PacketType.TABULAR_RESULT, tokens, self._packet_size)
        if self._tls is not None:
            self._tls.write(data)
            self._flush_tls()
        else:
            self._out += data

    # -- messages -------------------------------------------------------------------------------------

    def _handle_messages(self) -> None:
        while self.end is None and self._state in (_State.PRELOGIN, _State.LOGIN, _State.READY):
            message = self._reader.next_message()
            if message is None:
                return
            match self._state:
                case _State.PRELOGIN:
                    self._handle_prelogin(message)
                case _State.LOGIN:
                    self._handle_login(message)
                case _:
                    self._handle_request(message)

    def _handle_prelogin(self, message: wire.Message) -> None:
        if message.type != PacketType.PRELOGIN:
            raise wire.WireError("expected PRELOGIN")
        behaviour = self._behaviour
        prelogin = wire.parse_prelogin(message.payload)
        self.seen.asked = prelogin.encryption
        if self.seen.strict:  # inside TLS the option means nothing
            answer, ends = Encrypt.NOT_SUPPORTED, False
        else:
            answer, ends = self._negotiate(prelogin.encryption)
        self._send(wire.prelogin_answer(behaviour.version, answer, fedauth=prelogin.asks_fedauth))
        if ends:
            self._finish(End.CLOSE)
        elif self.seen.strict or answer is Encrypt.NOT_SUPPORTED:
            self._state = _State.LOGIN
        else:
            assert behaviour.credentials is not None
            self._encrypt_all = answer is not Encrypt.OFF
            self._tls = TlsSession(behaviour.credentials, behaviour.tls, strict=False, ciphers=behaviour.ciphers)
            self._state = _State.TLS_IN_TDS
            self._handshake_in_packets()

    def _negotiate(self, asked: int | None) -> tuple[Encrypt, bool]:
        """Answer to the ENCRYPTION option, and whether the connection ends with it."""
        try:
            # A client without the option can't encrypt. 0x80 and 0x20 offer a client certificate, or ask for one.
            wish = Encrypt(asked & 0x0F) if asked is not None else Encrypt.NOT_SUPPORTED
        except ValueError:
            raise wire.WireError(f"ENCRYPTION {asked:#x} is no value of PRELOGIN") from None
        behaviour = self._behaviour
        if behaviour.encryption is Encryption.NOT_SUPPORTED or behaviour.credentials is None:
            return Encrypt.NOT_SUPPORTED, wish is Encrypt.REQUIRED
        answer = _ANSWERS[behaviour.encryption][wish]
        return answer, answer is Encrypt.REQUIRED and wish is Encrypt.NOT_SUPPORTED

    def _handle_login(self, message: wire.Message) -> None:
        if message.type != PacketType.LOGIN7:
            raise wire.WireError("expected LOGIN7")
        login = wire.parse_login7(message.payload)
        if not self._encrypt_all:
            self._tls = None  # only the login was encrypted
        self.seen.login = login.user
        self.seen.dialled = login.server
        self.seen.encrypted = self._tls is not None
        if refusal := self._refusal(login):
            self._send(self._messages(refusal) + wire.done(status=wire.DONE_ERROR))
            self._finish(End.CLOSE)
            return
        self.seen.logged_in = True
        self._state = _State.READY
        if login.database:
            self._database = login.database
        size = min(max(login.packet_size, 512), 32767) if login.packet_size else wire.DEFAULT_PACKET_SIZE
        tokens = (
            self._database_change("master")
            + wire.environment_change_bytes(7, wire.COLLATION, b"")
            + wire.environment_change(2, "us_english", "")
            + wire.server_message(
                ServerMessage(5703, "Changed language setting to us_english.", 10), self._behaviour.server_name
            )
            + wire.login_ack(self._behaviour.version)
            + wire.environment_change(4, str(size), str(self._packet_size))
            + wire.done()
        )
        self._send(tokens)
        self._packet_size = size

    def _refusal(self, login: wire.Login7) -> tuple[ServerMessage, ...]:
        behaviour = self._behaviour
        if login.integrated:
            text = (
                "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."
            )
            return (ServerMessage(18452, text),)
        accounts = {name.lower(): password for name, password in behaviour.accounts.items()}
        failed = ServerMessage(18456, f"Login failed for user '{login.user}'.")
        if accounts.get(login.user.lower()) != login.password:
            return (failed,)
        if login.database and not self._knows(login.database):
            text = f'Cannot open database "{login.database}" requested by the login. The login failed.'
            return (ServerMessage(4060, text, 11), failed)
        return ()

    def _knows(self, database: str) -> bool:
        return database.lower() in (known.lower() for known in self._behaviour.databases)

    def _database_change(self, old: str) -> bytes:
        text = f"Changed database context to '{self._database}'."
        return wire.environment_change(1, self._database, old) + wire.server_message(
            ServerMessage(5701, text, 10), self._behaviour.server_name
        )

    def _messages(self, messages: tuple[ServerMessage, ...]) -> bytes:
        return b"".join(wire.server_message(message, self._behaviour.server_name) for message in messages)

    # -- requests -------------------------------------------------------------------------------------

    def _handle_request(self, message: wire.Message) -> None:
        match message.type:
            case PacketType.SQL_BATCH:
                batch = wire.parse_batch(message.payload)
                self.seen.batches.append(batch)
                if (use := _USE.fullmatch(_bare(batch))) is not None:
                    self._use((use["quoted"] or use["plain"]).replace("]]", "]"))
                else:
                    self._reply(self._answer(batch))
            case PacketType.ATTENTION:
                self._send(wire.done_attention())
            case PacketType.TRANSACTION:
                self._handle_transaction(message.payload)
            case PacketType.RPC:
                name = wire.parse_rpc_name(message.payload)
                self.seen.batches.append(f"RPC {name}")
                self._reply(_unknown(f"procedure {name}"))
            case other:
                raise wire.WireError(f"request of type {other:#x}")

    def _answer(self, batch: str) -> Reply:
        if (reply := self._behaviour.answers(batch, self._database)) is not None:
            return reply
        if _HARMLESS.fullmatch(_bare(batch)):
            return Nothing()
        return _unknown("batch")

    def _use(self, database: str) -> None:
        if not self._knows(database):
            text = f"Database '{database}' does not exist. Make sure that the name is entered correctly."
            self._reply(Refused((ServerMessage(911, text, 16),)))
            return
        old, self._database = self._database, database
        self._send(self._database_change(old) + wire.done())

    def _reply(self, reply: Reply) -> None:
        match reply:
            case Rows(columns, rows):
                self._send(wire.result_set(columns, rows))
            case Refused(messages):
                self._send(self._messages(messages) + wire.done(status=wire.DONE_ERROR))
            case Nothing():
                self._send(wire.done())
            case Drops():
                self._finish(End.RESET)
            case Hangs():
                pass

    def _handle_transaction(self, payload: bytes) -> None:
        """Begin, commit or roll back: nothing to do, but a client keeps the descriptor it is given."""
        request, begins = wire.parse_transaction(payload)
        tokens = b""
        if request in (wire.TransactionRequest.COMMIT, wire.TransactionRequest.ROLLBACK):
            kind = 9 if request == wire.TransactionRequest.COMMIT else 10
            tokens += wire.environment_change_bytes(kind, b"", struct.pack("<Q", self._transaction))
        if request == wire.TransactionRequest.BEGIN or begins:
            self._transaction += 1
            tokens += wire.environment_change_bytes(8, struct.pack("<Q", self._transaction), b"")
        self._send(tokens + wire.done())


def _bare(batch: str) -> str:
    return _COMMENT.sub(" ", batch).strip()


def _unknown(what: str) -> Refused:
    return Refused((ServerMessage(50000, f"The lab answers the bundled queries only, not this {what}.", 16),))
