"""``assessor doctor``: is everything here that a run needs?"""

from __future__ import annotations

import platform
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import typer

import assessor
from assessor.collect.driver import find_driver, load_pyodbc
from assessor.collect.queries import BadQuery, load_queries
from assessor.errors import AssessorError, ExitCode


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked for. ``is_needed`` is false where only some estates need it."""

    name: str
    found: bool
    detail: str
    is_needed: bool = True


def doctor(
    driver: Annotated[
        str | None, typer.Option(help="The ODBC driver to look for: its registered name, or its path.")
    ] = None,
) -> None:
    """Check what this machine has for a run: driver manager, ODBC driver, queries, keyring."""
    typer.echo(f"assessor {assessor.__version__}, Python {platform.python_version()}, {platform.platform()}")
    healthy = True
    for check in checks(driver):
        mark = "ok     " if check.found else "MISSING" if check.is_needed else "absent "
        typer.echo(f"{mark}  {check.name}: {check.detail}")
        healthy = healthy and (check.found or not check.is_needed)
    if not healthy:
        raise typer.Exit(ExitCode.BAD_INPUT)


def checks(driver: str | None) -> Iterator[Check]:
    """Everything that a run needs, looked for one by one; a failure says how to mend it."""
    yield _check("pyodbc and driver manager", lambda: f"pyodbc {load_pyodbc().version}")
    yield _check("ODBC driver", lambda: str(find_driver(driver)))
    yield _check("bundled queries", lambda: f"{len(load_queries())} queries, all readable")
    paths = ssl.get_default_verify_paths()
    roots = paths.cafile or paths.capath
    yield Check("system trust store", roots is not None, roots or "no file or folder of roots", is_needed=False)
    yield _keyring()


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except (AssessorError, BadQuery, FileNotFoundError) as error:
        return Check(name, False, str(error))


def _keyring() -> Check:
    import keyring
    import keyring.backends.fail

    backend = keyring.get_keyring()
    found = not isinstance(backend, keyring.backends.fail.Keyring)
    detail = getattr(backend, "name", type(backend).__name__) if found else "none; passwords can come from env or file"
    return Check("keyring", found, detail, is_needed=False)
