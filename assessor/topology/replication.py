"""Replication: who connects to whom, put together from what publishers, distributors and subscribers each say.

    publisher   → distributor   the engine itself, by the hidden linked server ``repl_distributor``, when remote
    distributor → publisher     log reader, snapshot agent, and the merge agent of a push subscription
    distributor → subscriber    push: distribution or merge agent
    subscriber  → distributor   pull: distribution or merge agent
    subscriber  → publisher     merge agent of a pull subscription; immediate updating, by a linked server

A conversation that several instances know of is one edge. A server that talks to itself is no edge.
Source: catalog reference D.5, from sql-docs ``mslogreader-agents``, ``mssnapshot-agents``, ``mssubscriptions`` and
``mssubscription-properties-transact-sql.md`` (2017-03-14), ``replication-agent-security-model.md`` (2015-10-07) and
``breaking-changes-to-database-engine-features-in-sql-server-2025.md`` (2026-07-02).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assessor.clients.options import ConnectionOptions
from assessor.clients.providers import resolve
from assessor.collect.inventory import (
    DistributedSubscription,
    Inventory,
    LinkedServer,
    Publication,
    ReplicationAgent,
    Subscriber,
    Subscription,
)
from assessor.topology.agents import called_by, in_words, steps_with, switches_of
from assessor.topology.dialling import Dialled, dial, dial_row, dialled_text, options_of
from assessor.topology.edges import AgentSwitches, AlsoDialled, Edge, EdgeKind, ReplicationRole
from assessor.topology.left_out import LeftOut
from assessor.topology.linked_servers import REPL_DISTRIBUTOR, is_local_row, is_replication_entry
from assessor.topology.nodes import NodeIndex, local_host_of

AGENT_OPTIONS_GAP: Final = (
    "a replication agent's own switches (-EncryptionLevel) stand in its job step, which was not read"
)
HIDDEN_LINK_GAP: Final = f"the hidden linked server {REPL_DISTRIBUTOR} is not to be seen with this login"
FIRST_VERIFYING_LEVEL: Final = 2  #: of ``-EncryptionLevel``
NO_LINKED_SERVER_GAP: Final = "the linked server that immediate updating uses is not to be seen with this login"


@dataclass(frozen=True, slots=True)
class _Distributor:
    """Where a publisher's distributor is, as the publisher says it."""

    text: str
    name: str
    node: str
    row: LinkedServer | None


def replication_edges(inventories: Sequence[Inventory], index: NodeIndex) -> tuple[list[Edge], list[LeftOut]]:
    """All replication edges, still without ids, and everything that hints at one which can't be drawn."""
    collected = [inventory for inventory in inventories if inventory.identity is not None]
    conversations = _Conversations(collected, index)
    # First the agents themselves: their command lines override what the tables suggest. Then what an end says of its
    # own conversations, then what others say: hearsay adds no second edge.
    for host in collected:
        conversations.add_agents(host)
    for subscriber in collected:
        conversations.add_pulls(subscriber)
    for publisher in collected:
        conversations.add_publisher(publisher)
    for subscriber in collected:
        conversations.add_subscriber(subscriber)
    for distributor in collected:
        conversations.add_distributor(distributor)
    for inventory in collected:
        conversations.add_unexplained_rows(inventory)
    return conversations.edges(), list(dict.fromkeys(conversations.left_out))


def partner_names(inventory: Inventory) -> Iterator[str]:
    """Every text by which replication names another server, so that all nodes are known beforehand."""
    if inventory.distributor is not None:
        yield inventory.distributor.name
    yield from (publisher.name for publisher in inventory.publishers)
    yield from (publication.distributor for publication in inventory.publications if publication.distributor)
    yield from (subscription.subscriber for subscription in inventory.subscriptions)
    for held in inventory.subscribers:
        yield from filter(None, (held.publisher, held.distributor))
    for served in inventory.distributed:
        yield from (served.publisher, served.subscriber)
    for agent in inventory.replication_agents:
        yield from called_by(agent)
    yield from (redirected.redirected_to for redirected in inventory.redirected)


@dataclass(slots=True)
class _Conversations:
    collected: Sequence[Inventory]
    index: NodeIndex
    left_out: list[LeftOut] = field(default_factory=list)
    _by_address: dict[str, Inventory] = field(init=False)
    _edges: dict[tuple[str, ReplicationRole, str, str], Edge] = field(default_factory=dict)
    _spellings: dict[tuple[str, ReplicationRole, str], list[str]] = field(default_factory=dict)
    _details: dict[tuple[str, ReplicationRole, str, str], list[str]] = field(default_factory=dict)
    _told_by_agents: set[tuple[str, ReplicationRole, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._by_address = {inventory.instance: inventory for inventory in self.collected}

    # ------------------------------------------------------------------ what each instance says

    def add_agents(self, host: Inventory) -> None:
        """Edges that the replication agents in one instance's job steps open by their own command lines."""
        assert host.identity is not None
        order = (
            ReplicationRole.LOG_READER_AGENT,
            ReplicationRole.SNAPSHOT_AGENT,
            ReplicationRole.DISTRIBUTION_AGENT,
            ReplicationRole.MERGE_AGENT,
        )
        for role in order:
            for agent in steps_with(host.replication_agents, role):
                at = (
                    self.index.name_of_text(agent.distributor, _local_host(host))
                    if agent.distributor
                    else host.instance
                )
                switches = switches_of(agent, self._inventory_at(at))
                way = ""
                if role in (ReplicationRole.DISTRIBUTION_AGENT, ReplicationRole.MERGE_AGENT):
                    way = "push" if at == host.instance else "pull"
                machine = host.identity.physical_name or host.identity.machine_name
                detail = in_words(agent, switches, way, machine)
                also = self._own_server(host, agent, switches)
                for partner in called_by(agent):
                    self._add_agent(host.instance, role, partner, detail, host, agent=switches, also=also)

    def _own_server(self, host: Inventory, agent: ReplicationAgent, switches: AgentSwitches) -> tuple[AlsoDialled, ...]:
        """From level 2 on the agent verifies its own server's certificate, too, under the name that it calls it by."""
        if switches.level is None or switches.level < FIRST_VERIFYING_LEVEL:
            return ()
        local_host = _local_host(host)
        named = filter(None, (*called_by(agent), agent.distributor))
        own = next((name for name in named if self.index.name_of_text(name, local_host) == host.instance), None)
        name = own or _server_name(host)
        there = dial(name, local_host)
        # It is found under the address of the estate file, whatever the agent calls it.
        address = dial(host.instance, local_host)
        called = there.source.host if there.source is not None and not there.source.is_local else local_host
        return (AlsoDialled(f"the agent's own server {name}", called, address.endpoint, address.gap),)

    def _add_queue_reader(self, subscriber: Inventory, held: Subscriber, distributor: str, detail: str) -> None:
        """The queue reader, one at the distributor, calls both ends of a queued-updating subscription."""
        source = self.index.name_of_text(distributor, _local_host(subscriber))
        at = self._inventory_at(source)
        steps = list(steps_with(at.replication_agents, ReplicationRole.QUEUE_READER_AGENT)) if at is not None else []
        switches = switches_of(steps[0], at) if steps else None
        for partner in (held.publisher, _server_name(subscriber)):
            role = ReplicationRole.QUEUE_READER_AGENT
            self._add_agent(source, role, partner, detail, subscriber, agent=switches, is_hearsay=True)

    def add_publisher(self, publisher: Inventory) -> None:
        """Edges of one instance's own publications and distributor."""
        here = self._node(publisher)
        distributor = self._distributor_of(publisher)
        roles = _roles_to_publisher(publisher)
        if distributor is None:
            for what in roles.values() or ["its publications"] * publishes(publisher):
                self._leave_out(publisher, "distributor", f"{_unknown_distributor(publisher)}, so no edge for {what}")
        elif distributor.node != here:
            what = ", ".join(dict.fromkeys(roles.values())) or "no publication to be seen"
            self._add_hidden_link(publisher, distributor, what)
            for role, publications in roles.items():
                self._add_agent(distributor.node, role, _server_name(publisher), publications, publisher)
        for subscription in publisher.subscriptions:
            if subscription.subscriber.strip():
                self._add_subscription(publisher, distributor, subscription)

    def add_pulls(self, subscriber: Inventory) -> None:
        """Edges that the pull agents of one instance open, and those of immediate updating."""
        here = self._node(subscriber)
        for held in subscriber.subscribers:
            detail = _detail(held)
            if held.is_immediate_updating:
                self._add_immediate_updating(subscriber, held, detail)
            if held.is_push:
                continue
            role = self._role(held, subscriber)
            if role is ReplicationRole.MERGE_AGENT:
                self._add_agent(here, role, held.publisher, detail, subscriber)
            if held.distributor:
                self._add_agent(here, role, held.distributor, detail, subscriber)

    def add_subscriber(self, subscriber: Inventory) -> None:
        """Edges of the subscriptions that one instance holds, as far as it takes others to know the distributor."""
        here, local_host = self._node(subscriber), _local_host(subscriber)
        for held in subscriber.subscribers:
            if held.distributor and not held.is_push and not held.is_queued:
                continue  # drawn by add_pulls
            detail, role = _detail(held), self._role(held, subscriber)
            distributor = held.distributor or self._distributor_name_for(held, subscriber)
            if distributor is None:
                self._leave_out(
                    subscriber,
                    held.publisher,
                    f"the subscription to {detail} {'is pushed by' if held.is_push else 'pulls from'} the distributor "
                    f"of {held.publisher}, and no instance of the estate says which server that is; add the publisher "
                    f"or its distributor to the estate file",
                )
                continue
            if held.is_queued:
                self._add_queue_reader(subscriber, held, distributor, detail)
            if held.is_push:
                source = self.index.name_of_text(distributor, local_host)
                self._add_agent(source, role, _server_name(subscriber), detail, subscriber, is_hearsay=True)
            else:
                self._add_agent(here, role, distributor, detail, subscriber, is_hearsay=True)

    def add_distributor(self, distributor: Inventory) -> None:
        """Edges between one instance and the publishers and subscribers that it serves."""
        here, local_host = self._node(distributor), _local_host(distributor)
        for registered in distributor.publishers:
            node = self.index.name_of_text(registered.name, local_host)
            if node == here:
                continue
            if registered.is_active is False:
                self._leave_out(distributor, registered.name, f"the publisher {registered.name} is marked as inactive")
                continue
            publisher = self._inventory_at(node)
            served = [each for each in distributor.distributed if each.publisher.lower() == registered.name.lower()]
            detail = "; ".join(dict.fromkeys(map(_detail, served))) or "what it publishes is not known"
            if publisher is None or not _roles_to_publisher(publisher):
                only_merge = bool(served) and all(each.is_merge for each in served)
                role = ReplicationRole.SNAPSHOT_AGENT if only_merge else ReplicationRole.LOG_READER_AGENT
                self._add_agent(here, role, registered.name, detail, distributor, is_hearsay=True)
            if publisher is None:
                role = ReplicationRole.DISTRIBUTOR_LINK
                self._add_agent(node, role, _server_name(distributor), detail, distributor, is_hearsay=True)
        for each in distributor.distributed:
            self._add_distributed(distributor, each)
        for redirected in distributor.redirected:
            detail = f"{redirected.publisher_database}: redirected from {redirected.original}"
            role = ReplicationRole.LOG_READER_AGENT
            self._add_agent(here, role, redirected.redirected_to, detail, distributor)

    def add_unexplained_rows(self, inventory: Inventory) -> None:
        """Report replication's rows of ``sys.servers`` that no edge accounts for."""
        here, local_host = self._node(inventory), _local_host(inventory)
        partners = {edge.target for edge in self._edges.values() if edge.source == here}
        partners |= {edge.source for edge in self._edges.values() if edge.target == here} | {here}
        # A publisher has an entry for each subscriber, though its distributor is the one that dials.
        partners |= {self.index.name_of_text(name, local_host) for name in partner_names(inventory)}
        for row in inventory.linked_servers:
            if is_local_row(row, inventory) or not is_replication_entry(row):
                continue
            if self.index.name_of_text(dialled_text(row) or row.name, local_host) not in partners:
                self._leave_out(
                    inventory,
                    row.name,
                    "an entry that only replication uses, and no publication or subscription accounts for it",
                )

    def edges(self) -> list[Edge]:
        """What was added, with the publications that each edge serves as its detail."""
        return [
            replace(edge, detail="; ".join(_without_repetition(self._details[key])))
            for key, edge in self._edges.items()
        ]

    # ------------------------------------------------------------------ single edges

    def _add_hidden_link(self, publisher: Inventory, distributor: _Distributor, detail: str) -> None:
        local_host, row = _local_host(publisher), distributor.row
        options, options_gap = options_of(row) if row is not None else (None, HIDDEN_LINK_GAP)
        there = self._inventory_at(distributor.node)
        self._add(
            Edge(
                id="",
                source=self._node(publisher),
                kind=EdgeKind.REPLICATION,
                name=distributor.name,
                target=distributor.node,
                dialled=None,
                provider=row.provider if row else None,
                product=row.product if row else None,
                options=options,
                options_gap=options_gap,
                role=ReplicationRole.DISTRIBUTOR_LINK,
                in_availability_group=any(
                    bool(end.in_availability_group) for end in (publisher, there) if end is not None
                ),
            ),
            dial(distributor.text, local_host),
            detail,
        )

    def _add_subscription(
        self, publisher: Inventory, distributor: _Distributor | None, subscription: Subscription
    ) -> None:
        publisher_node, local_host = self._node(publisher), _local_host(publisher)
        subscriber_node = self.index.name_of_text(subscription.subscriber, local_host)
        is_merge = _kind(publisher, subscription.database, subscription.publication) == "merge"
        if is_merge and subscriber_node == publisher_node and subscription.subscriber_database == subscription.database:
            return  # the publisher's own row among the merge subscriptions
        role = ReplicationRole.MERGE_AGENT if is_merge else ReplicationRole.DISTRIBUTION_AGENT
        detail = f"{subscription.database}: {subscription.publication}"
        if is_merge and not subscription.is_push:
            self._add_agent(subscriber_node, role, _server_name(publisher), detail, publisher, is_hearsay=True)
        if distributor is None:
            reason = f"{_unknown_distributor(publisher)}, so no edge for {detail}"
            self._leave_out(publisher, subscription.subscriber, reason)
        elif subscription.is_push:
            row = _row_named(publisher, subscription.subscriber)
            self._add_agent(distributor.node, role, subscription.subscriber, detail, publisher, row=row)
            if is_merge and distributor.node != publisher_node:
                self._add_agent(distributor.node, role, _server_name(publisher), detail, publisher)
        else:
            self._add_agent(subscriber_node, role, distributor.name, detail, publisher, is_hearsay=True)

    def _add_distributed(self, distributor: Inventory, served: DistributedSubscription) -> None:
        if not served.subscriber.strip():
            return
        here, detail = self._node(distributor), _detail(served)
        role = ReplicationRole.MERGE_AGENT if served.is_merge else ReplicationRole.DISTRIBUTION_AGENT
        source = here if served.is_push else self.index.name_of_text(served.subscriber, _local_host(distributor))
        partner = served.subscriber if served.is_push else _server_name(distributor)
        row = _row_named(distributor, served.subscriber) if served.is_push else None
        self._add_agent(source, role, partner, detail, distributor, row=row, is_hearsay=True)
        if served.is_merge:
            self._add_agent(source, role, served.publisher, detail, distributor, is_hearsay=True)

    def _role(self, held: Subscriber, subscriber: Inventory) -> ReplicationRole:
        publisher = self._inventory_at(self.index.name_of_text(held.publisher, _local_host(subscriber)))
        kind = _kind(publisher, held.publisher_database, held.publication) if publisher else None
        return ReplicationRole.MERGE_AGENT if held.is_merge or kind == "merge" else ReplicationRole.DISTRIBUTION_AGENT

    def _add_immediate_updating(self, subscriber: Inventory, held: Subscriber, detail: str) -> None:
        local_host = _local_host(subscriber)
        row = _row_named(subscriber, held.publisher)
        options: ConnectionOptions | None = None
        options_gap: str | None = NO_LINKED_SERVER_GAP
        dialled = dial(held.publisher, local_host)
        if row is not None:
            assert subscriber.identity is not None
            family = resolve(row.provider, row.product, subscriber.identity.major_version)
            dialled = dial_row(row, family, local_host)
            options, options_gap = options_of(row)
        target = (
            self.index.name_of(dialled.source, local_host)
            if dialled.source
            else self.index.name_of_text(held.publisher, local_host)
        )
        if target == self._node(subscriber):
            return
        self._add(
            Edge(
                id="",
                source=self._node(subscriber),
                kind=EdgeKind.REPLICATION,
                name=held.publisher,
                target=target,
                dialled=None,
                provider=row.provider if row else None,
                product=row.product if row else None,
                options=options,
                options_gap=options_gap,
                role=ReplicationRole.IMMEDIATE_UPDATING,
                in_availability_group=bool(subscriber.in_availability_group),
            ),
            dialled,
            detail,
        )

    def _add_agent(
        self,
        source: str,
        role: ReplicationRole,
        partner: str,
        detail: str,
        seen_at: Inventory,
        *,
        row: LinkedServer | None = None,
        agent: AgentSwitches | None = None,
        also: tuple[AlsoDialled, ...] = (),
        is_hearsay: bool = False,
    ) -> None:
        """An edge that ``source`` opens to the server which replication calls ``partner``."""
        at_source = self._inventory_at(source)
        target = self.index.name_of_text(partner, _local_host(seen_at))
        if target == source:
            return
        if not self.index.is_in_estate(source):
            self._leave_out(
                seen_at,
                partner,
                f"{source} opens this connection ({role.value.replace('_', ' ')}: {detail}) and is not in the estate "
                f"file; add it to have the edge assessed",
            )
            return
        is_foreign = row is not None and row.is_nonsql_subscriber
        dialled = (
            Dialled(None, None, "the subscriber is no SQL Server; what its driver dials is not probed")
            if is_foreign
            else dial(partner, local_host_of(source, at_source))
        )
        self._add(
            Edge(
                id="",
                source=source,
                kind=EdgeKind.REPLICATION,
                name=partner,
                target=target,
                dialled=None,
                provider=row.provider if row is not None and is_foreign else None,
                product=row.product if row is not None and is_foreign else None,
                options=None,
                options_gap=_why_no_options(role, agent),
                role=role,
                in_availability_group=bool(at_source and at_source.in_availability_group),
                agent=agent,
                also=also,
            ),
            dialled,
            detail,
            is_hearsay=is_hearsay,
        )

    def _add(self, edge: Edge, dialled: Dialled, detail: str, *, is_hearsay: bool = False) -> None:
        assert isinstance(edge.role, ReplicationRole)
        conversation = (edge.source, edge.role, edge.target)
        spellings = self._spellings.setdefault(conversation, [])
        spelling = _spelling(edge)
        is_hearsay = is_hearsay or (edge.agent is None and conversation in self._told_by_agents)
        if edge.agent is not None and not is_hearsay:
            self._told_by_agents.add(conversation)
        known = (*conversation, spellings[0] if is_hearsay else spelling) if spellings else None
        if known is not None and known not in self._edges:
            known = None
        if known is None:
            spellings.append(spelling)
        key = known or (*conversation, spelling)
        if known is None:
            self._edges[key] = replace(
                edge, dialled=dialled.source, endpoint=dialled.endpoint, endpoint_gap=dialled.gap
            )
        self._details.setdefault(key, []).append(detail)

    # ------------------------------------------------------------------ who is who

    def _distributor_of(self, publisher: Inventory) -> _Distributor | None:
        text = distributor_text(publisher)
        if text is None:
            return None
        named = publisher.distributor.name if publisher.distributor else text
        node = self.index.name_of_text(text, _local_host(publisher))
        return _Distributor(text, named, node, _row_named(publisher, REPL_DISTRIBUTOR))

    def _distributor_name_for(self, held: Subscriber, subscriber: Inventory) -> str | None:
        """The distributor of a subscription, by what the publisher or the distributor itself says."""
        node = self.index.name_of_text(held.publisher, _local_host(subscriber))
        publisher = self._inventory_at(node)
        if publisher is not None:
            distributor = self._distributor_of(publisher)
            if distributor is not None:
                return _server_name(publisher) if distributor.node == node else distributor.name
        for candidate in self.collected:
            for registered in candidate.publishers:
                if self.index.name_of_text(registered.name, _local_host(candidate)) == node:
                    return _server_name(candidate)
        return None

    def _node(self, inventory: Inventory) -> str:
        return inventory.instance

    def _inventory_at(self, node: str) -> Inventory | None:
        return self._by_address.get(node)

    def _leave_out(self, seen_at: Inventory, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(seen_at.instance, EdgeKind.REPLICATION, name, reason))


def _without_repetition(details: Sequence[str]) -> list[str]:
    """What tables say of a publication adds nothing to what an agent's own step says of it."""
    told = list(dict.fromkeys(filter(None, details)))
    return [text for text in told if not any(other.startswith(f"{text} (") for other in told)]


def _spelling(edge: Edge) -> str:
    """Two agents that call a server by one name at different levels are two edges."""
    level = "" if edge.agent is None or edge.agent.level is None else f"\n{edge.agent.level}"
    return edge.name.lower() + level


def _why_no_options(role: ReplicationRole, agent: AgentSwitches | None) -> str:
    if role is ReplicationRole.DISTRIBUTOR_LINK:
        return HIDDEN_LINK_GAP
    return AGENT_OPTIONS_GAP if agent is None else "a replication agent has switches instead of a provider string"


def _roles_to_publisher(publisher: Inventory) -> dict[ReplicationRole, str]:
    """Agents at the distributor that connect to this publisher, each with the publications it serves."""
    served: dict[ReplicationRole, list[str]] = {}
    for publication in publisher.publications:
        peers = " (peer-to-peer)" if publication.kind == "peer_to_peer" else ""
        text = f"{publication.database}: {publication.name}{peers}"
        served.setdefault(_role_to_publisher(publication), []).append(text)
    databases_read = {publication.database for publication in publisher.publications}
    for database in publisher.databases:
        if database.name not in databases_read and database.is_published:
            served.setdefault(ReplicationRole.LOG_READER_AGENT, []).append(f"{database.name}: publications not known")
        if database.name not in databases_read and database.is_merge_published:
            served.setdefault(ReplicationRole.SNAPSHOT_AGENT, []).append(f"{database.name}: publications not known")
    return {role: "; ".join(sorted(publications)) for role, publications in served.items()}


def _role_to_publisher(publication: Publication) -> ReplicationRole:
    # Every publication has a snapshot agent; where a log reader dials the same server it adds nothing.
    if publication.kind in ("snapshot", "merge"):
        return ReplicationRole.SNAPSHOT_AGENT
    return ReplicationRole.LOG_READER_AGENT


def distributor_text(publisher: Inventory) -> str | None:
    """The distributor that an instance publishes through, as it dials it; ``None``: it says of none."""
    row = _row_named(publisher, REPL_DISTRIBUTOR)
    named = publisher.distributor.name if publisher.distributor else None
    merged = next((publication.distributor for publication in publisher.publications if publication.distributor), None)
    return (dialled_text(row) if row is not None else None) or named or merged


def publishes(inventory: Inventory) -> bool:
    """Some database of the instance is published, whether or not its publications could be read."""
    return any(database.is_published or database.is_merge_published for database in inventory.databases)


def _kind(publisher: Inventory, database: str, publication: str) -> str | None:
    wanted = (database.lower(), publication.lower())
    return next(
        (found.kind for found in publisher.publications if (found.database.lower(), found.name.lower()) == wanted), None
    )


def _unknown_distributor(publisher: Inventory) -> str:
    gap = publisher.lacks("distributor")
    because = f" ({gap.message.rstrip('.')})" if gap else ""
    return f"{publisher.instance} publishes, but which server distributes is not known{because}"


def _row_named(inventory: Inventory, name: str) -> LinkedServer | None:
    return next((row for row in inventory.linked_servers if row.name.lower() == name.lower()), None)


def _detail(subscription: Subscriber | DistributedSubscription) -> str:
    return f"{subscription.publisher_database}: {subscription.publication}"


def _server_name(inventory: Inventory) -> str:
    """What replication calls this instance: ``@@SERVERNAME`` (catalog reference D.5)."""
    assert inventory.identity is not None
    return inventory.identity.registered_name or inventory.identity.server_name


def _local_host(inventory: Inventory) -> str:
    return local_host_of(inventory.instance, inventory)
