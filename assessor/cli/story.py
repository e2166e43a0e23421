"""The demo as a story: a first run, what people did about it, and a second run that says what became of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from assessor.atomic import check_writable
from assessor.board import Board, BoardEntry, SubjectKind
from assessor.cli.assess import deliver, run
from assessor.cli.before import Before, read_before
from assessor.cli.options import Format
from assessor.collect.driver import Driver
from assessor.estate import load_estate
from assessor.lab.estate import Lab
from assessor.lab.instance_files import TypedByTheBoard, read_remediation
from assessor.shipped import sample_data_dir
from assessor.snapshot import Snapshot

REMEDIATED = "remediated.toml"


def story_paths(folder: Path) -> tuple[Path, Path]:
    """The workbooks of the first and the second run; each snapshot lies beside its workbook.

    Raises :class:`~assessor.errors.OutputError` when one of them could not be written.
    """
    paths = (folder / "demo-before.xlsx", folder / "demo-after.xlsx")
    for path in paths:
        check_writable(path)
        check_writable(path.with_suffix(".json"))
    return paths


def tell(lab: Lab, driver: Driver, folder: Path) -> tuple[Snapshot, Snapshot]:
    """Assess the lab, change it as ``sample_data/remediated.toml`` says, and assess it again with ``--previous``."""
    first_book, second_book = story_paths(folder)
    changes = sample_data_dir() / REMEDIATED
    typed = read_remediation(changes, lab.instances).board
    sys.stderr.write("First run: the estate as it is.\n")
    first = run(load_estate(lab.estate_file), driver)
    board = Board("what the change board typed", tuple(_entries(typed, first.run.finished.date())))
    deliver(first, first_book.with_suffix(".json"), first_book, Format.TEXT, Before(board=board))
    if first.run.interrupted:
        return first, first
    lab.remediate(changes)
    sys.stderr.write(f"\nThe lab was changed as {changes.name} says. Second run, with --previous {first_book}:\n")
    second = run(load_estate(lab.estate_file), driver)
    deliver(second, second_book.with_suffix(".json"), second_book, Format.TEXT, read_before(first_book, None))
    return first, second


def _entries(typed: Iterable[TypedByTheBoard], today: date) -> Iterator[BoardEntry]:
    for each in typed:
        yield BoardEntry(
            SubjectKind.EDGE,
            each.edge,
            owner=each.owner,
            decision=each.decision,
            ticket=each.ticket,
            due=_day(today, each.due_in_days),
            exception_reason=each.exception_reason,
            exception_until=_day(today, each.exception_until_in_days),
        )


def _day(today: date, days: int | None) -> date | None:
    return None if days is None else today + timedelta(days=days)
