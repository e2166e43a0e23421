"""What becomes of PolyBase, ad hoc calls, job steps and multiserver jobs: rules PB, LS-19 and JB."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from assessor.clients.outcome import ReasonClass
from assessor.collect.command_lines import calls_in_command
from assessor.collect.inventory import (
    FeatureSettings,
    Gap,
    GapKind,
    MasterServer,
    ToolCall,
    Usage,
    UsageKind,
)
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import EncryptionAnswer
from assessor.remedies.ladder import Change
from assessor.snapshot import AssessedEdge
from tests.topology.inventories import row
from tests.topology.test_code_edges import call, source, tool

from . import cases
from .code_cases import judged

GOOD = cases.leaf("fin01.corp.example", "fin01")
OTHER_NAME = cases.leaf("else.corp.example")
TARGET = "sqlserver://fin01.corp.example"


def titles(edge: AssessedEdge) -> list[str]:
    return [remedy.title for remedy in edge.remedies]


# --- PolyBase ---------------------------------------------------------------------------------------------------------


def polybase(options: str | None = None, location: str = TARGET, **facts: Any) -> AssessedEdge:
    return judged(external_data_sources=(source(location, options),), **facts)


def test_polybase_with_a_valid_certificate_works() -> None:
    edge = polybase(chain=GOOD)
    assert (edge.verdict, edge.rules) == (VerdictKind.WORKS, ("PB-01",))
    assert edge.before is not None
    assert edge.after is not None
    assert (edge.before.client, edge.after.client) == ("odbc-17-windows", "odbc-18-windows")


def test_polybase_without_one_breaks_and_is_told_the_way_back() -> None:
    edge = polybase()
    assert (edge.verdict, edge.rules) == (VerdictKind.BREAKS, ("PB-01",))
    assert edge.error is not None
    assert "ODBC Driver 18" in edge.error.text
    assert "Write Encrypt=Yes;TrustServerCertificate=Yes in the CONNECTION_OPTIONS of Sales.Src" in titles(edge)
    assert any("back to ODBC Driver 17" in title for title in titles(edge))
    assert not any("17600" in title or "Flag2" in title for title in titles(edge))


@pytest.mark.parametrize(
    ("options", "encryption", "verdict"),
    [
        ("Encrypt=Yes;TrustServerCertificate=Yes", EncryptionAnswer.OFF, VerdictKind.WORKS_INSECURELY),
        ("Encrypt=No", EncryptionAnswer.OFF, VerdictKind.WORKS_INSECURELY),
        ("Encrypt=No", EncryptionAnswer.REQUIRED, VerdictKind.BREAKS),
        ("Encrypt=true", EncryptionAnswer.OFF, VerdictKind.BREAKS),
        ("TrustServerCertificate=true", EncryptionAnswer.OFF, VerdictKind.BREAKS),
        ("Encrypt=Optional", EncryptionAnswer.OFF, VerdictKind.WORKS_INSECURELY),
    ],
)
def test_options_of_polybase_count_as_odbc_reads_them(
    options: str, encryption: EncryptionAnswer, verdict: VerdictKind
) -> None:
    assert polybase(options, encryption=encryption).verdict is verdict


def test_the_certificate_must_carry_the_name_in_the_location() -> None:
    edge = polybase(chain=OTHER_NAME)
    assert edge.after is not None
    assert (edge.verdict, edge.after.reason) == (VerdictKind.BREAKS, ReasonClass.NAME_MISMATCH)
    assert polybase("HostNameInCertificate=else.corp.example", chain=OTHER_NAME).verdict is VerdictKind.WORKS


def test_on_linux_the_driver_is_that_of_openssl() -> None:
    edge = polybase(chain=GOOD, platform="Linux")
    assert edge.after is not None
    assert edge.after.client == "odbc-18"
    assert any("trust store" in text for text in edge.assumptions)


@pytest.mark.parametrize("location", ["oracle://x", "abs://c@a.blob.example/x", "s3://x"])
def test_other_schemes_are_not_affected(location: str) -> None:
    assert polybase(location=location).verdict is VerdictKind.NOT_AFFECTED


def test_a_source_that_is_not_upgraded_keeps_its_driver() -> None:
    assert polybase(wave=None).verdict is VerdictKind.NOT_AFFECTED


def test_a_source_that_is_on_2025_fails_today() -> None:
    edge = polybase(version="17.0.1000.7", wave=None)
    assert edge.verdict is VerdictKind.FAILS_TODAY


@pytest.mark.parametrize(
    "facts", [{"probed": False}, {"known": False}, {"location": "FIN01"}, {"location": "sqlserver://"}]
)
def test_what_is_not_known_of_polybase_is_not_assessed(facts: dict[str, Any]) -> None:
    edge = polybase(chain=GOOD, **facts)
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert edge.missing


def test_options_that_could_not_be_read_are_not_assessed() -> None:
    edge = judged(external_data_sources=(source(TARGET, None, known=False),), chain=GOOD)
    assert edge.verdict is VerdictKind.NOT_ASSESSED


@pytest.mark.parametrize(
    ("network", "loaded", "self_generated", "verdict"),
    [
        (True, "AB" * 20, False, VerdictKind.NOT_AFFECTED),
        (False, None, True, VerdictKind.NOT_AFFECTED),
        (True, None, True, VerdictKind.NOT_ASSESSED),
        (True, None, None, VerdictKind.NOT_ASSESSED),
        (None, None, None, VerdictKind.NOT_ASSESSED),
    ],
)
def test_the_hop_to_the_services_is_never_called_broken(
    network: bool | None, loaded: str | None, self_generated: bool | None, verdict: VerdictKind
) -> None:
    features = FeatureSettings(is_polybase_installed=True, polybase_network_encryption=network)
    edge = judged(features=features, loaded=loaded, self_generated=self_generated)
    assert (edge.verdict, edge.rules) == (verdict, ("PB-02",))


# --- ad hoc calls -----------------------------------------------------------------------------------------------------


def ad_hoc(features: FeatureSettings = FeatureSettings(ad_hoc_queries=True), **facts: Any) -> AssessedEdge:  # noqa: B008
    given = {key: facts.pop(key) for key in list(facts) if key in call().__dataclass_fields__}
    given.setdefault("provider_string", "Server=fin01.corp.example")
    return judged(features=features, ad_hoc_calls=(call(**given),), **facts)


def test_a_call_is_judged_like_a_linked_server() -> None:
    assert ad_hoc(chain=GOOD).verdict is VerdictKind.WORKS
    edge = ad_hoc()
    assert edge.verdict is VerdictKind.BREAKS
    assert "LS-01" in edge.rules
    assert not {"LS-13", "LS-15", "LS-16"} & set(edge.rules)
    assert edge.error is not None
    assert not any("LINK" in line for line in edge.error.wrapped_in)
    assert all("sp_serveroption" not in remedy.detail for remedy in edge.remedies)
    assert {remedy.change for remedy in edge.remedies} <= {Change.OTHER, Change.CERTIFICATE, Change.ROOT}


def test_the_form_in_three_parts_can_carry_no_option() -> None:
    edge = ad_hoc(is_three_part=True, data_source="fin01.corp.example", provider_string=None)
    assert (edge.verdict, edge.rules[0]) == (VerdictKind.BREAKS, "LS-19")
    assert any("no room for options" in reason for reason in edge.reasons)
    assert any("third party" in text for text in edge.assumptions)
    assert any("rewrite the call with a provider string" in remedy.detail for remedy in edge.remedies)


@pytest.mark.parametrize(
    ("features", "enables", "verdict"),
    [
        (FeatureSettings(ad_hoc_queries=False), False, VerdictKind.FAILS_TODAY),
        (FeatureSettings(ad_hoc_queries=False), True, VerdictKind.BREAKS),
        (FeatureSettings(ad_hoc_queries=None), False, VerdictKind.NOT_ASSESSED),
        (FeatureSettings(ad_hoc_queries=True), False, VerdictKind.BREAKS),
    ],
)
def test_the_setting_decides_whether_a_call_runs_at_all(
    features: FeatureSettings, enables: bool, verdict: VerdictKind
) -> None:
    edge = ad_hoc(features, enables_itself=enables)
    assert edge.verdict is verdict
    if verdict is VerdictKind.FAILS_TODAY:
        assert "15281" in edge.reasons[0]


def test_a_call_put_together_at_run_time_is_not_assessed() -> None:
    assert ad_hoc(is_known=False, provider_string=None).verdict is VerdictKind.NOT_ASSESSED


@pytest.mark.parametrize("provider", ["Microsoft.ACE.OLEDB.12.0", "MSDASQL"])
def test_providers_that_the_upgrade_leaves_alone_are_not_affected(provider: str) -> None:
    assert ad_hoc(provider=provider).verdict is VerdictKind.NOT_AFFECTED


def test_a_provider_that_nobody_knows_is_not_assessed() -> None:
    assert ad_hoc(provider="Nobody.Knows").verdict is VerdictKind.NOT_ASSESSED


# --- sqlcmd and bcp ---------------------------------------------------------------------------------------------------


def of_command(text: str, **facts: Any) -> AssessedEdge:
    (found,) = calls_in_command(text)
    step: ToolCall = replace(
        tool(found.tool),
        server=found.server,
        is_server_known=found.is_server_known,
        switches=found.switches,
        options=found.options,
        provider=found.provider,
        runs=found.runs,
        tools_version=found.tools_version,
    )
    return judged(tool_calls=(step,), **facts)


FIN = "-S fin01.corp.example"


@pytest.mark.parametrize(
    ("command", "chain", "verdict"),
    [
        (f"sqlcmd {FIN}", GOOD, VerdictKind.WORKS),
        (f"sqlcmd {FIN}", None, VerdictKind.BREAKS),
        (f"sqlcmd {FIN} -C", None, VerdictKind.WORKS_INSECURELY),
        (f"sqlcmd {FIN} -No", None, VerdictKind.WORKS_INSECURELY),
        (f"sqlcmd {FIN} -Nm", None, VerdictKind.FAILS_TODAY),  # today's sqlcmd does not know the value
        (f"sqlcmd {FIN} -Nm", GOOD, VerdictKind.WORKS),
        (f"sqlcmd {FIN} -N", GOOD, VerdictKind.NOT_ASSESSED),
        (f"sqlcmd {FIN} -N", None, VerdictKind.NOT_ASSESSED),
        (f"sqlcmd {FIN} -N m", GOOD, VerdictKind.FAILS_TODAY),
        (f"sqlcmd {FIN} -Nx", GOOD, VerdictKind.NOT_ASSESSED),
        (f"sqlcmd {FIN} -F else.corp.example", OTHER_NAME, VerdictKind.WORKS),
        (f"bcp a.dbo.b out c -T {FIN}", None, VerdictKind.BREAKS),
        (f"bcp a.dbo.b out c -T {FIN} -N", None, VerdictKind.BREAKS),
        (f"bcp a.dbo.b out c -T {FIN} -Ym -u", None, VerdictKind.WORKS_INSECURELY),
        (f"bcp a.dbo.b out c -T {FIN} -C RAW", None, VerdictKind.BREAKS),
        (f"bcp a.dbo.b out c -T {FIN}", GOOD, VerdictKind.WORKS),
    ],
)
def test_the_switches_decide(command: str, chain: tuple[str, ...] | None, verdict: VerdictKind) -> None:
    edge = of_command(command, chain=chain)
    assert edge.verdict is verdict
    assert edge.rules == (("JB-01",) if command.startswith("sqlcmd") else ("JB-02",))


def test_remedies_are_told_in_the_tools_own_switches() -> None:
    sqlcmd = titles(of_command(f"sqlcmd {FIN}"))
    assert "Write -Nm -C in the sqlcmd call of Nightly, step 2" in sqlcmd
    assert "Write -No in the sqlcmd call of Nightly, step 2" in sqlcmd
    bcp = of_command(f"bcp a.dbo.b out c -T {FIN}")
    assert "Write -Ym -u in the bcp call of Nightly, step 2" in titles(bcp)
    assert all(remedy.only_after_upgrade for remedy in bcp.remedies if remedy.title.startswith("Write"))
    assert "Write -F else.corp.example in the sqlcmd call of Nightly, step 2" in titles(
        of_command(f"sqlcmd {FIN}", chain=OTHER_NAME)
    )


def test_force_encryption_on_the_target_makes_optional_no_way_out() -> None:
    edge = of_command(f"sqlcmd {FIN} -No", encryption=EncryptionAnswer.REQUIRED)
    assert edge.verdict is VerdictKind.FAILS_TODAY  # today's tool refuses -No, and tomorrow's validates


def test_a_tool_named_by_its_path_stays_what_it_is() -> None:
    folder = "C:\\Program Files\\Microsoft SQL Server\\Client SDK\\ODBC\\{}\\Tools\\Binn\\sqlcmd.exe"
    assert of_command(f'"{folder.format(170)}" {FIN}').verdict is VerdictKind.NOT_AFFECTED
    assert of_command(f'"{folder.format(180)}" {FIN}').verdict is VerdictKind.FAILS_TODAY


def test_the_local_server_dialled_without_a_name_is_judged_by_both_its_names() -> None:
    both = cases.leaf("src.corp.example", "src")
    one = cases.leaf("src.corp.example")
    assert of_command("sqlcmd -S .", chain=both).verdict is VerdictKind.WORKS
    edge = of_command("sqlcmd -Q x", chain=one)
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert edge.target == edge.source
    assert of_command("sqlcmd -S .").verdict is VerdictKind.BREAKS
    assert of_command("sqlcmd -S $(SRVR)", chain=one).verdict is VerdictKind.BREAKS  # the short name is matched


@pytest.mark.parametrize("facts", [{"probed": False}, {"known": False}])
def test_what_is_not_known_of_a_tool_is_not_assessed(facts: dict[str, Any]) -> None:
    assert of_command(f"sqlcmd {FIN}", chain=GOOD, **facts).verdict is VerdictKind.NOT_ASSESSED


@pytest.mark.parametrize(
    "command", ["sqlcmd -S %X%", "E:\\Jobs\\x.cmd", "dtexec /FILE x.dtsx", "osql -S fin01.corp.example"]
)
def test_what_is_not_seen_from_the_job_is_not_assessed_but_on_hosts_that_stay(command: str) -> None:
    assert of_command(command).verdict is VerdictKind.NOT_ASSESSED
    assert of_command(command, wave=None).verdict is VerdictKind.NOT_AFFECTED


@pytest.mark.parametrize(
    ("provider", "verdict"),
    [
        ("SQLNCLI11.1", VerdictKind.NOT_ASSESSED),
        ("MSOLEDBSQL.1", VerdictKind.NOT_AFFECTED),
        ("MSOLEDBSQL19.1", VerdictKind.NOT_AFFECTED),
        ("SomethingElse", VerdictKind.NOT_ASSESSED),
    ],
)
def test_a_package_is_judged_by_the_provider_that_its_connection_names(provider: str, verdict: VerdictKind) -> None:
    assert of_command(f'dtexec /FILE x.dtsx /CONNECTION A;"Provider={provider}"').verdict is verdict


# --- PowerShell -------------------------------------------------------------------------------------------------------


def powershell(name: str = "invoke-sqlcmd", **facts: Any) -> AssessedEdge:
    given = {key: facts.pop(key) for key in list(facts) if key in tool().__dataclass_fields__}
    step = tool(name, subsystem="PowerShell", **{"server": "fin01.corp.example", **given})
    return judged(tool_calls=(step,), **facts)


def test_the_module_decides_so_only_the_strictest_is_believed() -> None:
    assert powershell(chain=GOOD).verdict is VerdictKind.WORKS
    edge = powershell()
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert "SqlServer 22" in edge.reasons[0]
    assert powershell(options="TrustServerCertificate=yes").verdict is VerdictKind.WORKS_INSECURELY


@pytest.mark.parametrize(
    ("version", "force_strict", "verdict"),
    [
        ("16.0.4175.1", True, VerdictKind.BREAKS),
        ("17.0.1000.7", True, VerdictKind.FAILS_TODAY),
        ("16.0.4175.1", False, VerdictKind.WORKS),
        ("16.0.4175.1", None, VerdictKind.NOT_ASSESSED),
    ],
)
def test_force_strict_fails_powershell_steps(version: str, force_strict: bool | None, verdict: VerdictKind) -> None:
    edge = powershell(version=version, force_strict=force_strict, chain=GOOD)
    assert edge.verdict is verdict
    assert (edge.rules == ("JB-03",)) is (verdict is not VerdictKind.WORKS)


@pytest.mark.parametrize(
    ("name", "provider", "verdict"),
    [
        ("dbatools", None, VerdictKind.NOT_AFFECTED),
        ("sqlclient", "System.Data.SqlClient", VerdictKind.NOT_AFFECTED),
        ("sqlclient", "Microsoft.Data.SqlClient", VerdictKind.NOT_AFFECTED),
        ("sqlclient", None, VerdictKind.NOT_ASSESSED),
    ],
)
def test_what_brings_its_own_library_is_left_alone(name: str, provider: str | None, verdict: VerdictKind) -> None:
    assert powershell(name, provider=provider).verdict is verdict


# --- multiserver ------------------------------------------------------------------------------------------------------


def msx(channel: int | None, **facts: Any) -> AssessedEdge:
    return judged(master_server=MasterServer("fin01.corp.example", channel), **facts)


@pytest.mark.parametrize(
    ("channel", "chain", "verdict"),
    [
        (2, GOOD, VerdictKind.WORKS),
        (2, None, VerdictKind.FAILS_TODAY),
        (1, GOOD, VerdictKind.WORKS_INSECURELY),
        (1, None, VerdictKind.WORKS_INSECURELY),
        (0, None, VerdictKind.WORKS_INSECURELY),
        (None, GOOD, VerdictKind.NOT_ASSESSED),
        (None, None, VerdictKind.NOT_ASSESSED),
    ],
)
def test_a_target_server_and_its_master(
    channel: int | None, chain: tuple[str, ...] | None, verdict: VerdictKind
) -> None:
    edge = msx(channel, chain=chain)
    assert (edge.verdict, edge.rules) == (verdict, ("JB-04",))


def test_no_encryption_against_a_master_that_forces_it_is_left_open() -> None:
    assert msx(0, encryption=EncryptionAnswer.REQUIRED).verdict is VerdictKind.NOT_ASSESSED


# --- MSDASQL by driver ------------------------------------------------------------------------------------------------


def by_odbc(string: str | None, **facts: Any) -> AssessedEdge:
    definition = row("ODBC", provider="MSDASQL", data_source=None, provider_string=string)
    return judged(linked_servers=(definition,), **facts)


def test_a_driver_of_microsofts_is_judged_as_it_is_today() -> None:
    old = "DRIVER={ODBC Driver 17 for SQL Server};SERVER=fin01.corp.example;User ID=x"
    assert by_odbc(old).verdict is VerdictKind.NOT_AFFECTED
    new = old.replace("17", "18")
    assert by_odbc(new).verdict is VerdictKind.FAILS_TODAY
    assert by_odbc(new, chain=GOOD).verdict is VerdictKind.NOT_AFFECTED


@pytest.mark.parametrize(
    ("string", "says"),
    [
        ("DRIVER={ODBC Driver 17 for SQL Server};SERVER=a;User ID=x", "changes on the day somebody names another"),
        ("DRIVER={MySQL ODBC 8.0 Unicode Driver};SERVER=a;User ID=x", "no SQL Server client"),
        ("DRIVER={Somebodys};SERVER=a;User ID=x", "not in our list"),
        (None, "not seen from here"),
    ],
)
def test_the_reason_names_the_driver_or_says_that_it_is_not_seen(string: str | None, says: str) -> None:
    edge = by_odbc(string, chain=GOOD)
    assert edge.verdict is VerdictKind.NOT_AFFECTED
    assert says in edge.reasons[0]


def test_a_string_without_user_id_still_breaks_for_those_who_are_no_sysadmin() -> None:
    edge = by_odbc("DRIVER={SQL Server};SERVER=fin01.corp.example;UID=***")
    assert (edge.verdict, edge.rules) == (VerdictKind.BREAKS, ("LS-16",))


# --- what uses it -----------------------------------------------------------------------------------------------------


def test_uses_belong_to_their_linked_server_and_say_whether_they_are_all() -> None:
    fin = row("FIN", provider="MSOLEDBSQL")
    uses = (
        Usage("fin", UsageKind.SYNONYM, "Sales", "dbo.s"),
        Usage("FIN", UsageKind.MODULE, "Sales", "dbo.old", datetime(2020, 1, 1)),
        Usage("FIN", UsageKind.MODULE, "Sales", "dbo.new", datetime(2026, 1, 1)),
        Usage("OTHER", UsageKind.MODULE, "Sales", "dbo.x"),
    )
    edge = judged(linked_servers=(fin,), usages=uses)
    assert [usage.name for usage in edge.used_by] == ["dbo.new", "dbo.old", "dbo.s"]
    assert edge.is_usage_whole is True
    gap = Gap("module_texts", GapKind.TIMED_OUT, "", "", database="Sales")
    assert judged(linked_servers=(fin,), usages=uses, gaps=(gap,)).is_usage_whole is False
    assert polybase().is_usage_whole is None
