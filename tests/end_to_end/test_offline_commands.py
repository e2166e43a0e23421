"""The command line without connections: collect-script, --inventory, --no-probe, probe-list, --evidence, merge, init --from."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from offline.script_runner import run_script, sqlcmd

from assessor.collect.queries import load_queries
from assessor.lab.behaviour import Rows
from assessor.lab.canned import CannedAnswers, columns_of
from assessor.lab.estate import Lab
from assessor.shipped import queries_dir

from .small_estate import CANARY, assessor, small_lab


@dataclass(frozen=True)
class Site:
    """A lab that is up, and a folder with a saved output of its one instance, made from the command's own script."""

    lab: Lab
    folder: Path
    saved: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with small_lab(folder) as lab:
        written = assessor("collect-script", "--version", "2016", "-o", "collect.sql", folder=folder)
        assert written.returncode == 0, written.stderr
        answers = lab.servers["PAY01"].behaviour.answers
        printed = run_script(
            (folder / "collect.sql").read_text("utf-8"), answers, started=datetime.now(UTC).replace(tzinfo=None)
        )
        saved = folder / "saved"
        saved.mkdir()
        (saved / "anything.rpt").write_bytes(sqlcmd(printed, "utf-16"))
        yield Site(lab, folder, saved)


def edges(path: Path) -> dict[str, dict[str, object]]:
    return {edge["name"]: edge for edge in json.loads(path.read_text("utf-8"))["edges"]}


def outputs(folder: Path, name: str) -> list[str]:
    return ["--snapshot", str(folder / f"{name}.json"), "--workbook", str(folder / f"{name}.xlsx")]


def routes(lab: Lab) -> list[str]:
    return [part for host, address in lab.routes.items() for part in ("--route", f"{host}={address}")]


def test_the_script_goes_to_stdout_too_and_a_wrong_version_is_refused(tmp_path: Path) -> None:
    assert assessor("collect-script", "--version", "17", folder=tmp_path).stdout.startswith(
        "-- Collect script of assessor"
    )
    refused = assessor("collect-script", "--version", "2013", folder=tmp_path)
    assert (refused.returncode, "2019 (or 15)" in refused.stderr) == (2, True)


def test_from_saved_output_to_verdicts_without_any_connection_and_then_with_evidence(
    site: Site, tmp_path: Path
) -> None:
    estate = site.lab.estate_file
    before = len(site.lab.servers["PAY01"].seen)
    first = assessor(
        "assess", estate, "--inventory", site.saved, "--no-probe", *outputs(tmp_path, "first"), folder=tmp_path
    )
    assert first.returncode == 3, first.stderr
    unprobed = edges(tmp_path / "first.json")
    assert {edge["verdict"] for edge in unprobed.values()} == {"not_assessed"}
    assert "--no-probe" in json.dumps(unprobed)
    assert len(site.lab.servers["PAY01"].seen) == before
    text = (tmp_path / "first.json").read_text("utf-8")
    assert CANARY not in text
    assert '"none: nothing was connected to"' in text

    listed = assessor("probe-list", "first.json", "-o", "targets.txt", folder=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "# Source pay01.corp.example, on host pay01.corp.example" in (tmp_path / "targets.txt").read_text(
        "utf-8"
    ).lower().replace("# source", "# Source")
    probed = assessor(
        "probe",
        "--targets",
        "targets.txt",
        "--vantage",
        "PAY01",
        "--format",
        "json",
        *routes(site.lab),
        folder=tmp_path,
    )
    assert probed.returncode == 0, probed.stderr
    (tmp_path / "evidence.json").write_text(probed.stdout, "utf-8")

    second = assessor(
        "assess", estate, "--inventory", site.saved, "--no-probe", "--evidence", "evidence.json", *outputs(tmp_path, "second"),
        folder=tmp_path,
    )  # fmt: skip
    assert second.returncode == 1, second.stderr
    live = assessor("assess", estate, *outputs(tmp_path, "live"), folder=tmp_path)
    assert live.returncode == 1, live.stderr
    there, here = edges(tmp_path / "second.json"), edges(tmp_path / "live.json")
    assert {name: edge["verdict"] for name, edge in there.items()} == {
        name: edge["verdict"] for name, edge in here.items()
    }
    assert "not from the source host" in json.dumps(here)
    assert "not from the source host" not in json.dumps(there)


def test_an_instance_without_saved_output_is_a_gap_and_is_connected_to_only_when_asked(
    site: Site, tmp_path: Path
) -> None:
    empty = tmp_path / "saved"
    empty.mkdir()
    (empty / "readme.txt").write_text("nothing")
    alone = assessor("assess", site.lab.estate_file, "--inventory", empty, *outputs(tmp_path, "a"), folder=tmp_path)
    assert alone.returncode == 4
    assert "no saved output" in (tmp_path / "a.json").read_text("utf-8")
    assert "readme.txt is left out" in (tmp_path / "a.json").read_text("utf-8")
    joined = assessor(
        "assess", site.lab.estate_file, "--inventory", empty, "--connect", *outputs(tmp_path, "b"), folder=tmp_path
    )
    assert joined.returncode == 1, joined.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--connect"], "--connect goes with --inventory"),
        (["--inventory", "nowhere"], "can't be read as a folder"),
        (["--evidence", "nowhere.json"], "can't be read"),
        (["--evidence", "collect.sql"], "is not what `assessor probe --format json` writes"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_dialled(site: Site, arguments: list[str], complaint: str) -> None:
    refused = assessor("assess", site.lab.estate_file, *arguments, folder=site.folder)
    assert refused.returncode == 2
    assert complaint in refused.stderr
    assert "Traceback" not in refused.stderr


def test_follow_lists_the_servers_that_are_not_in_the_estate_file(site: Site, tmp_path: Path) -> None:
    done = assessor(
        "assess",
        site.lab.estate_file,
        "--inventory",
        site.saved,
        "--no-probe",
        "--follow",
        *outputs(tmp_path, "f"),
        folder=tmp_path,
    )
    assert "Referred to, and not in the estate file" in done.stderr
    assert "hr01.corp.example" in done.stderr
    referenced = json.loads((tmp_path / "f.json").read_text("utf-8"))["referenced"]
    assert [server["sources"] for server in referenced] == [["pay01.corp.example"]] * 2


def test_merge_and_rejudge_write_snapshots_and_workbooks(site: Site, tmp_path: Path) -> None:
    assert assessor("assess", site.lab.estate_file, *outputs(tmp_path, "one"), folder=tmp_path).returncode == 1
    merged = assessor("merge", "one.json", "one.json", "-o", "m.json", "--workbook", "m.xlsx", folder=tmp_path)
    assert merged.returncode == 1, merged.stderr
    assert {name: edge["verdict"] for name, edge in edges(tmp_path / "m.json").items()} == {
        name: edge["verdict"] for name, edge in edges(tmp_path / "one.json").items()
    }
    assert (tmp_path / "m.xlsx").is_file()
    again = assessor("rejudge", "m.json", "-o", "r.json", "--upgrade-date", "2199-01-01", folder=tmp_path)
    assert again.returncode in (1, 3), again.stderr
    wrong = assessor("rejudge", "m.json", "-o", "r.json", "--upgrade-date", "soon", folder=tmp_path)
    assert (wrong.returncode, "is no date" in wrong.stderr) == (2, True)


def test_an_estate_is_imported_from_a_central_management_server(tmp_path: Path) -> None:
    (query,) = load_queries(queries_dir() / "import")
    listed = (
        ("SQL01\\SALES", "Sales", "Production", None),
        ("tcp:sql02,1433", "Two", "Production", None),
        ("sql02", "Two again", "Test", "Old"),
        ("(localdb)\\x", "Mine", None, None),
    )
    with small_lab(tmp_path) as lab:
        server = lab.servers["HR01"]
        answers = CannedAnswers({query.name: query}, (), {(query.name, None): Rows(columns_of(query), listed)})
        server.behaviour = replace(server.behaviour, answers=answers)
        arguments = [
            "init", "new.toml", "--from", "cms:hr01.corp.example", "--user", "assessor", "--trust-server-certificate",
            "--password-file", str(lab.estate_file.parent / "passwords" / "assessor.txt"), *routes(lab),
        ]  # fmt: skip
        made = assessor(*arguments, folder=tmp_path)
        assert made.returncode == 0, made.stderr
        document = tomllib.loads((tmp_path / "new.toml").read_text("utf-8"))
        assert [instance["address"] for instance in document["instances"]] == ["SQL01\\SALES", "tcp:sql02,1433"]
        assert "registration Mine: not taken over: it is not dialled over TCP" in made.stderr
        assert "# also registration Two again: sql02, in Old / Test" in (tmp_path / "new.toml").read_text("utf-8")
        server.behaviour = replace(server.behaviour, answers=CannedAnswers({}, ()))
        arguments[1] = "other.toml"
        refused = assessor(*arguments, folder=tmp_path)
    assert refused.returncode == 4
    assert "gave no list of servers" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_estate_is_imported_from_a_csv_and_an_unknown_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("address,wave\nSQL01,1\nbad:1433,1\n", "utf-8")
    made = assessor("init", "--from", "list.csv", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "line 3: not taken over" in made.stderr
    assert (tmp_path / "estate.toml").is_file()
    for source, complaint in (
        ("list.doc", "can't be read"),
        ("cms:a b", "--from cms:"),
        ("estate.toml", "neither .regsrvr nor .csv"),
    ):
        refused = assessor("init", "x.toml", "--from", source, folder=tmp_path)
        assert (refused.returncode, complaint in refused.stderr) == (2, True), refused.stderr
