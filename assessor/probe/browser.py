r"""Ask SQL Server Browser for the TCP port of a named instance ([MC-SQLR], UDP 1434).

The wire format first, without a socket; :func:`ask` is the thin shell around it. Browser answers for no instance
that it doesn't know or that is hidden: silence is its "no".
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from assessor.probe.dial import Resolver
from assessor.probe.evidence import FailureClass
from assessor.probe.settings import ProbeSettings
from assessor.probe.wire import Address, Deadline, ProbeError, printable

_ASK_ONE: Final = 0x04  #: CLNT_UCAST_INST, [MC-SQLR] 2.2.3
_ANSWER: Final = 0x05  #: SVR_RESP, [MC-SQLR] 2.2.5
#: [MC-SQLR] 2.2.3: an instance name in a request has at most 32 bytes, without the terminator.
MAX_NAME_BYTES: Final = 32
_MAX_DATAGRAM: Final = 65535
#: Datagrams looked at before we give up: anybody on the path can send more.
_MAX_DATAGRAMS: Final = 64

#: "MBCS" on the wire means the ANSI code page of the server's Windows, which the answer doesn't name. UTF-8 first,
#: for that is what newer Windows may be set to and the one that rejects what isn't its own.
_CODE_PAGES: Final = (
    "utf-8",
    *(f"cp{number}" for number in (1252, 1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258, 874)),
    *(f"cp{number}" for number in (932, 936, 949, 950)),
)


class BrowserReplyError(ValueError):
    """A datagram is no SQL Browser answer; the message says why."""


@dataclass(frozen=True, slots=True)
class BrowserInstance:
    """One instance of an answer. The names stay bytes, for only a wanted name tells their code page."""

    server: bytes
    name: bytes
    version: str
    tcp_port: int | None  #: ``None``: TCP is off, or didn't fit into the answer
    pipe: str | None

    def is_named(self, wanted: str) -> bool:
        """Whether this is the instance called ``wanted``, in any code page and whatever the case."""
        for code_page in ("ascii",) if self.name.isascii() else _CODE_PAGES:
            try:
                name = self.name.decode(code_page)
            except UnicodeDecodeError:
                continue
            if name.casefold() == wanted.casefold():
                return True
        return False


def browser_requests(instance: str) -> tuple[bytes, ...]:
    """The datagrams that ask for one instance: one, or one a code page where these disagree about the name.

    Empty when no code page has the name, or it is longer than any request may be.
    """
    encoded: dict[bytes, None] = {}
    for code_page in _CODE_PAGES:
        try:
            name = instance.encode(code_page)
        except UnicodeEncodeError:
            continue
        if 0 < len(name) <= MAX_NAME_BYTES and 0 not in name:
            encoded[name] = None
    return tuple(bytes((_ASK_ONE,)) + name + b"\x00" for name in encoded)


def parse_browser_reply(datagram: bytes) -> tuple[BrowserInstance, ...]:
    """Read an SVR_RESP ([MC-SQLR] 2.2.5): one instance, or several although one was asked for.

    Raises:
        BrowserReplyError: not an answer, its length is not what it says, or its text is not in pairs.

    """
    if len(datagram) < 3 or datagram[0] != _ANSWER:
        raise BrowserReplyError("it is no SVR_RESP")
    size = int.from_bytes(datagram[1:3], "little")
    text = datagram[3:]
    if size != len(text):
        raise BrowserReplyError(f"it says that {size} bytes follow, and {len(text)} do")
    if not text.endswith(b";;"):
        raise BrowserReplyError("its text does not end in ';;'")
    return tuple(_instance(part) for part in text.removesuffix(b";;").split(b";;"))


def _instance(text: bytes) -> BrowserInstance:
    words = text.split(b";")
    if len(words) % 2:
        raise BrowserReplyError("its text is not made of names and values")
    values: dict[str, bytes] = {}
    for key, value in zip(words[::2], words[1::2], strict=True):
        name = key.decode("latin-1").lower()
        if name in values:
            raise BrowserReplyError("it gives one value twice")
        values[name] = value
    if not values.get("servername") or not values.get("instancename"):
        raise BrowserReplyError("it names no server or no instance")
    pipe = values.get("np")
    return BrowserInstance(
        server=values["servername"],
        name=values["instancename"],
        version=values.get("version", b"").decode("latin-1"),
        tcp_port=_port(values["tcp"]) if "tcp" in values else None,
        pipe=None if pipe is None else pipe.decode("latin-1"),
    )


def _port(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 5 or not 1 <= int(digits) <= 65535:
        raise BrowserReplyError("its TCP port is no port")
    return int(digits)


def find_port(
    host: str,
    instance: str,
    settings: ProbeSettings,
    resolver: Resolver | None = None,
    deadline: Deadline | None = None,
) -> int:
    r"""The TCP port of ``host\instance``, from the Browser that ``settings.routes`` leads to.

    The port is that of the host itself: a route for it is still to be applied.

    Raises:
        ProbeError: the name does not resolve, or as :func:`ask`.

    """
    resolver = resolver or Resolver(1)
    deadline = deadline or Deadline(settings.total_seconds)
    address, port = settings.routes.to(host, settings.browser_port)
    addresses = resolver.resolve(address, port, deadline.within(settings.resolve_seconds))
    return ask(addresses, instance, settings.browser_tries, deadline.within(settings.browser_seconds))


def ask(addresses: Sequence[Address], instance: str, tries: int, deadline: Deadline) -> int:
    """Ask the Browser at each of ``addresses`` for ``instance``, and again, ``tries`` times until ``deadline``.

    Datagrams are lost without a word, so one silence means little. Each socket is connected to the address that it
    asks, so that the operating system drops what others send.

    Raises:
        ProbeError: ``BROWSER_SILENT``, ``INSTANCE_HAS_NO_TCP``, or ``PROTOCOL_ERROR`` when all that came was
            unreadable.

    """
    requests = browser_requests(instance)
    if not requests:
        raise ProbeError(FailureClass.BROWSER_SILENT, "SQL Browser can't be asked for a name of this length")
    listener = _Listener(instance)
    with ExitStack() as held, selectors.DefaultSelector() as selector:
        for address in addresses:
            try:
                asking = held.enter_context(socket.socket(address.family, socket.SOCK_DGRAM))
                asking.setblocking(False)
                asking.connect(address.sockaddr)
            except OSError as error:
                listener.trouble = error.strerror or type(error).__name__
                continue
            selector.register(asking, selectors.EVENT_READ, address)
        for left in range(tries, 0, -1):
            pause = deadline.within(deadline.remaining() / left)
            deaf = {key.fd for key in selector.get_map().values() if not listener.send(key, requests)}
            while (seconds := pause.remaining()) > 0 and len(deaf) < len(selector.get_map()):
                for key, _ in selector.select(seconds):
                    port = listener.receive(key)
                    if port is not None:
                        return port
                    if listener.refused:
                        deaf.add(key.fd)
                        listener.refused = False
    raise listener.verdict()


class _Listener:
    """What came back while one instance was asked for."""

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.refused = False
        self.trouble = ""
        self.garbage = ""
        self.others = ""
        self.datagrams = 0

    def send(self, key: selectors.SelectorKey, requests: tuple[bytes, ...]) -> bool:
        """Send every request; whether that worked."""
        asking = key.fileobj
        assert isinstance(asking, socket.socket)
        try:
            for request in requests:
                asking.send(request)
        except OSError as error:
            self.trouble = error.strerror or type(error).__name__
            return False
        return True

    def receive(self, key: selectors.SelectorKey) -> int | None:
        """Take one datagram: the port, or ``None`` when it is none for us."""
        asking = key.fileobj
        assert isinstance(asking, socket.socket)
        try:
            datagram = asking.recv(_MAX_DATAGRAM)
        except BlockingIOError:
            return None
        except OSError as error:  # the host's "port unreachable": nobody listens, this time
            self.trouble = error.strerror or type(error).__name__
            self.refused = True
            return None
        self.datagrams += 1
        if self.datagrams > _MAX_DATAGRAMS:
            raise ProbeError(FailureClass.TOO_LARGE, "SQL Browser: a flood of datagrams instead of one")
        try:
            instances = parse_browser_reply(datagram)
        except BrowserReplyError as error:
            self.garbage = str(error)
            return None
        for instance in instances:
            if instance.is_named(self.instance):
                if instance.tcp_port is None:
                    raise ProbeError(
                        FailureClass.INSTANCE_HAS_NO_TCP, "SQL Browser knows the instance, but no TCP port of it"
                    )
                return instance.tcp_port
        self.others = ", ".join(printable(instance.name) for instance in instances[:5])
        return None

    def verdict(self) -> ProbeError:
        """Why there was no answer, from what came instead."""
        if self.others:
            detail = f"SQL Browser answered about other instances only: {self.others}"
            return ProbeError(FailureClass.BROWSER_SILENT, detail)
        if self.garbage:
            detail = f"SQL Browser's answer can't be read: {self.garbage}"
            return ProbeError(FailureClass.PROTOCOL_ERROR, detail)
        return ProbeError(FailureClass.BROWSER_SILENT, f"no answer from SQL Browser {self.trouble}".strip())
