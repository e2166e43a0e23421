"""Edges: one directed connection each, from the instance that opens it to the server that accepts it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assessor.clients.options import ConnectionOptions
from assessor.names import DataSource
from assessor.probe.evidence import Endpoint


class EdgeKind(StrEnum):
    """What opens the connection; one module of this package finds each."""

    LINKED_SERVER = "linked_server"
    REPLICATION = "replication"


class ReplicationRole(StrEnum):
    """Which replication conversation an edge is."""

    DISTRIBUTOR_LINK = "distributor_link"  #: publisher's engine → distributor, by the hidden linked server
    LOG_READER_AGENT = "log_reader_agent"  #: distributor → publisher
    SNAPSHOT_AGENT = "snapshot_agent"  #: distributor → publisher, where no log reader goes the same way
    DISTRIBUTION_AGENT = "distribution_agent"  #: push: distributor → subscriber; pull: subscriber → distributor
    MERGE_AGENT = "merge_agent"
    IMMEDIATE_UPDATING = "immediate_updating"  #: subscriber → publisher


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
    role: ReplicationRole | None = None
    detail: str = ""  #: publication, database and the like, for people
    in_availability_group: bool = False
