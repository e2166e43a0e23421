"""Replication agents, log shipping, availability groups and mirroring, collected over real TDS by Microsoft's own driver.

Three emulated servers of three versions, so that every variant of the queries is sent and answered once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assessor.collect.collector import collect_all
from assessor.collect.driver import find_driver
from assessor.collect.inventory import (
    AgentProfile,
    AvailabilityGroup,
    AvailabilityListener,
    AvailabilityReplica,
    DistributorProperty,
    GapKind,
    Inventory,
    LogShippingMember,
    LogShippingPrimary,
    LogShippingSecondary,
    MirroredDatabase,
    RedirectedPublisher,
    ReplicationAgent,
)
from assessor.estate import load_estate
from assessor.lab.estate import Lab

CANARY = "Canary-Heron-5511"
ESTATE = """
name = "Collecting"
upgrade_date = 2027-01-22
[defaults]
wave = 1
login = { method = "sql", user = "assessor", password = { file = "passwords/assessor.txt" } }
connection = { validate = false }
[[instances]]
address = "new01.corp.example"
[[instances]]
address = "dist01.corp.example"
[[instances]]
address = "old01.corp.example"
[[instances]]
address = "poor01.corp.example"
"""
NEW01 = f"""
host = "new01.corp.example"
version = "17.0.1000.7"
[change.identity]
is_hadr_enabled = 1
is_clustered = 1
[[rows.distributor]]
distributor = "DIST01"
[[rows.distributor_properties]]
property = "trust_distributor_certificate"
value = "yes"
[[rows.log_shipping_primaries]]
primary_database = "Ledger"
monitor_server = "MON01"
primary_connection_options = "Encrypt=Optional"
monitor_connection_options = "Encrypt=Mandatory;TrustServerCertificate=Yes;PWD={CANARY}"
secondary_server = "SUB01"
[[rows.log_shipping_primaries]]
primary_database = "Ledger"
monitor_server = "MON01"
secondary_server = "SUB02"
[[rows.availability_groups]]
group_name = "AG1"
is_distributed = 0
cluster_type = "WSFC"
is_contained = 1
cluster_connection_options = "Encrypt=Strict;HostNameInCertificate=new01.corp.example;PWD={CANARY}"
[[rows.availability_replicas]]
group_name = "AG1"
replica_server_name = "NEW01"
endpoint_url = "TCP://new01.corp.example:5022"
read_only_routing_url = "TCP://new01.corp.example:1433"
[[rows.availability_listeners]]
group_name = "AG1"
dns_name = "AGLIST"
port = 1450
is_distributed_network_name = 1
[[rows.read_only_routing]]
group_name = "AG1"
routed_replica = "NEW01"
[[rows.mirrored_databases]]
database_name = "Sales"
role_desc = "PRINCIPAL"
partner_name = "TCP://sql02.corp.example:5022"
partner_instance = "SQL02"
"""
DIST01 = f"""
host = "dist01.corp.example"
version = "15.0.4415.2"
databases = ["distribution", "SalesCopy"]
[[rows.databases]]
name = "distribution"
is_distributor = true
[[rows.databases]]
name = "SalesCopy"
[[rows.replication_agents]]
job_name = "PUB01-Sales-1"
enabled = 1
subsystem = "Distribution"
command = "-Subscriber [SUB01] -SubscriberPassword {CANARY} -Publisher [PUB01] -Distributor [DIST01] -EncryptionLevel 2"
[[rows.redirected_publishers.distribution]]
original_publisher = "PUB01"
publisher_db = "Sales"
redirected_publisher = "PUBLIST"
[[rows.agent_profiles.distribution]]
subsystem = "LogReader"
agent_name = "PUB01-Sales-2"
publisher_db = "Sales"
profile_name = "Strict"
value = "2"
[[rows.held_subscriptions.SalesCopy]]
publisher = "PUB02"
publisher_db = "Sales"
publication = "Orders"
subscription_type = 1
update_mode = 4
"""
OLD01 = """
host = "old01.corp.example"
version = "11.0.7507.2"
[change.identity]
is_hadr_enabled = 1
[[rows.log_shipping_primaries]]
primary_database = "Old"
monitor_server = "MON01"
[[rows.log_shipping_secondaries]]
primary_server = "PRIM01"
primary_database = "Ledger"
monitor_server = "MON01"
secondary_database = "LedgerCopy"
[[rows.log_shipping_monitor]]
member = "PRIM01"
database_name = "Ledger"
is_primary = 1
[[rows.availability_groups]]
group_name = "AGOLD"
[[rows.availability_listeners]]
group_name = "AGOLD"
dns_name = "OLDLIST"
"""
DENIED = "\n".join(
    f"[refuse.{query}]\nnumber = 229\nmessage = \"The SELECT permission was denied on the object '{query}'.\""
    for query in ("log_shipping_primaries", "log_shipping_secondaries", "log_shipping_monitor", "replication_agents")
)
POOR01 = f"""
host = "poor01.corp.example"
version = "16.0.4175.1"
databases = ["distribution"]
lacks = ["VIEW ANY DEFINITION"]
[change.identity]
is_hadr_enabled = 1
[[rows.databases]]
name = "distribution"
is_distributor = true
{DENIED}
"""


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Inventory]]:
    folder = tmp_path_factory.mktemp("sample")
    work = tmp_path_factory.mktemp("work")
    (folder / "instances").mkdir()
    (folder / "estate.toml").write_text(ESTATE, encoding="utf-8")
    (folder / "certificates.toml").write_text("upgrade_in_days = 60\n", encoding="utf-8")
    for name, text in {"NEW01": NEW01, "DIST01": DIST01, "OLD01": OLD01, "POOR01": POOR01}.items():
        (folder / "instances" / f"{name}.toml").write_text(text, encoding="utf-8")
    yield from _run(folder, work)


def _run(folder: Path, work: Path) -> Iterator[dict[str, Inventory]]:
    with Lab(folder, work) as lab:
        found = collect_all(load_estate(lab.estate_file), find_driver(None), threading.Event())
        yield {inventory.instance.split(".")[0]: inventory for inventory in found}


def test_a_2025_instance_tells_its_options_and_nothing_secret(collected: dict[str, Inventory]) -> None:
    new = collected["new01"]
    assert new.distributor_properties == (DistributorProperty("trust_distributor_certificate", "yes"),)
    assert new.shipped == (
        LogShippingPrimary(
            "Ledger",
            "MON01",
            ("SUB01", "SUB02"),
            "Encrypt=Optional",
            "Encrypt=Mandatory;TrustServerCertificate=Yes;PWD=***",
        ),
    )
    assert new.identity is not None
    assert new.identity.is_clustered is True
    assert CANARY not in repr(collected)


def test_a_group_is_put_together_from_four_answers(collected: dict[str, Inventory]) -> None:
    assert collected["new01"].availability_groups == (
        AvailabilityGroup(
            name="AG1",
            is_contained=True,
            cluster_type="WSFC",
            cluster_options="Encrypt=Strict;HostNameInCertificate=new01.corp.example;PWD=***",
            replicas=(AvailabilityReplica("NEW01", "TCP://new01.corp.example:5022", "TCP://new01.corp.example:1433"),),
            listeners=(AvailabilityListener("AGLIST", 1450, True),),
            read_only_routed=("NEW01",),
        ),
    )
    assert collected["new01"].in_availability_group is True


def test_mirroring_is_collected(collected: dict[str, Inventory]) -> None:
    assert collected["new01"].mirrored == (
        MirroredDatabase("Sales", "PRINCIPAL", "TCP://sql02.corp.example:5022", "SQL02", None),
    )


def test_a_distributor_tells_its_agents_profiles_and_redirections(collected: dict[str, Inventory]) -> None:
    dist = collected["dist01"]
    assert dist.replication_agents == (
        ReplicationAgent(
            job="PUB01-Sales-1",
            is_enabled=True,
            subsystem="Distribution",
            command="-Subscriber [SUB01] -SubscriberPassword *** -Publisher [PUB01] -Distributor [DIST01] "
            "-EncryptionLevel 2",
            publisher="PUB01",
            subscriber="SUB01",
            distributor="DIST01",
            encryption_level=2,
        ),
    )
    assert dist.agent_profiles == (
        AgentProfile("distribution", "LogReader", "PUB01-Sales-2", "Sales", None, None, "Strict", 2),
    )
    assert dist.redirected == (RedirectedPublisher("distribution", "PUB01", "Sales", "PUBLIST"),)
    assert dist.distributor_properties is None, "they came with 2025"
    assert [held.is_queued for held in dist.subscribers] == [True]


def test_a_2012_instance_is_asked_for_no_column_that_it_lacks(collected: dict[str, Inventory]) -> None:
    old = collected["old01"]
    assert old.shipped == (LogShippingPrimary("Old", "MON01"),)
    assert old.received == (LogShippingSecondary("LedgerCopy", "PRIM01", "Ledger", "MON01"),)
    assert old.monitored == (LogShippingMember("PRIM01", "Ledger", True),)
    assert old.availability_groups == (
        AvailabilityGroup("AGOLD", listeners=(AvailabilityListener("OLDLIST", None, None),)),
    )


def test_what_is_refused_or_silent_is_a_gap(collected: dict[str, Inventory]) -> None:
    gaps = {gap.query: gap.kind for gap in collected["poor01"].gaps}
    for query in ("log_shipping_primaries", "log_shipping_secondaries", "log_shipping_monitor", "replication_agents"):
        assert gaps[query] is GapKind.REFUSED
    assert gaps["availability_listeners"] is GapKind.HIDDEN
    assert collected["poor01"].in_availability_group is None
