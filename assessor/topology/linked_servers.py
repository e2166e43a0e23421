"""Linked servers: rows of ``sys.servers`` that T-SQL can name become edges.

Rows that only replication uses belong to :mod:`assessor.topology.replication`. A row without login mappings is
an edge like any other: mappings say who may use it, not whether it connects.
"""

from __future__ import annotations

from collections.abc import Iterator

from assessor.clients.providers import resolve
from assessor.collect.inventory import Inventory, LinkedServer
from assessor.topology.dialling import dial_row, dialled_text, options_of
from assessor.topology.edges import Edge, EdgeKind
from assessor.topology.nodes import NodeIndex, local_host_of

REPL_DISTRIBUTOR = "repl_distributor"  #: the hidden linked server to the distributor, on every publisher


def is_replication_entry(row: LinkedServer) -> bool:
    """The row exists for replication and can't be named in a query."""
    if row.name.lower() == REPL_DISTRIBUTOR:
        return True
    has_role = row.is_distributor or row.is_publisher or row.is_subscriber or row.is_nonsql_subscriber
    return has_role and not row.is_data_access_enabled


def is_local_row(row: LinkedServer, inventory: Inventory) -> bool:
    """The row describes the instance itself (``server_id`` 0), which connects nowhere.

    Source: catalog reference C.1. A loopback linked server has another name, for names are unique.
    """
    identity = inventory.identity
    if row.is_linked or identity is None:
        return False
    return row.name.lower() in {
        (identity.registered_name or identity.server_name).lower(),
        identity.server_name.lower(),
    }


def linked_server_edges(inventory: Inventory, index: NodeIndex) -> Iterator[Edge]:
    """One edge, still without an id, for each definition of one instance that a query could use."""
    local_host = local_host_of(inventory.instance, inventory)
    major = inventory.identity.major_version if inventory.identity else 0
    for row in inventory.linked_servers:
        if is_local_row(row, inventory) or is_replication_entry(row):
            continue
        dialled = dial_row(row, resolve(row.provider, row.product, major), local_host)
        options, options_gap = options_of(row)
        yield Edge(
            id="",
            source=inventory.instance,
            kind=EdgeKind.LINKED_SERVER,
            name=row.name,
            target=index.name_of(dialled.source, local_host) if dialled.source else _target_in_words(row, index),
            dialled=dialled.source,
            provider=row.provider,
            product=row.product,
            options=options,
            options_gap=options_gap,
            endpoint=dialled.endpoint,
            endpoint_gap=dialled.gap,
            detail=_detail(row),
            in_availability_group=bool(inventory.in_availability_group),
        )


def _target_in_words(row: LinkedServer, index: NodeIndex) -> str:
    """What a person would call the target of a definition that dials no SQL Server, or nobody knows whom."""
    texts = (dialled_text(row), row.location, row.name)
    words = next((text.strip() for text in texts if text is not None and text.strip()), row.name)
    # An ODBC DSN or a cube server may bear the name of a SQL Server without being it.
    return f"{words} ({row.provider})" if index.is_in_estate(words) else words


def _detail(row: LinkedServer) -> str:
    facts = []
    if row.catalog:
        facts.append(f"catalog {row.catalog}")
    if not row.is_linked:
        facts.append("remote server, made by sp_addserver")
    elif not row.is_data_access_enabled:
        facts.append("data access is off")
    if not row.logins:
        facts.append("no login mapping to be seen")
    return "; ".join(facts)
