"""``assessor grants``: the least-privilege script for a login, and its undo."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from assessor.collect.grants import grant_script, undo_script
from assessor.collect.queries import load_queries
from assessor.collect.script import major_version


def grants(
    version: Annotated[str, typer.Option(help="SQL Server version: 2012 to 2025, or 11 to 17.", show_default=False)],
    login: Annotated[str, typer.Option(help="The login that assessor will use; it must exist already.")] = "assessor",
    undo: Annotated[bool, typer.Option("--undo", help="Print the script that takes the rights away again.")] = False,
    managed_instance: Annotated[
        bool, typer.Option("--managed-instance", help="For Azure SQL Managed Instance, whose rights differ.")
    ] = False,
) -> None:
    """Print the T-SQL that gives a login the rights to read what assessor asks, and nothing that can change anything.

    Nothing is run: read the script, and run it as a sysadmin in SSMS or sqlcmd. Its last lines undo it. What it does
    not give, and why, stands in it.
    """
    write = undo_script if undo else grant_script
    sys.stdout.write(write(load_queries(), major_version(version), login, is_managed=managed_instance))
