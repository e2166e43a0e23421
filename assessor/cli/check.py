"""``assessor check``: what will work with the rights our logins have, before anything is read."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from assessor.cli.assess import interruptible
from assessor.cli.options import DriverOption, Format
from assessor.collect.checking import InstanceCheck, Prospect, check_all
from assessor.collect.driver import find_driver
from assessor.errors import ExitCode
from assessor.estate import load_estate
from assessor.report.text import prose, visible

_MARKS = {
    Prospect.WORKS: "✓",
    Prospect.NOT_NEEDED: "–",
    Prospect.UNKNOWN: "?",
    Prospect.EMPTY: "~",
    Prospect.REFUSED: "✗",
}
_SHOWN_DATABASES = 5


def check(
    estate: Annotated[Path, typer.Argument(help="The estate file (TOML).", show_default=False)],
    output: Annotated[Format, typer.Option("--format", help="json: the whole matrix on stdout.")] = Format.TEXT,
    driver: DriverOption = None,
) -> None:
    """Connect to every instance of ESTATE, run nothing but the permission test, and show what would work.

    For each query: will work, not needed there, unknown, will be silently empty, will be refused. `assessor grants`
    writes the script that gives what is missing; the assessment works with whatever it has.

    Exit codes: 0 all will work, 2 bad usage or input, 3 some will not or it is unknown, 4 no instance was reached, 130
    interrupted.
    """
    plan = load_estate(estate)
    found = find_driver(driver)
    stop = threading.Event()
    with interruptible(stop):
        checks = check_all(plan, found, stop)
    if output is Format.JSON:
        sys.stdout.buffer.write((json.dumps(as_json(checks), indent=2) + "\n").encode("ascii"))
        sys.stdout.buffer.flush()
    else:
        for line in lines(checks):
            typer.echo(line)
    raise typer.Exit(int(ExitCode.INTERRUPTED if stop.is_set() else exit_code(checks)))


def exit_code(checks: Sequence[InstanceCheck]) -> ExitCode:
    """The code a check ends with."""
    if all(found.failure is not None for found in checks):
        return ExitCode.NOTHING_REACHED
    return ExitCode.NOTHING_BREAKS if all(found.works for found in checks) else ExitCode.NOT_ALL_ASSESSED


def lines(checks: Sequence[InstanceCheck]) -> Iterator[str]:
    """The matrix as text: an instance, and under it what will not simply work."""
    for found in checks:
        if found.failure is not None:
            yield f"{visible(found.instance)}: ✗ {prose(found.failure)}"
            yield ""
            continue
        who = visible(found.login) if found.login is not None else "an unknown login"
        yield f"{visible(found.instance)} ({visible(found.version or '')}, as {who})"
        for prospect in reversed(Prospect):
            these = [each for each in found.queries if each.prospect is prospect]
            if not these:
                continue
            if prospect in (Prospect.WORKS, Prospect.NOT_NEEDED):
                yield f"  {_MARKS[prospect]} {these[0].words}: {', '.join(each.query for each in these)}"
                continue
            for each in these:
                yield f"  {_MARKS[prospect]} {each.words}: {each.query}{_where(each.databases)}: {visible(each.why)}"
        yield ""
    whole = sum(found.works for found in checks)
    yield f"{whole} of {len(checks)} instances: every query will work, as far as rights can tell."


def as_json(checks: Sequence[InstanceCheck]) -> dict[str, Any]:
    """The matrix as plain data."""
    return {
        "instances": [
            {
                "instance": found.instance,
                "login": found.login,
                "version": found.version,
                "failure": found.failure,
                "queries": [
                    {
                        "query": each.query,
                        "prospect": each.prospect.value,
                        "why": each.why,
                        "databases": list(each.databases),
                    }
                    for each in found.queries
                ],
            }
            for found in checks
        ]
    }


def _where(databases: Sequence[str]) -> str:
    if not databases:
        return ""
    shown = ", ".join(visible(name) for name in databases[:_SHOWN_DATABASES])
    more = len(databases) - _SHOWN_DATABASES
    return f" in {shown}" + (f" and {more} more" if more > 0 else "")
