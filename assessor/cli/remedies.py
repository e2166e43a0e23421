"""``assessor remedies SNAPSHOT``: certificate requests and scripts for review. Nothing is ever executed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from assessor.atomic import write_folder
from assessor.cli.options import SnapshotArgument
from assessor.errors import SnapshotError
from assessor.remedies.folder import README, remedy_files
from assessor.report.text import visible
from assessor.snapshot_file import read_snapshot


def remedies(
    snapshot: SnapshotArgument,
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder to make; it must be empty or not there.")],
    secure_only: Annotated[
        bool, typer.Option("--secure-only", help="Leave out what switches validation or encryption off.")
    ] = False,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="SERVER", help="Only what is done on this server.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Where the folder is not empty, keep it under a new name and write anew.")
    ] = False,
) -> None:
    """Write what mends the connections: certificate requests, T-SQL and PowerShell with their undo, and a README.

    The files are for review. Nothing is executed, no server is dialled.
    """
    run = read_snapshot(snapshot)
    if run.run.pseudonymised:
        raise SnapshotError("A pseudonymised snapshot has no names that a script could use; take the original.")
    files = remedy_files(run, secure_only=secure_only, only=only)
    kept = write_folder(folder, {file.path: file.data for file in files}, keep_old=force)
    if kept is not None:
        sys.stderr.write(f"What was there is now {visible(str(kept))}.\n")
    sys.stderr.write(f"Written: {visible(str(folder))}, {len(files)} files; begin with {README}.\n")
