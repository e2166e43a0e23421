"""What modules, synonyms, job steps and external data sources tell of connections: from rows to facts, all pure.

Module texts and commands are taken apart here and thrown away; what is kept has no secret in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from assessor.clients.options import MASK, redact
from assessor.collect.command_lines import (
    SCRIPT,
    Call,
    calls_in_command,
    calls_in_package_step,
    calls_in_powershell,
)
from assessor.collect.inventory import (
    AdHocCall,
    ExternalDataSource,
    FeatureSettings,
    LinkedServer,
    MasterServer,
    TargetServer,
    ToolCall,
    Usage,
    UsageKind,
)
from assessor.collect.reading import missing_in_registry
from assessor.collect.rows import Row, Table
from assessor.collect.tsql import (
    ProviderCall,
    enables_ad_hoc_queries,
    provider_calls,
    server_of_name,
    servers_used,
    shell_commands,
)

#: sql-docs ``ssms/agent/set-encryption-options-on-target-servers.md``: what holds where the value is not set.
MSX_DEFAULT: Final = 2
COMMAND_CHARACTERS: Final = 4000  #: of a job step's command that the query asks for
MODULE_CHARACTERS: Final = 64000  #: of a module's text that the query asks for
_LONGEST_SHOWN: Final = 400


def feature_settings_of(table: Table) -> FeatureSettings:
    """Settings; an option without a row is one that the version does not know, so it stays unknown."""
    row = table.only
    return FeatureSettings(
        ad_hoc_queries=row.flag("ad_hoc_distributed_queries"),
        is_polybase_installed=row.flag("is_polybase_installed"),
        polybase_network_encryption=row.flag("polybase_network_encryption"),
    )


# ------------------------------------------------------------------------------------------- external data sources

_USER_INFORMATION = re.compile(r"^([a-z][\w+.-]*://)[^/@]*@", re.IGNORECASE)


def external_data_sources_of(database: str, table: Table) -> tuple[ExternalDataSource, ...]:
    """The external data sources of one database."""
    return tuple(_external_data_source(database, row) for row in table)


def _external_data_source(database: str, row: Row) -> ExternalDataSource:
    options, is_known = _connection_options(row.text("connection_options"))
    return ExternalDataSource(
        database=database,
        name=row.required("name"),
        kind=row.text("type_desc") or "",
        location=_location(row.text("location") or ""),
        connection_options=options,
        connection_options_known=is_known,
    )


def _location(text: str) -> str:
    """A location without what may be a password: of ``scheme://user:password@host?token`` the host stays."""
    shown = _USER_INFORMATION.sub(rf"\g<1>{MASK}@", text.strip())
    head, query, _ = shown.partition("?")
    shown = f"{head}?{MASK}" if query else head
    return redact(shown) if ";" in shown or "=" in shown else shown


def _connection_options(text: str | None) -> tuple[str | None, bool]:
    """Masked options and whether they are known. JSON, which 2022 and later may hold, becomes ``keyword=value`` text."""
    if text is None or not text.strip():
        return None, True
    if not text.lstrip().startswith(("{", "[")):
        return redact(text), True
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None, False
    if not isinstance(document, dict) or any(isinstance(value, (dict, list)) for value in document.values()):
        return None, False
    pairs = (f"{_plain(str(name))}={_braced(_json_text(value))}" for name, value in document.items())
    return redact(";".join(pairs)), True


def _plain(name: str) -> str:
    return re.sub(r"[;={}]", " ", name)


def _json_text(value: object) -> str:
    return "yes" if value is True else "no" if value is False else "" if value is None else str(value)


def _braced(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"


# ---------------------------------------------------------------------------------------------------- module texts


@dataclass(frozen=True, slots=True)
class Module:
    """One module's text, put together again. ``text`` is ``None`` when it is encrypted or hidden."""

    database: str
    object_id: int
    name: str
    text: str | None
    is_cut: bool


def modules_of(database: str, table: Table) -> tuple[Module, ...]:
    """The modules of one database that the query found worth sending."""
    pieces: dict[int, list[Row]] = {}
    for row in table:
        pieces.setdefault(row.integer("object_id") or 0, []).append(row)
    return tuple(_module(database, number, rows) for number, rows in pieces.items())


def _module(database: str, object_id: int, rows: list[Row]) -> Module:
    first = rows[0]
    name = _dotted(first.text("schema_name"), first.text("object_name") or f"object {object_id}")
    if all(row.text("text_piece") is None for row in rows):
        return Module(database, object_id, name, None, is_cut=False)
    ordered = sorted(rows, key=lambda row: row.integer("piece") or 0)
    text = "".join(row.text("text_piece") or "" for row in ordered)
    size = first.integer("text_bytes")
    return Module(database, object_id, name, text, is_cut=size is None or size > 2 * _utf16_length(text))


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _dotted(schema: str | None, name: str) -> str:
    return f"{schema}.{name}" if schema else name


def ad_hoc_calls_in(module: Module) -> Iterator[AdHocCall]:
    """The ad hoc calls of one module, each once."""
    text = module.text or ""
    enables = enables_ad_hoc_queries(text)
    for call in dict.fromkeys(provider_calls(text)):
        yield _ad_hoc(call, module.database, module.name, is_job_step=False, enables=enables)


def _ad_hoc(call: ProviderCall, database: str | None, name: str, *, is_job_step: bool, enables: bool) -> AdHocCall:
    return AdHocCall(
        database=database,
        name=name,
        is_job_step=is_job_step,
        function=call.function,
        provider=_shown(call.provider),
        # What stands where a server is expected may be a whole connection string.
        data_source=_shown(call.data_source),
        provider_string=redact(call.provider_string) if call.provider_string is not None else None,
        is_three_part=call.is_three_part,
        is_known=call.is_known,
        enables_itself=enables,
    )


def _shown(text: str | None) -> str | None:
    if text is None:
        return None
    return redact(text) if re.search(r"[;=@]", text) else text[:_LONGEST_SHOWN]


def module_calls_tools(module: Module) -> Iterator[Call]:
    """The tools that one module runs by ``xp_cmdshell``, and scripts, whose content nobody sees."""
    for command in shell_commands(module.text or ""):
        yield from _shell(command)


def _shell(command: str) -> Iterator[Call]:
    if not command:
        yield Call(SCRIPT, None, False, runs="a command put together at run time")
    yield from calls_in_command(command)


# ------------------------------------------------------------------------------------------------------- who uses it


@dataclass(frozen=True, slots=True)
class Names:
    """The linked servers of an instance, to be found again in texts."""

    by_key: Mapping[str, str]  #: case-folded → as defined

    @classmethod
    def of(cls, servers: Iterable[LinkedServer]) -> Names:
        """All names but the local server's own, which the query leaves out already."""
        return cls({server.name.casefold(): server.name for server in servers})

    def defined(self, text: str | None) -> str | None:
        """The linked server that ``text`` names, as it is defined."""
        return self.by_key.get(text.casefold()) if text else None


LastRuns = Mapping[tuple[str, int], datetime | None]  #: by database in lower case and object id


def last_runs_of(table: Table) -> LastRuns:
    """When modules last ran."""
    return {
        ((row.text("database_name") or "").lower(), row.integer("object_id") or 0): row.moment("last_execution_time")
        for row in table
    }


def usages_in_modules(modules: Sequence[Module], names: Names, runs: LastRuns) -> Iterator[Usage]:
    """Which linked servers the texts use."""
    for module in modules:
        for server in servers_used(module.text or "", names.by_key):
            last = runs.get((module.database.lower(), module.object_id))
            yield Usage(server, UsageKind.MODULE, module.database, module.name, last)


def usages_in_dependencies(database: str, table: Table, names: Names, runs: LastRuns) -> Iterator[Usage]:
    """Which linked servers the server itself found in modules, encrypted ones included."""
    for row in table:
        server = names.defined(row.required("server_name"))
        number = row.integer("object_id") or 0
        if server is not None:
            name = _dotted(row.text("schema_name"), row.text("object_name") or f"object {number}")
            yield Usage(server, UsageKind.MODULE, database, name, runs.get((database.lower(), number)))


def usages_in_synonyms(database: str, table: Table, names: Names) -> Iterator[Usage]:
    """Which linked servers synonyms stand for."""
    for row in table:
        server = names.defined(server_of_name(row.required("base_object_name")))
        if server is not None:
            name = _dotted(row.text("schema_name"), row.required("synonym_name"))
            yield Usage(server, UsageKind.SYNONYM, database, name)


# --------------------------------------------------------------------------------------------------------- job steps


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What the job steps tell. ``cut`` are the steps whose command was too long to be read whole."""

    tool_calls: tuple[ToolCall, ...]
    ad_hoc_calls: tuple[AdHocCall, ...]
    usages: tuple[Usage, ...]
    cut: tuple[str, ...]


def job_facts_of(table: Table, names: Names) -> JobFacts:
    """Everything that the job steps tell of connections."""
    tools: list[ToolCall] = []
    ad_hoc: list[AdHocCall] = []
    usages: list[Usage] = []
    cut: list[str] = []
    for row in table:
        command = row.text("command") or ""
        label = _step_label(row)
        if (row.integer("command_bytes") or 0) > 2 * _utf16_length(command):
            cut.append(label)
        subsystem = (row.text("subsystem") or "").lower()
        for call in _calls(subsystem, command):
            tools.append(_tool_call(call, row))
        if subsystem == "tsql":
            enables = enables_ad_hoc_queries(command)
            for found in dict.fromkeys(provider_calls(command)):
                ad_hoc.append(_ad_hoc(found, row.text("database_name"), label, is_job_step=True, enables=enables))
            for server in servers_used(command, names.by_key):
                usages.append(Usage(server, UsageKind.JOB_STEP, row.text("database_name"), label, _last_run(row)))
    return JobFacts(tuple(tools), tuple(ad_hoc), tuple(usages), tuple(cut))


def _step_label(row: Row) -> str:
    return f"{row.required('job_name')}, step {row.integer('step_id')}"


def _calls(subsystem: str, command: str) -> Iterator[Call]:
    match subsystem:
        case "cmdexec":
            yield from calls_in_command(command)
        case "powershell":
            yield from calls_in_powershell(command)
        case "ssis" | "dts":
            yield from calls_in_package_step(command)
        case "activescripting":
            yield Call(SCRIPT, None, False, runs="an ActiveX script")
        case "tsql":
            for each in shell_commands(command):
                yield from _shell(each)


def _tool_call(call: Call, row: Row) -> ToolCall:
    return replace(
        _without_job(call),
        job=row.required("job_name"),
        is_enabled=row.flag("is_enabled"),
        step=row.integer("step_id") or 0,
        step_name=row.text("step_name") or "",
        subsystem=row.text("subsystem") or "",
        last_run=_last_run(row),
    )


def tool_call_of_module(call: Call, module: Module) -> ToolCall:
    """A tool that a module runs by ``xp_cmdshell``: there is no job, and the module's name stands in its place."""
    return replace(_without_job(call), job=f"{module.database}.{module.name}", subsystem="xp_cmdshell in a module")


def _without_job(call: Call) -> ToolCall:
    return ToolCall(
        job="",
        is_enabled=None,
        step=0,
        step_name="",
        subsystem="",
        tool=call.tool,
        server=call.server,
        is_server_known=call.is_server_known,
        switches=call.switches,
        options=call.options,
        provider=call.provider,
        runs=call.runs,
        tools_version=call.tools_version,
    )


def _last_run(row: Row) -> datetime | None:
    """``last_run_date`` as yyyymmdd and ``last_run_time`` as hhmmss; 0 is never."""
    day, time = row.integer("last_run_date") or 0, row.integer("last_run_time") or 0
    try:
        return datetime(day // 10000, day // 100 % 100, day % 100, time // 10000, time // 100 % 100, time % 100)
    except (ValueError, OverflowError):
        return None


# ------------------------------------------------------------------------------------------------------- multiserver


def master_server_of(table: Table, encryption: Table | None) -> MasterServer | None:
    """The master that the Agent polls; an instance has one at most."""
    for row in table:
        if row.flag("is_master") and (name := row.text("originating_server")):
            channel = encryption.only.integer("msx_encrypt_channel_options") if encryption is not None else None
            if channel is None and encryption is not None and missing_in_registry(encryption.messages):
                channel = MSX_DEFAULT
            return MasterServer(name, channel if channel in (0, 1, 2) else None)
    return None


def target_servers_of(table: Table) -> tuple[TargetServer, ...]:
    """The target servers enlisted here."""
    return tuple(TargetServer(row.required("server_name")) for row in table)


def each_once(usages: Iterable[Usage]) -> tuple[Usage, ...]:
    """The usages without repetitions: text search and dependencies find the same modules."""
    found: dict[tuple[str, UsageKind, str | None, str], Usage] = {}
    for usage in usages:
        key = (usage.server, usage.kind, usage.database, usage.name)
        old = found.setdefault(key, usage)
        if old.last_used is None and usage.last_used is not None:
            found[key] = replace(old, last_used=usage.last_used)
    return tuple(found.values())
