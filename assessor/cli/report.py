"""``assessor report``: a snapshot in another form, for those who were not there when it was made."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from assessor.atomic import check_writable, write_whole
from assessor.cli.before import CompareWith, Previous, read_before, rerun_or_problem
from assessor.cli.waves import waves_of
from assessor.errors import OutputError, SnapshotError, UsageError
from assessor.judge.rules import load_rules
from assessor.pseudonym_key import default_key_path, read_key, write_key
from assessor.pseudonymise import pseudonymise
from assessor.report.edges_csv import edges_csv
from assessor.report.markdown import markdown_page
from assessor.report.page import page_html
from assessor.report.sarif import sarif_log
from assessor.report.text import visible
from assessor.report.workbook import write_workbook
from assessor.snapshot import Snapshot
from assessor.snapshot_file import read_snapshot, snapshot_json


class ReportFormat(StrEnum):
    """The forms a snapshot can be drawn in."""

    XLSX = "xlsx"
    HTML = "html"
    CSV = "csv"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    JSON = "json"


def report(
    snapshot: Annotated[Path, typer.Argument(help="A snapshot that `assessor assess` wrote.", show_default=False)],
    form: Annotated[ReportFormat, typer.Option("--format", help="The form of the report.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where it goes. [default: standard output]", show_default=False),
    ] = None,
    pseudonyms: Annotated[
        bool,
        typer.Option("--pseudonymise", help="Replace every name by a pseudonym, for a report that leaves the company."),
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option(
            help="Which name got which pseudonym; read if it is there, and written. [default: OUTPUT.key.json]",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    previous: Previous = None,
    compare_with: CompareWith = None,
) -> None:
    """Draw SNAPSHOT as a workbook, a web page that needs no network, CSV, Markdown for a ticket, SARIF, or JSON.

    Nothing is connected to. A file is written whole or not at all. With --pseudonymise the names of hosts, instances,
    databases, logins, linked servers, jobs and the like, addresses, certificates' names and paths are replaced, the same
    name by the same pseudonym wherever it stands; the key stays with you.
    """
    _check_options(form, output, pseudonyms, key)
    if (previous or compare_with) and (form is not ReportFormat.XLSX or pseudonyms):
        raise UsageError("--previous and --compare-with are for workbooks (--format xlsx) with the names as they are.")
    before = read_before(previous, compare_with)
    if output is not None:
        check_writable(output)
    drawn = read_snapshot(snapshot)
    if pseudonyms:
        drawn = _pseudonymised(drawn, key or default_key_path(output))
    if form is ReportFormat.XLSX:
        assert output is not None
        rerun, remark = rerun_or_problem(before, drawn)
        if remark and before.is_asked_for:
            raise UsageError(remark)
        try:
            waves = waves_of(drawn)
        except SnapshotError as error:  # what is there can be drawn all the same
            waves = None
            sys.stderr.write(f"The workbook has no sheet Waves: {visible(str(error))}\n")
        write_workbook(drawn, load_rules(), output, rerun, waves)
        if remark:
            sys.stderr.write(f"{visible(remark)}\n")
        return
    data = _bytes(drawn, form)
    if output is not None:
        write_whole(output, data)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _check_options(form: ReportFormat, output: Path | None, pseudonyms: bool, key: Path | None) -> None:
    if form is ReportFormat.XLSX and output is None:
        raise UsageError("A workbook does not go to standard output; name a file with -o report.xlsx.")
    if key is not None and not pseudonyms:
        raise UsageError("--key belongs to --pseudonymise; give both, or neither.")
    if pseudonyms and output is None and key is None:
        raise UsageError("The pseudonyms' key needs a place: name the report with -o FILE, or the key with --key FILE.")
    if key is not None and output is not None and key.absolute() == output.absolute():
        raise UsageError("The report and the key are the same file; give the key a place of its own.")


def _pseudonymised(original: Snapshot, key_path: Path | None) -> Snapshot:
    assert key_path is not None  # _check_options saw to it
    replaced, used = pseudonymise(original, read_key(key_path))
    # First the key: a report whose key is lost can never be read back, a key without a report does no harm.
    write_key(used, key_path)
    sys.stderr.write(f"The key is {visible(str(key_path))}. Keep it, and do not send it along.\n")
    return replaced


def _bytes(drawn: Snapshot, form: ReportFormat) -> bytes:
    match form:
        case ReportFormat.HTML:
            text = page_html(drawn, load_rules())
        case ReportFormat.CSV:
            return edges_csv(drawn)
        case ReportFormat.MARKDOWN:
            text = markdown_page(drawn)
        case ReportFormat.SARIF:
            text = sarif_log(drawn, load_rules())
        case ReportFormat.JSON:
            text = snapshot_json(drawn)
        case ReportFormat.XLSX:
            raise OutputError("A workbook is not text.")
    return text.encode("utf-8")
