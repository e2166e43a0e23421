"""The verdict on cluster connections, data movement and mirroring (AG-01), and on edges that lead to several servers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assessor.clients.options import parse_provider_string
from assessor.judge.judge import judge_edges
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import Endpoint, FailureClass
from assessor.snapshot import AssessedEdge
from assessor.topology.edges import AlsoDialled, AvailabilityRole, EdgeKind
from tests.judge.cases import HOST, Given, leaf, root

CLUSTER = Given(kind=EdgeKind.AVAILABILITY_GROUP, provider="", trusts=(root(),))
LISTENER = "aglist.corp.example"
LINK = Given(data_source=LISTENER, chain=leaf(LISTENER), trusts=(root(),))
REPLICA = Endpoint("node2.corp.example", 1433)


# --- AG-01 --------------------------------------------------------------------------------------------------


def cluster(given: Given, options: str | None, *, known: bool = True) -> AssessedEdge:
    edge = replace(
        given.edge(),
        role=AvailabilityRole.CLUSTER_CONNECTION,
        options=parse_provider_string(options) if known else None,
        options_gap=None if known else "not read",
    )
    return judge_edges([edge], given.case())[0]


def test_the_cluster_trusts_by_default_so_nothing_breaks() -> None:
    edge = cluster(CLUSTER, None)
    assert edge.verdict is VerdictKind.NOT_AFFECTED
    assert edge.rules == ("AG-01",)


def test_options_that_do_not_switch_trust_off_work_insecurely() -> None:
    assert cluster(CLUSTER.but(version="17.0.1000.7"), "Encrypt=Mandatory").verdict is VerdictKind.WORKS_INSECURELY


def test_options_that_ask_for_validation_are_judged() -> None:
    strict = CLUSTER.but(version="17.0.1000.7", chain=leaf("other.corp.example"), strict=True)
    named = "Encrypt=Strict;HostNameInCertificate=other.corp.example"
    assert cluster(strict, named).verdict is VerdictKind.WORKS
    assert cluster(strict, "Encrypt=Strict").verdict is VerdictKind.FAILS_TODAY
    validated = "Encrypt=Mandatory;TrustServerCertificate=No"
    assert cluster(strict, validated).verdict is VerdictKind.FAILS_TODAY


@pytest.mark.parametrize(("options", "known"), [(None, False), ("Encrypt=perhaps", True)])
def test_options_that_are_not_known_are_not_assessed(options: str | None, known: bool) -> None:
    assert cluster(CLUSTER, options, known=known).verdict is VerdictKind.NOT_ASSESSED


@pytest.mark.parametrize("kind", [EdgeKind.AVAILABILITY_GROUP, EdgeKind.MIRRORING])
@pytest.mark.parametrize("role", [AvailabilityRole.DATA_MOVEMENT, AvailabilityRole.PARTNER, AvailabilityRole.WITNESS])
def test_mirroring_endpoints_are_not_affected(kind: EdgeKind, role: AvailabilityRole) -> None:
    given = CLUSTER.but(kind=kind, probed=False)
    edge = judge_edges([replace(given.edge(), role=role, options=None)], given.case())[0]
    assert edge.verdict is VerdictKind.NOT_AFFECTED
    assert "no TLS of TDS" in edge.reasons[0]


# --- several servers ----------------------------------------------------------------------------------------


def listener(main: Given, replica: Given | None, *, host: str = LISTENER) -> AssessedEdge:
    """An edge that dials ``main``'s data source and leads to a replica that shows what ``replica`` has."""
    also = AlsoDialled("replica NODE2", host, REPLICA if replica else None, None if replica else "hidden from us")
    case = main.case()
    evidence = dict(case.evidence)
    if replica is not None:
        evidence[REPLICA.id] = replace(replica.evidence(), endpoint=REPLICA)
    return judge_edges([replace(main.edge(), also=(also,))], replace(case, evidence=evidence))[0]


def test_a_listener_stands_when_every_replica_covers_its_name() -> None:
    edge = listener(LINK, LINK)
    assert edge.verdict is VerdictKind.WORKS
    assert edge.also_endpoints == (REPLICA.id,)
    assert any("replica NODE2" in reason for reason in edge.reasons)


def test_one_replica_that_does_not_cover_it_breaks_the_edge_and_is_named() -> None:
    edge = listener(LINK, LINK.but(chain=leaf("node2.corp.example")))
    assert edge.verdict is VerdictKind.BREAKS
    assert "NODE2" in edge.reasons[0]
    assert "not aglist.corp.example" in edge.reasons[0]
    assert edge.rules == ("LS-02",)
    assert any("node2.corp.example" in remedy.title for remedy in edge.remedies)


def test_a_replica_that_is_unknown_leaves_the_edge_open() -> None:
    edge = listener(LINK, None)
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert any("hidden from us" in text for text in edge.missing)
    unreachable = listener(LINK, LINK.but(failure=FailureClass.TIMED_OUT))
    assert unreachable.verdict is VerdictKind.NOT_ASSESSED


def test_an_unknown_replica_does_not_soften_what_breaks_already() -> None:
    assert listener(LINK.but(chain=leaf(HOST)), None).verdict is VerdictKind.BREAKS


def test_a_replica_whose_certificate_ends_soon_lets_the_edge_expire() -> None:
    assert listener(LINK, LINK.but(chain=leaf(LISTENER, ends=60))).verdict is VerdictKind.EXPIRES


def test_an_edge_that_fails_today_is_not_made_to_break() -> None:
    today = LINK.but(provider_string="Encrypt=yes", chain=leaf(HOST))
    edge = listener(today, LINK.but(chain=leaf(HOST)))
    assert edge.verdict is VerdictKind.FAILS_TODAY


def test_a_routed_host_is_matched_under_its_own_name() -> None:
    routed = LINK.but(chain=leaf("node2.corp.example"))
    assert listener(LINK, routed, host="node2.corp.example").verdict is VerdictKind.WORKS
    assert listener(LINK, LINK, host="node2.corp.example").verdict is VerdictKind.BREAKS


def test_a_source_that_is_not_upgraded_needs_no_look_at_replicas() -> None:
    assert listener(LINK.but(wave=None), None).verdict is VerdictKind.NOT_AFFECTED
