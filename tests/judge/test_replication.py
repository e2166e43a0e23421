"""The verdict on replication's connections: RP-01, RP-02, RP-08, and what stays open about the agents."""

from __future__ import annotations

from assessor.collect.inventory import TraceFlag
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.ladder import RemedyId
from assessor.topology.edges import EdgeKind, ReplicationRole
from tests.judge.cases import HOST, Given, leaf, root

LINK = Given(kind=EdgeKind.REPLICATION, role=ReplicationRole.DISTRIBUTOR_LINK, provider="SQLNCLI")
AGENT = Given(kind=EdgeKind.REPLICATION, role=ReplicationRole.DISTRIBUTION_AGENT)


def test_a_publishers_link_to_a_distributor_with_its_own_certificate_breaks_while_data_flows() -> None:
    edge = LINK.judged()
    assert edge.verdict is VerdictKind.BREAKS
    assert {"RP-01", "RP-02"} <= set(edge.rules)
    assert any("Data keeps flowing" in reason for reason in edge.reasons)


def test_its_overrides_are_distributor_properties_and_only_for_after_the_upgrade() -> None:
    overrides = [remedy for remedy in LINK.judged().remedies if not remedy.is_secure]
    assert [remedy.id for remedy in overrides] == [RemedyId.TRUST]
    assert overrides[0].only_after_upgrade
    assert "sp_changedistributor_property" in overrides[0].detail


def test_a_wrong_name_can_be_named_in_a_distributor_property() -> None:
    edge = LINK.but(chain=leaf("dist's.corp.example"), trusts=(root(),)).judged()
    named = next(remedy for remedy in edge.remedies if remedy.id is RemedyId.HOST_NAME)
    assert "N'dist''s.corp.example'" in named.detail


def test_in_an_availability_group_every_node_needs_the_property() -> None:
    assert "RP-08" in LINK.but(in_availability_group=True).judged().rules


def test_a_valid_distributor_certificate_settles_it() -> None:
    assert LINK.but(chain=leaf(HOST), trusts=(root(),)).judged().verdict is VerdictKind.WORKS


def test_trace_flag_17600_is_not_known_to_cover_the_hidden_link() -> None:
    edge = LINK.but(trace_flags=(TraceFlag(17600, True, True),)).judged()
    assert edge.verdict is VerdictKind.NOT_ASSESSED


def test_an_agent_with_an_invalid_certificate_is_left_open_because_the_pages_disagree() -> None:
    edge = AGENT.judged()
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert "disagree" in edge.reasons[0]


def test_an_agent_with_a_valid_certificate_works_by_either_page() -> None:
    assert AGENT.but(chain=leaf(HOST), trusts=(root(),)).judged().verdict is VerdictKind.WORKS


def test_a_source_that_is_not_upgraded_is_not_affected() -> None:
    assert LINK.but(wave=None).judged().verdict is VerdictKind.NOT_AFFECTED
