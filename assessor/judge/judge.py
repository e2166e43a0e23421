"""The judge: facts in, verdicts out, no I/O. The same facts give the same verdicts on any machine, at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from assessor.certificates.certificate import Certificate, UnreadableCertificate
from assessor.certificates.chain import ChainAssessment, assess_chain
from assessor.certificates.trust import TrustStore
from assessor.clients.predict import Attempt, predict
from assessor.clients.profiles import ClientProfile, load_profiles
from assessor.collect.inventory import Inventory
from assessor.judge.ad_hoc import judge_ad_hoc
from assessor.judge.availability import judge_availability
from assessor.judge.external_data_source import judge_external_data_source
from assessor.judge.facts import EdgeFacts
from assessor.judge.job_step import judge_job_step
from assessor.judge.linked_server import judge_linked_server
from assessor.judge.log_shipping import judge_log_shipping
from assessor.judge.multiserver import judge_multiserver
from assessor.judge.replication import judge_replication
from assessor.judge.second_servers import unknown_server, worst_of
from assessor.judge.usage import usages_of
from assessor.judge.vantage import choose, disagreement
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.probe.evidence import Evidence, FailureClass
from assessor.snapshot import AssessedEdge, AssessedEndpoint, CertificateSummary, ClientExpectation, FindingRecord
from assessor.topology.edges import Edge, EdgeKind

#: Finding of an endpoint that two machines saw differently.
VANTAGES_DISAGREE = "vantages_disagree"


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
    others: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)  #: further evidence, by endpoint id
    sites: Mapping[str, str] = field(default_factory=dict)  #: by the instance's address: who ran for its site

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
    return tuple(_assess(edge, _verdict(edge, case, known), case) for edge in edges)


def _verdict(edge: Edge, case: Case, known: Sequence[Certificate]) -> Verdict:
    """The worst of the verdicts on all servers that one definition may lead to."""
    main = _judge(edge, _facts(edge, case, known))
    if main.kind is VerdictKind.NOT_AFFECTED:
        return main
    others = []
    for also in edge.also:
        if also.endpoint is None or edge.dialled is None:
            others.append((also, unknown_server(also)))
            continue
        there = replace(
            edge,
            target=also.endpoint.host,
            dialled=replace(edge.dialled, host=also.host),
            endpoint=also.endpoint,
            endpoint_gap=None,
            also=(),
        )
        others.append((also, _judge(there, _facts(there, case, known))))
    return worst_of(main, others)


def judge_endpoints(case: Case) -> tuple[AssessedEndpoint, ...]:
    """What is wrong with each endpoint's certificate at the upgrade date, in the run's default store."""
    known = _known_certificates(case)
    return tuple(
        _assess_endpoint(evidence, case, known)
        for evidence in sorted(case.evidence.values(), key=lambda each: each.endpoint.id)
    )


def _known_certificates(case: Case) -> tuple[Certificate, ...]:
    """Every CA certificate any endpoint sent: it proves an intermediate that another endpoint leaves out."""
    every = [*case.evidence.values(), *(each for others in case.others.values() for each in others)]
    sent = (certificate for evidence in every for certificate in chain_of(evidence)[1:])
    return tuple(dict.fromkeys(sent))


def _facts(edge: Edge, case: Case, known: Sequence[Certificate]) -> EdgeFacts:
    evidence = case.evidence.get(edge.endpoint.id) if edge.endpoint else None
    source = case.inventories[edge.source]
    choice = None
    if evidence is not None:
        candidates = (evidence, *case.others.get(evidence.endpoint.id, ()))
        choice = choose(candidates, source, case.sites.get(edge.source))
        evidence = choice.evidence
    store = case.stores.get(edge.source, case.default_store)
    chain = chain_of(evidence)
    if evidence is not None and not store.can_judge(chain):
        evidence, chain = _without_store(evidence, edge), ()
    return EdgeFacts(
        source=source,
        wave=case.waves.get(edge.source),
        evidence=evidence,
        chain_today=assess_chain(chain, store, case.today, known=known),
        chain_after=_after(chain, store, case, known),
        store=store,
        today=case.today,
        upgrade=case.upgrade,
        horizon=case.horizon,
        from_source=choice is not None and choice.from_source,
        disagreement=choice.disagreement if choice is not None else None,
        target=case.inventories.get(edge.target),
        target_wave=case.waves.get(edge.target),
    )


def _without_store(evidence: Evidence, edge: Edge) -> Evidence:
    """A chain that was seen elsewhere, and a store of which only the part was kept that its own run needed."""
    return Evidence(
        endpoint=evidence.endpoint,
        vantage=evidence.vantage,
        probed_at=evidence.probed_at,
        failure=FailureClass.SKIPPED,
        failure_detail=(
            f"{evidence.vantage} saw a certificate whose issuer was never looked up in the trust store of {edge.source}; "
            "assess that site again with --evidence"
        ),
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
        case EdgeKind.LOG_SHIPPING:
            return judge_log_shipping(edge, facts)
        case EdgeKind.AVAILABILITY_GROUP | EdgeKind.MIRRORING:
            return judge_availability(edge, facts)
        case EdgeKind.EXTERNAL_DATA_SOURCE:
            return judge_external_data_source(edge, facts)
        case EdgeKind.AD_HOC:
            return judge_ad_hoc(edge, facts)
        case EdgeKind.JOB_STEP:
            return judge_job_step(edge, facts)
        case EdgeKind.MULTISERVER:
            return judge_multiserver(edge, facts)


def _assess(edge: Edge, verdict: Verdict, case: Case) -> AssessedEdge:
    used_by, is_usage_whole = usages_of(edge, case.inventories[edge.source])
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
        also_endpoints=tuple(dict.fromkeys(endpoint.id for endpoint in edge.also_endpoints)),
        agent=edge.agent,
        used_by=used_by,
        is_usage_whole=is_usage_whole,
    )


def _assess_endpoint(evidence: Evidence, case: Case, known: Sequence[Certificate]) -> AssessedEndpoint:
    chain = chain_of(evidence)
    others = case.others.get(evidence.endpoint.id, ())
    assessed = _after(chain, case.default_store, case, known)
    findings = [FindingRecord(finding.code.value, finding.message) for finding in assessed.findings]
    if (differs := disagreement(evidence, others)) is not None:
        findings.append(FindingRecord(VANTAGES_DISAGREE, differs))
    return AssessedEndpoint(
        id=evidence.endpoint.id,
        evidence=evidence,
        certificates=tuple(summarise(certificate) for certificate in chain),
        findings=tuple(findings),
        clients=tuple(_expectation(client, evidence, assessed) for client in load_profiles()),
        others=others,
    )


def _expectation(client: ClientProfile, evidence: Evidence, chain: ChainAssessment) -> ClientExpectation:
    attempt = Attempt(client.encrypt_default, flag2=None)
    outcome = predict(client, attempt, evidence, chain, evidence.endpoint.host)
    return ClientExpectation(client.id, outcome.connects, outcome.reason, outcome.basis)


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
