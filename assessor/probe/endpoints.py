r"""Which endpoint a data source means: ``tcp:SQL01\SALES,1450`` is ``sql01,1450``."""

from __future__ import annotations

from dataclasses import dataclass

from assessor.names import DEFAULT_PORT, DataSource, Protocol
from assessor.probe.evidence import Endpoint
from assessor.routes import canonical_host


@dataclass(frozen=True, slots=True)
class Unprobed:
    """Nothing can be probed for this data source; ``reason`` is one sentence."""

    reason: str


def endpoint_for(data_source: DataSource, local_host: str | None) -> Endpoint | Unprobed:
    r"""The endpoint that a client dials for ``data_source`` over TCP.

    A port wins over an instance name; an instance without a port is left to SQL Browser; neither means port
    1433 (clients reference, section 5.2). ``.``, ``(local)``, ``localhost`` and the loopback addresses mean the
    machine of the source instance, ``local_host``, which is seldom the one that probes.
    """
    if data_source.is_local_db:
        return Unprobed("LocalDB is a process of the user who dials; it is never on the network")
    if data_source.protocol is Protocol.NAMED_PIPES:
        return Unprobed("named pipes are dialled, and only TCP can be probed")
    if data_source.protocol is Protocol.SHARED_MEMORY:
        return Unprobed("shared memory is dialled, which never leaves the machine")
    if data_source.protocol is Protocol.ADMIN:
        return Unprobed("the dedicated administrator connection is dialled, which takes one client only")
    host = data_source.host
    if data_source.is_local:
        if not local_host:
            return Unprobed("the source's own machine is dialled, and its host name is not known")
        host = local_host
    host = canonical_host(host)
    if data_source.port is not None:
        return Endpoint(host, data_source.port)
    if data_source.instance is not None:
        return Endpoint(host, None, data_source.instance.lower())
    return Endpoint(host, DEFAULT_PORT)
