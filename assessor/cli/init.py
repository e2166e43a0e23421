"""``assessor init``: write an estate file to fill in."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from assessor.atomic import write_whole
from assessor.errors import OutputError

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
) -> None:
    """Write a commented estate file to fill in."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it")
    if path.exists() and not force:
        raise OutputError(f"{path} exists already; name another file, or replace it with --force")
    text = estate_template(date.today() + timedelta(days=90))
    write_whole(path, text.encode("utf-8"))
    typer.echo(f"Wrote {path}. Fill it in, then run: assessor assess {path}")


def estate_template(upgrade_date: date) -> str:
    """The text of a fresh estate file; :func:`assessor.estate.load_estate` accepts it as it stands."""
    return _TEMPLATE.replace("@DATE@", upgrade_date.isoformat())
