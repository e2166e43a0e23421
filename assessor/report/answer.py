"""What a run says, in short: the answer in a sentence, the counts, what to do first, what nobody knows.

Pure, and adds nothing to what the judge said; console, workbook and page all take their summary from here.
The strings in what it returns are raw: whoever draws them makes them safe (:mod:`assessor.report.text`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from assessor.collect.inventory import Gap, Inventory
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.actions import Action, plan_actions
from assessor.report.words import NOT_CONNECTED, NOT_KNOWN_VALIDATED, VALIDATED, VERDICTS, count
from assessor.snapshot import AssessedEdge, PlannedInstance, Snapshot


@dataclass(frozen=True, slots=True)
class Connection:
    """One way in which the tool connected, and the instances that it so connected to."""

    way: str  #: a key of :data:`~.words.CONNECTIONS`
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """An instance of the estate that nothing was collected from."""

    address: str
    gaps: tuple[Gap, ...]  #: why; empty when the run never came to it


def verdict_counts(snapshot: Snapshot) -> dict[VerdictKind, int]:
    """How many edges got each verdict, zeros included, in the order of :data:`~.words.VERDICTS`."""
    found = Counter(edge.verdict for edge in snapshot.edges)
    return {kind: found[kind] for kind in VERDICTS}


def unread_instances(snapshot: Snapshot) -> tuple[Unread, ...]:
    """The instances that could not be read, in the order of the estate file."""
    inventories = {inventory.instance: inventory for inventory in snapshot.inventories}
    found = []
    for planned in snapshot.estate.instances:
        inventory = inventories.get(planned.address)
        if inventory is None or inventory.identity is None:
            found.append(Unread(planned.address, inventory.gaps if inventory else ()))
    return tuple(found)


def connection_way(planned: PlannedInstance, inventory: Inventory | None) -> str:
    """How an instance was really connected to: a key of :data:`~.words.CONNECTIONS`."""
    if inventory is None or inventory.identity is None:
        return NOT_CONNECTED
    if planned.connection == VALIDATED and inventory.connection_validated is not True:
        return NOT_KNOWN_VALIDATED
    return planned.connection


def connections_made(snapshot: Snapshot) -> tuple[Connection, ...]:
    """The ways in which instances were connected to, in the order in which the estate file meets them."""
    inventories = {inventory.instance: inventory for inventory in snapshot.inventories}
    by_way: dict[str, list[str]] = defaultdict(list)
    for planned in snapshot.estate.instances:
        by_way[connection_way(planned, inventories.get(planned.address))].append(planned.address)
    return tuple(Connection(way, tuple(addresses)) for way, addresses in by_way.items())


def gap_count(snapshot: Snapshot) -> int:
    """How many facts are missing, over all instances and the run."""
    return len(snapshot.gaps) + sum(len(inventory.gaps) for inventory in snapshot.inventories)


def is_for_a_past_day(snapshot: Snapshot) -> bool:
    """Whether the upgrade date lies before the run: a certificate that ended in between still counts as in date then."""
    return snapshot.estate.upgrade_date < snapshot.run.started.date()


def answer(snapshot: Snapshot) -> str:
    """The run in a sentence or two. Says "not an all-clear" whenever something is unknown and nothing
    breaks.
    """
    counts = verdict_counts(snapshot)
    total, breaking, unknown = len(snapshot.edges), counts[VerdictKind.BREAKS], counts[VerdictKind.NOT_ASSESSED]
    day = snapshot.estate.upgrade_date.isoformat()
    unread = len(unread_instances(snapshot))

    if total == 0:
        parts = ["No connection from one server to another was found"]
    elif breaking:
        parts = [f"{breaking:,} of {count(total, 'connection')} {'breaks' if breaking == 1 else 'break'} on {day}"]
    elif unknown == total:
        parts = [f"None of {count(total, 'connection')} could be assessed for {day}"]
    else:
        parts = [f"No connection that could be assessed breaks on {day} ({total - unknown:,} of {total:,} assessed)"]
    if counts[VerdictKind.FAILS_TODAY]:
        parts.append(f"{counts[VerdictKind.FAILS_TODAY]:,} already fail today")
    if counts[VerdictKind.EXPIRES]:
        parts.append(f"{counts[VerdictKind.EXPIRES]:,} expire within {snapshot.estate.horizon_days} days after it")
    if unknown and unknown != total:
        parts.append(f"{unknown:,} could not be assessed")
    if unread:
        parts.append(f"{unread:,} of {count(len(snapshot.estate.instances), 'instance')} could not be read")
    sentence = "; ".join(parts) + "."
    if is_for_a_past_day(snapshot):
        sentence += " That day was over before this run: what expired since is not counted; move upgrade_date."
    if snapshot.run.interrupted:
        sentence += " The run was interrupted, so this is only a part."
    if not breaking and (unknown or unread or snapshot.run.interrupted or is_for_a_past_day(snapshot)):
        sentence += " This is not an all-clear."
    return sentence


def by_urgency(snapshot: Snapshot) -> tuple[AssessedEdge, ...]:
    """The edges by verdict, most urgent first, then by wave (those that are not upgraded last) and name."""
    rank = {kind: place for place, kind in enumerate(VERDICTS)}

    def key(edge: AssessedEdge) -> tuple[int, bool, int, str, str, str]:
        return (
            rank[edge.verdict],
            edge.wave is None,
            edge.wave or 0,
            edge.source.casefold(),
            edge.name.casefold(),
            edge.id,
        )

    return tuple(sorted(snapshot.edges, key=key))


def first_actions(snapshot: Snapshot, planned: Sequence[Action] | None = None) -> tuple[Action, ...]:
    """The chosen actions that mend breaking edges, in order: see :func:`assessor.remedies.actions.plan_actions`.

    ``planned`` is what that function made of this snapshot, for a caller that has it already.
    """
    actions = plan_actions(snapshot) if planned is None else planned
    return tuple(action for action in actions if action.chosen and action.unblocks)


def breaking_without_remedy(snapshot: Snapshot) -> int:
    """Breaking edges for which no remedy is known."""
    return sum(edge.verdict is VerdictKind.BREAKS and not edge.remedies for edge in snapshot.edges)
