"""What the upgrade meets beside connections: from facts of one instance to its findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from assessor.collect.inventory import (
    DatabaseFeatures,
    DatabaseRoles,
    EncryptionSettings,
    ExternalDataSource,
    Gap,
    GapKind,
    Identity,
    Inventory,
)
from assessor.judge.findings import Severity, UpgradeFinding
from assessor.judge.upgrade import by_instance, upgrade_findings
from assessor.judge.versions import VersionsError, parse_versions, source_versions
from assessor.probe.evidence import Endpoint, Evidence, FailureClass, TlsSession

UPGRADE = date(2027, 1, 22)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def identity(version: str = "15.0.4415.2", **changes: object) -> Identity:
    made = Identity(
        "SQL01", "SQL01", "SQL01", "SQL01", None, version, "Enterprise Edition (64-bit)", 3, "Windows", None
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def seen(tls: str | None = "TLSv1.2", strict: str | None = None) -> Evidence:
    session = TlsSession(tls, "AES", None, ()) if tls else None
    first = TlsSession(strict, "AES", "tds/8.0", ()) if strict else None
    return Evidence(Endpoint("sql01", 1433), "here", NOON, tls=session, strict=first, tls_failure_detail="alert")


def find(
    who: Identity | None = None, wave: int | None = 1, evidence: Evidence | None = None, **facts: object
) -> tuple[UpgradeFinding, ...]:
    inventory = replace(Inventory("sql01", who or identity()), **facts)  # type: ignore[arg-type]
    return upgrade_findings({"sql01": inventory}, {"sql01": wave}, {"sql01": evidence or seen()}, UPGRADE)


def brief(found: tuple[UpgradeFinding, ...]) -> list[tuple[str, str]]:
    return [(each.rule, each.severity.value) for each in found]


def features(database: str = "Sales", **counts: object) -> DatabaseFeatures:
    return replace(DatabaseFeatures(database, 0, 0, False, 0), **counts)  # type: ignore[arg-type]


def test_a_supported_instance_without_anything_special_has_no_finding() -> None:
    assert find(database_features=(features(),), logical_cores=16, security_log_audits=1) == ()


def test_an_instance_that_is_not_upgraded_has_none_whatever_it_is() -> None:
    assert find(identity("11.0.7507.2"), wave=None, database_features=(features(old_full_text_indexes=2),)) == ()


@pytest.mark.parametrize(
    ("version", "severity"),
    [
        ("10.50.6000.34", "blocks"),
        ("11.0.7507.2", "blocks"),
        ("12.0.6023.9", "blocks"),
        ("12.0.6024.0", None),
        ("12.0.6449.1", None),
        ("13.0.6300.1", "blocks"),
        ("13.0.6300.2", None),
        ("14.0.1000.169", None),
        ("16.0.1000.6", None),
        ("17.0.1000.7", None),
    ],
)
def test_setup_upgrades_in_place_from_listed_versions_and_service_packs_only(
    version: str, severity: str | None
) -> None:
    found = [each for each in find(identity(version)) if each.rule == "UP-01"]
    assert [each.severity.value for each in found] == ([severity] if severity else [])
    assert all(each.what_to_do and each.sources for each in found)


def test_the_missing_service_pack_is_named() -> None:
    (found,) = (each for each in find(identity("13.0.5026.0")) if each.rule == "UP-01")
    assert "13.0.6300.2 (Service Pack 3)" in found.message
    assert "Install Service Pack 3 first" in found.what_to_do


def test_linux_is_not_on_the_published_list_and_so_unknown() -> None:
    assert ("UP-01", "unknown") in brief(find(identity(platform="Linux")))


def test_a_managed_instance_is_not_set_up_by_anybody() -> None:
    assert brief(find(identity("12.0.2000.8", engine_edition=8))) == [("UP-01", "note")]


def test_an_instance_that_could_not_be_read_is_unknown() -> None:
    found = upgrade_findings({"sql01": Inventory("sql01")}, {"sql01": 2}, {}, UPGRADE)
    assert brief(found) == [("UP-01", "unknown")]


@pytest.mark.parametrize(("version", "ended"), [("12.0.6449.1", True), ("13.0.6435.1", True), ("14.0.3485.1", False)])
def test_support_that_ends_before_the_upgrade_is_noted(version: str, ended: bool) -> None:
    assert (("UP-05", "note") in brief(find(identity(version)))) is ended


def test_web_edition_has_no_place_to_go() -> None:
    assert ("UP-03", "blocks") in brief(find(identity(edition="Web Edition (64-bit)")))


def test_full_text_indexes_of_before_2025_break() -> None:
    (found,) = find(database_features=(features(full_text_indexes=3, old_full_text_indexes=3),))
    assert (found.rule, found.severity, found.subject) == ("FT-01", Severity.BREAKS, "database Sales")
    assert "3 full-text indexes of version 1" in found.message
    assert "Msg 30010" in found.message


def test_on_2025_only_indexes_that_were_not_rebuilt_count_and_they_fail_now() -> None:
    there = identity("17.0.1000.7")
    assert find(there, database_features=(features(full_text_indexes=3, old_full_text_indexes=0),)) == ()
    (found,) = find(there, database_features=(features(full_text_indexes=3, old_full_text_indexes=1),))
    assert "fail now" in found.message


def test_databases_of_removed_features_are_found() -> None:
    roles = tuple(
        DatabaseRoles(name, True, True, False, False, False) for name in ("dqs_main", "DQS_PROJECTS", "Sales")
    )
    found = find(
        databases=roles,
        database_features=(features("Master", has_master_data_services=True), features("Old", stretched_tables=4)),
        external_data_sources=(ExternalDataSource("Lake", "hdp", "HADOOP", "hdfs://x", None, True),),
    )
    assert brief(found) == [("UP-02", "blocks"), ("UP-02", "breaks"), ("UP-04", "breaks"), ("UP-04", "breaks")]
    assert "dqs_main" in found[0].message
    assert "DQS_PROJECTS" in found[0].message


def test_what_could_not_be_counted_is_unknown_and_not_none() -> None:
    gap = Gap("database_features", GapKind.HIDDEN, "a zero proves nothing", "features", database="Sales")
    (found,) = find(database_features=(DatabaseFeatures("Sales", None, None, None, None),), gaps=(gap,))
    assert (found.rule, found.severity, found.subject) == ("FT-01", Severity.UNKNOWN, "database Sales")
    (found,) = find(gaps=(Gap("databases", GapKind.HIDDEN, "some only", "databases"),))
    assert found.severity is Severity.UNKNOWN


@pytest.mark.parametrize(("cores", "rules"), [(None, []), (64, []), (65, [("UP-06", "unknown")])])
def test_many_cores_are_a_question_for_nobody_read_the_nodes(cores: int | None, rules: list[tuple[str, str]]) -> None:
    assert brief(find(logical_cores=cores)) == rules


def test_the_second_audit_in_the_security_log_falls_silent() -> None:
    assert brief(find(security_log_audits=2)) == [("UP-07", "breaks")]


def test_force_strict_breaks_the_power_shell_step_that_every_instance_has() -> None:
    (found,) = find(identity("16.0.4175.1"), encryption=EncryptionSettings(force_strict=True))
    assert (found.rule, found.severity) == ("JB-03", Severity.CHANGES)
    assert "syspolicy_purge_history" in found.message


@pytest.mark.parametrize(
    ("version", "evidence", "expected"),
    [
        ("15.0.4415.2", seen("TLSv1.2"), []),
        ("15.0.4415.2", seen("TLSv1"), [("OS-01", "blocks")]),
        ("12.0.6449.1", seen("TLSv1.1"), [("OS-01", "unknown")]),
        ("16.0.4175.1", seen(None, "TLSv1.3"), [("OS-02", "unknown")]),
        ("16.0.4175.1", seen(None, "TLSv1.2"), []),
        (
            "15.0.4415.2",
            Evidence(Endpoint("sql01", 1433), "here", NOON, failure=FailureClass.SKIPPED),
            [("OS-01", "unknown")],
        ),
    ],
)
def test_tls_of_the_host_is_judged_by_what_its_endpoint_took(
    version: str, evidence: Evidence, expected: list[tuple[str, str]]
) -> None:
    found = brief(find(identity(version), evidence=evidence))
    assert [each for each in found if each[0].startswith("OS-")] == expected


def test_nothing_seen_of_the_endpoint_is_unknown() -> None:
    found = upgrade_findings({"sql01": Inventory("sql01", identity())}, {"sql01": 1}, {}, UPGRADE)
    assert brief(found) == [("OS-01", "unknown")]


def test_of_several_endpoints_the_one_that_spoke_tls_counts() -> None:
    silent, spoke = seen(None), seen("TLSv1.2")
    found = by_instance([("sql01", "a"), ("sql01", "b"), ("sql01", None), ("sql02", "gone")], {"a": silent, "b": spoke})
    assert found == {"sql01": spoke}


def test_the_worst_comes_first_within_an_instance() -> None:
    found = find(identity("12.0.2000.8", edition="Web Edition (64-bit)"), security_log_audits=2)
    order = [list(Severity).index(each.severity) for each in found]
    assert order == sorted(order)
    assert len(found) >= 3


class TestVersions:
    def test_every_version_has_a_source_and_a_date_or_says_that_it_has_none(self) -> None:
        for version in source_versions().values():
            assert version.sources
            assert version.major == 11 or version.ends is not None

    @pytest.mark.parametrize(
        "text",
        [
            "[sources",
            "[sources]\n",
            "[sources]\na='b'\n[versions.12]\nname='x'\nsources=['c']\n",
            "[sources]\na='b'\n[versions.12]\nname='x'\nin_place='12.x'\nsources=['a']\n",
            "[sources]\na='b'\n[versions.12]\nname='x'\nends='soon'\nsources=['a']\n",
        ],
    )
    def test_a_slip_in_the_file_is_told(self, text: str) -> None:
        with pytest.raises(VersionsError, match=r"versions\.toml"):
            parse_versions(text)
