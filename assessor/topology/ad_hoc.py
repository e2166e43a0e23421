"""OPENROWSET and OPENDATASOURCE in modules and T-SQL job steps: each call is a linked server without a definition."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assessor.clients.options import ConnectionOptions, parse_provider_string
from assessor.clients.providers import MSDASQL, resolve
from assessor.collect.inventory import AdHocCall, Inventory
from assessor.topology.dialling import Dialled, dial
from assessor.topology.edges import Edge, EdgeKind
from assessor.topology.nodes import NodeIndex, local_host_of

_SPACED = (
    (re.compile(r"(^|;)\s*use encryption for data\s*=", re.IGNORECASE), "Encrypt="),
    (re.compile(r"(^|;)\s*trust server certificate\s*=", re.IGNORECASE), "TrustServerCertificate="),
    (re.compile(r"(^|;)\s*host name in certificate\s*=", re.IGNORECASE), "HostNameInCertificate="),
    (re.compile(r"(^|;)\s*server certificate\s*=", re.IGNORECASE), "ServerCertificate="),
)
_TRUST = re.compile(r"(^|;)(TrustServerCertificate=)(true|false)(?=\s*(;|$))", re.IGNORECASE)


def ad_hoc_edges(inventory: Inventory, index: NodeIndex) -> Iterator[Edge]:
    """One edge, still without an id, for each call of one instance."""
    local_host = local_host_of(inventory.instance, inventory)
    for call in inventory.ad_hoc_calls:
        yield _edge(call, inventory, index, local_host)


def _edge(call: AdHocCall, inventory: Inventory, index: NodeIndex, local_host: str) -> Edge:
    dialled = _dial(call, inventory, local_host)
    words = call.data_source or options_of(call).server or call.provider or "unknown"
    if dialled.source is None and index.is_in_estate(words):
        words = f"{words} ({call.provider})"
    where = "job step" if call.is_job_step else "module"
    place = call.name if call.is_job_step or call.database is None else f"{call.database}.{call.name}"
    return Edge(
        id="",
        source=inventory.instance,
        kind=EdgeKind.AD_HOC,
        name=f"{place}: {call.function}",
        target=index.name_of(dialled.source, local_host) if dialled.source else words,
        dialled=dialled.source,
        provider=call.provider,
        product=None,
        options=options_of(call) if call.is_known else None,
        options_gap=None if call.is_known else "it is put together at run time",
        endpoint=dialled.endpoint,
        endpoint_gap=dialled.gap,
        detail=f"{call.function} in a {where}"
        + (" with server, user and password apart" if call.is_three_part else ""),
        in_availability_group=bool(inventory.in_availability_group),
        ad_hoc=call,
    )


def options_of(call: AdHocCall) -> ConnectionOptions:
    """What a call says about encryption: nothing in the three-part form.

    OPENDATASOURCE takes an initialisation string, in whose dialect the spaced keywords count (clients reference 3.1).
    """
    text = call.provider_string
    if call.is_three_part or text is None:
        return ConnectionOptions()
    if call.function == "OPENDATASOURCE":
        for pattern, keyword in _SPACED:
            text = pattern.sub(rf"\g<1>{keyword}", text)
        text = _TRUST.sub(lambda found: f"{found[1]}{found[2]}{'yes' if found[3].lower() == 'true' else 'no'}", text)
    return parse_provider_string(text)


def dialled_text(call: AdHocCall) -> str | None:
    """The server that a call names, in the grammar of data sources."""
    return call.data_source if call.is_three_part else options_of(call).server


def _dial(call: AdHocCall, inventory: Inventory, local_host: str) -> Dialled:
    if not call.is_known or call.provider is None:
        return Dialled(None, None, "the call is put together at run time, so what it dials can't be read")
    major = inventory.identity.major_version if inventory.identity else 0
    family = resolve(call.provider, "", major)
    if not family.is_known:
        return Dialled(None, None, "the provider is not one that assessor knows, so it is unknown what it dials")
    if family.client == MSDASQL:
        return Dialled(None, None, "MSDASQL dials what its ODBC driver or DSN says; it is not probed")
    if not family.is_sql_server_client:
        return Dialled(None, None, "the provider is no SQL Server client; what it dials is not probed")
    text = dialled_text(call)
    if text is None:
        return Dialled(None, None, "the call names no server")
    return dial(text, local_host)


def partner_names(inventory: Inventory) -> Iterator[str]:
    """What the calls of this instance dial."""
    for call in inventory.ad_hoc_calls:
        text = dialled_text(call)
        if text is not None:
            yield text
