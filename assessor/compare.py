"""What became of each connection between two runs: fixed, still open, regressed, new, gone, or not seen this time.

Pure: two snapshots in, one :class:`Comparison` out. Nothing is "gone" or "fixed" merely because nobody could look:
where the source could not be read, a query was refused or an endpoint did not answer, the edge is *not seen*.
Servers and edges are matched by :mod:`assessor.identity`, so that another spelling of an address is no change.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from assessor.clients.options import ConnectionOptions
from assessor.collect.inventory import ClientFlags, GapKind, Inventory
from assessor.errors import UsageError
from assessor.identity import Servers, pair_edges
from assessor.judge.verdicts import VerdictKind
from assessor.report.text import prose, visible
from assessor.snapshot import (
    AssessedEdge,
    AssessedEndpoint,
    CertificateSummary,
    PlannedInstance,
    Snapshot,
    TrustStoreRecord,
)
from assessor.topology.edges import EdgeKind


class EdgeFate(StrEnum):
    """What became of an edge since the older run; in the order in which people want to read them."""

    REGRESSED = "regressed"  #: it got worse: fails, breaks or expires and did not; or works, but no longer securely
    NEW = "new"  #: the definition was not there
    STILL_OPEN = "still_open"  #: it was not in order, and still is not
    NOT_SEEN = "not_seen"  #: it was known, and this time nobody could look
    FIXED = "fixed"  #: it broke, failed or was about to expire, and works now
    GONE = "gone"  #: everybody who told of it was asked again, and it is not there any more
    FIRST_ASSESSED = "first_assessed"  #: it could not be assessed, and now it was
    CHANGED = "changed"  #: another verdict, in order before and after
    UNCHANGED = "unchanged"  #: in order before and after


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """One edge in both runs. ``before`` is ``None`` for a new edge, ``after`` where it is not in the newer run."""

    fate: EdgeFate
    before: AssessedEdge | None
    after: AssessedEdge | None
    sentence: str  #: what happened, for people
    causes: tuple[str, ...]  #: what else is seen to differ and may explain it: certificate, definition, version …
    thumbprint_before: str | None  #: of the certificate that its endpoint presented; SHA-1, upper-case hex
    thumbprint_after: str | None
    restart_pending: bool = False  #: a new certificate is configured at the target, and the old one still presented

    @property
    def edge(self) -> AssessedEdge:
        """The newer of the two records."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def is_open(self) -> bool:
        """Work is left: it breaks, fails, expires, or nobody knows."""
        return self.fate is EdgeFate.NOT_SEEN or (self.after is not None and self.after.verdict in OPEN)

    @property
    def newly_breaks(self) -> bool:
        """It breaks or fails now, and nobody could have known from the older run."""
        fresh = self.fate in (EdgeFate.NEW, EdgeFate.FIRST_ASSESSED)
        return fresh and self.after is not None and self.after.verdict in FAILING


#: Verdicts of a connection that does not, or will not, connect.
FAILING = frozenset({VerdictKind.BREAKS, VerdictKind.FAILS_TODAY})
#: Verdicts that leave work to do.
OPEN = FAILING | {VerdictKind.EXPIRES, VerdictKind.NOT_ASSESSED}


class CertificateFate(StrEnum):
    """What became of the certificate that an endpoint presents."""

    REPLACED = "replaced"  #: another one, with other names or another issuer
    RENEWED = "renewed"  #: another one of the same names and issuer, valid for longer
    SHORTER = "shorter"  #: another one that ends sooner than the old one
    ENDS_SOON = "ends_soon"  #: the same one, and it ends before the upgrade date and the horizon after it
    FIRST_SEEN = "first_seen"  #: none was seen before
    NOT_SEEN = "not_seen"  #: one was seen before, and this time nobody got to see one
    SAME = "same"


@dataclass(frozen=True, slots=True)
class CertificateChange:
    """The leaf certificate of one endpoint in both runs."""

    fate: CertificateFate
    endpoint: str  #: id in the newer run, in the older one where it is not in that
    before: CertificateSummary | None
    after: CertificateSummary | None
    sentence: str
    edges: int  #: how many edges of the newer run (of the older one where it is gone) lead to the endpoint


@dataclass(frozen=True, slots=True)
class RestartPending:
    """A certificate is configured at an instance, and another one is still in use."""

    instance: str  #: address in the newer run
    configured: str  #: thumbprint in the registry
    in_use: str | None  #: thumbprint presented, else loaded by the log; ``None``: one that the server made itself
    endpoint: str | None  #: where it was seen; ``None``: the error log says so
    sentence: str


class InstanceAspect(StrEnum):
    """What of an instance changed."""

    ADDED = "added"  #: to the estate file
    REMOVED = "removed"  #: from the estate file, so nobody asked it
    UNREADABLE = "unreadable"  #: read before, and not this time
    READABLE = "readable"  #: read this time for the first time
    ADDRESS = "address"  #: the same server under another spelling
    UPGRADED = "upgraded"  #: another major version
    VERSION = "version"  #: another build
    FORCE_ENCRYPTION = "force_encryption"
    FORCE_STRICT = "force_strict"
    CERTIFICATE = "certificate"  #: another one is configured
    CLIENT_FLAGS = "client_flags"  #: of the host's OLE DB drivers
    WAVE = "wave"


@dataclass(frozen=True, slots=True)
class InstanceChange:
    """One thing about one instance that is not as it was."""

    instance: str  #: address in the newer run, in the older one where it is not in that
    aspect: InstanceAspect
    before: str  #: in words; empty where there was nothing
    after: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Transition:
    """How many edges went from one verdict to another. ``None``: not in that run."""

    before: VerdictKind | None
    after: VerdictKind | None
    edges: int


@dataclass(frozen=True, slots=True)
class RunReference:
    """Which run is meant."""

    estate: str
    started: datetime
    upgrade_date: date
    vantage: str
    tool_version: str
    rules_version: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side."""

    old: RunReference
    new: RunReference
    edges: tuple[EdgeChange, ...]  #: every edge of either run once, by fate in the order of :class:`EdgeFate`
    certificates: tuple[CertificateChange, ...]  #: every endpoint of either run once, changed ones first
    restarts_pending: tuple[RestartPending, ...]
    instances: tuple[InstanceChange, ...]
    transitions: tuple[Transition, ...]  #: only those that occur, most edges first
    notes: tuple[str, ...]  #: what else differs between the runs and so between their verdicts
    unread: tuple[str, ...] = ()  #: instances that the newer run could not read: nobody knows what starts there

    def of(self, fate: EdgeFate) -> tuple[EdgeChange, ...]:
        """The edges of one fate."""
        return tuple(change for change in self.edges if change.fate is fate)


def compare(old: Snapshot, new: Snapshot) -> Comparison:
    """Say what became of every edge, endpoint and instance between two runs of one estate.

    Raises :class:`~assessor.errors.UsageError` when the two share no instance, or when ``old`` is the newer one.
    """
    servers = Servers.of(old, new)
    _refuse_strangers(old, new, servers)
    return _Comparing(old, new, servers).comparison()


def _refuse_strangers(old: Snapshot, new: Snapshot, servers: Servers) -> None:
    if old.run.started > new.run.started:
        raise UsageError(
            f"The run to compare with was made on {old.run.started:%Y-%m-%d %H:%M}, after the other one "
            f"({new.run.started:%Y-%m-%d %H:%M}): name the older snapshot first."
        )
    ours = {servers.name_of(instance.address) for instance in new.estate.instances}
    theirs = {servers.name_of(instance.address) for instance in old.estate.instances}
    if not ours & theirs and old.run.pseudonymised != new.run.pseudonymised:
        raise UsageError("One of the snapshots has pseudonyms for names and the other has not; compare the originals.")
    if not ours & theirs:
        raise UsageError(
            f"These are snapshots of different estates, '{visible(old.estate.name)}' and '{visible(new.estate.name)}': "
            "they have no instance in common, so there is nothing to compare."
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """One run, with its parts by the name they have in both."""

    run: Snapshot
    inventories: Mapping[str, Inventory]  #: by server
    planned: Mapping[str, PlannedInstance]  #: by server
    endpoints: Mapping[str, AssessedEndpoint]  #: by id
    stores: Mapping[str, TrustStoreRecord]  #: by id

    @classmethod
    def of(cls, run: Snapshot, servers: Servers) -> _Seen:
        return cls(
            run,
            {servers.name_of(inventory.instance): inventory for inventory in run.inventories},
            {servers.name_of(planned.address): planned for planned in run.estate.instances},
            {endpoint.id: endpoint for endpoint in run.endpoints},
            {store.id: store for store in run.trust_stores},
        )

    def endpoint_of(self, edge: AssessedEdge) -> AssessedEndpoint | None:
        return self.endpoints.get(edge.endpoint) if edge.endpoint is not None else None

    def leaf_of(self, edge: AssessedEdge) -> CertificateSummary | None:
        endpoint = self.endpoint_of(edge)
        return endpoint.certificates[0] if endpoint is not None and endpoint.certificates else None

    def reached(self, edge: AssessedEdge) -> bool:
        endpoint = self.endpoint_of(edge)
        return endpoint is not None and endpoint.evidence.reachable

    def store_of(self, server: str) -> TrustStoreRecord | None:
        planned = self.planned.get(server)
        return self.stores.get(planned.trust_store or "") if planned is not None else None


class _Comparing:
    """Holds what every part of one comparison looks at."""

    def __init__(self, old: Snapshot, new: Snapshot, servers: Servers) -> None:
        self.servers = servers
        self.old, self.new = _Seen.of(old, servers), _Seen.of(new, servers)
        self.pairs = pair_edges(old.edges, new.edges, servers)
        self.certificates = self._certificates()
        self.pending = self._restarts_pending()
        self.pending_servers = {servers.name_of(each.instance) for each in self.pending}

    def comparison(self) -> Comparison:
        edges = [self._change(older, newer) for older, newer in self.pairs.both]
        edges += [self._new(edge) for edge in self.pairs.only_new]
        edges += [self._vanished(edge) for edge in self.pairs.only_old]
        place = {fate: number for number, fate in enumerate(EdgeFate)}
        edges.sort(key=lambda change: (place[change.fate], change.edge.source.lower(), change.edge.name.lower()))
        counted = Counter(
            (change.before.verdict if change.before else None, change.after.verdict if change.after else None)
            for change in edges
        )
        return Comparison(
            old=_reference(self.old.run),
            new=_reference(self.new.run),
            edges=tuple(edges),
            certificates=self.certificates,
            restarts_pending=self.pending,
            instances=tuple(self._instances()),
            transitions=tuple(Transition(before, after, number) for (before, after), number in counted.most_common()),
            notes=tuple(_notes(self.old.run, self.new.run)),
            unread=tuple(
                planned.address
                for server, planned in self.new.planned.items()
                if not _is_read(self.new.inventories.get(server))
            ),
        )

    # ------------------------------------------------------------------ edges

    def _change(self, older: AssessedEdge, newer: AssessedEdge) -> EdgeChange:
        fate, sentence = self._fate(older, newer)
        return self._edge_change(fate, older, newer, sentence, tuple(self._causes(older, newer)))

    def _new(self, edge: AssessedEdge) -> EdgeChange:
        server = self.servers.name_of(edge.source)
        causes: tuple[str, ...] = ()
        if server not in self.old.planned:
            causes = (f"{edge.source} was not in the estate file then.",)
        elif not _is_read(self.old.inventories.get(server)):
            causes = (f"{edge.source} could not be read then, so the definition may be older.",)
        elif blind := _blind_spots(None, self.old.inventories[server]):
            causes = (f"{edge.source} did not answer everything then ({blind}), so the definition may be older.",)
        return self._edge_change(EdgeFate.NEW, None, edge, f"It was not there before; {_verb(edge)}.", causes)

    def _vanished(self, edge: AssessedEdge) -> EdgeChange:
        why = self._why_not_seen(edge)
        if why is not None:
            return self._edge_change(EdgeFate.NOT_SEEN, edge, None, f"Nobody could look: {why}", ())
        sentence = f"{edge.source} was asked again, and the definition is not there any more. {_then(edge)}."
        return self._edge_change(EdgeFate.GONE, edge, None, sentence, ())

    def _edge_change(
        self,
        fate: EdgeFate,
        older: AssessedEdge | None,
        newer: AssessedEdge | None,
        sentence: str,
        causes: tuple[str, ...],
    ) -> EdgeChange:
        before = self.old.leaf_of(older) if older is not None else None
        after = self.new.leaf_of(newer) if newer is not None else None
        is_pending = (
            newer is not None
            and newer.verdict in OPEN
            and newer.endpoint is not None
            and self.servers.name_of(newer.endpoint) in self.pending_servers
        )
        return EdgeChange(
            fate,
            older,
            newer,
            sentence,
            causes,
            before.thumbprint if before else None,
            after.thumbprint if after else None,
            is_pending,
        )

    def _fate(self, older: AssessedEdge, newer: AssessedEdge) -> tuple[EdgeFate, str]:
        was, now = older.verdict, newer.verdict
        if now is VerdictKind.NOT_ASSESSED:
            reason = _first_reason(newer)
            if was is VerdictKind.NOT_ASSESSED:
                return EdgeFate.STILL_OPEN, f"It could not be assessed then, nor now: {reason}"
            if not self._was_looked_at(older, newer):
                return EdgeFate.NOT_SEEN, f"{_then(older)}, and could not be assessed this time: {reason}"
            fate = EdgeFate.STILL_OPEN if was in OPEN else EdgeFate.REGRESSED
            return fate, f"{_then(older)}; what it does now can't be said, although all was seen: {reason}"
        if was is VerdictKind.NOT_ASSESSED:
            return EdgeFate.FIRST_ASSESSED, f"It could not be assessed then; {_verb(newer)}."
        if now is VerdictKind.NOT_AFFECTED and was is VerdictKind.FAILS_TODAY and not _is_known_to_connect(newer):
            # Without evidence an edge that the upgrade leaves alone is "not affected", and may still fail today.
            return EdgeFate.NOT_SEEN, f"It failed, and whether it still does could not be seen: {_first_reason(newer)}"
        if was in FAILING or was is VerdictKind.EXPIRES:
            if now in FAILING and was is VerdictKind.EXPIRES:
                return EdgeFate.REGRESSED, f"{_then(older)}; {_verb(newer)}."
            if now in OPEN:
                return EdgeFate.STILL_OPEN, f"{_then(older)}; {_verb(newer)}."
            price = " Nobody validates the certificate, though." if now is VerdictKind.WORKS_INSECURELY else ""
            return EdgeFate.FIXED, f"{_then(older)}; {_verb(newer)}.{price}"
        if now in OPEN:
            return EdgeFate.REGRESSED, f"{_then(older)}; {_verb(newer)}."
        if now is VerdictKind.WORKS_INSECURELY and was is VerdictKind.WORKS:
            return (
                EdgeFate.REGRESSED,
                f"{_then(older)}; it still connects, but nobody validates the certificate any more.",
            )
        if now is was:
            return EdgeFate.UNCHANGED, f"As before: {_verb(newer)}."
        return EdgeFate.CHANGED, f"{_then(older)}; {_verb(newer)}."

    def _was_looked_at(self, older: AssessedEdge, newer: AssessedEdge) -> bool:
        """Everything that the older verdict rested on was seen again: the source, its definition and the endpoint."""
        source = self.servers.name_of(newer.source)
        then, now = self.old.inventories.get(source), self.new.inventories.get(source)
        if now is None or now.identity is None or (newer.options is None and older.options is not None):
            return False
        known = {(gap.query, gap.database) for gap in then.gaps} if then is not None else set()
        if any((gap.query, gap.database) not in known for gap in now.gaps):
            return False
        ends = [each for each in (newer.endpoint, *newer.also_endpoints) if each is not None]
        seen = [self.new.endpoints.get(end) for end in ends]
        if not seen or any(endpoint is None or not endpoint.evidence.reachable for endpoint in seen):
            return False
        return self.new.leaf_of(newer) is not None or self.old.leaf_of(older) is None

    def _why_not_seen(self, edge: AssessedEdge) -> str | None:
        """Why an edge of the older run could have been overlooked in the newer one; ``None``: it is really gone."""
        if self.new.run.run.interrupted and not _is_read(self.new.inventories.get(self.servers.name_of(edge.source))):
            return f"the run was interrupted before {edge.source} was read."
        source = self.servers.name_of(edge.source)
        tellers = [source]
        if edge.kind not in _TOLD_BY_THE_SOURCE_ALONE:
            tellers += self._other_tellers(edge, source)
        for server in tellers:
            if (why := self._why_blind(server)) is not None:
                return why
        return None

    def _why_blind(self, server: str) -> str | None:
        older = self.old.inventories.get(server)
        if server not in self.new.planned:
            return f"{server} is no longer in the estate file." if _is_read(older) else None
        if not _is_read(older):
            return None  # it told nothing then either
        newer = self.new.inventories.get(server)
        if newer is None or newer.identity is None:
            reason = f" ({prose(newer.gaps[0].message)})" if newer is not None and newer.gaps else ""
            return f"{server} could not be read this time{reason}."
        if blind := _blind_spots(older, newer):
            return f"{server} did not answer everything this time ({blind})."
        return None

    def _other_tellers(self, edge: AssessedEdge, source: str) -> list[str]:
        """Who else may have told of an edge: its target, and whoever shares such a conversation with either end."""
        ends = {source, self.servers.name_of(edge.target)}
        found = dict.fromkeys(ends - {source})
        for other in self.old.run.edges:
            if other.kind is edge.kind:
                partners = {self.servers.name_of(other.source), self.servers.name_of(other.target)}
                if partners & ends:
                    found.update(dict.fromkeys(sorted(partners - {source})))
        return list(found)

    def _causes(self, older: AssessedEdge, newer: AssessedEdge) -> Iterator[str]:
        """What else differs between two records of one edge."""
        before, after = self.old.leaf_of(older), self.new.leaf_of(newer)
        if before is not None and after is not None and before.thumbprint != after.thumbprint:
            yield (
                f"{newer.endpoint} presents another certificate: {before.thumbprint} until {before.not_after:%Y-%m-%d} "
                f"then, {after.thumbprint} until {after.not_after:%Y-%m-%d} now."
            )
        for change in self.certificates:
            if change.endpoint in newer.also_endpoints and change.before and change.after:
                if change.before.thumbprint != change.after.thumbprint:
                    yield f"{change.endpoint}, which it may be led to, presents another certificate. {change.sentence}"
        yield from self._endpoint_causes(older, newer)
        for what, was, now in (
            ("The data source", older.data_source, newer.data_source),
            ("The provider", older.provider, newer.provider),
            ("The product", older.product, newer.product),
        ):
            if was != now:
                yield f"{what} was {_quoted(was)} and is {_quoted(now)}."
        if older.options != newer.options:
            yield f"The definition says something else about encryption: {_options_changed(older.options, newer.options)}."
        yield from self._source_causes(older, newer)

    def _endpoint_causes(self, older: AssessedEdge, newer: AssessedEdge) -> Iterator[str]:
        then, now = self.old.endpoint_of(older), self.new.endpoint_of(newer)
        if then is None or now is None:
            return
        if then.evidence.reachable and not now.evidence.reachable:
            failure = (now.evidence.failure or "").replace("_", " ")
            yield f"{now.id} answered then, and did not this time ({failure})."
        elif now.evidence.reachable and not then.evidence.reachable:
            yield f"{now.id} did not answer then, and does now."
        elif then.evidence.encryption is not now.evidence.encryption:
            yield (
                f"{now.id} answered encryption with '{_word(then.evidence.encryption)}' then, and with "
                f"'{_word(now.evidence.encryption)}' now."
            )

    def _source_causes(self, older: AssessedEdge, newer: AssessedEdge) -> Iterator[str]:
        server = self.servers.name_of(newer.source)
        then, now = self.old.inventories.get(server), self.new.inventories.get(server)
        if then is not None and now is not None:
            was = then.identity.product_version if then.identity else None
            version = now.identity.product_version if now.identity else None
            if was and version and was.split(".")[0] != version.split(".")[0]:
                yield f"{newer.source} was upgraded from {was} to {version}."
            if then.client_flags != now.client_flags:
                yield f"Client flags of {newer.source}'s host changed: {_flags_changed(then.client_flags, now.client_flags)}."
        if older.wave != newer.wave:
            yield f"{newer.source} was in {_wave(older.wave)} and is in {_wave(newer.wave)}."
        trusted, trusts = self.old.store_of(server), self.new.store_of(server)
        if trusted is not None and trusts is not None and set(trusted.certificates) != set(trusts.certificates):
            yield f"The trust store of {newer.source} holds other certificates that matter here."

    # ------------------------------------------------------------------ certificates

    def _certificates(self) -> tuple[CertificateChange, ...]:
        leads_there = Counter(edge.endpoint for edge in self.new.run.edges)
        led_there = Counter(edge.endpoint for edge in self.old.run.edges)
        by_server: dict[str, list[AssessedEndpoint]] = defaultdict(list)
        for endpoint in self.old.run.endpoints:
            by_server[self.servers.name_of(endpoint.id)].append(endpoint)
        matched: set[str] = set()
        changes = []
        for endpoint in self.new.run.endpoints:
            alike = by_server.get(self.servers.name_of(endpoint.id), [])
            older = self.old.endpoints.get(endpoint.id) or next(iter(alike), None)
            if older is not None:
                matched.add(older.id)
            changes.append(self._certificate(endpoint.id, older, endpoint, leads_there[endpoint.id]))
        for endpoint in self.old.run.endpoints:
            if endpoint.id not in matched:
                changes.append(self._certificate(endpoint.id, endpoint, None, led_there[endpoint.id]))
        place = {fate: number for number, fate in enumerate(CertificateFate)}
        return tuple(sorted(changes, key=lambda change: (place[change.fate], change.endpoint)))

    def _certificate(
        self, name: str, older: AssessedEndpoint | None, newer: AssessedEndpoint | None, edges: int
    ) -> CertificateChange:
        before = older.certificates[0] if older is not None and older.certificates else None
        after = newer.certificates[0] if newer is not None and newer.certificates else None
        fate, sentence = self._certificate_fate(before, after, newer)
        return CertificateChange(fate, name, before, after, sentence, edges)

    def _certificate_fate(
        self, before: CertificateSummary | None, after: CertificateSummary | None, newer: AssessedEndpoint | None
    ) -> tuple[CertificateFate, str]:
        plan = self.new.run.estate
        if after is None:
            if before is None:
                return CertificateFate.SAME, "No certificate was seen, then or now."
            if newer is None:
                return CertificateFate.NOT_SEEN, "No edge leads here any more, so nobody looked."
            failure = newer.evidence.failure or newer.evidence.tls_failure
            why = f" ({failure.value.replace('_', ' ')})" if failure is not None else ""
            return CertificateFate.NOT_SEEN, f"No certificate was to be had this time{why}."
        ends = f"{after.not_after:%Y-%m-%d}"
        if before is None:
            return CertificateFate.FIRST_SEEN, f"Seen for the first time; it ends on {ends}."
        was = f"{before.not_after:%Y-%m-%d}"
        if before.thumbprint == after.thumbprint:
            last_day = plan.upgrade_date + timedelta(days=plan.horizon_days)
            if after.not_after.date() < last_day:
                days = (after.not_after.date() - plan.upgrade_date).days
                when = f"{days} days after the upgrade" if days >= 0 else f"{-days} days before the upgrade"
                return CertificateFate.ENDS_SOON, f"The same certificate as before, and it ends on {ends}, {when}."
            return CertificateFate.SAME, f"The same certificate as before; it ends on {ends}."
        if after.not_after < before.not_after and not before.is_fallback:
            return CertificateFate.SHORTER, f"Another certificate that ends on {ends}, sooner than the old one ({was})."
        if after.is_fallback and not before.is_fallback:
            return CertificateFate.REPLACED, "The server now makes its own certificate, which nobody can trust."
        is_alike = before.issuer == after.issuer and before.is_fallback is after.is_fallback
        if is_alike and set(map(str.lower, before.names)) == set(map(str.lower, after.names)):
            if after.is_fallback:
                return CertificateFate.RENEWED, "Still a certificate that the server makes for itself at each start."
            return CertificateFate.RENEWED, f"Renewed: it ended on {was}, and ends on {ends} now."
        return CertificateFate.REPLACED, f"Replaced: {_named(before)} then, {_named(after)} now, which ends on {ends}."

    def _restarts_pending(self) -> tuple[RestartPending, ...]:
        by_server: dict[str, list[AssessedEndpoint]] = defaultdict(list)
        for endpoint in self.new.run.endpoints:
            if endpoint.certificates and endpoint.evidence.reachable:
                by_server[self.servers.name_of(endpoint.id)].append(endpoint)
        found = []
        for server, inventory in self.new.inventories.items():
            configured = (inventory.encryption.configured_thumbprint or "").upper()
            if not configured:
                continue
            presented = [(endpoint.id, endpoint.certificates[0]) for endpoint in by_server.get(server, ())]
            pending = _pending(inventory, configured, presented)
            if pending is not None:
                found.append(pending)
        return tuple(found)

    # ------------------------------------------------------------------ instances

    def _instances(self) -> Iterator[InstanceChange]:
        for server, planned in self.new.planned.items():
            before = self.old.planned.get(server)
            if before is None:
                sentence = f"{planned.address} is new in the estate file."
                yield InstanceChange(planned.address, InstanceAspect.ADDED, "", planned.address, sentence)
                continue
            yield from _plan_changes(before, planned)
            then = self.old.inventories.get(server, Inventory(before.address))
            now = self.new.inventories.get(server, Inventory(planned.address))
            yield from _inventory_changes(planned.address, then, now)
        for server, planned in self.old.planned.items():
            if server not in self.new.planned:
                sentence = f"{planned.address} is no longer in the estate file, so nobody asked it."
                yield InstanceChange(planned.address, InstanceAspect.REMOVED, planned.address, "", sentence)


#: Kinds of edge that nobody but their source tells of; of the others a partner may know, too.
_TOLD_BY_THE_SOURCE_ALONE: Final = frozenset({EdgeKind.LINKED_SERVER})


def _is_read(inventory: Inventory | None) -> bool:
    return inventory is not None and inventory.identity is not None


def _blind_spots(older: Inventory | None, newer: Inventory) -> str:
    """The gaps of ``newer`` behind which an edge may hide, in words; empty when there are none.

    A value that was hidden then as now hid no edge then; anything else that did not answer counts, even if it did
    not answer then either, for another query may have told of the edge.
    """
    hidden_before = {(gap.query, gap.database) for gap in (older.gaps if older else ()) if gap.kind is GapKind.HIDDEN}
    spots = [
        gap.query + (f" in {gap.database}" if gap.database else "") + f": {gap.kind.replace('_', ' ')}"
        for gap in newer.gaps
        if gap.hides_edges and not (gap.kind is GapKind.HIDDEN and (gap.query, gap.database) in hidden_before)
    ]
    return "; ".join(dict.fromkeys(spots))


def _pending(
    inventory: Inventory, configured: str, presented: Sequence[tuple[str, CertificateSummary]]
) -> RestartPending | None:
    settings = inventory.encryption
    who, restart = inventory.instance, "restart the instance; if it stays so, see its error log"
    if presented:
        # What is on the wire counts; the log may have been cycled. One right endpoint shows that it is loaded.
        if any(leaf.thumbprint.upper() == configured for _, leaf in presented):
            return None
        if (settings.loaded_thumbprint or "").upper() == configured:
            return None  # loaded: whatever answers there is not, or not only, this instance
        endpoint, leaf = presented[0]
        sentence = f"{who} has {configured} configured, and {endpoint} still presents {leaf.thumbprint}: {restart}."
        return RestartPending(who, configured, leaf.thumbprint, endpoint, sentence)
    if settings.loaded_thumbprint and settings.loaded_thumbprint.upper() != configured:
        sentence = (
            f"{who} has {configured} configured, and loaded {settings.loaded_thumbprint} at its start: {restart}."
        )
        return RestartPending(who, configured, settings.loaded_thumbprint, None, sentence)
    if settings.self_generated and not settings.loaded_thumbprint:
        sentence = f"{who} has {configured} configured, and made a certificate of its own at its start: {restart}."
        return RestartPending(who, configured, None, None, sentence)
    return None


def _plan_changes(before: PlannedInstance, after: PlannedInstance) -> Iterator[InstanceChange]:
    if before.address != after.address:
        sentence = f"{after.address} was written {before.address} in the estate file then; it is the same server."
        yield InstanceChange(after.address, InstanceAspect.ADDRESS, before.address, after.address, sentence)
    if before.wave != after.wave:
        was, now = _wave(before.wave), _wave(after.wave)
        sentence = f"{after.address} was in {was} and is in {now}."
        yield InstanceChange(after.address, InstanceAspect.WAVE, was, now, sentence)


def _inventory_changes(address: str, then: Inventory, now: Inventory) -> Iterator[InstanceChange]:
    if then.identity is not None and now.identity is None:
        why = f": {prose(now.gaps[0].message)}" if now.gaps else ""
        sentence = f"{address} was read then, and could not be read this time{why}."
        yield InstanceChange(address, InstanceAspect.UNREADABLE, "read", "not read", sentence)
        return
    if now.identity is None:
        return
    if then.identity is None:
        sentence = f"{address} could not be read then, and was read this time."
        yield InstanceChange(address, InstanceAspect.READABLE, "not read", "read", sentence)
        return
    was, version = then.identity.product_version, now.identity.product_version
    if was != version:
        is_upgrade = then.identity.major_version != now.identity.major_version
        aspect = InstanceAspect.UPGRADED if is_upgrade else InstanceAspect.VERSION
        sentence = f"{address} was {was} and is {version}."
        yield InstanceChange(address, aspect, was, version, sentence)
    yield from _switch(address, InstanceAspect.FORCE_ENCRYPTION, then, now)
    yield from _switch(address, InstanceAspect.FORCE_STRICT, then, now)
    had, has = then.encryption.configured_thumbprint, now.encryption.configured_thumbprint
    if had is not None and has is not None and had.upper() != has.upper():
        before, after = (thumbprint or "none: the server chooses" for thumbprint in (had, has))
        sentence = f"{address} has another certificate configured: {before} then, {after} now."
        yield InstanceChange(address, InstanceAspect.CERTIFICATE, before, after, sentence)
    if then.client_flags != now.client_flags:
        changed = _flags_changed(then.client_flags, now.client_flags)
        sentence = f"The OLE DB flags of {address}'s host changed: {changed}."
        yield InstanceChange(address, InstanceAspect.CLIENT_FLAGS, "", changed, sentence)


def _switch(address: str, aspect: InstanceAspect, then: Inventory, now: Inventory) -> Iterator[InstanceChange]:
    """A setting that was switched; one that was unknown in either run was not seen to be."""
    if aspect is InstanceAspect.FORCE_ENCRYPTION:
        name, was, is_now = "Force Encryption", then.encryption.force_encryption, now.encryption.force_encryption
    else:
        name, was, is_now = "Force Strict Encryption", then.encryption.force_strict, now.encryption.force_strict
    if was is None or is_now is None or was is is_now:
        return
    before, after = ("on" if value else "off" for value in (was, is_now))
    yield InstanceChange(address, aspect, before, after, f"{name} of {address} was {before} and is {after}.")


def _notes(old: Snapshot, new: Snapshot) -> Iterator[str]:
    """What differs between two runs as such, and may change verdicts though nothing changed on any server."""
    if old.estate.name != new.estate.name:
        yield f"The estate was called '{visible(old.estate.name)}' then, and is '{visible(new.estate.name)}' now."
    if old.estate.upgrade_date != new.estate.upgrade_date:
        dates = f"was {old.estate.upgrade_date} and is {new.estate.upgrade_date}"
        yield f"The upgrade date {dates}: certificates are judged at another day."
    if old.estate.horizon_days != new.estate.horizon_days:
        yield f"The horizon was {old.estate.horizon_days} days and is {new.estate.horizon_days}."
    if old.run.rules_version != new.run.rules_version:
        yield f"The rules were those of {visible(old.run.rules_version)}, and are those of {visible(new.run.rules_version)} now."
    if old.run.tool_version != new.run.tool_version:
        yield f"The older run was made by assessor {visible(old.run.tool_version)}, the newer by {visible(new.run.tool_version)}."
    if old.run.vantage.lower() != new.run.vantage.lower():
        yield (
            f"The older run was made from {visible(old.run.vantage)}, the newer from {visible(new.run.vantage)}: "
            "names, routes and trust stores may differ."
        )
    for run, which in ((old.run, "older"), (new.run, "newer")):
        if run.interrupted:
            yield f"The {which} run was interrupted, so it is only a part."


def _reference(snapshot: Snapshot) -> RunReference:
    run, estate = snapshot.run, snapshot.estate
    return RunReference(
        estate.name, run.started, estate.upgrade_date, run.vantage, run.tool_version, run.rules_version, run.interrupted
    )


_VERBS: Final = {
    VerdictKind.BREAKS: ("it broke", "it breaks now"),
    VerdictKind.FAILS_TODAY: ("it failed", "it fails today"),
    VerdictKind.WORKS: ("it worked", "it works now"),
    VerdictKind.WORKS_INSECURELY: ("it worked insecurely", "it works insecurely now"),
    VerdictKind.EXPIRES: ("its certificate was about to expire", "its certificate expires soon after the upgrade"),
    VerdictKind.NOT_AFFECTED: ("it was not affected", "it is not affected"),
    VerdictKind.NOT_ASSESSED: ("it was not assessed", "it is not assessed"),
}


def _verb(edge: AssessedEdge) -> str:
    return _VERBS[edge.verdict][1]


def _then(edge: AssessedEdge) -> str:
    words = _VERBS[edge.verdict][0]
    return f"{words[0].upper()}{words[1:]} then"


def _first_reason(edge: AssessedEdge) -> str:
    return edge.reasons[0] if edge.reasons else "no reason is recorded."


def _is_known_to_connect(edge: AssessedEdge) -> bool:
    return edge.before is not None and edge.before.connects is True


def _quoted(text: str | None) -> str:
    return "not known" if text is None else f"'{text}'"


def _word(value: object) -> str:
    return "unknown" if value is None else str(value).replace("_", " ")


def _wave(wave: int | None) -> str:
    return "no wave" if wave is None else f"wave {wave}"


def _named(certificate: CertificateSummary) -> str:
    return f"{', '.join(certificate.names) or certificate.subject} of {certificate.issuer}"


def _options_changed(then: ConnectionOptions | None, now: ConnectionOptions | None) -> str:
    if then is None or now is None:
        return "it could not be read then" if then is None else "it could not be read this time"
    return _fields_changed(then, now)


def _flags_changed(then: ClientFlags, now: ClientFlags) -> str:
    return _fields_changed(then, now)


def _fields_changed(then: ConnectionOptions | ClientFlags, now: ConnectionOptions | ClientFlags) -> str:
    parts = []
    for field in fields(then):
        was, is_now = getattr(then, field.name), getattr(now, field.name)
        if was != is_now:
            before, after = ("not stated" if value in (None, ()) else str(value) for value in (was, is_now))
            parts.append(f"{field.name.replace('_', ' ')} {before} → {after}")
    return ", ".join(parts)
