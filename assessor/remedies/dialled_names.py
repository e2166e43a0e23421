"""Which names a server's certificate must carry: those that edges really dial, and those the server has.

An IP address in a certificate is not matched by the drivers (measured with ODBC Driver 18.6), so addresses that are
dialled are kept apart: those definitions must dial a name instead. Microsoft asks for FQDN and NetBIOS name and
every alias and listener (tls-1-3.md, 2026-05-15; certificate-requirements.md, 2026-02-27).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from assessor.names import BadDataSource, is_ip_address, parse_data_source
from assessor.snapshot import AssessedEdge, Snapshot
from assessor.topology.nodes import local_host_of

_DNS_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DialledNames:
    """The names of one server. All lower-case, FQDNs before short names."""

    san: tuple[str, ...]  #: what the certificate must carry: dialled names and the server's own
    dialled: tuple[str, ...]  #: those of them that some edge dials or asks for
    addresses: tuple[str, ...]  #: IP addresses that some edge dials
    unusable: tuple[str, ...]  #: dialled texts that can't be a DNS name in a certificate, e.g. not ASCII
    carried: tuple[
        str, ...
    ]  #: what the certificate in use carries and nobody dials; may serve clients outside the estate

    @property
    def common_name(self) -> str | None:
        """The name for the subject: the first FQDN, else the first name."""
        return self.san[0] if self.san else None


class ServerNames:
    """Finds the names of a server in a snapshot; names that lead to one address and port are one server."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._inventories = {inventory.instance: inventory for inventory in snapshot.inventories}
        self._endpoints = {endpoint.id: endpoint for endpoint in snapshot.endpoints}
        self._estate = {instance.address for instance in snapshot.estate.instances}
        self._one = self._same_servers(snapshot.edges)
        self._edges: dict[str, list[AssessedEdge]] = defaultdict(list)
        for edge in snapshot.edges:
            self._edges[self.server(edge.target)].append(edge)

    def server(self, name: str) -> str:
        """The one display name of the server behind ``name``: its address in the estate file where it has one."""
        return self._one.get(name, name)

    def of(self, server: str) -> DialledNames:
        """Every name that leads to ``server``."""
        server = self.server(server)
        edges = [*self._edges[server], *self._through_listeners(server)]
        dialled: list[str] = []
        for edge in edges:
            dialled += self._names_of(edge)
        dialled += self._as_further_server(server)
        hosts = _in_order(host.rstrip(".").lower() for host in dialled)
        addresses = tuple(host for host in hosts if is_ip_address(host))
        names = tuple(host for host in hosts if host not in addresses and _DNS_NAME.fullmatch(host))
        own = tuple(host for host in self._own_names(server) if _DNS_NAME.fullmatch(host) and not is_ip_address(host))
        san = _in_order((*names, *own))
        return DialledNames(
            san=san,
            dialled=names,
            addresses=addresses,
            unusable=tuple(host for host in hosts if host not in names and host not in addresses),
            carried=tuple(name for name in self._carried(edges) if name not in san),
        )

    def _names_of(self, edge: AssessedEdge) -> list[str]:
        found = []
        if edge.options is not None and edge.options.host_name_in_certificate:
            found.append(edge.options.host_name_in_certificate)
        try:
            source = parse_data_source(edge.data_source or "")
        except BadDataSource:
            source = None
        if source is None or edge.data_source is None:
            return [*found, *self._host_of(edge.endpoint)]
        if source.is_local_db:
            return found
        host = local_host_of(edge.source, self._inventories.get(edge.source)) if source.is_local else source.host
        return [*found, host]

    def _host_of(self, endpoint: str | None) -> list[str]:
        found = self._endpoints.get(endpoint or "")
        return [found.evidence.endpoint.host] if found is not None else []

    def _as_further_server(self, server: str) -> list[str]:
        """Names under which definitions reach it besides their target: as a replica, a routed host, a failover partner."""
        hosts = [host for edge in self._snapshot.edges for id_ in edge.also_endpoints for host in self._host_of(id_)]
        return [host for host in hosts if self.server(host) == server]

    def _own_names(self, server: str) -> list[str]:
        found = []
        if server in self._estate:
            inventory = self._inventories.get(server)
            found.append(local_host_of(server, inventory))
            identity = inventory.identity if inventory else None
            if identity is not None:
                found += [name for name in (identity.fqdn, identity.machine_name) if name]
        return [name.rstrip(".").lower() for name in found]

    def _carried(self, edges: Iterable[AssessedEdge]) -> tuple[str, ...]:
        found = []
        for edge in edges:
            endpoint = self._endpoints.get(edge.endpoint or "")
            if endpoint is not None and endpoint.certificates and not endpoint.certificates[0].is_fallback:
                found += [name[4:] for name in endpoint.certificates[0].names if name.startswith("DNS:")]
        return _in_order(name.lower() for name in found)

    def _through_listeners(self, server: str) -> list[AssessedEdge]:
        """Edges to a name whose address this instance listens on besides its own: a group's listener."""
        inventory = self._inventories.get(server)
        if inventory is None:
            return []
        own = {(each.address, each.port) for each in inventory.listeners if each.kind == "TSQL"}
        return [
            edge
            for other, edges in list(self._edges.items())
            if other != server
            for edge in edges
            if self._answers_at(edge) in own
        ]

    def _answers_at(self, edge: AssessedEdge) -> tuple[str, int] | None:
        return self._address_of(edge.endpoint)

    def _address_of(self, id_: str | None) -> tuple[str, int] | None:
        endpoint = self._endpoints.get(id_ or "")
        if endpoint is None or endpoint.evidence.address is None or endpoint.evidence.port is None:
            return None
        return endpoint.evidence.address, endpoint.evidence.port

    def _same_servers(self, edges: Iterable[AssessedEdge]) -> dict[str, str]:
        by_address: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
        for edge in edges:
            answers_at = self._answers_at(edge)
            if answers_at is not None:
                by_address[answers_at][edge.target] = None
            for also in edge.also_endpoints:
                if (at := self._address_of(also)) is not None:
                    by_address[at].update(dict.fromkeys(self._host_of(also)))
        one: dict[str, str] = {}
        for targets in by_address.values():
            first = min(targets, key=lambda name: (name not in self._estate, "." not in name, name.lower(), name))
            for target in targets:
                one.setdefault(target, first)
        return one


def _in_order(hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(hosts), key=lambda host: ("." not in host, host)))
