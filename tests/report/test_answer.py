"""The answer in a sentence, the counts, and what to do first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from snapshots_by_hand import certificate_remedy, edge, inventory, snapshot, trust_remedy

from assessor.judge.verdicts import VerdictKind
from assessor.remedies.ladder import Owner
from assessor.report.answer import (
    answer,
    breaking_without_remedy,
    by_urgency,
    connections_made,
    first_actions,
    gap_count,
    unread_instances,
    verdict_counts,
)
from assessor.report.decision import Recommendation, board_answer
from assessor.report.words import CONNECTIONS, VERDICTS, kind_words
from assessor.snapshot import Snapshot
from assessor.topology.edges import EdgeKind, ReplicationRole


def all_read(**changes: object) -> Snapshot:
    """A snapshot in which every instance answered everything."""
    base = snapshot()
    return replace(
        base,
        inventories=tuple(inventory(instance.address) for instance in base.estate.instances),
        **changes,  # type: ignore[arg-type]
    )


def test_every_verdict_has_words() -> None:
    assert set(VERDICTS) == set(VerdictKind)


def test_a_kind_is_told_with_its_role() -> None:
    assert kind_words(EdgeKind.LINKED_SERVER, None) == "linked server"
    assert kind_words(EdgeKind.REPLICATION, ReplicationRole.LOG_READER_AGENT) == "replication: log reader agent"


def test_every_way_to_connect_that_an_estate_file_knows_has_words() -> None:
    assert {"validated", "trusted_without_validation", "unencrypted"} <= set(CONNECTIONS)


def test_symbols_and_words_are_all_different_so_that_colour_is_never_needed() -> None:
    assert len({words.symbol for words in VERDICTS.values()}) == len(VERDICTS)
    assert len({words.word for words in VERDICTS.values()}) == len(VERDICTS)


def test_the_answer_names_count_date_and_everything_that_is_not_well() -> None:
    assert answer(snapshot()) == (
        "2 of 8 connections break on 2026-12-20; 1 already fail today; 1 expire within 90 days after it; "
        "1 could not be assessed; 1 of 3 instances could not be read."
    )


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (all_read(edges=(edge("A"),)), "1 of 1 connection breaks on 2026-12-20."),
        (
            all_read(edges=(edge("A", VerdictKind.WORKS),)),
            "No connection that could be assessed breaks on 2026-12-20 (1 of 1 assessed).",
        ),
        (all_read(edges=()), "No connection from one server to another was found."),
    ],
)
def test_the_answer_when_all_is_known(run: Snapshot, expected: str) -> None:
    assert answer(run) == expected


@pytest.mark.parametrize(
    "run",
    [
        all_read(edges=(edge("A", VerdictKind.NOT_ASSESSED),)),
        all_read(edges=(edge("A", VerdictKind.WORKS), edge("B", VerdictKind.NOT_ASSESSED))),
        snapshot(edges=(edge("A", VerdictKind.WORKS),)),  # one instance was not reached
        snapshot(edges=()),
        all_read(edges=(), run=replace(snapshot().run, interrupted=True)),
    ],
)
def test_nothing_unknown_is_ever_an_all_clear(run: Snapshot) -> None:
    assert answer(run).endswith("This is not an all-clear.")


def test_counts_have_zeros_and_add_up() -> None:
    counts = verdict_counts(snapshot())
    assert list(counts) == list(VERDICTS)
    assert sum(counts.values()) == len(snapshot().edges)
    assert verdict_counts(snapshot(edges=()))[VerdictKind.BREAKS] == 0


def test_an_instance_without_inventory_is_unread_as_much_as_one_that_refused() -> None:
    run = snapshot(inventories=(inventory("sql01.corp.example"),))
    assert [item.address for item in unread_instances(run)] == ["sql02.corp.example", "sql03.corp.example"]


def test_gaps_of_instances_and_of_the_run_are_counted_together() -> None:
    base = snapshot()
    assert gap_count(base) == 2
    assert gap_count(replace(base, gaps=base.inventories[1].gaps)) == 3


def test_what_breaks_comes_first_then_what_nobody_knows() -> None:
    kinds = [item.verdict for item in by_urgency(snapshot())]
    assert kinds[:3] == [VerdictKind.BREAKS, VerdictKind.BREAKS, VerdictKind.NOT_ASSESSED]
    assert kinds == sorted(kinds, key=list(VERDICTS).index)


def test_an_earlier_wave_comes_first_and_no_wave_last() -> None:
    run = snapshot(edges=(edge("NONE", wave=None), edge("TWO", wave=2), edge("ONE", wave=1)))
    assert [item.name for item in by_urgency(run)] == ["ONE", "TWO", "NONE"]


def test_the_first_action_is_the_secure_one_that_mends_most() -> None:
    run = snapshot(
        edges=(
            edge("A", remedies=(certificate_remedy("sql02"), trust_remedy("everything"))),
            edge("B", remedies=(certificate_remedy("sql03"), trust_remedy("everything"))),
            edge("C", remedies=(certificate_remedy("sql03"), trust_remedy("everything"))),
            edge("D", remedies=(trust_remedy("everything"),)),
            edge("E", remedies=()),
        )
    )
    actions = first_actions(run)
    assert [(action.title, action.unblocks, action.left) for action in actions] == [
        ("Install a CA certificate on sql03", 2, 3),
        ("Install a CA certificate on sql02", 1, 2),
        ("Trust any certificate on linked server everything", 4, 1),
    ]
    assert breaking_without_remedy(run) == 1


def test_an_action_that_mends_nothing_new_is_left_out() -> None:
    both = (certificate_remedy("sql02"), certificate_remedy("sql03"))
    assert len(first_actions(snapshot(edges=(edge("A", remedies=both), edge("B", remedies=both))))) == 1


def test_the_same_change_with_other_details_is_one_action_and_another_owner_makes_two() -> None:
    remedy = certificate_remedy("sql02")
    same = replace(remedy, detail="The names differ, the certificate is one.")
    other = replace(remedy, owner=Owner.PKI)
    run = snapshot(edges=(edge("A", remedies=(remedy,)), edge("B", remedies=(same,)), edge("C", remedies=(other,))))
    assert [action.unblocks for action in first_actions(run)] == [2, 1]


def test_only_breaking_edges_ask_for_action() -> None:
    run = snapshot(edges=(edge("A", VerdictKind.WORKS_INSECURELY, remedies=(certificate_remedy("sql02"),)),))
    assert first_actions(run) == ()


def test_how_we_connected_is_what_happened_not_what_was_planned() -> None:
    base = snapshot()
    assert [(way.way, way.addresses) for way in connections_made(base)] == [
        ("validated", ("sql01.corp.example",)),
        ("trusted_without_validation", ("sql02.corp.example",)),
        ("not_connected", ("sql03.corp.example",)),
    ]
    doubtful = replace(base, inventories=(inventory("sql01.corp.example", connection_validated=None),))
    assert connections_made(doubtful)[0].way == "not_known_validated"


def test_an_upgrade_date_that_is_over_is_said_and_is_never_a_plain_go() -> None:
    run = all_read(edges=(edge("A", VerdictKind.WORKS),))
    over = replace(run, estate=replace(run.estate, upgrade_date=run.run.started.date() - timedelta(days=1)))
    assert board_answer(run).recommendation is Recommendation.GO
    assert board_answer(over).recommendation is Recommendation.CONDITIONS
    assert "was over before this run" in board_answer(over).conditions[0]
    assert "That day was over before this run" in answer(over)
    assert answer(over).endswith("This is not an all-clear.")
