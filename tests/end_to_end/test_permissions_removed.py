"""Whatever the login may not see, verdicts stay or become "not assessed", and no edge vanishes without a gap.

Each query is refused in turn, and each right is taken away in turn, on every instance of the demo estate at once.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from assessor.cli.assess import exit_code
from assessor.collect import plan
from assessor.collect.collector import collect_all
from assessor.collect.connection import Answer
from assessor.collect.driver import Driver, find_driver
from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.collect.queries import Finds, Query
from assessor.collect.rights import Right
from assessor.errors import ExitCode
from assessor.estate import Estate, load_estate
from assessor.judge.findings import Severity
from assessor.judge.verdicts import VerdictKind
from assessor.lab.estate import Lab
from assessor.rejudge import rejudge
from assessor.shipped import sample_data_dir
from assessor.snapshot import Snapshot

from .replay import QUERIES, Denial, Recording, collect_again, hanging, nothing, record, refusing, without

ASKED = sorted({query.name for query in QUERIES if query.name not in plan.IMPORTS})
RIGHTS = sorted(
    {replace(right, columns=(), first=0, last=None) for query in QUERIES for right in query.rights or ()},
    key=lambda right: (str(right), right.otherwise),
)


@dataclass(frozen=True)
class Played:
    """The estate, what it answered, and what was made of it with every right."""

    estate: Estate
    driver: Driver
    recording: Recording
    base: Snapshot

    def again(self, denial: Denial) -> Snapshot:
        """The assessment with something denied; the endpoints answer as they did."""
        inventories = collect_again(self.recording, self.estate, self.driver, denial)
        return rejudge(replace(self.base, inventories=inventories))


@pytest.fixture(scope="module")
def played(demo_lab: Lab, snapshot: Snapshot) -> Played:
    estate, driver = load_estate(demo_lab.estate_file), find_driver(None)
    recording, inventories = record(estate, driver)
    return Played(estate, driver, recording, rejudge(replace(snapshot, inventories=inventories)))


def undated(inventory: Inventory) -> Inventory:
    """An inventory without what differs from one lab to the next: the time, and freshly made certificates."""
    settings = inventory.encryption
    return replace(
        inventory,
        collected_at=None,
        encryption=replace(
            settings,
            configured_thumbprint=settings.configured_thumbprint and "some",
            loaded_thumbprint=settings.loaded_thumbprint and "some",
        ),
    )


def check(base: Snapshot, variant: Snapshot) -> None:
    """The three promises."""
    before, after = {edge.id: edge for edge in base.edges}, {edge.id: edge for edge in variant.edges}
    better = {
        name: (before[name].verdict.value, edge.verdict.value)
        for name, edge in after.items()
        if name in before and edge.verdict is not before[name].verdict and edge.verdict is not VerdictKind.NOT_ASSESSED
    }
    assert better == {}, "a verdict that is unknown must not become another"
    made_up = {name: edge.verdict.value for name, edge in after.items() if name not in before}
    assert set(made_up.values()) <= {VerdictKind.NOT_ASSESSED.value}, made_up
    gone = sorted(set(before) - set(after))
    new_gaps = [
        gap
        for inventory, old in zip(variant.inventories, base.inventories, strict=True)
        for gap in inventory.gaps
        if gap.hides_edges and gap not in old.gaps
    ]
    assert not gone or new_gaps, f"edges vanished in silence: {gone}"
    speechless = [name for name, edge in after.items() if edge.verdict is VerdictKind.NOT_ASSESSED and not edge.missing]
    assert speechless == [], "an edge that is not assessed says how it could be"
    if gone or any(edge.verdict is VerdictKind.NOT_ASSESSED for edge in after.values()):
        assert exit_code(variant) is not ExitCode.NOTHING_BREAKS
    check_findings(base, variant)


def check_findings(base: Snapshot, variant: Snapshot) -> None:
    """A finding that can't be made any more leaves an unknown one or a gap at its instance."""
    loud = (Severity.BLOCKS, Severity.BREAKS, Severity.CHANGES)
    still = {(each.rule, each.instance, each.subject) for each in variant.findings}
    unknown = {each.instance for each in variant.findings if each.severity is Severity.UNKNOWN}
    gaps = {inventory.instance for inventory in variant.inventories if inventory.gaps}
    for finding in base.findings:
        if finding.severity in loud and (finding.rule, finding.instance, finding.subject) not in still:
            assert finding.instance in unknown | gaps, finding


def test_the_replay_is_faithful(played: Played) -> None:
    again = played.again(nothing)
    assert [undated(each) for each in again.inventories] == [undated(each) for each in played.base.inventories]
    assert again.edges == played.base.edges


@pytest.mark.parametrize("query", ASKED)
def test_a_refused_query_costs_verdicts_and_never_makes_one(played: Played, query: str) -> None:
    variant = played.again(refusing(query))
    check(played.base, variant)
    finds = next(found.finds for found in QUERIES if found.name == query)
    own = [gap for inventory in variant.inventories for gap in inventory.gaps if gap.query == query]
    assert all(gap.hides_edges is (finds is Finds.EDGES) for gap in own if gap.message == "Msg 229: Denied.")


@pytest.mark.parametrize("query", ["linked_servers", "databases", "client_flags", "permissions"])
def test_a_query_that_never_ends_costs_no_more_than_a_refused_one(played: Played, query: str) -> None:
    variant = played.again(hanging(query))
    check(played.base, variant)
    assert {edge.id: edge.verdict for edge in variant.edges} == {
        edge.id: edge.verdict for edge in played.again(refusing(query)).edges
    }


@pytest.mark.parametrize("right", RIGHTS, ids=lambda right: f"{right} else {right.otherwise}")
def test_a_missing_right_costs_verdicts_and_never_makes_one(played: Played, right: Right) -> None:
    check(played.base, played.again(without(right)))


def test_an_instance_that_tells_nothing_more_than_its_name_has_no_verdict_but_not_assessed(played: Played) -> None:
    def denial(query: Query, answer: Answer) -> Answer:
        return nothing(query, answer) if query.name == "identity" else refusing(query.name)(query, answer)

    variant = played.again(denial)
    check(played.base, variant)
    assert {edge.verdict for edge in variant.edges} <= {VerdictKind.NOT_ASSESSED}
    assert exit_code(variant) is ExitCode.NOT_ALL_ASSESSED


@pytest.mark.parametrize("hides_edges", [True, False])
def test_only_a_gap_that_may_hide_a_connection_spoils_the_exit_code(played: Played, hides_edges: bool) -> None:
    """Settings and findings that are missing show in the verdicts that depend on them, or in none."""
    read = next(inventory for inventory in played.base.inventories if inventory.identity)
    gap = Gap("some_query", GapKind.REFUSED, "Denied.", "something", hides_edges=hides_edges)
    quiet = replace(played.base, edges=(), gaps=(), inventories=(replace(read, gaps=()),))
    spoilt = replace(quiet, inventories=(replace(read, gaps=(gap,)),))
    assert exit_code(quiet) is ExitCode.NOTHING_BREAKS
    assert exit_code(spoilt) is (ExitCode.NOT_ALL_ASSESSED if hides_edges else ExitCode.NOTHING_BREAKS)


# --- the replay against the live collector --------------------------------------------------------------------


REFUSED = ("network_settings", "distributor", "login_mappings", "job_steps")


def test_queries_that_the_lab_refuses_leave_the_inventories_that_the_replay_gives(
    played: Played, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(sample_data_dir(), data)
    for file in (data / "instances").glob("*.toml"):
        refusals = "".join(f'\n[refuse.{query}]\nnumber = 229\nmessage = "Denied."\n' for query in REFUSED)
        file.write_text(file.read_text("utf-8") + refusals, "utf-8")
    with Lab(data, tmp_path / "work") as lab:
        live = collect_all(load_estate(lab.estate_file), played.driver, threading.Event())

    def denial(query: Query, answer: Answer) -> Answer:
        return refusing(query.name)(query, answer) if query.name in REFUSED else answer

    replayed = collect_again(played.recording, played.estate, played.driver, denial)
    assert [undated(each) for each in live] == [undated(each) for each in replayed]
