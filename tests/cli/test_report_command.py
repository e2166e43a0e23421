"""``assessor report``: every form, to a file or to standard output, and never half."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from snapshots_by_hand import snapshot

from assessor.cli import main
from assessor.snapshot_file import snapshot_json, write_snapshot

BEGINS = {
    "html": b"<!DOCTYPE html>",
    "csv": b"\xef\xbb\xbfid,verdict,",
    "markdown": b"# SQL Server 2025 upgrade",
    "sarif": b'{\n  "$schema"',
    "json": b'{\n  "schema_version": 1',
}


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: bytes
    stderr: bytes


Report = Callable[..., Done]


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Report:
    """Runs the command as the console would, in ``tmp_path``, without the second that a new Python takes."""

    def call(*arguments: object) -> Done:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["assessor", "report", *map(str, arguments)])
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsysbinary.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return call


def sentence(done: Done) -> str:
    lines = done.stderr.decode().strip().splitlines()
    assert done.returncode == 2
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    write_snapshot(snapshot(), path)
    return path


@pytest.mark.parametrize("form", BEGINS)
def test_a_form_of_text_goes_to_standard_output_or_to_a_file_and_is_the_same(
    report: Report, run: Path, form: str
) -> None:
    shown = report(run, "--format", form)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert shown.stdout.startswith(BEGINS[form])
    kept = report(run, "--format", form, "-o", "out")
    assert (kept.returncode, kept.stdout, kept.stderr) == (0, b"", b"")
    assert (run.parent / "out").read_bytes() == shown.stdout


def test_json_is_the_snapshot(report: Report, run: Path) -> None:
    assert report(run, "--format", "json").stdout.decode() == snapshot_json(snapshot())


def test_a_workbook_needs_a_file(report: Report, run: Path) -> None:
    assert "-o report.xlsx" in sentence(report(run, "--format", "xlsx"))
    assert report(run, "--format", "xlsx", "-o", "w.xlsx").returncode == 0
    book = openpyxl.load_workbook(run.parent / "w.xlsx", read_only=True)
    assert "Edges" in book.sheetnames
    book.close()


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--format", "html", "--key", "k.json"], "--pseudonymise"),
        (["--format", "html", "--pseudonymise"], "--key FILE"),
        (["--format", "html", "--pseudonymise", "-o", "a", "--key", "a"], "place of its own"),
        (["--format", "html", "-o", "no/such/folder/a.html"], "a.html"),
        (["--format", "html", "--pseudonymise", "-o", "a.html", "--key", "run.json"], "not a key"),
        (["--format", "html", "--pseudonymise", "-o", "a.html", "--key", "no/such/k.json"], "k.json"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_writes_nothing(
    report: Report, run: Path, arguments: list[str], mend: str
) -> None:
    before = run.read_bytes()
    assert mend in sentence(report(run, *arguments))
    assert [path.name for path in run.parent.iterdir()] == ["run.json"]
    assert run.read_bytes() == before


def test_a_snapshot_that_is_none_is_one_sentence(report: Report) -> None:
    assert "no such file" in sentence(report("none.json", "--format", "csv"))


def test_pseudonyms_leave_with_the_report_and_the_key_stays(report: Report, run: Path) -> None:
    done = report(run, "--format", "json", "--pseudonymise", "-o", "shared.json")
    assert done.returncode == 0
    assert "shared.json.key.json" in done.stderr.decode()
    shared = json.loads((run.parent / "shared.json").read_text("utf-8"))
    assert shared["run"]["pseudonymised"] is True
    assert "sql01" not in json.dumps(shared).lower()
    key = run.parent / "shared.json.key.json"
    names = {each["name"]: each["pseudonym"] for each in json.loads(key.read_text("ascii"))["pseudonyms"]}
    assert shared["edges"][0]["source"].startswith(names["sql01"])
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_one_key_for_several_reports_gives_one_set_of_pseudonyms(report: Report, run: Path) -> None:
    first = report(run, "--format", "csv", "--pseudonymise", "--key", "k.json")
    again = report(run, "--format", "csv", "--pseudonymise", "--key", "k.json")
    assert first.returncode == again.returncode == 0
    assert first.stdout == again.stdout


def test_a_report_of_a_pseudonymised_snapshot_is_drawn_as_it_is(report: Report, run: Path) -> None:
    report(run, "--format", "json", "--pseudonymise", "-o", "shared.json")
    assert b"Names are pseudonyms" in report("shared.json", "--format", "markdown").stdout
    twice = report("shared.json", "--format", "markdown", "--pseudonymise", "--key", "other.json")
    assert "already" in sentence(twice)
    assert not (run.parent / "other.json").exists()
