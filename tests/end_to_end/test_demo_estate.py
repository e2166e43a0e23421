"""The demo estate: big enough to be believed, every verdict in it, and no secret of it in any result."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from assessor.judge.verdicts import VerdictKind
from assessor.shipped import sample_data_dir
from assessor.snapshot import Snapshot
from assessor.topology.edges import EdgeKind, ReplicationRole

CANARY = "Canary-Kestrel-4711"


def test_every_verdict_occurs_several_times(snapshot: Snapshot) -> None:
    verdicts = Counter(edge.verdict for edge in snapshot.edges)
    assert {kind: verdicts[kind] for kind in VerdictKind if verdicts[kind] < 3} == {}


def test_the_estate_is_of_a_size_that_a_dba_recognises(snapshot: Snapshot) -> None:
    assert len(snapshot.estate.instances) >= 12
    assert len(snapshot.edges) >= 45
    versions = {found.identity.major_version for found in snapshot.inventories if found.identity}
    assert {11, 12, 13, 14, 15, 16, 17} <= versions
    assert "Linux" in {found.identity.platform for found in snapshot.inventories if found.identity}


def test_only_the_instance_without_a_login_could_not_be_collected(snapshot: Snapshot) -> None:
    missed = [found.instance for found in snapshot.inventories if found.identity is None]
    assert missed == ["audit01.corp.northgate.example"]


def test_replication_has_a_remote_distributor_push_and_pull(snapshot: Snapshot) -> None:
    drawn = {(edge.role, edge.source.split(".")[0]) for edge in snapshot.edges if edge.kind is EdgeKind.REPLICATION}
    assert drawn == {
        (ReplicationRole.DISTRIBUTOR_LINK, "sales01"),
        (ReplicationRole.LOG_READER_AGENT, "repl01"),
        (ReplicationRole.SNAPSHOT_AGENT, "repl01"),
        (ReplicationRole.DISTRIBUTION_AGENT, "repl01"),
        (ReplicationRole.DISTRIBUTION_AGENT, "wms01"),
    }
    assert snapshot.gaps == (), "no entry of replication is left unexplained"


def test_passwords_in_definitions_are_masked_and_their_names_kept(snapshot: Snapshot) -> None:
    planted = [
        path.name for path in (sample_data_dir() / "instances").glob("*.toml") if CANARY in path.read_text("utf-8")
    ]
    assert len(planted) >= 3, "else this test proves nothing"
    assert CANARY not in repr(snapshot)
    strings = [server.provider_string or "" for found in snapshot.inventories for server in found.linked_servers]
    assert sum("***" in text for text in strings) >= 3


@pytest.mark.parametrize(
    "name",
    [
        '=HYPERLINK("http://oldfs01/menu.hta","Till menu")',
        "<script>alert('scada')</script>",
        "\x1b[31mOLD STAGE\x1b[0m",
    ],
)
def test_hostile_names_arrive_unchanged(snapshot: Snapshot, name: str) -> None:
    assert name in {edge.name for edge in snapshot.edges}


def test_the_upgrade_lies_ahead_whatever_the_day(snapshot: Snapshot) -> None:
    assert 0 < (snapshot.estate.upgrade_date - snapshot.run.started.date()).days <= 90


def test_every_file_of_the_demo_is_part_of_its_story(snapshot: Snapshot) -> None:
    """No emulated server is idle: each is in the estate, or some edge dials it."""
    dialled = {edge.endpoint for edge in snapshot.edges} | {edge.target for edge in snapshot.edges}
    planned = {instance.address for instance in snapshot.estate.instances}
    spoken_of = " ".join(str(name).lower() for name in dialled | planned)
    for path in Path(sample_data_dir() / "instances").glob("*.toml"):
        host = path.read_text("utf-8").split('host = "', 1)[1].split('"', 1)[0]
        assert host.split(".")[0] in spoken_of, path.name
