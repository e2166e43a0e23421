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

    def lacks(self, query: str) -> Gap | None:
        """The gap left by ``query``, or ``None`` when it answered in full."""
        return next((gap for gap in self.gaps if gap.query == query), None)
