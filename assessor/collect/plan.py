"""Which queries are to be asked, given what has been answered so far.

Pure, so that a run that is stopped at any moment can still say exactly what it missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from assessor.collect import reading
from assessor.collect.inventory import Identity
from assessor.collect.queries import Query
from assessor.collect.rows import Row, Table

#: Pull and anonymous subscriptions: their agents run at the subscriber.
_PULL = (1, 2)
_SYSTEM_DATABASES = frozenset({"master", "model", "tempdb", "msdb"})
_WITHOUT_CODE = frozenset({"model", "tempdb"})  #: nobody's modules that live on
_MANAGED_INSTANCE = 8
_NEWEST_KNOWN = 17
#: Bundled queries that import an estate or test our rights; no assessment asks them.
IMPORTS = frozenset({"registered_servers", "permission_test"})


@dataclass(frozen=True, slots=True)
class Step:
    """One question: a query, and the database it is asked about where its scope is a database."""

    query: str
    database: str | None = None


IDENTITY = Step("identity")
Answers = Mapping[Step, Table]


class Catalogue:
    """The bundled queries by name, each with its variants by version."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._variants: dict[str, list[Query]] = {}
        for query in queries:
            self._variants.setdefault(query.name, []).append(query)

    def any_of(self, name: str) -> Query:
        """Some variant, for what all of them share: purpose, permission and loss."""
        return self._variants[name][0]

    def fitting(self, name: str, identity: Identity | None) -> Query | None:
        """The variant for this instance, or ``None``. Only the identity query fits one that is not known yet."""
        if identity is None:
            return self._variants[name][0] if name == IDENTITY.query else None
        # A managed instance calls itself 12 and has the views of the newest version (catalog reference A.1).
        is_managed = identity.engine_edition == _MANAGED_INSTANCE
        major = _NEWEST_KNOWN if is_managed else identity.major_version
        return next((query for query in self._variants[name] if query.fits(major, identity.platform)), None)


def steps(catalogue: Catalogue, answers: Answers, failed: frozenset[Step]) -> Iterator[Step]:
    """Every step that makes sense by now, those that were taken included, in the order to take them.

    ``failed`` are the steps that left a gap instead of an answer.
    """
    yield IDENTITY
    if IDENTITY not in answers:
        return
    identity = reading.identity_of(answers[IDENTITY])
    for step in _all_steps(identity, answers, failed):
        if catalogue.fitting(step.query, identity) is not None:
            yield step


def _all_steps(identity: Identity, answers: Answers, failed: frozenset[Step]) -> Iterator[Step]:
    for name in ("permissions", "databases", "linked_servers", "login_mappings", "listeners"):
        yield Step(name)
    yield from _encryption(identity, answers, failed)
    for name in (
        "client_flags",
        "trace_flags",
        "startup_parameters",
        "host_domain",
        "service_principal_names",
        "availability_replicas",
        "distributor",
    ):
        yield Step(name)
    yield from _availability(identity, answers)
    if _has_distributor(answers, failed):
        yield Step("distributor_properties")
    yield Step("feature_settings")
    yield Step("job_steps")
    if identity.engine_edition != _MANAGED_INSTANCE:
        yield from _multiserver(answers)
    yield Step("processors")
    yield Step("security_log_audits")
    databases = answers.get(Step("databases"))
    if databases is None:
        return
    if any(row.flag("is_distributor") for row in databases):
        yield Step("distribution_publishers")
    for row in databases:
        if reading.is_online(row) and row.flag("has_access"):
            yield from _database_steps(row, answers)
    if any(step.query in ("module_texts", "remote_dependencies") and len(table) for step, table in answers.items()):
        yield Step("module_last_runs")
    if _may_run_replication_agents(databases, answers):
        yield Step("replication_agents")


def _availability(identity: Identity, answers: Answers) -> Iterator[Step]:
    if identity.engine_edition != _MANAGED_INSTANCE:
        for name in (
            "log_shipping_primaries",
            "log_shipping_secondaries",
            "log_shipping_monitor",
            "mirrored_databases",
        ):
            yield Step(name)
    # Where the feature is off there may be rows left behind, which mean nothing.
    if answers[IDENTITY].only.integer("is_hadr_enabled") != 0:
        for name in ("availability_groups", "availability_listeners", "read_only_routing"):
            yield Step(name)


def _multiserver(answers: Answers) -> Iterator[Step]:
    master = Step("master_server")
    yield master
    yield Step("target_servers")
    if master in answers and len(answers[master]):
        yield Step("msx_encryption")


def _has_distributor(answers: Answers, failed: frozenset[Step]) -> bool:
    """A distributor is named, or its name could not be had; the table of its properties appears with it."""
    named, servers = answers.get(Step("distributor")), answers.get(Step("linked_servers"))
    if named is not None and any(row.text("distributor") for row in named):
        return True
    if servers is not None and any(row.required("name").lower() == "repl_distributor" for row in servers):
        return True
    return Step("distributor") in failed


def _may_run_replication_agents(databases: Iterable[Row], answers: Answers) -> bool:
    """Agents run at a distributor, and where a subscription is pulled."""
    if any(row.flag("is_distributor") for row in databases):
        return True
    held = ("held_subscriptions", "held_merge_subscriptions")
    return any(
        step.query in held and any(row.integer("subscription_type") in _PULL for row in table)
        for step, table in answers.items()
    )


def _encryption(identity: Identity, answers: Answers, failed: frozenset[Step]) -> Iterator[Step]:
    view = Step("network_settings")
    yield view
    # The registry procedure is a second opinion, asked where the view leaves something open.
    if view in failed or (
        view in answers and not reading.network_settings_of(answers[view], identity.major_version).is_complete
    ):
        yield Step("network_settings_registry")
    loaded, english = Step("loaded_certificate"), Step("self_generated_certificate")
    yield loaded
    if loaded in answers and reading.loaded_thumbprint(answers[loaded]) is None:
        yield english
        if english in answers and not reading.has_self_generated_line(answers[english]):
            yield Step("self_generated_certificate_local")


def _database_steps(row: Row, answers: Answers) -> Iterator[Step]:
    name = row.required("name")
    for query in wanted_of_database(row):
        step = Step(query, name)
        yield step
        if query == "module_texts":
            yield Step("remote_dependencies", name)
        if query == "held_subscriptions" and step in answers:
            held = answers[step]
            if any(entry.integer("subscription_type") in _PULL for entry in held):
                yield Step("pull_distributors", name)


def wanted_of_database(row: Row) -> Iterator[str]:
    """The names of the queries that a database is worth asking, whether or not we may enter it."""
    name = row.required("name").lower()
    if name not in _WITHOUT_CODE and not row.flag("is_distributor"):
        yield "module_texts"
        yield "remote_synonyms"
    if name in _SYSTEM_DATABASES:
        return
    if row.flag("is_distributor"):
        # It has tables with the names of a publication database's, and other columns.
        yield "distributed_subscriptions"
        yield "distributed_merge_subscriptions"
        yield "redirected_publishers"
        yield "agent_profiles"
        return
    if row.flag("is_published"):
        yield "publications"
        yield "subscriptions"
    if row.flag("is_merge_published"):
        yield "merge_publications"
        yield "merge_subscriptions"
    yield "held_subscriptions"
    yield "held_merge_subscriptions"
    yield "database_features"
    yield "external_data_sources"
