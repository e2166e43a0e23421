"""Which versions may replicate with each other, and the order of upgrades that follows."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.topology.replication_pairs import ReplicationPair
from assessor.version_order import misfits
from assessor.waves import EXACT, upgrade_order

DISTRIBUTOR, SUBSCRIBER, MERGE = ("distributor", ""), ("subscriber", "transactional"), ("subscriber", "merge")


def pair(publisher: str, partner: str, how: tuple[str, str]) -> ReplicationPair:
    return ReplicationPair(publisher, partner, *how)


def rules(how: tuple[str, str], publisher: int, other: int, *upgraded: str) -> list[str]:
    found = misfits([pair("pub", "other", how)], {"pub": publisher, "other": other}, upgraded)
    return [misfit.rule for misfit in found]


@pytest.mark.parametrize(
    ("how", "publisher", "other", "upgraded", "expected"),
    [
        (DISTRIBUTOR, 16, 16, ("pub",), ["RP-03"]),
        (DISTRIBUTOR, 16, 16, ("other",), []),
        (DISTRIBUTOR, 14, 15, ("other",), ["RP-05"]),
        (DISTRIBUTOR, 11, 16, ("other",), ["RP-05"]),
        (DISTRIBUTOR, 11, 15, (), []),
        (DISTRIBUTOR, 15, 15, ("other",), []),
        (DISTRIBUTOR, 14, 15, ("other", "pub"), []),
        (SUBSCRIBER, 15, 15, ("pub",), []),
        (SUBSCRIBER, 14, 14, ("pub",), ["RP-04"]),
        (SUBSCRIBER, 13, 15, (), []),
        (SUBSCRIBER, 14, 14, ("other",), ["RP-04"]),
        (MERGE, 15, 15, ("other",), ["RP-04"]),
        (MERGE, 15, 15, ("pub",), []),
    ],
)
def test_versions_side_by_side(
    how: tuple[str, str], publisher: int, other: int, upgraded: tuple[str, ...], expected: list[str]
) -> None:
    assert rules(how, publisher, other, *upgraded) == expected


def test_a_version_that_was_not_read_is_not_guessed() -> None:
    assert misfits([pair("pub", "other", DISTRIBUTOR)], {"pub": 15}, ["pub"]) == frozenset()


def test_an_instance_newer_than_the_upgrade_stays_what_it_is() -> None:
    (misfit,) = misfits([pair("pub", "other", DISTRIBUTOR)], {"pub": 18, "other": 16}, ["pub", "other"])
    assert misfit.rule == "RP-03"


def test_two_publications_between_the_same_two_are_one_misfit() -> None:
    both = [pair("pub", "other", SUBSCRIBER), pair("pub", "other", ("subscriber", "snapshot"))]
    assert len(misfits(both, {"pub": 14, "other": 14}, ["pub"])) == 1


def test_the_distributor_goes_first_although_the_plan_has_it_last() -> None:
    order, is_exact = upgrade_order({"pub": 1, "dist": 2}, [pair("pub", "dist", DISTRIBUTOR)], {"pub": 16, "dist": 16})
    assert (order, is_exact) == (("dist", "pub"), True)


def test_instances_that_do_not_replicate_keep_the_order_of_the_plan() -> None:
    planned = {"a": 1, "pub": 2, "b": 2, "dist": 3, "c": 3}
    order, _ = upgrade_order(planned, [pair("pub", "dist", DISTRIBUTOR)], {"pub": 16, "dist": 16})
    assert order == ("a", "b", "dist", "pub", "c")


def test_without_replication_the_order_is_the_plan() -> None:
    planned = {"b": 1, "a": 2}
    assert upgrade_order(planned, [], {}) == (("b", "a"), True)


NAMES = ("a", "b", "c", "d", "e")
PAIRS = st.lists(
    st.builds(
        pair, st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from([DISTRIBUTOR, SUBSCRIBER, MERGE])
    ).filter(lambda pair: pair.publisher != pair.partner),
    max_size=6,
    unique=True,
)


def cost(order: tuple[str, ...], pairs: list[ReplicationPair], versions: dict[str, int]) -> int:
    """How often a pair stops to fit while upgrading in this order."""
    total = 0
    for place, _ in enumerate(order):
        total += len(misfits(pairs, versions, order[: place + 1]) - misfits(pairs, versions, order[:place]))
    return total


@settings(deadline=None, max_examples=40)
@given(
    PAIRS,
    st.fixed_dictionaries({name: st.integers(12, 16) for name in NAMES}),
    st.fixed_dictionaries({name: st.integers(1, 3) for name in NAMES}),
)
def test_no_other_order_has_fewer_misfits(
    pairs: list[ReplicationPair], versions: dict[str, int], waves: dict[str, int]
) -> None:
    planned = dict(sorted(waves.items(), key=lambda each: each[1]))
    order, is_exact = upgrade_order(planned, pairs, versions)
    assert is_exact
    assert sorted(order) == sorted(NAMES)
    assert cost(order, pairs, versions) == min(cost(other, pairs, versions) for other in permutations(NAMES))


def test_too_many_for_every_order_are_ordered_greedily_and_said_to_be() -> None:
    publishers = [f"p{number}" for number in range(EXACT)]
    planned = {**dict.fromkeys(publishers, 1), "dist": 2}
    pairs = [pair(name, "dist", DISTRIBUTOR) for name in publishers]
    order, is_exact = upgrade_order(planned, pairs, dict.fromkeys([*publishers, "dist"], 16))
    assert not is_exact
    assert order[0] == "dist"
