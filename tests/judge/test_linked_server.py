"""The verdict on a linked server, rule by rule (sql-server-2025-changes.md, section 10)."""

from __future__ import annotations

import pytest

from assessor.collect.inventory import ClientFlags, Gap, GapKind, TraceFlag
from assessor.judge.facts import MANAGED_INSTANCE
from assessor.judge.verdicts import VerdictKind
from assessor.probe.evidence import EncryptionAnswer, FailureClass
from assessor.remedies.ladder import RemedyId
from tests.judge.cases import HOST, Given, certificate, leaf, pem, root

BREAKS, WORKS, INSECURE, FAILS, EXPIRES, UNAFFECTED, UNKNOWN = (
    VerdictKind.BREAKS,
    VerdictKind.WORKS,
    VerdictKind.WORKS_INSECURELY,
    VerdictKind.FAILS_TODAY,
    VerdictKind.EXPIRES,
    VerdictKind.NOT_AFFECTED,
    VerdictKind.NOT_ASSESSED,
)
FORCED = EncryptionAnswer.REQUIRED
GOOD = Given(chain=leaf(HOST), trusts=(root(),))
INTERNAL = certificate("Corp Issuing", "Corp Root", is_ca=True)

CASES = [
    ("LS-01 internal CA that the source does not trust", Given(chain=leaf(HOST)), BREAKS, "LS-01"),
    ("LS-02 certificate for another name", GOOD.but(chain=leaf("other.corp.example")), BREAKS, "LS-02"),
    ("LS-02 short name dialled, FQDN in the certificate", GOOD.but(data_source="SQL01"), BREAKS, "LS-02"),
    ("LS-03 expired", GOOD.but(chain=leaf(HOST, ends=-1)), BREAKS, "LS-03"),
    ("LS-03 expires before the upgrade date", GOOD.but(chain=leaf(HOST, ends=10)), BREAKS, "LS-03"),
    ("LS-04 SQL Server's own certificate", Given(), BREAKS, "LS-04"),
    (
        "LS-05 optional, but the target forces encryption",
        Given(provider_string="Encrypt=no", encryption=FORCED),
        BREAKS,
        "LS-05",
    ),
    (
        "LS-06 trust asked for, registry forbids it",
        Given(provider_string="TrustServerCertificate=yes", flags=ClientFlags(sni19_flag2=0)),
        BREAKS,
        "LS-06",
    ),
    (
        "LS-07 trust asked for, registry not known",
        Given(provider_string="TrustServerCertificate=yes"),
        UNKNOWN,
        "LS-07",
    ),
    ("LS-08 target accepts strict only", GOOD.but(encryption=EncryptionAnswer.STRICT_ONLY), FAILS, "LS-08"),
    ("LS-09 strict asked of a TDS 7 target", GOOD.but(provider_string="Encrypt=Strict"), FAILS, "LS-09"),
    (
        "LS-10 strict validates whatever trust says",
        Given(provider="MSOLEDBSQL19", provider_string="Encrypt=Strict;TrustServerCertificate=yes", strict=True),
        FAILS,
        "LS-10",
    ),
    (
        "LS-11 a pin without strict",
        GOOD.but(provider_string=r"ServerCertificate=C:\sql01.cer"),
        BREAKS,
        "LS-11",
    ),
    ("LS-12 spaced keyword has no effect", Given(provider_string="Trust Server Certificate=yes"), BREAKS, "LS-12"),
    ("LS-12 invalid value", Given(provider_string="TrustServerCertificate=true"), UNKNOWN, "LS-12"),
    ("LS-13 product SQL Server", Given(product="SQL Server", provider="SQLNCLI"), BREAKS, "LS-13"),
    ("LS-14 SQLNCLI is rerouted", Given(provider="SQLNCLI11"), BREAKS, "LS-14"),
    (
        "LS-16 MSDASQL with a provider string",
        Given(provider="MSDASQL", provider_string="DRIVER={X};UID=a"),
        BREAKS,
        "LS-16",
    ),
    ("LS-17 trusted and named", GOOD, WORKS, "LS-17"),
    (
        "LS-18 source on Linux",
        Given(platform="Linux", provider_string="TrustServerCertificate=yes", flags=ClientFlags(sni19_flag2=1)),
        UNKNOWN,
        "LS-18",
    ),
]


@pytest.mark.parametrize(("given", "verdict", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_rule_gives_its_verdict(given: Given, verdict: VerdictKind, rule: str) -> None:
    edge = given.judged()
    assert edge.verdict is verdict, edge.reasons
    assert rule in edge.rules
    assert edge.reasons


def test_a_break_names_the_error_that_will_appear_with_its_number_and_the_link() -> None:
    edge = Given().judged()
    assert edge.error is not None
    assert edge.error.number == -2146893019
    assert any('linked server "LINK"' in line for line in edge.error.wrapped_in)


def test_unencrypted_by_definition_is_insecure_not_fine() -> None:
    edge = Given(provider_string="Encrypt=no").judged()
    assert edge.verdict is INSECURE
    assert edge.after is not None
    assert edge.after.validated is False


def test_trust_works_insecurely_when_the_registry_allows_it() -> None:
    given = Given(provider_string="Encrypt=yes;TrustServerCertificate=yes", flags=ClientFlags(sni19_flag2=1))
    assert given.judged().verdict is INSECURE


def test_a_valid_certificate_makes_trust_and_flag2_irrelevant() -> None:
    assert GOOD.but(provider_string="TrustServerCertificate=yes").judged().verdict is WORKS


def test_registry_flag1_lifts_optional_to_mandatory() -> None:
    given = Given(provider_string="Encrypt=no", flags=ClientFlags(sni19_flag1=1))
    assert given.judged().verdict is BREAKS


def test_a_certificate_that_ends_within_the_horizon_expires() -> None:
    edge = GOOD.but(chain=leaf(HOST, ends=60)).judged()
    assert edge.verdict is EXPIRES
    assert "2027-01-22" in edge.reasons[0]
    assert edge.remedies
    assert all(remedy.is_secure for remedy in edge.remedies)


def test_host_name_in_certificate_replaces_the_dialled_name() -> None:
    given = GOOD.but(data_source="SQL01", provider_string=f"HostNameInCertificate={HOST}")
    assert given.judged().verdict is WORKS


def test_two_links_to_one_host_get_their_own_verdicts() -> None:
    assert Given().judged().verdict is BREAKS
    assert Given(provider_string="Encrypt=Optional").judged().verdict is INSECURE


@pytest.mark.parametrize("provider", ["OraOLEDB.Oracle", "ADsDSOObject", "Microsoft.ACE.OLEDB.12.0", "MSOLAP"])
def test_other_providers_are_not_affected(provider: str) -> None:
    assert Given(provider=provider, probed=False).judged().verdict is UNAFFECTED


def test_a_provider_nobody_knows_is_not_assessed() -> None:
    assert Given(provider="AcmeOLEDB").judged().verdict is UNKNOWN


def test_only_the_sources_upgrade_matters() -> None:
    assert Given(wave=None).judged().verdict is UNAFFECTED


def test_a_source_on_2025_already_fails_today() -> None:
    edge = Given(version="17.0.1000.7", wave=None).judged()
    assert edge.verdict is FAILS
    assert any("not to blame" in reason for reason in edge.reasons)


def test_an_old_source_that_names_driver_19_fails_today() -> None:
    assert Given(provider="MSOLEDBSQL19", wave=None).judged().verdict is FAILS


def test_a_definition_that_can_not_be_read_is_not_assessed_even_if_the_certificate_is_good() -> None:
    edge = GOOD.but(options_known=False).judged()
    assert edge.verdict is UNKNOWN
    assert any("ALTER ANY LINKED SERVER" in step for step in edge.missing)


@pytest.mark.parametrize("failure", list(FailureClass))
def test_an_endpoint_that_was_not_seen_is_not_assessed(failure: FailureClass) -> None:
    edge = GOOD.but(failure=failure).judged()
    assert edge.verdict is UNKNOWN
    assert edge.missing


def test_a_pipe_is_not_assessed() -> None:
    assert GOOD.but(probed=False).judged().verdict is UNKNOWN


def test_a_target_limited_to_old_tls_depends_on_the_host() -> None:
    edge = GOOD.but(tls_version="TLSv1").judged()
    assert edge.verdict is UNKNOWN
    assert "OS-03" in edge.rules


def test_a_missing_intermediate_is_left_open_on_windows_because_it_may_be_fetched() -> None:
    edge = GOOD.but(chain=pem(certificate(HOST, "Corp Issuing", (HOST,))), trusts=(root(),)).judged()
    assert edge.verdict is BREAKS  # nothing proves that Corp Issuing is an intermediate of a trusted root
    with_intermediate = GOOD.but(
        chain=pem(certificate(HOST, "Corp Issuing", (HOST,)), INTERNAL), trusts=(root(),)
    ).judged()
    assert with_intermediate.verdict is WORKS


def test_start_up_trace_flag_17600_keeps_the_old_behaviour() -> None:
    edge = Given(trace_flags=(TraceFlag(17600, True, True),)).judged()
    assert edge.verdict is INSECURE
    assert any("17600" in each for each in edge.assumptions)


def test_a_trace_flag_that_will_not_survive_the_restart_does_not_help() -> None:
    assert Given(trace_flags=(TraceFlag(17600, True, False),)).judged().verdict is BREAKS


def test_a_trace_flag_whose_start_up_state_is_unknown_leaves_it_open() -> None:
    assert Given(trace_flags=(TraceFlag(17600, True, None),)).judged().verdict is UNKNOWN


def test_refused_trace_flag_query_leaves_a_break_open() -> None:
    gap = Gap("trace_flags", GapKind.REFUSED, "no", "whether 17600 is on")
    assert Given(gaps=(gap,)).judged().verdict is UNKNOWN


def test_remedies_come_most_secure_first_and_mark_their_price() -> None:
    remedies = Given(chain=leaf(HOST)).judged().remedies
    secure = [remedy.is_secure for remedy in remedies]
    assert secure == sorted(secure, reverse=True)
    assert remedies[0].id is RemedyId.CERTIFICATE
    assert all(remedy.price for remedy in remedies if not remedy.is_secure)


def test_the_fallback_certificate_is_never_to_be_imported() -> None:
    assert RemedyId.IMPORT_SELF_SIGNED not in [remedy.id for remedy in Given().judged().remedies]


def test_optional_is_no_remedy_where_encryption_is_forced() -> None:
    assert RemedyId.OPTIONAL not in [remedy.id for remedy in Given(encryption=FORCED).judged().remedies]


def test_a_short_name_is_mended_by_dialling_a_name_of_the_certificate() -> None:
    remedies = GOOD.but(data_source="SQL01").judged().remedies
    dial = next(remedy for remedy in remedies if remedy.id is RemedyId.DIAL_NAME)
    assert HOST in dial.title


def test_advice_for_product_sql_server_never_edits_a_provider_string() -> None:
    for remedy in Given(product="SQL Server", provider="SQLNCLI").judged().remedies:
        if remedy.id in (RemedyId.TRUST, RemedyId.OPTIONAL, RemedyId.HOST_NAME):
            assert "drop and recreate" in remedy.detail
            assert "sp_serveroption" not in remedy.detail


def test_a_long_provider_string_can_not_be_set_by_serveroption() -> None:
    edge = Given(provider_string="Application Name=" + "x" * 120).judged()
    assert "LS-15" in edge.rules


def test_msdasql_without_a_string_or_with_user_id_is_left_alone() -> None:
    assert Given(provider="MSDASQL").judged().verdict is UNAFFECTED
    assert Given(provider="MSDASQL", provider_string="DRIVER={X};UID=a;User ID=a").judged().verdict is UNAFFECTED


def test_a_managed_instance_is_not_upgraded_by_its_owner() -> None:

    assert Given(version="12.0.2000.8", engine_edition=MANAGED_INSTANCE).judged().verdict is UNAFFECTED


def test_a_linux_source_says_whose_trust_store_is_assumed() -> None:
    edge = GOOD.but(platform="Linux").judged()
    assert edge.verdict is WORKS
    assert "LS-18" in edge.rules
    assert any("Linux" in each for each in edge.assumptions)
