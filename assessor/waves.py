"""Waves: what becomes of each edge after each wave of the plan, and an order of work in which as little as possible breaks.

Pure: judging again is handed in. An upgrade changes what its own instance opens, so an edge breaks with the upgrade of its
source and never with that of its target; what the order of upgrades can break is the versions that replication allows side
by side. Work that mends an edge is put before the upgrade that needs it.

The order is exact up to :data:`EXACT` instances that replicate with each other (all subsets are weighed); above that it is
grown greedily, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from assessor.judge.verdicts import VerdictKind
from assessor.remedies.actions import Action, plan_actions
from assessor.remedies.ladder import Change
from assessor.snapshot import AssessedEdge, Snapshot
from assessor.topology.replication_pairs import ReplicationPair
from assessor.version_order import Misfit, misfits, replicating

#: So many instances that constrain each other are ordered exactly: 2¹² subsets take a second or two.
EXACT = 12


class StepKind(StrEnum):
    """What is done in one step."""

    ACTION = "action"
    UPGRADE = "upgrade"


@dataclass(frozen=True, slots=True)
class Wave:
    """The estate once one wave of the plan is done, and nothing else."""

    number: int
    instances: tuple[str, ...]  #: upgraded in this wave
    breaks: tuple[str, ...]  #: ids of edges that break with it
    not_assessed: tuple[str, ...]  #: ids of edges of its instances whose fate is not known
    misfits: tuple[Misfit, ...]  #: pairs that do not fit after it, and did before it


@dataclass(frozen=True, slots=True)
class Fate:
    """One edge: its verdict today and after each wave, in the order of :attr:`WavePlan.waves`."""

    edge: str
    today: VerdictKind
    after: tuple[VerdictKind, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, in its turn."""

    kind: StepKind
    what: str  #: an action's id, or an instance
    title: str
    wave: int | None  #: planned wave of the instance, or the one that the action is needed for
    restart: bool
    is_secure: bool
    breaks: tuple[str, ...]  #: ids of edges that break here, because nothing mends them before
    mended_by: tuple[str, ...]  #: ids of actions that end some of these breaks, and can be done only now
    misfits: tuple[Misfit, ...]  #: pairs that do not fit from here on


@dataclass(frozen=True, slots=True)
class WavePlan:
    """The plan as written, edge by edge, and the order that is proposed."""

    waves: tuple[Wave, ...]
    fates: tuple[Fate, ...]
    steps: tuple[Step, ...]
    is_exact: bool  #: no other order of upgrades has fewer misfits
    keeps_waves: bool  #: the proposed order goes through the planned waves one after the other
    unknown: tuple[str, ...]  #: ids of edges whose fate is not known: "nothing breaks" does not speak of them
    unread: tuple[str, ...]  #: instances that were not read: what they open is not known at all

    @property
    def breaks(self) -> tuple[str, ...]:
        """Edges that break at some step of the proposed order."""
        return tuple(edge for step in self.steps for edge in step.breaks)

    @property
    def misfits(self) -> tuple[Misfit, ...]:
        """Pairs that do not fit from some step of the proposed order on."""
        return tuple(misfit for step in self.steps for misfit in step.misfits)


def plan_waves(snapshot: Snapshot, rejudge: Callable[[Snapshot], Snapshot]) -> WavePlan:
    """The fate of each edge after each wave, and the proposed order. ``rejudge`` judges a snapshot's facts again."""
    numbers = sorted({each.wave for each in snapshot.estate.instances if each.wave is not None})
    states = [_after_wave(snapshot, number, rejudge) for number in (None, *numbers)]
    known = replicating(snapshot)
    pairs, versions = known.pairs, known.versions
    final = states[-1] if numbers else snapshot
    order, is_exact = upgrade_order(_planned(snapshot), pairs, versions)
    waves_of = _planned(snapshot)
    sequence = [waves_of[name] for name in order]
    return WavePlan(
        waves=tuple(_wave(snapshot, number, states[place], pairs, versions) for place, number in enumerate(numbers, 1)),
        fates=tuple(_fates(final, states)),
        steps=tuple(_steps(final, order, pairs, versions)),
        is_exact=is_exact,
        keeps_waves=sequence == sorted(sequence),
        unknown=tuple(edge.id for edge in final.edges if edge.verdict is VerdictKind.NOT_ASSESSED),
        unread=tuple(inventory.instance for inventory in snapshot.inventories if inventory.identity is None),
    )


def _planned(snapshot: Snapshot) -> dict[str, int]:
    """Instances that are upgraded, with their waves, in the order of waves and then of the estate file."""
    planned = [(each.wave, each.address) for each in snapshot.estate.instances if each.wave is not None]
    return {address: wave for wave, address in sorted(planned, key=lambda each: each[0])}


def _after_wave(snapshot: Snapshot, number: int | None, rejudge: Callable[[Snapshot], Snapshot]) -> Snapshot:
    """The snapshot judged as if only the waves up to ``number`` were upgraded; ``None``: none."""
    instances = tuple(
        each if each.wave is not None and number is not None and each.wave <= number else replace(each, wave=None)
        for each in snapshot.estate.instances
    )
    return rejudge(replace(snapshot, estate=replace(snapshot.estate, instances=instances)))


def _wave(
    snapshot: Snapshot, number: int, state: Snapshot, pairs: Sequence[ReplicationPair], versions: Mapping[str, int]
) -> Wave:
    planned = _planned(snapshot)
    instances = [address for address, wave in planned.items() if wave == number]
    before = {address for address, wave in planned.items() if wave < number}
    ours = [edge for edge in state.edges if edge.source in instances]
    return Wave(
        number=number,
        instances=tuple(instances),
        breaks=tuple(edge.id for edge in ours if edge.verdict is VerdictKind.BREAKS),
        not_assessed=tuple(edge.id for edge in ours if edge.verdict is VerdictKind.NOT_ASSESSED),
        misfits=tuple(sorted(misfits(pairs, versions, {*before, *instances}) - misfits(pairs, versions, before))),
    )


def _fates(snapshot: Snapshot, states: Sequence[Snapshot]) -> list[Fate]:
    verdicts = [{edge.id: edge.verdict for edge in state.edges} for state in states]
    return [
        Fate(edge.id, verdicts[0][edge.id], tuple(state[edge.id] for state in verdicts[1:]))
        for edge in snapshot.edges
        if all(edge.id in state for state in verdicts)
    ]


# ------------------------------------------------------------------------------------------------ the order of upgrades


def upgrade_order(
    planned: Mapping[str, int], pairs: Collection[ReplicationPair], versions: Mapping[str, int]
) -> tuple[tuple[str, ...], bool]:
    """An order of upgrades with the fewest new misfits, then the fewest instances taken before an earlier wave's.

    ``planned`` is instance → wave, in the plan's order. The second value says whether no other order has fewer.
    """
    bound = {name for pair in pairs for name in (pair.publisher, pair.partner)}
    names = [name for name in planned if name in bound]
    free = [name for name in planned if name not in bound]
    grow = _exact if len(names) <= EXACT else _greedy
    ordered = grow(names, planned, pairs, versions)
    return _merged(ordered, free, planned), len(names) <= EXACT


def _cost(
    name: str,
    done: frozenset[str],
    planned: Mapping[str, int],
    names: Sequence[str],
    pairs: Collection[ReplicationPair],
    versions: Mapping[str, int],
) -> tuple[int, int]:
    """What upgrading ``name`` after ``done`` costs: pairs that stop to fit, and instances of earlier waves overtaken."""
    near = [pair for pair in pairs if name in (pair.publisher, pair.partner)]
    new = misfits(near, versions, done | {name}) - misfits(near, versions, done)
    overtaken = sum(planned[other] < planned[name] for other in names if other not in done)
    return len(new), overtaken


def _exact(
    names: Sequence[str], planned: Mapping[str, int], pairs: Collection[ReplicationPair], versions: Mapping[str, int]
) -> list[str]:
    """The best order over all subsets (Held and Karp's method): each subset once, reached in its cheapest way."""
    best: dict[frozenset[str], tuple[tuple[int, int], tuple[int, ...]]] = {frozenset(): ((0, 0), ())}
    for _ in names:
        grown: dict[frozenset[str], tuple[tuple[int, int], tuple[int, ...]]] = {}
        for done, ((new, overtaken), order) in best.items():
            for place, name in enumerate(names):
                if name in done:
                    continue
                more = _cost(name, done, planned, names, pairs, versions)
                # Among equals the plan's own order wins, so that the answer never depends on chance.
                candidate = ((new + more[0], overtaken + more[1]), (*order, place))
                key = done | {name}
                if key not in grown or candidate < grown[key]:
                    grown[key] = candidate
        best = grown
    return [names[place] for place in best[frozenset(names)][1]]


def _greedy(
    names: Sequence[str], planned: Mapping[str, int], pairs: Collection[ReplicationPair], versions: Mapping[str, int]
) -> list[str]:
    """Always the instance that costs least now; not always the best order."""
    order: list[str] = []
    while len(order) < len(names):
        done = frozenset(order)
        rest = [name for name in names if name not in done]
        order.append(
            min(rest, key=lambda name: (_cost(name, done, planned, names, pairs, versions), names.index(name)))
        )
    return order


def _merged(ordered: Sequence[str], free: Sequence[str], planned: Mapping[str, int]) -> tuple[str, ...]:
    """The bound instances in their order, the others where the plan has them."""
    result: list[str] = []
    waiting = list(free)
    for name in ordered:
        while waiting and planned[waiting[0]] < planned[name]:
            result.append(waiting.pop(0))
        result.append(name)
    return (*result, *waiting)


# ------------------------------------------------------------------------------------------------ work and upgrades


def _steps(
    final: Snapshot, order: Sequence[str], pairs: Sequence[ReplicationPair], versions: Mapping[str, int]
) -> list[Step]:
    actions = plan_actions(final)
    breaking: dict[str, list[AssessedEdge]] = {}
    for edge in final.edges:
        if edge.verdict is VerdictKind.BREAKS:
            breaking.setdefault(edge.source, []).append(edge)
    waves = _planned(final)
    done: set[str] = set()
    steps: list[Step] = []
    upgraded: list[str] = []
    for instance in order:
        left: list[AssessedEdge] = []
        for edge in breaking.get(instance, ()):
            needed = _before(edge, actions, done)
            if not needed:
                left.append(edge)
            for action in needed:
                if action.id not in done:
                    done.add(action.id)
                    steps.append(_work(action, waves[instance]))
        now = misfits(pairs, versions, {*upgraded, instance}) - misfits(pairs, versions, upgraded)
        upgraded.append(instance)
        later = {edge.id: _afterwards(edge, actions) for edge in left}
        after = list(dict.fromkeys(action.id for action in later.values() if action is not None))
        steps.append(
            Step(
                kind=StepKind.UPGRADE,
                what=instance,
                title=f"Upgrade {instance} to SQL Server 2025",
                wave=waves[instance],
                restart=True,
                is_secure=True,
                breaks=tuple(edge.id for edge in left),
                mended_by=tuple(after),
                misfits=tuple(sorted(now)),
            )
        )
        by_id = {action.id: action for action in actions}
        steps += [_work(by_id[id_], waves[instance]) for id_ in after if id_ not in done]
        done.update(after)
    return steps


def _before(edge: AssessedEdge, actions: Sequence[Action], done: Collection[str]) -> tuple[Action, ...]:
    """What mends ``edge`` before the upgrade: what is done anyway, else the chosen secure change, else another secure one.

    Several certificates where the edge leads to several servers that all need one.
    """
    possible = [
        action for action in actions if edge.id in action.edges and action.is_secure and not action.only_after_upgrade
    ]
    first = min(possible, key=lambda action: (action.id not in done, not action.chosen), default=None)
    if first is None:
        return ()
    if first.kind is not Change.CERTIFICATE:
        return (first,)
    return tuple(
        action for action in possible if action.kind is Change.CERTIFICATE and (action.chosen or action is first)
    )


def _afterwards(edge: AssessedEdge, actions: Sequence[Action]) -> Action | None:
    """What ends a break: a secure change if there is one; an insecure one is never put into an order unasked."""
    return next((action for action in actions if edge.id in action.edges and action.is_secure), None)


def _work(action: Action, wave: int) -> Step:
    return Step(
        kind=StepKind.ACTION,
        what=action.id,
        title=action.title,
        wave=wave,
        restart=action.restart,
        is_secure=action.is_secure,
        breaks=(),
        mended_by=(),
        misfits=(),
    )
