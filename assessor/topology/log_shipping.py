"""Log shipping: the connections from primaries and secondaries to a monitor on another server.

    primary   → monitor   the backup job reports there
    secondary → monitor   the copy and restore jobs report there

The secondary fetches backups over the file share, so it opens no connection to the primary. A monitor on the member
itself is no edge. Source: catalog reference E; 2025 reference 3, from "About log shipping", 2026-02-23.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from assessor.clients.options import ConnectionOptions, parse_provider_string
from assessor.collect.inventory import Inventory, LogShippingPrimary, LogShippingSecondary
from assessor.topology.dialling import dial
from assessor.topology.edges import Edge, EdgeKind, LogShippingRole
from assessor.topology.left_out import LeftOut
from assessor.topology.nodes import NodeIndex, local_host_of

_FIRST_WITH_OPTIONS = 17
SECONDARY_OPTIONS_GAP = "no published page says where a secondary on 2025 keeps the options of its link to the monitor"
NO_TABLE_GAP = "the log-shipping tables of this instance were not read, so the options of its link are not known"


def partner_names(inventory: Inventory) -> Iterator[str]:
    """Every text by which log shipping names another server."""
    for shipped in inventory.shipped:
        yield from filter(None, (shipped.monitor, *shipped.secondaries))
    for received in inventory.received:
        yield from filter(None, (received.monitor, received.primary))
    yield from (member.server for member in inventory.monitored)


def log_shipping_edges(inventories: Sequence[Inventory], index: NodeIndex) -> tuple[list[Edge], list[LeftOut]]:
    """All edges to monitors, still without ids, and members that report somewhere without being in the estate."""
    collected = [inventory for inventory in inventories if inventory.identity is not None]
    edges = [edge for inventory in collected for edge in _own_edges(inventory, index)]
    left_out: list[LeftOut] = []
    for inventory in collected:
        for edge_or_hint in _hearsay(inventory, index, {each.instance: each for each in inventories}, edges):
            if isinstance(edge_or_hint, Edge):
                edges.append(edge_or_hint)
            else:
                left_out.append(edge_or_hint)
    return edges, list(dict.fromkeys(left_out))


def _own_edges(inventory: Inventory, index: NodeIndex) -> Iterator[Edge]:
    by_monitor: dict[tuple[str, str | None], list[LogShippingPrimary]] = defaultdict(list)
    for shipped in inventory.shipped:
        if shipped.monitor and shipped.monitor.strip():
            by_monitor[shipped.monitor, shipped.monitor_options].append(shipped)
    for (monitor, text), databases in by_monitor.items():
        detail = f"ships {', '.join(each.database for each in databases)}; the backup job reports to the monitor"
        own = {each.primary_options for each in databases if each.primary_options}
        if own:
            detail += f"; to its own instance: {', '.join(sorted(own))}"
        options = parse_provider_string(text)
        edge = _edge(inventory, index, LogShippingRole.PRIMARY, monitor, detail, options, None)
        if edge is not None:
            yield edge
    received_for: dict[str, list[LogShippingSecondary]] = defaultdict(list)
    for received in inventory.received:
        if received.monitor and received.monitor.strip():
            received_for[received.monitor].append(received)
    assert inventory.identity is not None
    has_options = inventory.identity.major_version >= _FIRST_WITH_OPTIONS
    for monitor, rows in received_for.items():
        databases_text = ", ".join(dict.fromkeys(f"{row.primary_database} from {row.primary}" for row in rows))
        detail = (
            f"receives {databases_text}; the copy and restore jobs report to the monitor; the backups come over the "
            "file share, not over a connection to the primary"
        )
        edge = _edge(
            inventory,
            index,
            LogShippingRole.SECONDARY,
            monitor,
            detail,
            None if has_options else ConnectionOptions(),
            SECONDARY_OPTIONS_GAP if has_options else None,
        )
        if edge is not None:
            yield edge


def _edge(
    inventory: Inventory,
    index: NodeIndex,
    role: LogShippingRole,
    monitor: str,
    detail: str,
    options: ConnectionOptions | None,
    options_gap: str | None,
) -> Edge | None:
    local_host = local_host_of(inventory.instance, inventory)
    target = index.name_of_text(monitor, local_host)
    if target == inventory.instance:
        return None
    dialled = dial(monitor, local_host)
    return Edge(
        id="",
        source=inventory.instance,
        kind=EdgeKind.LOG_SHIPPING,
        name=monitor,
        target=target,
        dialled=dialled.source,
        provider=None,
        product=None,
        options=options,
        options_gap=options_gap,
        endpoint=dialled.endpoint,
        endpoint_gap=dialled.gap,
        role=role,
        detail=detail,
        in_availability_group=bool(inventory.in_availability_group),
    )


def _hearsay(
    seen_at: Inventory, index: NodeIndex, by_address: dict[str, Inventory], edges: Sequence[Edge]
) -> Iterator[Edge | LeftOut]:
    """What a monitor says of its members, and a primary of its secondaries."""
    local_host = local_host_of(seen_at.instance, seen_at)
    assert seen_at.identity is not None
    own_name = seen_at.identity.registered_name or seen_at.identity.server_name
    told: dict[tuple[str, LogShippingRole], tuple[str, list[str]]] = {}
    for member in seen_at.monitored:
        role = LogShippingRole.PRIMARY if member.is_primary else LogShippingRole.SECONDARY
        node = index.name_of_text(member.server, local_host)
        told.setdefault((node, role), (member.server, []))[1].append(member.database)
    for (node, role), (name, databases) in told.items():
        query = "log_shipping_primaries" if role is LogShippingRole.PRIMARY else "log_shipping_secondaries"
        there = by_address.get(node)
        if node == seen_at.instance or any(
            (edge.source, edge.target, edge.role) == (node, seen_at.instance, role) for edge in edges
        ):
            continue
        if there is not None and there.identity is not None and there.lacks(query) is not None:
            detail = f"by the monitor's own rows, for {', '.join(databases)}"
            edge = _edge(there, index, role, own_name, detail, None, NO_TABLE_GAP)
            if edge is not None:
                yield edge
        elif there is None:
            yield _outside(seen_at, name, f"it reports to {seen_at.instance} as its log-shipping monitor")
        elif there.identity is not None:
            yield LeftOut(
                seen_at.instance,
                EdgeKind.LOG_SHIPPING,
                name,
                "a monitor row names it, and it has no log shipping of that kind to this monitor itself; probably a leftover",
            )
    for shipped in seen_at.shipped:
        if not shipped.monitor or index.name_of_text(shipped.monitor, local_host) == seen_at.instance:
            continue
        for secondary in shipped.secondaries:
            if not index.is_in_estate(index.name_of_text(secondary, local_host)):
                yield _outside(seen_at, secondary, f"it receives {shipped.database} and reports to {shipped.monitor}")


def _outside(seen_at: Inventory, name: str, what: str) -> LeftOut:
    reason = f"{what}, and is not in the estate file; add it to have the edge assessed"
    return LeftOut(seen_at.instance, EdgeKind.LOG_SHIPPING, name, reason)
