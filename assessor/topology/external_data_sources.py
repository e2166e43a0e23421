r"""PolyBase: external data sources become edges; those whose location begins with ``sqlserver://`` dial a SQL Server.

Grammar of a location and of the ``%s`` in ``Server=%s\INSTANCE``: sql-docs ``t-sql/statements/create-external-data-source-
transact-sql.md`` and ``create-external-data-source-connection-options.md``, 2025-06-17.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from assessor.clients.options import parse_provider_string
from assessor.collect.inventory import ExternalDataSource, Inventory
from assessor.topology.dialling import Dialled, dial
from assessor.topology.edges import Edge, EdgeKind
from assessor.topology.nodes import NodeIndex, local_host_of

SQL_SERVER: Final = "sqlserver"  #: the scheme that dials a SQL Server
POLYBASE_SERVICES: Final = "polybase services"  #: provider of the hop from the engine to the services beside it
_LOCATION = re.compile(r"(?P<scheme>[a-z][\w+.-]*)://(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d{1,5}))?")


def external_data_source_edges(inventory: Inventory, index: NodeIndex) -> Iterator[Edge]:
    """One edge, still without an id, for each external data source, and one for the hop to the services."""
    local_host = local_host_of(inventory.instance, inventory)
    for source in inventory.external_data_sources:
        yield _edge(source, inventory, index, local_host)
    if inventory.feature_settings.is_polybase_installed:
        yield Edge(
            id="",
            source=inventory.instance,
            kind=EdgeKind.EXTERNAL_DATA_SOURCE,
            name="PolyBase services",
            target=inventory.instance,
            dialled=None,
            provider=POLYBASE_SERVICES,
            product=None,
            options=None,
            options_gap="the hop has a setting of the instance instead of options",
            endpoint_gap="the services listen on this machine only, and are not probed",
            detail="from the engine to the PolyBase services beside it",
        )


def _edge(source: ExternalDataSource, inventory: Inventory, index: NodeIndex, local_host: str) -> Edge:
    scheme, address = scheme_and_address(source.location)
    is_sql_server = scheme == SQL_SERVER
    if is_sql_server:
        text = dialled_text(source) or ""
        names_nobody = not text or text[0] in "\\,"  # an empty host would mean the local machine
        dialled = Dialled(None, None, "the location names no server") if names_nobody else dial(text, local_host)
    else:
        dialled = Dialled(None, None, f"{scheme or 'a location without a scheme'}: no SQL Server, so it is not probed")
    target = index.name_of(dialled.source, local_host) if dialled.source else address or source.name
    if dialled.source is None and index.is_in_estate(target):
        target = f"{target} ({scheme})"  # a file share or a cluster may bear the name of a SQL Server
    return Edge(
        id="",
        source=inventory.instance,
        kind=EdgeKind.EXTERNAL_DATA_SOURCE,
        name=f"{source.database}.{source.name}",
        target=target,
        dialled=dialled.source,
        provider=scheme or None,
        product=source.kind or None,
        options=parse_provider_string(source.connection_options) if source.connection_options_known else None,
        options_gap=None
        if source.connection_options_known
        else "the connection options are in a form that assessor can't read",
        endpoint=dialled.endpoint,
        endpoint_gap=dialled.gap,
        detail=f"external data source in {source.database}: {source.location}",
        in_availability_group=bool(inventory.in_availability_group),
    )


def scheme_and_address(location: str) -> tuple[str, str]:
    """``sqlserver`` and ``host:1450`` of ``SQLSERVER://host:1450/``; no scheme gives ``""``."""
    found = _LOCATION.fullmatch(location.strip())
    if found is None:
        return "", location.strip()
    return found["scheme"].lower(), found["rest"].rstrip("/").strip()


def dialled_text(source: ExternalDataSource) -> str | None:
    r"""What the ODBC driver is told to dial, in the grammar of data sources; ``None`` where no SQL Server is meant.

    ``Server=%s\INSTANCE`` among the options is how a named instance is dialled: ``%s`` stands for the location's host.
    """
    scheme, address = scheme_and_address(source.location)
    if scheme != SQL_SERVER:
        return None
    host, backslash, instance = address.partition("\\")
    tail, port = instance if backslash else host, ""
    if (found := _PORT.fullmatch(tail)) and found["port"]:
        tail, port = found["host"], f",{found['port']}"
    text = f"{host}\\{tail}{port}" if backslash else f"{tail}{port}"
    pattern = parse_provider_string(source.connection_options).server
    if pattern is None:
        return text
    if "%s" not in pattern:
        return pattern
    # A port in the location goes behind whatever the pattern adds to the host.
    return pattern.replace("%s", text.removesuffix(port) if port else text) + ("" if "," in pattern else port)


def partner_names(inventory: Inventory) -> Iterator[str]:
    """What PolyBase on this instance dials."""
    for source in inventory.external_data_sources:
        text = dialled_text(source)
        if text is not None:
            yield text
