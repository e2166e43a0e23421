"""Which of the questions about replication, groups and log shipping are put to an instance."""

from __future__ import annotations

import pytest

from assessor.collect.inventory import GapKind

from .scripted import Reply, Script, collect, database, denied, healthy

GROUP_QUERIES = {"availability_groups", "availability_listeners", "read_only_routing"}
PULL = {
    "publisher": "PUB01",
    "publisher_db": "Sales",
    "publication": "Orders",
    "subscription_type": 1,
    "update_mode": 0,
}


def asked(**replies: Reply) -> set[str]:
    script = Script({**healthy(), **replies})
    collect(script)
    return {name for name, _ in script.asked}


def identity(**facts: object) -> Reply:
    (row,) = healthy()["identity"]  # type: ignore[misc]
    return [{**row, **facts}]


def test_an_instance_without_replication_is_not_asked_for_command_lines() -> None:
    assert "replication_agents" not in asked(databases=[database("a")])


@pytest.mark.parametrize(
    "replies",
    [
        {"databases": [database("distribution", is_distributor=True)]},
        {"databases": [database("a")], "held_subscriptions": [PULL]},
    ],
    ids=["distributor", "pull subscriber"],
)
def test_agents_run_at_distributors_and_where_a_subscription_is_pulled(replies: dict[str, Reply]) -> None:
    assert "replication_agents" in asked(**replies)


def test_a_distribution_database_is_asked_for_profiles_and_redirections() -> None:
    found = asked(databases=[database("distribution", is_distributor=True)])
    assert {"agent_profiles", "redirected_publishers"} <= found


@pytest.mark.parametrize(("enabled", "wanted"), [(0, set()), (1, GROUP_QUERIES), (None, GROUP_QUERIES)])
def test_groups_are_asked_for_unless_the_feature_is_off(enabled: int | None, wanted: set[str]) -> None:
    assert asked(identity=identity(is_hadr_enabled=enabled)) & GROUP_QUERIES == wanted


def test_a_managed_instance_has_neither_log_shipping_nor_mirroring() -> None:
    found = asked(identity=identity(engine_edition=8, product_version="12.0.2000.8"))
    assert not {"log_shipping_primaries", "mirrored_databases"} & found
    assert "log_shipping_primaries" in asked()


@pytest.mark.parametrize(
    ("major", "reply", "wanted"),
    [
        (17, [{"distributor": "DIST01"}], True),
        (17, denied(229), True),
        (17, [{"distributor": None}], False),
        (16, [{"distributor": "DIST01"}], False),
    ],
)
def test_the_distributors_properties_are_asked_for_on_2025_where_there_is_one(
    major: int, reply: Reply, wanted: bool
) -> None:
    found = asked(identity=identity(product_version=f"{major}.0.1.1"), distributor=reply)
    assert ("distributor_properties" in found) is wanted


def test_a_command_line_that_was_cut_is_not_read_and_leaves_a_gap() -> None:
    step = {"job_name": "j", "enabled": 1, "subsystem": "LogReader", "command": "-Publisher [A] ".ljust(4000, "x")}
    script = Script({**healthy(), "databases": [database("d", is_distributor=True)], "replication_agents": [step]})
    inventory = collect(script)
    assert inventory.replication_agents == ()
    gap = inventory.lacks("replication_agents")
    assert gap is not None
    assert gap.kind is GapKind.FAILED
