"""Actions: the remedies of all edges, each change once, ranked. One certificate for one server mends many edges.

Pure. The order is a greedy cover (with many edges the shortest list is not worth the time it takes to find), from
which what later choices made needless is taken out again: secure changes before insecure ones, whatever their number.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from assessor.judge.verdicts import VerdictKind
from assessor.remedies.dialled_names import DialledNames, ServerNames
from assessor.remedies.ladder import Change, Owner, Remedy, RemedyId
from assessor.snapshot import AssessedEdge, Snapshot

#: Verdicts that ask for action, most urgent first. Edges that work insecurely break nothing: their cure comes last.
URGENCY = (
    VerdictKind.BREAKS,
    VerdictKind.FAILS_TODAY,
    VerdictKind.EXPIRES,
    VerdictKind.NOT_ASSESSED,
    VerdictKind.WORKS_INSECURELY,
)

#: Made on the host or instance that accepts the connection.
_ON_TARGET = frozenset({Owner.TARGET_DBA, Owner.PKI})


@dataclass(frozen=True, slots=True)
class Action:
    """One change, made once, and all that it does."""

    id: str  #: readable, and the same in every run: made of what is changed where, never of when
    title: str
    kind: Change
    on: str  #: server it is done on
    owner: Owner
    edges: tuple[str, ...]  #: ids of all edges that it mends, whatever their verdict
    unblocks: int  #: breaking edges among them
    wave: int | None  #: the earliest wave that needs it; ``None``: no upgraded source does
    price: str  #: in security; empty when nothing
    is_secure: bool
    restart: bool
    only_after_upgrade: bool
    verify: str
    undo: str
    detail: str
    remedy: RemedyId
    chosen: bool  #: in the smallest set; otherwise an alternative to what is
    left: int  #: breaking edges still not mended after it and every action before it
    subject: str = ""  #: linked server or CA, see :class:`~.ladder.Remedy`
    setting: str = ""
    names: DialledNames | None = None  #: for a certificate: every name that must be in it


def plan_actions(snapshot: Snapshot, *, secure_only: bool = False) -> tuple[Action, ...]:
    """Every change that mends an edge, the smallest set of them first and its alternatives after it.

    The chosen ones mend what breaks, then what fails today, expires, is not known, works insecurely: for the last
    only changes that nobody asked for yet are listed as alternatives' equals. ``secure_only`` leaves the changes
    out that switch validation or encryption off; edges that only those would mend then stay unmended.
    """
    found = _collect(snapshot, secure_only=secure_only)
    order, left = _cover(snapshot, found)
    rest = sorted(found.keys() - set(order), key=lambda key: (found[key].price(len(found[key].edges)), key))
    names = ServerNames(snapshot)
    breaking = {edge.id for edge in snapshot.edges if edge.verdict is VerdictKind.BREAKS}
    last = left[-1] if left else len(breaking)
    return (
        *(found[key].action(key, names, chosen=True, left=still) for key, still in zip(order, left, strict=True)),
        *(found[key].action(key, names, chosen=False, left=last) for key in rest),
    )


def actions_for(edge_id: str, actions: Iterable[Action]) -> tuple[Action, ...]:
    """What mends one edge, in the order of ``actions``: the chosen change first, then its alternatives."""
    return tuple(action for action in actions if edge_id in action.edges)


def breaking_without_action(snapshot: Snapshot, actions: Iterable[Action]) -> tuple[AssessedEdge, ...]:
    """Breaking edges that none of ``actions`` mends."""
    mended = {edge for action in actions for edge in action.edges}
    return tuple(
        edge for edge in snapshot.edges if edge.verdict is VerdictKind.BREAKS and edge.id not in mended
    )


def place_of(remedy: Remedy, edge: AssessedEdge) -> str:
    """The server that a remedy of an edge is done on."""
    return remedy.on or (edge.target if remedy.owner in _ON_TARGET else edge.source)


def action_id(remedy: Remedy, edge: AssessedEdge) -> str:
    """The id of the action that a remedy of an edge is part of."""
    parts = [remedy.change.value, place_of(remedy, edge)]
    if remedy.change is Change.OTHER:
        parts += [remedy.owner.name, remedy.title]
    elif remedy.subject:
        parts.append(remedy.subject)
    return ":".join(quote(part.lower(), safe=",=", errors="surrogatepass").lower() for part in parts)


@dataclass(slots=True)
class _Candidate:
    """One change and the edges it mends, while the plan is being made."""

    remedy: Remedy
    on: str
    edges: dict[str, AssessedEdge]

    def price(self, newly: int) -> tuple[bool, int, bool, bool, str, int]:
        """Smaller is better: secure first, then what mends most, then what can be done at once without a restart."""
        remedy = self.remedy
        return (
            not remedy.is_secure,
            -newly,
            remedy.only_after_upgrade,
            remedy.restart,
            remedy.id,
            -len(self.edges),
        )

    def action(self, key: str, names: ServerNames, *, chosen: bool, left: int) -> Action:
        remedy, edges = self.remedy, tuple(self.edges.values())
        breaking = [edge for edge in edges if edge.verdict is VerdictKind.BREAKS]
        waves = [edge.wave for edge in breaking or edges if edge.wave is not None]
        certificate_names = names.of(self.on) if remedy.change is Change.CERTIFICATE else None
        return Action(
            id=key,
            title=remedy.title,
            kind=remedy.change,
            on=self.on,
            owner=remedy.owner,
            edges=tuple(edge.id for edge in edges),
            unblocks=len(breaking),
            wave=min(waves, default=None),
            price=remedy.price,
            is_secure=remedy.is_secure,
            restart=remedy.restart,
            only_after_upgrade=remedy.only_after_upgrade,
            verify=_verify(remedy, self.on, edges),
            undo=_undo(remedy, self.on),
            detail=remedy.detail if certificate_names is None else _certificate_detail(self.on, certificate_names),
            remedy=remedy.id,
            chosen=chosen,
            left=left,
            subject=remedy.subject,
            setting=remedy.setting,
            names=certificate_names,
        )


def _collect(snapshot: Snapshot, *, secure_only: bool) -> dict[str, _Candidate]:
    found: dict[str, _Candidate] = {}
    for edge in snapshot.edges:
        if edge.verdict not in URGENCY:
            continue
        for remedy in edge.remedies:
            if secure_only and not remedy.is_secure:
                continue
            key = action_id(remedy, edge)
            if key not in found:
                found[key] = _Candidate(remedy, place_of(remedy, edge), {})
            found[key].edges[edge.id] = edge
            if edge.verdict is VerdictKind.BREAKS and not _mends_breaking(found[key]):
                # A certificate that has to be renewed for one edge may be the wrong one altogether for another.
                found[key].remedy = remedy
    return found
