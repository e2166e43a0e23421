"""Facts made by hand for the judge: a real certificate chain, evidence around it, an instance that dials it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from assessor.certificates.certificate import Certificate
from assessor.certificates.trust import TrustStore
from assessor.clients.options import parse_provider_string
from assessor.collect.inventory import ClientFlags, Gap, Identity, Inventory, TraceFlag
from assessor.judge.judge import Case, judge_edges
from assessor.names import parse_data_source
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass, TlsSession
from assessor.snapshot import AssessedEdge
from assessor.topology.edges import Edge, EdgeKind, ReplicationRole
from tests.topology.inventories import row

TODAY = datetime(2026, 11, 23, tzinfo=UTC)
UPGRADE = date(2026, 12, 19)
HOST = "sql01.corp.example"


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@cache
def certificate(
    subject: str,
    issuer: str,
    names: tuple[str, ...] = (),
    *,
    starts: int = -30,
    ends: int = 700,
    is_ca: bool = False,
) -> x509.Certificate:
    """A certificate of the one key; ``starts`` and ``ends`` are days from TODAY."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(TODAY + timedelta(days=starts))
        .not_valid_after(TODAY + timedelta(days=ends))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    return builder.sign(_key(), hashes.SHA256())


def pem(*chain: x509.Certificate) -> tuple[str, ...]:
    from cryptography.hazmat.primitives.serialization import Encoding

    return tuple(each.public_bytes(Encoding.PEM).decode("ascii") for each in chain)


@cache
def root() -> x509.Certificate:
    return certificate("Corp Root", "Corp Root", is_ca=True, ends=3000)


def leaf(*names: str, ends: int = 700, starts: int = -30) -> tuple[str, ...]:
    return pem(certificate(names[0] if names else HOST, "Corp Root", names or (HOST,), starts=starts, ends=ends))


def fallback() -> tuple[str, ...]:
    return pem(certificate("SSL_Self_Signed_Fallback", "SSL_Self_Signed_Fallback", ends=10000))


def store(*certificates: x509.Certificate) -> TrustStore:
    from cryptography.hazmat.primitives.serialization import Encoding

    return TrustStore(
        "source.pem", "file source.pem", tuple(Certificate(each.public_bytes(Encoding.DER)) for each in certificates)
    )


@dataclass(frozen=True)
class Given:
    """One linked server (or replication link) and its surroundings; change what a test is about with ``but``."""

    provider: str = "MSOLEDBSQL"
    product: str = ""
    provider_string: str | None = None
    options_known: bool = True
    data_source: str = HOST
    chain: tuple[str, ...] = field(default_factory=fallback)
    encryption: EncryptionAnswer = EncryptionAnswer.OFF
    tls_version: str = "TLSv1.2"
    strict: bool = False
    failure: FailureClass | None = None
    probed: bool = True
    version: str = "15.0.4430.1"
    platform: str = "Windows"
    engine_edition: int = 3
    wave: int | None = 1
    flags: ClientFlags = field(default_factory=ClientFlags)
    trace_flags: tuple[TraceFlag, ...] = ()
    gaps: tuple[Gap, ...] = ()
    trusts: tuple[x509.Certificate, ...] = ()
    kind: EdgeKind = EdgeKind.LINKED_SERVER
    role: ReplicationRole | None = None
    in_availability_group: bool = False

    def but(self, **changes: object) -> Given:
        return replace(self, **changes)  # type: ignore[arg-type]

    def edge(self) -> Edge:
        source = parse_data_source(self.data_source)
        return Edge(
            id="linked_server:src:link",
            source="SRC",
            kind=self.kind,
            name="LINK",
            target=source.host,
            dialled=source,
            provider=self.provider,
            product=self.product,
            options=parse_provider_string(self.provider_string) if self.options_known else None,
            options_gap=None if self.options_known else "ALTER ANY LINKED SERVER is missing",
            endpoint=Endpoint(source.host.lower(), 1433) if self.probed else None,
            endpoint_gap=None if self.probed else "a named pipe can't be probed",
            role=self.role,
            in_availability_group=self.in_availability_group,
        )

    def evidence(self) -> Evidence:
        endpoint = Endpoint(parse_data_source(self.data_source).host.lower(), 1433)
        if self.failure is not None:
            return Evidence(endpoint, "probehost", TODAY, failure=self.failure)
        strict_only = self.encryption is EncryptionAnswer.STRICT_ONLY
        plain = self.encryption is EncryptionAnswer.NOT_SUPPORTED
        session = TlsSession(self.tls_version, "cipher", None, self.chain)
        offers = self.strict or strict_only
        return Evidence(
            endpoint,
            "probehost",
            TODAY,
            encryption=self.encryption,
            tls=None if strict_only or plain else session,
            strict=replace(session, version="TLSv1.3", alpn="tds/8.0") if offers else None,
            strict_failure=None if offers else FailureClass.CLOSED,
        )

    def judged(self) -> AssessedEdge:
        return judge_edges([self.edge()], self.case())[0]

    def case(self) -> Case:
        """Everything around the edge, as the judge is given it."""
        identity = Identity(
            "SRC", "SRC", "SRC", "SRC", None, self.version, None, self.engine_edition, self.platform, None
        )
        linked = row(
            "LINK",
            product=self.product,
            provider=self.provider,
            data_source=self.data_source,
            provider_string=self.provider_string,
            provider_string_known=self.options_known,
        )
        inventory = Inventory(
            instance="SRC",
            identity=identity,
            client_flags=self.flags,
            trace_flags=self.trace_flags,
            linked_servers=(linked,),
            gaps=self.gaps,
        )
        trust = store(*self.trusts)
        evidence = self.evidence()
        return Case(
            inventories={"SRC": inventory},
            waves={"SRC": self.wave},
            stores={"SRC": trust},
            default_store=trust,
            evidence={evidence.endpoint.id: evidence},
            today=TODAY,
            upgrade_date=UPGRADE,
            horizon_days=90,
        )
