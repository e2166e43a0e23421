from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.routes import RouteError, Routes


def test_without_a_route_a_name_is_dialled_as_it_is() -> None:
    assert Routes().to("SQL01", 1433) == ("SQL01", 1433)


def test_a_route_for_a_host_keeps_the_port() -> None:
    assert Routes.parse({"sql01": "10.0.0.5"}).to("sql01", 50001) == ("10.0.0.5", 50001)


def test_a_route_may_change_the_port() -> None:
    assert Routes.parse({"sql01": "10.0.0.5:11433"}).to("sql01", 1433) == ("10.0.0.5", 11433)


@pytest.mark.parametrize("order", [("sql01", "sql01:1434"), ("sql01:1434", "sql01")])
def test_a_route_for_one_port_wins_over_the_host_whatever_their_order(order: tuple[str, str]) -> None:
    table = {"sql01": "10.0.0.5", "sql01:1434": "127.0.0.1:9999"}
    routes = Routes.parse({key: table[key] for key in order})
    assert routes.to("sql01", 1434) == ("127.0.0.1", 9999)
    assert routes.to("sql01", 1433) == ("10.0.0.5", 1433)


@pytest.mark.parametrize("asked", ["SQL01.Corp.example", "sql01.corp.example.", " sql01.corp.example "])
def test_names_match_without_regard_to_case_or_a_trailing_dot(asked: str) -> None:
    routes = Routes.parse({"Sql01.corp.Example": "10.0.0.5"})
    assert routes.to(asked, 1433) == ("10.0.0.5", 1433)
    assert routes.has(asked, 1433)


def test_a_short_name_does_not_match_the_full_one() -> None:
    routes = Routes.parse({"sql01.corp.example": "10.0.0.5"})
    assert routes.to("sql01", 1433) == ("sql01", 1433)
    assert not routes.has("sql01", 1433)


@pytest.mark.parametrize(
    ("key", "value", "asked", "dialled"),
    [
        ("::1", "10.0.0.5", ("::1", 1433), ("10.0.0.5", 1433)),
        ("[::1]", "10.0.0.5", ("::1", 1433), ("10.0.0.5", 1433)),
        ("[::1]:1433", "10.0.0.5", ("::1", 1433), ("10.0.0.5", 1433)),
        ("sql01", "fe80::2", ("sql01", 1433), ("fe80::2", 1433)),
        ("sql01", "[fe80::2]:11433", ("sql01", 1433), ("fe80::2", 11433)),
    ],
)
def test_ipv6_literals_are_read_with_and_without_a_port(
    key: str, value: str, asked: tuple[str, int], dialled: tuple[str, int]
) -> None:
    assert Routes.parse({key: value}).to(*asked) == dialled


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("", "10.0.0.5", "key names no host"),
        ("sql01", "", "value names no host"),
        (":1433", "10.0.0.5", "key names no host"),
        ("sql01\\inst", "10.0.0.5", "key names no host"),
        ("sql01,1433", "10.0.0.5", "key names no host"),
        ("sql01:", "10.0.0.5", "between 1 and 65535"),
        ("sql01:0", "10.0.0.5", "between 1 and 65535"),
        ("sql01", "10.0.0.5:65536", "between 1 and 65535"),
        ("sql01", "10.0.0.5:١٤٣٣", "between 1 and 65535"),
        ("sql01", "[::1", "unfinished bracket"),
        ("sql01", "[::1]1433", "unfinished bracket"),
    ],
)
def test_a_malformed_entry_is_refused_in_one_sentence_that_names_it(key: str, value: str, complaint: str) -> None:
    with pytest.raises(RouteError) as raised:
        Routes.parse({key: value})
    assert complaint in str(raised.value)
    assert repr(key) in str(raised.value)


def test_a_value_that_is_not_text_is_refused() -> None:
    with pytest.raises(RouteError, match="as text"):
        Routes.parse({"sql01": 1433})  # type: ignore[dict-item]


def test_two_entries_for_one_place_are_refused() -> None:
    with pytest.raises(RouteError, match="same host and port"):
        Routes.parse({"sql01": "10.0.0.5", "SQL01.": "10.0.0.6"})


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=30), max_size=4))
@settings(deadline=None, max_examples=150)
def test_any_table_is_either_read_or_refused_as_a_route(table: dict[str, str]) -> None:
    try:
        routes = Routes.parse(table)
    except RouteError:
        return
    for entry in routes.entries:
        assert routes.to(entry.host, entry.port or 1433)[0] == entry.address
