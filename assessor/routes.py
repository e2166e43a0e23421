"""Routes: dial another address than the one a name resolves to, as curl's ``--connect-to`` does.

For estates behind NAT or a jump host, and for the lab, whose names are in no DNS. Only what is *dialled*
changes; the name that is reported, and matched against a certificate, stays the original host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class RouteError(ValueError):
    """A route that can't be read; the sentence names the entry and the mend."""


@dataclass(frozen=True, slots=True)
class Route:
    """One entry: whoever dials ``host`` (at ``port``, or at any) is sent to ``address`` (at ``to_port``)."""

    host: str  #: lower-case
    port: int | None  #: ``None``: every port
    address: str
    to_port: int | None  #: ``None``: the port that was asked for


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes of an estate. A route for one port wins over a route for the whole host."""

    entries: tuple[Route, ...] = ()

    @classmethod
    def parse(cls, table: Mapping[str, str]) -> Routes:
        """Read the estate file's ``[routes]``: ``host`` or ``host:port`` to ``address`` or ``address:port``.

        An IPv6 literal that carries a port is bracketed: ``[::1]:1433``. A key's port may be Browser's (1434,
        UDP).

        Raises:
            RouteError: an entry is malformed, or two entries are for the same host and port.

        """
        entries: dict[tuple[str, int | None], Route] = {}
        for key, value in table.items():
            entry = f"[routes] {key!r} = {value!r}"
            if not isinstance(value, str):
                raise RouteError(f'{entry}: write the address as text, such as "10.0.0.5" or "10.0.0.5:1433"')
            host, port = _split(key, f"{entry}: the key")
            address, to_port = _split(value, f"{entry}: the value")
            place = (canonical_host(host), port)
            if place in entries:
                raise RouteError(f"{entry}: another entry is for the same host and port; keep one of them")
            entries[place] = Route(*place, address, to_port)
        return cls(tuple(entries.values()))

    def to(self, host: str, port: int) -> tuple[str, int]:
        """Where to dial for ``host`` at ``port``; without a route, there."""
        found = self._find(host, port)
        if found is None:
            return host, port
        return found.address, port if found.to_port is None else found.to_port

    def has(self, host: str, port: int) -> bool:
        """Whether dialling ``host`` at ``port`` is redirected."""
        return self._find(host, port) is not None

    def _find(self, host: str, port: int) -> Route | None:
        name = canonical_host(host)
        whole_host = None
        for entry in self.entries:
            if entry.host != name:
                continue
            if entry.port == port:
                return entry
            if entry.port is None:
                whole_host = entry
        return whole_host


def canonical_host(host: str) -> str:
    """``host`` as names are compared: lower-case, without the root's trailing dot."""
    return host.strip().lower().rstrip(".")


def _split(text: str, where: str) -> tuple[str, int | None]:
    """Take ``host``, ``host:port``, ``::1`` or ``[::1]:port`` apart."""
    bare = text.strip()
    if bare.startswith("["):
        host, bracket, rest = bare[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise RouteError(f"{where} has an unfinished bracket; write an IPv6 address and port as [::1]:1433")
        port = rest[1:] if rest else None
    elif bare.count(":") > 1:  # an IPv6 literal without brackets can't carry a port
        host, port = bare, None
    else:
        host, colon, rest = bare.partition(":")
        port = rest if colon else None
    if not host or any(character.isspace() or character in "\\,/[]" for character in host):
        raise RouteError(f"{where} names no host; write host, host:port, address or address:port")
    if port is None:
        return host, None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise RouteError(f"{where} has a port that is not between 1 and 65535: {port!r}")
    return host, int(port)
