"""A TCP connection on which nobody can make us wait or store without end, and the error that says why it ended."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Any, Final

from assessor.probe.evidence import FailureClass

_READ_BYTES: Final = 16 * 1024
#: A PRELOGIN answer and a TLS handshake with OpenSSL's largest chain (100 KB) fit well; nothing sane needs more.
MAX_RECEIVED: Final = 512 * 1024


class ProbeError(Exception):
    """A conversation, or one phase of it, gave no evidence."""

    def __init__(self, failure: FailureClass, detail: str) -> None:
        super().__init__(f"{failure.value}: {detail}")
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Address:
    """One address that a name resolved to, as the socket module wants it."""

    family: int
    sockaddr: tuple[Any, ...]  #: of a shape that differs by family; only sockets look inside

    @property
    def ip(self) -> str:
        """The IP address."""
        return str(self.sockaddr[0])


class Deadline:
    """A moment on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        """Lie ``seconds`` ahead."""
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self._at - time.monotonic())

    def within(self, seconds: float) -> Deadline:
        """A deadline ``seconds`` ahead, or this one where that is earlier."""
        return Deadline(min(seconds, self.remaining()))


def printable(peer_text: str | bytes, limit: int = 60) -> str:
    """What a peer sent, fit to be shown: no control or direction characters, and short.

    Bytes are shown as ASCII, the rest of them as ``?``.
    """
    if isinstance(peer_text, bytes):
        peer_text = peer_text[: limit + 1].decode("ascii", "replace").replace("\N{REPLACEMENT CHARACTER}", "?")
    shown = "".join(c if c.isprintable() else "?" for c in peer_text[: limit + 1])
    return f"{shown[:limit]}…" if len(shown) > limit else shown


class Wire:
    """A connected socket. The phase that is under way sets the deadline; the bytes are counted for good."""

    def __init__(self, connected: socket.socket, deadline: Deadline, max_received: int = MAX_RECEIVED) -> None:
        """Own ``connected`` from now on; close it with :meth:`close`."""
        self._socket = connected
        self._received = 0
        self._max_received = max_received
        self.deadline = deadline

    def send(self, data: bytes) -> None:
        """Send all of ``data``. A peer that has closed shows at the next :meth:`receive`, after what it said.

        Raises:
            ProbeError: ``STALLED``, it takes nothing any more.

        """
        try:
            self._socket.settimeout(self._seconds())
            self._socket.sendall(data)
        except TimeoutError:
            raise self._stalled() from None
        except OSError:
            pass  # what it said before is still to be read

    def receive(self) -> bytes:
        """The next bytes, or ``b""`` when the peer closed, politely or by RST.

        Raises:
            ProbeError: ``STALLED`` at the deadline, however many single bytes came before; ``TOO_LARGE``.

        """
        try:
            self._socket.settimeout(self._seconds())
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            raise self._stalled() from None
        except OSError:
            return b""
        self._received += len(data)
        if self._received > self._max_received:
            raise ProbeError(FailureClass.TOO_LARGE, f"more than {self._max_received} bytes")
        return data

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _seconds(self) -> float:
        seconds = self.deadline.remaining()
        if seconds <= 0:
            raise self._stalled()
        return seconds

    def _stalled(self) -> ProbeError:
        said = f"{self._received} bytes and then nothing more in time" if self._received else "nothing in time"
        return ProbeError(FailureClass.STALLED, said)
