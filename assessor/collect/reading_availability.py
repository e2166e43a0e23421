"""From rows to log shipping, availability groups and mirroring. Pure."""

from __future__ import annotations

from assessor.clients.options import redact
from assessor.collect.inventory import (
    AvailabilityGroup,
    AvailabilityListener,
    AvailabilityReplica,
    LogShippingMember,
    LogShippingPrimary,
    LogShippingSecondary,
    MirroredDatabase,
)
from assessor.collect.rows import Row, Table


def primaries_of(table: Table) -> tuple[LogShippingPrimary, ...]:
    """The databases shipped from here; one row a secondary, or one row where there is none."""
    secondaries: dict[str, list[str]] = {}
    first: dict[str, Row] = {}
    for row in table:
        name = row.required("primary_database")
        first.setdefault(name, row)
        if secondary := row.text("secondary_server"):
            secondaries.setdefault(name, []).append(secondary)
    return tuple(
        LogShippingPrimary(
            database=name,
            monitor=row.text("monitor_server"),
            secondaries=tuple(dict.fromkeys(secondaries.get(name, ()))),
            primary_options=_redacted(row.text("primary_connection_options")),
            monitor_options=_redacted(row.text("monitor_connection_options")),
        )
        for name, row in first.items()
    )


def secondaries_of(table: Table) -> tuple[LogShippingSecondary, ...]:
    """The databases shipped to here."""
    return tuple(
        LogShippingSecondary(
            database=row.text("secondary_database"),
            primary=row.required("primary_server"),
            primary_database=row.required("primary_database"),
            monitor=row.text("monitor_server"),
        )
        for row in table
    )


def members_of(table: Table) -> tuple[LogShippingMember, ...]:
    """The servers that this instance has monitor rows of, itself included where it is a member."""
    return tuple(
        LogShippingMember(row.required("member"), row.required("database_name"), bool(row.flag("is_primary")))
        for row in table
    )


def mirrored_of(table: Table) -> tuple[MirroredDatabase, ...]:
    """The mirrored databases that we may see."""
    return tuple(
        MirroredDatabase(
            database=row.text("database_name") or "",
            role=row.text("role_desc"),
            partner_url=row.text("partner_name") or None,
            partner_instance=row.text("partner_instance") or None,
            witness_url=row.text("witness_name") or None,
        )
        for row in table
    )


def groups_of(
    groups: Table | None, replicas: Table | None, listeners: Table | None, routed: Table | None
) -> tuple[AvailabilityGroup, ...]:
    """The availability groups, put together from what was answered; a group that only one answer names is one, too."""
    about = {row.required("group_name"): row for row in groups or ()}
    names = dict.fromkeys(about)
    for table in (replicas, listeners):
        names.update(dict.fromkeys(row.text("group_name") or "" for row in table or ()))
    names.pop("", None)
    return tuple(
        _group(
            name,
            about.get(name),
            _of(replicas, name),
            _of(listeners, name),
            _of(routed, name),
        )
        for name in names
    )


def _group(
    name: str, about: Row | None, replicas: list[Row], listeners: list[Row], routed: list[Row]
) -> AvailabilityGroup:
    return AvailabilityGroup(
        name=name,
        is_distributed=bool(about and about.flag("is_distributed")),
        is_contained=bool(about and about.flag("is_contained")),
        cluster_type=about.text("cluster_type") if about else None,
        cluster_options=_redacted(about.text("cluster_connection_options")) if about else None,
        replicas=tuple(
            AvailabilityReplica(
                server_name=server,
                endpoint_url=row.text("endpoint_url"),
                read_only_url=row.text("read_only_routing_url") or None,
            )
            for row in replicas
            if (server := row.text("replica_server_name"))
        ),
        listeners=tuple(
            AvailabilityListener(row.required("dns_name"), row.integer("port"), row.flag("is_distributed_network_name"))
            for row in listeners
        ),
        read_only_routed=tuple(row.required("routed_replica") for row in routed),
    )


def _of(table: Table | None, group: str) -> list[Row]:
    return [row for row in table or () if row.text("group_name") == group]


def _redacted(text: str | None) -> str | None:
    return None if text is None else redact(text)
