"""The verdict on replication's connections: RP-01, RP-02, RP-08, and what stays open about the agents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assessor.collect.inventory import ClientFlags, DistributorProperty, TraceFlag
from assessor.judge.judge import judge_edges
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.ladder import RemedyId
from assessor.snapshot import AssessedEdge
from assessor.topology.edges import AgentSwitches, EdgeKind, ReplicationRole
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


# --- what an agent's own switches decide --------------------------------------------------------------------


def agent_at(given: Given, level: int | None, *, known: bool = True) -> AssessedEdge:
    switches = AgentSwitches("the job", level, "job step" if level is not None else "nowhere", profile_known=known)
    return judge_edges([replace(given.edge(), agent=switches)], given.case())[0]


def test_level_2_verifies_before_and_after_so_a_bad_certificate_fails_today() -> None:
    edge = agent_at(AGENT, 2)
    assert edge.verdict is VerdictKind.FAILS_TODAY
    assert edge.rules == ("RP-06",)
    assert any("-EncryptionLevel 2" in reason for reason in edge.reasons)
    assert {remedy.id for remedy in edge.remedies} <= {RemedyId.CERTIFICATE, RemedyId.IMPORT_SELF_SIGNED}


def test_level_2_with_a_valid_certificate_works() -> None:
    assert agent_at(AGENT.but(chain=leaf(HOST), trusts=(root(),)), 2).verdict is VerdictKind.WORKS


def test_level_2_with_a_certificate_that_ends_before_the_upgrade_breaks() -> None:
    edge = agent_at(AGENT.but(chain=leaf(HOST, ends=10), trusts=(root(),)), 2)
    assert edge.verdict is VerdictKind.BREAKS


def test_a_short_name_at_level_2_may_be_mended_by_an_alias_that_nobody_sees() -> None:
    short = AGENT.but(data_source="sql01", chain=leaf(HOST), trusts=(root(),))
    edge = agent_at(short, 2)
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert "alias" in edge.reasons[0]
    other = agent_at(short.but(chain=leaf("sql99.corp.example")), 2)
    assert other.verdict is VerdictKind.FAILS_TODAY


def test_level_1_leaves_the_question_open_whether_driver_19_skips_the_issuer() -> None:
    edge = agent_at(AGENT, 1)
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert edge.rules == ("RP-06",)
    assert "Flag2" in edge.reasons[0]
    assert agent_at(AGENT.but(chain=leaf(HOST), trusts=(root(),)), 1).verdict is VerdictKind.WORKS


@pytest.mark.parametrize("level", [3, 4])
def test_levels_3_and_4_need_a_sender_on_2025(level: int) -> None:
    edge = agent_at(AGENT.but(chain=leaf(HOST), trusts=(root(),)), level)
    assert edge.verdict is VerdictKind.NOT_ASSESSED


def test_level_4_needs_tls_1_3_at_the_partner() -> None:
    new = AGENT.but(version="17.0.1000.7", chain=leaf(HOST), trusts=(root(),))
    assert agent_at(new, 4).verdict is VerdictKind.NOT_ASSESSED
    assert agent_at(new.but(strict=True), 4).verdict is VerdictKind.WORKS


def test_level_3_is_not_enforced_towards_sql_server() -> None:
    assert agent_at(AGENT.but(version="17.0.1000.7"), 3).verdict is VerdictKind.NOT_ASSESSED


@pytest.mark.parametrize("known", [True, False])
def test_a_level_that_is_not_stated_or_not_known_is_told(known: bool) -> None:
    edge = agent_at(AGENT.but(chain=leaf(HOST), trusts=(root(),)), None, known=known)
    assert edge.verdict is VerdictKind.WORKS
    assert any(("default is not published" if known else "not known") in text for text in edge.assumptions)


def test_on_2025_an_agent_whose_switches_are_unknown_might_ask_for_tls_1_3() -> None:
    new = AGENT.but(version="17.0.1000.7", chain=leaf(HOST), trusts=(root(),))
    assert agent_at(new, None, known=False).verdict is VerdictKind.NOT_ASSESSED
    assert agent_at(new, None).verdict is VerdictKind.WORKS


# --- a publisher on 2025 already ----------------------------------------------------------------------------


def link_with(given: Given, *properties: DistributorProperty | None) -> AssessedEdge:
    case = given.case()
    known = None if None in properties else tuple(each for each in properties if each is not None)
    source = replace(case.inventories["SRC"], distributor_properties=known)
    return judge_edges([given.edge()], replace(case, inventories={"SRC": source}))[0]


ON_2025 = LINK.but(version="17.0.1000.7", wave=None)
TRUST = DistributorProperty("trust_distributor_certificate", "yes")


def test_properties_that_were_not_read_leave_the_link_open_even_with_a_valid_certificate() -> None:
    edge = link_with(ON_2025.but(chain=leaf(HOST), trusts=(root(),)), None)
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert any("MSdistributor" in text for text in edge.missing)


def test_without_properties_the_defaults_hold() -> None:
    assert link_with(ON_2025).verdict is VerdictKind.FAILS_TODAY
    assert link_with(ON_2025.but(chain=leaf(HOST), trusts=(root(),))).verdict is VerdictKind.WORKS


def test_a_host_name_property_mends_the_name() -> None:
    wrong = ON_2025.but(chain=leaf("dist.corp.example"), trusts=(root(),))
    assert link_with(wrong).verdict is VerdictKind.FAILS_TODAY
    named = DistributorProperty("host_name_in_distributor_certificate", "dist.corp.example")
    assert link_with(wrong, named).verdict is VerdictKind.WORKS


def test_trust_counts_with_flag2_and_is_open_without_it() -> None:
    assert link_with(ON_2025.but(flags=ClientFlags(sni19_flag2=1)), TRUST).verdict is VerdictKind.WORKS_INSECURELY
    for flag2 in (0, None):
        edge = link_with(ON_2025.but(flags=ClientFlags(sni19_flag2=flag2)), TRUST)
        assert edge.verdict is VerdictKind.NOT_ASSESSED


def test_a_property_with_a_value_that_nobody_describes_is_not_assessed() -> None:
    odd = DistributorProperty("encrypt_distributor_connection", "perhaps")
    assert link_with(ON_2025.but(chain=leaf(HOST), trusts=(root(),)), odd).verdict is VerdictKind.NOT_ASSESSED


def test_peers_are_publishers_of_their_own() -> None:
    edge = judge_edges([replace(LINK.edge(), detail="Stock: Levels (peer-to-peer)")], LINK.case())[0]
    assert any("Every peer" in reason for reason in edge.reasons)


# --- immediate updating -------------------------------------------------------------------------------------


def test_immediate_updating_is_judged_as_the_linked_server_that_it_is() -> None:
    given = Given(kind=EdgeKind.REPLICATION, role=ReplicationRole.IMMEDIATE_UPDATING)
    edge = given.judged()
    assert edge.verdict is VerdictKind.BREAKS
    assert {"LS-01", "RP-07"} <= set(edge.rules)
    optional = given.but(provider_string="Encrypt=no").judged()
    assert optional.verdict is VerdictKind.WORKS_INSECURELY
