"""The workbook's tables: a snapshot as rows, one frozen type of row a sheet. Pure; looks belong to
``workbook.py``.

Each row type says with its annotations how a column is headed and how wide it is; the order of the fields
is the order of the columns. Every text in a row has passed :func:`~assessor.report.text.visible` or
:func:`~assessor.report.text.prose`, so its only control character is the line feed that this module put
there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.judge.findings import Severity
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import EncryptionAnswer
from assessor.remedies.ladder import Remedy
from assessor.report.answer import by_urgency, connection_way
from assessor.report.text import prose, visible
from assessor.report.usage import used_by_words
from assessor.report.words import NOT_STATED, SEVERITIES, UNKNOWN, VERDICTS, connection_words, kind_words, numbered
from assessor.snapshot import AssessedEdge, AssessedEndpoint, PlannedInstance, Snapshot

if TYPE_CHECKING:
    import pandas as pd

    from assessor.judge.rules import Rule

EDGES: Final = "Edges"
ENDPOINTS: Final = "Endpoints"
INSTANCES: Final = "Instances"
FINDINGS: Final = "Upgrade findings"
NOT_ASSESSED: Final = "Not assessed"
RULES: Final = "Rules"

#: Excel's dates begin in 1900 and have a day that never was, 1900-02-29; from March on they are right.
_FIRST_EXCEL_DATE: Final = datetime(1900, 3, 1)

#: What the server's answer means for a client that does not ask for encryption; "off" alone would mislead.
_ENCRYPTION: Final[dict[EncryptionAnswer, str]] = {
    EncryptionAnswer.OFF: "available, not forced",
    EncryptionAnswer.ON: "on",
    EncryptionAnswer.NOT_SUPPORTED: "not supported",
    EncryptionAnswer.REQUIRED: "forced",
    EncryptionAnswer.STRICT_ONLY: "strict only",
}
#: How to close a gap for which no permission is named.
_MENDS: Final[dict[GapKind, str]] = {
    GapKind.UNREACHABLE: "Check address, port, firewall and SQL Browser from the machine that ran, and run again.",
    GapKind.LOGIN_FAILED: "Give the login access to the instance, and run again.",
    GapKind.REFUSED: "Give the login the right to run the query, and run again.",
    GapKind.HIDDEN: "Give the login the right to see the value, and run again.",
    GapKind.FAILED: "See what the server said, mend it, and run again.",
    GapKind.TIMED_OUT: "Run again when the instance is less busy, or with a longer timeout.",
    GapKind.INTERRUPTED: "Run again, and let it finish.",
}


@dataclass(frozen=True, slots=True)
class Column:
    """How one field of a row is shown."""

    heading: str
    width: int  #: in characters of the standard font
    links_to: str | None = None  #: title of the sheet whose first column holds this value


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet's rows, ready to be written.

    ``frame`` has one column for each of ``columns``, by heading, all of dtype ``object``: pandas may not
    turn an integer with a gap into a float, nor a date into a time stamp.
    """

    title: str
    columns: tuple[Column, ...]
    frame: pd.DataFrame
    frozen: int  #: leading columns that stay in view
    printed: int  #: leading columns that go on paper; the rest would make the print too small to read


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """One connection: first what a change board decides on, then what backs it."""

    verdict: Annotated[str, Column("Verdict", 18)]
    source: Annotated[str, Column("Source", 20, INSTANCES)]
    name: Annotated[str, Column("Name", 19)]
    target: Annotated[str, Column("Target", 19)]
    wave: Annotated[int | None, Column("Wave", 7)]
    reasons: Annotated[str, Column("Reasons", 50)]
    error_number: Annotated[int | None, Column("Error number", 14)]
    remedy: Annotated[str, Column("First remedy", 34)]
    owner: Annotated[str, Column("Owner", 17)]
    rules: Annotated[str, Column("Rules", 11, RULES)]
    # On screen only from here on.
    kind: Annotated[str, Column("Kind", 14)]
    missing: Annotated[str, Column("What is missing", 30)]
    error_text: Annotated[str, Column("Error text", 70)]
    detail: Annotated[str, Column("Detail", 24)]
    dialled: Annotated[str, Column("Dialled", 28)]
    endpoint: Annotated[str, Column("Endpoint", 26, ENDPOINTS)]
    provider: Annotated[str, Column("Provider", 14)]
    product: Annotated[str, Column("Product", 14)]
    encrypt: Annotated[str, Column("Encrypt", 12)]
    trust: Annotated[bool | str, Column("Trust server certificate", 13)]
    host_name: Annotated[str, Column("Host name in certificate", 24)]
    pinned: Annotated[str, Column("Server certificate", 20)]
    authentication: Annotated[str, Column("Authentication", 16)]
    bad_options: Annotated[str, Column("Options that do nothing or fail", 26)]
    client_before: Annotated[str, Column("Client today", 16)]
    before: Annotated[str, Column("Today", 36)]
    client_after: Annotated[str, Column("Client after", 16)]
    after: Annotated[str, Column("After", 36)]
    basis: Annotated[str, Column("Basis", 13)]
    remedies: Annotated[str, Column("All remedies, most secure first", 100)]
    assumptions: Annotated[str, Column("Assumptions", 60)]
    used_by: Annotated[str, Column("Used by", 40)]
    last_used: Annotated[datetime | str | None, Column("Last used (local)", 17)]
    id: Annotated[str, Column("Id", 36)]


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One address that accepts connections: what it showed, and what is wrong with its certificate."""

    id: Annotated[str, Column("Endpoint", 34)]
    findings: Annotated[str, Column("Findings", 42)]
    breaking: Annotated[int, Column("Edges that break", 11)]
    edges: Annotated[int, Column("Edges", 8)]
    encryption: Annotated[str, Column("Encryption", 15)]
    failure: Annotated[str, Column("Why no answer", 24)]
    names: Annotated[str, Column("Names in certificate", 36)]
    not_after: Annotated[datetime | str | None, Column("Valid until (UTC)", 17)]
    days_left: Annotated[int | None, Column("Days left at upgrade", 10)]
    issuer: Annotated[str, Column("Issuer", 29)]
    # On screen only from here on.
    fallback: Annotated[bool | None, Column("Fallback certificate", 12)]
    thumbprint: Annotated[str, Column("Thumbprint (SHA-1)", 24)]
    subject: Annotated[str, Column("Subject", 26)]
    not_before: Annotated[datetime | str | None, Column("Valid from (UTC)", 17)]
    key: Annotated[str, Column("Key", 14)]
    signature: Annotated[str, Column("Signature", 12)]
    chain: Annotated[str, Column("Chain as sent", 50)]
    server_version: Annotated[str, Column("Server version", 14)]
    tls: Annotated[str, Column("TLS inside TDS 7", 30)]
    strict: Annotated[str, Column("TLS first (TDS 8)", 30)]
    address: Annotated[str, Column("Address", 18)]
    port: Annotated[int | None, Column("Port", 8)]
    probed_at: Annotated[datetime | str | None, Column("Probed at (UTC)", 17)]
    vantage: Annotated[str, Column("Probed from", 20)]
    milliseconds: Annotated[int, Column("Milliseconds", 12)]


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One instance of the estate: the plan, who it says it is, its settings, and what it did not tell."""

    address: Annotated[str, Column("Instance", 24)]
    wave: Annotated[int | None, Column("Wave", 7)]
    read: Annotated[str, Column("Read", 11)]
    breaking: Annotated[int, Column("Edges that break", 11)]
    edges: Annotated[int, Column("Edges from it", 8)]
    connection: Annotated[str, Column("How we connected", 32)]
    version: Annotated[str, Column("Version", 14)]
    force_encryption: Annotated[bool | str, Column("Force encryption", 12)]
    gap_count: Annotated[int, Column("Gaps", 7)]
    gaps: Annotated[str, Column("What it did not tell", 48)]
    # On screen only from here on.
    server_name: Annotated[str, Column("Server name", 22)]
    edition: Annotated[str, Column("Edition", 22)]
    platform: Annotated[str, Column("Platform", 10)]
    force_strict: Annotated[bool | str, Column("Force strict", 10)]
    hidden: Annotated[bool | str, Column("Hidden from Browser", 12)]
    configured_thumbprint: Annotated[str, Column("Certificate configured", 24)]
    loaded_thumbprint: Annotated[str, Column("Certificate loaded", 24)]
    self_generated: Annotated[bool | str, Column("Uses fallback certificate", 12)]
    trace_flags: Annotated[str, Column("Trace flags", 22)]
    client_flags: Annotated[str, Column("Client flags of the host", 26)]
    listeners: Annotated[str, Column("Listens on", 26)]
    linked_servers: Annotated[int | str, Column("Linked servers", 9)]
    availability_group: Annotated[bool | str, Column("In availability group", 12)]
    registered_name: Annotated[str, Column("@@SERVERNAME", 22)]
    physical_name: Annotated[str, Column("Node", 18)]
    domain: Annotated[str, Column("Domain", 20)]
    login: Annotated[str, Column("Login kind", 11)]
    collected_as: Annotated[str, Column("Collected as", 20)]
    collected_at: Annotated[datetime | str | None, Column("Collected at (UTC)", 17)]
    trust_store: Annotated[str, Column("Trust store", 22)]


@dataclass(frozen=True, slots=True)
class MissingRow:
    """One thing that is not known: a connection without a verdict, or a fact that could not be read."""

    what: Annotated[str, Column("What", 13)]
    instance: Annotated[str, Column("Instance", 22)]
    subject: Annotated[str, Column("Connection or query", 26)]
    why: Annotated[str, Column("Why", 42)]
    loses: Annotated[str, Column("What is lost", 38)]
    mend: Annotated[str, Column("How to get it", 38)]


@dataclass(frozen=True, slots=True)
class UpgradeFindingRow:
    """One thing that the upgrade of an instance meets beside its connections."""

    severity: Annotated[str, Column("Severity", 13)]
    instance: Annotated[str, Column("Instance", 22, INSTANCES)]
    subject: Annotated[str, Column("About", 24)]
    message: Annotated[str, Column("What was found", 52)]
    what_to_do: Annotated[str, Column("What to do", 48)]
    rule: Annotated[str, Column("Rule", 9, RULES)]
    # On screen only from here on.
    sources: Annotated[str, Column("Sources", 44)]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule of the pack, or a rule that an edge cites and the pack does not have."""

    id: Annotated[str, Column("Rule", 9)]
    title: Annotated[str, Column("Title", 28)]
    edges: Annotated[int, Column("Edges that cite it", 11)]
    precondition: Annotated[str, Column("When", 32)]
    consequence: Annotated[str, Column("Then", 32)]
    text_seen: Annotated[str, Column("Text that is seen", 28)]
    remedies: Annotated[str, Column("Remedies", 56)]
    status: Annotated[str, Column("Status", 13)]
    # On screen only from here on.
    note: Annotated[str, Column("Note", 34)]
    sources: Annotated[str, Column("Sources", 44)]


def tables(snapshot: Snapshot, rules: Sequence[Rule]) -> tuple[Table, ...]:
    """Every table of the workbook, in the order of its sheets; the Summary is not a table."""
    return (
        table_of(EDGES, EdgeRow, [_edge_row(edge) for edge in by_urgency(snapshot)], frozen=3, printed=10),
        table_of(ENDPOINTS, EndpointRow, _endpoint_rows(snapshot), frozen=1, printed=10),
        table_of(INSTANCES, InstanceRow, _instance_rows(snapshot), frozen=1, printed=10),
        table_of(FINDINGS, UpgradeFindingRow, _upgrade_finding_rows(snapshot), frozen=3, printed=6),
        table_of(NOT_ASSESSED, MissingRow, _missing_rows(snapshot), frozen=0, printed=6),
        table_of(RULES, RuleRow, _rule_rows(snapshot, rules), frozen=1, printed=8),
    )


def counts_by_source(snapshot: Snapshot) -> pd.DataFrame:
    """Edges by source (index, raw text) and verdict (columns, each :class:`VerdictKind`), zeros included.

    Most breaking edges first. Every instance of the estate has a row, also one that nothing is known of.
    """
    import pandas as pd  # here and below: loading it takes longer than most commands that draw no table

    edges = pd.DataFrame(
        [(edge.source, edge.verdict.value) for edge in snapshot.edges], columns=["source", "verdict"], dtype=object
    )
    crossed = pd.crosstab(edges["source"], edges["verdict"])
    planned = [instance.address for instance in snapshot.estate.instances]
    sources = list(dict.fromkeys([*planned, *(edge.source for edge in snapshot.edges)]))
    crossed = crossed.reindex(index=sources, columns=[kind.value for kind in VERDICTS], fill_value=0).astype(int)
    return crossed.sort_values(list(crossed.columns), ascending=False, kind="stable")


def in_utc(moment: datetime | None) -> datetime | str | None:
    """A moment as Excel can hold it: UTC and without zone. Text where Excel's calendar does not reach."""
    if moment is None:
        return None
    try:
        plain = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError:  # year 1 or 9999, and the zone pushes it over the edge
        return moment.isoformat()
    return plain.replace(microsecond=0) if plain >= _FIRST_EXCEL_DATE else moment.isoformat()


def table_of(title: str, row_type: type[Any], rows: Iterable[Any], *, frozen: int, printed: int) -> Table:
    """A table of rows of one type, whose annotations say how its columns look."""
    hints = get_type_hints(row_type, include_extras=True)
    columns = tuple(hints[field.name].__metadata__[0] for field in fields(row_type))
    values = [tuple(getattr(row, field.name) for field in fields(row_type)) for row in rows]
    return table_with(title, columns, values, frozen=frozen, printed=printed)


def table_with(
    title: str, columns: tuple[Column, ...], values: Sequence[tuple[object, ...]], *, frozen: int, printed: int
) -> Table:
    """A table of these columns, with a tuple of values a row."""
    import pandas as pd

    frame = pd.DataFrame(values, columns=[column.heading for column in columns], dtype=object)
    return Table(title, columns, frame, frozen, printed)


def _edge_row(edge: AssessedEdge) -> EdgeRow:
    options, error = edge.options, edge.error
    decided_by = edge.after or edge.before
    first = edge.remedies[0] if edge.remedies else None
    return EdgeRow(
        verdict=VERDICTS[edge.verdict].label,
        source=visible(edge.source),
        name=visible(edge.name),
        target=visible(edge.target),
        kind=kind_words(edge.kind, edge.role),
        wave=edge.wave,
        reasons=numbered([prose(reason) for reason in edge.reasons]),
        error_number=error.number if error else None,
        remedy=prose(first.title) if first else "",
        owner=first.owner.value if first else "",
        missing=numbered([prose(item) for item in edge.missing]),
        rules=", ".join(visible(rule) for rule in edge.rules),
        error_text="\n".join(prose(text) for text in (*error.wrapped_in, error.text)) if error else "",
        detail=prose(edge.detail),
        dialled=_known(edge.data_source),
        endpoint=visible(edge.endpoint) if edge.endpoint is not None else "",
        provider=_known(edge.provider),
        product=_known(edge.product),
        encrypt=_stated(options.encrypt) if options else UNKNOWN,
        trust=_option(options.trust_server_certificate) if options else UNKNOWN,
        host_name=_stated(options.host_name_in_certificate) if options else UNKNOWN,
        pinned=_stated(options.server_certificate) if options else UNKNOWN,
        authentication=_stated(options.authentication) if options else UNKNOWN,
        bad_options="\n".join(visible(text) for text in (*options.invalid, *options.ineffective))
        if options
        else UNKNOWN,
        client_before=visible(edge.before.client) if edge.before else "",
        before=prose(edge.before.explanation) if edge.before else "",
        client_after=visible(edge.after.client) if edge.after else "",
        after=prose(edge.after.explanation) if edge.after else "",
        basis=decided_by.basis.value if decided_by else "",
        remedies=numbered([_remedy(remedy) for remedy in edge.remedies]),
        assumptions=numbered([prose(assumption) for assumption in edge.assumptions]),
        used_by=used_by_words(edge),
        last_used=in_utc(max((usage.last_used for usage in edge.used_by if usage.last_used), default=None)),
        id=visible(edge.id),
    )


def _remedy(remedy: Remedy) -> str:
    """A remedy whole, in one line: how, by whom, at what price."""
    parts = [prose(remedy.title).rstrip(".") + ".", prose(remedy.detail), f"({remedy.owner.value})"]
    if not remedy.is_secure:
        parts.append("NOT SECURE.")
    if remedy.price:
        parts.append(f"Price: {prose(remedy.price)}")
    if remedy.only_after_upgrade:
        parts.append("Possible only after the upgrade.")
    if remedy.restart:
        parts.append("Needs a restart.")
    return " ".join(part for part in parts if part)


def _endpoint_rows(snapshot: Snapshot) -> list[EndpointRow]:
    verdicts: dict[str, list[VerdictKind]] = defaultdict(list)
    for edge in snapshot.edges:
        if edge.endpoint is not None:
            verdicts[edge.endpoint].append(edge.verdict)
    rows = [_endpoint_row(item, verdicts[item.id], snapshot.estate.upgrade_date) for item in snapshot.endpoints]
    return sorted(rows, key=lambda row: (-row.breaking, row.id.casefold()))


def _endpoint_row(item: AssessedEndpoint, verdicts: list[VerdictKind], upgrade: date) -> EndpointRow:
    seen = item.evidence
    leaf = item.certificates[0] if item.certificates else None
    return EndpointRow(
        id=visible(item.id),
        findings=numbered([prose(finding.message) for finding in item.findings]),
        breaking=verdicts.count(VerdictKind.BREAKS),
        edges=len(verdicts),
        encryption=_ENCRYPTION[seen.encryption] if seen.encryption else UNKNOWN,
        failure=_failure(seen.failure, seen.failure_detail),
        names="\n".join(visible(name) for name in leaf.names) if leaf else UNKNOWN,
        issuer=visible(leaf.issuer) if leaf else UNKNOWN,
        not_after=in_utc(leaf.not_after) if leaf else UNKNOWN,
        days_left=(leaf.not_after.date() - upgrade).days if leaf else None,
        fallback=leaf.is_fallback if leaf else None,
        thumbprint=visible(leaf.thumbprint) if leaf else UNKNOWN,
        subject=visible(leaf.subject) if leaf else UNKNOWN,
        not_before=in_utc(leaf.not_before) if leaf else UNKNOWN,
        key=visible(leaf.key) if leaf else UNKNOWN,
        signature=visible(leaf.signature) if leaf else UNKNOWN,
        chain=numbered([f"{visible(one.subject)}, issued by {visible(one.issuer)}" for one in item.certificates]),
        server_version=_known(seen.server_version),
        tls=f"{visible(seen.tls.version)} {visible(seen.tls.cipher)}"
        if seen.tls
        else _failure(seen.tls_failure, seen.tls_failure_detail),
        strict=f"{visible(seen.strict.version)} {visible(seen.strict.cipher)}"
        if seen.strict
        else _failure(seen.strict_failure, seen.strict_failure_detail),
        address=_known(seen.address),
        port=seen.port,
        probed_at=in_utc(seen.probed_at),
        vantage=visible(seen.vantage),
        milliseconds=seen.milliseconds,
    )


def _instance_rows(snapshot: Snapshot) -> list[InstanceRow]:
    inventories = {inventory.instance: inventory for inventory in snapshot.inventories}
    stores = {store.id: store.origin for store in snapshot.trust_stores}
    edges = Counter(edge.source for edge in snapshot.edges)
    breaking = Counter(edge.source for edge in snapshot.edges if edge.verdict is VerdictKind.BREAKS)
    return [
        _instance_row(
            planned,
            inventories.get(planned.address, Inventory(planned.address)),
            edges[planned.address],
            breaking[planned.address],
            "the default store"
            if planned.trust_store is None
            else stores.get(planned.trust_store, planned.trust_store),
        )
        for planned in snapshot.estate.instances
    ]


def _instance_row(plan: PlannedInstance, read: Inventory, edges: int, breaking: int, trust_store: str) -> InstanceRow:
    who, settings, flags = read.identity, read.encryption, read.client_flags
    client_flags = {
        "SNI18 Flag1": flags.sni18_flag1,
        "SNI18 Flag2": flags.sni18_flag2,
        "SNI19 Flag1": flags.sni19_flag1,
        "SNI19 Flag2": flags.sni19_flag2,
    }
    return InstanceRow(
        address=visible(plan.address),
        wave=plan.wave,
        read="? not read" if who is None else "~ in part" if read.gaps else "✓ in full",
        breaking=breaking,
        edges=edges,
        connection=connection_words(connection_way(plan, read)),
        server_name=_known(who.server_name if who else None),
        version=_known(who.product_version if who else None),
        edition=_known(who.edition if who else None),
        platform=_known(who.platform if who else None),
        force_encryption=_fact(settings.force_encryption),
        force_strict=_fact(settings.force_strict),
        gap_count=len(read.gaps),
        gaps=numbered([_gap_place(gap) + ": " + prose(gap.loses) for gap in read.gaps]),
        hidden=_fact(settings.hide_instance),
        configured_thumbprint="the server chooses"
        if settings.configured_thumbprint == ""
        else _known(settings.configured_thumbprint),
        loaded_thumbprint=_known(settings.loaded_thumbprint),
        self_generated=_fact(settings.self_generated),
        trace_flags="\n".join(
            f"{flag.number} {'on' if flag.enabled_globally else 'off'}"
            + {True: ", set at start", False: ", not set at start", None: ""}[flag.at_startup]
            for flag in read.trace_flags
        ),
        client_flags="\n".join(f"{name} = {UNKNOWN if flag is None else flag}" for name, flag in client_flags.items()),
        listeners="\n".join(f"{visible(one.address)} {one.port} {visible(one.kind)}" for one in read.listeners),
        linked_servers=UNKNOWN if who is None or read.lacks("linked_servers") else len(read.linked_servers),
        availability_group=_fact(read.in_availability_group),
        registered_name=_known(who.registered_name if who else None),
        physical_name=_known(who.physical_name if who else None),
        domain=_known(who.domain if who else None),
        login=visible(plan.login),
        collected_as=_known(read.collected_as),
        collected_at=in_utc(read.collected_at),
        trust_store=visible(trust_store),
    )


def _upgrade_finding_rows(snapshot: Snapshot) -> list[UpgradeFindingRow]:
    order = list(Severity)
    return [
        UpgradeFindingRow(
            severity=SEVERITIES[finding.severity],
            instance=visible(finding.instance),
            subject=visible(finding.subject),
            message=prose(finding.message),
            what_to_do=prose(finding.what_to_do),
            rule=visible(finding.rule),
            sources="\n".join(visible(source) for source in finding.sources),
        )
        for finding in sorted(snapshot.findings, key=lambda each: order.index(each.severity))
    ]


def _missing_rows(snapshot: Snapshot) -> list[MissingRow]:
    rows = [
        MissingRow(
            what="connection",
            instance=visible(edge.source),
            subject=f"{visible(edge.name)} → {visible(edge.target)}",
            why=numbered([prose(reason) for reason in edge.reasons]),
            loses="whether this connection survives the upgrade",
            mend=numbered([prose(item) for item in edge.missing]),
        )
        for edge in by_urgency(snapshot)
        if edge.verdict is VerdictKind.NOT_ASSESSED
    ]
    rows += [_gap_row("the run", gap) for gap in snapshot.gaps]
    rows += [_gap_row(visible(inventory.instance), gap) for inventory in snapshot.inventories for gap in inventory.gaps]
    read = {inventory.instance for inventory in snapshot.inventories}
    rows += [
        MissingRow(
            what="instance",
            instance=visible(planned.address),
            subject="everything",
            why="the run never came to it",
            loses="every connection that starts here",
            mend="Run the assessment again.",
        )
        for planned in snapshot.estate.instances
        if planned.address not in read
    ]
    return rows


def _gap_row(instance: str, gap: Gap) -> MissingRow:
    return MissingRow(
        what="fact",
        instance=instance,
        subject=_gap_place(gap),
        why=f"{gap.kind.value.replace('_', ' ')}: {prose(gap.message)}",
        loses=prose(gap.loses),
        mend=f"Grant {prose(gap.permission)} to the login, and run again." if gap.permission else _MENDS[gap.kind],
    )


def _rule_rows(snapshot: Snapshot, rules: Sequence[Rule]) -> list[RuleRow]:
    cited = Counter(rule for edge in snapshot.edges for rule in dict.fromkeys(edge.rules))
    rows = [
        RuleRow(
            id=visible(rule.id),
            title=prose(rule.title),
            edges=cited.pop(rule.id, 0),
            precondition=prose(rule.precondition),
            consequence=prose(rule.consequence),
            text_seen=prose(rule.text_seen),
            remedies=numbered([prose(remedy) for remedy in rule.remedies]),
            status=rule.status.value,
            note=prose(rule.note),
            sources="\n".join(visible(source) for source in rule.sources),
        )
        for rule in rules
    ]
    rows.sort(key=lambda row: row.edges == 0)  # those that matter here first, else in the pack's order
    absent = "not in the rule pack that this workbook was drawn with"
    rows += [RuleRow(visible(rule), absent, edges, "", "", "", "", UNKNOWN, "", "") for rule, edges in cited.items()]
    return rows


def _gap_place(gap: Gap) -> str:
    return visible(gap.query) + (f" in {visible(gap.database)}" if gap.database is not None else "")


def _failure(failure: object, detail: str) -> str:
    if failure is None:
        return ""
    return str(failure).replace("_", " ") + (f": {prose(detail)}" if detail else "")


def _known(text: str | None) -> str:
    return UNKNOWN if text is None else visible(text)


def _stated(text: str | None) -> str:
    return NOT_STATED if text is None else visible(str(text))


def _option(value: bool | None) -> bool | str:
    return NOT_STATED if value is None else value


def _fact(value: bool | None) -> bool | str:
    return UNKNOWN if value is None else value
