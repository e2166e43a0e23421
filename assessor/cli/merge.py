"""``assessor merge`` and ``assessor rejudge``: snapshots, judged again without connecting to anything."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from assessor.atomic import check_apart, check_writable
from assessor.cli.assess import exit_code
from assessor.cli.options import SnapshotArgument
from assessor.cli.waves import waves_of
from assessor.errors import UsageError
from assessor.judge.rules import load_rules
from assessor.rejudge import merge as merged
from assessor.rejudge import rejudge as judged_again
from assessor.report.console import summary_text
from assessor.report.workbook import write_workbook
from assessor.snapshot import Snapshot
from assessor.snapshot_file import read_snapshot, write_snapshot

_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where the snapshot goes.", show_default=False)
]
_Workbook = Annotated[Path | None, typer.Option(help="Where a workbook goes. [default: none]", show_default=False)]
_UpgradeDate = Annotated[
    str | None, typer.Option(metavar="DATE", help="Judge for this upgrade date, e.g. 2027-03-20.", show_default=False)
]


def merge(
    snapshots: Annotated[
        list[Path], typer.Argument(help="Snapshots of several sites, or of several runs.", show_default=False)
    ],
    output: _Output,
    workbook: _Workbook = None,
    upgrade_date: _UpgradeDate = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the whole. [default: their names]", show_default=False)
    ] = None,
) -> None:
    """Put several SNAPSHOTS together as one estate and judge the union by this version's rules.

    An instance that is in several is taken from the run that collected it last. Exit codes as for assess.
    """
    _check(output, workbook)
    _deliver(
        merged([read_snapshot(path) for path in snapshots], name=name, upgrade_date=_date(upgrade_date)),
        output,
        workbook,
    )


def rejudge(
    snapshot: SnapshotArgument,
    output: _Output,
    workbook: _Workbook = None,
    upgrade_date: _UpgradeDate = None,
) -> None:
    """Judge SNAPSHOT again: by this version's rules, or for another upgrade date. Exit codes as for assess."""
    _check(output, workbook)
    _deliver(judged_again(read_snapshot(snapshot), upgrade_date=_date(upgrade_date)), output, workbook)


def _check(output: Path, workbook: Path | None) -> None:
    paths = [output] if workbook is None else [output, workbook]
    check_apart(*paths)
    for path in paths:
        check_writable(path)


def _deliver(result: Snapshot, output: Path, workbook: Path | None) -> None:
    write_snapshot(result, output)
    written = [output]
    if workbook is not None:
        write_workbook(result, load_rules(), workbook, waves=waves_of(result))
        written.append(workbook)
    width = shutil.get_terminal_size((110, 24)).columns
    sys.stderr.write(summary_text(result, width, sys.stderr.isatty(), written))
    raise typer.Exit(int(exit_code(result)))


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--upgrade-date {text!r} is no date; write it as 2027-03-20.") from None
