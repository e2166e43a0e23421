"""The tables a change board works with: actions, clients, waves, provenance. Pure; looks belong to ``workbook.py``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from assessor.clients.profiles import load_profiles
from assessor.remedies.actions import Action
from assessor.report.answer import connections_made, gap_count, unread_instances
from assessor.report.tables import EDGES, ENDPOINTS, Column, Table, in_utc, table_of, table_with
from assessor.report.text import prose, shorten, visible
from assessor.report.words import VALIDATED, VERDICTS, connection_words, count, numbered
from assessor.snapshot import AssessedEndpoint, Snapshot
from assessor.waves import StepKind, WavePlan

ACTIONS: Final = "Actions"
CLIENTS: Final = "Clients"
WAVES: Final = "Waves"
PROVENANCE: Final = "Provenance"

#: What a client experiences, in words that also read in grey.
CONNECTS: Final = {True: "✓ connects", False: "✗ fails", None: "? depends"}
_MOST_EDGES_NAMED: Final = 40


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One change, made once: what it mends, by whom, at what price, how to verify and undo it."""

    rank: Annotated[int, Column("No.", 6)]
    title: Annotated[str, Column("Action", 40)]
    on: Annotated[str, Column("Done on", 30)]
    owner: Annotated[str, Column("Who", 18)]
    unblocks: Annotated[int, Column("Mends", 8)]
    left: Annotated[int | None, Column("Still break after it", 10)]
    wave: Annotated[int | None, Column("Needed in wave", 9)]
    secure: Annotated[str, Column("Secure", 9)]
    when: Annotated[str, Column("When", 16)]
    verify: Annotated[str, Column("How to verify", 40)]
    # On screen only from here on.
    chosen: Annotated[str, Column("Part of the plan", 14)]
    price: Annotated[str, Column("Price in security", 34)]
    undo: Annotated[str, Column("How to undo", 36)]
    detail: Annotated[str, Column("How", 70)]
    names: Annotated[str, Column("Names the certificate needs", 34)]
    first_edge: Annotated[str, Column("First edge", 30, EDGES)]
    edges: Annotated[str, Column("All edges", 44)]
    id: Annotated[str, Column("Action id", 36)]


@dataclass(frozen=True, slots=True)
class WaveRow:
    """One step of the proposed order of work."""

    number: Annotated[int, Column("Step", 7)]
    what: Annotated[str, Column("What", 12)]
    title: Annotated[str, Column("Title", 52)]
    wave: Annotated[int | None, Column("Planned wave", 9)]
    breaks: Annotated[int, Column("Edges that break here", 10)]
    details: Annotated[str, Column("Which, and what ends it", 46)]
    misfits: Annotated[str, Column("Versions that do not fit", 44)]
    restart: Annotated[bool, Column("Restart", 9)]
    secure: Annotated[str, Column("Secure", 9)]


@dataclass(frozen=True, slots=True)
class ProvenanceRow:
    """One fact about the run itself."""

    about: Annotated[str, Column("About", 26)]
    fact: Annotated[str | int | datetime | None, Column("Fact", 100)]


def actions_table(planned: Sequence[Action]) -> Table:
    """Every action: the plan in its order, then the alternatives to it."""
    rows = [_action_row(number, action) for number, action in enumerate(planned, start=1)]
    return table_of(ACTIONS, ActionRow, rows, frozen=2, printed=10)


def _action_row(number: int, action: Action) -> ActionRow:
    when = "after the upgrade" if action.only_after_upgrade else "now"
    shown = [visible(edge) for edge in action.edges[:_MOST_EDGES_NAMED]]
    if len(action.edges) > len(shown):
        shown.append(f"and {len(action.edges) - len(shown):,} more")
    names = action.names
    return ActionRow(
        rank=number,
        title=prose(action.title),
        on=visible(action.on),
        owner=action.owner.value,
        unblocks=action.unblocks,
        left=action.left if action.chosen else None,
        wave=action.wave,
        secure="✓ yes" if action.is_secure else "✗ NO",
        when=f"{when}, restart" if action.restart else when,
        verify=prose(action.verify),
        chosen="in the plan" if action.chosen else "alternative",
        price=prose(action.price),
        undo=prose(action.undo),
        detail=prose(action.detail),
        names="\n".join(visible(name) for name in names.san) if names is not None else "",
        first_edge=visible(action.edges[0]) if action.edges else "",
        edges="\n".join(shown),
        id=visible(action.id),
    )


def clients_table(snapshot: Snapshot) -> Table:
    """Endpoint by client: what each tool or driver with its default options experiences."""
    clients = load_profiles()
    columns = (
        Column("Endpoint", 34, ENDPOINTS),
        Column("Fail", 7),
        Column("Depend", 9),
        *(Column(client.id, 13) for client in clients),
    )
    values = [_client_values(endpoint, [client.id for client in clients]) for endpoint in snapshot.endpoints]
    values.sort(key=lambda row: (-int(str(row[1])), -int(str(row[2])), str(row[0]).casefold()))
    return table_with(CLIENTS, columns, values, frozen=1, printed=11)


def _client_values(endpoint: AssessedEndpoint, clients: Sequence[str]) -> tuple[object, ...]:
    found = {each.client: each.connects for each in endpoint.clients}
    words = [CONNECTS[found.get(client)] for client in clients]
    return visible(endpoint.id), words.count(CONNECTS[False]), words.count(CONNECTS[None]), *words


def waves_table(plan: WavePlan, snapshot: Snapshot) -> Table:
    """The proposed order of upgrades and certificate work, a row a step."""
    names = {
        edge.id: f"{visible(edge.source)} → {visible(edge.target)} ({visible(edge.name)})" for edge in snapshot.edges
    }
    rows = [
        WaveRow(
            number=number,
            what="upgrade" if step.kind is StepKind.UPGRADE else "work",
            title=prose(step.title),
            wave=step.wave,
            breaks=len(step.breaks),
            details=numbered(
                [names.get(edge, visible(edge)) for edge in step.breaks]
                + [f"ended by {visible(action)}" for action in step.mended_by]
            ),
            misfits=numbered(
                [
                    f"{misfit.rule}: {visible(misfit.publisher)} and {visible(misfit.partner)}: {prose(misfit.why)}"
                    for misfit in step.misfits
                ]
            ),
            restart=step.restart,
            secure="✓ yes" if step.is_secure else "✗ NO",
        )
        for number, step in enumerate(plan.steps, start=1)
    ]
    return table_of(WAVES, WaveRow, rows, frozen=1, printed=9)


def provenance_table(snapshot: Snapshot) -> Table:
    """When, from where, as whom, with what; which connections were not validated; what could not be seen."""
    return table_of(PROVENANCE, ProvenanceRow, list(_provenance(snapshot)), frozen=1, printed=2)


def _provenance(snapshot: Snapshot) -> Iterator[ProvenanceRow]:
    run, estate = snapshot.run, snapshot.estate
    yield ProvenanceRow("Estate", visible(estate.name))
    yield ProvenanceRow("Upgrade date", datetime.combine(estate.upgrade_date, datetime.min.time()))
    yield ProvenanceRow("Days looked past it", estate.horizon_days)
    yield ProvenanceRow("Tool", f"assessor {visible(run.tool_version)}")
    yield ProvenanceRow("Rules of", visible(run.rules_version))
    yield ProvenanceRow("Started (UTC)", in_utc(run.started))
    yield ProvenanceRow("Finished (UTC)", in_utc(run.finished))
    yield ProvenanceRow("Ran on (vantage)", visible(run.vantage))
    yield ProvenanceRow("ODBC driver", visible(run.driver))
    yield ProvenanceRow("Interrupted", "YES: what is missing was not looked at" if run.interrupted else "no")
    if run.pseudonymised:
        yield ProvenanceRow("Names", "pseudonyms; the key is kept apart")
    yield ProvenanceRow("Snapshot schema", snapshot.schema_version)
    logins = sorted({visible(found.collected_as) for found in snapshot.inventories if found.collected_as})
    yield ProvenanceRow("Logged in as", shorten(", ".join(logins), 2000) or "nobody: nothing was read")
    for connection in connections_made(snapshot):
        names = shorten(", ".join(visible(address) for address in connection.addresses), 2000)
        heading = "Connections" if connection.way == VALIDATED else "CONNECTIONS NOT VALIDATED"
        yield ProvenanceRow(heading, f"{connection_words(connection.way)}: {names}")
    for store in snapshot.trust_stores:
        held = count(store.certificates_total, "certificate")
        yield ProvenanceRow("Trust store", f"{visible(store.origin)} ({visible(store.id)}): {held}")
    unread = unread_instances(snapshot)
    yield ProvenanceRow(
        "Instances not read", shorten(", ".join(visible(each.address) for each in unread), 2000) or "none"
    )
    yield ProvenanceRow("Facts missing", gap_count(snapshot))
    yield ProvenanceRow(
        "Connections without a verdict", sum(VERDICTS[edge.verdict].symbol == "?" for edge in snapshot.edges)
    )
