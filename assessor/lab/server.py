"""Emulated servers on sockets: one asyncio loop in a background thread serves every host of a lab."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from assessor.lab.behaviour import Behaviour
from assessor.lab.conversation import Conversation, End, Seen

_T = TypeVar("_T")
_BACKLOG = 256
_TURNS_TO_CLOSE = 5  #: of the loop, between a transport's abort and its socket's close; two are enough
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
SEEN_KEPT = 1000  #: connections a server remembers


class ServerLoop:
    """An event loop in its own thread. Start it once and hand it to every server."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to serve."""
        # A selector loop on Windows, too: it tells when a socket is ready, and that is how servers accept.
        self._loop = loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=_serve, args=(loop,), name="assessor-lab", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait until the thread has ended. Does nothing when it isn't running."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop = self._thread = None

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run ``work`` inside the loop and wait for its result. The loop must have been started."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(_drain())
    finally:
        loop.close()


async def _drain() -> None:
    """Let transports that were aborted a moment ago close their sockets."""
    for _ in range(_TURNS_TO_CLOSE):
        await asyncio.sleep(0)


class _Connection(asyncio.Protocol):
    """Carries one :class:`Conversation` over a socket."""

    def __init__(self, server: TdsServer) -> None:
        self._server = server
        self._conversation = Conversation(server.behaviour)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(transport)
        self._server.seen.append(self._conversation.seen)
        if greeting := self._conversation.greet():
            transport.write(greeting)
        self._end_if_over()

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if out := self._conversation.receive(data):
            self._transport.write(out)
        self._end_if_over()

    def _end_if_over(self) -> None:
        assert self._transport is not None
        if self._conversation.end is End.CLOSE:
            self._transport.close()
        elif self._conversation.end is End.RESET:
            reset(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        assert self._transport is not None
        self._server.connections.discard(self._transport)


def reset(transport: asyncio.Transport) -> None:
    """Close a connection so that its peer sees RST, not FIN."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def bind(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    """Bind a socket of an emulated host.

    Raises:
        OSError: the address is not ours, or the port is taken.

    """
    bound = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM and sys.platform != "win32":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


class TdsServer:
    """One emulated SQL Server port.

    ``behaviour`` may be replaced at any time: it is read when a connection is accepted. ``port`` 0 takes a free
    one; :attr:`port` then says which. Without a ``loop`` the server runs its own, which costs a thread.

    Raises:
        OSError: the address and port can't be bound.

    """

    def __init__(
        self,
        behaviour: Behaviour,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        loop: ServerLoop | None = None,
    ) -> None:
        self.behaviour = behaviour
        self._own_loop = ServerLoop() if loop is None else None
        self._loop = loop if loop is not None else self._own_loop
        self._is_listening = False
        self._arrivals: set[asyncio.Task[Any]] = set()
        self._socket = bind(socket.SOCK_STREAM, address, port)
        self.address = address
        self.port: int = self._socket.getsockname()[1]
        self.connections: set[asyncio.Transport] = set()
        self.seen: deque[Seen] = deque(maxlen=SEEN_KEPT)  #: newest last

    def start(self) -> None:
        """Listen."""
        assert self._loop is not None
        if self._own_loop is not None:
            self._own_loop.start()
        self._loop.run(self._listen())
        self._is_listening = True

    def close(self) -> None:
        """Stop listening and cut every connection."""
        assert self._loop is not None
        if self._is_listening:
            self._loop.run(self._stop())
            self._is_listening = False
        self._socket.close()
        if self._own_loop is not None:
            self._own_loop.close()

    # asyncio.Server is not used: a connection that arrives while it closes is left behind, open.

    async def _listen(self) -> None:
        self._socket.listen(_BACKLOG)
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(_BACKLOG):
            try:
                connection, _address = self._socket.accept()
            except OSError:  # nobody is left, or somebody went before we came
                return
            connection.setblocking(False)
            arrival = loop.create_task(loop.connect_accepted_socket(lambda: _Connection(self), connection))
            self._arrivals.add(arrival)
            arrival.add_done_callback(self._arrivals.discard)

    async def _stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if self._arrivals:
            await asyncio.wait(self._arrivals)
        for transport in tuple(self.connections):
            transport.abort()
        while self.connections:
            await asyncio.sleep(0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
