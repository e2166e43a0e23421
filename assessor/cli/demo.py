"""``assessor demo``: the main job on an estate of emulated servers, for somebody who has no SQL Server at hand."""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer

from assessor.atomic import check_writable
from assessor.cli.assess import deliver, run
from assessor.cli.options import DriverOption, Format
from assessor.cli.story import story_paths, tell
from assessor.collect.driver import find_driver
from assessor.errors import ExitCode, NothingReached, OutputError
from assessor.estate import load_estate
from assessor.lab.estate import Lab
from assessor.shipped import sample_data_dir


def demo(
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder for the workbook and the snapshot.")] = Path(
        "reports"
    ),
    driver: DriverOption = None,
    serve: Annotated[bool, typer.Option("--serve", help="Leave the servers running afterwards, until Ctrl-C.")] = False,
    story: Annotated[
        bool,
        typer.Option(
            "--story", help="Assess, mend some of it in the lab, and assess again: demo-before and demo-after."
        ),
    ] = False,
) -> None:
    """Start the built-in lab on loopback, assess it as any estate, and leave workbook and snapshot in a folder.

    The servers are emulated, the rest is real: the ODBC driver, TDS, TLS, the certificates, the workbook. Ends with 0
    when it ran through, although the demo estate has edges that break.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} can't be made ({error.strerror}); name another with --output."
        ) from error
    if story:
        story_paths(folder)
    snapshot, workbook = folder / "demo.json", folder / "demo.xlsx"
    for path in (snapshot, workbook):
        check_writable(path)
    found = find_driver(driver)
    with tempfile.TemporaryDirectory(prefix="assessor-demo-") as work, Lab(sample_data_dir(), Path(work)) as lab:
        sys.stderr.write(f"The lab is up: {len(lab.servers)} emulated servers on loopback.\n")
        if story:
            _, result = tell(lab, found, folder)
        else:
            result = run(load_estate(lab.estate_file), found)
            deliver(result, snapshot, workbook, Format.TEXT)
        if not any(inventory.identity for inventory in result.inventories):
            raise NothingReached("No emulated server could be reached; run assessor doctor.")
        if result.run.interrupted:
            raise typer.Exit(int(ExitCode.INTERRUPTED))
        if serve:
            _serve(lab)


def _serve(lab: Lab) -> None:
    sys.stderr.write(f"\nEstate file while the lab runs: {lab.estate_file}\n")
    for name, path in sorted(lab.trust_stores.items()):
        sys.stderr.write(f"Trust store {name}: {path}\n")
    for host, address in sorted(lab.routes.items()):
        sys.stderr.write(f"  --route {host}={address}\n")
    sys.stderr.write("The lab runs until Ctrl-C.\n")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
