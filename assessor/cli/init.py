"""``assessor init``: write an estate file to fill in."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from assessor.atomic import write_whole
from assessor.cli.probe import parse_routes
from assessor.collect.central import registered_servers
from assessor.collect.driver import find_driver
from assessor.errors import OutputError, UsageError
from assessor.estate import ConnectionPolicy, EstateInstance, Login, LoginMethod
from assessor.estate_import import (
    LARGEST_FILE,
    ImportedEstate,
    Listed,
    Refused,
    imported_estate,
    servers_in_csv,
    servers_managed,
    servers_registered,
)
from assessor.names import BadDataSource, parse_data_source
from assessor.passwords import PasswordFile, Prompt, ask_for_passwords
from assessor.report.text import visible
from assessor.routes import Routes

_TEMPLATE = r"""# Estate file of assessor: which SQL Servers there are, when they are upgraded, how we log in to look.
# Fill in what says CHANGE; lines that begin with # are explanations and examples.
# Nothing in here is ever written to a server, and a password is never written in here.

name = "My estate"                       # CHANGE: heads every report
upgrade_date = @DATE@                # CHANGE: certificates are judged at this date
# horizon_days = 90                      # warn about certificates that end within so many days after it

# What OUR connections trust in addition, where OpenSSL validates for the driver (Linux, macOS): one PEM file.
# On Windows the machine's certificate store decides.
# connect_trust_store = "internal-root-ca.pem"

# ---- what holds for every instance that does not say otherwise ----------------------------------------------

[defaults]
wave = 1                                 # upgrade waves; leave it out, or "none": not upgraded
# trust_store = "roots/"                 # PEM file or folder: the roots that the servers' hosts trust

# How we log in. Windows: the account that runs assessor (Kerberos on Linux and macOS).
login = { method = "windows" }
# A SQL login; its password comes from exactly one of env, keyring, file and prompt:
# login = { method = "sql", user = "inventory", password = { env = "ASSESSOR_PASSWORD" } }
# login = { method = "sql", user = "inventory", password = { keyring = { service = "assessor", user = "inventory" } } }
# login = { method = "sql", user = "inventory", password = { file = "password.txt" } }
# login = { method = "sql", user = "inventory", password = { prompt = true } }
# Microsoft Entra ID:
# login = { method = "entra", authentication = "ActiveDirectoryIntegrated" }

# How we connect. These are the defaults; validate = false gives up knowing whom we talk to, and the report says so.
# connection = { encrypt = "mandatory", validate = true, login_timeout_seconds = 15, query_timeout_seconds = 60 }

# ---- the instances, one table each --------------------------------------------------------------------------
# Write an address as a client dials it, in single quotes: 'HOST', 'HOST\INSTANCE', 'HOST,PORT' or 'tcp:…'.

[[instances]]
address = 'SQL01'                        # CHANGE

[[instances]]
address = 'SQL02\SALES'                  # CHANGE
wave = 2

[[instances]]
address = 'SQL03.corp.example,1450'      # CHANGE
upgrade = false                          # looked at, for others connect to it, but not upgraded
# login = { method = "sql", user = "inventory", password = { env = "ASSESSOR_PASSWORD_SQL03" } }
# trust_store = "roots/sql03.pem"
# connection = { host_name_in_certificate = "sql03.corp.example" }

# ---- where names lead, if not where DNS says (NAT, a jump host, a tunnel) -----------------------------------
# [routes]
# "sql01" = "10.0.0.5"
# "sql02:1434" = "127.0.0.1:11434"       # 1434 is SQL Browser, UDP
# "sql02:50001" = "127.0.0.1:15001"
"""


def init(
    path: Annotated[Path, typer.Argument(help="The estate file to write.")] = Path("estate.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="LIST", help="cms:SERVER, FILE.regsrvr (of SSMS) or FILE.csv.", show_default=False
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="SQL login for cms:SERVER. [default: the Windows account]", show_default=False)
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its password. [default: it is asked for]", show_default=False)
    ] = None,
    route: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST=ADDRESS", help="Where cms:SERVER is really dialled.", show_default=False),
    ] = None,
    driver: Annotated[str | None, typer.Option(help="ODBC driver for cms:SERVER.", show_default=False)] = None,
    trust: Annotated[
        bool, typer.Option("--trust-server-certificate", help="Do not validate the certificate of cms:SERVER.")
    ] = False,
) -> None:
    """Write a commented estate file to fill in, or one with every server of a list that exists already.

    A CSV has a first line with the columns address, wave and login, the last two if wanted, in any order.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it")
    if path.exists() and not force:
        raise OutputError(f"{path} exists already; name another file, or replace it with --force")
    upgrade_date = date.today() + timedelta(days=90)
    if source is not None:
        login = _login(user, password_file)
        servers = _servers(source, login, parse_routes(route or []), driver, trust=trust)
        _write_import(path, imported_estate(servers, source, upgrade_date))
        return
    text = estate_template(upgrade_date)
    write_whole(path, text.encode("utf-8"))
    typer.echo(f"Wrote {path}. Fill it in, then run: assessor assess {path}")


def _write_import(path: Path, made: ImportedEstate) -> None:
    write_whole(path, made.text.encode("utf-8"))
    for refused in made.refused:
        sys.stderr.write(f"{visible(refused.where)}: not taken over: {visible(refused.reason)}\n")
    merged = f", {made.merged} listed more than once" if made.merged else ""
    typer.echo(
        f"Wrote {path} with {made.instances} instances{merged}. Change what says CHANGE, then run: assessor assess {path}"
    )


def _servers(
    source: str, login: Login, routes: Routes, driver: str | None, *, trust: bool
) -> Iterable[Listed | Refused]:
    if source.lower().startswith("cms:"):
        return _managed(source[4:].strip(), login, routes, driver, trust=trust)
    path = Path(source)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{path} is larger than a list of servers can be; name the right file.")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} can't be read ({error.strerror}); write --from cms:SERVER, FILE.regsrvr or FILE.csv."
        ) from None
    match path.suffix.lower():
        case ".regsrvr" | ".xml":
            return servers_registered(data, str(path))
        case ".csv" | ".txt":
            return servers_in_csv(data, str(path))
        case _:
            raise UsageError(f"{path} is neither .regsrvr nor .csv, so it is not known how to read it; rename it.")


def _managed(
    server: str, login: Login, routes: Routes, driver: str | None, *, trust: bool
) -> Iterable[Listed | Refused]:
    try:
        data_source = parse_data_source(server)
    except BadDataSource as error:
        raise UsageError(f"--from cms: {error}") from None
    instance = EstateInstance(server, data_source, login=login, connection=ConnectionPolicy(validate=not trust))
    vault = ask_for_passwords([login.password] if login.password is not None else [])
    password = vault.of(login.password) if login.password is not None else None
    return tuple(servers_managed(registered_servers(instance, find_driver(driver), routes, password), server))


def _login(user: str | None, password_file: Path | None) -> Login:
    if user is None:
        if password_file is not None:
            raise UsageError("--password-file goes with --user.")
        return Login()
    source = PasswordFile(password_file) if password_file is not None else Prompt(user)
    return Login(LoginMethod.SQL, user, None, source)


def estate_template(upgrade_date: date) -> str:
    """The text of a fresh estate file; :func:`assessor.estate.load_estate` accepts it as it stands."""
    return _TEMPLATE.replace("@DATE@", upgrade_date.isoformat())
