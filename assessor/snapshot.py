"""A snapshot: one run, whole. Every report is a view of it, and two of them can be compared.

Written as JSON (schema version :data:`SCHEMA_VERSION`, JSON Schema in ``docs/snapshot.schema.json``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from assessor.clients.options import ConnectionOptions
from assessor.clients.outcome import Basis, Outcome, PredictedError, ReasonClass
from assessor.collect.inventory import Gap, Inventory, Usage
from assessor.judge.findings import UpgradeFinding
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import Evidence
from assessor.remedies.ladder import Remedy
from assessor.topology.edges import AgentSwitches, EdgeKind, Role

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Run:
    """When, from where and with what a snapshot was made."""

    tool_version: str
    rules_version: str  #: date of the rule pack
    started: datetime  #: with zone, UTC
    finished: datetime
    vantage: str  #: host name of the machine that ran
    driver: str  #: ODBC driver used to collect, with where it was found
    interrupted: bool
    pseudonymised: bool = False  #: names are pseudonyms and certificates are left out; the key is kept apart


@dataclass(frozen=True, slots=True)
class PlannedInstance:
    """One instance as the estate file plans it. Holds no secret."""

    address: str
    wave: int | None  #: ``None``: not upgraded
    login: str  #: ``windows``, ``sql`` or ``entra``
    trust_store: str | None  #: id of a :class:`TrustStoreRecord`
    connection: str  #: how we connected: ``validated``, ``trusted_without_validation`` or ``unencrypted``
    vantage: str | None = None  #: in a merged snapshot: the machine that ran for the instance's own site


@dataclass(frozen=True, slots=True)
class EstatePlan:
    """The estate file's plan."""

    name: str
    upgrade_date: date
    horizon_days: int  #: a certificate that ends within so many days after the upgrade makes an edge ``expires``
    instances: tuple[PlannedInstance, ...]
    trust_store: str | None = None  #: id of the store that endpoints are described with


@dataclass(frozen=True, slots=True)
class TrustStoreRecord:
    """The certificates of one trust store that matter to the chains seen, so that a snapshot can be judged again."""

    id: str
    origin: str  #: file name, or ``system store of HOST``
    certificates_total: int  #: how many the whole store holds
    certificates: tuple[str, ...]  #: PEM
    is_source: bool = True  #: taken from the source hosts; ``False``: the store of the machine that ran
    issuers: tuple[str, ...] = ()  #: SHA-256 of each issuer's name that was looked up in the whole store


@dataclass(frozen=True, slots=True)
class CertificateSummary:
    """One certificate of a chain, in words that a DBA can compare with what PKI says."""

    subject: str
    issuer: str
    names: tuple[str, ...]  #: ``DNS:…`` and ``IP:…`` of the SAN, or ``CN:…`` when there is none
    not_before: datetime
    not_after: datetime
    thumbprint: str  #: SHA-1, upper-case hex, as SQL Server writes it
    key: str  #: ``RSA 2048``, ``ECDSA secp256r1``
    signature: str  #: ``sha256``
    is_ca: bool
    is_fallback: bool  #: SQL Server's own ``SSL_Self_Signed_Fallback``


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """One thing wrong (or noteworthy) with an endpoint's certificate chain."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ClientExpectation:
    """What one client with its default options experiences at an endpoint, dialled by the endpoint's own name."""

    client: str  #: id of the client profile
    connects: bool | None  #: ``None``: it depends on something that is not known
    reason: ReasonClass
    basis: Basis


@dataclass(frozen=True, slots=True)
class AssessedEndpoint:
    """One endpoint: what was seen, and what is wrong with its certificate at the upgrade date.

    ``findings`` are against the run's default trust store and without a host name; the name check belongs
    to an edge, for each edge may dial another name.
    """

    id: str
    evidence: Evidence
    certificates: tuple[CertificateSummary, ...]
    findings: tuple[FindingRecord, ...]
    clients: tuple[ClientExpectation, ...] = ()  #: every known client, in the default store, at the upgrade date
    others: tuple[Evidence, ...] = ()  #: what other vantages saw, or the same one earlier; ``evidence`` is the best


@dataclass(frozen=True, slots=True)
class ReferencedServer:
    """A server that edges lead to and that is not in the estate file. It was probed at most, never connected to."""

    name: str  #: as first dialled
    sources: tuple[str, ...]  #: instances of the estate that refer to it
    edges: tuple[str, ...]  #: ids
    is_sql_server: bool  #: some edge dials it as a SQL Server


@dataclass(frozen=True, slots=True)
class AssessedEdge:
    """One edge with its verdict: the row of the workbook's Edges sheet."""

    id: str
    source: str
    kind: EdgeKind
    name: str
    target: str
    verdict: VerdictKind
    rules: tuple[str, ...]
    reasons: tuple[str, ...]
    wave: int | None  #: of the source
    role: Role | None
    detail: str
    product: str | None
    provider: str | None
    data_source: str | None  #: as dialled
    options: ConnectionOptions | None
    endpoint: str | None  #: id of the :class:`AssessedEndpoint`
    before: Outcome | None
    after: Outcome | None
    error: PredictedError | None
    remedies: tuple[Remedy, ...]
    missing: tuple[str, ...]
    assumptions: tuple[str, ...]
    also_endpoints: tuple[str, ...] = ()  #: ids of further endpoints it must reach: replicas, routed hosts, partners
    agent: AgentSwitches | None = None  #: of a replication agent
    used_by: tuple[Usage, ...] = ()  #: modules, synonyms and job steps that use a linked server, the last used first
    is_usage_whole: bool | None = None  #: everything was searched, so ``used_by`` is all; ``None``: no linked server


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole of one run."""

    schema_version: int
    run: Run
    estate: EstatePlan
    inventories: tuple[Inventory, ...]
    endpoints: tuple[AssessedEndpoint, ...]
    trust_stores: tuple[TrustStoreRecord, ...]
    edges: tuple[AssessedEdge, ...]
    gaps: tuple[Gap, ...]  #: of the run as a whole; each inventory has its own
    findings: tuple[UpgradeFinding, ...] = ()  #: what else the upgrade meets, on instances planned for it
    referenced: tuple[ReferencedServer, ...] = ()  #: servers outside the estate file that edges lead to
