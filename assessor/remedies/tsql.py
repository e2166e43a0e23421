"""T-SQL that changes a definition, and the script that changes it back. Written for review, never run by us.

Each script is one batch, so that a guard's RETURN stops all of it. Every text that a server chose stands in a
variable, written so that neither T-SQL nor sqlcmd (``$(variable)``, ``GO`` on a line of its own) can take it for
anything but data. Secrets can't be read back, so a script that needs one stops until somebody fills it in.

Sources: sp-addlinkedserver-transact-sql.md, 2026-05-01 (not within a transaction; product SQL Server takes no properties,
Msg 15428); sp-serveroption-transact-sql.md, 2024-08-22 (``provider string``; @optvalue is nvarchar(128));
sp-changedistributor-property-transact-sql.md, 2026-06-19; 2025 reference, sections 1.7 and 2.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from assessor.clients.options import MASK, StringPart, string_parts
from assessor.collect.inventory import Inventory, LinkedServer, LoginMapping
from assessor.judge.facts import UPGRADED_MAJOR
from assessor.remedies.actions import Action
from assessor.remedies.choose import OPTION_VALUE_LIMIT
from assessor.remedies.ladder import Change
from assessor.report.text import shorten, visible

#: First version on which ``sp_serveroption 'provider string'`` was seen (third-party script; absent from the 2017 page).
_OPTION_SINCE = 13
#: First version whose setup brings OLE DB Driver 18, so that provider MSOLEDBSQL can be named without installing it.
_MSOLEDBSQL_SINCE = 15
_FILL_IN = "<fill in>"


class NotScripted(Exception):
    """The change can't be written as a script that would be right; the message says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Script:
    """A change and its undo, each a batch of T-SQL. ``undo`` may stop for secrets of the old definition."""

    change: str
    undo: str


@dataclass(frozen=True, slots=True)
class Definition:
    """What ``sp_addlinkedserver`` is given. ``provider_string`` is in parts; a masked part needs filling in."""

    name: str
    product: str
    provider: str
    data_source: str | None
    location: str | None
    provider_string: tuple[StringPart, ...]
    catalog: str | None

    @property
    def is_short_form(self) -> bool:
        """Made by ``sp_addlinkedserver @server`` alone: product SQL Server, which takes no properties."""
        return self.product.strip().lower() == "sql server"

    @property
    def string(self) -> str:
        """The provider string, masked parts as they are."""
        return ";".join(part.text for part in self.provider_string)

    @property
    def has_secret(self) -> bool:
        """Some part of the provider string was hidden when it was read."""
        return any(MASK in part.text for part in self.provider_string)


# ------------------------------------------------------------------------------------------------ quoting


def literal(text: str) -> str:
    """``text`` as a T-SQL expression of type nvarchar, on one line and inert in every tool.

    Control and invisible characters become ``NCHAR(n)`` (a line feed before ``GO`` would end the batch even inside
    quotes), and ``$(`` is taken apart, which sqlcmd would replace.
    """
    pieces: list[str] = []
    plain: list[str] = []

    def flush() -> None:
        if plain:
            pieces.append("N'" + "".join(plain).replace("'", "''") + "'")
            plain.clear()

    for place, character in enumerate(text):
        if character.isprintable():
            if character == "(" and text[place - 1 : place] == "$":
                flush()
            plain.append(character)
            continue
        flush()
        data = character.encode("utf-16-le", "surrogatepass")
        pieces += [f"NCHAR({int.from_bytes(data[at : at + 2], 'little')})" for at in range(0, len(data), 2)]
    flush()
    return " + ".join(pieces) or "N''"


def comment(text: str) -> str:
    """``text`` for a line comment: one line, nothing that sqlcmd would replace."""
    return shorten(visible(text).replace("$(", "$ ("), 600)


# ------------------------------------------------------------------------------------------------ definitions


def definition_of(row: LinkedServer) -> Definition:
    """A definition as it was read."""
    return Definition(
        name=row.name,
        product=row.product,
        provider=row.provider,
        data_source=row.data_source,
        location=row.location,
        provider_string=string_parts(row.provider_string),
        catalog=row.catalog,
    )


def changed_definition(old: Definition, kind: Change, setting: str) -> Definition:
    """What the definition becomes. Keywords are put first, for the first of two wins.

    Raises :class:`NotScripted` where the string is too broken to be changed by a script.
    """
    if any(part.is_open for part in old.provider_string):
        raise NotScripted("its provider string has a brace or quote that is never closed; write it anew by hand")
    product, provider, data_source = old.product, old.provider, old.data_source
    if old.is_short_form:
        product, provider, data_source = "", "MSOLEDBSQL", old.data_source or old.name
    if kind is Change.DATA_SOURCE:
        return Definition(
            old.name,
            product,
            provider,
            with_host(data_source or old.name, setting),
            old.location,
            old.provider_string,
            old.catalog,
        )
    added = tuple(StringPart(pair.partition("=")[0].lower(), pair, False) for pair in setting.split(";") if pair)
    if kind is Change.USER_ID:
        added = (StringPart("user id", f"User ID={MASK}", False),)
    replaced = {part.keyword for part in added} | ({"servercertificate"} if kind is Change.DROP_PIN else set())
    kept = tuple(part for part in old.provider_string if part.keyword not in replaced)
    return Definition(old.name, product, provider, data_source, old.location, (*added, *kept), old.catalog)


def with_host(data_source: str, host: str) -> str:
    r"""``data_source`` with its host exchanged: prefix, instance and port stay."""
    text = data_source.strip()
    prefix, colon, rest = text.partition(":")
    if not colon or prefix.strip().lower() not in ("tcp", "np", "lpc", "admin"):
        prefix, colon, rest = "", "", text
    if rest.startswith("["):
        return f"{prefix}{colon}{host}{rest.partition(']')[2]}"
    end = min((rest.find(mark) for mark in ("\\", ",") if mark in rest), default=len(rest))
    return f"{prefix}{colon}{host}{rest[end:]}"


# ------------------------------------------------------------------------------------------------ scripts


def definition_script(action: Action, inventory: Inventory, row: LinkedServer) -> Script:
    """The scripts for one change of one linked server's definition.

    Raises :class:`NotScripted` where no script would be right.
    """
    if not row.provider_string_known:
        raise NotScripted(
            "its provider string could not be read (ALTER ANY LINKED SERVER), so nothing can be kept of it"
        )
    old = definition_of(row)
    new = changed_definition(old, action.kind, action.setting)
    in_place = (
        not old.is_short_form
        and action.kind is not Change.DATA_SOURCE
        and not new.has_secret
        and not old.has_secret
        and max(len(new.string), len(old.string)) <= OPTION_VALUE_LIMIT
        and inventory.identity is not None
        and inventory.identity.major_version >= _OPTION_SINCE
    )
    if in_place:
        return Script(
            change=_batch(action, inventory, row, _set_string(row.name, new.string), undo=False),
            undo=_batch(action, inventory, row, _set_string(row.name, old.string), undo=True),
        )
    _refuse_recreation(inventory, row)
    return Script(
        change=_batch(action, inventory, row, _recreate(new, row, needs_driver=old.is_short_form), undo=False),
        undo=_batch(action, inventory, row, _recreate(old, row), undo=True),
    )


def distributor_script(action: Action, inventory: Inventory) -> Script:
    """The scripts for one property of the publisher's remote distributor (2025 and later)."""
    name, value, default = {
        Change.DISTRIBUTOR_HOST_NAME: ("host_name_in_distributor_certificate", action.setting, None),
        Change.DISTRIBUTOR_TRUST: ("trust_distributor_certificate", "yes", "no"),
    }[action.kind]
    known = {each.name.lower(): each.value for each in inventory.distributor_properties or ()}
    before = known.get(name) or default

    def body(wanted: str | None) -> _Body:
        made = _Body()
        made.declare("@value", "nvarchar(255)", "NULL" if wanted is None else literal(wanted))
        made.run("master.sys.sp_changedistributor_property", property=literal(name), value="@value")
        return made

    return Script(
        change=_batch(action, inventory, None, body(value), undo=False),
        undo=_batch(action, inventory, None, body(before), undo=True),
    )


def _refuse_recreation(inventory: Inventory, row: LinkedServer) -> None:
    if row.is_publisher or row.is_subscriber or row.is_distributor or row.is_nonsql_subscriber or row.is_system:
        raise NotScripted(
            "replication uses this entry, so it can't be dropped and recreated; give the target a certificate instead, or "
            "make a second linked server under another name"
        )
    if not row.is_linked:
        raise NotScripted(
            "it is a remote server made by sp_addserver, which takes no options; make a linked server of it"
        )
    if row.options is None:
        raise NotScripted("its options were not read, so they would be lost; run assessor assess again")
    if inventory.lacks("login_mappings") is not None or any(_is_hidden(login) for login in row.logins):
        raise NotScripted(
            "not all of its login mappings could be read, so they would be lost; run assessor assess as a login that sees them"
        )


def _is_hidden(login: LoginMapping) -> bool:
    return login.local_login is not None and login.local_login.startswith("(login hidden from us")


@dataclass(slots=True)
class _Body:
    """Statements of one batch, and the variables that they use."""

    declared: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)  #: variable → what to fill in
    statements: list[str] = field(default_factory=list)
    needs_driver: bool = False
    drops: bool = False

    def declare(self, name: str, kind: str, expression: str) -> str:
        """Declare a variable; returns its name."""
        self.declared.append(f"DECLARE {name} {kind} = {expression};")
        return name

    def secret(self, what: str) -> str:
        """A variable that somebody has to fill in; returns its name."""
        name = f"@secret_{len(self.secrets) + 1}"
        self.secrets[name] = what
        return name

    def run(self, procedure: str, **parameters: str) -> None:
        """Execute a procedure; each value is a variable, a literal or NULL."""
        given = ", ".join(f"@{name} = {value}" for name, value in parameters.items())
        self.statements.append(f"EXEC {procedure} {given};")


def _set_string(name: str, text: str) -> _Body:
    body = _Body()
    body.declare("@server", "sysname", literal(name))
    body.declare("@string", f"nvarchar({OPTION_VALUE_LIMIT})", literal(text))
    body.run("master.dbo.sp_serveroption", server="@server", optname="N'provider string'", optvalue="@string")
    return body


def _recreate(new: Definition, row: LinkedServer, *, needs_driver: bool = False) -> _Body:
    body = _Body(drops=True, needs_driver=needs_driver)
    body.declare("@server", "sysname", literal(new.name))
    body.run("master.dbo.sp_dropserver", server="@server", droplogins="N'droplogins'")
    if new.is_short_form:
        body.run("master.dbo.sp_addlinkedserver", server="@server", srvproduct="N'SQL Server'")
        if new.data_source is not None and new.data_source.lower() != new.name.lower():
            body.run("master.dbo.sp_setnetname", server="@server", netname=_text(body, "@netname", new.data_source))
    else:
        given = {"server": "@server", "srvproduct": _text(body, "@product", new.product)}
        given["provider"] = _text(body, "@provider", new.provider)
        for parameter, text in (("datasrc", new.data_source), ("location", new.location)):
            if text is not None:
                given[parameter] = _text(body, f"@{parameter}", text, "nvarchar(4000)")
        if new.provider_string:
            given["provstr"] = body.declare("@provstr", "nvarchar(4000)", _string_expression(body, new.provider_string))
        if new.catalog is not None:
            given["catalog"] = _text(body, "@catalog", new.catalog)
        body.run("master.dbo.sp_addlinkedserver", **given)
    for option, value in _options(body, row):
        body.run("master.dbo.sp_serveroption", server="@server", optname=f"N'{option}'", optvalue=value)
    # sp_addlinkedserver maps everyone to themselves; what was mapped before is put in its place.
    body.run("master.dbo.sp_droplinkedsrvlogin", rmtsrvname="@server", locallogin="NULL")
    for number, login in enumerate(row.logins, start=1):
        _map(body, login, number)
    return body


def _text(body: _Body, name: str, text: str, kind: str = "nvarchar(128)") -> str:
    return body.declare(name, kind, literal(text))


def _string_expression(body: _Body, parts: Sequence[StringPart]) -> str:
    """The provider string as an expression: what was masked comes from variables to be filled in."""
    pieces: list[str] = []
    for place, part in enumerate(parts):
        lead = ";" if place else ""
        if MASK not in part.text:
            pieces.append(literal(lead + part.text))
        elif part.keyword is None or part.keyword == MASK:
            if lead:
                pieces.append(literal(lead))
            pieces.append(body.secret(f"part {place + 1} of the provider string, whole, as keyword=value"))
        else:
            keyword = part.text.partition("=")[0]
            pieces += [literal(f"{lead}{keyword}="), body.secret(f"the value of {keyword} in the provider string")]
    return " + ".join(pieces)


def _options(body: _Body, row: LinkedServer) -> Iterator[tuple[str, str]]:
    options = row.options
    assert options is not None
    flags = {
        "rpc": options.rpc,
        "rpc out": row.is_rpc_out_enabled,
        "data access": row.is_data_access_enabled,
        "collation compatible": options.collation_compatible,
        "use remote collation": options.use_remote_collation,
        "lazy schema validation": options.lazy_schema_validation,
        "remote proc transaction promotion": options.remote_proc_transaction_promotion,
    }
    for name, is_on in flags.items():
        yield name, "N'true'" if is_on else "N'false'"
    yield "connect timeout", f"N'{options.connect_timeout:d}'"
    yield "query timeout", f"N'{options.query_timeout:d}'"
    yield (
        "collation name",
        "NULL" if options.collation_name is None else _text(body, "@collation", options.collation_name),
    )


def _map(body: _Body, login: LoginMapping, number: int) -> None:
    given = {"rmtsrvname": "@server", "useself": "N'True'" if login.impersonates else "N'False'"}
    given["locallogin"] = "NULL" if login.local_login is None else _text(body, f"@local_{number}", login.local_login)
    if not login.impersonates:
        if login.remote_login is None:
            given["rmtuser"] = "NULL"
        else:
            given["rmtuser"] = _text(body, f"@remote_{number}", login.remote_login)
            who = "everyone" if login.local_login is None else login.local_login
            given["rmtpassword"] = body.secret(
                f"the password of remote login {login.remote_login}, which {who} becomes"
            )
    body.run("master.dbo.sp_addlinkedsrvlogin", **given)


# ------------------------------------------------------------------------------------------------ the batch around it


def _batch(action: Action, inventory: Inventory, row: LinkedServer | None, body: _Body, *, undo: bool) -> str:
    return "\n".join(
        [
            *_heading(action, inventory, row, undo=undo),
            "SET NOCOUNT ON;",
            *_secrets(body),
            *body.declared,
            "",
            *_guards(action, inventory, row, body, undo=undo),
            *_execution(body, undo=undo),
            "",
        ]
    )


def _secrets(body: _Body) -> Iterator[str]:
    """Variables for what can't be read back, and the check that somebody has filled them in."""
    for name, what in body.secrets.items():
        yield f"-- {name}: {comment(what)}"
        yield f"DECLARE {name} nvarchar(512) = {literal(_FILL_IN)};"
    if body.secrets:
        yield "IF " + " OR ".join(f"{name} = {literal(_FILL_IN)}" for name in body.secrets)
        yield from _stop("Secrets are not stored where they could be read: fill in each @secret first.")


def _heading(action: Action, inventory: Inventory, row: LinkedServer | None, *, undo: bool) -> Iterator[str]:
    yield f"-- {'UNDO: ' if undo else ''}{comment(action.title)}"
    yield f"-- Run on {comment(action.on)} by its DBA, after review. Written by assessor; action {comment(action.id)}"
    if undo:
        yield "-- Puts back what was read when the estate was assessed."
    elif not action.is_secure:
        yield f"-- NOT SECURE. Price: {comment(action.price)}"
    if not undo:
        yield f"-- Mends {len(action.edges)} of the connections in the assessment, {action.unblocks} of which would break."
        yield f"-- Verify: {comment(action.verify)}"
    if row is not None and row.product.strip().lower() == "sql server" and not undo:
        yield "-- Product 'SQL Server' takes no provider string (Msg 15428), so the definition is recreated without it."
    if row is None and inventory.in_availability_group:
        yield "-- Every node of its availability group needs this: exchange the name in the first check (rule RP-08)."
    yield "-- One batch: put no GO into it, for the checks at its top must be able to stop all of it."
    yield ""


def _guards(
    action: Action, inventory: Inventory, row: LinkedServer | None, body: _Body, *, undo: bool
) -> Iterator[str]:
    if inventory.identity is not None:
        wanted = literal(inventory.identity.server_name)
        yield f"IF CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) <> {wanted}"
        yield from _stop("This is another instance than the one the script was written for.")
    if action.only_after_upgrade:
        yield f"IF ISNULL(CAST(SERVERPROPERTY('ProductMajorVersion') AS int), 0) < {UPGRADED_MAJOR}"
        yield from _stop("Only after the upgrade: what this script sets does not exist before SQL Server 2025.")
    if row is not None and not (undo and body.drops):
        yield "IF NOT EXISTS (SELECT 1 FROM master.sys.servers WHERE name = @server AND server_id <> 0)"
        yield from _stop("There is no linked server of this name.")
    if row is not None and row.modified is not None and not undo:
        read = literal(row.modified.strftime("%Y-%m-%dT%H:%M:%S"))
        yield f"DECLARE @read_as nvarchar(19) = {read};"
        yield "IF EXISTS (SELECT 1 FROM master.sys.servers"
        yield "    WHERE name = @server AND CONVERT(nvarchar(19), modify_date, 126) <> @read_as)"
        yield from _stop("The definition has changed since it was read: assess again, and write the scripts anew.")
    if body.needs_driver:
        yield "-- Provider MSOLEDBSQL comes with SQL Server 2019 and later. Set this to 1 once it is installed on an older one."
        yield "DECLARE @driver_is_installed bit = 0;"
        yield "IF @driver_is_installed = 0"
        yield f"    AND ISNULL(CAST(SERVERPROPERTY('ProductMajorVersion') AS int), 0) < {_MSOLEDBSQL_SINCE}"
        yield from _stop("Install OLE DB Driver 18 for SQL Server first, then set @driver_is_installed to 1.")


def _stop(sentence: str) -> Iterator[str]:
    yield "BEGIN"
    yield f"    RAISERROR ({literal('Nothing was changed. ' + sentence)}, 16, 1);"
    yield "    RETURN;"
    yield "END;"


def _execution(body: _Body, *, undo: bool) -> Iterable[str]:
    if not body.drops:
        return ["", *body.statements]
    drop, *others = body.statements
    # A change that failed half way may have left no definition to drop.
    exists = "IF EXISTS (SELECT 1 FROM master.sys.servers WHERE name = @server AND server_id <> 0) " if undo else ""
    mend = "Mend the cause and run this script again." if undo else "Run the undo script."
    return [
        "",
        "BEGIN TRY",
        f"    {exists}{drop}",
        *(f"    {statement}" for statement in others),
        "END TRY",
        "BEGIN CATCH",
        "    DECLARE @why nvarchar(2000) = ERROR_MESSAGE();",
        f"    RAISERROR (N'The linked server may be missing or half made. {mend} %s', 16, 1, @why);",
        "    RETURN;",
        "END CATCH;",
    ]
