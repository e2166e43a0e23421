"""Snapshots judged again: the same facts and rules give the same verdicts; several sites become one estate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from assessor import assessment
from assessor.collect.driver import find_driver
from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.errors import SnapshotError, UsageError
from assessor.estate import load_estate
from assessor.judge.verdicts import VerdictKind
from assessor.lab.estate import Lab
from assessor.probe.settings import ProbeSettings
from assessor.rejudge import merge, rejudge
from assessor.shipped import sample_data_dir
from assessor.snapshot import AssessedEndpoint, Snapshot
from assessor.snapshot_file import parse_snapshot, snapshot_json
from tests import snapshots_by_hand as by_hand


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    with Lab(sample_data_dir(), tmp_path_factory.mktemp("lab")) as lab:
        estate = load_estate(lab.estate_file)
        settings = ProbeSettings(routes=estate.routes, answer_seconds=1.0)
        yield assessment.assess(estate, find_driver(None), threading.Event(), settings=settings)


def part(snapshot: Snapshot, addresses: set[str], **run: object) -> Snapshot:
    """The snapshot of a site that has only these instances."""
    return replace(
        snapshot,
        run=replace(snapshot.run, **run),  # type: ignore[arg-type]
        estate=replace(
            snapshot.estate, instances=tuple(each for each in snapshot.estate.instances if each.address in addresses)
        ),
        inventories=tuple(each for each in snapshot.inventories if each.instance in addresses),
        edges=tuple(edge for edge in snapshot.edges if edge.source in addresses),
        endpoints=tuple(
            each
            for each in snapshot.endpoints
            if any(
                each.id in (edge.endpoint, *edge.also_endpoints) for edge in snapshot.edges if edge.source in addresses
            )
        ),
    )


def halves(demo: Snapshot) -> tuple[set[str], set[str]]:
    addresses = [inventory.instance for inventory in demo.inventories]
    return set(addresses[::2]), set(addresses[1::2])


def test_the_same_rules_give_the_same_snapshot(demo: Snapshot) -> None:
    assert rejudge(demo) == demo


def test_so_they_do_after_writing_and_reading(demo: Snapshot) -> None:
    read = parse_snapshot(snapshot_json(demo).encode(), "f")
    assert rejudge(read) == read


def test_another_upgrade_date_may_turn_a_verdict(demo: Snapshot) -> None:
    late = rejudge(demo, upgrade_date=date(2200, 1, 1))
    verdicts = {edge.id: edge.verdict for edge in demo.edges}
    assert {edge.id for edge in late.edges if edge.verdict is not verdicts[edge.id]}
    assert not [edge for edge in late.edges if edge.verdict is VerdictKind.WORKS]


def test_a_pseudonymised_snapshot_is_refused(demo: Snapshot) -> None:
    hidden = replace(demo, run=replace(demo.run, pseudonymised=True))
    with pytest.raises(SnapshotError, match="pseudonymised"):
        rejudge(hidden)
    with pytest.raises(SnapshotError, match="pseudonymised"):
        merge([hidden])


def test_a_snapshot_without_its_trust_store_is_refused(demo: Snapshot) -> None:
    with pytest.raises(SnapshotError, match="trust store"):
        rejudge(replace(demo, trust_stores=()))


def test_two_halves_merge_into_the_verdicts_of_the_whole(demo: Snapshot) -> None:
    first, second = halves(demo)
    merged = merge([part(demo, first, vantage="site-a"), part(demo, second, vantage="site-b")])
    verdicts = {(edge.source, edge.name, edge.role): edge.verdict for edge in demo.edges}
    assert {(edge.source, edge.name, edge.role): edge.verdict for edge in merged.edges} == verdicts
    assert {each.vantage for each in merged.estate.instances} == {"site-a", "site-b"}
    assert merged.run.vantage == "site-a, site-b"


def test_a_merged_snapshot_can_be_judged_again(demo: Snapshot) -> None:
    first, second = halves(demo)
    merged = merge([part(demo, first), part(demo, second)])
    assert rejudge(merged) == merged


def test_an_instance_in_two_snapshots_is_taken_from_the_newer(demo: Snapshot) -> None:
    later = demo.run.started + timedelta(days=7)
    newer = replace(
        demo,
        run=replace(demo.run, started=later),
        inventories=tuple(replace(each, collected_as="later") for each in demo.inventories),
    )
    for order in ([demo, newer], [newer, demo]):
        merged = merge(order)
        assert len(merged.inventories) == len(demo.inventories)
        assert {inventory.collected_as for inventory in merged.inventories} == {"later"}


def test_an_instance_that_the_newer_run_could_not_collect_is_shown_as_of_the_older_and_says_so(demo: Snapshot) -> None:
    address = next(inventory.instance for inventory in demo.inventories if inventory.identity)
    down = Inventory(address, gaps=(Gap("connection", GapKind.UNREACHABLE, "it is down", "everything"),))
    newer = replace(
        demo,
        run=replace(demo.run, started=demo.run.started + timedelta(days=7)),
        inventories=tuple(down if each.instance == address else each for each in demo.inventories),
    )
    merged = merge([demo, newer])
    assert next(each for each in merged.inventories if each.instance == address).identity is not None
    assert any(gap.query == "merge" and address in gap.message and "it is down" in gap.message for gap in merged.gaps)


def test_a_gap_that_only_the_newer_run_has_is_noted(demo: Snapshot) -> None:
    address = next(inventory.instance for inventory in demo.inventories if inventory.identity)
    gap = Gap("linked_servers", GapKind.REFUSED, "no", "all linked servers")
    newer = replace(
        demo,
        run=replace(demo.run, started=demo.run.started + timedelta(days=7)),
        inventories=tuple(
            replace(each, gaps=(gap,)) if each.instance == address else each for each in demo.inventories
        ),
    )
    assert any("linked_servers" in each.message for each in merge([demo, newer]).gaps if each.query == "merge")


def test_one_address_that_is_two_servers_is_refused_with_both_names(demo: Snapshot) -> None:
    first = next(inventory for inventory in demo.inventories if inventory.identity)
    assert first.identity is not None
    other = replace(first, identity=replace(first.identity, domain="elsewhere.example"))
    site = replace(demo, inventories=tuple(other if each is first else each for each in demo.inventories))
    with pytest.raises(UsageError, match="two servers with one address"):
        merge([demo, site])


def test_different_upgrade_dates_need_a_decision(demo: Snapshot) -> None:
    other = replace(demo, estate=replace(demo.estate, upgrade_date=date(2030, 1, 1)))
    with pytest.raises(UsageError, match="--upgrade-date"):
        merge([demo, other])
    assert merge([demo, other], upgrade_date=date(2030, 1, 1)).estate.upgrade_date == date(2030, 1, 1)


def test_a_chain_seen_elsewhere_is_not_judged_by_the_part_of_a_store_that_another_run_kept(demo: Snapshot) -> None:
    """Site A never looked up that issuer, so its silence about it means nothing."""
    edge = next(
        edge
        for edge in demo.edges
        if edge.verdict in (VerdictKind.BREAKS, VerdictKind.WORKS, VerdictKind.EXPIRES)
        and any(each.id == edge.endpoint and each.evidence.chain for each in demo.endpoints)
    )
    partial = replace(
        demo,
        trust_stores=tuple(
            replace(record, certificates=(), issuers=(), certificates_total=record.certificates_total + 1)
            for record in demo.trust_stores
        ),
    )
    again = next(each for each in rejudge(partial).edges if each.id == edge.id)
    assert again.verdict is VerdictKind.NOT_ASSESSED


def test_what_two_sites_see_differently_at_one_endpoint_is_stated(demo: Snapshot) -> None:
    def with_leaf(endpoint: AssessedEndpoint, leaf: tuple[str, ...]) -> AssessedEndpoint:
        session = endpoint.evidence.tls
        assert session is not None
        return replace(
            endpoint, evidence=replace(endpoint.evidence, vantage="site-b", tls=replace(session, certificates=leaf))
        )

    with_tls = [each for each in demo.endpoints if each.evidence.tls is not None]
    one, two = with_tls[0], next(each for each in with_tls if each.evidence.chain[0] != with_tls[0].evidence.chain[0])
    changed = with_leaf(one, two.evidence.chain)
    site = replace(
        demo,
        run=replace(demo.run, started=demo.run.started - timedelta(days=1), vantage="site-b"),
        endpoints=tuple(changed if each is one else each for each in demo.endpoints),
    )
    merged = merge([demo, site])
    endpoint = next(each for each in merged.endpoints if each.id == one.id)
    assert len(endpoint.others) == 1
    assert any(finding.code == "vantages_disagree" for finding in endpoint.findings)


def test_a_damaged_certificate_in_a_snapshot_is_one_sentence() -> None:
    whole = by_hand.snapshot()
    damaged = replace(whole.trust_stores[0], certificates=("-----BEGIN CERTIFICATE-----\n",))
    with pytest.raises(SnapshotError, match="damaged certificate"):
        rejudge(replace(whole, trust_stores=(damaged,)))
