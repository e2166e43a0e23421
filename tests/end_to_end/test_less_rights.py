"""What a login may not see costs verdicts, and never makes one better: each right removed in turn, over the demo estate.

The facts are taken out of the inventories of one real run, which then is judged again; that a refusal leaves exactly such
an inventory is shown in ``tests/collect``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.judge.verdicts import VerdictKind
from assessor.rejudge import rejudge
from assessor.snapshot import Snapshot

Blinding = Callable[[Inventory], Inventory]


def _blinded(query: str, **facts: object) -> Blinding:
    """Without ``facts``, and with the gap that their query leaves."""

    def blind(inventory: Inventory) -> Inventory:
        if inventory.identity is None:
            return inventory
        gap = Gap(query, GapKind.REFUSED, "Msg 229: denied", "what it finds", "SELECT")
        return replace(inventory, gaps=(*inventory.gaps, gap), **facts)  # type: ignore[arg-type]

    return blind


def _without_groups(inventory: Inventory) -> Inventory:
    """VIEW ANY DEFINITION is missing: the views are silent, and the instance does not know whether it has groups."""
    if not inventory.availability_groups:
        return inventory
    blind = _blinded("availability_listeners", availability_groups=(), in_availability_group=None)
    return blind(inventory)


def _without_listeners(inventory: Inventory) -> Inventory:
    if not inventory.availability_groups:
        return inventory
    groups = tuple(replace(group, listeners=()) for group in inventory.availability_groups)
    return _blinded("availability_listeners", availability_groups=groups)(inventory)


def _without_replicas(inventory: Inventory) -> Inventory:
    groups = tuple(replace(group, replicas=()) for group in inventory.availability_groups)
    return _blinded("availability_replicas", availability_groups=groups)(inventory)


@pytest.mark.parametrize(
    "blind",
    [
        pytest.param(_blinded("replication_agents", replication_agents=()), id="command lines of agents"),
        pytest.param(_blinded("agent_profiles", agent_profiles=()), id="agent profiles"),
        pytest.param(_blinded("distributor_properties", distributor_properties=None), id="distributor properties"),
        pytest.param(_blinded("redirected_publishers", redirected=()), id="redirected publishers"),
        pytest.param(_blinded("log_shipping_primaries", shipped=()), id="log shipping, primary"),
        pytest.param(_blinded("log_shipping_secondaries", received=()), id="log shipping, secondary"),
        pytest.param(_blinded("log_shipping_monitor", monitored=()), id="log shipping, monitor"),
        pytest.param(_blinded("mirrored_databases", mirrored=()), id="mirroring"),
        pytest.param(_without_groups, id="availability groups"),
        pytest.param(_without_listeners, id="listeners"),
        pytest.param(_without_replicas, id="replicas"),
    ],
)
def test_a_missing_right_changes_verdicts_only_towards_not_assessed(snapshot: Snapshot, blind: Blinding) -> None:
    before = {edge.id: edge.verdict for edge in rejudge(snapshot).edges}
    blinded = replace(snapshot, inventories=tuple(blind(inventory) for inventory in snapshot.inventories))
    after = {edge.id: edge.verdict for edge in rejudge(blinded).edges}
    changed = {name: (before[name], verdict) for name, verdict in after.items() if before.get(name, verdict) != verdict}
    assert {to for _, to in changed.values()} <= {VerdictKind.NOT_ASSESSED}, changed
    assert len(after) >= len(before) - 6


def test_a_listener_that_can_not_be_seen_any_more_is_not_taken_for_a_plain_server(snapshot: Snapshot) -> None:
    blinded = replace(snapshot, inventories=tuple(_without_groups(each) for each in snapshot.inventories))
    edge = next(edge for edge in rejudge(blinded).edges if edge.name == "CRM")
    assert edge.verdict is VerdictKind.NOT_ASSESSED
    assert any("VIEW ANY DEFINITION" in text for text in edge.missing)


def test_the_monitor_tells_of_members_whose_own_tables_are_closed(snapshot: Snapshot) -> None:
    blind = _blinded("log_shipping_primaries", shipped=())
    blinded = replace(snapshot, inventories=tuple(blind(each) for each in snapshot.inventories))
    told = [edge for edge in rejudge(blinded).edges if edge.role == "primary_to_monitor"]
    assert {edge.source.split(".")[0] for edge in told} == {"fin01", "legacy01"}
