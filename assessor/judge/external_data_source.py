"""What becomes of PolyBase: rules PB-01 and PB-02. Its driver is ODBC 17 before 2025 and ODBC 18 from then on."""

from __future__ import annotations

from dataclasses import replace

from assessor.clients.outcome import Outcome
from assessor.judge.decide import decide, not_affected, not_assessed, unknown_version
from assessor.judge.facts import UPGRADED_MAJOR, EdgeFacts
from assessor.judge.odbc import odbc_driver, odbc_outcome
from assessor.judge.verdicts import Verdict, VerdictKind
from assessor.remedies.ladder import Owner, Remedy, RemedyId
from assessor.remedies.places import Place, told_for
from assessor.topology.edges import Edge
from assessor.topology.external_data_sources import POLYBASE_SERVICES, SQL_SERVER

_DRIVER_FILE = "PolyBase ODBC Driver for SQL Server.ini"


def judge_external_data_source(edge: Edge, facts: EdgeFacts) -> Verdict:
    """The verdict on one external data source. Pure."""
    major = facts.major
    if major is None:
        return unknown_version(edge.source)
    if edge.provider == POLYBASE_SERVICES:
        return _services(edge, facts, major)
    if edge.provider is None:
        return not_assessed(
            f"The location of {edge.name} has no scheme, so nobody can say what it dials.",
            "Look at its LOCATION in sys.external_data_sources.",
        )
    if edge.provider != SQL_SERVER:
        return not_affected(f"{edge.provider}:// is no SQL Server: the change of its ODBC driver does not touch it.")
    if facts.stays_older:
        return not_affected(f"{edge.source} is not upgraded, so PolyBase there keeps its driver.")
    if edge.options is None:
        return not_assessed(
            f"The connection options of {edge.name} can't be read: {edge.options_gap or 'unknown'}",
            "Read connection_options in sys.external_data_sources yourself, and decide by rule PB-01.",
            rules=("PB-01",),
        )
    if facts.evidence is None:
        return not_assessed(
            f"The target can't be probed: {edge.endpoint_gap or 'no evidence'}",
            "Name a TCP address in the location, or probe it from the source host.",
            rules=("PB-01",),
        )
    before_driver = 17 if major < UPGRADED_MAJOR else 18
    before = odbc_outcome(odbc_driver(before_driver, facts), edge.options, edge, facts, today=True)
    after = odbc_outcome(odbc_driver(18, facts), edge.options, edge, facts, today=False)
    return _told(edge, facts, decide(edge, facts, before, after, _assumptions(facts, after)))


def _told(edge: Edge, facts: EdgeFacts, verdict: Verdict) -> Verdict:
    dialled = edge.dialled.host if edge.dialled and edge.dialled.host else edge.target
    remedies = told_for(_place(edge), verdict.remedies, dialled)
    if verdict.kind is VerdictKind.BREAKS:
        remedies = (*remedies, _older_driver(edge))
    return replace(verdict, rules=("PB-01",), remedies=remedies)


def _place(edge: Edge) -> Place:
    return Place(
        where=f"the CONNECTION_OPTIONS of {edge.name}",
        how=f"ALTER EXTERNAL DATA SOURCE on {edge.source} sets CONNECTION_OPTIONS anew as a whole: repeat what it has.",
        trust="Encrypt=Yes;TrustServerCertificate=Yes",
        optional="Encrypt=No",
        strict="Encrypt=Strict",
        mandatory="Encrypt=Yes",
        host_name="HostNameInCertificate={}",
        dial="Change the LOCATION from {old} to {new}, if that name resolves there",
        new_words_only_after=False,
    )


def _older_driver(edge: Edge) -> Remedy:
    return Remedy(
        RemedyId.LEGACY,
        f"Point PolyBase on {edge.source} back to ODBC Driver 17",
        f"Name driver 17 in {_DRIVER_FILE!r} (below binn\\PolyBase\\ODBC Drivers) and restart both PolyBase services.",
        is_secure=False,
        price="Unless told otherwise, driver 17 talks in clear text and checks nothing, for every external data source.",
        owner=Owner.SOURCE_DBA,
        only_after_upgrade=True,
        restart=True,
        on=edge.source,
        subject="PolyBase",
    )


def _assumptions(facts: EdgeFacts, after: Outcome) -> tuple[str, ...]:
    found = ["PolyBase is taken to use the ODBC driver that its version installs: its .ini file was not read."]
    if facts.is_linux and after.validated:
        found.append("Which trust store PolyBase reads on Linux is not documented; that of OpenSSL is assumed.")
    return tuple(found)


def _services(edge: Edge, facts: EdgeFacts, major: int) -> Verdict:
    """PB-02: said in the preview edition only, so nothing is promised and nothing is called broken."""
    if facts.stays_older:
        return not_affected(f"{edge.source} is not upgraded.")
    if facts.source.feature_settings.polybase_network_encryption is False:
        return not_affected("'polybase network encryption' is off, so the hop needs no certificate.", rules=("PB-02",))
    encryption = facts.source.encryption
    if encryption.loaded_thumbprint and not encryption.self_generated:
        return not_affected(
            f"{edge.source} has loaded a configured certificate, which is what the hop needs.", rules=("PB-02",)
        )
    why = (
        f"{edge.source} has only the certificate that it makes for itself"
        if encryption.self_generated
        else f"Whether {edge.source} has a certificate of its own is not known"
    )
    return not_assessed(
        f"{why}. The preview edition of the breaking changes said that the PolyBase services may then not start; the page of "
        "2026-07-02 no longer says so.",
        "Configure a CA certificate on this instance, which settles it, or set 'polybase network encryption' to 0 (the hop "
        "inside the machine is then not encrypted).",
        rules=("PB-02",),
    )
