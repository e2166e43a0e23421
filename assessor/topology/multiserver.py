"""Multiserver jobs: the Agent of each target server (TSX) polls the master (MSX), so the edge leads from target to master.

Source: catalog reference H; rule JB-04.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assessor.collect.inventory import Inventory, MasterServer
from assessor.topology.dialling import dial
from assessor.topology.edges import Edge, EdgeKind
from assessor.topology.left_out import LeftOut
from assessor.topology.nodes import NodeIndex, local_host_of


def multiserver_edges(inventories: Sequence[Inventory], index: NodeIndex) -> tuple[list[Edge], list[LeftOut]]:
    """The edges that targets know of, then those that only a master knows of."""
    edges = [
        _edge(inventory, inventory.master_server, index)
        for inventory in inventories
        if inventory.master_server is not None
    ]
    drawn = {(edge.source, edge.target) for edge in edges}
    by_address = {inventory.instance: inventory for inventory in inventories}
    left_out: list[LeftOut] = []
    for master in inventories:
        for name in _target_names(master):
            address = index.name_of_text(name, local_host_of(master.instance, master))
            target = by_address.get(address)
            if target is None:
                left_out.append(
                    LeftOut(
                        master.instance,
                        EdgeKind.MULTISERVER,
                        name,
                        "its Agent polls this master, but it is not among the collected instances; add it to the estate file",
                    )
                )
            elif (address, master.instance) not in drawn:
                edges.append(_edge(target, MasterServer(_own_name(master), None), index))
    return edges, left_out


def _target_names(master: Inventory) -> Iterator[str]:
    yield from (target.name for target in master.target_servers)


def _own_name(master: Inventory) -> str:
    return master.identity.server_name if master.identity else master.instance


def _edge(inventory: Inventory, master: MasterServer, index: NodeIndex) -> Edge:
    local_host = local_host_of(inventory.instance, inventory)
    dialled = dial(master.name, local_host)
    return Edge(
        id="",
        source=inventory.instance,
        kind=EdgeKind.MULTISERVER,
        name=master.name,
        target=index.name_of(dialled.source, local_host) if dialled.source else master.name,
        dialled=dialled.source,
        provider=None,
        product=None,
        options=None,
        options_gap="MsxEncryptChannelOptions decides instead",
        endpoint=dialled.endpoint,
        endpoint_gap=dialled.gap,
        detail="multiserver jobs: this target server polls its master",
        in_availability_group=bool(inventory.in_availability_group),
        msx_encrypt_channel=master.encrypt_channel,
    )


def partner_names(inventory: Inventory) -> Iterator[str]:
    """What this instance's multiserver tables call other servers."""
    yield from _target_names(inventory)
    if inventory.master_server is not None:
        yield inventory.master_server.name
