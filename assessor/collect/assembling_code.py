"""What modules, job steps and external data sources add to an inventory, and the gaps that they leave. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from assessor.collect import code
from assessor.collect.inventory import GapKind, Inventory, Usage
from assessor.collect.plan import Answers, Step
from assessor.collect.rows import Table

_SHOWN = 5  #: names in the message of a gap


class Hide(Protocol):
    """Leaves a gap for a query that answered, but not in full."""

    def __call__(self, name: str, message: str, *, kind: GapKind = ..., database: str | None = ...) -> None:
        """Note it."""


def with_code(inventory: Inventory, answers: Answers, hide: Hide, *, sees_definitions: bool) -> Inventory:
    """``inventory`` with everything that texts tell. ``sees_definitions``: no definition is hidden from our login."""
    names = code.Names.of(inventory.linked_servers)
    modules = tuple(_modules(answers, hide, sees_definitions=sees_definitions))
    runs_answer = answers.get(Step("module_last_runs"))
    runs: code.LastRuns = code.last_runs_of(runs_answer) if runs_answer is not None else {}
    jobs = _jobs(answers, names, hide)
    options = answers.get(Step("feature_settings"))
    sources = [
        source
        for database, table in _by_database(answers, "external_data_sources", hide, sees_definitions=sees_definitions)
        for source in code.external_data_sources_of(database, table)
    ]
    for source in sources:
        if not source.connection_options_known:
            hide(
                "external_data_sources",
                f"the connection options of {source.name} are in a form that assessor can't read",
                kind=GapKind.FAILED,
                database=source.database,
            )
    usages: list[Usage] = [*code.usages_in_modules(modules, names, runs)]
    for step, table in answers.items():
        if step.query == "remote_dependencies" and step.database is not None:
            usages += code.usages_in_dependencies(step.database, table, names, runs)
    for database, table in _by_database(answers, "remote_synonyms", hide, sees_definitions=sees_definitions):
        usages += code.usages_in_synonyms(database, table, names)
    in_modules = (
        code.tool_call_of_module(call, module) for module in modules for call in code.module_calls_tools(module)
    )
    master, targets = answers.get(Step("master_server")), answers.get(Step("target_servers"))
    return replace(
        inventory,
        feature_settings=code.feature_settings_of(options) if options is not None else inventory.feature_settings,
        external_data_sources=tuple(sources),
        ad_hoc_calls=(*(call for module in modules for call in code.ad_hoc_calls_in(module)), *jobs.ad_hoc_calls),
        tool_calls=(*jobs.tool_calls, *dict.fromkeys(in_modules)),
        usages=code.each_once([*usages, *jobs.usages]),
        master_server=code.master_server_of(master, answers.get(Step("msx_encryption")))
        if master is not None
        else None,
        target_servers=code.target_servers_of(targets) if targets is not None else (),
    )


def _by_database(answers: Answers, query: str, hide: Hide, *, sees_definitions: bool) -> Iterator[tuple[str, Table]]:
    for step, table in answers.items():
        if step.query == query and step.database is not None:
            if not sees_definitions:
                hide(query, "without VIEW ANY DEFINITION some may not be listed", database=step.database)
            yield step.database, table


def _modules(answers: Answers, hide: Hide, *, sees_definitions: bool) -> Iterator[code.Module]:
    for database, table in _by_database(answers, "module_texts", hide, sees_definitions=sees_definitions):
        modules = code.modules_of(database, table)
        unread = [module.name for module in modules if module.text is None]
        if unread and sees_definitions:
            hide("module_texts", f"encrypted, so nobody can read what they dial: {_listed(unread)}", database=database)
        cut = [module.name for module in modules if module.is_cut]
        if cut:
            hide(
                "module_texts",
                f"longer than {code.MODULE_CHARACTERS:,} characters, and only the beginning was read: {_listed(cut)}",
                kind=GapKind.FAILED,
                database=database,
            )
        yield from modules


def _jobs(answers: Mapping[Step, Table], names: code.Names, hide: Hide) -> code.JobFacts:
    table = answers.get(Step("job_steps"))
    if table is None:
        return code.JobFacts((), (), (), ())
    facts = code.job_facts_of(table, names)
    if facts.cut:
        hide(
            "job_steps",
            f"longer than {code.COMMAND_CHARACTERS:,} characters, and only the beginning was read: {_listed(facts.cut)}",
            kind=GapKind.FAILED,
        )
    return facts


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
