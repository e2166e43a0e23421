"""From a name to a connected socket: name resolution and TCP, both bounded in time."""

from __future__ import annotations

import errno
import os
import queue
import selectors
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from assessor.probe.evidence import FailureClass
from assessor.probe.wire import Address, Deadline, ProbeError

#: A listener of an availability group has one address a subnet and answers on one of them. Microsoft's clients try
#: up to 64 (SqlClient, MultiSubnetFailover); more than these few are not met.
MAX_ADDRESSES: Final = 16
#: The head start of each address over the next one (RFC 8305 section 5 recommends 250 ms).
_HEAD_START: Final = 0.25

_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN})
#: From the least to the most telling, for a host whose addresses fail in different ways.
_TELLING: Final = (FailureClass.UNREACHABLE, FailureClass.TIMED_OUT, FailureClass.PORT_CLOSED)


class Resolver:
    """Resolves names in threads that may be left behind, for the system's resolver takes no timeout."""

    def __init__(self, limit: int) -> None:
        """Keep at most ``limit`` look-ups under way, those left behind included."""
        self._slots = threading.BoundedSemaphore(limit)

    def resolve(self, host: str, port: int, deadline: Deadline) -> tuple[Address, ...]:
        """The addresses of ``host``, in the system's order of preference, at ``port``.

        Raises:
            ProbeError: ``NAME_NOT_RESOLVED``, also when the name service is silent until ``deadline``.

        """
        if not host or "\0" in host:
            raise ProbeError(FailureClass.NAME_NOT_RESOLVED, "the name is empty or no name")
        try:
            return _look_up(host, port, socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            pass  # no literal address: ask the name service
        if not self._slots.acquire(timeout=deadline.remaining()):
            raise ProbeError(FailureClass.NAME_NOT_RESOLVED, "the name service is busy with names before this one")
        answers: queue.SimpleQueue[tuple[Address, ...] | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put(_look_up(host, port, 0))
            except (OSError, UnicodeError) as error:
                answers.put(error)
            finally:
                self._slots.release()

        threading.Thread(target=work, daemon=True, name="resolver").start()
        try:
            answer = answers.get(timeout=deadline.remaining())
        except queue.Empty:
            detail = "the name service did not answer in time"
            raise ProbeError(FailureClass.NAME_NOT_RESOLVED, detail) from None
        if isinstance(answer, OSError):
            raise ProbeError(FailureClass.NAME_NOT_RESOLVED, answer.strerror or "no such name")
        if isinstance(answer, Exception):
            raise ProbeError(FailureClass.NAME_NOT_RESOLVED, "no name that could be in DNS")
        return answer


def _look_up(host: str, port: int, flags: int) -> tuple[Address, ...]:
    found: dict[Address, None] = {}
    for family, _, _, _, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags):
        if family in (socket.AF_INET, socket.AF_INET6):
            found[Address(family, sockaddr)] = None
    return tuple(found)[:MAX_ADDRESSES]


def dial(addresses: Sequence[Address], deadline: Deadline) -> tuple[socket.socket, Address]:
    """Connect to whichever address answers first, each one getting a short head start over the next.

    Raises:
        ProbeError: ``PORT_CLOSED``, ``TIMED_OUT`` or ``UNREACHABLE``: the most telling of what happened.

    """
    waiting = list(addresses)
    failures: list[tuple[Address, FailureClass, str]] = []
    with ExitStack() as held, selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            if deadline.remaining() <= 0:
                break
            if waiting:
                address = waiting.pop(0)
                code, dialling = _begin(address)
                if dialling is not None:
                    held.callback(dialling.close)
                if dialling is None or code not in (0, *_UNDER_WAY):
                    failures.append((address, *_failure(code)))
                    continue
                selector.register(dialling, selectors.EVENT_WRITE, address)
            pause = deadline.within(_HEAD_START) if waiting else deadline
            for key, _ in selector.select(pause.remaining()):
                dialling = key.fileobj  # type: ignore[assignment]
                assert isinstance(dialling, socket.socket)
                selector.unregister(dialling)
                code = dialling.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    return _keep(dialling), key.data
                failures.append((key.data, *_failure(code)))
        silent = [key.data for key in selector.get_map().values()] + waiting
    failures += [(address, FailureClass.TIMED_OUT, "no answer in time") for address in silent]
    if not failures:
        raise ProbeError(FailureClass.UNREACHABLE, "the name has no address")
    worst = max((failure for _, failure, _ in failures), key=_TELLING.index)
    raise ProbeError(worst, "; ".join(f"{address.ip}: {detail}" for address, _, detail in failures))


def _begin(address: Address) -> tuple[int, socket.socket | None]:
    """Start to connect. The error code may be "under way"; no socket where the family is not supported."""
    try:
        dialling = socket.socket(address.family, socket.SOCK_STREAM)
    except OSError as error:
        return error.errno or errno.EAFNOSUPPORT, None
    try:
        dialling.setblocking(False)
        return dialling.connect_ex(address.sockaddr), dialling
    except OSError as error:
        return error.errno or errno.EINVAL, dialling


def _keep(dialling: socket.socket) -> socket.socket:
    """The same connection in a socket of its own, so that closing the losers can't close the winner."""
    return socket.socket(dialling.family, dialling.type, dialling.proto, fileno=dialling.detach())


def _failure(code: int) -> tuple[FailureClass, str]:
    text = os.strerror(code)
    if code == errno.ECONNREFUSED:
        return FailureClass.PORT_CLOSED, text
    if code == errno.ETIMEDOUT:
        return FailureClass.TIMED_OUT, text
    return FailureClass.UNREACHABLE, text
