"""Edges: one directed connection each, from the instance that opens it to the server that accepts it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assessor.clients.options import ConnectionOptions
from assessor.collect.inventory import AdHocCall, ToolCall
from assessor.names import DataSource
from assessor.probe.evidence import Endpoint


class EdgeKind(StrEnum):
    """What opens the connection; one module of this package finds each."""

    LINKED_SERVER = "linked_server"
    REPLICATION = "replication"
    LOG_SHIPPING = "log_shipping"
    AVAILABILITY_GROUP = "availability_group"
    MIRRORING = "mirroring"
    EXTERNAL_DATA_SOURCE = "external_data_source"
    AD_HOC = "ad_hoc"  #: OPENROWSET or OPENDATASOURCE with a provider
    JOB_STEP = "job_step"  #: a tool that an Agent job step runs
    MULTISERVER = "multiserver"  #: the Agent of a target server → its master


class ReplicationRole(StrEnum):
    """Which replication conversation an edge is."""

    DISTRIBUTOR_LINK = "distributor_link"  #: publisher's engine → distributor, by the hidden linked server
    LOG_READER_AGENT = "log_reader_agent"  #: distributor → publisher
    SNAPSHOT_AGENT = "snapshot_agent"  #: distributor → publisher, where no log reader is known to go
    DISTRIBUTION_AGENT = "distribution_agent"  #: push: distributor → subscriber; pull: subscriber → distributor
    MERGE_AGENT = "merge_agent"
    IMMEDIATE_UPDATING = "immediate_updating"  #: subscriber → publisher
    QUEUE_READER_AGENT = "queue_reader_agent"  #: distributor → publisher and subscriber of queued updating


class LogShippingRole(StrEnum):
    """Which end of log shipping reports to the monitor."""

    PRIMARY = "primary_to_monitor"
    SECONDARY = "secondary_to_monitor"


class AvailabilityRole(StrEnum):
    """Which connection of an availability group or mirrored database an edge is."""

    CLUSTER_CONNECTION = "cluster_connection"  #: the cluster's resource → the instance on the same node, ODBC
    DATA_MOVEMENT = "data_movement"  #: replica → replica, by the database mirroring endpoint
    PARTNER = "partner"  #: mirroring partner → partner, by the same endpoint
    WITNESS = "witness"  #: mirroring partner → witness


Role = ReplicationRole | LogShippingRole | AvailabilityRole


@dataclass(frozen=True, slots=True)
class AgentSwitches:
    """What a replication agent's job step or profile says about encryption.

    ``level`` is ``-EncryptionLevel``; ``None`` where neither states it, which the documents leave without a default.
    """

    job: str
    level: int | None
    stated_in: str  #: ``job step``, ``profile NAME`` or ``nowhere``
    profile_known: bool = True  #: ``False``: the step is silent, and the profile that may speak could not be read


@dataclass(frozen=True, slots=True)
class AlsoDialled:
    """A further server that the same definition may lead to: a replica, a routed host, a failover partner.

    The edge stands only if this one does, too. ``endpoint`` is ``None`` when it is not known where it is, and
    ``gap`` then says why.
    """

    who: str  #: for people: ``replica SQL02``
    host: str  #: the name that the client matches against the certificate
    endpoint: Endpoint | None
    gap: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """One connection as it is defined, before anybody says what becomes of it.

    ``id`` is stable: it is made of kind, source identity and name, none of which change when a certificate does.
    ``options`` is ``None`` when the definition's options could not be read, and ``options_gap`` then says why.
    ``endpoint`` is ``None`` when nothing can be probed over TCP (``endpoint_gap`` says why).
    """

    id: str
    source: str  #: the instance's address as the estate file writes it
    kind: EdgeKind
    name: str  #: linked server's name, or what replication calls the partner
    target: str  #: the node's display name: estate address where it is in the estate, else as dialled
    dialled: DataSource | None  #: what the source's driver is told to dial
    provider: str | None  #: as stored, not as resolved
    product: str | None
    options: ConnectionOptions | None
    options_gap: str | None = None
    endpoint: Endpoint | None = None
    endpoint_gap: str | None = None
    role: Role | None = None
    detail: str = ""  #: publication, database and the like, for people
    in_availability_group: bool = False
    agent: AgentSwitches | None = None  #: of a replication agent; ``None``: no job step of it was read
    also: tuple[AlsoDialled, ...] = ()
    ad_hoc: AdHocCall | None = None
    tool_call: ToolCall | None = None
    msx_encrypt_channel: int | None = None  #: of a multiserver edge: ``MsxEncryptChannelOptions``; ``None`` unknown

    @property
    def also_endpoints(self) -> tuple[Endpoint, ...]:
        """Where :attr:`also` leads, as far as it is known: to be probed like :attr:`endpoint`."""
        return tuple(each.endpoint for each in self.also if each.endpoint is not None)
