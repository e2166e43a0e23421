"""Play many cases in several processes."""

from __future__ import annotations

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from .play import Tally, play
from .stand import Stand

_SHARE_OF_CASES = 400  #: cases a task, so that progress shows


def _play_share(seed: int, cases: int, share: int, shares: int) -> Tally:
    with Stand() as stand:
        return play(stand, seed, cases, share, shares)


def run(seed: int, cases: int, processes: int) -> Tally:
    """Play all cases, in several processes, with progress on standard error."""
    shares = max(1, -(-cases // _SHARE_OF_CASES))
    total = Tally()
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, shares), mp_context=context) as pool:
        tasks = [pool.submit(_play_share, seed, cases, share, shares) for share in range(shares)]
        for task in as_completed(tasks):
            total.add(task.result())
            seconds = time.monotonic() - began
            print(
                f"\rseed {seed}: {total.cases} of {cases} cases, {len(total.disagreements)} disagreements, "
                f"{total.cases / seconds:.0f} a second ",
                end="",
                file=sys.stderr,
                flush=True,
            )
    print(file=sys.stderr)
    return total
