"""Inventories for the topology tests, said in as few words as a test needs."""

from __future__ import annotations

from typing import Any

from assessor.collect.inventory import Identity, Inventory, LinkedServer


def identity(server_name: str = "SQL01", **changes: Any) -> Identity:
    host, _, instance = server_name.partition("\\")
    facts: dict[str, Any] = {
        "server_name": server_name,
        "registered_name": server_name,
        "machine_name": host,
        "physical_name": host,
        "instance_name": instance or None,
        "product_version": "15.0.4415.2",
        "edition": "Enterprise Edition (64-bit)",
        "engine_edition": 3,
        "platform": "Windows",
        "domain": "corp.example",
    }
    return Identity(**(facts | changes))


def inventory(address: str, server_name: str | None = None, **facts: Any) -> Inventory:
    if server_name is None:
        host, _, rest = address.partition("\\")
        server_name = host.split(".")[0].split(",")[0].upper() + (f"\\{rest.split(',')[0]}" if rest else "")
    facts.setdefault("identity", identity(server_name))
    return Inventory(instance=address, **facts)


def row(name: str, **facts: Any) -> LinkedServer:
    columns: dict[str, Any] = {
        "name": name,
        "product": "",
        "provider": "SQLNCLI11",
        "data_source": name,
        "location": None,
        "provider_string": None,
        "provider_string_known": True,
        "catalog": None,
        "is_linked": True,
        "is_data_access_enabled": True,
        "is_rpc_out_enabled": False,
        "is_publisher": False,
        "is_subscriber": False,
        "is_distributor": False,
        "is_nonsql_subscriber": False,
        "is_system": False,
        "modified": None,
    }
    return LinkedServer(**(columns | facts))
