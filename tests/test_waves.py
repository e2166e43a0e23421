"""Waves: the fate of each edge after each wave, and work before the upgrade that needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from snapshots_by_hand import edge, inventory, snapshot

from assessor.cli.waves import as_text
from assessor.collect.inventory import Distributor, Publication
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.ladder import Change
from assessor.snapshot import PlannedInstance, Snapshot
from assessor.waves import StepKind, WavePlan, plan_waves
from tests.remedies.test_actions import certificate, trust

BREAKS, SAFE, UNKNOWN = VerdictKind.BREAKS, VerdictKind.NOT_AFFECTED, VerdictKind.NOT_ASSESSED


def rejudged(run: Snapshot) -> Snapshot:
    """As the judge does: an edge is not affected until its source is upgraded."""
    waves = {each.address: each.wave for each in run.estate.instances}
    edges = [each if waves[each.source] is not None else replace(each, verdict=SAFE, remedies=()) for each in run.edges]
    return replace(run, edges=tuple(edges))


def estate(waves: dict[str, int | None], *edges: object, **changes: object) -> Snapshot:
    base = snapshot()
    return replace(
        base,
        estate=replace(
            base.estate,
            instances=tuple(PlannedInstance(name, wave, "sql", None, "validated") for name, wave in waves.items()),
        ),
        inventories=tuple(inventory(name) for name in waves),
        edges=edges,  # type: ignore[arg-type]
        **changes,  # type: ignore[arg-type]
    )


def plan(run: Snapshot, judge: Callable[[Snapshot], Snapshot] = rejudged) -> WavePlan:
    return plan_waves(run, judge)


def told(made: WavePlan) -> list[tuple[StepKind, str]]:
    return [(step.kind, step.what.partition(":")[0]) for step in made.steps]


def test_an_edge_breaks_with_the_wave_of_its_source() -> None:
    run = estate({"a": 1, "b": 2}, edge("X", source="a"), edge("Y", source="b"), edge("Z", UNKNOWN, source="b"))
    made = plan(run)
    assert [(wave.number, wave.instances, len(wave.breaks), len(wave.not_assessed)) for wave in made.waves] == [
        (1, ("a",), 1, 0),
        (2, ("b",), 1, 1),
    ]
    assert [(fate.today, fate.after) for fate in made.fates] == [
        (SAFE, (BREAKS, BREAKS)),
        (SAFE, (SAFE, BREAKS)),
        (SAFE, (SAFE, UNKNOWN)),
    ]


def test_the_work_is_done_before_the_first_upgrade_that_needs_it() -> None:
    shared = (certificate("t"),)
    run = estate(
        {"a": 1, "b": 2, "c": 2},
        edge("X", source="b", target="t", remedies=shared),
        edge("Y", source="c", target="t", remedies=shared),
    )
    made = plan(run)
    assert told(made) == [
        (StepKind.UPGRADE, "a"),
        (StepKind.ACTION, "certificate"),
        (StepKind.UPGRADE, "b"),
        (StepKind.UPGRADE, "c"),
    ]
    assert made.breaks == ()


def test_what_can_only_be_changed_afterwards_breaks_in_between_and_says_so() -> None:
    late = certificate("t", change=Change.HOST_NAME, on="a", subject="X", only_after_upgrade=True)
    made = plan(estate({"a": 1}, edge("X", source="a", remedies=(late,))))
    assert told(made) == [(StepKind.UPGRADE, "a"), (StepKind.ACTION, "host-name-in-certificate")]
    assert len(made.breaks) == 1
    assert made.steps[0].mended_by == (made.steps[1].what,)


def test_a_change_that_can_be_made_before_is_preferred_to_one_that_waits() -> None:
    late = certificate("t", change=Change.HOST_NAME, on="a", subject="X", only_after_upgrade=True)
    run = estate(
        {"a": 1},
        edge("X", source="a", target="t", remedies=(late, certificate("t"))),
    )
    assert told(plan(run))[0] == (StepKind.ACTION, "certificate")
    assert plan(run).breaks == ()


def test_an_insecure_change_is_never_put_into_the_order() -> None:
    made = plan(estate({"a": 1}, edge("X", source="a", remedies=(trust("a", "X"),))))
    assert told(made) == [(StepKind.UPGRADE, "a")]
    assert len(made.breaks) == 1


def test_what_is_not_known_is_never_counted_as_safe() -> None:
    made = plan(estate({"a": 1}, edge("X", UNKNOWN, source="a")))
    assert made.breaks == ()
    assert len(made.unknown) == 1
    unread = snapshot()
    assert plan_waves(replace(unread, edges=()), rejudged).unread == ("sql03.corp.example",)


def replicating(waves: dict[str, int | None]) -> Snapshot:
    publisher = replace(
        inventory("pub"),
        distributor=Distributor("dist", "distribution"),
        publications=(Publication("Sales", "Orders", "transactional", None),),
    )
    run = estate(waves)
    return replace(run, inventories=tuple(publisher if each.instance == "pub" else each for each in run.inventories))


def test_a_publisher_planned_before_its_distributor_is_moved_behind_it() -> None:
    made = plan(replicating({"pub": 1, "dist": 2}))
    assert [step.what for step in made.steps] == ["dist", "pub"]
    assert not made.keeps_waves
    assert made.misfits == ()
    (misfit,) = made.waves[0].misfits
    assert (misfit.rule, misfit.publisher, misfit.partner, misfit.partner_is) == ("RP-03", "pub", "dist", "distributor")


def test_a_managed_instance_has_versions_of_its_own_and_binds_no_order() -> None:
    run = replicating({"pub": 1, "dist": 2})
    managed = [
        replace(each, identity=replace(each.identity, engine_edition=8))
        if each.identity and each.instance == "dist"
        else each
        for each in run.inventories
    ]
    assert plan(replace(run, inventories=tuple(managed))).keeps_waves


def test_an_order_that_fits_is_kept() -> None:
    made = plan(replicating({"dist": 1, "pub": 2}))
    assert made.keeps_waves
    assert made.misfits == ()


def test_an_estate_without_waves_has_an_empty_plan() -> None:
    made = plan(estate({"a": None}, edge("X", SAFE, source="a")))
    assert (made.waves, made.steps) == ((), ())


@pytest.mark.parametrize("waves", [{"a": 1}, {"a": None}])
def test_the_snapshot_itself_is_left_as_it_was(waves: dict[str, int | None]) -> None:
    run = estate(waves, edge("X", source="a"))
    plan(run)
    assert run == estate(waves, edge("X", source="a"))


def test_a_connection_that_only_this_version_draws_is_in_the_plan_too() -> None:
    def draws_one_more(run: Snapshot) -> Snapshot:
        return rejudged(replace(run, edges=(*run.edges, edge("NEW", source="a"))))

    run = estate({"a": 1}, edge("X", source="a"))
    made = plan(run, draws_one_more)
    assert [fate.after for fate in made.fates] == [(BREAKS,), (BREAKS,)]
    assert edge("NEW", source="a").id in as_text(made, run)
