"""``assessor remedies`` and ``assessor waves``, run as a person would, on the demo estate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assessor.snapshot import Snapshot
from assessor.snapshot_file import write_snapshot
from tests.end_to_end.small_estate import assessor


@pytest.fixture
def file(snapshot: Snapshot, tmp_path: Path) -> Path:
    path = tmp_path / "demo.json"
    write_snapshot(snapshot, path)
    return path


def test_remedies_writes_a_folder_for_review_and_the_same_again(file: Path, tmp_path: Path) -> None:
    done = assessor("remedies", file, "-o", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "begin with README.md" in done.stderr
    first = {
        path.relative_to(tmp_path / "out"): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert {path.suffix for path in first} == {".md", ".inf", ".cnf", ".sql", ".ps1"}
    assert assessor("remedies", file, "-o", "again", folder=tmp_path).returncode == 0
    assert {path: (tmp_path / "again" / path).read_bytes() for path in first} == first


def test_remedies_leaves_a_folder_that_is_in_use_alone(file: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("kept")
    refused = assessor("remedies", file, "-o", "out", folder=tmp_path)
    assert refused.returncode == 2
    assert "not empty" in refused.stderr
    done = assessor("remedies", file, "-o", "out", "--force", "--secure-only", "--only", "hr01", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.1" / "mine.txt").read_text() == "kept"
    assert "NOT SECURE" not in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_remedies_for_a_server_that_needs_nothing_names_those_that_do(file: Path, tmp_path: Path) -> None:
    done = assessor("remedies", file, "-o", "out", "--only", "nobody", folder=tmp_path)
    assert done.returncode == 2
    assert "hr01.corp.northgate.example" in done.stderr
    assert not (tmp_path / "out").exists()


def test_pseudonyms_make_no_script(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "pseudonyms.json"
    write_snapshot(replace(snapshot, run=replace(snapshot.run, pseudonymised=True)), path)
    for command in (["remedies", path, "-o", "out"], ["waves", path]):
        done = assessor(*command, folder=tmp_path)
        assert done.returncode == 2
        assert "take the original" in done.stderr


def test_waves_tells_each_fate_and_an_order(file: Path, tmp_path: Path, snapshot: Snapshot) -> None:
    done = assessor("waves", file, "--format", "json", folder=tmp_path)
    assert done.returncode == 1, done.stderr  # the versions of the demo's replication do not fit in any order
    plan = json.loads(done.stdout)
    assert [wave["number"] for wave in plan["waves"]] == [1, 2, 3]
    last = {fate["edge"]: fate["after"][-1] for fate in plan["fates"]}
    assert last == {edge.id: edge.verdict for edge in snapshot.edges}, "after the last wave all is as assessed"
    assert {fate["today"] for fate in plan["fates"]}.isdisjoint({"breaks"}), (
        "nothing breaks before anything is upgraded"
    )
    assert plan["breaks"] == []
    assert {misfit["rule"] for misfit in plan["misfits"]} <= {"RP-04", "RP-05"}
    upgraded = [step["what"] for step in plan["steps"] if step["kind"] == "upgrade"]
    assert sorted(upgraded) == sorted(each.address for each in snapshot.estate.instances if each.wave is not None)


def test_waves_in_words_keeps_hostile_names_harmless(file: Path, tmp_path: Path) -> None:
    done = assessor("waves", file, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Wave 1: " in done.stdout
    assert "\x1b" not in done.stdout
    assert "Not read" in done.stdout
