"""One run from end to end: collect, draw the topology, probe, judge. The only place that knows the whole way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from assessor import __version__
from assessor.certificates.trust import TrustStore, load_trust_store, system_trust_store
from assessor.collect.collector import collect_all
from assessor.collect.driver import Driver
from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.estate import Estate, EstateInstance
from assessor.judge.judge import Case, chain_of, judge_edges, judge_endpoints
from assessor.judge.rules import rules_version
from assessor.probe.evidence import Evidence
from assessor.probe.scheduler import probe_all
from assessor.probe.settings import ProbeSettings
from assessor.snapshot import SCHEMA_VERSION, EstatePlan, PlannedInstance, Run, Snapshot, TrustStoreRecord
from assessor.topology.build import Topology, build_edges


@dataclass(frozen=True, slots=True)
class Watch:
    """Called as a run gets on, in the caller's thread; for a progress line."""

    collected: Callable[[Inventory], None] = lambda inventory: None
    drawn: Callable[[Topology], None] = lambda topology: None
    probed: Callable[[Evidence], None] = lambda evidence: None


def assess(
    estate: Estate, driver: Driver, stop: threading.Event, watch: Watch | None = None, settings: ProbeSettings | None = None
) -> Snapshot:
    """Run an assessment. Setting ``stop`` ends it early; what was gathered by then is judged, the rest is a gap.

    Raises :class:`~assessor.errors.UsageError` for a trust store that can't be read, before anything is dialled.
    """
    watch = watch or Watch()
    settings = settings or ProbeSettings(routes=estate.routes)
    started = datetime.now(UTC)
    stores, default_store = _trust_stores(estate)
    inventories = collect_all(estate, driver, stop, watch.collected)
    topology = build_edges(inventories, [instance.address for instance in estate.instances])
    watch.drawn(topology)
    endpoints = [edge.endpoint for edge in topology.edges if edge.endpoint is not None]
    evidence = probe_all(endpoints, settings, stop, watch.probed)
    case = Case(
        inventories={inventory.instance: inventory for inventory in inventories},
        waves={instance.address: instance.wave for instance in estate.instances},
        stores=stores,
        default_store=default_store,
        evidence={each.endpoint.id: each for each in evidence},
        today=started,
        upgrade_date=estate.upgrade_date,
        horizon_days=estate.horizon_days,
    )
    return Snapshot(
        schema_version=SCHEMA_VERSION,
        run=Run(
            tool_version=__version__,
            rules_version=rules_version(),
            started=started,
            finished=datetime.now(UTC),
            vantage=settings.vantage,
            driver=str(driver),
            interrupted=stop.is_set(),
        ),
        estate=_plan(estate, stores),
        inventories=inventories,
        endpoints=judge_endpoints(case),
        trust_stores=_records((*stores.values(), default_store), evidence),
        edges=judge_edges(topology.edges, case),
        gaps=_gaps(topology),
    )


def _trust_stores(estate: Estate) -> tuple[Mapping[str, TrustStore], TrustStore]:
    """A store an instance, and the one that endpoints are described with: the estate's, else this machine's."""
    loaded: dict[object, TrustStore] = {}

    def store_at(path: object) -> TrustStore:
        if path not in loaded:
            loaded[path] = system_trust_store() if path is None else load_trust_store(path)  # type: ignore[arg-type]
        return loaded[path]

    stores = {instance.address: store_at(instance.trust_store) for instance in estate.instances}
    return stores, store_at(estate.trust_store)


def _records(stores: Iterable[TrustStore], evidence: Sequence[Evidence]) -> tuple[TrustStoreRecord, ...]:
    chains = [chain_of(each) for each in evidence]
    return tuple(
        TrustStoreRecord(
            id=store.id,
            origin=store.origin,
            certificates_total=len(store.certificates),
            certificates=tuple(certificate.pem for certificate in store.relevant_to(chains)),
        )
        for store in {store.id: store for store in stores}.values()
    )


def _plan(estate: Estate, stores: Mapping[str, TrustStore]) -> EstatePlan:
    return EstatePlan(
        name=estate.name,
        upgrade_date=estate.upgrade_date,
        horizon_days=estate.horizon_days,
        instances=tuple(_planned(instance, stores[instance.address]) for instance in estate.instances),
    )


def _planned(instance: EstateInstance, store: TrustStore) -> PlannedInstance:
    return PlannedInstance(
        address=instance.address,
        wave=instance.wave,
        login=instance.login.method.value,
        trust_store=store.id,
        connection=instance.connection.word,
    )


def _gaps(topology: Topology) -> tuple[Gap, ...]:
    """What hints at a connection that could not be drawn: kept, so that nothing is dropped in silence."""
    return tuple(
        Gap(
            query=f"topology:{left.kind}",
            kind=GapKind.FAILED,
            message=f"{left.seen_at} names {left.name}: {left.reason}",
            loses=f"the fate of the connection with {left.name}",
        )
        for left in topology.left_out
    )
