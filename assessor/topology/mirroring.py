"""Database mirroring: partner and witness. Both are reached by the database mirroring endpoint, which is not TDS.

Source: catalog reference F (``sys-database-mirroring-transact-sql.md``, 2016-06-10); 2025 reference 4.5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from assessor.collect.inventory import Inventory
from assessor.topology.availability import endpoint_of_url, without_tds
from assessor.topology.edges import AvailabilityRole, Edge, EdgeKind
from assessor.topology.nodes import NodeIndex, local_host_of


def partner_names(inventory: Inventory) -> Iterator[str]:
    """Every text by which mirroring names another server."""
    yield from (mirrored.partner_instance for mirrored in inventory.mirrored if mirrored.partner_instance)


def mirroring_edges(inventories: Sequence[Inventory], index: NodeIndex) -> Iterator[Edge]:
    """One edge, still without an id, for each partner and each witness of an instance."""
    for inventory in inventories:
        local_host = local_host_of(inventory.instance, inventory)
        found: dict[tuple[AvailabilityRole, str], list[str]] = defaultdict(list)
        for mirrored in inventory.mirrored:
            partner = mirrored.partner_instance or _host(mirrored.partner_url)
            if partner is not None:
                found[AvailabilityRole.PARTNER, partner].append(
                    f"{mirrored.database} ({mirrored.partner_url or 'no URL'})"
                )
            witness = _host(mirrored.witness_url)
            if witness is not None:
                found[AvailabilityRole.WITNESS, witness].append(f"{mirrored.database} ({mirrored.witness_url})")
        for (role, name), databases in found.items():
            target = index.name_of_text(name, local_host)
            if target != inventory.instance:
                yield without_tds(inventory, EdgeKind.MIRRORING, role, name, target, ", ".join(databases))


def _host(url: str | None) -> str | None:
    """The host of a mirroring URL; the URL itself where it is none, so that nothing is lost."""
    if url is None:
        return None
    place = endpoint_of_url(url)
    return place[0] if place is not None else url
