"""Availability groups: what the cluster and the replicas connect to, and which dialled names are listeners.

A listener leads to whichever replica is primary, so that a definition which dials one stands only if every replica's
certificate covers the listener's name: each replica is one more server that the edge must reach. With
``ApplicationIntent=ReadOnly`` the listener sends the session on to a host of its own name. Replicas talk to each
other by the database mirroring endpoint, which is not TDS.
Source: catalog reference F; 2025 reference 4.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from assessor.clients.options import ConnectionOptions, parse_provider_string
from assessor.collect.inventory import AvailabilityGroup, AvailabilityReplica, Inventory
from assessor.names import BadDataSource, is_ip_address, parse_data_source
from assessor.topology.dialling import dial
from assessor.topology.edges import AlsoDialled, AvailabilityRole, Edge, EdgeKind
from assessor.topology.left_out import LeftOut
from assessor.topology.nodes import NodeIndex, local_host_of

NOT_TDS: Final = "database mirroring endpoints encrypt by themselves and do not speak TDS"
NOTHING_TO_JUDGE: Final = "the cluster trusts the certificate by default, so the endpoint does not decide anything"
FCI_OPTIONS_GAP: Final = "no bundled query reads the cluster connection options of a failover cluster instance"
_FIRST_WITH_OPTIONS: Final = 17
_URL: Final = re.compile(r"tcp://(?P<host>\[[^\]]+\]|[^:/\[\]]+):(?P<port>\d{1,5})/?", re.IGNORECASE)


def partner_names(inventory: Inventory) -> Iterator[str]:
    """Every text by which groups name another server."""
    for group in inventory.availability_groups:
        if not group.is_distributed:
            yield from (replica.server_name for replica in group.replicas)


def availability_edges(inventories: Sequence[Inventory], index: NodeIndex) -> tuple[list[Edge], list[LeftOut]]:
    """Cluster connections and data movement, still without ids; and what a contained group keeps to itself."""
    edges: list[Edge] = []
    left_out: list[LeftOut] = []
    for inventory in inventories:
        if inventory.identity is None:
            continue
        edges += _cluster_edges(inventory)
        edges += _data_movement(inventory, index)
        for group in inventory.availability_groups:
            if group.is_contained:
                reason = (
                    "a contained availability group has a master and msdb of its own: its linked servers and jobs are "
                    "seen through its listener only; run an assessment of the listener's address, too"
                )
                left_out.append(LeftOut(inventory.instance, EdgeKind.AVAILABILITY_GROUP, group.name, reason))
    return edges, left_out


def _cluster_edges(inventory: Inventory) -> Iterator[Edge]:
    identity = inventory.identity
    assert identity is not None
    if identity.platform == "Linux":
        return
    for group in inventory.availability_groups:
        if not group.is_distributed and group.cluster_type in (None, "WSFC"):
            options = parse_provider_string(group.cluster_options)
            yield _cluster_edge(inventory, group.name, f"availability group {group.name}", options, None)
    if identity.is_clustered:
        known = identity.major_version < _FIRST_WITH_OPTIONS
        yield _cluster_edge(
            inventory,
            identity.server_name,
            "failover cluster instance",
            ConnectionOptions() if known else None,
            None if known else FCI_OPTIONS_GAP,
        )


def _cluster_edge(
    inventory: Inventory, name: str, detail: str, options: ConnectionOptions | None, options_gap: str | None
) -> Edge:
    dialled = dial(inventory.instance, local_host_of(inventory.instance, inventory))
    is_judged = options is not None and options.has_text
    return Edge(
        id="",
        source=inventory.instance,
        kind=EdgeKind.AVAILABILITY_GROUP,
        name=name,
        target=inventory.instance,
        dialled=dialled.source if is_judged else None,
        provider=None,
        product=None,
        options=options,
        options_gap=options_gap,
        endpoint=dialled.endpoint if is_judged else None,
        endpoint_gap=dialled.gap if is_judged else NOTHING_TO_JUDGE,
        role=AvailabilityRole.CLUSTER_CONNECTION,
        detail=f"{detail}: the cluster's own connection to this instance",
        in_availability_group=bool(inventory.in_availability_group),
    )


def _data_movement(inventory: Inventory, index: NodeIndex) -> Iterator[Edge]:
    local_host = local_host_of(inventory.instance, inventory)
    own_groups = {group.name.lower() for group in inventory.availability_groups}
    for group in inventory.availability_groups:
        for other in group.replicas:
            if group.is_distributed and other.server_name.lower() in own_groups:
                continue  # replicas of a distributed group are groups, and this one is ours
            target = other.server_name if group.is_distributed else index.name_of_text(other.server_name, local_host)
            if target == inventory.instance:
                continue
            yield without_tds(
                inventory,
                EdgeKind.AVAILABILITY_GROUP,
                AvailabilityRole.DATA_MOVEMENT,
                other.server_name,
                target,
                f"{'distributed ' if group.is_distributed else ''}group {group.name}: {other.endpoint_url or 'no URL known'}",
            )


def without_tds(
    inventory: Inventory, kind: EdgeKind, role: AvailabilityRole, name: str, target: str, detail: str
) -> Edge:
    """An edge between database mirroring endpoints: drawn, so that nobody looks for it, and never probed."""
    return Edge(
        id="",
        source=inventory.instance,
        kind=kind,
        name=name,
        target=target,
        dialled=None,
        provider=None,
        product=None,
        options=None,
        options_gap=NOT_TDS,
        endpoint_gap=NOT_TDS,
        role=role,
        detail=detail,
        in_availability_group=bool(inventory.in_availability_group),
    )


# ---------------------------------------------------------------------------------------------- listeners


@dataclass(slots=True)
class _Listener:
    dns_name: str
    groups: list[AvailabilityGroup]
    replicas: dict[str, tuple[AvailabilityReplica, str]]  #: by name in lower case, with the local host of who told
    domains: set[str]


@dataclass(slots=True)
class ListenerIndex:
    """Tells which dialled names are listeners, and what else an edge that dials one has to reach."""

    _index: NodeIndex
    _by_name: dict[str, list[_Listener]] = field(default_factory=dict)
    _blind: list[Inventory] = field(default_factory=list)  #: may have listeners that we could not see

    @classmethod
    def build(cls, inventories: Sequence[Inventory], index: NodeIndex) -> ListenerIndex:
        """Index every listener that any instance knows of."""
        made = cls(index)
        for inventory in inventories:
            if inventory.identity is None:
                continue
            domain = _domain_of(inventory)
            if _may_have_hidden_listeners(inventory):
                made._blind.append(inventory)
            local_host = local_host_of(inventory.instance, inventory)
            for group in inventory.availability_groups:
                for listener in group.listeners:
                    found = made._listener(listener.dns_name, group)
                    found.domains |= {domain} - {""}
                    for replica in group.replicas if not group.is_distributed else ():
                        found.replicas.setdefault(replica.server_name.lower(), (replica, local_host))
        return made

    def _listener(self, dns_name: str, group: AvailabilityGroup) -> _Listener:
        known = self._by_name.setdefault(dns_name.partition(".")[0].lower(), [])
        for each in known:
            if any(other.name.lower() == group.name.lower() for other in each.groups):
                each.groups.append(group)
                return each
        known.append(_Listener(dns_name, [group], {}, set()))
        return known[-1]

    def widen(self, edge: Edge, source: Inventory | None) -> Edge:
        """The edge with every further server that its definition may lead to."""
        if edge.dialled is None or edge.endpoint is None:
            return edge
        also = [*self._behind_listener(edge), *_failover_partner(edge, source)]
        also = [
            each for each in also if (each.endpoint, each.host.lower()) != (edge.endpoint, edge.dialled.host.lower())
        ]
        if not also:
            return edge
        names = ", ".join(dict.fromkeys(each.who for each in also))
        detail = f"{edge.detail}; also leads to {names}" if edge.detail else f"also leads to {names}"
        return replace(edge, also=(*edge.also, *dict.fromkeys(also)), detail=detail)

    def _behind_listener(self, edge: Edge) -> Iterator[AlsoDialled]:
        assert edge.dialled is not None
        host = edge.dialled.host
        short, _, domain = host.lower().rstrip(".").partition(".")
        fits = [
            each for each in self._by_name.get(short, ()) if not domain or not each.domains or domain in each.domains
        ]
        if not fits or is_ip_address(host):
            yield from self._doubt(edge, domain)
            return
        for listener in fits:
            if not listener.replicas:
                gap = f"{host} is the listener {listener.dns_name}, and the replicas of its group are not known"
                yield AlsoDialled("replicas that could not be seen", host, None, gap)
            for replica, local_host in listener.replicas.values():
                yield self._replica(replica, local_host, host)
            if edge.options is not None and edge.options.read_only_intent:
                yield from _routed(listener)

    def _replica(self, replica: AvailabilityReplica, local_host: str, dialled: str) -> AlsoDialled:
        node = self._index.name_of_text(replica.server_name, local_host)
        address = node if self._index.is_in_estate(node) else replica.server_name
        found = dial(address, local_host)
        return AlsoDialled(f"replica {replica.server_name}", dialled, found.endpoint, found.gap)

    def _doubt(self, edge: Edge, domain: str) -> Iterator[AlsoDialled]:
        """A name outside the estate that may be a listener of a group which we were not let see."""
        assert edge.dialled is not None
        if self._index.is_in_estate(edge.target) or edge.dialled.is_local or is_ip_address(edge.dialled.host):
            return
        for blind in self._blind:
            if not domain or _domain_of(blind) in ("", domain):
                gap = (
                    f"{edge.dialled.host} may be a listener of an availability group on {blind.instance}, whose listeners "
                    "our login may not see: grant VIEW ANY DEFINITION there"
                )
                yield AlsoDialled("replicas that could not be seen", edge.dialled.host, None, gap)
                return


def _routed(listener: _Listener) -> Iterator[AlsoDialled]:
    """Where sessions with read-only intent are sent: the name in the URL is matched against that host's certificate."""
    listed = {name.lower() for group in listener.groups for name in group.read_only_routed}
    for replica, local_host in listener.replicas.values():
        if replica.read_only_url is None or (listed and replica.server_name.lower() not in listed):
            continue
        who = f"read-only routing to {replica.server_name}"
        url = _URL.fullmatch(replica.read_only_url.strip())
        if url is None:
            gap = f"the read-only routing URL of {replica.server_name} is no TCP://host:port"
            yield AlsoDialled(who, replica.server_name, None, gap)
            continue
        host = url["host"].strip("[]")
        found = dial(f"{host},{url['port']}", local_host)
        yield AlsoDialled(who, host, found.endpoint, found.gap)


def _failover_partner(edge: Edge, source: Inventory | None) -> Iterator[AlsoDialled]:
    """The second name of a mirrored database, as the definition states it."""
    partner = edge.options.failover_partner if edge.options is not None else None
    if partner is None:
        return
    found = dial(partner, local_host_of(edge.source, source))
    host = found.source.host if found.source is not None else partner
    yield AlsoDialled(f"failover partner {partner}", host, found.endpoint, found.gap)


def _may_have_hidden_listeners(inventory: Inventory) -> bool:
    if inventory.in_availability_group is False:
        return False
    return inventory.lacks("availability_listeners") is not None


def _domain_of(inventory: Inventory) -> str:
    domain = inventory.identity.domain if inventory.identity is not None else None
    if domain:
        return domain.lower()
    try:
        host = parse_data_source(inventory.instance).host
    except BadDataSource:
        return ""
    return "" if is_ip_address(host) else host.partition(".")[2].lower()


def endpoint_of_url(url: str) -> tuple[str, int] | None:
    """Host and port of ``TCP://host:port``; ``None`` for anything else."""
    found = _URL.fullmatch(url.strip())
    return (found["host"].strip("[]"), int(found["port"])) if found is not None else None
