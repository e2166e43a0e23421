from __future__ import annotations

import pytest

from assessor.names import parse_data_source
from assessor.probe.endpoints import Unprobed, endpoint_for
from assessor.probe.evidence import Endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("SQL01", Endpoint("sql01", 1433)),
        ("tcp:SQL01.Corp.Example", Endpoint("sql01.corp.example", 1433)),
        ("sql01.corp.example.", Endpoint("sql01.corp.example", 1433)),
        ("SQL01,50001", Endpoint("sql01", 50001)),
        ("SQL01\\Sales", Endpoint("sql01", None, "sales")),
        ("SQL01\\MSSQLSERVER", Endpoint("sql01", 1433)),
        ("::1,50001", Endpoint("here", 50001)),
        ("fe80::2,1433", Endpoint("fe80::2", 1433)),
        ("[fe80::2],1433", Endpoint("fe80::2", 1433)),
        ("10.0.0.5", Endpoint("10.0.0.5", 1433)),
        ("größe.example", Endpoint("größe.example", 1433)),
    ],
)
def test_what_is_dialled_over_tcp_is_an_endpoint(text: str, endpoint: Endpoint) -> None:
    assert endpoint_for(parse_data_source(text), "HERE") == endpoint


def test_a_port_wins_over_an_instance_and_browser_is_not_asked() -> None:
    assert endpoint_for(parse_data_source("SQL01\\Sales,50001"), None) == Endpoint("sql01", 50001)


@pytest.mark.parametrize("local", ["", ".", "(local)", "localhost", "127.0.0.1", "::1", "tcp:."])
def test_the_local_machine_is_that_of_the_source_not_the_one_that_probes(local: str) -> None:
    assert endpoint_for(parse_data_source(local), "SQL01.corp.example") == Endpoint("sql01.corp.example", 1433)


def test_a_local_named_instance_is_looked_up_at_the_source() -> None:
    assert endpoint_for(parse_data_source(".\\Sales"), "SQL01") == Endpoint("sql01", None, "sales")


@pytest.mark.parametrize("local_host", [None, ""])
def test_the_local_machine_of_an_unknown_source_can_not_be_probed(local_host: str | None) -> None:
    unprobed = endpoint_for(parse_data_source("(local)"), local_host)
    assert isinstance(unprobed, Unprobed)
    assert "host name is not known" in unprobed.reason


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("np:sql01", "pipes"),
        ("np:\\\\sql01\\pipe\\sql\\query", "pipes"),
        ("\\\\sql01\\pipe\\sql\\query", "pipes"),
        ("lpc:sql01", "shared memory"),
        ("admin:sql01", "administrator"),
        ("(localdb)\\MSSQLLocalDB", "LocalDB"),
    ],
)
def test_what_is_not_dialled_over_tcp_says_why_it_is_not_probed(text: str, word: str) -> None:
    unprobed = endpoint_for(parse_data_source(text), "sql01")
    assert isinstance(unprobed, Unprobed)
    assert word in unprobed.reason
