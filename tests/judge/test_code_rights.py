"""A login that loses a right learns less: verdicts move only towards *not assessed*, and no edge goes without a gap."""

from __future__ import annotations

from typing import Any

import pytest

from assessor.collect.inventory import Inventory
from assessor.judge.judge import Case, judge_edges
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import EncryptionAnswer, Evidence, TlsSession
from assessor.snapshot import AssessedEdge
from assessor.topology.build import build_edges
from tests.collect.scripted import Script, collect, database, denied, healthy
from tests.collect.test_code import link, piece, step

from . import cases

DATABASES = [database("Sales")]
REPLIES: dict[Any, Any] = {
    **healthy(16),
    "databases": DATABASES,
    "linked_servers": [link("FIN")],
    "feature_settings": [
        {"is_polybase_installed": 1, "ad_hoc_distributed_queries": 0, "polybase_network_encryption": 0}
    ],
    ("external_data_sources", "Sales"): [{"name": "Src", "type_desc": "NONE", "location": "sqlserver://fin01"}],
    ("module_texts", "Sales"): [
        piece("SELECT * FROM OPENROWSET('MSOLEDBSQL', 'Server=fin01', 'q'); SELECT * FROM FIN.a.b.c")
    ],
    ("remote_synonyms", "Sales"): [{"schema_name": "dbo", "synonym_name": "s", "base_object_name": "FIN.a.b.c"}],
    "job_steps": [
        step("sqlcmd -S fin01"),
        step("Invoke-Sqlcmd -ServerInstance fin01", "PowerShell", step_id=2),
        step("bcp a.dbo.b out c -T -S fin01 -u", step_id=3),
    ],
    "master_server": [{"originating_server": "fin01", "is_master": 1}],
    "msx_encryption": [{"msx_encrypt_channel_options": 1}],
}
RIGHTS = [
    "feature_settings",
    "external_data_sources",
    "module_texts",
    "remote_synonyms",
    "remote_dependencies",
    "job_steps",
    "master_server",
    "target_servers",
    "msx_encryption",
    "module_last_runs",
    "databases",
    "linked_servers",
    "network_settings",
    "trace_flags",
]


def judge(inventory: Inventory, chain: tuple[str, ...]) -> dict[str, AssessedEdge]:
    edges = build_edges([inventory], ["SQL01"]).edges
    session = TlsSession("TLSv1.2", "cipher", None, chain)
    endpoints = {edge.endpoint for edge in edges if edge.endpoint is not None}
    trust = cases.store(cases.root())
    case = Case(
        inventories={"SQL01": inventory},
        waves={"SQL01": 1},
        stores={"SQL01": trust},
        default_store=trust,
        evidence={
            each.id: Evidence(each, "probe", cases.TODAY, encryption=EncryptionAnswer.OFF, tls=session)
            for each in endpoints
        },
        today=cases.TODAY,
        upgrade_date=cases.UPGRADE,
        horizon_days=90,
    )
    return {edge.id: edge for edge in judge_edges(edges, case)}


def without(right: str) -> Inventory:
    replies = {
        key: value
        for key, value in REPLIES.items()
        if key != right and not (isinstance(key, tuple) and key[0] == right)
    }
    replies[right] = denied(229)
    if right == "network_settings":
        replies["network_settings_registry"] = denied(229)
    return collect(Script(replies))


@pytest.mark.parametrize("chain", [cases.fallback(), cases.leaf("fin01")], ids=["fallback", "valid"])
@pytest.mark.parametrize("right", RIGHTS)
def test_a_right_that_is_taken_away_moves_verdicts_only_towards_not_assessed(
    right: str, chain: tuple[str, ...]
) -> None:
    whole = judge(collect(Script(REPLIES)), chain)
    assert len(whole) == 8
    inventory = without(right)
    left = judge(inventory, chain)
    assert left.keys() <= whole.keys()
    for edge in left.values():
        assert edge.verdict in (whole[edge.id].verdict, VerdictKind.NOT_ASSESSED), edge.id
    if left.keys() != whole.keys():
        assert any(gap.hides_edges for gap in inventory.gaps)
    used = {each.id for each in left.values() if len(each.used_by) < len(whole[each.id].used_by)}
    assert all(left[each].is_usage_whole is False for each in used)


def test_the_whole_has_a_use_of_each_kind() -> None:
    whole = judge(collect(Script(REPLIES)), cases.fallback())
    (fin,) = [edge for edge in whole.values() if edge.name == "FIN"]
    assert len(fin.used_by) == 2
    assert fin.is_usage_whole is True
