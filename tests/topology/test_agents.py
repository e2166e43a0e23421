"""Replication agents' job steps: whom each calls, at which encryption level, and that they override the tables."""

from __future__ import annotations

from typing import Any

from assessor.collect.inventory import (
    AgentProfile,
    Gap,
    GapKind,
    Inventory,
    Publisher,
    RedirectedPublisher,
    ReplicationAgent,
    Subscriber,
)
from assessor.probe.evidence import Endpoint
from assessor.topology.build import build_edges
from assessor.topology.edges import AgentSwitches, Edge, EdgeKind, ReplicationRole

from .inventories import inventory
from .test_replication import publisher, subscription

LOG, SNAPSHOT, DISTRIBUTION, MERGE, QUEUE = (
    ReplicationRole.LOG_READER_AGENT,
    ReplicationRole.SNAPSHOT_AGENT,
    ReplicationRole.DISTRIBUTION_AGENT,
    ReplicationRole.MERGE_AGENT,
    ReplicationRole.QUEUE_READER_AGENT,
)


def agent(subsystem: str = "Distribution", **said: Any) -> ReplicationAgent:
    facts: dict[str, Any] = {
        "job": "PUB01-Sales-1",
        "is_enabled": True,
        "subsystem": subsystem,
        "command": "-Continuous",
        "publisher": "PUB01",
        "publisher_database": "Sales",
        "publication": "Orders",
        "distributor": "DIST01",
    }
    if subsystem in ("Distribution", "Merge"):
        facts |= {"subscriber": "SUB01", "subscriber_database": "SalesCopy"}
    return ReplicationAgent(**(facts | said))


def distributor(*agents: ReplicationAgent, **facts: Any) -> Inventory:
    facts.setdefault("publishers", (Publisher("PUB01", "distribution", True),))
    return inventory("dist01", replication_agents=agents, **facts)


def edges(*inventories: Inventory, role: ReplicationRole) -> list[Edge]:
    found = build_edges(inventories, [each.instance for each in inventories])
    return [edge for edge in found.edges if edge.kind is EdgeKind.REPLICATION and edge.role is role]


def test_each_subsystem_calls_the_servers_that_its_command_line_names() -> None:
    every = distributor(agent("LogReader"), agent("Snapshot"), agent("Distribution"), agent("Merge"))
    called = {role: [edge.target for edge in edges(every, role=role)] for role in (LOG, SNAPSHOT, DISTRIBUTION, MERGE)}
    assert called == {LOG: ["PUB01"], SNAPSHOT: ["PUB01"], DISTRIBUTION: ["SUB01"], MERGE: ["PUB01", "SUB01"]}


def test_a_pull_agent_runs_at_the_subscriber_and_calls_the_distributor() -> None:
    (edge,) = edges(inventory("sub01", replication_agents=(agent(encryption_level=2),)), role=DISTRIBUTION)
    assert (edge.source, edge.target) == ("sub01", "DIST01")
    assert edge.detail == "Sales: Orders (pull, job PUB01-Sales-1 on SUB01, -EncryptionLevel 2 (job step))"


def test_the_name_in_the_step_is_the_one_that_is_dialled_and_the_tables_add_no_second_edge() -> None:
    step = agent(subscriber="sub01.corp.example,1450")
    source = publisher("transactional", subscription())
    sub01 = inventory("sub01,1450")
    (edge,) = [
        each
        for each in edges(source, distributor(step), sub01, role=DISTRIBUTION)
        if each.name.startswith("sub01.corp")
    ]
    assert edge.endpoint == Endpoint("sub01.corp.example", 1450)
    assert edge.agent == AgentSwitches("PUB01-Sales-1", None, "nowhere")


def test_a_step_and_the_tables_that_mean_one_server_are_one_edge() -> None:
    source = publisher("transactional", subscription())
    (edge,) = edges(source, distributor(agent()), role=DISTRIBUTION)
    assert edge.agent is not None
    assert edge.detail == "Sales: Orders (push, job PUB01-Sales-1 on DIST01)"


def test_two_agents_that_call_one_server_at_different_levels_are_two_edges() -> None:
    found = edges(distributor(agent(), agent(job="second", encryption_level=2)), role=DISTRIBUTION)
    assert [edge.agent.level for edge in found if edge.agent] == [None, 2]
    assert len({edge.id for edge in found}) == 2


def test_without_job_steps_the_tables_are_all_there_is_and_the_switches_are_unknown() -> None:
    (edge,) = edges(publisher("transactional", subscription()), distributor(), role=DISTRIBUTION)
    assert edge.agent is None
    assert edge.options_gap is not None
    assert "job step" in edge.options_gap


def test_from_level_2_on_the_agents_own_server_is_one_more_that_must_hold() -> None:
    (edge,) = edges(distributor(agent(encryption_level=2)), role=DISTRIBUTION)
    (own,) = edge.also
    assert (own.who, own.host, own.endpoint) == ("the agent's own server DIST01", "DIST01", Endpoint("dist01", 1433))
    (lax,) = edges(distributor(agent(encryption_level=1)), role=DISTRIBUTION)
    assert lax.also == ()


def profile(level: int | None = 2, agent_name: str = "PUB01-Sales-1") -> AgentProfile:
    return AgentProfile(
        "distribution", "Distribution", agent_name, "Sales", "Orders", "SalesCopy", "Strict agents", level
    )


def test_a_silent_step_has_the_level_of_its_profile_and_a_level_in_the_step_beats_it() -> None:
    (edge,) = edges(distributor(agent(), agent_profiles=(profile(),)), role=DISTRIBUTION)
    assert edge.agent == AgentSwitches("PUB01-Sales-1", 2, "profile Strict agents")
    (edge,) = edges(distributor(agent(encryption_level=0), agent_profiles=(profile(),)), role=DISTRIBUTION)
    assert edge.agent == AgentSwitches("PUB01-Sales-1", 0, "job step")


def test_the_profile_of_a_pull_agent_stands_at_its_distributor() -> None:
    pulled = inventory("sub01", replication_agents=(agent(job="on the subscriber"),))
    (edge,) = edges(pulled, distributor(agent_profiles=(profile(),)), role=DISTRIBUTION)
    assert edge.agent is not None
    assert edge.agent.level == 2


def test_a_profile_that_could_not_be_read_leaves_the_level_unknown_and_not_unstated() -> None:
    gap = Gap("agent_profiles", GapKind.REFUSED, "Msg 229", "x")
    (edge,) = edges(distributor(agent(), gaps=(gap,)), role=DISTRIBUTION)
    assert edge.agent is not None
    assert not edge.agent.profile_known


def test_a_redirected_publisher_is_reached_through_its_listener() -> None:
    redirected = RedirectedPublisher("distribution", "PUB01", "Sales", "pub-listener")
    found = edges(distributor(agent("LogReader"), redirected=(redirected,)), role=LOG)
    assert {edge.target for edge in found} == {"PUB01", "pub-listener"}


def test_the_queue_reader_calls_both_ends_of_a_queued_subscription() -> None:
    held = Subscriber("SalesCopy", "PUB01", "Sales", "Orders", True, False, is_queued=True)
    sub01 = inventory("sub01", subscribers=(held,))
    found = edges(publisher("transactional", subscription()), distributor(), sub01, role=QUEUE)
    assert {(edge.source, edge.target) for edge in found} == {("dist01", "pub01"), ("dist01", "sub01")}
