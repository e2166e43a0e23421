"""The pure end of every run: facts in, a whole snapshot out. Shared by ``assess``, ``rejudge`` and ``merge``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assessor.certificates.trust import TrustStore
from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.judge.judge import Case, chain_of, judge_edges, judge_endpoints
from assessor.judge.replication_order import replication_order_findings, versions_seen
from assessor.judge.upgrade import by_instance, upgrade_findings
from assessor.judge.vantage import in_order
from assessor.probe.evidence import Endpoint, Evidence, FailureClass
from assessor.snapshot import (
    SCHEMA_VERSION,
    AssessedEdge,
    EstatePlan,
    ReferencedServer,
    Run,
    Snapshot,
    TrustStoreRecord,
)
from assessor.topology.build import Topology

#: How the gaps that topology leaves begin; they are found anew whenever a snapshot is judged again.
TOPOLOGY_GAP = "topology:"


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything a run brought together, wherever it came from."""

    run: Run
    plan: EstatePlan
    inventories: tuple[Inventory, ...]
    topology: Topology
    evidence: Sequence[Evidence]  #: any number an endpoint, from any vantage
    stores: Mapping[str, TrustStore]  #: by the instance's address
    default_store: TrustStore
    gaps: tuple[Gap, ...] = ()  #: of the run as a whole


def conclude(gathered: Gathered) -> Snapshot:
    """Judge what was gathered, as of the moment the run began."""
    run, plan = gathered.run, gathered.plan
    by_endpoint = _by_endpoint(gathered.topology, gathered.evidence, run)
    case = Case(
        inventories={inventory.instance: inventory for inventory in gathered.inventories},
        waves={instance.address: instance.wave for instance in plan.instances},
        stores=gathered.stores,
        default_store=gathered.default_store,
        evidence={id_: found[0] for id_, found in by_endpoint.items()},
        today=run.started,
        upgrade_date=plan.upgrade_date,
        horizon_days=plan.horizon_days,
        others={id_: found[1:] for id_, found in by_endpoint.items() if len(found) > 1},
        sites={each.address: each.vantage for each in plan.instances if each.vantage is not None},
    )
    edges = judge_edges(gathered.topology.edges, case)
    return Snapshot(
        schema_version=SCHEMA_VERSION,
        run=run,
        estate=plan,
        inventories=gathered.inventories,
        endpoints=judge_endpoints(case),
        trust_stores=_records((*gathered.stores.values(), gathered.default_store), gathered.evidence),
        edges=edges,
        gaps=(*gathered.gaps, *_left_out(gathered.topology)),
        referenced=tuple(_referenced(gathered.topology, edges)),
        findings=(
            *upgrade_findings(
                case.inventories,
                case.waves,
                by_instance([(edge.target, edge.endpoint) for edge in edges], case.evidence),
                case.upgrade_date,
            ),
            *replication_order_findings(
                gathered.topology.pairs,
                case.inventories,
                case.waves,
                versions_seen(gathered.topology.edges, case.evidence),
            ),
        ),
    )


def endpoints_of(topology: Topology) -> tuple[Endpoint, ...]:
    """Every endpoint that some edge leads to, once."""
    every = (each for edge in topology.edges for each in (edge.endpoint, *edge.also_endpoints))
    return tuple(dict.fromkeys(endpoint for endpoint in every if endpoint is not None))


def skipped(endpoint: Endpoint, run: Run, reason: str) -> Evidence:
    """The evidence of an endpoint that nobody probed."""
    return Evidence(
        endpoint=endpoint,
        vantage=run.vantage,
        probed_at=run.started,
        port=endpoint.port,
        failure=FailureClass.SKIPPED,
        failure_detail=reason,
    )


def _by_endpoint(topology: Topology, evidence: Iterable[Evidence], run: Run) -> dict[str, tuple[Evidence, ...]]:
    """All evidence of each endpoint that edges lead to, best first; the same seen twice counts once."""
    found: dict[str, list[Evidence]] = defaultdict(list)
    for each in dict.fromkeys(evidence):
        found[each.endpoint.id].append(each)
    for endpoint in endpoints_of(topology):
        if endpoint.id not in found:
            found[endpoint.id] = [skipped(endpoint, run, "nobody has probed it")]
    result = {}
    for id_, several in found.items():
        ordered = in_order(several)
        # That it was not probed here says nothing beside what was seen elsewhere.
        tried = tuple(each for each in ordered if each.failure is not FailureClass.SKIPPED)
        result[id_] = tried or ordered[:1]
    return result


def _records(stores: Iterable[TrustStore], evidence: Sequence[Evidence]) -> tuple[TrustStoreRecord, ...]:
    chains = [chain_of(each) for each in evidence]
    return tuple(
        TrustStoreRecord(
            id=store.id,
            origin=store.origin,
            certificates_total=store.total if store.total is not None else len(store.certificates),
            certificates=tuple(certificate.pem for certificate in store.relevant_to(chains)),
            is_source=store.is_source,
            issuers=tuple(sorted(store.looked_up(chains))),
        )
        for store in {store.id: store for store in stores}.values()
    )


def _left_out(topology: Topology) -> Iterator[Gap]:
    """What hints at a connection that could not be drawn: kept, so that nothing is dropped in silence."""
    for left in topology.left_out:
        yield Gap(
            query=f"{TOPOLOGY_GAP}{left.kind}",
            kind=GapKind.FAILED,
            message=f"{left.seen_at} names {left.name}: {left.reason}",
            loses=f"the fate of the connection with {left.name}",
        )


def _referenced(topology: Topology, edges: Sequence[AssessedEdge]) -> Iterator[ReferencedServer]:
    dialled = {edge.id for edge in topology.edges if edge.dialled is not None}
    for node in topology.nodes:
        if node.in_estate:
            continue
        leading = [edge for edge in edges if edge.target == node.name]
        if leading:
            yield ReferencedServer(
                name=node.name,
                sources=tuple(dict.fromkeys(edge.source for edge in leading)),
                edges=tuple(edge.id for edge in leading),
                is_sql_server=any(edge.id in dialled for edge in leading),
            )
