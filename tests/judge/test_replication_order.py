"""Versions of publishers, distributors and subscribers at every step of the plan: RP-03, RP-04, RP-05."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assessor.collect.inventory import Identity, Inventory
from assessor.judge.findings import Severity, UpgradeFinding
from assessor.judge.replication_order import broken_rule, replication_order_findings, versions_seen
from assessor.topology.replication_pairs import ReplicationPair
from tests.judge.cases import Given


def findings(
    pair: ReplicationPair, versions: dict[str, int], waves: dict[str, int | None], seen: dict[str, int] | None = None
) -> tuple[UpgradeFinding, ...]:
    inventories = {
        name: Inventory(name, Identity(name, name, name, name, None, f"{major}.0.1.1", None, 3, "Windows", None))
        for name, major in versions.items()
    }
    return replication_order_findings([pair], inventories, waves, seen or {})


def distributor() -> ReplicationPair:
    return ReplicationPair("PUB", "DIST", "distributor", "")


def subscriber(kind: str = "transactional", **facts: bool) -> ReplicationPair:
    return ReplicationPair("PUB", "SUB", "subscriber", kind, detail="Sales: Orders", **facts)


# --- the matrix, pair by pair -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("publisher", "partner", "rule"),
    [(15, 15, None), (15, 17, None), (16, 17, None), (17, 17, None), (17, 16, "RP-03"), (16, 15, "RP-03"),
     (14, 17, "RP-05"), (13, 17, "RP-05"), (12, 17, "RP-05"), (14, 16, None)],
)  # fmt: skip
def test_a_publisher_and_its_distributor(publisher: int, partner: int, rule: str | None) -> None:
    assert broken_rule("distributor", "", publisher, partner) == rule


@pytest.mark.parametrize(
    ("kind", "publisher", "partner", "rule"),
    [("transactional", 17, 15, None), ("transactional", 17, 14, "RP-04"), ("transactional", 15, 17, None),
     ("transactional", 14, 17, "RP-04"), ("snapshot", 13, 16, "RP-04"), ("transactional", 13, 15, None),
     ("merge", 17, 11, None), ("merge", 16, 17, "RP-04"), ("transactional", 11, 13, None)],
)  # fmt: skip
def test_a_publisher_and_its_subscriber(kind: str, publisher: int, partner: int, rule: str | None) -> None:
    assert broken_rule("subscriber", kind, publisher, partner) == rule


# --- the plan, step by step ---------------------------------------------------------------------------------


def test_a_publisher_that_goes_before_its_distributor_blocks_the_plan() -> None:
    (finding,) = findings(distributor(), {"PUB": 15, "DIST": 15}, {"PUB": 1, "DIST": 2})
    assert (finding.rule, finding.severity, finding.instance) == ("RP-03", Severity.BLOCKS, "PUB")
    assert "after wave 1: publisher 2025, distributor 2019" in finding.message
    assert "wave 2" not in finding.message
    assert "DIST" in finding.subject
    assert any("replication-backward-compatibility" in source for source in finding.sources)


def test_distributor_first_is_fine_from_2019_on_and_outside_the_matrix_before() -> None:
    assert findings(distributor(), {"PUB": 15, "DIST": 15}, {"PUB": 2, "DIST": 1}) == ()
    (finding,) = findings(distributor(), {"PUB": 14, "DIST": 15}, {"PUB": 2, "DIST": 1})
    assert (finding.rule, finding.severity) == ("RP-05", Severity.CHANGES)
    assert "disagrees with itself" in finding.message


def test_one_wave_for_all_leaves_nothing_to_report() -> None:
    assert findings(distributor(), {"PUB": 13, "DIST": 13}, {"PUB": 1, "DIST": 1}) == ()


def test_a_subscriber_that_is_left_behind_is_reported_for_as_long_as_it_lasts_but_once() -> None:
    (finding,) = findings(subscriber(), {"PUB": 13, "SUB": 13, "X": 13}, {"PUB": 1, "SUB": 3, "X": 2})
    assert finding.rule == "RP-04"
    assert finding.message.count("publisher 2025") == 1


def test_a_pair_that_the_plan_does_not_touch_is_not_its_business() -> None:
    assert findings(distributor(), {"PUB": 17, "DIST": 15, "X": 13}, {"PUB": None, "DIST": None, "X": 1}) == ()


def test_what_is_unsupported_today_is_said_to_be_so() -> None:
    (finding,) = findings(distributor(), {"PUB": 16, "DIST": 15}, {"PUB": 1, "DIST": 1})
    assert finding.severity is Severity.NOTE
    assert "so today already" in finding.message


def test_an_unknown_version_is_not_taken_for_a_fitting_one() -> None:
    (finding,) = findings(subscriber(), {"PUB": 15}, {"PUB": 1})
    assert finding.severity is Severity.UNKNOWN
    assert "SUB" in finding.message


def test_a_server_outside_the_estate_counts_with_the_version_that_it_told_the_probe() -> None:
    (finding,) = findings(subscriber(), {"PUB": 15}, {"PUB": 1}, seen={"SUB": 13})
    assert finding.severity is Severity.BLOCKS


def test_a_publisher_outside_the_estate_is_reported_at_its_partner() -> None:
    (finding,) = findings(distributor(), {"DIST": 15}, {"DIST": 1}, seen={"PUB": 13})
    assert finding.instance == "DIST"
    assert finding.subject.startswith("publisher PUB")


def test_the_merge_matrix_has_no_row_with_2025() -> None:
    (finding,) = findings(subscriber("merge"), {"PUB": 15, "SUB": 15}, {"PUB": 1, "SUB": 2})
    assert finding.severity is Severity.NOTE
    assert "no row with 2025" in finding.message


def test_peers_and_updating_subscribers_have_no_published_rolling_order() -> None:
    peers = findings(subscriber("peer_to_peer"), {"PUB": 15, "SUB": 15}, {"PUB": 1, "SUB": 1})
    updating = findings(subscriber(is_updating=True), {"PUB": 15, "SUB": 15}, {"PUB": 1, "SUB": 1})
    assert [each.severity for each in (*peers, *updating)] == [Severity.NOTE, Severity.NOTE]


def test_a_newer_subscriber_of_an_unknown_kind_of_publication_is_left_open() -> None:
    (finding,) = findings(subscriber(""), {"PUB": 15, "SUB": 15}, {"PUB": None, "SUB": 1})
    assert finding.severity is Severity.UNKNOWN


def test_the_probe_tells_versions_by_node() -> None:
    given = Given()
    evidence = given.evidence()
    told = replace(evidence, server_version="16.0.4135")
    assert versions_seen([given.edge()], {told.endpoint.id: told}) == {given.edge().target: 16}
    assert versions_seen([given.edge()], {}) == {}
