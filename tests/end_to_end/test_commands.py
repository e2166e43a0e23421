"""The command line as people and pipelines meet it: outputs, exit codes, and one clear sentence for bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import openpyxl
import pytest

from tests.end_to_end.small_estate import ESTATE, PAY01, ROOT, assessor, small_lab

KEYS = {"id", "source", "kind", "name", "target", "verdict", "rules", "reasons"}


def sentence(stderr: str) -> str:
    """The last line of stderr, which must be the one sentence; no traceback anywhere."""
    assert "Traceback" not in stderr
    return stderr.strip().splitlines()[-1]


def test_assess_writes_workbook_and_snapshot_and_ends_with_1_when_something_breaks(tmp_path: Path) -> None:
    with small_lab(tmp_path) as lab:
        outputs = ("--workbook", "w.xlsx", "--snapshot", "s.json")
        done = assessor("assess", lab.estate_file, *outputs, folder=tmp_path, anew=True)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "1 of 2 connections breaks" in done.stderr
    document = json.loads((tmp_path / "s.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads((ROOT / "docs" / "snapshot.schema.json").read_text("utf-8")))
    verdicts = {edge["name"]: edge["verdict"] for edge in document["edges"]}
    assert verdicts == {"HR": "works", "SELF_SIGNED": "breaks"}
    assert all(set(edge) >= KEYS for edge in document["edges"])
    book = openpyxl.load_workbook(tmp_path / "w.xlsx")
    wanted = [
        "Summary",
        "Actions",
        "Edges",
        "Endpoints",
        "Clients",
        "Instances",
        "Waves",
        "Not assessed",
        "Rules",
        "Provenance",
    ]
    assert [name for name in book.sheetnames if name in wanted] == wanted
    assert book["Edges"].max_row == 3


def test_json_goes_to_stdout_and_everything_for_people_to_stderr(tmp_path: Path) -> None:
    with small_lab(tmp_path) as lab:
        done = assessor("assess", lab.estate_file, "--format", "json", folder=tmp_path)
    document = json.loads(done.stdout)
    reports = sorted(path.name for path in (tmp_path / "reports").iterdir())
    assert [name.rsplit(".", 1)[1] for name in reports] == ["json", "xlsx"]
    assert document == json.loads((tmp_path / "reports" / reports[0]).read_text("utf-8"))


@pytest.mark.parametrize(
    ("estate", "mend"),
    [
        (None, "assessor init"),
        ("name = [", "TOML"),
        ('name = "x"\nupgrade_date = 2027-01-22\ncolour = 1\n[[instances]]\naddress = "a"\n', "colour"),
        ('name = "x"\nupgrade_date = 2027-01-22\n[[instances]]\naddress = "a,99999"\n', "99999"),
        ('name = "x"\nupgrade_date = "soon"\n[[instances]]\naddress = "a"\n', "upgrade_date"),
        ('name = "x"\nupgrade_date = 2027-01-22\n[[instances]]\naddress = "a"\ntrust_store = "no.pem"\n', "no.pem"),
    ],
)
def test_a_bad_estate_file_is_one_sentence_and_exit_code_2(tmp_path: Path, estate: str | None, mend: str) -> None:
    file = tmp_path / "estate.toml"
    if estate is not None:
        file.write_text(estate, encoding="utf-8")
    done = assessor("assess", file, folder=tmp_path)
    assert done.returncode == 2
    assert mend in sentence(done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "reports").exists()


def test_a_password_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    estate = ESTATE.replace('{ file = "passwords/assessor.txt" }', '{ env = "NO_SUCH_PASSWORD" }')
    with small_lab(tmp_path, estate=estate) as lab:
        done = assessor("assess", lab.estate_file, folder=tmp_path)
    assert done.returncode in (2, 4)
    assert "NO_SUCH_PASSWORD" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_password_that_must_be_typed_needs_a_terminal(tmp_path: Path) -> None:
    estate = ESTATE.replace('{ file = "passwords/assessor.txt" }', "{ prompt = true }")
    with small_lab(tmp_path, estate=estate) as lab:
        done = assessor("assess", lab.estate_file, folder=tmp_path)
    assert done.returncode == 2
    assert "terminal" in sentence(done.stderr)


def test_no_driver_is_one_sentence(tmp_path: Path) -> None:
    with small_lab(tmp_path) as lab:
        done = assessor("assess", lab.estate_file, "--driver", "FreeDriver 1", folder=tmp_path)
    assert done.returncode == 2
    assert "FreeDriver 1" in sentence(done.stderr)


def test_an_output_that_can_not_be_written_is_found_before_anything_is_dialled(tmp_path: Path) -> None:
    with small_lab(tmp_path) as lab:
        done = assessor("assess", lab.estate_file, "--workbook", tmp_path / "no" / "w.xlsx", folder=tmp_path)
        assert not lab.servers["PAY01"].seen
    assert done.returncode == 2
    assert "w.xlsx" in sentence(done.stderr)


def test_no_instance_reached_is_exit_code_4_and_still_reported(tmp_path: Path) -> None:
    with small_lab(tmp_path, pay01='host = "pay01.corp.example"\nstate = "off"\n') as lab:
        done = assessor("assess", lab.estate_file, "--snapshot", "s.json", "--workbook", "w.xlsx", folder=tmp_path)
    assert done.returncode == 4, done.stderr
    document = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert document["inventories"][0]["gaps"][0]["kind"] == "unreachable"
    assert (tmp_path / "w.xlsx").exists()


def test_a_wrong_login_is_a_gap_that_says_so(tmp_path: Path) -> None:
    with small_lab(tmp_path, pay01='host = "pay01.corp.example"\nlogins = []\n') as lab:
        done = assessor("assess", lab.estate_file, "--snapshot", "s.json", folder=tmp_path)
    assert done.returncode == 4
    gap = json.loads((tmp_path / "s.json").read_text("utf-8"))["inventories"][0]["gaps"][0]
    assert gap["kind"] == "login_failed"
    assert "18456" in gap["message"]


def test_a_query_that_times_out_costs_only_its_facts(tmp_path: Path) -> None:
    with small_lab(
        tmp_path, pay01=PAY01.replace('version = "13.0.6435.1"', 'version = "13.0.6435.1"\nhangs = ["trace_flags"]')
    ) as lab:
        done = assessor("assess", lab.estate_file, "--snapshot", "s.json", folder=tmp_path)
    document = json.loads((tmp_path / "s.json").read_text("utf-8"))
    gaps = {gap["query"]: gap["kind"] for gap in document["inventories"][0]["gaps"]}
    assert gaps["trace_flags"] == "timed_out"
    assert len(document["edges"]) == 2, done.stderr


def test_refused_provider_strings_turn_verdicts_only_towards_not_assessed(tmp_path: Path) -> None:
    pay01 = "\n".join(line for line in PAY01.splitlines() if not line.startswith("provider_string"))
    pay01 = pay01.replace("[[rows.linked_servers]]", "[[rows.linked_servers]]\nsees_all = 0")
    with small_lab(tmp_path, pay01=pay01) as lab:
        done = assessor("assess", lab.estate_file, "--snapshot", "s.json", folder=tmp_path)
    assert done.returncode == 3, done.stderr
    edges = json.loads((tmp_path / "s.json").read_text("utf-8"))["edges"]
    assert {edge["verdict"] for edge in edges} == {"not_assessed"}


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_in_the_middle_keeps_what_was_gathered(tmp_path: Path) -> None:
    estate = (
        ESTATE.replace("query_timeout_seconds = 2", "query_timeout_seconds = 60")
        + '\n[[instances]]\naddress = "hr01.corp.example"\n'
    )
    hanging = PAY01.replace("version =", 'hangs = ["linked_servers"]\nversion =')
    with small_lab(tmp_path, pay01=hanging, estate=estate) as lab:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "assessor",
                "assess",
                str(lab.estate_file),
                "--snapshot",
                "s.json",
                "--workbook",
                "w.xlsx",
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        first = process.stderr.readline()  # one instance has answered, the other one hangs
        assert "hr01.corp.example" in first
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    document = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert document["run"]["interrupted"] is True
    by_instance = {each["instance"]: each for each in document["inventories"]}
    assert by_instance["hr01.corp.example"]["identity"] is not None
    assert "interrupted" in {gap["kind"] for gap in by_instance["pay01.corp.example"]["gaps"]}
    assert (tmp_path / "w.xlsx").exists()


def test_demo_ends_with_0_and_says_where_the_workbook_is(tmp_path: Path) -> None:
    done = assessor("demo", folder=tmp_path, anew=True)
    assert done.returncode == 0, done.stderr
    assert "demo.xlsx" in done.stderr
    assert (tmp_path / "reports" / "demo.xlsx").exists()
    assert (tmp_path / "reports" / "demo.json").exists()


@pytest.mark.parametrize(
    "command", ["assess", "demo", "init", "doctor", "probe", "explain", "trust-script", "remedies", "waves"]
)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    done = assessor(command, "--help", folder=tmp_path)
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_trust_script_prints_powershell_that_never_exports_a_key(tmp_path: Path) -> None:
    done = assessor("trust-script", folder=tmp_path)
    assert "Cert:\\LocalMachine\\" in done.stdout
    assert "'Root', 'CA'" in done.stdout
    assert "Export-PfxCertificate" not in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("command", [["explain", "LS-01"], ["--help"], ["trust-script"]])
def test_a_full_disk_behind_stdout_is_one_sentence(tmp_path: Path, command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "assessor", *command],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 2
    assert (
        done.stderr == "assessor: Cannot write the output: No space left on device; make room, or name another place.\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes streams")
def test_a_closed_stdout_is_no_bug(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -m assessor trust-script >&-', sys.executable],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("options", [("--workbook", "a.xlsx", "--snapshot", "./a.xlsx"), ("--snapshot", "estate.toml")])
def test_an_output_that_would_replace_another_file_of_the_run_is_refused(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    file = tmp_path / "estate.toml"
    text = 'name = "x"\nupgrade_date = 2027-01-22\n[[instances]]\naddress = "127.0.0.1,1"\n'
    file.write_text(text, encoding="utf-8")
    done = assessor("assess", file, *options, folder=tmp_path)
    assert done.returncode == 2
    assert "is the same file and would be lost" in sentence(done.stderr)
    assert file.read_text(encoding="utf-8") == text
    assert not (tmp_path / "a.xlsx").exists()
