"""The verdict on log shipping's link to its monitor: SH-01 and SH-02, and what Microsoft's pages leave open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assessor.clients.options import parse_provider_string
from assessor.collect.inventory import ClientFlags, Identity, Inventory
from assessor.judge.judge import judge_edges
from assessor.judge.verdicts import VerdictKind
from assessor.snapshot import AssessedEdge
from assessor.topology.edges import EdgeKind, LogShippingRole
from tests.judge.cases import HOST, Given, leaf, root

MEMBER = Given(kind=EdgeKind.LOG_SHIPPING, provider="")
VALID = MEMBER.but(chain=leaf(HOST), trusts=(root(),))
NEW = "17.0.1000.7"


def judged(given: Given, *, monitor: str | None = None, monitor_wave: int | None = None, options: str | None = None,
           known: bool = True) -> AssessedEdge:  # fmt: skip
    """``given`` with a monitor of a version, planned for a wave, and the member's own options."""
    edge = replace(
        given.edge(),
        role=LogShippingRole.PRIMARY,
        options=parse_provider_string(options) if known else None,
        options_gap=None if known else "not published",
    )
    case = given.case()
    inventories = dict(case.inventories)
    if monitor is not None:
        name = edge.target
        inventories[name] = Inventory(name, Identity(name, name, name, name, None, monitor, None, 3, "Windows", None))
    case = replace(case, inventories=inventories, waves={**case.waves, edge.target: monitor_wave})
    return judge_edges([edge], case)[0]


def test_a_valid_certificate_of_the_monitor_settles_it_by_either_page() -> None:
    edge = judged(VALID)
    assert edge.verdict is VerdictKind.WORKS
    assert edge.rules == ("SH-02",)


def test_without_one_the_pages_disagree_and_the_verdict_stays_open() -> None:
    edge = judged(MEMBER)
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert "disagree" in edge.reasons[0]
    assert edge.remedies[0].is_secure
    assert "@monitor_connection_options" in edge.remedies[-1].title
    assert edge.missing


@pytest.mark.parametrize("chain", ["valid", "invalid"])
def test_a_member_that_is_ahead_of_nobody_is_not_affected(chain: str) -> None:
    given = (VALID if chain == "valid" else MEMBER).but(wave=None)
    assert judged(given, monitor="15.0.1.1").verdict is VerdictKind.NOT_AFFECTED


def test_an_old_member_with_a_monitor_on_2025_is_what_the_page_warns_of() -> None:
    for version, wave in ((NEW, None), ("15.0.1.1", 1)):
        edge = judged(MEMBER.but(wave=None), monitor=version, monitor_wave=wave)
        assert edge.verdict is VerdictKind.NOT_ASSESSED
        assert edge.rules == ("SH-01",)
    assert judged(VALID.but(wave=None), monitor=NEW).verdict is VerdictKind.NOT_AFFECTED


def test_an_old_member_with_a_monitor_of_unknown_version_is_not_assessed() -> None:
    assert judged(MEMBER.but(wave=None)).verdict is VerdictKind.NOT_ASSESSED


def test_waves_in_between_are_named_when_the_monitor_goes_first() -> None:
    edge = judged(VALID.but(wave=3), monitor="15.0.1.1", monitor_wave=1)
    assert edge.rules == ("SH-01", "SH-02")
    assert any("wave 1 to wave 3" in reason for reason in edge.reasons)


def test_on_2025_the_members_own_options_decide() -> None:
    on_2025 = MEMBER.but(version=NEW, wave=None)
    trusting = "Encrypt=Mandatory;TrustServerCertificate=Yes;"
    allowed = on_2025.but(flags=ClientFlags(sni19_flag2=1))
    assert judged(allowed, options=trusting).verdict is VerdictKind.WORKS_INSECURELY
    assert judged(on_2025, options="Encrypt=Mandatory;TrustServerCertificate=No").verdict is VerdictKind.FAILS_TODAY
    assert judged(VALID.but(version=NEW, wave=None), options=trusting).verdict is VerdictKind.WORKS


@pytest.mark.parametrize("flag2", [0, None])
def test_whether_flag2_gates_the_trust_of_log_shipping_is_not_published(flag2: int | None) -> None:
    given = MEMBER.but(version=NEW, wave=None, flags=ClientFlags(sni19_flag2=flag2))
    assert judged(given, options="TrustServerCertificate=Yes").verdict is VerdictKind.NOT_ASSESSED


def test_on_2025_options_that_could_not_be_read_leave_it_open_even_with_a_valid_certificate() -> None:
    edge = judged(VALID.but(version=NEW, wave=None), known=False)
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert "not published" in edge.reasons[0]


def test_a_monitor_that_can_not_be_probed_is_not_assessed() -> None:
    assert judged(MEMBER.but(probed=False)).verdict is VerdictKind.NOT_ASSESSED
