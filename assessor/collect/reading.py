"""From the rows of one query to the inventory's types; one function a query, all pure.

``None`` stays *unknown* throughout: a NULL is never read as off, and an answer without rows only as "none" where
the catalog reference says that it proves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from assessor.clients.options import redact
from assessor.collect.inventory import (
    ClientFlags,
    DatabaseFeatures,
    DatabaseRoles,
    DistributedSubscription,
    Distributor,
    Identity,
    LinkedServer,
    LinkedServerOptions,
    Listener,
    LoginMapping,
    Publication,
    Publisher,
    Subscriber,
    Subscription,
)
from assessor.collect.rows import BadAnswer, Row, Table

#: Queries whose answer always has exactly one row.
ONE_ROW = frozenset(
    {
        "identity",
        "permissions",
        "host_domain",
        "network_settings_registry",
        "client_flags",
        "database_features",
        "processors",
        "security_log_audits",
        "feature_settings",
        "msx_encryption",
    }
)

LEGACY_DRIVER_FLAG = 17600
PUSH = 0  #: ``subscription_type``: 0 push, 1 pull, 2 anonymous (which is a pull too)
_MERGE_TYPE = 2  #: ``MSpublications.publication_type``
#: ``update_mode``: 1 immediate, 3 and 5 immediate with queued as failover, 4 and 7 queued that may switch to immediate
#: (sql-docs ``sp-addsubscription-transact-sql.md``).
_IMMEDIATE = frozenset({1, 3, 4, 5, 7})
#: 2 and 4 queued, 3 and 5 immediate with queued as failover, 6 and 7 queued with immediate as failover (same page).
_QUEUED = frozenset({2, 3, 4, 5, 6, 7})
_FIRST_ON_LINUX = 14
_FIRST_WITH_STRICT = 16
_THUMBPRINT = re.compile(r"Cert Hash\(sha1\)\s*\"?([0-9A-Fa-f]{40})\b")
_SPN = re.compile(r"MSSQLSvc/([A-Za-z0-9_-]{1,63})((?:\.[A-Za-z0-9_-]{1,63})+)(?::|\b)")
#: Who writes start-up lines. A failed login is written by ``Logon``, and its text is the client's to choose.
_SERVER_PROCESS = re.compile(r"server|spid\d+s", re.IGNORECASE)
_REGISTRY_ERROR = re.compile(r"\berror (\d+)\b")
_ACCESS_DENIED = 5


def identity_of(table: Table) -> Identity:
    """Who the instance is. Raises :class:`BadAnswer` when its version is no version."""
    row = table.only
    version = row.required("product_version")
    if not re.fullmatch(r"\d{1,3}(\.\d{1,9}){1,3}", version):
        raise BadAnswer("ProductVersion is no version number")
    separator = row.text("path_separator")
    platform = {"/": "Linux", "\\": "Windows"}.get(separator or "")
    if platform is None and int(version.split(".", 1)[0]) < _FIRST_ON_LINUX:
        platform = "Windows"
    return Identity(
        server_name=row.required("server_name"),
        registered_name=row.text("registered_name"),
        machine_name=row.text("machine_name"),
        physical_name=row.text("physical_name"),
        instance_name=row.text("instance_name"),
        product_version=version,
        edition=row.text("edition"),
        engine_edition=row.integer("engine_edition"),
        platform=platform,
        domain=None,
        is_clustered=row.flag("is_clustered"),
    )


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """What is configured; ``None`` is unknown, an empty certificate means that the server chooses."""

    force_encryption: bool | None = None
    force_strict: bool | None = None
    hide_instance: bool | None = None
    certificate: str | None = None

    @property
    def is_complete(self) -> bool:
        """Nothing is unknown."""
        return None not in (self.force_encryption, self.force_strict, self.hide_instance, self.certificate)

    def or_else(self, other: NetworkSettings) -> NetworkSettings:
        """These settings, with what is unknown taken from ``other``."""
        return NetworkSettings(
            self.force_encryption if self.force_encryption is not None else other.force_encryption,
            self.force_strict if self.force_strict is not None else other.force_strict,
            self.hide_instance if self.hide_instance is not None else other.hide_instance,
            self.certificate if self.certificate is not None else other.certificate,
        )


def network_settings_of(table: Table, major_version: int) -> NetworkSettings:
    """From the registry view. ``Encrypt`` beside ``ForceEncryption`` forces too, as Microsoft's own checker reads it."""
    values = {row.required("value_name").lower(): row.text("value_data") for row in table}
    forces = [_registry_bit(values.get(name)) for name in ("forceencryption", "encrypt")]
    return NetworkSettings(
        force_encryption=True if True in forces else forces[0],
        # The setting came with 2022; before it there is nothing to be forced.
        force_strict=False if major_version < _FIRST_WITH_STRICT else _registry_bit(values.get("forcestrict")),
        hide_instance=_registry_bit(values.get("hideinstance")),
        certificate=_thumbprint(values.get("certificate")),
    )


def network_settings_from_registry(table: Table) -> NetworkSettings:
    """From the registry procedure."""
    row = table.only
    return NetworkSettings(
        row.flag("force_encryption"),
        row.flag("force_strict"),
        row.flag("hide_instance"),
        _thumbprint(row.text("certificate")),
    )


def loaded_thumbprint(table: Table) -> str | None:
    """The thumbprint of the last message 26013, or ``None`` when the log has none."""
    found = None
    for row in _by_time(table):
        match = _THUMBPRINT.search(row.text("Text") or "")
        if match and _is_from_server(row):
            found = match[1].upper()
    return found


def has_self_generated_line(table: Table) -> bool:
    """The log has message 26018, written by the server itself."""
    return any(_is_from_server(row) for row in table)


def domain_from_service_principal_names(table: Table, machine_name: str | None) -> str | None:
    """The DNS suffix of this host, from the names that it registered at its start."""
    for row in _by_time(table):
        match = _SPN.search(row.text("Text") or "")
        if match and _is_from_server(row) and match[1].casefold() == (machine_name or "").casefold():
            return match[2].lstrip(".").lower()
    return None


def client_flags_of(table: Table) -> ClientFlags:
    """The host's flags. A flag is what its label says, for its number is not reliable (catalog reference B.5)."""
    row = table.only
    flags = ClientFlags()
    for driver in ("sni18", "sni19"):
        for number in ("1", "2"):
            value = row.integer(f"{driver}_flag{number}")
            label = (row.text(f"{driver}_flag{number}_label") or "").casefold()
            meant = "1" if "force protocol encryption" in label else "2" if "trust server" in label else number
            if value is not None:
                flags = _with_flag(flags, f"{driver}_flag{meant}", value)
    return flags


def _with_flag(flags: ClientFlags, name: str, value: int) -> ClientFlags:
    match name:
        case "sni18_flag1":
            return replace(flags, sni18_flag1=value)
        case "sni18_flag2":
            return replace(flags, sni18_flag2=value)
        case "sni19_flag1":
            return replace(flags, sni19_flag1=value)
        case _:
            return replace(flags, sni19_flag2=value)


def denied_in_registry(messages: Iterable[str]) -> bool:
    """The registry procedure was refused: Windows error 5, told by a message. Error 2 is a key that is not there."""
    return any(int(code) == _ACCESS_DENIED for text in messages for code in _REGISTRY_ERROR.findall(text))


def missing_in_registry(messages: Iterable[str]) -> bool:
    """Some key that was asked for does not exist, and nothing was refused."""
    codes = {int(code) for text in messages for code in _REGISTRY_ERROR.findall(text)}
    return bool(codes) and _ACCESS_DENIED not in codes


def is_on_globally(table: Table) -> bool:
    """Trace flag 17600 is on for every session; a session's own flags are of no interest."""
    return any(row.integer("TraceFlag") == LEGACY_DRIVER_FLAG and row.integer("Global") == 1 for row in table)


def is_start_up_parameter(table: Table) -> bool:
    """``-T17600`` is among the start-up parameters."""
    return any(re.fullmatch(rf"-T\s*{LEGACY_DRIVER_FLAG}", (row.text("value_data") or "").strip()) for row in table)


def listeners_of(table: Table) -> tuple[Listener, ...]:
    """The addresses that are open now."""
    return tuple(
        Listener(row.required("ip_address"), row.integer("port") or 0, row.required("type_desc"))
        for row in table
        if (row.text("state_desc") or "ONLINE").upper() == "ONLINE"
    )


def linked_servers_of(table: Table, mappings: Table | None) -> tuple[LinkedServer, ...]:
    """Every server, whether or not anybody is mapped to it."""
    by_server: dict[str, list[LoginMapping]] = {}
    for row in mappings or ():
        by_server.setdefault(row.required("server_name"), []).append(_mapping(row))
    return tuple(_linked_server(row, tuple(by_server.get(row.required("name"), ()))) for row in table)


def _linked_server(row: Row, logins: tuple[LoginMapping, ...]) -> LinkedServer:
    provider_string = row.text("provider_string")
    return LinkedServer(
        name=row.required("name"),
        product=_without_secrets(row.text("product")) or "",
        provider=row.text("provider") or "",
        data_source=_without_secrets(row.text("data_source")),
        location=_without_secrets(row.text("location")),
        provider_string=None if provider_string is None else redact(provider_string),
        provider_string_known=provider_string is not None or row.integer("sees_all") == 1,
        catalog=_without_secrets(row.text("catalog")),
        is_linked=bool(row.flag("is_linked")),
        is_data_access_enabled=bool(row.flag("is_data_access_enabled")),
        is_rpc_out_enabled=bool(row.flag("is_rpc_out_enabled")),
        is_publisher=bool(row.flag("is_publisher")),
        is_subscriber=bool(row.flag("is_subscriber")),
        is_distributor=bool(row.flag("is_distributor")),
        is_nonsql_subscriber=bool(row.flag("is_nonsql_subscriber")),
        is_system=bool(row.flag("is_system")),
        modified=row.moment("modify_date"),
        logins=logins,
        options=_server_options(row),
    )


def _server_options(row: Row) -> LinkedServerOptions | None:
    """The options that a recreated definition needs; ``None`` unless all of them were read."""
    flags = [
        row.flag(name)
        for name in (
            "is_remote_login_enabled",
            "is_collation_compatible",
            "uses_remote_collation",
            "lazy_schema_validation",
            "is_remote_proc_transaction_promotion_enabled",
        )
    ]
    connect, query = row.integer("connect_timeout"), row.integer("query_timeout")
    if connect is None or query is None or any(flag is None for flag in flags):
        return None
    rpc, compatible, remote, lazy, promotion = map(bool, flags)
    return LinkedServerOptions(
        rpc=rpc,
        collation_compatible=compatible,
        use_remote_collation=remote,
        collation_name=row.text("collation_name"),
        connect_timeout=connect,
        query_timeout=query,
        lazy_schema_validation=lazy,
        remote_proc_transaction_promotion=promotion,
    )


def _without_secrets(text: str | None) -> str | None:
    """A data source may be a whole connection string (MSDASQL), and that may hold a password."""
    return redact(text) if text is not None and "=" in text else text


def _mapping(row: Row) -> LoginMapping:
    principal = row.integer("local_principal_id")
    local = row.text("local_login")
    if principal != 0 and local is None:
        local = f"(login hidden from us, principal_id {principal})"
    return LoginMapping(
        local_login=None if principal == 0 else local,
        impersonates=bool(row.flag("uses_self_credential")),
        remote_login=row.text("remote_name"),
    )


def has_hidden_login(table: Table) -> bool:
    """Some mapping is of a login whose name we may not see."""
    return any(row.integer("local_principal_id") != 0 and row.text("local_login") is None for row in table)


def databases_of(table: Table) -> tuple[DatabaseRoles, ...]:
    """All databases that we may see."""
    return tuple(
        DatabaseRoles(
            name=row.required("name"),
            is_online=is_online(row),
            is_accessible=bool(row.flag("has_access")),
            is_published=bool(row.flag("is_published")),
            is_merge_published=bool(row.flag("is_merge_published")),
            is_distributor=bool(row.flag("is_distributor")),
        )
        for row in table
    )


def is_online(row: Row) -> bool:
    """The database can be used."""
    return (row.text("state_desc") or "").upper() == "ONLINE"


def distributor_of(table: Table) -> Distributor | None:
    """The distributor, or ``None`` where none is set up: no row, or one of NULLs."""
    for row in table:
        name = row.text("distributor")
        if name:
            return Distributor(name, row.text("distribution database"))
    return None


def publishers_of(table: Table) -> tuple[Publisher, ...]:
    """The publishers of this distributor."""
    return tuple(Publisher(row.required("name"), row.text("distribution_db"), row.flag("active")) for row in table)


def publications_of(database: str, table: Table) -> tuple[Publication, ...]:
    """Transactional, snapshot and peer-to-peer publications. ``options`` 0x1 is peer-to-peer, ``repl_freq`` 1 snapshot."""
    return tuple(
        Publication(
            database,
            row.required("name"),
            "peer_to_peer"
            if (row.integer("options") or 0) & 1
            else "snapshot"
            if row.integer("repl_freq") == 1
            else "transactional",
            None,
        )
        for row in table
    )


def merge_publications_of(database: str, table: Table, own_names: frozenset[str]) -> tuple[Publication, ...]:
    """The merge publications of this database; those that it subscribes to stand in the same table."""
    return tuple(
        Publication(database, row.required("name"), "merge", row.text("distributor"))
        for row in table
        if _is_own(row, database, own_names)
    )


def subscriptions_of(database: str, table: Table) -> tuple[Subscription, ...]:
    """The subscribers of this database's publications."""
    return tuple(
        Subscription(
            database,
            row.text("publication") or "",
            row.text("subscriber") or "",
            row.text("subscriber_db") or "",
            row.integer("subscription_type") == PUSH,
        )
        for row in table
        if row.text("subscriber")
    )


def merge_subscriptions_of(database: str, table: Table, own_names: frozenset[str]) -> tuple[Subscription, ...]:
    """The same for merge publications of this database."""
    own = tuple(row for row in table if _is_own(row, database, own_names))
    return subscriptions_of(database, Table(own))


def subscribers_of(database: str, table: Table, distributors: Table | None) -> tuple[Subscriber, ...]:
    """The subscriptions that this database holds, each with the distributor of its pull agent where it is known."""
    by_publication = {
        _publication_key(row): row.text("distributor") for row in distributors or () if row.text("distributor")
    }
    return tuple(
        Subscriber(
            database=database,
            publisher=row.required("publisher"),
            publisher_database=row.required("publisher_db"),
            publication=row.required("publication"),
            is_push=row.integer("subscription_type") == PUSH,
            is_immediate_updating=row.integer("update_mode") in _IMMEDIATE,
            distributor=by_publication.get(_publication_key(row)),
            is_queued=row.integer("update_mode") in _QUEUED,
        )
        for row in table
    )


def merge_subscribers_of(database: str, table: Table, own_names: frozenset[str]) -> tuple[Subscriber, ...]:
    """The merge subscriptions that this database holds: rows of another publisher, with us as their subscriber."""
    return tuple(
        Subscriber(
            database=database,
            publisher=row.required("publisher"),
            publisher_database=row.required("publisher_db"),
            publication=row.required("publication"),
            is_push=row.integer("subscription_type") == PUSH,
            is_immediate_updating=False,
            is_merge=True,
            distributor=row.text("distributor"),
        )
        for row in table
        if not _is_own(row, database, own_names)
        and (row.text("subscriber_db") or "").casefold() == database.casefold()
        and (row.text("subscriber") or "").casefold() in own_names
    )


def distributed_of(database: str, table: Table, *, is_merge: bool) -> tuple[DistributedSubscription, ...]:
    """The subscriptions that a distribution database serves; those without names are told by :func:`is_nameless`."""
    return tuple(
        DistributedSubscription(
            distribution_database=database,
            publisher=row.text("publisher") or "",
            publisher_database=row.text("publisher_db") or "",
            publication=row.text("publication") or "",
            subscriber=row.text("subscriber") or "",
            subscriber_database=row.text("subscriber_db") or "",
            is_push=row.integer("subscription_type") == PUSH,
            is_merge=is_merge or row.integer("publication_type") == _MERGE_TYPE,
        )
        for row in table
        if not is_nameless(row)
    )


def is_nameless(row: Row) -> bool:
    """The distribution database has the id of a partner, and no list has its name."""
    return not row.text("publisher") or not row.text("subscriber")


def _is_own(row: Row, database: str, own_names: frozenset[str]) -> bool:
    return (
        row.required("publisher_db").casefold() == database.casefold()
        and row.required("publisher").casefold() in own_names
    )


def _publication_key(row: Row) -> tuple[str, str, str]:
    return (
        row.required("publisher").casefold(),
        row.required("publisher_db").casefold(),
        row.required("publication").casefold(),
    )


def _registry_bit(text: str | None) -> bool | None:
    stripped = (text or "").strip()
    return int(stripped) != 0 if re.fullmatch(r"\d{1,10}", stripped) else None


def _thumbprint(text: str | None) -> str | None:
    """Upper-case hex; ``""`` when the value is there and empty; ``None`` when it is absent or no thumbprint."""
    if text is None:
        return None
    bare = re.sub(r"[\s\u200e\0]", "", text)  # pasted from the certificate dialog, with its invisible first character
    if not bare:
        return ""
    return bare.upper() if re.fullmatch(r"[0-9A-Fa-f]{40}", bare) else None


def _is_from_server(row: Row) -> bool:
    return _SERVER_PROCESS.fullmatch((row.text("ProcessInfo") or "").strip()) is not None


def _by_time(table: Table) -> list[Row]:
    return sorted(table, key=lambda row: str(row.moment("LogDate") or ""))


def features_of(database: str, table: Table) -> DatabaseFeatures:
    """What a database has of features that go. A zero counts only where every definition can be seen."""
    row = table.only
    sees_all = row.flag("sees_all") is True

    def count(column: str) -> int | None:
        value = row.integer(column)
        return value if value or sees_all else None

    masters = count("master_data_tables")
    return DatabaseFeatures(
        database,
        count("full_text_indexes"),
        count("old_full_text_indexes"),
        None if masters is None else masters > 0,
        count("stretched_tables"),
    )


def audits_of(table: Table) -> int | None:
    """How many server audits write to the Security log; ``None`` where some may be hidden."""
    audits, sees_all = table.only.integer("audits"), table.only.flag("sees_all") is True
    return audits if sees_all else None
