"""Which evidence an edge is judged by, when several machines probed its endpoint. Pure.

The source's own host is the right vantage: there names resolve and ports are open as they are for the connection.
After it comes the machine that ran for the source's site, then whoever was answered, then whoever looked last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assessor.collect.inventory import Inventory
from assessor.names import BadDataSource, is_ip_address, parse_data_source
from assessor.probe.evidence import Evidence, FailureClass


@dataclass(frozen=True, slots=True)
class Choice:
    """The evidence to judge by, whether it comes from the source's host, and what contradicts it."""

    evidence: Evidence
    from_source: bool
    disagreement: str | None


def in_order(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Best first for nobody in particular: answered before unanswered, tried before skipped, fresh before old."""
    return tuple(
        sorted(
            evidence,
            key=lambda each: (each.reachable, each.failure is not FailureClass.SKIPPED, each.probed_at, each.vantage),
            reverse=True,
        )
    )


def choose(candidates: Sequence[Evidence], source: Inventory, site: str | None) -> Choice:
    """The evidence that counts for an edge of ``source``; ``site`` is the machine that ran for its site, if known.

    ``candidates`` are of one endpoint, and at least one.
    """
    ordered = in_order(candidates)
    tried = [each for each in ordered if each.failure is not FailureClass.SKIPPED]
    own = [each for each in tried if is_host_of(source, each.vantage)]
    near = [each for each in tried if site is not None and _plain(each.vantage) == _plain(site)]
    if own:
        newest = max(own, key=lambda each: each.probed_at)
        return Choice(newest, True, disagreement(newest, ordered))
    best = in_order(near)[0] if near and in_order(near)[0].reachable else ordered[0]
    return Choice(best, False, disagreement(best, ordered))


def is_host_of(source: Inventory, vantage: str) -> bool:
    """``vantage`` is a name of the host that ``source`` runs on. Full names must agree in full."""
    name = _plain(vantage)
    names = {_plain(each) for each in _host_names(source) if each}
    if not name or is_ip_address(name):
        return False
    if name in names:
        return True
    short, dot, _ = name.partition(".")
    full = {each for each in names if "." in each}
    if dot:
        return short in names and not any(each.partition(".")[0] == short for each in full)
    return any(each.partition(".")[0] == short for each in full)


def _host_names(source: Inventory) -> Iterable[str | None]:
    identity = source.identity
    if identity is not None:
        yield from (identity.machine_name, identity.physical_name, identity.fqdn)
        return
    try:
        address = parse_data_source(source.instance)
    except BadDataSource:
        return
    if not address.is_local and not is_ip_address(address.host):
        yield address.host


def disagreement(used: Evidence, candidates: Iterable[Evidence]) -> str | None:
    """What another vantage saw differently from ``used``: another certificate, or another encryption setting."""
    for other in candidates:
        if other is used or not (other.reachable and used.reachable):
            continue
        if used.chain and other.chain and used.chain[0] != other.chain[0]:
            what = "another server certificate"
        elif used.encryption is not None and other.encryption is not None and used.encryption != other.encryption:
            what = f"encryption {other.encryption.value} instead of {used.encryption.value}"
        else:
            continue
        return (
            f"{other.vantage} saw {what} at {other.endpoint.id} on {other.probed_at:%Y-%m-%d %H:%M} UTC than {used.vantage} "
            f"on {used.probed_at:%Y-%m-%d %H:%M}; either it was changed in between or the name leads to different servers."
        )
    return None


def _plain(name: str) -> str:
    return name.strip().rstrip(".").lower()
