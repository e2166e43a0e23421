"""The judge: facts in, verdicts out, no I/O. The same facts give the same verdicts on any machine, at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from assessor.certificates.certificate import Certificate, UnreadableCertificate
from assessor.certificates.chain import ChainAssessment, assess_chain
from assessor.certificates.trust import TrustStore
from assessor.collect.inventory import Inventory
from assessor.judge.facts import EdgeFacts
from assessor.judge.linked_server import judge_linked_server
from assessor.judge.replication import judge_replication
from assessor.judge.verdicts import Verdict
from assessor.probe.evidence import Evidence
from assessor.snapshot import AssessedEdge, AssessedEndpoint, CertificateSummary, FindingRecord
from assessor.topology.edges import Edge, EdgeKind


@dataclass(frozen=True, slots=True)
class Case:
    """Everything one run gathered, ready to be judged."""

    inventories: Mapping[str, Inventory]  #: by the instance's address
    waves: Mapping[str, int | None]
    stores: Mapping[str, TrustStore]  #: by the instance's address
    default_store: TrustStore
    evidence: Mapping[str, Evidence]  #: by endpoint id
    today: datetime
    upgrade_date: date
    horizon_days: int

    @property
    def upgrade(self) -> datetime:
        """The planned moment: midnight UTC at the start of the upgrade date."""
        return datetime.combine(self.upgrade_date, time(), UTC)

    @property
    def horizon(self) -> timedelta:
        """How long past the upgrade a certificate should last."""
        return timedelta(days=self.horizon_days)


@cache
def _parse(pem: str) -> Certificate | None:
    try:
        return Certificate.from_pem(pem)
    except UnreadableCertificate:
        return None


def chain_of(evidence: Evidence | None) -> tuple[Certificate, ...]:
    """The certificates an endpoint sent, leaf first; cut at the first that can't be read as one."""
    chain: list[Certificate] = []
    for pem in evidence.chain if evidence else ():
        certificate = _parse(pem)
        if certificate is None:
            break
        chain.append(certificate)
    return tuple(chain)


def judge_edges(edges: Sequence[Edge], case: Case) -> tuple[AssessedEdge, ...]:
    """One verdict an edge, in the order given."""
    known = _known_certificates(case)
    return tuple(_assess(edge, _judge(edge, _facts(edge, case, known)), case) for edge in edges)


def judge_endpoints(case: Case) -> tuple[AssessedEndpoint, ...]:
    """What is wrong with each endpoint's certificate at the upgrade date, in the run's default store."""
    known = _known_certificates(case)
    return tuple(
        _assess_endpoint(evidence, case, known)
        for evidence in sorted(case.evidence.values(), key=lambda each: each.endpoint.id)
    )


def _known_certificates(case: Case) -> tuple[Certificate, ...]:
    """Every CA certificate any endpoint sent: it proves an intermediate that another endpoint leaves out."""
    sent = (certificate for evidence in case.evidence.values() for certificate in chain_of(evidence)[1:])
    return tuple(dict.fromkeys(sent))


def _facts(edge: Edge, case: Case, known: Sequence[Certificate]) -> EdgeFacts:
    evidence = case.evidence.get(edge.endpoint.id) if edge.endpoint else None
    store = case.stores.get(edge.source, case.default_store)
    chain = chain_of(evidence)
    return EdgeFacts(
        source=case.inventories[edge.source],
        wave=case.waves.get(edge.source),
        evidence=evidence,
        chain_today=assess_chain(chain, store, case.today, known=known),
        chain_after=_after(chain, store, case, known),
        store=store,
        today=case.today,
        upgrade=case.upgrade,
        horizon=case.horizon,
    )


def _after(
    chain: Sequence[Certificate], store: TrustStore, case: Case, known: Sequence[Certificate]
) -> ChainAssessment:
    return assess_chain(chain, store, case.upgrade, horizon=case.horizon, known=known)


def _judge(edge: Edge, facts: EdgeFacts) -> Verdict:
    match edge.kind:
        case EdgeKind.LINKED_SERVER:
            return judge_linked_server(edge, facts)
        case EdgeKind.REPLICATION:
            return judge_replication(edge, facts)


def _assess(edge: Edge, verdict: Verdict, case: Case) -> AssessedEdge:
    return AssessedEdge(
        id=edge.id,
        source=edge.source,
        kind=edge.kind,
        name=edge.name,
        target=edge.target,
        verdict=verdict.kind,
        rules=verdict.rules,
        reasons=verdict.reasons,
        wave=case.waves.get(edge.source),
        role=edge.role,
        detail=edge.detail,
        product=edge.product,
        provider=edge.provider,
        data_source=edge.dialled.text if edge.dialled else None,
        options=edge.options,
        endpoint=edge.endpoint.id if edge.endpoint else None,
        before=verdict.before,
        after=verdict.after,
        error=verdict.error,
        remedies=verdict.remedies,
        missing=verdict.missing,
        assumptions=verdict.assumptions,
    )


def _assess_endpoint(evidence: Evidence, case: Case, known: Sequence[Certificate]) -> AssessedEndpoint:
    chain = chain_of(evidence)
    findings = _after(chain, case.default_store, case, known).findings
    return AssessedEndpoint(
        id=evidence.endpoint.id,
        evidence=evidence,
        certificates=tuple(summarise(certificate) for certificate in chain),
        findings=tuple(FindingRecord(finding.code.value, finding.message) for finding in findings),
    )


def summarise(certificate: Certificate) -> CertificateSummary:
    """The facts of one certificate as reports show them."""
    constraints = certificate.basic_constraints
    return CertificateSummary(
        subject=certificate.subject,
        issuer=certificate.issuer,
        names=certificate.names,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        thumbprint=certificate.thumbprint,
        key=certificate.key_description,
        signature=certificate.signature_hash,
        is_ca=constraints is not None and constraints.ca,
        is_fallback=certificate.is_fallback,
    )
