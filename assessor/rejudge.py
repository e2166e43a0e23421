"""Judge snapshots again: with newer rules, on another date, or several sites as one estate. Pure.

A snapshot keeps what was gathered, so nobody has to be able to reach the servers any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from assessor import __version__
from assessor.certificates.certificate import Certificate, UnreadableCertificate
from assessor.certificates.trust import TrustStore
from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.concluding import TOPOLOGY_GAP, Gathered, conclude
from assessor.errors import SnapshotError, UsageError
from assessor.judge.rules import rules_version
from assessor.names import BadDataSource, parse_data_source, same_server_key
from assessor.probe.evidence import Evidence
from assessor.report.text import visible
from assessor.snapshot import EstatePlan, PlannedInstance, Run, Snapshot, TrustStoreRecord
from assessor.topology.build import build_edges


def rejudge(snapshot: Snapshot, *, upgrade_date: date | None = None, horizon_days: int | None = None) -> Snapshot:
    """The same facts under this version's rules, as of the moment of the run unless another upgrade date is given.

    Raises :class:`~assessor.errors.SnapshotError` when the snapshot does not hold what judging needs.
    """
    if snapshot.run.pseudonymised:
        raise SnapshotError("A pseudonymised snapshot has no certificates to judge; take the original.")
    plan = snapshot.estate
    plan = replace(
        plan,
        upgrade_date=upgrade_date or plan.upgrade_date,
        horizon_days=plan.horizon_days if horizon_days is None else horizon_days,
    )
    run = replace(snapshot.run, tool_version=__version__, rules_version=rules_version())
    return _judged(replace(snapshot, run=run, estate=plan), _evidence(snapshot))


def merge(snapshots: Sequence[Snapshot], *, name: str | None = None, upgrade_date: date | None = None) -> Snapshot:
    """Several sites, or several runs of one, as one estate, judged anew.

    An instance that is in several is taken from the run that collected it last. Raises
    :class:`~assessor.errors.UsageError` when the snapshots contradict each other in what only a person can decide.
    """
    if not snapshots:
        raise UsageError("Name at least one snapshot to merge.")
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.run.started)
    if any(snapshot.run.pseudonymised for snapshot in ordered):
        raise SnapshotError("A pseudonymised snapshot can't be merged; take the original.")
    dates = {snapshot.estate.upgrade_date for snapshot in ordered}
    if upgrade_date is None and len(dates) > 1:
        shown = ", ".join(str(each) for each in sorted(dates))
        raise UsageError(
            f"The snapshots plan different upgrade dates ({shown}); say which one counts with --upgrade-date."
        )
    sites = {id(snapshot): f"site {number}" for number, snapshot in enumerate(ordered, 1)}
    kept: dict[str, tuple[Snapshot, PlannedInstance, Inventory]] = {}
    gaps: list[Gap] = []
    for snapshot in ordered:
        for planned, inventory in _instances(snapshot):
            key = _same_as(planned.address, inventory, kept)
            if key not in kept:
                kept[key] = (snapshot, planned, inventory)
                continue
            gaps.extend(_choose(kept, key, (snapshot, planned, inventory)))
    records: dict[str, TrustStoreRecord] = {}
    renamed: dict[tuple[str, str], str] = {}
    for snapshot in ordered:
        for record in snapshot.trust_stores:
            id_ = _free_id(record, records, sites[id(snapshot)])
            records[id_] = replace(record, id=id_)
            renamed[sites[id(snapshot)], record.id] = id_
    newest = ordered[-1]
    plan = EstatePlan(
        name=name or " + ".join(dict.fromkeys(snapshot.estate.name for snapshot in ordered)),
        upgrade_date=upgrade_date or newest.estate.upgrade_date,
        horizon_days=max(snapshot.estate.horizon_days for snapshot in ordered),
        instances=tuple(
            replace(
                planned,
                trust_store=_renamed(renamed, sites[id(snapshot)], planned.trust_store),
                vantage=planned.vantage or snapshot.run.vantage,
            )
            for snapshot, planned, _ in kept.values()
        ),
        trust_store=_renamed(renamed, sites[id(newest)], newest.estate.trust_store),
    )
    union = replace(
        newest,
        run=_run(ordered),
        estate=plan,
        inventories=tuple(inventory for _, _, inventory in kept.values()),
        trust_stores=tuple(records.values()),
        gaps=(*dict.fromkeys(gap for snapshot in ordered for gap in snapshot.gaps), *gaps),
    )
    return _judged(union, tuple(each for snapshot in ordered for each in _evidence(snapshot)))


def _judged(union: Snapshot, evidence: Iterable[Evidence]) -> Snapshot:
    stores = {record.id: _store(record) for record in union.trust_stores}
    topology = build_edges(union.inventories, [instance.address for instance in union.estate.instances])
    missing = next((each.address for each in union.estate.instances if each.trust_store not in stores), None)
    if missing is not None or union.estate.trust_store not in stores:
        raise SnapshotError(
            f"A snapshot does not hold the trust store of {missing or 'its run'}; assess that site again."
        )
    return conclude(
        Gathered(
            run=union.run,
            plan=union.estate,
            inventories=union.inventories,
            topology=topology,
            evidence=tuple(evidence),
            stores={each.address: stores[each.trust_store or ""] for each in union.estate.instances},
            default_store=stores[union.estate.trust_store or ""],
            gaps=tuple(gap for gap in union.gaps if not gap.query.startswith(TOPOLOGY_GAP)),
        )
    )


def _instances(snapshot: Snapshot) -> Iterator[tuple[PlannedInstance, Inventory]]:
    found = {inventory.instance: inventory for inventory in snapshot.inventories}
    for planned in snapshot.estate.instances:
        inventory = found.get(planned.address)
        if inventory is None:
            raise SnapshotError(
                f"A snapshot has no inventory of its instance {planned.address}; assess that site again."
            )
        yield planned, inventory


def _same_as(
    address: str, inventory: Inventory, kept: Mapping[str, tuple[Snapshot, PlannedInstance, Inventory]]
) -> str:
    """The key of the instance in ``kept`` that this one is, else its own address.

    Raises :class:`~assessor.errors.UsageError` for one address that means two servers.
    """
    itself, own = _itself(inventory), _key(address)
    for key, (_, planned, other) in kept.items():
        other_itself = _itself(other)
        if itself is not None and itself == other_itself:
            return key
        if own == _key(planned.address):
            if itself is None or other_itself is None:
                return key
            raise UsageError(
                f"{address} is {_called(inventory)} in one snapshot and {_called(other)} in another: two servers with one "
                "address; write their full DNS names in the estate files and assess again."
            )
    return address


def _choose(
    kept: dict[str, tuple[Snapshot, PlannedInstance, Inventory]],
    key: str,
    candidate: tuple[Snapshot, PlannedInstance, Inventory],
) -> Iterator[Gap]:
    """Keep the newer of two runs of one instance that collected it; note what the other would have added."""
    older, newer = kept[key], candidate
    if newer[2].identity is None and older[2].identity is not None:
        message = newer[2].gaps[0].message if newer[2].gaps else "not said why"
        yield Gap(
            "merge",
            GapKind.FAILED,
            f"{key} was not collected on {newer[0].run.started:%Y-%m-%d} ({message}); it is shown as of "
            f"{older[0].run.started:%Y-%m-%d}",
            f"whatever changed on {key} since",
        )
        return
    had = {(gap.query, gap.database) for gap in older[2].gaps}
    lost = [gap for gap in newer[2].gaps if (gap.query, gap.database) not in had and older[2].identity is not None]
    if lost:
        yield Gap(
            "merge",
            GapKind.FAILED,
            f"{key} is shown as of {newer[0].run.started:%Y-%m-%d}, when {', '.join(dict.fromkeys(g.query for g in lost))} "
            f"gave a gap that the run of {older[0].run.started:%Y-%m-%d} did not have",
            "; ".join(dict.fromkeys(gap.loses for gap in lost)),
        )
    kept[key] = newer


def _itself(inventory: Inventory) -> str | None:
    identity = inventory.identity
    if identity is None:
        return None
    return f"{identity.server_name}|{identity.machine_name}|{identity.domain}".lower()


def _called(inventory: Inventory) -> str:
    identity = inventory.identity
    assert identity is not None
    return f"{identity.server_name} ({identity.fqdn})" if identity.fqdn else identity.server_name


def _key(address: str) -> str:
    try:
        return same_server_key(parse_data_source(address))
    except BadDataSource:
        return address.lower()


def _free_id(record: TrustStoreRecord, taken: Mapping[str, TrustStoreRecord], site: str) -> str:
    """The store's id, or one of its own where another site uses the same one for another store."""
    other = taken.get(record.id)
    if other is None or other == record:
        return record.id
    return f"{record.id} ({site})"


def _renamed(renamed: Mapping[tuple[str, str], str], site: str, id_: str | None) -> str | None:
    return None if id_ is None else renamed.get((site, id_), id_)


def _run(ordered: Sequence[Snapshot]) -> Run:
    newest = ordered[-1].run
    return replace(
        newest,
        tool_version=__version__,
        rules_version=rules_version(),
        finished=max(snapshot.run.finished for snapshot in ordered),
        vantage=", ".join(dict.fromkeys(snapshot.run.vantage for snapshot in ordered)),
        driver=", ".join(dict.fromkeys(snapshot.run.driver for snapshot in ordered)),
        interrupted=any(snapshot.run.interrupted for snapshot in ordered),
    )


def _evidence(snapshot: Snapshot) -> Iterator[Evidence]:
    for endpoint in snapshot.endpoints:
        yield endpoint.evidence
        yield from endpoint.others


def _store(record: TrustStoreRecord) -> TrustStore:
    try:
        certificates = tuple(Certificate.from_pem(pem) for pem in record.certificates)
    except UnreadableCertificate as error:
        raise SnapshotError(
            f"The snapshot's trust store {visible(record.id)} holds a damaged certificate ({error}); take the original file."
        ) from error
    return TrustStore(
        id=record.id,
        origin=record.origin,
        certificates=certificates,
        is_source=record.is_source,
        total=record.certificates_total,
        issuers=frozenset(record.issuers),
    )
