"""What a machine elsewhere is to probe, as a file with one target a line. Drawn from a snapshot."""

from __future__ import annotations

from collections.abc import Iterator

from assessor.errors import UsageError
from assessor.report.text import visible
from assessor.snapshot import AssessedEndpoint, Snapshot


def target_list(snapshot: Snapshot, source: str | None = None) -> str:
    """The endpoints that the edges of ``snapshot`` lead to, by source instance, with comments for who runs it.

    Raises :class:`~assessor.errors.UsageError` when ``source`` is no instance of the snapshot.
    """
    if source is not None and source not in {inventory.instance for inventory in snapshot.inventories}:
        raise UsageError(
            f"--source {source} is no instance of the snapshot; write its address as the estate file does."
        )
    return "".join(f"{line}\n" for line in _lines(snapshot, source))


def _lines(snapshot: Snapshot, source: str | None) -> Iterator[str]:
    yield f"# What to probe for the estate {visible(snapshot.estate.name)}, from a snapshot of {snapshot.run.started:%Y-%m-%d}."
    yield "# Run where the targets can be reached, best on each source's own host (nothing is logged in to):"
    yield "#     assessor probe --targets THIS-FILE --format json > evidence.json"
    yield "# and then, where the estate file is:  assessor assess ESTATE --evidence evidence.json"
    endpoints = {endpoint.id: endpoint for endpoint in snapshot.endpoints}
    for inventory in snapshot.inventories:
        if source not in (None, inventory.instance):
            continue
        wanted = dict.fromkeys(
            endpoint
            for edge in snapshot.edges
            if edge.source == inventory.instance
            for endpoint in (edge.endpoint, *edge.also_endpoints)
            if endpoint in endpoints
        )
        if not wanted:
            continue
        yield ""
        host = inventory.identity.fqdn or inventory.identity.machine_name if inventory.identity else None
        yield f"# Source {visible(inventory.instance)}{f', on host {visible(host)}' if host else ''}"
        for endpoint in wanted:
            if endpoint is not None:
                yield f"{endpoint}{_remark(endpoints[endpoint])}"


def _remark(endpoint: AssessedEndpoint) -> str:
    evidence = endpoint.evidence
    if evidence.reachable:
        return f"    # answered to {visible(evidence.vantage)}"
    assert evidence.failure is not None
    return f"    # {evidence.failure.value.replace('_', ' ')} from {visible(evidence.vantage)}"
