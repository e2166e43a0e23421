"""A conversation that answers the bundled queries from a script, for tests of what the collector makes of answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyodbc

from assessor.collect.collector import collect_all
from assessor.collect.connection import Answer, Conversation
from assessor.collect.driver import Driver
from assessor.collect.inventory import Inventory
from assessor.collect.queries import load_queries
from assessor.estate import Estate, EstateInstance
from assessor.names import parse_data_source
from assessor.passwords import Password
from assessor.routes import Routes

QUERIES = {query.name: query for query in load_queries()}
DRIVER = Driver("none", "a test")
DENIED = "[42000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Denied. ({}) (SQLExecDirectW)"

Rows = list[dict[str, object]]
Reply = Rows | Exception | Callable[[], Rows]


def denied(number: int) -> Exception:
    return pyodbc.ProgrammingError("42000", DENIED.format(number))


def lost() -> Exception:
    return pyodbc.OperationalError("08S01", "[08S01] [Microsoft][ODBC Driver 18 for SQL Server]Link failure (104)")


def healthy(major: int = 15, separator: str | None = "\\") -> dict[str, Reply]:
    """The answers of a Windows instance to a sysadmin; databases are up to the test."""
    return {
        "identity": [
            {
                "server_name": "SQL01",
                "registered_name": "SQL01",
                "machine_name": "SQL01",
                "product_version": f"{major}.0.2000.5",
                "engine_edition": 3,
                "path_separator": separator,
                "is_hadr_enabled": 0,
            }
        ],
        "permissions": [
            {
                "login_name": "inventory",
                "local_net_address": "10.0.0.1",
                "local_tcp_port": 1433,
                "is_sysadmin": 0,
                "view_any_definition": 1,
                "view_any_database": 1,
                "alter_any_linked_server": 1,
            }
        ],
        "listeners": [{"ip_address": "::", "port": 1433, "type_desc": "TSQL", "state_desc": "ONLINE"}],
        "network_settings": [
            {"value_name": "ForceEncryption", "value_data": "0"},
            {"value_name": "ForceStrict", "value_data": "0"},
            {"value_name": "HideInstance", "value_data": "0"},
            {"value_name": "Certificate", "value_data": ""},
        ],
        "loaded_certificate": [log(f'The certificate [Cert Hash(sha1) "{"ab" * 20}"] was loaded')],
        "client_flags": [{"sni18_flag1": 0, "sni18_flag2": 0, "sni19_flag1": 0, "sni19_flag2": 0}],
        "trace_flags": [{"TraceFlag": 17600, "Status": 0, "Global": 0, "Session": 0}],
        "startup_parameters": [{"value_name": "SQLArg0", "value_data": "-dC:\\master.mdf"}],
        "host_domain": [{"dns_suffix": "corp.example"}],
        "distributor": [{"distributor": None}],
        "databases": [],
        "database_features": [
            dict.fromkeys(("full_text_indexes", "master_data_tables", "stretched_tables"), 0) | {"sees_all": 1}
        ],
        "processors": [{"cpu_count": 8}],
        "security_log_audits": [{"audits": 0, "sees_all": 1}],
        "feature_settings": [{"is_polybase_installed": 0, "ad_hoc_distributed_queries": 0}],
    }


def log(text: str, process: str = "Server", minute: int = 0) -> dict[str, object]:
    return {"LogDate": datetime(2026, 1, 1, 0, minute), "ProcessInfo": process, "Text": text}


@dataclass
class Script:
    """``replies`` by query name, or by ``(name, database)``; what is not there answers without rows."""

    replies: dict[Any, Reply]
    messages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    passwords: list[str | None] = field(default_factory=list)

    def open(self, instance: EstateInstance, driver: Driver, routes: Routes, password: Password | None) -> Conversation:
        self.opened += 1
        self.passwords.append(password.reveal() if password else None)
        reply = self.replies.get("connection")
        if isinstance(reply, Exception):
            raise reply
        return self

    def ask(self, batch: str) -> Answer:
        name = batch.split("\n", 1)[0].removeprefix("-- assessor: ")
        query = QUERIES[name]
        database = next((d for d in self._databases() if f"[{d}]" in batch), "")
        self.asked.append((name, database))
        reply = self.replies.get((name, database), self.replies.get(name, []))
        if callable(reply):
            reply = reply()
        if isinstance(reply, Exception):
            raise reply
        columns = tuple(column.name for column in query.returns)
        rows = tuple(tuple(row.get(column) for column in columns) for row in reply)
        return Answer(columns, rows, self.messages.get(name, ()))

    def close(self) -> None:
        self.closed += 1

    def _databases(self) -> list[str]:
        rows = self.replies.get("databases", [])
        return [str(row["name"]) for row in rows] if isinstance(rows, list) else []


def instance(address: str = "SQL01", **settings: Any) -> EstateInstance:
    return EstateInstance(address, parse_data_source(address), **settings)


def estate(*instances: EstateInstance) -> Estate:
    return Estate("Test", date(2027, 1, 1), instances or (instance(),))


def collect(script: Script, stop: threading.Event | None = None) -> Inventory:
    (inventory,) = collect_all(estate(), DRIVER, stop or threading.Event(), open_connection=script.open)
    assert script.closed == script.opened or "connection" in script.replies
    return inventory


def database(name: str, **flags: object) -> dict[str, object]:
    return {
        "name": name,
        "state_desc": "ONLINE",
        "has_access": 1,
        "is_published": False,
        "is_merge_published": False,
        "is_distributor": False,
        **flags,
    }
