"""Several machines probed one endpoint: whose evidence counts for which edge, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assessor.collect.inventory import Identity, Inventory
from assessor.judge.vantage import choose, in_order, is_host_of
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass, TlsSession

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ENDPOINT = Endpoint("target", 1433)


def seen(vantage: str, hours: int = 0, leaf: str = "A", **values: object) -> Evidence:
    evidence = Evidence(
        ENDPOINT,
        vantage,
        NOON + timedelta(hours=hours),
        encryption=EncryptionAnswer.OFF,
        tls=TlsSession("TLSv1.2", "x", None, (leaf,)),
    )
    return replace(evidence, **values)  # type: ignore[arg-type]


def failed(vantage: str, hours: int = 0, why: FailureClass = FailureClass.TIMED_OUT) -> Evidence:
    return Evidence(ENDPOINT, vantage, NOON + timedelta(hours=hours), failure=why)


def source(machine: str = "SQL01", domain: str | None = "corp.example") -> Inventory:
    return Inventory("SQL01", Identity(machine, machine, machine, "NODE1", None, "15.0.1.1", None, None, None, domain))


@pytest.mark.parametrize("vantage", ["sql01", "SQL01", "sql01.corp.example", "SQL01.CORP.EXAMPLE.", "node1"])
def test_a_host_is_known_by_every_name_it_has(vantage: str) -> None:
    assert is_host_of(source(), vantage)


@pytest.mark.parametrize("vantage", ["sql02", "sql01.lab.example", "", "10.0.0.1", "sql01x"])
def test_another_host_is_another_host(vantage: str) -> None:
    assert not is_host_of(source(), vantage)


def test_a_full_name_is_enough_where_the_domain_of_the_source_is_unknown() -> None:
    assert is_host_of(source(domain=None), "sql01.corp.example")


def test_the_sources_own_host_beats_a_fresher_view_from_elsewhere() -> None:
    choice = choose([seen("laptop", 5), seen("sql01", 0)], source(), None)
    assert (choice.evidence.vantage, choice.from_source) == ("sql01", True)


def test_what_the_source_can_not_reach_is_not_reachable_for_it() -> None:
    choice = choose([seen("laptop", 5), failed("sql01")], source(), None)
    assert choice.evidence.failure is FailureClass.TIMED_OUT
    assert choice.from_source


def test_a_probe_that_was_skipped_on_the_source_is_no_view_at_all() -> None:
    assert (
        choose([seen("laptop"), failed("sql01", 1, FailureClass.SKIPPED)], source(), None).evidence.vantage == "laptop"
    )


def test_the_machine_of_the_sources_site_beats_a_fresher_one_of_another_site() -> None:
    assert choose([seen("site-b", 5), seen("site-a")], source(), "site-a").evidence.vantage == "site-a"


def test_whoever_was_answered_beats_whoever_was_not_even_if_later() -> None:
    assert choose([failed("b", 5), seen("a")], source(), None).evidence.vantage == "a"


def test_fresh_beats_old() -> None:
    assert choose([seen("a", 1), seen("b", 2)], source(), None).evidence.vantage == "b"
    assert [each.vantage for each in in_order([seen("a", 1), failed("c", 9), seen("b", 2)])] == ["b", "a", "c"]


def test_another_certificate_elsewhere_is_a_stated_disagreement() -> None:
    choice = choose([seen("laptop", leaf="B"), seen("sql01")], source(), None)
    assert choice.disagreement is not None
    assert "laptop saw another server certificate at target,1433" in choice.disagreement


def test_another_encryption_setting_elsewhere_is_a_stated_disagreement() -> None:
    choice = choose([seen("laptop", encryption=EncryptionAnswer.REQUIRED), seen("sql01")], source(), None)
    assert choice.disagreement is not None
    assert "encryption required instead of off" in choice.disagreement


def test_two_equal_views_and_a_failure_elsewhere_are_no_disagreement() -> None:
    assert choose([seen("laptop"), seen("sql01"), failed("x")], source(), None).disagreement is None
