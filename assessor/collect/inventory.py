"""What the bundled queries returned for one instance: facts only, no judgement.

``None`` always means *unknown*: the fact could not be read. It never means "off", "none" or zero;
where something is known to be absent, the field says so with ``False``, ``0`` or an empty tuple, and the
absence of a gap for its query is what makes that believable.
Column meanings: the catalog reference (MicrosoftDocs/sql-docs pages, dates in ``docs/sources.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class GapKind(StrEnum):
    """Why a fact is missing."""

    UNREACHABLE = "unreachable"  #: the instance could not be connected to
    LOGIN_FAILED = "login_failed"  #: it answered, and refused our login
    REFUSED = "refused"  #: the login may not run the query (229, 297, 300, 371, 916, …)
    HIDDEN = "hidden"  #: the query ran, but the right to see the value is missing, so it came back empty
    FAILED = "failed"  #: the query failed for another reason
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"  #: the run was stopped before this was asked


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that could not be learnt from one instance, and what that costs."""

    query: str  #: name of the bundled query, or ``connection``
    kind: GapKind
    message: str  #: what the server or driver said, secrets removed
    loses: str  #: what is unknown because of it, in a DBA's words
    permission: str | None = None  #: the right that would close the gap
    database: str | None = None
    hides_edges: bool = True  #: a connection may go unseen because of it; else only settings or findings are unknown


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the instance says it is (``SERVERPROPERTY``, ``@@SERVERNAME``, ``sys.dm_os_host_info``)."""

    server_name: str  #: ``SERVERPROPERTY('ServerName')``: ``HOST`` or ``HOST\\INSTANCE``
    registered_name: str | None  #: ``@@SERVERNAME``; may be stale after a host rename
    machine_name: str | None
    physical_name: str | None  #: the node it runs on now (``ComputerNamePhysicalNetBIOS``)
    instance_name: str | None  #: ``None`` for the default instance
    product_version: str  #: ``major.minor.build.revision``
    edition: str | None
    engine_edition: int | None  #: 8 is SQL Managed Instance
    platform: str | None  #: ``Windows`` or ``Linux``
    domain: str | None  #: DNS suffix of the host, if it could be had
    is_clustered: bool | None = None  #: a failover cluster instance

    @property
    def major_version(self) -> int:
        """The first part of the version: 11 is 2012, 17 is 2025."""
        return int(self.product_version.split(".", 1)[0])

    @property
    def fqdn(self) -> str | None:
        """Machine name and DNS suffix, when both are known."""
        if self.machine_name and self.domain:
            return f"{self.machine_name}.{self.domain}"
        return None


@dataclass(frozen=True, slots=True)
class Listener:
    """One address the instance listens on (``sys.dm_tcp_listener_states``)."""

    address: str  #: ``0.0.0.0`` and ``::`` mean all
    port: int
    kind: str  #: ``TSQL``, ``SERVICE_BROKER`` or ``DATABASE_MIRRORING``


@dataclass(frozen=True, slots=True)
class EncryptionSettings:
    """Server-side network settings: registry view for what is configured, error log for what was loaded."""

    force_encryption: bool | None = None
    force_strict: bool | None = None
    hide_instance: bool | None = None
    configured_thumbprint: str | None = None  #: SHA-1, upper-case hex; ``""`` means the server chooses
    loaded_thumbprint: str | None = None  #: from message 26013 of the current error log
    self_generated: bool | None = None  #: message 26018 was logged at start


@dataclass(frozen=True, slots=True)
class ClientFlags:
    """Client-side registry flags of the host: what its OLE DB drivers add to every definition.

    ``flag1`` is 0 Optional, 1 Mandatory, 2 Strict; ``flag2`` is 1 when trust may be asked for.
    Source: sql-docs connect/oledb/features/registry-settings.md, 2022-08-31.
    """

    sni18_flag1: int | None = None
    sni18_flag2: int | None = None
    sni19_flag1: int | None = None
    sni19_flag2: int | None = None


@dataclass(frozen=True, slots=True)
class TraceFlag:
    """A trace flag's state now, and whether it is a start-up parameter (so it survives the upgrade)."""

    number: int
    enabled_globally: bool
    at_startup: bool | None


@dataclass(frozen=True, slots=True)
class LoginMapping:
    """One row of ``sys.linked_logins``: who becomes whom. Never a password."""

    local_login: str | None  #: ``None`` is everyone
    impersonates: bool
    remote_login: str | None


@dataclass(frozen=True, slots=True)
class LinkedServerOptions:
    """The options of ``sys.servers`` that say nothing about encryption, but that are lost when a definition is recreated.

    Names are those of ``sp_serveroption``; timeouts in seconds, 0 is the server's default
    (sys-servers-transact-sql.md, 2020-06-16; sp-serveroption-transact-sql.md, 2024-08-22).
    """

    rpc: bool
    collation_compatible: bool
    use_remote_collation: bool
    collation_name: str | None
    connect_timeout: int
    query_timeout: int
    lazy_schema_validation: bool
    remote_proc_transaction_promotion: bool


@dataclass(frozen=True, slots=True)
class LinkedServer:
    """One row of ``sys.servers`` other than the local one, with its login mappings.

    ``provider_string`` has passed :func:`assessor.clients.options.redact`: values of keywords that could
    be secret are replaced. It is ``None`` when the login lacks ALTER ANY LINKED SERVER and
    ``provider_string_known`` is then ``False``: unknown, not empty.
    """

    name: str
    product: str
    provider: str
    data_source: str | None
    location: str | None
    provider_string: str | None
    provider_string_known: bool
    catalog: str | None
    is_linked: bool
    is_data_access_enabled: bool
    is_rpc_out_enabled: bool
    is_publisher: bool
    is_subscriber: bool
    is_distributor: bool
    is_nonsql_subscriber: bool
    is_system: bool
    modified: datetime | None
    logins: tuple[LoginMapping, ...] = ()
    options: LinkedServerOptions | None = None  #: ``None``: not read


@dataclass(frozen=True, slots=True)
class DatabaseRoles:
    """Replication roles of one database (``sys.databases``); ``is_subscribed`` is always 0 and not read."""

    name: str
    is_online: bool
    is_accessible: bool
    is_published: bool
    is_merge_published: bool
    is_distributor: bool


@dataclass(frozen=True, slots=True)
class Distributor:
    """The distributor this instance publishes through (``sp_helpdistributor``)."""

    name: str
    distribution_database: str | None


@dataclass(frozen=True, slots=True)
class Publisher:
    """A publisher that uses this instance as its distributor (``msdb.dbo.MSdistpublishers``)."""

    name: str
    distribution_database: str | None
    is_active: bool | None


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication of this instance (``syspublications``, ``sysmergepublications``)."""

    database: str
    name: str
    kind: str  #: ``transactional``, ``snapshot``, ``merge`` or ``peer_to_peer``
    distributor: str | None  #: merge publications name it


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber of a publication of this instance (``syssubscriptions``, ``sysmergesubscriptions``)."""

    database: str
    publication: str
    subscriber: str
    subscriber_database: str
    is_push: bool


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription held here: this instance is the subscriber.

    From ``MSreplication_subscriptions``, or ``sysmergesubscriptions`` when ``is_merge``. ``distributor`` is the
    server that a pull agent connects to (``MSsubscription_properties``, ``sysmergepublications``).
    """

    database: str
    publisher: str
    publisher_database: str
    publication: str
    is_push: bool
    is_immediate_updating: bool
    is_merge: bool = False
    distributor: str | None = None
    is_queued: bool = False  #: changes made here go back through the queue reader


@dataclass(frozen=True, slots=True)
class DistributedSubscription:
    """A subscription that a distribution database of this instance serves (``MSsubscriptions`` and relatives).

    The publisher's own list can miss pull subscriptions, and the publisher may be outside the estate.
    """

    distribution_database: str
    publisher: str
    publisher_database: str
    publication: str
    subscriber: str
    subscriber_database: str
    is_push: bool
    is_merge: bool


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """Settings of the instance that decide whether a feature is in use (``sys.configurations``, ``SERVERPROPERTY``)."""

    ad_hoc_queries: bool | None = None  #: ``Ad Hoc Distributed Queries``: OPENROWSET with a provider is allowed
    is_polybase_installed: bool | None = None
    polybase_network_encryption: bool | None = None  #: the hop from the engine to the PolyBase services


@dataclass(frozen=True, slots=True)
class ExternalDataSource:
    """One row of ``sys.external_data_sources``. Secrets are masked in ``location`` and ``connection_options``.

    ``connection_options`` is ``keyword=value`` text; what was stored as JSON has been written out so. ``None`` means
    that there are none, and with ``connection_options_known`` ``False`` that they could not be read.
    """

    database: str
    name: str
    kind: str  #: ``type_desc``
    location: str
    connection_options: str | None
    connection_options_known: bool


@dataclass(frozen=True, slots=True)
class AdHocCall:
    """One OPENROWSET or OPENDATASOURCE with a provider, in a module or a job step. Never a password.

    ``is_three_part`` is the form ``'server';'user';'password'``, which has no room for options. What is put together
    at run time can't be read: then ``data_source`` or ``provider_string`` is ``None`` and ``is_known`` is ``False``.
    """

    database: str | None
    name: str  #: ``schema.object``, or ``job, step 2``
    is_job_step: bool
    function: str  #: ``OPENROWSET`` or ``OPENDATASOURCE``
    provider: str | None
    data_source: str | None
    provider_string: str | None
    is_three_part: bool
    is_known: bool
    enables_itself: bool = False  #: the same text switches ``Ad Hoc Distributed Queries`` on


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One program that an Agent job step runs and that dials a SQL Server, with the switches that decide.

    The command line itself is not kept. ``options`` says in the words of a connection string what the switches
    say. ``server`` is ``None`` where none is named: the tool then dials the local server.
    """

    job: str
    is_enabled: bool | None  #: of the job (``sysjobs.enabled``)
    step: int
    step_name: str
    subsystem: str
    tool: str  #: ``sqlcmd``, ``osql``, ``bcp``, ``dtexec``, ``invoke-sqlcmd``, ``sqlps``, ``sqlclient``, ``dbatools``, ``script``
    server: str | None
    is_server_known: bool  #: ``False``: it comes from a variable or the text is unclear
    switches: str  #: those about encryption, as written: ``-Nm -C``
    options: str | None  #: ``Encrypt=…;TrustServerCertificate=…``
    provider: str | None = None  #: OLE DB provider or class of a connection string
    runs: str | None = None  #: package or script whose content is not in the job
    tools_version: int | None = None  #: 170 of a path like ``Client SDK\\ODBC\\170\\Tools``
    last_run: datetime | None = None  #: of the step, the server's local time; ``None``: never, or unknown


class UsageKind(StrEnum):
    """What uses a linked server."""

    MODULE = "module"  #: procedure, view, function or trigger
    SYNONYM = "synonym"
    JOB_STEP = "job_step"


@dataclass(frozen=True, slots=True)
class Usage:
    """One thing that uses a linked server. ``last_used`` is a hint: plan caches forget, and ``None`` proves nothing."""

    server: str  #: name of the linked server
    kind: UsageKind
    database: str | None
    name: str
    last_used: datetime | None = None  #: the server's local time


@dataclass(frozen=True, slots=True)
class MasterServer:
    """The multiserver master (MSX) that this instance's Agent polls, as a target server (TSX)."""

    name: str
    #: ``MsxEncryptChannelOptions``: 0 no encryption, 1 encryption without validation, 2 validation; ``None`` unknown
    encrypt_channel: int | None


@dataclass(frozen=True, slots=True)
class TargetServer:
    """A target server (TSX) enlisted at this instance, the multiserver master (``msdb.dbo.systargetservers``)."""

    name: str


@dataclass(frozen=True, slots=True)
class ReplicationAgent:
    """A job step of this instance's SQL Server Agent that is a replication agent (``msdb.dbo.sysjobsteps``).

    What the command line says overrides what replication's tables suggest. ``command`` has passed
    :func:`assessor.clients.agent_command.parse_agent_command`: only values of switches known to be harmless are left.
    """

    job: str
    is_enabled: bool | None
    subsystem: str  #: ``Distribution``, ``LogReader``, ``Merge``, ``QueueReader`` or ``Snapshot``, as stored
    command: str
    publisher: str | None = None
    publisher_database: str | None = None
    publication: str | None = None
    subscriber: str | None = None
    subscriber_database: str | None = None
    distributor: str | None = None
    encryption_level: int | None = None  #: ``-EncryptionLevel``; ``None``: the step does not state it


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """The agent profile that an agent of a distribution database uses, where it states ``-EncryptionLevel``."""

    distribution_database: str
    subsystem: str  #: as :class:`ReplicationAgent` has it
    agent: str  #: the agent's name, which is that of its job where the job is local
    publisher_database: str | None
    publication: str | None
    subscriber_database: str | None
    profile: str
    encryption_level: int | None  #: ``None``: its value is no number


@dataclass(frozen=True, slots=True)
class DistributorProperty:
    """A property of the distributor as this publisher has it (``msdb.dbo.MSdistributor``, 2025 and later)."""

    name: str  #: ``encrypt_distributor_connection`` and its like
    value: str | None


@dataclass(frozen=True, slots=True)
class RedirectedPublisher:
    """Agents of this distributor connect to ``redirected_to`` (a listener) instead of the publisher for one database."""

    distribution_database: str
    original: str
    publisher_database: str
    redirected_to: str


@dataclass(frozen=True, slots=True)
class LogShippingPrimary:
    """A database that this instance ships (``msdb.dbo.log_shipping_primary_databases``).

    The options are provider-string text after :func:`assessor.clients.options.redact`; ``None``: NULL, or a version
    that has no such column (before 2025).
    """

    database: str
    monitor: str | None
    secondaries: tuple[str, ...] = ()
    primary_options: str | None = None  #: from the log-shipping program to its own instance
    monitor_options: str | None = None  #: from this instance to the monitor


@dataclass(frozen=True, slots=True)
class LogShippingSecondary:
    """A database that is shipped to this instance (``msdb.dbo.log_shipping_secondary``)."""

    database: str | None
    primary: str
    primary_database: str
    monitor: str | None


@dataclass(frozen=True, slots=True)
class LogShippingMember:
    """A server that reports to this instance as its log-shipping monitor (``log_shipping_monitor_*``)."""

    server: str
    database: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class AvailabilityReplica:
    """One replica as this instance knows it (``sys.availability_replicas``).

    In a distributed group ``server_name`` is the name of a group, not of a server.
    """

    server_name: str
    endpoint_url: str | None = None  #: of the database mirroring endpoint
    read_only_url: str | None = None  #: ``TCP://host:port`` that read-only sessions are sent to


@dataclass(frozen=True, slots=True)
class AvailabilityListener:
    """A name under which the primary of a group is dialled (``sys.availability_group_listeners``)."""

    dns_name: str
    port: int | None
    is_distributed_network_name: bool | None = None


@dataclass(frozen=True, slots=True)
class AvailabilityGroup:
    """One availability group that this instance has a replica of.

    ``cluster_options`` is provider-string text after redaction; ``""``: not set; ``None``: a version without them.
    """

    name: str
    is_distributed: bool = False
    is_contained: bool = False
    cluster_type: str | None = None  #: ``WSFC``, ``EXTERNAL`` or ``NONE``; ``None`` before 2017, which knew WSFC only
    cluster_options: str | None = None
    replicas: tuple[AvailabilityReplica, ...] = ()
    listeners: tuple[AvailabilityListener, ...] = ()
    read_only_routed: tuple[str, ...] = ()  #: server names of the replicas that some routing list names


@dataclass(frozen=True, slots=True)
class MirroredDatabase:
    """One mirrored database (``sys.database_mirroring``)."""

    database: str
    role: str | None  #: ``PRINCIPAL`` or ``MIRROR``
    partner_url: str | None
    partner_instance: str | None
    witness_url: str | None


@dataclass(frozen=True, slots=True)
class DatabaseFeatures:
    """What one database has of features that the upgrade removes or changes; ``None`` is unknown."""

    database: str
    full_text_indexes: int | None
    old_full_text_indexes: int | None  #: of version 1, in the words of 2025; before 2025 that is all of them
    has_master_data_services: bool | None
    stretched_tables: int | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that was learnt about one instance, and everything that could not be.

    ``instance`` is the instance's address as the estate file writes it. When ``identity`` is ``None`` nothing
    was collected and ``gaps`` says why.
    """

    instance: str
    identity: Identity | None = None
    collected_at: datetime | None = None
    collected_as: str | None = None  #: login name as the server sees it
    connection_validated: bool | None = None  #: our own connection validated the server's certificate
    listeners: tuple[Listener, ...] = ()
    encryption: EncryptionSettings = EncryptionSettings()
    client_flags: ClientFlags = ClientFlags()
    trace_flags: tuple[TraceFlag, ...] = ()
    linked_servers: tuple[LinkedServer, ...] = ()
    databases: tuple[DatabaseRoles, ...] = ()
    distributor: Distributor | None = None
    publishers: tuple[Publisher, ...] = ()
    publications: tuple[Publication, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    distributed: tuple[DistributedSubscription, ...] = ()
    in_availability_group: bool | None = None  #: RP-08: distributor properties are needed on every node
    gaps: tuple[Gap, ...] = ()
    feature_settings: FeatureSettings = FeatureSettings()
    external_data_sources: tuple[ExternalDataSource, ...] = ()
    ad_hoc_calls: tuple[AdHocCall, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    usages: tuple[Usage, ...] = ()
    master_server: MasterServer | None = None
    target_servers: tuple[TargetServer, ...] = ()
    replication_agents: tuple[ReplicationAgent, ...] = ()
    agent_profiles: tuple[AgentProfile, ...] = ()
    distributor_properties: tuple[DistributorProperty, ...] | None = None  #: ``None``: not read, or before 2025
    redirected: tuple[RedirectedPublisher, ...] = ()
    shipped: tuple[LogShippingPrimary, ...] = ()
    received: tuple[LogShippingSecondary, ...] = ()
    monitored: tuple[LogShippingMember, ...] = ()
    availability_groups: tuple[AvailabilityGroup, ...] = ()
    mirrored: tuple[MirroredDatabase, ...] = ()
    database_features: tuple[DatabaseFeatures, ...] = ()
    logical_cores: int | None = None
    security_log_audits: int | None = None  #: enabled server audits that write to the Windows Security log

    def lacks(self, query: str) -> Gap | None:
        """The gap left by ``query``, or ``None`` when it answered in full."""
        return next((gap for gap in self.gaps if gap.query == query), None)
