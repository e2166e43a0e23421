"""``assessor collect-script``: every bundled query in one .sql, for whoever may connect where assessor may not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from assessor.atomic import write_whole
from assessor.collect.queries import Platform, load_queries
from assessor.collect.script import collect_script as script_text
from assessor.collect.script import major_version


def collect_script(
    version: Annotated[str, typer.Option(metavar="N", help="Version of the instances: 2019, or its major version 15.")],
    platform: Annotated[
        Platform, typer.Option(help="windows or linux leaves out the queries of the other; any has both.")
    ] = Platform.ANY,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="[default: stdout]", show_default=False)
    ] = None,
) -> None:
    """Write the T-SQL script that collects what `assess` would, for SSMS or sqlcmd; it only reads.

    Save what it prints, one file an instance, into a folder, and run: assessor assess ESTATE --inventory FOLDER
    """
    major = major_version(version)
    script = script_text(load_queries(), major, None if platform is Platform.ANY else platform.value)
    if output is None:
        sys.stdout.write(script)
        return
    write_whole(output, script.encode("utf-8"))
    sys.stderr.write(f"Wrote {output}; run it in SSMS or sqlcmd and save everything that it prints.\n")
