"""Finds what else an upgrade meets on each instance: version, edition, features that go, TLS of the host. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from assessor.collect.inventory import Identity, Inventory
from assessor.judge.facts import UPGRADED_MAJOR
from assessor.judge.findings import Severity, UpgradeFinding
from assessor.judge.rules import find_rule
from assessor.judge.versions import build_of, source_versions
from assessor.probe.evidence import Evidence

_MANAGED_INSTANCE = 8
_FIRST_WITH_TLS_1_2 = 13  #: from here on every build has it (rule OS-03's table)
_CORES_PER_NODE = 64
_DATA_QUALITY = frozenset({"dqs_main", "dqs_projects", "dqs_staging_data"})
_OLD_TLS = ("TLSv1", "TLSv1.0", "TLSv1.1", "SSLv3", "SSLv2")
_SEE_ALL = "Grant VIEW ANY DEFINITION, and CONNECT ANY DATABASE, to the login of assessor, and run again."
_PROBE = "Run `assessor probe` against it, or look under SCHANNEL\\Protocols in the host's registry."


@dataclass(frozen=True, slots=True)
class PlannedUpgrade:
    """One instance that the plan upgrades, with what was seen of it from outside."""

    source: Inventory
    endpoint: Evidence | None  #: of its own, if an edge leads to it and it was probed
    upgrade_date: date


def upgrade_findings(
    inventories: Mapping[str, Inventory],
    waves: Mapping[str, int | None],
    endpoints: Mapping[str, Evidence],
    upgrade_date: date,
) -> tuple[UpgradeFinding, ...]:
    """The findings of every instance that has a wave, in the plan's order, worst first within an instance.

    ``endpoints`` holds the evidence of an instance's own endpoint, by the instance's address.
    """
    found: list[UpgradeFinding] = []
    for address, wave in waves.items():
        source = inventories.get(address)
        if wave is not None and source is not None:
            plan = PlannedUpgrade(source, endpoints.get(address), upgrade_date)
            mine = [finding for find in _FINDERS for finding in find(plan)]
            found += sorted(mine, key=lambda finding: list(Severity).index(finding.severity))
    return tuple(found)


def by_instance(edges: Sequence[tuple[str, str | None]], evidence: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """The evidence of instances' own endpoints, from pairs of an edge's target and its endpoint's id.

    An instance may be dialled by several names; what answered over TLS says more than what did not.
    """
    found: dict[str, Evidence] = {}
    for target, endpoint in edges:
        seen = evidence.get(endpoint) if endpoint is not None else None
        if seen is not None and (target not in found or (found[target].tls is None and seen.tls is not None)):
            found[target] = seen
    return found


def _finding(
    plan: PlannedUpgrade,
    rule_id: str,
    subject: str,
    severity: Severity,
    message: str,
    what_to_do: str = "",
    sources: tuple[str, ...] = (),
) -> UpgradeFinding:
    """One finding; what is not said here comes from the rule's own words."""
    rule = find_rule(rule_id)
    assert rule is not None, rule_id
    return UpgradeFinding(
        rule=rule_id,
        instance=plan.source.instance,
        subject=subject,
        severity=severity,
        message=message,
        what_to_do=what_to_do or " Or: ".join(rule.remedies),
        sources=(*sources, *(source for source in rule.sources if source not in sources)),
    )


def _is_there_already(who: Identity) -> bool:
    return who.major_version >= UPGRADED_MAJOR


def _version(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """UP-01 and UP-05: where no in-place upgrade starts from, and what is out of support by then."""
    who = plan.source.identity
    if who is None:
        yield _finding(
            plan, "UP-01", "version", Severity.UNKNOWN,
            "The instance could not be read, so its version is unknown, and with it whether Setup can upgrade it in place.",
            "Make the instance readable for assessor, and run again.",
        )  # fmt: skip
        return
    if _is_there_already(who):
        return
    if who.engine_edition == _MANAGED_INSTANCE:
        yield _finding(
            plan, "UP-01", "version", Severity.NOTE,
            "This is a SQL Managed Instance: Microsoft updates it, and no Setup runs here.",
            "Take it out of the waves of the estate file, unless its update policy is what you plan to change.",
        )  # fmt: skip
        return
    known = source_versions().get(who.major_version)
    name = known.name if known else f"Version {who.product_version}"
    if known is None or known.in_place is None:
        yield _finding(
            plan, "UP-01", "version", Severity.BLOCKS,
            f"{name} ({who.product_version}) is on no list of versions that SQL Server 2025 Setup upgrades in place.",
            "Migrate the databases to a new instance (compatibility level 90 or higher), or upgrade in two steps.",
            known.sources if known else (),
        )  # fmt: skip
    elif build_of(who.product_version) < known.in_place:
        yield _finding(
            plan, "UP-01", "version", Severity.BLOCKS,
            f"{name} is at build {who.product_version}, below {'.'.join(map(str, known.in_place))} ({known.needs}): "
            "Setup refuses to upgrade it in place.",
            f"Install {known.needs} first, or migrate side by side.",
            known.sources,
        )  # fmt: skip
    elif who.platform != "Windows":
        yield _finding(
            plan, "UP-01", "version", Severity.UNKNOWN,
            f"The published list of upgrade paths is for Windows; this instance runs on {who.platform or 'an unknown platform'}.",
            "Read the release notes of SQL Server 2025 for your distribution, and upgrade the packages on a test host first.",
        )  # fmt: skip
    if known is not None and known.ends is not None and known.ends < plan.upgrade_date:
        yield _finding(
            plan, "UP-05", "support", Severity.NOTE,
            f"Extended support of {name} ends on {known.ends}, before the planned upgrade on {plan.upgrade_date}.",
            "",
            known.sources,
        )  # fmt: skip


def _edition(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """UP-03: 2025 has no Web edition."""
    who = plan.source.identity
    if who is not None and not _is_there_already(who) and (who.edition or "").lower().startswith("web"):
        yield _finding(
            plan,
            "UP-03",
            "edition",
            Severity.BLOCKS,
            f"The instance is {who.edition}; SQL Server 2025 has no Web edition.",
        )


def _full_text(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """FT-01: full-text indexes whose word breakers are gone."""
    there = plan.source.identity is not None and _is_there_already(plan.source.identity)
    for features in plan.source.database_features:
        old = features.old_full_text_indexes
        if old:
            indexes = "1 full-text index" if old == 1 else f"{old} full-text indexes"
            yield _finding(
                plan, "FT-01", f"database {features.database}", Severity.BREAKS,
                f"{indexes} of version 1: queries on them fail "
                + ("now" if there else "right after the upgrade") + " with Msg 30010, and populations miss their filters.",
            )  # fmt: skip


def _removed(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """UP-02 and UP-04: features that SQL Server 2025 does not have, as far as T-SQL can see them."""
    who = plan.source.identity
    if who is None or _is_there_already(who):
        return
    quality = sorted(each.name for each in plan.source.databases if each.name.lower() in _DATA_QUALITY)
    if quality:
        yield _finding(
            plan, "UP-02", "Data Quality Services", Severity.BLOCKS,
            f"The databases of Data Quality Services are here: {', '.join(quality)}. 2025 has no such feature, and Setup "
            "stops in Feature Rules while it is installed.",
        )  # fmt: skip
    for features in plan.source.database_features:
        if features.has_master_data_services:
            yield _finding(
                plan, "UP-02", f"database {features.database}", Severity.BREAKS,
                "This is a database of Master Data Services (it has mdm.tblSystemSetting), which 2025 does not have.",
                "Keep the instance on 2022, or move its models to another tool before the upgrade.",
            )  # fmt: skip
        if features.stretched_tables:
            yield _finding(
                plan, "UP-04", f"database {features.database}", Severity.BREAKS,
                f"{features.stretched_tables} tables are stretched to Azure; Stretch Database was discontinued in July 2024.",
            )  # fmt: skip
    for source in plan.source.external_data_sources:
        if source.kind.upper() == "HADOOP":
            yield _finding(
                plan, "UP-04", f"database {source.database}", Severity.BREAKS,
                f"The external data source {source.name} is of type HADOOP, which SQL Server does not have since 2022.",
            )  # fmt: skip


def _unseen(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """FT-01 and UP-02 where the facts are missing: one line a database, never a silent "none"."""
    missing = {
        gap.database: gap.message
        for gap in plan.source.gaps
        if gap.query == "database_features" and gap.database is not None
    }
    for database, message in missing.items():
        yield _finding(
            plan, "FT-01", f"database {database}", Severity.UNKNOWN,
            f"Whether it has full-text indexes or features that 2025 lacks is unknown: {message}.", _SEE_ALL,
        )  # fmt: skip
    if plan.source.lacks("databases") is not None:
        yield _finding(
            plan, "FT-01", "databases", Severity.UNKNOWN,
            "Not every database is listed to us, so full-text indexes and removed features may be there unseen.", _SEE_ALL,
        )  # fmt: skip


def _cores(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """UP-06: more logical cores than a NUMA node may have. The nodes are not read; the sum is enough to be safe."""
    cores = plan.source.logical_cores
    if cores is not None and cores > _CORES_PER_NODE:
        yield _finding(
            plan, "UP-06", "processors", Severity.UNKNOWN,
            f"The host has {cores} logical cores. If a single NUMA node holds more than {_CORES_PER_NODE} of them, "
            "SQL Server 2025 may not start.",
        )  # fmt: skip


def _audits(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """UP-07: several audits that write to the Security log."""
    audits = plan.source.security_log_audits
    if audits is not None and audits > 1:
        yield _finding(
            plan, "UP-07", "server audits", Severity.BREAKS,
            f"{audits} server audits write to the Windows Security log; on SQL Server 2025 only the first one does.",
        )  # fmt: skip


def _protocols(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """OS-01 and OS-02, from what the instance's own endpoint negotiated."""
    who, seen = plan.source.identity, plan.endpoint
    if who is None or _is_there_already(who) or who.engine_edition == _MANAGED_INSTANCE or who.platform == "Linux":
        return
    if seen is None or not seen.reachable or (seen.tls is None and seen.strict is None):
        yield _finding(
            plan, "OS-01", "TLS 1.2", Severity.UNKNOWN,
            "Nothing showed which TLS versions the host has enabled; Setup fails where TLS 1.2 is off.",
            _PROBE,
        )  # fmt: skip
    elif seen.tls is not None and seen.tls.version in _OLD_TLS:
        built_in = who.major_version >= _FIRST_WITH_TLS_1_2
        yield _finding(
            plan, "OS-01", "TLS 1.2", Severity.BLOCKS if built_in else Severity.UNKNOWN,
            f"Offered TLS 1.2 and later, the instance took {seen.tls.version}: "
            + ("TLS 1.2 is switched off on its host." if built_in
               else "TLS 1.2 is switched off on its host, or this build does not have it yet."),
        )  # fmt: skip
    elif seen.tls is None and seen.strict is not None and seen.strict.version == "TLSv1.3":
        if plan.source.encryption.force_strict is not True:
            yield _finding(
                plan, "OS-02", "TLS 1.3", Severity.UNKNOWN,
                "Only the TLS-first handshake succeeded, with TLS 1.3; it may be the only version that is enabled: "
                f"{seen.tls_failure_detail or 'the other handshake failed'}.",
                _PROBE,
            )  # fmt: skip


def _power_shell(plan: PlannedUpgrade) -> Iterator[UpgradeFinding]:
    """JB-03: PowerShell steps on an instance that takes strict connections only."""
    if plan.source.encryption.force_strict is not True:
        return
    known = sorted({call.job for call in plan.source.tool_calls if call.subsystem.lower() == "powershell"})
    also = f" Other jobs with such steps: {', '.join(known)}." if known else ""
    yield _finding(
        plan, "JB-03", "PowerShell job steps", Severity.CHANGES,
        "Force Strict Encryption is on: job steps that use SQLPS fail, and every instance has one by default, "
        f"step 3 of syspolicy_purge_history.{also}",
    )  # fmt: skip


_FINDERS: tuple[Callable[[PlannedUpgrade], Iterator[UpgradeFinding]], ...] = (
    _version,
    _edition,
    _removed,
    _full_text,
    _audits,
    _power_shell,
    _protocols,
    _cores,
    _unseen,
)
