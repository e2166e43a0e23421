"""Actions: the remedies of all edges, each change once, ranked. One certificate for one server mends many edges.

Pure. The order is a greedy cover (with many edges the shortest list is not worth the time it takes to find), from
which what later choices made needless is taken out again: secure changes before insecure ones, whatever their number.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from assessor.clients.outcome import ReasonClass
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.dialled_names import DialledNames, ServerNames
from assessor.remedies.ladder import RENEW, Change, Owner, Remedy, RemedyId
from assessor.remedies.wording import certificate_text, undo_text, verify_text
from assessor.snapshot import AssessedEdge, Snapshot

#: Verdicts that ask for action, most urgent first. What is not known asks for an answer, not for a change.
URGENCY = (VerdictKind.BREAKS, VerdictKind.FAILS_TODAY, VerdictKind.EXPIRES)
_MENDED = frozenset({*URGENCY, VerdictKind.NOT_ASSESSED})

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
    edges: tuple[str, ...]  #: ids of all edges that it mends, what breaks, fails today, expires or is not known
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
    hardens: tuple[str, ...] = ()  #: ids of edges that work insecurely and could be validated once it is done

    @property
    def is_alternative(self) -> bool:
        """Instead of a chosen action, not besides it. What only hardens is neither chosen nor an alternative."""
        return not self.chosen and bool(self.edges)


def plan_actions(snapshot: Snapshot, *, secure_only: bool = False) -> tuple[Action, ...]:
    """Every change that mends an edge, the smallest set of them first and its alternatives after it.

    The chosen ones mend what breaks first, then what fails today, then what expires. An insecure change is
    chosen only for edges that no secure one mends; ``secure_only`` leaves those changes out altogether, and edges
    that nothing else would mend then stay unmended. Actions that only harden what works come last.
    """
    names = ServerNames(snapshot)
    found = _collect(snapshot, names, secure_only=secure_only)
    breaking = {edge.id for edge in snapshot.edges if edge.verdict is VerdictKind.BREAKS}
    order = _in_the_order_of_use(found, _cover(found))
    rest = sorted(found.keys() - set(order), key=lambda key: (found[key].price(len(found[key].edges)), key))
    left = {part for candidate in found.values() for part in candidate.parts_of(VerdictKind.BREAKS)}
    helpless = breaking - {part.edge for part in left}
    actions = []
    for key in (*order, *rest):
        if key in order:
            left -= found[key].parts.keys()
        still = len(helpless) + len({part.edge for part in left})
        actions.append(found[key].action(key, names, chosen=key in order, left=still))
    return tuple(actions)


def actions_for(edge_id: str, actions: Iterable[Action]) -> tuple[Action, ...]:
    """What mends one edge, in the order of ``actions``: the chosen change first, then its alternatives."""
    return tuple(action for action in actions if edge_id in action.edges)


def breaking_without_action(snapshot: Snapshot, actions: Iterable[Action]) -> tuple[AssessedEdge, ...]:
    """Breaking edges that none of ``actions`` mends."""
    mended = {edge for action in actions for edge in action.edges}
    return tuple(edge for edge in snapshot.edges if edge.verdict is VerdictKind.BREAKS and edge.id not in mended)


def place_of(remedy: Remedy, edge: AssessedEdge) -> str:
    """The server that a remedy of an edge is done on, as the edge calls it."""
    return remedy.on or (edge.target if remedy.owner in _ON_TARGET else edge.source)


def action_id(remedy: Remedy, on: str) -> str:
    """The id of the action that a remedy is part of, when it is done on ``on``."""
    parts = [remedy.change.value, on]
    if remedy.change is Change.OTHER:
        parts += [remedy.owner.name, remedy.title]
    elif remedy.subject:
        parts.append(remedy.subject)
    return ":".join(quote(part.lower(), safe=",=", errors="surrogatepass").lower() for part in parts)


@dataclass(frozen=True, slots=True)
class _Part:
    """An edge, or one of the servers that it leads to: each must present a good certificate for it to stand."""

    edge: str
    server: str


@dataclass(slots=True)
class _Candidate:
    """One change and the edges it mends, while the plan is being made."""

    remedy: Remedy
    on: str
    edges: dict[str, AssessedEdge]
    hardens: list[str]
    parts: dict[_Part, VerdictKind]  #: what it mends, with the verdict of the edge

    def parts_of(self, verdict: VerdictKind) -> set[_Part]:
        return {part for part, its in self.parts.items() if its is verdict}

    def price(self, newly: int) -> tuple[bool, int, bool, str, bool, int]:
        """Smaller is better: secure first, then what mends most, then what can be done now, by rung, without a restart."""
        remedy = self.remedy
        return (
            not remedy.is_secure,
            -newly,
            remedy.only_after_upgrade,
            remedy.id,
            remedy.restart,
            -len(self.edges),
        )

    def add(self, remedy: Remedy, edge: AssessedEdge, servers: Collection[str]) -> None:
        if edge.verdict is VerdictKind.WORKS_INSECURELY:
            self.hardens.append(edge.id)
            return
        if remedy.change is Change.CERTIFICATE and self.remedy.setting == RENEW and remedy.setting != RENEW:
            # What need only be renewed for one edge is the wrong certificate altogether for another.
            self.remedy = remedy
        self.edges[edge.id] = edge
        mended = {self.on} if self.on in servers and remedy.owner in _ON_TARGET else servers
        self.parts.update(dict.fromkeys((_Part(edge.id, server) for server in mended), edge.verdict))

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
            verify=verify_text(remedy, self.on, edges),
            undo=undo_text(remedy, self.on),
            detail=remedy.detail
            if certificate_names is None
            else certificate_text(self.on, certificate_names, remedy, _without_its_ca(edges)),
            remedy=remedy.id,
            chosen=chosen,
            left=left,
            subject=remedy.subject,
            setting=remedy.setting,
            names=certificate_names,
            hardens=tuple(dict.fromkeys(self.hardens)),
        )


def _without_its_ca(edges: Iterable[AssessedEdge]) -> tuple[str, ...]:
    """Sources that do not trust the CA of the present certificate, where it has other faults besides."""
    return tuple(
        dict.fromkeys(
            edge.source
            for edge in edges
            if edge.after is not None
            and edge.after.reason is ReasonClass.UNTRUSTED_ROOT
            and not any(remedy.change in (Change.ROOT, Change.SELF_SIGNED) for remedy in edge.remedies)
        )
    )


def _collect(snapshot: Snapshot, names: ServerNames, *, secure_only: bool) -> dict[str, _Candidate]:
    found: dict[str, _Candidate] = {}
    for edge in snapshot.edges:
        if edge.verdict not in _MENDED and edge.verdict is not VerdictKind.WORKS_INSECURELY:
            continue
        servers = _servers(edge, names)
        for remedy in edge.remedies:
            if secure_only and not remedy.is_secure:
                continue
            on = place_of(remedy, edge)
            on = names.server(on) if on == edge.target or remedy.owner in _ON_TARGET else on
            key = action_id(remedy, on)
            if key not in found:
                found[key] = _Candidate(remedy, on, {}, [], {})
            found[key].add(remedy, edge, servers)
    return found


def _servers(edge: AssessedEdge, names: ServerNames) -> tuple[str, ...]:
    """The servers whose certificates an edge needs changed: more than one where it also leads to a replica or partner."""
    wanted = [remedy.on for remedy in edge.remedies if remedy.change is Change.CERTIFICATE]
    return tuple(dict.fromkeys(names.server(on) for on in wanted)) or (names.server(edge.target),)


def _cover(found: Mapping[str, _Candidate]) -> list[str]:
    """Keys of a small set of changes that mends every edge that any change mends, verdict after verdict."""
    chosen: list[str] = []
    mended: set[_Part] = set()
    for verdict in URGENCY:
        wanted = {key: candidate.parts_of(verdict) for key, candidate in found.items()}
        mended |= {part for key in chosen for part in wanted[key]}
        # How much a change newly mends only ever falls, so a stale place in the queue is corrected when reached.
        queue = [(found[key].price(len(parts)), key) for key, parts in wanted.items() if parts]
        heapq.heapify(queue)
        while queue:
            price, key = heapq.heappop(queue)
            newly = wanted[key] - mended
            if not newly:
                continue
            if found[key].price(len(newly)) != price:
                heapq.heappush(queue, (found[key].price(len(newly)), key))
                continue
            mended |= newly
            chosen.append(key)
    return _without_needless(found, chosen)


def _without_needless(found: Mapping[str, _Candidate], chosen: list[str]) -> list[str]:
    """Take out, dearest first, each choice whose edges the others mend anyway."""
    kept = list(chosen)
    for key in sorted(chosen, key=lambda key: found[key].price(len(found[key].edges)), reverse=True):
        # An insecure change never makes a secure one needless.
        others = [
            other for other in kept if other != key and found[other].remedy.is_secure >= found[key].remedy.is_secure
        ]
        asked_for = [part for part, verdict in found[key].parts.items() if verdict in URGENCY]
        if all(any(part in found[other].parts for other in others) for part in asked_for):
            kept.remove(key)
    return kept


def _in_the_order_of_use(found: Mapping[str, _Candidate], chosen: list[str]) -> list[str]:
    """The chosen changes, what mends most of what still breaks first, secure before insecure."""
    order: list[str] = []
    left = {part for key in chosen for part in found[key].parts_of(VerdictKind.BREAKS)}
    rest = list(chosen)
    place = {key: number for number, key in enumerate(chosen)}
    while rest:
        newly = {key: len(found[key].parts.keys() & left) for key in rest}
        best = min(rest, key=lambda key: (newly[key] == 0, found[key].price(newly[key]), place[key]))
        rest.remove(best)
        order.append(best)
        left -= found[best].parts.keys()
    return order
