"""From rows to what is known of replication agents and of the distributor's own settings. Pure."""

from __future__ import annotations

from assessor.clients.agent_command import encryption_level, parse_agent_command
from assessor.collect.inventory import AgentProfile, DistributorProperty, RedirectedPublisher, ReplicationAgent
from assessor.collect.rows import Row, Table

#: Characters of a command that the query asks for: a longer one was cut, so that a switch may be missing.
COMMAND_LIMIT = 4000


def is_cut(row: Row) -> bool:
    """The command of a job step may be longer than what was read of it."""
    return len(row.text("command") or "") >= COMMAND_LIMIT


def agents_of(table: Table) -> tuple[ReplicationAgent, ...]:
    """The agents whose whole command line was read, with nothing of it kept that could be secret."""
    return tuple(_agent(row) for row in table if row.text("command") and not is_cut(row))


def _agent(row: Row) -> ReplicationAgent:
    command = parse_agent_command(row.text("command") or "")
    return ReplicationAgent(
        job=row.required("job_name"),
        is_enabled=row.flag("enabled"),
        subsystem=row.required("subsystem"),
        command=command.shown,
        publisher=command.publisher,
        publisher_database=command.publisher_database,
        publication=command.publication,
        subscriber=command.subscriber,
        subscriber_database=command.subscriber_database,
        distributor=command.distributor,
        encryption_level=command.encryption_level,
    )


def profiles_of(database: str, table: Table) -> tuple[AgentProfile, ...]:
    """The agents of a distribution database whose profile states an encryption level."""
    return tuple(
        AgentProfile(
            distribution_database=database,
            subsystem=row.required("subsystem"),
            agent=row.required("agent_name"),
            publisher_database=row.text("publisher_db"),
            publication=row.text("publication"),
            subscriber_database=row.text("subscriber_db"),
            profile=row.required("profile_name"),
            encryption_level=encryption_level(row.text("value")),
        )
        for row in table
    )


def properties_of(table: Table) -> tuple[DistributorProperty, ...]:
    """The security properties that are set; one that has no row has its documented default."""
    return tuple(DistributorProperty(row.required("property"), row.text("value")) for row in table)


def redirected_of(database: str, table: Table) -> tuple[RedirectedPublisher, ...]:
    """The publishers whose agents connect to a listener instead."""
    return tuple(
        RedirectedPublisher(
            database,
            row.required("original_publisher"),
            row.required("publisher_db"),
            row.required("redirected_publisher"),
        )
        for row in table
    )
