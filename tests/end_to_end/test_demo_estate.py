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


def test_replication_has_a_remote_distributor_push_and_pull_and_all_four_types(snapshot: Snapshot) -> None:
    drawn = {(edge.role, edge.source.split(".")[0]) for edge in snapshot.edges if edge.kind is EdgeKind.REPLICATION}
    assert drawn == {
        (ReplicationRole.DISTRIBUTOR_LINK, "sales01"),
        (ReplicationRole.LOG_READER_AGENT, "repl01"),
        (ReplicationRole.SNAPSHOT_AGENT, "repl01"),
        (ReplicationRole.DISTRIBUTION_AGENT, "repl01"),
        (ReplicationRole.DISTRIBUTION_AGENT, "wms01"),
        (ReplicationRole.DISTRIBUTION_AGENT, "mfg01"),
        (ReplicationRole.MERGE_AGENT, "fin01"),
        (ReplicationRole.IMMEDIATE_UPDATING, "STORES01\\POS"),
    }
    kinds = {publication.kind for found in snapshot.inventories for publication in found.publications}
    assert kinds == {"transactional", "snapshot", "merge", "peer_to_peer"}
    assert snapshot.gaps == (), "no entry of replication is left unexplained"


def verdict_of(snapshot: Snapshot, source: str, name: str, role: str | None = None) -> VerdictKind:
    (edge,) = [
        edge for edge in snapshot.edges if edge.source.startswith(source) and edge.name == name and edge.role == role
    ]
    return edge.verdict


def test_an_agent_that_verifies_fails_today_and_its_neighbours_stay_open_or_work(snapshot: Snapshot) -> None:
    assert verdict_of(snapshot, "wms01", "REPL01", "distribution_agent") is VerdictKind.FAILS_TODAY
    assert verdict_of(snapshot, "repl01", "MFG01", "distribution_agent") is VerdictKind.NOT_ASSESSED
    assert verdict_of(snapshot, "repl01", "DW01", "distribution_agent") is VerdictKind.WORKS


def test_the_waves_leave_what_replication_supports(snapshot: Snapshot) -> None:
    found = {(finding.rule, finding.instance.split(".")[0]) for finding in snapshot.findings}
    assert {("RP-04", "sales01"), ("RP-05", "sales01")} <= found


def test_log_shipping_reports_to_monitors_good_and_bad(snapshot: Snapshot) -> None:
    assert verdict_of(snapshot, "fin01", "MON01", "primary_to_monitor") is VerdictKind.WORKS
    assert verdict_of(snapshot, "rpt01", "MON01", "secondary_to_monitor") is VerdictKind.WORKS
    assert verdict_of(snapshot, "hr01", "LEGACY01", "primary_to_monitor") is VerdictKind.NOT_ASSESSED
    assert verdict_of(snapshot, "legacy01", "MON01", "primary_to_monitor") is VerdictKind.NOT_AFFECTED


def test_a_listener_breaks_because_of_the_node_that_is_not_primary_today(snapshot: Snapshot) -> None:
    edge = next(edge for edge in snapshot.edges if edge.name == "CRM")
    assert edge.verdict is VerdictKind.BREAKS
    assert "CRM02" in edge.reasons[0]
    assert set(edge.also_endpoints) == {"crm01.corp.northgate.example,1433", "crm02.corp.northgate.example,1433"}
    routed = next(edge for edge in snapshot.edges if edge.name == "CRM_READ")
    assert "read-only routing to CRM02" in routed.detail


def test_clusters_mirrors_and_failover_partners_are_there(snapshot: Snapshot) -> None:
    assert verdict_of(snapshot, "crm01", "CRM", "cluster_connection") is VerdictKind.NOT_AFFECTED
    assert verdict_of(snapshot, "rpt01", "DW01", "partner") is VerdictKind.NOT_AFFECTED
    (mirrored,) = [edge for edge in snapshot.edges if "failover partner" in edge.detail]
    assert mirrored.also_endpoints == ("dw01,1433",)


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


def test_connections_without_a_definition_are_shown_with_believable_verdicts(snapshot: Snapshot) -> None:
    kinds = (EdgeKind.EXTERNAL_DATA_SOURCE, EdgeKind.AD_HOC, EdgeKind.JOB_STEP, EdgeKind.MULTISERVER)
    shown = {(edge.kind, edge.name): edge.verdict for edge in snapshot.edges if edge.kind in kinds}
    assert Counter(edge.kind for edge in snapshot.edges if edge.kind in kinds) == {
        EdgeKind.EXTERNAL_DATA_SOURCE: 5,
        EdgeKind.AD_HOC: 4,
        EdgeKind.JOB_STEP: 9,
        EdgeKind.MULTISERVER: 2,
    }
    assert shown[EdgeKind.EXTERNAL_DATA_SOURCE, "Warehouse.Tills"] is VerdictKind.BREAKS
    assert shown[EdgeKind.EXTERNAL_DATA_SOURCE, "Warehouse.Ledger"] is VerdictKind.WORKS
    assert shown[EdgeKind.AD_HOC, "Orders.dbo.usp_TillRates: OPENROWSET"] is VerdictKind.BREAKS
    assert shown[EdgeKind.AD_HOC, "Warehouse.dbo.usp_OldPayrollFeed: OPENROWSET"] is VerdictKind.FAILS_TODAY
    assert shown[EdgeKind.JOB_STEP, "Old haulier export, step 1: sqlcmd"] is VerdictKind.WORKS_INSECURELY
    assert shown[EdgeKind.JOB_STEP, "Load marketing, step 1: dtexec"] is VerdictKind.NOT_ASSESSED
    assert shown[EdgeKind.JOB_STEP, "syspolicy_purge_history, step 3: sqlps"] is VerdictKind.BREAKS


def test_what_uses_a_linked_server_is_shown(snapshot: Snapshot) -> None:
    (fin,) = [edge for edge in snapshot.edges if edge.name == "FIN" and edge.source.startswith("sales01")]
    assert [(usage.kind.value, usage.name) for usage in fin.used_by] == [
        ("job_step", "Post to ledger, step 1"),
        ("module", "dbo.usp_PostToLedger"),
        ("synonym", "dbo.LedgerEntries"),
    ]
    assert fin.is_usage_whole is True
