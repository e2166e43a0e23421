"""Nodes: the names that mean one server become one, called by its address in the estate file where it has one.

A server is a host and, on it, the default instance, a named instance or a port. Short name and FQDN are one host
when the short name leads to one FQDN only; names that an instance gives itself lead to it unless two instances
claim them. Where it is not certain that two names mean one server they stay two nodes: drawing a server twice
misleads less than drawing two as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from assessor.collect.inventory import Inventory
from assessor.names import BadDataSource, DataSource, is_ip_address, parse_data_source, same_server_key

_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what the server says, not what we bind


@dataclass(frozen=True, slots=True)
class Node:
    """One server that edges lead from or to."""

    name: str  #: the address of the estate file, else as first dialled
    in_estate: bool


@dataclass(slots=True)
class NodeIndex:
    """Finds the node that a data source leads to. Make it with :meth:`build`, once all names are known."""

    estate: tuple[str, ...]
    _fqdns: Mapping[str, str]  #: short host name → the one FQDN it stands for
    _claims: tuple[Mapping[str, str], ...]  #: key → address, strongest claims first
    _outside: dict[str, str] = field(default_factory=dict)  #: key → display name, in order of appearance

    @classmethod
    def build(cls, inventories: Sequence[Inventory], addresses: Sequence[str], dialled: Iterable[str]) -> NodeIndex:
        """Index the estate's addresses, what each instance calls itself, and every text that is dialled."""
        found = {inventory.instance: inventory for inventory in inventories}
        estate = tuple(dict.fromkeys([*addresses, *found]))
        own_names = {address: _OwnNames.of(address, found.get(address)) for address in estate}
        fqdns = _fqdn_of_short_name(own_names.values(), dialled)
        node_of = _one_address_each(estate, found)
        by_address: dict[str, str] = {}
        for address, own in own_names.items():
            for key in own.keys(0, fqdns):
                by_address.setdefault(key, node_of[address])
        by_name = tuple(
            _undisputed(
                (key, node_of[address]) for address, own in own_names.items() for key in own.keys(strength, fqdns)
            )
            for strength in (1, 2)
        )
        return cls(estate, fqdns, (by_address, *by_name))

    def name_of(self, source: DataSource, local_host: str) -> str:
        """Display name of the node that ``source`` leads to when it is dialled on ``local_host``."""
        key = _key(source, local_host, self._fqdns)
        for claims in self._claims:
            if key in claims:
                return claims[key]
        as_dialled = local_host + source.text.strip()[len(source.host) :] if source.is_local else source.text.strip()
        return self._outside.setdefault(key, as_dialled or key)

    def name_of_text(self, text: str, local_host: str) -> str:
        """As :meth:`name_of`; text that is no data source is a node of its own."""
        try:
            return self.name_of(parse_data_source(text), local_host)
        except BadDataSource:
            return self._outside.setdefault(text.lower(), text)

    def is_in_estate(self, name: str) -> bool:
        """``name`` is an address of the estate file."""
        return name in self.estate


def local_host_of(address: str, inventory: Inventory | None) -> str:
    """The host name that ``.`` means on this instance: as the estate file dials it, so that it can be dialled."""
    try:
        source = parse_data_source(address)
    except BadDataSource:
        return address
    if not source.is_local:
        return source.host
    identity = inventory.identity if inventory else None
    return (identity.fqdn or identity.machine_name if identity else None) or source.host or "localhost"


@dataclass(frozen=True, slots=True)
class _OwnNames:
    """What leads to one instance of the estate: its hosts by how sure they are, and its services on them."""

    address: DataSource | None
    local_host: str
    hosts: tuple[frozenset[str], ...]  #: by strength: estate file; current names; stale and physical names
    instances: frozenset[str]
    ports: frozenset[int]
    is_default: bool

    @classmethod
    def of(cls, address: str, inventory: Inventory | None) -> _OwnNames:
        try:
            source = parse_data_source(address)
        except BadDataSource:
            source = None
        local_host = local_host_of(address, inventory)
        identity = inventory.identity if inventory else None
        instance = source.instance if source else None
        ports = {source.port} if source and source.port else set()
        current: set[str] = set()
        doubtful: set[str] = set()
        if inventory is not None and identity is not None:
            instance = identity.instance_name or instance
            ports |= set(_listening_ports(inventory))
            current = {identity.machine_name or "", identity.fqdn or "", _host_of(identity.server_name)}
            doubtful = {identity.physical_name or "", _host_of(identity.registered_name or "")}
        is_default = instance is None and (identity is not None or not ports)
        return cls(
            address=source,
            local_host=local_host,
            hosts=tuple(frozenset(names) - {""} for names in ({local_host}, current, doubtful)),
            instances=frozenset({instance.lower()} if instance else ()),
            ports=frozenset(ports),
            is_default=is_default,
        )

    def every_host(self) -> Iterator[str]:
        for names in self.hosts:
            yield from names

    def keys(self, strength: int, fqdns: Mapping[str, str]) -> set[str]:
        """The keys that lead here, of one strength; the address itself is the strongest, 0."""
        if strength == 0:
            return {_key(self.address, self.local_host, fqdns)} if self.address else set()
        found: set[str] = set()
        for host in self.hosts[0] | self.hosts[1] if strength == 1 else self.hosts[2]:
            services: list[tuple[str | None, int | None]] = [(name, None) for name in self.instances]
            services += [(None, port) for port in self.ports]
            if self.is_default:
                services.append((None, None))
            for instance, port in services:
                found.add(_key(DataSource("", None, host, instance, port), self.local_host, fqdns))
        return found


def _listening_ports(inventory: Inventory) -> Iterator[int]:
    """Ports that lead to this instance under its host's name: not those of loopback (the admin connection)."""
    listeners = [listener for listener in inventory.listeners if listener.kind == "TSQL"]
    # A row for one address may be an availability group listener, which belongs to whoever is primary.
    whole = [listener for listener in listeners if listener.address in _EVERY_ADDRESS]
    for listener in whole or listeners:
        if not listener.address.startswith("127.") and listener.address != "::1":
            yield listener.port


def _host_of(server_name: str) -> str:
    return server_name.partition("\\")[0]


def _plain(host: str) -> str:
    return host.rstrip(".").lower()


def _key(source: DataSource, local_host: str, fqdns: Mapping[str, str]) -> str:
    if source.is_local_db:
        return f"{_plain(local_host)} {same_server_key(source)}"
    host = _plain(local_host if source.is_local else source.host)
    service = same_server_key(source, local_host=local_host)[len(host) :]
    return fqdns.get(host, host) + service


def _fqdn_of_short_name(owners: Iterable[_OwnNames], dialled: Iterable[str]) -> dict[str, str]:
    """Which FQDN a short name stands for: the only one in a suffix that the estate itself uses."""
    own = {_plain(host) for owner in owners for host in owner.every_host()}
    suffixes = {host.partition(".")[2] for host in own if "." in host and not is_ip_address(host)}
    candidates: dict[str, set[str]] = defaultdict(set)
    for host in own | {_plain(host) for host in _hosts(dialled)}:
        short, dot, suffix = host.partition(".")
        if dot and not is_ip_address(host) and (suffix in suffixes or not suffixes):
            candidates[short].add(host)
    return {short: next(iter(hosts)) for short, hosts in candidates.items() if len(hosts) == 1}


def _hosts(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        try:
            source = parse_data_source(text)
        except BadDataSource:
            continue
        if not source.is_local and not source.is_local_db:
            yield source.host


def _one_address_each(estate: Sequence[str], found: Mapping[str, Inventory]) -> dict[str, str]:
    """Each address to the first one under which the same instance is listed, by what it calls itself."""
    first: dict[str, str] = {}
    node_of = {}
    for address in estate:
        identity = found[address].identity if address in found else None
        if identity is None:
            node_of[address] = address
        else:
            itself = f"{identity.server_name}|{identity.machine_name}|{identity.domain}".lower()
            node_of[address] = first.setdefault(itself, address)
    return node_of


def _undisputed(claims: Iterable[tuple[str, str]]) -> dict[str, str]:
    owners: dict[str, set[str]] = defaultdict(set)
    for key, address in claims:
        owners[key].add(address)
    return {key: next(iter(addresses)) for key, addresses in owners.items() if len(addresses) == 1}
