"""One run from end to end: collect, draw the topology, probe, judge. The only place that knows the whole way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from assessor import __version__
from assessor.certificates.trust import TrustStore, load_trust_store, system_trust_store
from assessor.collect.collector import collect_all
from assessor.collect.driver import Driver
from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.collect.ledger import unreached
from assessor.collect.matching import SavedOutputs, inventories_from
from assessor.concluding import Gathered, conclude, endpoints_of, skipped
from assessor.estate import Estate, EstateInstance
from assessor.judge.rules import rules_version
from assessor.probe.evidence import Endpoint, Evidence
from assessor.probe.scheduler import probe_all
from assessor.probe.settings import ProbeSettings
from assessor.snapshot import EstatePlan, PlannedInstance, Run, Snapshot
from assessor.topology.build import Topology, build_edges

NOT_PROBED = "probing was switched off with --no-probe, and no --evidence file is about it"
NOT_CONNECTED = "no saved output of this instance was found, and nothing is connected to when --inventory is given"


@dataclass(frozen=True, slots=True)
class Watch:
    """Called as a run gets on, in the caller's thread; for a progress line."""

    collected: Callable[[Inventory], None] = lambda inventory: None
    drawn: Callable[[Topology], None] = lambda topology: None
    probed: Callable[[Evidence], None] = lambda evidence: None
    noted: Callable[[str], None] = lambda text: None  #: something that was passed over and costs nothing


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What was gathered without this run: saved outputs of the collect script, and evidence from other machines."""

    saved: SavedOutputs | None = None
    evidence: tuple[Evidence, ...] = ()


def assess(
    estate: Estate,
    driver: Driver | None,
    stop: threading.Event,
    watch: Watch | None = None,
    settings: ProbeSettings | None = None,
    *,
    elsewhere: Elsewhere | None = None,
    probing: bool = True,
) -> Snapshot:
    """Run an assessment. Setting ``stop`` ends it early; what was gathered by then is judged, the rest is a gap.

    Without a ``driver`` nothing is connected to, and an instance without a saved output is a gap. Without ``probing``
    every endpoint that ``elsewhere`` has no evidence of is skipped. Raises :class:`~assessor.errors.UsageError` for a
    trust store that can't be read, before anything is dialled.
    """
    watch = watch or Watch()
    settings = settings or ProbeSettings(routes=estate.routes)
    elsewhere = elsewhere or Elsewhere()
    started = datetime.now(UTC)
    stores, default_store = _trust_stores(estate)
    inventories, gaps = _inventories(estate, driver, stop, watch, elsewhere.saved)
    topology = build_edges(inventories, [instance.address for instance in estate.instances])
    watch.drawn(topology)
    endpoints = endpoints_of(topology)
    for unused in _unused(elsewhere.evidence, endpoints):
        watch.noted(unused)
    evidence = probe_all(endpoints, settings, stop, watch.probed) if probing else ()
    run = Run(
        tool_version=__version__,
        rules_version=rules_version(),
        started=started,
        finished=datetime.now(UTC),
        vantage=settings.vantage,
        driver=str(driver) if driver is not None else "none: nothing was connected to",
        interrupted=stop.is_set(),
    )
    if not probing:
        evidence = tuple(skipped(endpoint, run, NOT_PROBED) for endpoint in endpoints)
    wanted = {endpoint.id for endpoint in endpoints}
    return conclude(
        Gathered(
            run=run,
            plan=_plan(estate, stores, default_store),
            inventories=inventories,
            topology=topology,
            evidence=(*evidence, *(each for each in elsewhere.evidence if each.endpoint.id in wanted)),
            stores=stores,
            default_store=default_store,
            gaps=gaps,
        )
    )


def _inventories(
    estate: Estate, driver: Driver | None, stop: threading.Event, watch: Watch, saved: SavedOutputs | None
) -> tuple[tuple[Inventory, ...], tuple[Gap, ...]]:
    """From saved outputs where there are some, else from the instance itself; in the estate's order."""
    found: dict[str, Inventory] = {}
    gaps: tuple[Gap, ...] = ()
    if saved is not None:
        found, gaps = inventories_from(saved, estate)
        for inventory in found.values():
            watch.collected(inventory)
    rest = tuple(instance for instance in estate.instances if instance.address not in found)
    if driver is None:
        for instance in rest:
            found[instance.address] = unreached(instance.address, GapKind.UNREACHABLE, NOT_CONNECTED)
            watch.collected(found[instance.address])
    elif rest:
        for inventory in collect_all(replace(estate, instances=rest), driver, stop, watch.collected):
            found[inventory.instance] = inventory
    return tuple(found[instance.address] for instance in estate.instances), gaps


def _unused(evidence: Iterable[Evidence], endpoints: Iterable[Endpoint]) -> Iterator[str]:
    wanted = {endpoint.id for endpoint in endpoints}
    for each in evidence:
        if each.endpoint.id not in wanted:
            yield f"evidence of {each.endpoint.id} from {each.vantage} is of no use: no edge leads there"


def _trust_stores(estate: Estate) -> tuple[Mapping[str, TrustStore], TrustStore]:
    """A store an instance, and the one that endpoints are described with: the estate's, else this machine's."""
    loaded: dict[object, TrustStore] = {}

    def store_at(path: object) -> TrustStore:
        if path not in loaded:
            loaded[path] = system_trust_store() if path is None else load_trust_store(path)  # type: ignore[arg-type]
        return loaded[path]

    stores = {instance.address: store_at(instance.trust_store) for instance in estate.instances}
    return stores, store_at(estate.trust_store)


def _plan(estate: Estate, stores: Mapping[str, TrustStore], default_store: TrustStore) -> EstatePlan:
    return EstatePlan(
        name=estate.name,
        upgrade_date=estate.upgrade_date,
        horizon_days=estate.horizon_days,
        instances=tuple(_planned(instance, stores[instance.address]) for instance in estate.instances),
        trust_store=default_store.id,
    )


def _planned(instance: EstateInstance, store: TrustStore) -> PlannedInstance:
    return PlannedInstance(
        address=instance.address,
        wave=instance.wave,
        login=instance.login.method.value,
        trust_store=store.id,
        connection=instance.connection.word,
    )
