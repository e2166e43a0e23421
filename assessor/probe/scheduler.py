"""Probe many endpoints, each one once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from assessor.concurrency import run_bounded
from assessor.probe.conversation import probe_endpoint
from assessor.probe.dial import Resolver
from assessor.probe.evidence import Endpoint, Evidence, FailureClass
from assessor.probe.settings import ProbeSettings

__all__ = ["ProbeSettings", "probe_all"]


def probe_all(
    endpoints: Iterable[Endpoint],
    settings: ProbeSettings,
    stop: threading.Event,
    on_done: Callable[[Evidence], None] | None = None,
) -> tuple[Evidence, ...]:
    """Evidence of each different endpoint, in the order in which they first come.

    ``on_done`` is called, in the caller's thread, as each probe ends. After ``stop`` is set nothing more is
    begun, and what did not end becomes ``SKIPPED``: one evidence an endpoint, always.
    """
    wanted = tuple(dict.fromkeys(endpoints))
    resolver = Resolver(settings.concurrency)
    done: dict[Endpoint, Evidence] = {}

    def work(endpoint: Endpoint) -> Evidence:
        return probe_endpoint(endpoint, settings, resolver)

    for endpoint, evidence in run_bounded(wanted, work, settings.concurrency, stop):
        done[endpoint] = evidence
        if on_done is not None:
            on_done(evidence)
    return tuple(done.get(endpoint) or _skipped(endpoint, settings) for endpoint in wanted)


def _skipped(endpoint: Endpoint, settings: ProbeSettings) -> Evidence:
    return Evidence(
        endpoint=endpoint,
        vantage=settings.vantage,
        probed_at=datetime.now(UTC),
        port=endpoint.port,
        failure=FailureClass.SKIPPED,
        failure_detail="the run was interrupted before this endpoint had answered",
    )
