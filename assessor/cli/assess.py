"""``assessor assess``: the main job."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from assessor import assessment
from assessor.atomic import check_apart, check_writable
from assessor.cli.before import Before, CompareWith, Previous, read_before, rerun_or_problem
from assessor.cli.options import DriverOption, Format
from assessor.cli.waves import waves_of
from assessor.collect.driver import Driver, find_driver
from assessor.collect.inventory import Inventory
from assessor.collect.matching import read_folder
from assessor.errors import ExitCode, OutputError, UsageError
from assessor.estate import Estate, load_estate
from assessor.judge.rules import load_rules
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import Evidence
from assessor.probe.evidence_file import read_evidence
from assessor.report.changes import changes_sentence
from assessor.report.console import print_snapshot, summary_text
from assessor.report.referenced import referenced_text
from assessor.report.text import visible
from assessor.report.workbook import write_workbook
from assessor.snapshot import Snapshot
from assessor.snapshot_file import write_snapshot
from assessor.topology.build import Topology


def assess(
    estate: Annotated[
        Path, typer.Argument(help="The estate file (TOML); `assessor init` writes one.", show_default=False)
    ],
    workbook: Annotated[
        Path | None,
        typer.Option(help="Where the workbook goes. [default: reports/ESTATE-DATE.xlsx]", show_default=False),
    ] = None,
    snapshot: Annotated[
        Path | None,
        typer.Option(help="Where the snapshot goes. [default: reports/ESTATE-DATE.json]", show_default=False),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="json: the snapshot on stdout.")] = Format.TEXT,
    driver: DriverOption = None,
    previous: Previous = None,
    compare_with: CompareWith = None,
    inventory: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Read saved outputs of the collect script; connect to nothing.", show_default=False
        ),
    ] = None,
    connect: Annotated[
        bool, typer.Option("--connect", help="With --inventory: connect to the instances that have no saved output.")
    ] = False,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="What `probe --format json` saw elsewhere; repeatable.", show_default=False),
    ] = None,
    no_probe: Annotated[bool, typer.Option("--no-probe", help="Probe nothing from here.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="List the servers that are referred to and not in ESTATE.")
    ] = False,
) -> None:
    """Connect to every instance of ESTATE, probe every server they refer to, and say which edges will break.

    Only the reviewed, read-only queries that ship with the tool are run (`queries/`). The summary goes to stderr.

    Exit codes: 0 nothing breaks, 1 something breaks, 2 bad usage or input, 3 something could not be assessed
    (and nothing breaks), 4 no instance could be reached, 130 interrupted (what was gathered is written).
    """
    plan = load_estate(estate)
    before = read_before(previous, compare_with)
    snapshot_path, workbook_path = output_paths(plan, snapshot, workbook)
    check_apart(estate, snapshot_path, workbook_path)
    if connect and inventory is None:
        raise UsageError("--connect goes with --inventory; without that, every instance is connected to.")
    elsewhere = assessment.Elsewhere(
        saved=read_folder(inventory) if inventory is not None else None,
        evidence=tuple(each for path in evidence or () for each in read_evidence(path)),
    )
    found = find_driver(driver) if inventory is None or connect else None
    result = run(plan, found, elsewhere=elsewhere, probing=not no_probe)
    deliver(result, snapshot_path, workbook_path, output, before)
    if follow:
        sys.stderr.write(referenced_text(result, shutil.get_terminal_size((110, 24)).columns))
    raise typer.Exit(int(exit_code(result)))


def output_paths(plan: Estate, snapshot: Path | None, workbook: Path | None) -> tuple[Path, Path]:
    """Where the outputs go; checked before the first connection, so that an hour's run is not lost to a typo.

    Raises :class:`OutputError`.
    """
    stem = re.sub(r"[^\w.-]+", "-", plan.name).strip("-.").lower() or "estate"
    stem = f"{stem}-{plan.upgrade_date:%Y-%m-%d}"
    folder = Path("reports")
    if snapshot is None or workbook is None:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The folder {folder.absolute()} can't be made ({error.strerror}); name --workbook and --snapshot."
            ) from error
    paths = (snapshot or folder / f"{stem}.json", workbook or folder / f"{stem}.xlsx")
    for path in paths:
        check_writable(path)
    return paths


def run(
    plan: Estate, driver: Driver | None, *, elsewhere: assessment.Elsewhere | None = None, probing: bool = True
) -> Snapshot:
    """The assessment with progress on stderr and Ctrl-C meaning: stop here, and report what there is."""
    stop = threading.Event()
    with interruptible(stop):
        return assessment.assess(plan, driver, stop, _Progress(plan).watch(), elsewhere=elsewhere, probing=probing)


def deliver(result: Snapshot, snapshot: Path, workbook: Path, output: Format, before: Before | None = None) -> None:
    """Write both files, the summary to stderr and, if asked, the snapshot to stdout.

    The snapshot goes first, for the workbook can be drawn again from it. Raises :class:`OutputError`, after
    everything else has been written that can be.
    """
    written: list[Path] = []
    problems: list[str] = []
    rerun, remark = rerun_or_problem(before or Before(), result)
    if remark and before is not None and before.is_asked_for:
        problems.append(remark)
    try:
        write_snapshot(result, snapshot)
        written.append(snapshot)
    except OutputError as error:
        spare = Path(tempfile.mkdtemp(prefix="assessor-")) / snapshot.name
        write_snapshot(result, spare)
        written.append(spare)
        problems.append(f"{error} The snapshot was saved as {spare} instead.")
    try:
        write_workbook(result, load_rules(), workbook, rerun, waves_of(result))
        written.append(workbook)
    except OutputError as error:
        problems.append(f"{error} Nothing gathered is lost: it is in the snapshot {written[0]}.")
    if output is Format.JSON:
        print_snapshot(result, sys.stdout.buffer)
    width = shutil.get_terminal_size((110, 24)).columns
    sys.stderr.write(summary_text(result, width, sys.stderr.isatty(), written))
    if rerun.comparison is not None:
        sys.stderr.write(f"{changes_sentence(rerun.comparison)}\n")
    elif remark and not problems:
        sys.stderr.write(f"{visible(remark)}\n")
    if problems:
        raise OutputError(" ".join(problems))


def exit_code(result: Snapshot) -> ExitCode:
    """The code a run ends with; see :class:`ExitCode`."""
    if result.run.interrupted:
        return ExitCode.INTERRUPTED
    if not any(inventory.identity for inventory in result.inventories):
        return ExitCode.NOTHING_REACHED
    verdicts = {edge.verdict for edge in result.edges}
    if VerdictKind.BREAKS in verdicts:
        return ExitCode.SOMETHING_BREAKS
    unseen = any(gap.hides_edges for inventory in result.inventories for gap in inventory.gaps)
    if VerdictKind.NOT_ASSESSED in verdicts or result.gaps or unseen:
        return ExitCode.NOT_ALL_ASSESSED
    return ExitCode.NOTHING_BREAKS


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C ends the gathering and keeps what there is; a second one ends the program."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        sys.stderr.write("\nassessor: stopping; what was gathered is being written. Press Ctrl-C again to drop it.\n")

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Progress:
    """One line an instance and one for the endpoints, on stderr, so that a long run is seen to move."""

    def __init__(self, plan: Estate) -> None:
        self._instances = len(plan.instances)
        self._collected = 0
        self._endpoints = 0

    def watch(self) -> assessment.Watch:
        return assessment.Watch(self._inventory, self._topology, self._evidence, self._line)

    def _inventory(self, inventory: Inventory) -> None:
        self._collected += 1
        if inventory.identity is None:
            state = f"not read: {inventory.gaps[0].message}" if inventory.gaps else "not read"
        else:
            links = len(inventory.linked_servers)
            state = f"{inventory.identity.product_version}, {links} server entries, {len(inventory.gaps)} gaps"
        self._line(f"[{self._collected}/{self._instances}] {inventory.instance}: {state}")

    def _topology(self, topology: Topology) -> None:
        self._endpoints = len({edge.endpoint for edge in topology.edges if edge.endpoint})
        self._line(f"{len(topology.edges)} edges; probing {self._endpoints} endpoints")

    def _evidence(self, evidence: Evidence) -> None:
        if evidence.failure is not None:
            what = evidence.failure.value.replace("_", " ")
            self._line(f"  {evidence.endpoint.id}: {what}")

    @staticmethod
    def _line(text: str) -> None:
        sys.stderr.write(f"{visible(text)[:200]}\n")
