"""``python -m tests.oracle``: random cases, judged by us and by Microsoft's ODBC Driver 18, side by side."""

from __future__ import annotations

import argparse
import os
import random
import sys

from .driver import NoReferee, driver_library
from .fidelity import record
from .run import run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="the generator's seed; a new one if left out")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--words", action="store_true", help="list the refusals whose words we do not predict")
    parser.add_argument("--record", action="store_true", help="note the run in tests/oracle/measured.json")
    return parser


def main() -> int:
    """Run, print every disagreement and one last line; 1 if there is a disagreement, 2 if it can't run."""
    told = _parser().parse_args()
    seed = told.seed if told.seed is not None else random.SystemRandom().randrange(1_000_000)
    try:
        driver_library()
        tally = run(seed, told.cases, told.processes)
    except NoReferee as problem:
        print(f"oracle: {problem}", file=sys.stderr)
        return 2
    for reason, count in tally.reasons.most_common():
        print(f"{count:7d}  {reason}", file=sys.stderr)
    print(f"{len(tally.shapes)} shapes; seed {seed}", file=sys.stderr)
    if told.words:
        for (ours, theirs), count in tally.other_words.most_common():
            print(f"{count:7d}  we: {ours}\n         driver: {theirs}", file=sys.stderr)
    for disagreement in tally.disagreements:
        print(disagreement)
    if told.record:
        record(seed, tally)
    print(tally.line)
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
