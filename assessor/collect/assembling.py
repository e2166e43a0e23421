"""From all answers of one instance to its :class:`Inventory`, and to the gaps that only the whole can show.

An answer that came back empty because a right is missing looks like an answer of "none". Here the two are told
apart, and what is hidden becomes a gap. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from assessor.collect import reading, reading_agents, reading_availability
from assessor.collect.assembling_code import with_code
from assessor.collect.inventory import (
    AvailabilityGroup,
    Distributor,
    EncryptionSettings,
    Gap,
    GapKind,
    Identity,
    Inventory,
    Listener,
    TraceFlag,
)
from assessor.collect.plan import IDENTITY, Answers, Catalogue, Step, wanted_of_database
from assessor.collect.queries import Finds
from assessor.collect.rows import Row, Table

ENTER_DATABASE = "CONNECT ANY DATABASE (2014 and later), or a user in the database"
_ON_LINUX = "SQL Server on Linux keeps this in mssql.conf, which no view or procedure shows"
_NO_FLAGS_ON_LINUX = "SQL Server on Linux has no registry of the host, and no query shows what its drivers default to"


def assemble(
    address: str,
    catalogue: Catalogue,
    answers: Answers,
    failures: Mapping[Step, Gap],
    *,
    collected_at: datetime,
    connection_validated: bool | None,
) -> Inventory:
    """The inventory of an instance that told its identity.

    ``failures`` are the steps that were refused, failed or were never taken; a failure whose fact became known in
    another way leaves no gap.
    """
    return _Assembly(address, catalogue, answers, failures).inventory(collected_at, connection_validated)


class _Assembly:
    def __init__(self, address: str, catalogue: Catalogue, answers: Answers, failures: Mapping[Step, Gap]) -> None:
        self._address = address
        self._catalogue = catalogue
        self._answers = answers
        self._failures = dict(failures)
        self._hidden: list[Gap] = []
        self._identity: Identity = reading.identity_of(answers[IDENTITY])
        permissions = self._table("permissions")
        self._permissions: Row | None = permissions.only if permissions is not None else None

    def inventory(self, collected_at: datetime, connection_validated: bool | None) -> Inventory:
        answers = self._answers
        self._find_cut_answers()
        encryption = self._encryption()
        linked_servers = self._table("linked_servers")
        self._check_linked_servers()
        servers = (
            reading.linked_servers_of(linked_servers, self._table("login_mappings"))
            if linked_servers is not None
            else ()
        )
        databases = self._table("databases")
        self._check_databases()
        own_names = frozenset(
            name.casefold() for name in (self._identity.server_name, self._identity.registered_name) if name
        )
        distributor_answer = self._table("distributor")
        distributor = reading.distributor_of(distributor_answer) if distributor_answer is not None else None
        if distributor is None:
            for server in servers:
                if server.is_distributor and server.name.lower() == "repl_distributor" and server.data_source:
                    distributor = Distributor(server.data_source, None)
                    self._failures.pop(Step("distributor"), None)
        publishers = self._table("distribution_publishers")
        flags_answer = self._table("client_flags")
        inventory = Inventory(
            instance=self._address,
            identity=replace(self._identity, domain=self._domain()),
            collected_at=collected_at,
            collected_as=self._permissions.text("login_name") if self._permissions is not None else None,
            connection_validated=connection_validated,
            listeners=self._listeners(),
            encryption=encryption,
            trace_flags=self._trace_flags(),
            linked_servers=servers,
            databases=reading.databases_of(databases) if databases is not None else (),
            distributor=distributor,
            publishers=reading.publishers_of(publishers) if publishers is not None else (),
            in_availability_group=self._in_availability_group(),
        )
        if flags_answer is not None:
            inventory = replace(inventory, client_flags=reading.client_flags_of(flags_answer))
        inventory = self._with_availability(self._with_agents(inventory))
        inventory = self._with_upgrade_facts(inventory)
        inventory = self._with_code(inventory)
        self._check_client_flags()
        for step, table in answers.items():
            if step.database is not None:
                inventory = self._with_database(inventory, step.query, step.database, table, own_names)
        return replace(inventory, gaps=(*self._failures.values(), *self._hidden))

    # --- small words ----------------------------------------------------------------------------------------

    def _table(self, name: str) -> Table | None:
        return self._answers.get(Step(name))

    def _hide(
        self,
        name: str,
        message: str,
        *,
        kind: GapKind = GapKind.HIDDEN,
        database: str | None = None,
        permission: str | None = None,
    ) -> None:
        query = self._catalogue.any_of(name)
        self._hidden.append(
            Gap(name, kind, message, query.loses, permission or query.permission, database, query.finds is Finds.EDGES)
        )

    def _on_linux(self, name: str, message: str = _ON_LINUX) -> bool:
        """The query does not fit, and the reason is the platform; leaves a gap that says so."""
        if self._identity.platform != "Linux":
            return False
        query = self._catalogue.any_of(name)
        self._hidden.append(
            Gap(name, GapKind.HIDDEN, message, query.loses, None, hides_edges=query.finds is Finds.EDGES)
        )
        return True

    def _may(self, right: str) -> bool:
        """We are known to have a right; a right that is unknown counts as missing."""
        if self._permissions is None:
            return False
        return self._permissions.integer(right) == 1 or self._permissions.integer("is_sysadmin") == 1

    # --- what is hidden -------------------------------------------------------------------------------------

    def _find_cut_answers(self) -> None:
        for step, table in self._answers.items():
            if table.is_cut:
                self._hide(
                    step.query,
                    f"the answer was cut after {len(table)} rows; there are more",
                    kind=GapKind.FAILED,
                    database=step.database,
                )

    def _encryption(self) -> EncryptionSettings:
        view, registry = Step("network_settings"), Step("network_settings_registry")
        settings = reading.network_settings_of(self._answers.get(view, Table(())), self._identity.major_version)
        if registry in self._answers:
            settings = settings.or_else(reading.network_settings_from_registry(self._answers[registry]))
        if settings.is_complete:
            self._failures.pop(view, None)
            self._failures.pop(registry, None)
        elif not self._on_linux("network_settings") and view in self._answers and registry not in self._failures:
            names = ("force_encryption", "force_strict", "hide_instance", "certificate")
            unknown = ", ".join(name for name in names if getattr(settings, name) is None)
            self._hide("network_settings", f"neither the registry view nor the registry procedure tells: {unknown}")
        loaded = self._table("loaded_certificate")
        thumbprint = reading.loaded_thumbprint(loaded) if loaded is not None else None
        own = [
            reading.has_self_generated_line(table)
            for name in ("self_generated_certificate", "self_generated_certificate_local")
            if (table := self._table(name)) is not None
        ]
        self_generated = True if True in own else False if thumbprint else None
        if loaded is not None and thumbprint is None and not self_generated and not self._misses_own():
            self._hide(
                "loaded_certificate",
                "the current error log has no line about a certificate; it was probably cycled since the start",
                kind=GapKind.FAILED,
            )
        return EncryptionSettings(
            force_encryption=settings.force_encryption,
            force_strict=settings.force_strict,
            hide_instance=settings.hide_instance,
            configured_thumbprint=settings.certificate,
            loaded_thumbprint=thumbprint,
            self_generated=self_generated,
        )

    def _misses_own(self) -> bool:
        names = ("self_generated_certificate", "self_generated_certificate_local")
        return any(Step(name) in self._failures for name in names)

    def _check_client_flags(self) -> None:
        table = self._table("client_flags")
        if table is None:
            if Step("client_flags") not in self._failures:
                self._on_linux("client_flags", _NO_FLAGS_ON_LINUX)
            return
        row = table.only
        values = [row.integer(f"sni{driver}_flag{flag}") for driver in (18, 19) for flag in (1, 2)]
        if None not in values or reading.missing_in_registry(table.messages):
            return  # a key that is not there is a known absence: the driver is not installed
        if reading.denied_in_registry(table.messages):
            self._hide("client_flags", "the registry procedure may not read these keys for us (error 5)")
        else:
            self._hide("client_flags", "the registry procedure returned nothing, and did not say why")

    def _trace_flags(self) -> tuple[TraceFlag, ...]:
        parameters = self._table("startup_parameters")
        at_startup = None
        if parameters is not None and len(parameters):
            at_startup = reading.is_start_up_parameter(parameters)
        elif parameters is not None:
            self._hide("startup_parameters", "the registry view shows no start-up parameter at all")
        elif Step("startup_parameters") not in self._failures:
            self._on_linux("startup_parameters")
        status = self._table("trace_flags")
        if status is None:
            return ()
        return (TraceFlag(reading.LEGACY_DRIVER_FLAG, reading.is_on_globally(status), at_startup),)

    def _domain(self) -> str | None:
        registry, names = self._table("host_domain"), self._table("service_principal_names")
        suffix = registry.only.text("dns_suffix") if registry is not None else None
        if suffix is None and names is not None:
            suffix = reading.domain_from_service_principal_names(names, self._identity.machine_name)
        if suffix is not None:
            # An empty suffix is a fact too: the host has none.
            self._failures.pop(Step("host_domain"), None)
            self._failures.pop(Step("service_principal_names"), None)
            return suffix.strip().strip(".").lower() or None
        if Step("host_domain") not in self._failures:
            self._hide("host_domain", "neither the registry nor the error log tells the host's DNS suffix to us")
        return None

    def _listeners(self) -> tuple[Listener, ...]:
        table = self._table("listeners")
        if table is not None:
            return reading.listeners_of(table)
        if self._permissions is None:
            return ()
        # Not the whole answer, so the gap stays; but the port that let us in is certainly one.
        port, address = self._permissions.integer("local_tcp_port"), self._permissions.text("local_net_address")
        return (Listener(address, port, "TSQL"),) if port and address else ()

    def _check_linked_servers(self) -> None:
        servers, mappings = self._table("linked_servers"), self._table("login_mappings")
        sees_all = self._may("alter_any_linked_server")
        if servers is not None:
            sees_all = sees_all or any(row.integer("sees_all") == 1 for row in servers)
            if not sees_all:
                self._hide(
                    "linked_servers",
                    "without ALTER ANY LINKED SERVER the provider strings come back empty, and servers that have "
                    "no mapping for everyone are not listed",
                )
        if mappings is not None and (not sees_all or reading.has_hidden_login(mappings)):
            self._hide("login_mappings", "some mappings, or the names of their logins, are not shown to us")

    def _check_databases(self) -> None:
        databases = self._table("databases")
        if databases is None:
            return
        if not self._may("view_any_database"):
            self._hide(
                "databases", "without VIEW ANY DATABASE only some databases are listed", permission="VIEW ANY DATABASE"
            )
        for row in databases:
            online = reading.is_online(row)
            if online and row.flag("has_access"):
                continue
            name = row.required("name")
            for query in wanted_of_database(row):
                if self._catalogue.fitting(query, self._identity) is None:
                    continue
                if online:
                    self._hide(
                        query,
                        "our login may not enter this database",
                        kind=GapKind.REFUSED,
                        database=name,
                        permission=ENTER_DATABASE,
                    )
                else:
                    state = row.text("state_desc") or "in an unknown state"
                    self._hide(query, f"the database is {state}", kind=GapKind.FAILED, database=name)

    def _in_availability_group(self) -> bool | None:
        enabled = self._answers[IDENTITY].only.integer("is_hadr_enabled")
        if enabled == 0:
            self._failures.pop(Step("availability_replicas"), None)
            return False  # rows may be left behind, and mean nothing
        table = self._table("availability_replicas")
        if table is None:
            return None
        if len(table):
            return True
        if self._may("view_any_definition"):
            return False
        self._hide("availability_replicas", "no rows, which without VIEW ANY DEFINITION does not mean none")
        return None

    def _with_agents(self, inventory: Inventory) -> Inventory:
        """What this instance's own Agent and msdb say about replication."""
        steps, properties = self._table("replication_agents"), self._table("distributor_properties")
        cut = sum(reading_agents.is_cut(row) for row in steps or ())
        if cut:
            self._hide("replication_agents", f"{cut} command lines are too long and were not read", kind=GapKind.FAILED)
        return replace(
            inventory,
            replication_agents=reading_agents.agents_of(steps) if steps is not None else (),
            distributor_properties=reading_agents.properties_of(properties) if properties is not None else None,
        )

    def _with_availability(self, inventory: Inventory) -> Inventory:
        """Log shipping, mirroring and availability groups."""
        shipped, received = self._table("log_shipping_primaries"), self._table("log_shipping_secondaries")
        monitored, mirrored = self._table("log_shipping_monitor"), self._table("mirrored_databases")
        return replace(
            inventory,
            shipped=reading_availability.primaries_of(shipped) if shipped is not None else (),
            received=reading_availability.secondaries_of(received) if received is not None else (),
            monitored=reading_availability.members_of(monitored) if monitored is not None else (),
            mirrored=reading_availability.mirrored_of(mirrored) if mirrored is not None else (),
            availability_groups=self._availability_groups(),
        )

    def _availability_groups(self) -> tuple[AvailabilityGroup, ...]:
        if self._answers[IDENTITY].only.integer("is_hadr_enabled") == 0:
            return ()  # rows may be left behind, and mean nothing
        listeners = self._table("availability_listeners")
        if listeners is not None and not len(listeners) and not self._may("view_any_definition"):
            self._hide("availability_listeners", "no rows, which without VIEW ANY DEFINITION does not mean none")
        return reading_availability.groups_of(
            self._table("availability_groups"),
            self._table("availability_replicas"),
            listeners,
            self._table("read_only_routing"),
        )

    def _with_upgrade_facts(self, inventory: Inventory) -> Inventory:
        """What only the other findings of the upgrade need."""
        processors, audits = self._table("processors"), self._table("security_log_audits")
        known = reading.audits_of(audits) if audits is not None else None
        if audits is not None and known is None:
            self._hide("security_log_audits", "without VIEW ANY DEFINITION audits are not listed")
        return replace(
            inventory,
            logical_cores=processors.only.integer("cpu_count") if processors is not None else None,
            security_log_audits=known,
        )

    def _with_code(self, inventory: Inventory) -> Inventory:
        """What modules, synonyms, job steps and external data sources tell."""
        for step in self._answers:
            if step.query == "module_texts":
                # The texts were searched; the server's own list would have added encrypted modules only.
                self._failures.pop(Step("remote_dependencies", step.database), None)
        channel = self._table("msx_encryption")
        if channel is not None and channel.only.integer("msx_encrypt_channel_options") is None:
            if reading.denied_in_registry(channel.messages) or not reading.missing_in_registry(channel.messages):
                self._hide("msx_encryption", "the registry procedure does not tell MsxEncryptChannelOptions to us")
        return with_code(inventory, self._answers, self._hide, sees_definitions=self._may("view_any_definition"))

    # --- databases ------------------------------------------------------------------------------------------

    def _with_database(
        self, inventory: Inventory, query: str, database: str, table: Table, own_names: frozenset[str]
    ) -> Inventory:
        match query:
            case "publications":
                found = reading.publications_of(database, table)
                return replace(inventory, publications=inventory.publications + found)
            case "merge_publications":
                found = reading.merge_publications_of(database, table, own_names)
                return replace(inventory, publications=inventory.publications + found)
            case "subscriptions" | "merge_subscriptions":
                if any(not row.text("subscriber") for row in table):
                    self._hide(query, "a subscriber has no name", kind=GapKind.FAILED, database=database)
                served = (
                    reading.subscriptions_of(database, table)
                    if query == "subscriptions"
                    else reading.merge_subscriptions_of(database, table, own_names)
                )
                return replace(inventory, subscriptions=inventory.subscriptions + served)
            case "held_subscriptions":
                distributors = self._answers.get(Step("pull_distributors", database))
                held = reading.subscribers_of(database, table, distributors)
                return replace(inventory, subscribers=inventory.subscribers + held)
            case "held_merge_subscriptions":
                held = reading.merge_subscribers_of(database, table, own_names)
                return replace(inventory, subscribers=inventory.subscribers + held)
            case "distributed_subscriptions" | "distributed_merge_subscriptions":
                nameless = sum(reading.is_nameless(row) for row in table)
                if nameless:
                    self._hide(
                        query,
                        f"{nameless} subscriptions name their publisher or subscriber by an id that no list knows",
                        kind=GapKind.FAILED,
                        database=database,
                    )
                passed_on = reading.distributed_of(database, table, is_merge=query.startswith("distributed_merge"))
                return replace(inventory, distributed=inventory.distributed + passed_on)
            case "agent_profiles":
                profiles = reading_agents.profiles_of(database, table)
                return replace(inventory, agent_profiles=(*inventory.agent_profiles, *profiles))
            case "redirected_publishers":
                redirected = reading_agents.redirected_of(database, table)
                return replace(inventory, redirected=(*inventory.redirected, *redirected))
            case "database_features":
                features = reading.features_of(database, table)
                if features.full_text_indexes is None or features.has_master_data_services is None:
                    self._hide(query, "without VIEW ANY DEFINITION a count of zero proves nothing", database=database)
                return replace(inventory, database_features=(*inventory.database_features, features))
            case _:
                return inventory
