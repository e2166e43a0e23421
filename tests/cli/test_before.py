"""``--previous`` and ``--compare-with``: what the previous run left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from assessor.board import BoardEntry, CarriedBoard, SubjectKind
from assessor.cli.before import Before, read_before, rerun_or_problem
from assessor.errors import SnapshotError, UsageError
from assessor.report.board_columns import read_board
from assessor.report.changes import Rerun
from assessor.report.workbook import write_workbook
from assessor.snapshot import Snapshot
from assessor.snapshot_file import snapshot_json, write_snapshot
from tests.end_to_end.small_estate import assessor
from tests.snapshots_by_hand import NOON, RULES, edge, snapshot

EDGE = "linked_server:sql01.corp.example:hr"
ENTRY = BoardEntry(SubjectKind.EDGE, EDGE, owner="Ada", due=date(2026, 12, 1))


def first() -> Snapshot:
    return replace(snapshot(), edges=(edge("HR", id=EDGE),))


def second() -> Snapshot:
    made = first()
    return replace(made, run=replace(made.run, started=NOON + timedelta(days=7), finished=NOON + timedelta(days=7)))


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """Workbook and snapshot of a previous run, as ``assess`` leaves them: side by side."""
    write_workbook(first(), RULES, tmp_path / "run.xlsx", Rerun(board=CarriedBoard("x", (ENTRY,), (), (), ())))
    write_snapshot(first(), tmp_path / "run.json")
    return tmp_path / "run.xlsx"


def test_the_snapshot_beside_the_workbook_is_compared_with(previous: Path) -> None:
    rerun, remark = rerun_or_problem(read_before(previous, None), second())
    assert remark == ""
    assert rerun.board is not None
    assert rerun.board.entries == (ENTRY,)
    assert rerun.comparison is not None
    assert rerun.comparison.old.started == NOON


def test_a_workbook_without_its_snapshot_still_gives_what_was_typed(previous: Path) -> None:
    previous.with_suffix(".json").unlink()
    rerun, remark = rerun_or_problem(read_before(previous, None), second())
    assert rerun.comparison is None
    assert rerun.board is not None
    assert remark.startswith("There is no ")


def test_a_broken_snapshot_beside_the_workbook_costs_the_comparison_only(previous: Path) -> None:
    previous.with_suffix(".json").write_text("{}")
    rerun, remark = rerun_or_problem(read_before(previous, None), second())
    assert rerun.comparison is None
    assert rerun.board is not None
    assert remark.endswith("So nothing is compared.")


def test_a_broken_snapshot_that_was_named_is_an_error(previous: Path, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    with pytest.raises(SnapshotError):
        read_before(previous, tmp_path / "old.json")


def test_a_snapshot_of_a_newer_schema_is_refused_with_what_reads_it(tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text(snapshot_json(first()).replace('"schema_version": 1', '"schema_version": 99', 1))
    with pytest.raises(SnapshotError, match=r"has schema version 99.*newer assessor"):
        read_before(None, tmp_path / "new.json")


def test_a_snapshot_of_another_estate_costs_the_comparison_and_is_said(previous: Path) -> None:
    made = second()
    planned = tuple(
        replace(each, address=f"other{number}.example") for number, each in enumerate(made.estate.instances)
    )
    stranger = replace(made, estate=replace(made.estate, instances=planned), inventories=(), edges=())
    rerun, remark = rerun_or_problem(read_before(previous, None), stranger)
    assert rerun.comparison is None
    assert "no instance in common" in remark
    assert rerun.board is not None
    assert rerun.board.vanished == (ENTRY,)


def test_a_run_is_not_compared_with_itself_when_its_workbook_is_drawn_again(previous: Path) -> None:
    assert read_before(previous, None).rerun(first()).comparison is None


def test_without_a_previous_run_there_is_nothing(tmp_path: Path) -> None:
    assert read_before(None, None) == Before()
    assert Before().rerun(first()) == Rerun()


def test_a_previous_workbook_that_is_none_is_refused_before_anything_is_dialled(tmp_path: Path) -> None:
    (tmp_path / "run.xlsx").write_text("id,owner")
    with pytest.raises(UsageError, match=r"is no \.xlsx workbook"):
        read_before(tmp_path / "run.xlsx", None)


def test_report_draws_a_workbook_over_the_previous_one_with_what_was_typed(previous: Path, tmp_path: Path) -> None:
    write_snapshot(second(), tmp_path / "second.json")
    done = assessor(
        "report", "second.json", "--format", "xlsx", "-o", "run.xlsx", "--previous", "run.xlsx", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert read_board(previous).entries == (ENTRY,)
    assert "Changes" in load_workbook(previous).sheetnames


def test_report_refuses_a_previous_workbook_for_other_forms(previous: Path, tmp_path: Path) -> None:
    done = assessor("report", "run.json", "--format", "csv", "--previous", "run.xlsx", folder=tmp_path)
    assert done.returncode == 2
    assert "are for workbooks" in done.stderr
