"""The SQL Browser service of one emulated host: [MC-SQLR] over UDP port 1434."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

from assessor.lab.server import ServerLoop, bind

BROWSER_PORT = 1434
_BROADCAST, _ALL_OF_HOST, _ONE_INSTANCE, _ADMIN_PORT = 0x02, 0x03, 0x04, 0x0F
_LARGEST_LIST = 65_535
_LARGEST_ENTRY = 1024


@dataclass(frozen=True, slots=True)
class BrowserEntry:
    """What Browser knows of one instance. An instance that hides itself has no entry."""

    server: str  #: host name, without the instance
    instance: str  #: ``MSSQLSERVER`` for the default instance
    version: str
    port: int | None  #: ``None``: TCP is switched off
    pipe: str | None = None

    def text(self) -> str:
        """The entry as it is sent (MC-SQLR 2.2.5)."""
        parts = ["ServerName", self.server, "InstanceName", self.instance, "IsClustered", "No"]
        parts += ["Version", self.version]
        if self.port is not None:
            parts += ["tcp", str(self.port)]
        if self.pipe is not None:
            parts += ["np", self.pipe]
        return ";".join(parts) + ";;"


def answer(request: bytes, entries: Sequence[BrowserEntry]) -> bytes | None:
    """Browser's answer to one datagram; ``None`` is silence (MC-SQLR 3.2.5)."""
    if not request:
        return None
    kind = request[0]
    if kind in (_BROADCAST, _ALL_OF_HOST) and len(request) == 1:
        text = ""
        for entry in entries:  # whole entries only
            if len(text) + len(more := entry.text()) <= _LARGEST_LIST:
                text += more
    elif kind == _ONE_INSTANCE:
        wanted = request[1:].split(b"\0", 1)[0].decode("cp1252", "replace").lower()
        text = next((entry.text() for entry in entries if entry.instance.lower() == wanted), "")
        if len(text) > _LARGEST_ENTRY:
            return None
    else:  # 0x0F asks for the port of the admin connection, which no instance of the lab has open
        return None
    if not text:
        return None
    data = text.encode("cp1252", "replace")
    return struct.pack("<BH", 0x05, len(data)) + data


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, browser: BrowserServer) -> None:
        self._browser = browser
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every event loop derives its datagram transports from the class that says what they can do.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._browser.requests.append(data)
        reply = answer(data, self._browser.entries)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """A client went away before it had its answer; that is its own affair."""


class BrowserServer:
    """SQL Browser on one address. ``entries`` may be replaced at any time.

    Raises:
        OSError: the address and port can't be bound.

    """

    def __init__(
        self,
        entries: Sequence[BrowserEntry],
        address: str = "127.0.0.1",
        port: int = BROWSER_PORT,
        *,
        loop: ServerLoop | None = None,
    ) -> None:
        self.entries = tuple(entries)
        self.requests: deque[bytes] = deque(maxlen=1000)
        self._socket = bind(socket.SOCK_DGRAM, address, port)
        self.address = address
        self.port: int = self._socket.getsockname()[1]
        self._own_loop = ServerLoop() if loop is None else None
        self._loop = loop or self._own_loop
        self._transport: asyncio.DatagramTransport | None = None

    def start(self) -> None:
        """Answer from now on."""
        assert self._loop is not None
        if self._own_loop is not None:
            self._own_loop.start()
        self._transport = self._loop.run(self._open())

    def close(self) -> None:
        """Fall silent and give the port back."""
        assert self._loop is not None
        if self._transport is not None:
            self._loop.run(self._shut())
            self._transport = None
        self._socket.close()
        if self._own_loop is not None:
            self._own_loop.close()

    async def _open(self) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=self._socket)
        return transport

    async def _shut(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        await asyncio.sleep(0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
