from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from assessor.probe.evidence import Endpoint, Evidence, FailureClass
from assessor.probe.scheduler import ProbeSettings, probe_all
from assessor.routes import Routes

from .servers import answer_prelogin, listening

SETTINGS = ProbeSettings(vantage="here", answer_seconds=15)


def test_every_endpoint_is_probed_once_and_comes_back_in_order() -> None:
    dialled: list[int] = []

    def script(connected: socket.socket, number: int) -> None:
        dialled.append(number)
        answer_prelogin(connected, 2)

    with listening(script) as port:
        names = [f"sql{number:02}" for number in range(12)]
        routes = Routes.parse(dict.fromkeys(names, f"127.0.0.1:{port}"))
        endpoints = [Endpoint(name, 1433) for name in names]
        settings = ProbeSettings(routes=routes, vantage="here", concurrency=4, answer_seconds=15)
        finished: list[Evidence] = []
        seen = probe_all(endpoints + endpoints[:5], settings, threading.Event(), finished.append)
    assert [evidence.endpoint for evidence in seen] == endpoints
    assert all(evidence.failure is None for evidence in seen), [e.failure_detail for e in seen]
    assert sorted(e.endpoint for e in finished) == endpoints
    assert len(dialled) == 24, "TDS 7 and TDS 8, once each"


def test_no_endpoints_is_no_evidence() -> None:
    assert probe_all([], SETTINGS, threading.Event()) == ()


def test_one_bad_endpoint_costs_only_itself() -> None:
    with listening(lambda connected, _: answer_prelogin(connected, 2)) as port:
        good, bad = Endpoint("127.0.0.1", port), Endpoint("no-such-host.invalid", 1433)
        seen = probe_all([bad, good], SETTINGS, threading.Event())
    assert [evidence.failure for evidence in seen] == [FailureClass.NAME_NOT_RESOLVED, None]


def test_after_stop_what_did_not_end_is_skipped_and_nothing_is_lost() -> None:
    stop = threading.Event()
    release = threading.Event()

    def script(connected: socket.socket, _: int) -> None:
        connected.recv(1, socket.MSG_PEEK)
        release.wait(30)

    with (
        listening(lambda connected, _: answer_prelogin(connected, 2)) as quick,
        listening(script) as slow,
        contextlib.closing(contextlib.ExitStack()) as ending,
    ):
        ending.callback(release.set)
        endpoints = [Endpoint("127.0.0.1", quick), Endpoint("127.0.0.1", slow)]
        endpoints += [Endpoint("127.0.0.1", 1, str(number)) for number in range(20)]
        settings = ProbeSettings(vantage="here", concurrency=1, answer_seconds=20)
        seen = probe_all(endpoints, settings, stop, lambda _: stop.set())
    assert [evidence.endpoint for evidence in seen] == endpoints
    assert seen[0].failure is None
    assert {evidence.failure for evidence in seen[1:]} == {FailureClass.SKIPPED}
    assert all(evidence.vantage == "here" for evidence in seen)


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"total_seconds": 0}, {"answer_seconds": -1}, {"browser_port": 70000}]
)
def test_settings_that_can_not_be_meant_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ProbeSettings(**wrong)  # type: ignore[arg-type]
