"""Agent job steps: each program in them that dials a SQL Server is an edge, also to the local server.

The tools follow SQL Server's own upgrade (rules JB-01 and JB-02), so ``sqlcmd -S .`` can break on an upgraded host.
"""

from __future__ import annotations

from collections.abc import Iterator

from assessor.clients.options import parse_provider_string
from assessor.collect.command_lines import LOCAL_MACHINE, LOCAL_SERVER
from assessor.collect.inventory import Identity, Inventory, ToolCall
from assessor.names import BadDataSource, DataSource, parse_data_source
from assessor.topology.dialling import Dialled, dial
from assessor.topology.edges import Edge, EdgeKind
from assessor.topology.nodes import NodeIndex, local_host_of

_INSTANCE = "$(INST)"


def job_step_edges(inventory: Inventory, index: NodeIndex) -> Iterator[Edge]:
    """One edge, still without an id, for each tool that a job step runs."""
    local_host = local_host_of(inventory.instance, inventory)
    for call in inventory.tool_calls:
        yield _edge(call, inventory, index, local_host)


def _edge(call: ToolCall, inventory: Inventory, index: NodeIndex, local_host: str) -> Edge:
    text = dialled_text(call, inventory.identity)
    dialled = _dial(call, text, inventory, local_host)
    if dialled.source is not None:
        target = index.name_of(dialled.source, local_host)
    else:
        target = call.runs or call.server or "unknown"
        target = f"{target} ({call.tool})" if index.is_in_estate(target) else target
    if text == "." and dialled.source is not None:
        target = inventory.instance
    return Edge(
        id="",
        source=inventory.instance,
        kind=EdgeKind.JOB_STEP,
        name=_name(call),
        target=target,
        dialled=dialled.source,
        provider=call.tool if call.provider is None else f"{call.tool}: {call.provider}",
        product=call.subsystem,
        options=parse_provider_string(call.options),
        endpoint=dialled.endpoint,
        endpoint_gap=dialled.gap,
        detail=_detail(call),
        in_availability_group=bool(inventory.in_availability_group),
        tool_call=call,
    )


def _name(call: ToolCall) -> str:
    return f"{call.job}, step {call.step}: {call.tool}" if call.step else f"{call.job}: {call.tool}"


def dialled_text(call: ToolCall, identity: Identity | None) -> str | None:
    """What the tool is told to dial; ``"."`` is the local server; ``None`` where nobody can know."""
    if not call.is_server_known:
        return None
    if call.server is None:
        return "."
    text = call.server
    for token, value in (
        (LOCAL_SERVER, identity.server_name if identity else None),
        (LOCAL_MACHINE, identity.machine_name if identity else None),
        (_INSTANCE, identity.instance_name or "MSSQLSERVER" if identity else None),
    ):
        if token in text:
            if value is None:
                return None
            text = text.replace(token, value)
    return text


def _dial(call: ToolCall, text: str | None, inventory: Inventory, local_host: str) -> Dialled:
    if call.tool == "script" or (call.tool == "dtexec" and call.server is None):
        return Dialled(None, None, f"what {call.runs or 'it'} dials is not written in the job")
    if text is None:
        return Dialled(None, None, "the server comes from a variable, so what is dialled can't be read")
    dialled = dial(text, local_host)
    if dialled.source is None or not _is_own(dialled.source, inventory):
        return dialled
    # The local server answers where the estate file says, whatever port its name would lead to.
    try:
        own = parse_data_source(inventory.instance)
    except BadDataSource:
        return dialled
    by_address = dial(own.text, local_host)
    return Dialled(dialled.source, by_address.endpoint, by_address.gap)


def _is_own(source: DataSource, inventory: Inventory) -> bool:
    identity = inventory.identity
    if identity is None or source.port is not None:
        return False
    names = {identity.machine_name or "", identity.fqdn or "", identity.server_name.partition("\\")[0]}
    is_own_host = source.is_local or source.host.lower() in {name.lower() for name in names if name}
    own_instance = (identity.instance_name or "").lower()
    # "." alone is the default instance; without a default instance here it is another server's business.
    return is_own_host and (source.instance or "").lower() == own_instance


def _detail(call: ToolCall) -> str:
    facts = []
    if call.is_enabled is False:
        facts.append("the job is disabled")
    if call.step_name:
        facts.append(f"step {call.step_name}")
    if call.switches:
        facts.append(f"switches {call.switches}")
    if call.runs:
        facts.append(f"runs {call.runs}")
    if call.last_run is not None:
        facts.append(f"last run {call.last_run:%Y-%m-%d %H:%M}")
    return "; ".join(facts)


def partner_names(inventory: Inventory) -> Iterator[str]:
    """What the tools of this instance's job steps are told to dial."""
    for call in inventory.tool_calls:
        text = dialled_text(call, inventory.identity)
        if text is not None:
            yield text
