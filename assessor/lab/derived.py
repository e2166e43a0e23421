"""Rows that follow from what an emulated server is, so that its file need not spell them out.

One function a bundled query, named after it; each returns rows by column name. What a real server answers in
the same place: the catalog reference (sql-docs pages, dates in ``docs/sources.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Final

from assessor.collect.queries import Query, load_queries
from assessor.collect.rights import IN_DATABASE
from assessor.lab.behaviour import Encryption
from assessor.lab.wire import Value

Row = Mapping[str, Value]
SYSTEM_DATABASES: Final = ("master", "tempdb", "model", "msdb")
_SQL_SERVER_2017, _SQL_SERVER_2019, _SQL_SERVER_2022 = 14, 15, 16


@dataclass(frozen=True, slots=True)
class Facts:
    """What an instance file says about a server, with all defaults filled in."""

    host: str
    short: str
    instance: str | None
    port: int
    version: str
    edition: str
    platform: str
    domain: str | None
    server_name: str  #: ``HOST`` or ``HOST\\INSTANCE``
    registered_name: str
    databases: tuple[str, ...]
    encryption: Encryption
    force_strict: bool
    hidden: bool
    login: str
    thumbprint: str | None  #: of the configured certificate; ``None``: the server made its own
    started: datetime
    lacks: tuple[str, ...] = ()  #: rights that the login does not have, in the words of a query's header
    configured: str | None = None  #: thumbprint in the registry, where another certificate was loaded at the start

    def has(self, right: str) -> int:
        """Whether the login has a right, as ``HAS_PERMS_BY_NAME`` says it."""
        return int(right not in self.lacks)

    @property
    def major(self) -> int:
        """First part of the version."""
        return int(self.version.split(".", 1)[0])

    @property
    def windows(self) -> bool:
        """Runs on Windows."""
        return self.platform == "Windows"


def _path_separator(facts: Facts) -> str | None:
    return None if facts.major < _SQL_SERVER_2017 else "\\" if facts.windows else "/"


def _engine_edition(facts: Facts) -> int:
    return 4 if "Express" in facts.edition else 3 if facts.edition.startswith(("Ent", "Dev", "Eval")) else 2


def _identity(facts: Facts) -> list[Row]:
    separator = None if facts.major < _SQL_SERVER_2017 else "\\" if facts.windows else "/"
    engine = 4 if "Express" in facts.edition else 3 if facts.edition.startswith(("Ent", "Dev", "Eval")) else 2
    return [
        {
            "server_name": facts.server_name,
            "registered_name": facts.registered_name,
            "machine_name": facts.short.upper(),
            "physical_name": facts.short.upper()[:15],
            "instance_name": facts.instance,
            "product_version": facts.version,
            "edition": facts.edition,
            "engine_edition": engine,
            "path_separator": separator,
            "is_hadr_enabled": 0,
        }
    ]


def _permissions(facts: Facts) -> list[Row]:
    split_rights = 1 if facts.major >= _SQL_SERVER_2022 else None
    return [
        {
            "login_name": facts.login,
            "local_tcp_port": facts.port,
            "is_sysadmin": 0,
            "view_server_state": facts.has("VIEW SERVER STATE"),
            "view_any_definition": facts.has("VIEW ANY DEFINITION"),
            "view_any_database": facts.has("VIEW ANY DATABASE"),
            "alter_any_linked_server": facts.has("ALTER ANY LINKED SERVER"),
            "view_server_performance_state": split_rights and facts.has("VIEW SERVER PERFORMANCE STATE"),
            "view_server_security_state": split_rights and facts.has("VIEW SERVER SECURITY STATE"),
            "view_any_error_log": split_rights and facts.has("VIEW ANY ERROR LOG"),
            "product_version": facts.version,
            "engine_edition": _engine_edition(facts),
            "path_separator": _path_separator(facts),
        }
    ]


def _permission_test(facts: Facts) -> list[Row]:
    """Every right of every query, held but for those that the file takes away; sysadmin is never held."""
    rights = {right for query in _bundled() for right in query.rights or ()}
    rows: list[Row] = []
    for right in sorted(rights, key=str):
        granted = 0 if right.is_role else facts.has(str(right))
        if right.securable is None:
            rows.append({"permission": right.permission, "granted": granted})
            continue
        securable = right.securable.removeprefix(IN_DATABASE)
        for column in right.columns or (None,):
            row = {"permission": right.permission, "securable": securable, "column_name": column, "granted": granted}
            if right.in_database:
                rows += [{**row, **database} for database in _entered(facts)]
            else:
                rows.append(row)
    rows += [{"permission": "ENTER", "granted": 1, **database} for database in _entered(facts)]
    return rows


def _entered(facts: Facts) -> list[Row]:
    flags = dict.fromkeys(("is_published", "is_merge_published", "is_distributor"), False)
    return [{"name": name, "state_desc": "ONLINE", **flags} for name in (*SYSTEM_DATABASES, *facts.databases)]


@cache
def _bundled() -> tuple[Query, ...]:
    return load_queries()


def _listeners(facts: Facts) -> list[Row]:
    return [
        {"ip_address": address, "port": facts.port, "type_desc": "TSQL", "state_desc": "ONLINE"}
        for address in ("0.0.0.0", "::")  # noqa: S104 - how SQL Server says "all"; nothing is bound
    ]


def _network_settings(facts: Facts) -> list[Row]:
    if not facts.windows:
        return []
    instance_id = f"MSSQL{facts.major}.{facts.instance or 'MSSQLSERVER'}"
    key = rf"HKLM\Software\Microsoft\Microsoft SQL Server\{instance_id}\MSSQLServer\SuperSocketNetLib"
    values = {
        "ForceEncryption": str(int(facts.encryption is Encryption.FORCED)),
        "HideInstance": str(int(facts.hidden)),
        "Certificate": (facts.configured or facts.thumbprint or "").lower(),
    }
    if facts.major >= _SQL_SERVER_2022:
        values["ForceStrict"] = str(int(facts.force_strict))
    return [{"registry_key": key, "value_name": name, "value_data": data} for name, data in values.items()]


def _network_settings_registry(facts: Facts) -> list[Row]:
    if not facts.windows:
        return []
    return [
        {
            "force_encryption": int(facts.encryption is Encryption.FORCED),
            "force_strict": int(facts.force_strict) if facts.major >= _SQL_SERVER_2022 else None,
            "hide_instance": int(facts.hidden),
            "certificate": (facts.configured or facts.thumbprint or "").lower(),
        }
    ]


def _log(facts: Facts, text: str) -> list[Row]:
    return [{"LogDate": facts.started, "ProcessInfo": "Server", "Text": text}]


def _loaded_certificate(facts: Facts) -> list[Row]:
    if facts.thumbprint is None:
        return []
    text = f'The certificate [Cert Hash(sha1) "{facts.thumbprint}"] was successfully loaded for encryption.'
    return _log(facts, text)


def _self_generated_certificate(facts: Facts) -> list[Row]:
    if facts.thumbprint is not None:
        return []
    return _log(facts, "A self-generated certificate was successfully loaded for encryption.")


def _service_principal_names(facts: Facts) -> list[Row]:
    if facts.domain is None:
        return []
    name = f"MSSQLSvc/{facts.short}.{facts.domain}:{facts.instance or facts.port}"
    text = (
        "The SQL Server Network Interface library successfully registered the Service Principal Name "
        f"(SPN) [ {name} ] for the SQL Server service."
    )
    return _log(facts, text)


def _host_domain(facts: Facts) -> list[Row]:
    return [{"dns_suffix": facts.domain}] if facts.windows else []


def _databases(facts: Facts) -> list[Row]:
    return [{"name": name, "state_desc": "ONLINE", "has_access": 1} for name in (*SYSTEM_DATABASES, *facts.databases)]


def _startup_parameters(facts: Facts) -> list[Row]:
    if not facts.windows:
        return []
    folder = rf"C:\Program Files\Microsoft SQL Server\MSSQL{facts.major}.{facts.instance or 'MSSQLSERVER'}\MSSQL"
    arguments = (rf"-d{folder}\DATA\master.mdf", rf"-e{folder}\Log\ERRORLOG", rf"-l{folder}\DATA\mastlog.ldf")
    return [{"value_name": f"SQLArg{number}", "value_data": data} for number, data in enumerate(arguments)]


def _trace_flags(facts: Facts) -> list[Row]:
    return [{"TraceFlag": 17600, "Status": 0, "Global": 0, "Session": 0}]


def _database_features(facts: Facts) -> list[Row]:
    counts = ("full_text_indexes", "old_full_text_indexes", "master_data_tables", "stretched_tables")
    return [{**dict.fromkeys(counts, 0), "sees_all": 1}]


def _processors(facts: Facts) -> list[Row]:
    return [{"cpu_count": 8}]


def _security_log_audits(facts: Facts) -> list[Row]:
    return [{"audits": 0, "sees_all": 1}] if facts.windows else []


def _feature_settings(facts: Facts) -> list[Row]:
    knows_polybase = facts.major >= _SQL_SERVER_2019
    return [
        {
            "is_polybase_installed": 0 if knows_polybase else None,
            "ad_hoc_distributed_queries": 0,
            "polybase_network_encryption": 1 if knows_polybase else None,
        }
    ]


def _nothing_known(facts: Facts) -> list[Row]:
    return [{}]


#: By query name. A query that isn't here answers with no rows.
DERIVED: Final[Mapping[str, Callable[[Facts], list[Row]]]] = MappingProxyType(
    {
        "client_flags": _nothing_known,
        "database_features": _database_features,
        "processors": _processors,
        "security_log_audits": _security_log_audits,
        "databases": _databases,
        "host_domain": _host_domain,
        "identity": _identity,
        "listeners": _listeners,
        "loaded_certificate": _loaded_certificate,
        "network_settings": _network_settings,
        "network_settings_registry": _network_settings_registry,
        "msx_encryption": _nothing_known,
        "permission_test": _permission_test,
        "permissions": _permissions,
        "feature_settings": _feature_settings,
        "self_generated_certificate": _self_generated_certificate,
        "service_principal_names": _service_principal_names,
        "startup_parameters": _startup_parameters,
        "trace_flags": _trace_flags,
    }
)

#: What a row of a file holds in a column that it leaves out, where NULL would be no real server's answer.
COLUMN_DEFAULTS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "databases": {"state_desc": "ONLINE", "has_access": 1},
        "linked_servers": {
            "product": "",
            "is_linked": True,
            "is_data_access_enabled": True,
            "sees_all": 1,
            "uses_remote_collation": True,
            "connect_timeout": 0,
            "query_timeout": 0,
            "is_remote_proc_transaction_promotion_enabled": True,
        },
        "listeners": {"ip_address": "0.0.0.0", "type_desc": "TSQL", "state_desc": "ONLINE"},  # noqa: S104
        "distribution_publishers": {"active": True},
        "trace_flags": {"TraceFlag": 17600, "Status": 1, "Global": 1, "Session": 0},
        "external_data_sources": {"type_desc": "NONE"},
        "job_steps": {"is_enabled": 1, "step_id": 1, "command_bytes": 0, "last_run_date": 0, "last_run_time": 0},
        "master_server": {"is_master": 1},
        "module_texts": {"schema_name": "dbo", "piece": 0, "text_bytes": 0},
        "remote_synonyms": {"schema_name": "dbo"},
    }
)
