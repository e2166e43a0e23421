"""What a probed target means: its certificate, what is wrong with it, and what each client would experience.

Pure: ``assessor probe`` gathers the evidence and prints what :func:`examine` makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from assessor.certificates.certificate import Certificate
from assessor.certificates.chain import ChainAssessment, assess_chain
from assessor.certificates.findings import Finding, FindingCode
from assessor.certificates.hostnames import CommonName, IpAddress, NameRules, covers
from assessor.certificates.trust import TrustStore
from assessor.clients.outcome import Outcome
from assessor.clients.predict import Attempt, predict
from assessor.clients.profiles import ClientProfile, Trust
from assessor.judge.judge import chain_of, summarise
from assessor.names import DataSource
from assessor.probe.evidence import Evidence
from assessor.snapshot import CertificateSummary

#: How the names of a certificate are read for the finding that no client in particular makes (RFC 6125).
_COMMON_RULES = NameRules(CommonName.WITHOUT_DNS_NAMES, IpAddress.SAN_OR_TEXT)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one client with one choice of options experiences."""

    trust_server_certificate: bool
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything ``assessor probe`` has to say about one target."""

    target: str
    evidence: Evidence
    certificates: tuple[CertificateSummary, ...]
    findings: tuple[Finding, ...]
    expectations: tuple[Expectation, ...]
    store: str  #: origin of the trust store it was judged by
    at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What to examine a target for; the same for all targets of one call."""

    clients: tuple[ClientProfile, ...]
    store: TrustStore
    at: datetime
    horizon: timedelta = timedelta(days=90)
    host_name_in_certificate: str | None = None
    pin: Certificate | None = None


def examine(data_source: DataSource, evidence: Evidence, question: Question) -> Examination:
    """Judge one target's evidence, with every encrypt × trust combination that each client has."""
    sent = chain_of(evidence)
    chain = assess_chain(sent, question.store, question.at, horizon=question.horizon)
    host = data_source.host or evidence.endpoint.host
    return Examination(
        target=data_source.text,
        evidence=evidence,
        certificates=tuple(summarise(certificate) for certificate in sent),
        findings=(*chain.findings, *_name_finding(chain, host, question)),
        expectations=tuple(_expectations(host, evidence, chain, question)),
        store=question.store.origin,
        at=question.at,
    )


def _name_finding(chain: ChainAssessment, host: str, question: Question) -> Iterator[Finding]:
    if not chain.path:
        return
    leaf = chain.path[0]
    wanted = question.host_name_in_certificate or host
    if not covers(leaf, wanted, _COMMON_RULES):
        names = ", ".join(leaf.names[:10]) or "no name at all"
        yield Finding(FindingCode.NAME_MISMATCH, f"The certificate covers {names}, not {wanted}.", 0)


def _expectations(host: str, evidence: Evidence, chain: ChainAssessment, question: Question) -> Iterator[Expectation]:
    for client in question.clients:
        for encrypt in client.encrypt_modes:
            for trust in _trust_choices(client):
                attempt = Attempt(
                    encrypt=encrypt,
                    trust=trust,
                    host_name_in_certificate=question.host_name_in_certificate,
                    pin=question.pin,
                    flag2=None,
                )
                yield Expectation(trust, predict(client, attempt, evidence, chain, host))


def _trust_choices(client: ClientProfile) -> Sequence[bool]:
    return (False,) if client.trust is Trust.NONE else (False, True)
