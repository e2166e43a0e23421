from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from assessor.concurrency import run_bounded


def test_every_item_comes_back_once_with_its_result() -> None:
    results = list(run_bounded(range(50), lambda number: number * 2, 4, threading.Event()))
    assert sorted(results) == [(number, number * 2) for number in range(50)]


def test_no_items_end_at_once() -> None:
    assert list(run_bounded([], str, 4, threading.Event())) == []


def test_a_result_of_none_is_a_result() -> None:
    assert list(run_bounded([1], lambda _: None, 1, threading.Event())) == [(1, None)]


def test_never_more_than_the_limit_run_at_a_time() -> None:
    lock = threading.Lock()
    running = most = 0

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    assert len(list(run_bounded(range(20), work, 3, threading.Event()))) == 20
    assert 1 < most <= 3


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(run_bounded([1], str, 0, threading.Event()))


def test_after_stop_nothing_more_is_begun_and_what_is_under_way_is_waited_for() -> None:
    stop = threading.Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        stop.set()
        time.sleep(0.05)
        return number

    results = list(run_bounded(range(10), work, 2, stop, grace_seconds=10))
    assert sorted(item for item, _ in results) == sorted(begun)
    assert 1 <= len(begun) <= 2


def test_what_outlasts_the_grace_after_stop_is_left_behind() -> None:
    stop = threading.Event()
    release = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            release.wait(30)
        return number

    results = []
    for item, _ in run_bounded([0, 1], work, 2, stop, grace_seconds=0.2):
        results.append(item)
        stop.set()
    release.set()
    assert results == [0]


def test_stop_set_beforehand_begins_nothing() -> None:
    stop = threading.Event()
    stop.set()
    begun: list[int] = []
    assert list(run_bounded(range(5), begun.append, 2, stop)) == []
    assert begun == []


def test_an_error_of_the_work_is_raised_in_the_consumer() -> None:
    def work(number: int) -> int:
        raise LookupError(f"number {number}")

    with pytest.raises(LookupError, match="number 7"):
        list(run_bounded([7], work, 1, threading.Event()))


def test_a_consumer_that_breaks_off_lets_nothing_more_begin() -> None:
    begun: list[int] = []
    release = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number:
            release.wait(30)
        return number

    running = run_bounded(range(10), work, 1, threading.Event())
    assert next(running) == (0, 0)
    running.close()  # type: ignore[attr-defined]
    release.set()
    time.sleep(0.05)
    assert len(begun) <= 2


def test_a_thread_that_hangs_does_not_hold_up_the_interpreters_exit() -> None:
    program = (
        "import threading\n"
        "from assessor.concurrency import run_bounded\n"
        "def work(number):\n"
        "    if number: threading.Event().wait()\n"
        "    return number\n"
        "for item in run_bounded([0, 1, 2], work, 3, threading.Event()):\n"
        "    print(item, flush=True)\n"
        "    raise KeyboardInterrupt\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert ended.stdout == "(0, 0)\n"
    assert ended.stderr.rstrip().endswith("KeyboardInterrupt")
