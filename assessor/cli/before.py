"""What the previous run left behind, for the commands that have ``--previous`` and ``--compare-with``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from assessor.board import Board
from assessor.compare import compare
from assessor.errors import SnapshotError, UsageError
from assessor.report.board_columns import read_board
from assessor.report.changes import Rerun, carry_to
from assessor.report.text import visible
from assessor.snapshot import Snapshot
from assessor.snapshot_file import read_snapshot

Previous = Annotated[
    Path | None,
    typer.Option(
        help="Workbook of the previous run: what the board typed into it is carried over. The snapshot beside it, of the "
        "same name with .json, is compared with.",
        show_default=False,
    ),
]
CompareWith = Annotated[
    Path | None,
    typer.Option(help="Snapshot of the previous run: the workbook says what changed since.", show_default=False),
]


@dataclass(frozen=True, slots=True)
class Before:
    """The previous run, as far as it was named and could be read."""

    snapshot: Snapshot | None = None
    board: Board | None = None
    is_asked_for: bool = False  #: the snapshot was named, and not only found beside the workbook
    note: str = ""  #: why the snapshot beside the workbook was not used

    def rerun(self, result: Snapshot) -> Rerun:
        """What the new run's workbook says of the one before.

        Raises :class:`~assessor.errors.UsageError` when the snapshot is that of another estate.
        """
        board = carry_to(self.board, result, self.snapshot) if self.board is not None else None
        is_itself = self.snapshot is not None and self.snapshot.run == result.run
        comparison = compare(self.snapshot, result) if self.snapshot is not None and not is_itself else None
        return Rerun(comparison, board)

    def without_snapshot(self) -> Before:
        """The same, when there is nothing to compare with after all."""
        return Before(None, self.board, self.is_asked_for, self.note)


def read_before(previous: Path | None, compare_with: Path | None) -> Before:
    """Read what was named, before anything is dialled or overwritten.

    Raises :class:`~assessor.errors.UsageError` for a file that was named and can't be read.
    """
    board = read_board(previous) if previous is not None else None
    if compare_with is not None:
        return Before(read_snapshot(compare_with), board, is_asked_for=True)
    if previous is None:
        return Before()
    beside = previous.with_suffix(".json")
    if not beside.is_file():
        return Before(
            None,
            board,
            note=f"There is no {visible(str(beside))}, so nothing is compared; name it with --compare-with.",
        )
    try:
        return Before(read_snapshot(beside), board)
    except SnapshotError as error:
        return Before(None, board, note=f"{error} So nothing is compared.")


def rerun_or_problem(before: Before, result: Snapshot) -> tuple[Rerun, str]:
    """As :meth:`Before.rerun`; a snapshot that does not belong here costs the comparison only, and is said."""
    try:
        return before.rerun(result), before.note
    except UsageError as error:
        return before.without_snapshot().rerun(result), str(error)
