"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What goes to stdout."""

    TEXT = "text"
    JSON = "json"


DriverOption = Annotated[
    str | None, typer.Option(help="ODBC driver: its name, or the path of its library.", show_default=False)
]
SnapshotArgument = Annotated[
    Path, typer.Argument(help="A snapshot that `assess` wrote.", metavar="SNAPSHOT", show_default=False)
]
