"""Run many slow conversations at a time, without ever holding up Ctrl-C."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: How often the consumer looks at ``stop``. Short enough to feel immediate, long enough to cost nothing; also
#: what keeps Ctrl-C working on Windows, where a wait without an end can't be interrupted.
_POLL_SECONDS = 0.1


def run_bounded(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    limit: int,
    stop: threading.Event,
    *,
    grace_seconds: float = 2.0,
) -> Iterator[tuple[Item, Result]]:
    """Call ``work`` for each item, at most ``limit`` at a time, and yield ``(item, result)`` as each ends.

    When ``stop`` is set nothing more is begun; what is under way has ``grace_seconds`` to end and is then
    left behind. An item that was not begun, or was left behind, is not yielded: the caller knows which are
    missing. The same holds when the consumer breaks off. The threads are daemons, so that one that hangs in
    the operating system (a name service that is silent) holds up neither the run nor the interpreter's exit.

    Raises:
        Exception: whatever ``work`` raised, in the consumer's thread, with its own traceback. That is a bug,
            for ``work`` turns expected failures into results.

    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    total = 0
    for item in items:
        waiting.put(item)
        total += 1
    ended: queue.SimpleQueue[tuple[Item, Result] | BaseException] = queue.SimpleQueue()
    abandoned = threading.Event()
    count = threading.Lock()
    begun = 0

    def run() -> None:
        nonlocal begun
        while True:
            with count:
                if stop.is_set() or abandoned.is_set():
                    return
                try:
                    item = waiting.get_nowait()
                except queue.Empty:
                    return
                begun += 1
            try:
                ended.put((item, work(item)))
            except BaseException as error:  # noqa: BLE001 - handed to the consumer, who raises it
                ended.put(error)

    for number in range(min(limit, total)):
        threading.Thread(target=run, daemon=True, name=f"bounded-{number}").start()

    taken = 0
    give_up: float | None = None
    try:
        while taken < total:
            if stop.is_set():
                with count:  # from here on nobody begins anything
                    under_way = begun - taken
                if give_up is None:
                    give_up = time.monotonic() + grace_seconds
                if under_way == 0 or (time.monotonic() >= give_up and ended.empty()):
                    return
            try:
                outcome = ended.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            taken += 1
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        abandoned.set()
