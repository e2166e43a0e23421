"""Snapshots made by hand: a small estate with every verdict, and one whose every name is an attack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from assessor.clients.options import ConnectionOptions, Encrypt
from assessor.clients.outcome import Basis, Outcome, PredictedError, ReasonClass
from assessor.collect.inventory import (
    ClientFlags,
    EncryptionSettings,
    Gap,
    GapKind,
    Identity,
    Inventory,
    Listener,
    TraceFlag,
)
from assessor.judge.findings import Severity, UpgradeFinding
from assessor.judge.rules import Rule, RuleStatus
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass, TlsSession
from assessor.remedies.ladder import Owner, Remedy, RemedyId
from assessor.snapshot import (
    SCHEMA_VERSION,
    AssessedEdge,
    AssessedEndpoint,
    CertificateSummary,
    EstatePlan,
    FindingRecord,
    PlannedInstance,
    Run,
    Snapshot,
    TrustStoreRecord,
)
from assessor.topology.edges import EdgeKind, ReplicationRole
from tests.judge.cases import pem, root
from tests.topology.inventories import row

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
UPGRADE = date(2026, 12, 20)

#: What a server could call itself to harm whoever reads the report.
HOSTILE = (
    '=HYPERLINK("http://attacker.example","click")',
    "=1+1",
    "@SUM(1,2)",
    "+1",
    "-1",
    "\t=1+1",
    "\r\n=1+1",
    "#N/A",
    "TRUE",
    "1e5",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "<script>alert(1)</script>",
    "]]>&amp;<!--",
    "[red]markup[/red] [link=http://attacker.example]x[/link] :boom:",
    "nul\x00inside",
    "lone\ud800surrogate",
    "\u202eLQS\u202c",
    "zero\u200bwidth\ufeff",
    "line\u2028separator\x85",
    "_x0041__x001B_",
    "\ufffe\uffff",
    "DDE|cmd!A0",
    "",
)
LONG = "x" * 40_000

UNTRUSTED = PredictedError(
    number=-2146893019,
    text="SSL Provider: The certificate chain was issued by an authority that is not trusted.",
    wrapped_in=('Msg 7303, Level 16: Cannot initialize the data source object of OLE DB provider "MSOLEDBSQL".',),
    source="clients/errors.toml",
)


def outcome(connects: bool | None = False, reason: ReasonClass = ReasonClass.UNTRUSTED_ROOT) -> Outcome:
    return Outcome(
        client="oledb19",
        encrypt=Encrypt.MANDATORY,
        connects=connects,
        reason=reason,
        validated=connects,
        explanation="The chain ends in a certificate that the source does not trust.",
        error=None if connects else UNTRUSTED,
        basis=Basis.DOCUMENTED,
    )


def certificate_remedy(target: str) -> Remedy:
    return Remedy(
        id=RemedyId.CERTIFICATE,
        title=f"Install a CA certificate on {target}",
        detail=f"Ask PKI for a server certificate with the names {target} and {target}.corp.example, bind it, restart.",
        is_secure=True,
        price="",
        owner=Owner.TARGET_DBA,
        restart=True,
    )


def trust_remedy(name: str) -> Remedy:
    return Remedy(
        id=RemedyId.TRUST,
        title=f"Trust any certificate on linked server {name}",
        detail="EXEC sp_serveroption with TrustServerCertificate=yes; set Flag2=1 on the host.",
        is_secure=False,
        price="Nobody notices an interception any more.",
        owner=Owner.SOURCE_DBA,
        only_after_upgrade=True,
    )


def edge(name: str, verdict: VerdictKind = VerdictKind.BREAKS, **changes: object) -> AssessedEdge:
    source = str(changes.pop("source", "sql01.corp.example"))
    target = str(changes.pop("target", "sql02"))
    fails = verdict in (VerdictKind.BREAKS, VerdictKind.FAILS_TODAY)
    made = AssessedEdge(
        id=f"linked_server/{source}/{name}",
        source=source,
        kind=EdgeKind.LINKED_SERVER,
        name=name,
        target=target,
        verdict=verdict,
        rules=("LS-01", "LS-02"),
        reasons=(
            "The certificate of sql02 is signed by itself, and sql01 does not trust it.",
            "After the upgrade the linked server uses OLE DB Driver 19, which validates it.",
        ),
        wave=1,
        role=None,
        detail="",
        product="SQL Server",
        provider="SQLNCLI",
        data_source="sql02",
        options=ConnectionOptions(),
        endpoint="sql02,1433",
        before=outcome(connects=True, reason=ReasonClass.CONNECTED_IN_CLEAR),
        after=outcome(connects=not fails),
        error=UNTRUSTED if fails else None,
        remedies=(certificate_remedy(target), trust_remedy(name)) if verdict is VerdictKind.BREAKS else (),
        missing=("Grant ALTER ANY LINKED SERVER to the login.",) if verdict is VerdictKind.NOT_ASSESSED else (),
        assumptions=("The trust store of the machine that ran stands for that of sql01.",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def certificate(**changes: object) -> CertificateSummary:
    made = CertificateSummary(
        subject="CN=SSL_Self_Signed_Fallback",
        issuer="CN=SSL_Self_Signed_Fallback",
        names=("CN:SSL_Self_Signed_Fallback",),
        not_before=NOON - timedelta(days=100),
        not_after=NOON + timedelta(days=10_000),
        thumbprint="0123456789ABCDEF0123456789ABCDEF01234567",
        key="RSA 2048",
        signature="sha256",
        is_ca=False,
        is_fallback=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def endpoint(host: str = "sql02", **changes: object) -> AssessedEndpoint:
    seen = Evidence(
        endpoint=Endpoint(host, 1433),
        vantage="jump01",
        probed_at=NOON,
        address="192.0.2.12",
        port=1433,
        encryption=EncryptionAnswer.OFF,
        server_version="16.0.4135",
        tls=TlsSession("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", None, ("-----BEGIN CERTIFICATE-----\n",)),
        strict_failure=FailureClass.CLOSED,
        strict_failure_detail="closed after the first TLS record",
        milliseconds=12,
    )
    made = AssessedEndpoint(
        id=f"{host},1433",
        evidence=seen,
        certificates=(certificate(),),
        findings=(FindingRecord("self_signed", "The certificate is SQL Server's own fallback: nobody can trust it."),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def inventory(address: str, **changes: object) -> Inventory:
    made = Inventory(
        instance=address,
        identity=Identity(
            server_name=address.split(".")[0].upper(),
            registered_name=address.split(".")[0].upper(),
            machine_name=address.split(".")[0].upper(),
            physical_name=None,
            instance_name=None,
            product_version="15.0.4430.1",
            edition="Enterprise Edition (64-bit)",
            engine_edition=3,
            platform="Windows",
            domain="corp.example",
        ),
        collected_at=NOON,
        collected_as="CORP\\assessor",
        connection_validated=True,
        listeners=(Listener("0.0.0.0", 1433, "TSQL"),),
        encryption=EncryptionSettings(force_encryption=False, configured_thumbprint=""),
        client_flags=ClientFlags(sni19_flag1=1, sni19_flag2=0),
        trace_flags=(TraceFlag(17600, enabled_globally=False, at_startup=None),),
        linked_servers=(
            row(
                "SQL02",
                product="SQL Server",
                provider="SQLNCLI",
                data_source="sql02",
                modified=datetime(2016, 5, 4, 3, 2, 1),
            ),
        ),
        in_availability_group=False,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def rule(rule_id: str, title: str = "A linked server validates certificates after the upgrade") -> Rule:
    return Rule(
        id=rule_id,
        title=title,
        precondition="The linked server uses MSOLEDBSQL or SQLNCLI, and nothing says otherwise.",
        consequence="Encrypt is Mandatory and the certificate is validated.",
        text_seen="Msg 7303 with -2146893019",
        remedies=("Give the target a certificate from a CA.", "Dial a name that the certificate carries."),
        status=RuleStatus.DOCUMENTED,
        sources=("sql-docs breaking changes in SQL Server 2025, 2026-07-02",),
    )


def snapshot(**changes: object) -> Snapshot:
    """Eight edges from three instances, one of which could not be reached; every verdict is there."""
    refused = Gap(
        query="linked_servers",
        kind=GapKind.HIDDEN,
        message="provider_string came back empty",
        loses="what the linked servers say about encryption",
        permission="ALTER ANY LINKED SERVER",
    )
    unreachable = Gap(
        query="connection",
        kind=GapKind.UNREACHABLE,
        message="[08001] TCP Provider: No connection could be made\r\nbecause the target machine refused it",
        loses="everything about this instance",
    )
    made = Snapshot(
        schema_version=SCHEMA_VERSION,
        run=Run("0.1.0", "2026-11-23", NOON, NOON + timedelta(minutes=4), "jump01", "ODBC Driver 18.6", False),
        estate=EstatePlan(
            name="Sales & Billing",
            upgrade_date=UPGRADE,
            horizon_days=90,
            instances=(
                PlannedInstance("sql01.corp.example", 1, "windows", "system", "validated"),
                PlannedInstance("sql02.corp.example", 2, "sql", None, "trusted_without_validation"),
                PlannedInstance("sql03.corp.example", None, "windows", "system", "validated"),
            ),
        ),
        inventories=(
            inventory("sql01.corp.example"),
            inventory("sql02.corp.example", gaps=(refused,), connection_validated=False),
            Inventory("sql03.corp.example", gaps=(unreachable,)),
        ),
        endpoints=(
            endpoint(),
            endpoint(
                "pg01",
                certificates=(),
                findings=(),
                evidence=Evidence(
                    Endpoint("pg01", 5432),
                    "jump01",
                    NOON,
                    failure=FailureClass.TIMED_OUT,
                    failure_detail="no answer within 5 s",
                ),
            ),
        ),
        trust_stores=(TrustStoreRecord("system", "system store of jump01", 140, pem(root())),),
        edges=(
            edge("WORKS_FINE", VerdictKind.WORKS),
            edge("SQL02"),
            edge("SQL02_REPORTS", options=ConnectionOptions(encrypt=Encrypt.OPTIONAL, has_text=True)),
            edge("OLD", VerdictKind.FAILS_TODAY, source="sql02.corp.example", wave=2),
            edge("SOON", VerdictKind.EXPIRES, source="sql02.corp.example", wave=2),
            edge("TRUSTING", VerdictKind.WORKS_INSECURELY),
            edge(
                "ORACLE", VerdictKind.NOT_AFFECTED, provider="OraOLEDB.Oracle", endpoint=None, before=None, after=None
            ),
            edge(
                "repl_distributor",
                VerdictKind.NOT_ASSESSED,
                source="sql02.corp.example",
                wave=2,
                kind=EdgeKind.REPLICATION,
                role=ReplicationRole.DISTRIBUTOR_LINK,
                options=None,
                after=outcome(connects=None, reason=ReasonClass.UNKNOWN),
                reasons=("Its provider string could not be read.",),
            ),
        ),
        gaps=(),
        findings=(
            UpgradeFinding(
                "UP-05",
                "sql01.corp.example",
                "support",
                Severity.NOTE,
                "Support ends.",
                "Upgrade earlier.",
                ("A page, undated",),
            ),
            UpgradeFinding(
                "FT-01",
                "sql02.corp.example",
                "database Sales",
                Severity.BREAKS,
                "2 indexes.",
                "Rebuild.",
                ("A page, undated",),
            ),
        ),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


RULES = (rule("LS-01"), rule("LS-02"), rule("RP-01", "A remote distributor is trusted only when told so"))


def hostile(texts: tuple[str, ...] = (*HOSTILE, LONG)) -> Snapshot:
    """A snapshot in which every text that a server could choose is each of ``texts`` in turn."""
    base = snapshot()
    return replace(
        base,
        estate=replace(
            base.estate,
            name=texts[0],
            instances=tuple(PlannedInstance(text, 1, text, text, text) for text in texts),
        ),
        inventories=tuple(
            inventory(
                text,
                collected_as=text,
                identity=Identity(text, text, text, text, text, text, text, 3, text, text),
                encryption=EncryptionSettings(configured_thumbprint=text, loaded_thumbprint=text),
                listeners=(Listener(text, 1, text),),
                gaps=(Gap(text, GapKind.REFUSED, text, text, text, text),),
            )
            for text in texts
        ),
        endpoints=tuple(
            endpoint(
                id=text,
                certificates=(
                    certificate(
                        subject=text, issuer=text, names=(text, text), thumbprint=text, key=text, signature=text
                    ),
                ),
                findings=(FindingRecord(text, text),),
                evidence=replace(
                    base.endpoints[0].evidence,
                    address=text,
                    server_version=text,
                    vantage=text,
                    failure=FailureClass.NOT_TDS,
                    failure_detail=text,
                    tls=TlsSession(text, text, text, (text,)),
                    strict_failure_detail=text,
                ),
            )
            for text in texts
        ),
        trust_stores=tuple(TrustStoreRecord(text, text, 1, (text,)) for text in texts),
        edges=tuple(
            edge(
                text,
                tuple(VerdictKind)[place % len(VerdictKind)],
                id=text,
                source=text,
                target=text,
                rules=(text,),
                reasons=(text, text),
                detail=text,
                product=text,
                provider=text,
                data_source=text,
                endpoint=text,
                options=ConnectionOptions(
                    host_name_in_certificate=text,
                    server_certificate=text,
                    authentication=text,
                    invalid=(text,),
                    ineffective=(text,),
                ),
                error=PredictedError(place, text, (text,), text),
                remedies=(replace(certificate_remedy(text), detail=text, price=text),),
                missing=(text,),
                assumptions=(text,),
            )
            for place, text in enumerate(texts)
        ),
        gaps=tuple(Gap(text, GapKind.FAILED, text, text) for text in texts),
        findings=tuple(UpgradeFinding(text, text, text, Severity.CHANGES, text, text, (text,)) for text in texts),
    )
