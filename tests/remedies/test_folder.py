"""The folder: every file for review, sanitised names, a README in order, whole or not at all."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots_by_hand import edge, hostile, snapshot

from assessor.atomic import write_folder
from assessor.errors import OutputError, UsageError
from assessor.remedies.folder import README, file_slug, remedy_files
from assessor.remedies.ladder import Change
from assessor.snapshot import Snapshot
from tests.remedies.test_actions import certificate, root, trust
from tests.remedies.test_tsql import OPTIONS

SOURCE = "sql01.corp.example"


def estate() -> Snapshot:
    base = snapshot()
    row = replace(base.inventories[0].linked_servers[0], options=OPTIONS, product="")
    first = replace(base.inventories[0], linked_servers=(row,))
    remedies = (certificate("sql02.corp.example"), root(SOURCE), replace(trust(SOURCE, "SQL02"), setting="Encrypt=yes"))
    made = edge("SQL02", target="sql02.corp.example", remedies=remedies)
    return replace(base, inventories=(first, *base.inventories[1:]), edges=(made,))


def paths(run: Snapshot, **options: object) -> list[str]:
    return [file.path for file in remedy_files(run, **options)]  # type: ignore[arg-type]


def test_the_readme_comes_first_and_links_every_file() -> None:
    files = remedy_files(estate())
    assert files[0].path == README
    readme = files[0].data.decode("utf-8")
    assert re.findall(r"\]\(([^)]+)\)", readme) == [file.path for file in files[1:]]


def test_an_insecure_override_is_an_alternative_with_its_price_and_left_out_on_demand() -> None:
    insecure = [path for path in paths(estate()) if "trust-server-certificate" in path]
    assert insecure
    assert all(path.startswith("alternatives/") for path in insecure)
    readme = remedy_files(estate())[0].data.decode("utf-8")
    assert readme.index("NOT SECURE") > readme.index("## Alternatives")
    assert not [path for path in paths(estate(), secure_only=True) if "trust-server-certificate" in path]
    assert "NOT SECURE" not in remedy_files(estate(), secure_only=True)[0].data.decode("utf-8")


@pytest.mark.parametrize("wanted", ["sql02", "SQL02.corp.example"])
def test_only_limits_the_files_to_one_server(wanted: str) -> None:
    assert {path.rpartition(".")[2] for path in paths(estate(), only=wanted)} == {"md", "inf", "cnf"}


def test_only_with_a_server_that_needs_nothing_names_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"sql01\.corp\.example, sql02\.corp\.example"):
        paths(estate(), only="nobody")


def test_a_definition_that_was_not_read_is_listed_with_the_reason() -> None:
    run = snapshot(edges=(edge("GONE", remedies=(trust(SOURCE, "GONE"),)),))
    assert paths(run) == [README]
    assert "was not read" in remedy_files(run)[0].data.decode("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("sql01.corp.example", "sql01.corp.example"), ("CON", "server-"), ("../../etc", "etc-"), ("", "server-")],
)
def test_a_file_name_says_the_server_where_it_can(text: str, expected: str) -> None:
    assert file_slug(text).startswith(expected)


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(), max_size=80), st.text(st.characters(), max_size=80))
def test_file_names_are_safe_everywhere_and_tell_texts_apart(one: str, other: str) -> None:
    slug = file_slug(one)
    assert re.fullmatch(r"[a-z0-9_-]([a-z0-9._-]*[a-z0-9_-])?", slug)
    assert len(slug) <= 60
    assert not re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", slug)
    if one.lower() != other.lower():
        assert slug != file_slug(other)


def test_hostile_names_leave_no_markup_and_no_odd_path() -> None:
    base = hostile()
    edges = tuple(
        replace(each, remedies=(certificate(each.target), root(each.source), trust(each.source, each.name)))
        for each in base.edges
    )
    files = remedy_files(replace(base, edges=edges))
    for file in files:
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", file.path)
        assert ".." not in file.path.split("/")
    readme = files[0].data.decode("utf-8")
    assert "<script" not in readme
    assert "\x1b" not in readme
    assert not re.search(r"(?<!\\)\[link=", readme)


def test_the_folder_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert write_folder(target, {"a/b.sql": b"1", "README.md": b"2"}) is None
    assert (target / "a" / "b.sql").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_taken_and_a_full_one_refused(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    write_folder(target, {"x": b"1"})
    with pytest.raises(OutputError, match="not empty"):
        write_folder(target, {"y": b"2"})
    assert [path.name for path in target.iterdir()] == ["x"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_forced_it_keeps_what_was_there_under_a_new_name(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write_folder(target, {"x": b"1"})
    assert write_folder(target, {"x": b"2"}, keep_old=True) == tmp_path / "out.1"
    assert write_folder(target, {"x": b"3"}, keep_old=True) == tmp_path / "out.2"
    assert [(tmp_path / name / "x").read_bytes() for name in ("out", "out.1", "out.2")] == [b"3", b"1", b"2"]


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(OutputError):
        write_folder(target, {"x": b"1", "x/y": b"a file is no folder"})
    assert list(tmp_path.iterdir()) == []


def test_a_file_or_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(OutputError, match="not a folder"):
            write_folder(tmp_path / name, {"x": b"1"})
    with pytest.raises(OutputError, match="there is no folder"):
        write_folder(tmp_path / "none" / "out", {"x": b"1"})


def test_a_root_that_the_servers_did_not_send_has_to_come_from_pki() -> None:
    files = {file.path.rpartition("/")[2]: file.data.decode("utf-8-sig") for file in remedy_files(estate())}
    assert "$CertificateFile" in files["trust.ps1"]
    assert "FromBase64String" not in files["trust.ps1"]
    assert "-Confirm" in files["trust.undo.ps1"]


def test_a_definition_that_dials_an_address_gets_a_script_that_dials_the_name() -> None:
    run = estate()
    made = replace(run.edges[0], data_source="10.0.0.2", remedies=(certificate("sql02.corp.example"),))
    row = replace(run.inventories[0].linked_servers[0], data_source="tcp:10.0.0.2,1433")
    first = replace(run.inventories[0], linked_servers=(row,))
    files = remedy_files(replace(run, edges=(made,), inventories=(first, *run.inventories[1:])))
    (script,) = [file.data.decode("utf-8-sig") for file in files if re.search(r"dial-1-.*/sql02\.sql$", file.path)]
    assert "@datasrc nvarchar(4000) = N'tcp:sql02.corp.example,1433'" in script


def test_kinds_without_a_script_are_listed_all_the_same() -> None:
    remedy = replace(certificate("sql02"), change=Change.TRACE_FLAG)
    readme = remedy_files(snapshot(edges=(edge("A", remedies=(remedy,)),)))[0].data.decode("utf-8")
    assert "### 1. Install a CA certificate on sql02" in readme
