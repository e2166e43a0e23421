"""``assessor compare``: what changed between two snapshots."""

from __future__ import annotations

import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from assessor.compare import Comparison, EdgeFate
from assessor.compare import compare as compare_snapshots
from assessor.errors import ExitCode
from assessor.report.changes_text import changes_json, changes_markdown, changes_text
from assessor.snapshot_file import read_snapshot


class Format(StrEnum):
    """What goes to stdout."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def compare(
    old: Annotated[Path, typer.Argument(help="Snapshot of the older run.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="Snapshot of the newer run.", show_default=False)],
    output: Annotated[Format, typer.Option("--format", help="What to write to stdout.")] = Format.TEXT,
) -> None:
    """Say what became of every connection between two runs: fixed, still open, regressed, new, gone, not seen this time.

    Exit codes: 0 nothing regressed and nothing is open, 1 something regressed, or is new and breaks, 2 bad usage or input,
    3 something is still open, was not seen this time, or could not be assessed (and nothing regressed).
    """
    comparison = compare_snapshots(read_snapshot(old), read_snapshot(new))
    match output:
        case Format.TEXT:
            text = changes_text(comparison, shutil.get_terminal_size((110, 24)).columns)
        case Format.JSON:
            text = changes_json(comparison)
        case Format.MARKDOWN:
            text = changes_markdown(comparison)
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.flush()
    raise typer.Exit(int(exit_code(comparison)))


def exit_code(comparison: Comparison) -> ExitCode:
    """For pipelines, in the words of ``assess``: worse is 1, unfinished is 3, in order is 0."""
    if any(change.fate is EdgeFate.REGRESSED or change.newly_breaks for change in comparison.edges):
        return ExitCode.SOMETHING_BREAKS
    if any(change.is_open for change in comparison.edges) or comparison.unread or comparison.new.interrupted:
        return ExitCode.NOT_ALL_ASSESSED
    return ExitCode.NOTHING_BREAKS
