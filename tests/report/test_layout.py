"""Where servers stand in the drawing."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.report.layout import Box, names_by_node, place

SIZE = (90.0, 28.0)


def overlap(one: Box, other: Box) -> bool:
    return (
        abs(one.x - other.x) < (one.width + other.width) / 2 and abs(one.y - other.y) < (one.height + other.height) / 2
    )


GRAPHS = st.integers(1, 14).flatmap(
    lambda count: st.tuples(
        st.just(count), st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=40)
    )
)


@settings(max_examples=25, deadline=None)
@given(GRAPHS)
def test_no_two_boxes_overlap_whatever_is_connected_with_what(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = graph
    boxes = place({str(number): SIZE for number in range(count)}, [(str(one), str(other)) for one, other in pairs])
    assert len(boxes) == count
    for one, other in combinations(boxes.values(), 2):
        assert not overlap(one, other)
    assert min(box.x - box.width / 2 for box in boxes.values()) >= 0
    assert min(box.y - box.height / 2 for box in boxes.values()) >= 0


def test_the_same_edges_give_the_same_places() -> None:
    sizes = dict.fromkeys("abcdefgh", SIZE)
    pairs = [("a", "b"), ("b", "c"), ("a", "d"), ("e", "f")]
    assert place(sizes, pairs) == place(sizes, list(pairs))


def test_servers_without_connections_have_a_place_too() -> None:
    assert set(place({"a": SIZE, "b": SIZE}, [])) == {"a", "b"}


def test_no_servers_need_no_place() -> None:
    assert place({}, []) == {}


def test_every_name_is_counted_once_an_edge() -> None:
    assert names_by_node([("a", "b"), ("a", "a")], ["z"]) == {"z": 0, "a": 2, "b": 1}
