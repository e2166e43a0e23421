"""``assessor probe-list``: what to probe from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from assessor.atomic import write_whole
from assessor.cli.options import SnapshotArgument
from assessor.report.target_list import target_list
from assessor.snapshot_file import read_snapshot


def probe_list(
    snapshot: SnapshotArgument,
    source: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Only what this instance connects to.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="[default: stdout]", show_default=False)
    ] = None,
) -> None:
    """List the endpoints that the edges of SNAPSHOT lead to, for `assessor probe --targets` on another machine."""
    text = target_list(read_snapshot(snapshot), source)
    if output is None:
        sys.stdout.buffer.write(text.encode("utf-8"))
    else:
        write_whole(output, text.encode("utf-8"))
