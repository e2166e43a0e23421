"""Replication agents as their job steps tell of them: whom each calls, and what it says about encryption.

A step's command line overrides what replication's tables suggest (catalog reference D.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assessor.collect.inventory import AgentProfile, Inventory, ReplicationAgent
from assessor.topology.edges import AgentSwitches, ReplicationRole

#: The roles of an agent by its subsystem, in lower case. A queue reader's partners stand in the subscriptions only.
ROLES = {
    "logreader": ReplicationRole.LOG_READER_AGENT,
    "snapshot": ReplicationRole.SNAPSHOT_AGENT,
    "distribution": ReplicationRole.DISTRIBUTION_AGENT,
    "merge": ReplicationRole.MERGE_AGENT,
    "queuereader": ReplicationRole.QUEUE_READER_AGENT,
}


def role_of(agent: ReplicationAgent) -> ReplicationRole | None:
    """The conversation that an agent leads; ``None`` for a subsystem that is no replication agent."""
    return ROLES.get(agent.subsystem.lower())


def called_by(agent: ReplicationAgent) -> Iterator[str]:
    """The servers that an agent connects to by its command line, its own among them (2025 reference 2.3)."""
    match role_of(agent):
        case ReplicationRole.LOG_READER_AGENT | ReplicationRole.SNAPSHOT_AGENT:
            named: tuple[str | None, ...] = (agent.publisher,)
        case ReplicationRole.DISTRIBUTION_AGENT:
            named = (agent.subscriber, agent.distributor)
        case ReplicationRole.MERGE_AGENT:
            named = (agent.publisher, agent.subscriber, agent.distributor)
        case _:
            return
    yield from (name for name in named if name and name.strip())


def switches_of(agent: ReplicationAgent, distributor: Inventory | None) -> AgentSwitches:
    """What an agent says about encryption: its step, else the profile that its distributor keeps for it."""
    if agent.encryption_level is not None:
        return AgentSwitches(agent.job, agent.encryption_level, "job step")
    if distributor is None or distributor.identity is None or distributor.lacks("agent_profiles") is not None:
        return AgentSwitches(agent.job, None, "nowhere", profile_known=False)
    profiles = [each for each in distributor.agent_profiles if _is_of(each, agent)]
    levels = {each.encryption_level for each in profiles}
    if not profiles:
        return AgentSwitches(agent.job, None, "nowhere")
    if len(levels) > 1 or None in levels:
        return AgentSwitches(agent.job, None, "nowhere", profile_known=False)
    return AgentSwitches(agent.job, levels.pop(), f"profile {profiles[0].profile}")


def _is_of(profile: AgentProfile, agent: ReplicationAgent) -> bool:
    if profile.subsystem.lower() != agent.subsystem.lower():
        return False
    if profile.agent.lower() == agent.job.lower():
        return True
    pairs = (
        (profile.publisher_database, agent.publisher_database),
        (profile.publication, agent.publication),
        (profile.subscriber_database, agent.subscriber_database),
    )
    return agent.publisher_database is not None and all(
        left is None or right is None or left.lower() in ("all", right.lower()) for left, right in pairs
    )


def in_words(agent: ReplicationAgent, switches: AgentSwitches, way: str, host: str | None) -> str:
    """What people want to know of an agent: what it serves, where its job runs, and its encryption level."""
    serves = ": ".join(filter(None, (agent.publisher_database, agent.publication)))
    level = f"-EncryptionLevel {switches.level} ({switches.stated_in})" if switches.level is not None else ""
    job = f"job {agent.job}" + (f" on {host}" if host else "") + (" (disabled)" if agent.is_enabled is False else "")
    about = ", ".join(filter(None, (way, job, level)))
    return f"{serves} ({about})" if serves else about


def steps_with(agents: Sequence[ReplicationAgent], role: ReplicationRole) -> Iterator[ReplicationAgent]:
    """The agents of one role."""
    return (agent for agent in agents if role_of(agent) is role)
