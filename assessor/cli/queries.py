"""``assessor queries``: what is run on the servers, with which right, and what is lost without it."""

from __future__ import annotations

import difflib
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from assessor.collect.queries import Platform, Query, Scope, VersionRange, load_queries
from assessor.collect.script import major_version
from assessor.errors import UsageError
from assessor.releases import year_of
from assessor.report.text import visible


def queries(
    show: Annotated[
        str | None, typer.Option(help="Print the text of the query of this name.", show_default=False)
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(help="Only what is run on this version: 2012 to 2025, or 11 to 17.", show_default=False),
    ] = None,
) -> None:
    """List every query that assessor may run: its purpose, the right it needs, and what is lost without it.

    These are all of them, and all they do is read: review them here, or in the folder `queries/` of the source tree.
    """
    bundled = load_queries()
    if version is not None:
        major = major_version(version)
        bundled = tuple(query for query in bundled if major in query.versions)
    if show is not None:
        sys.stdout.write("\n".join(query.text for query in _named(show, bundled)))
        return
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    for query in bundled:
        for line in listing(query, width):
            typer.echo(line)


def listing(query: Query, width: int) -> Iterator[str]:
    """One query as lines of a list."""
    where = "in each database" if query.scope is Scope.DATABASE else "on the instance"
    platform = "" if query.platform is Platform.ANY else f", {query.platform.capitalize()} only"
    yield f"{query.name}  ({versions_in_words(query.versions)}{platform}, {where})"
    for label, text in (
        ("", query.purpose),
        ("right: ", query.permission or "none"),
        ("without it is lost: ", query.loses),
    ):
        yield from textwrap.wrap(text, width, initial_indent=f"    {label}", subsequent_indent="        ")
    yield ""


def versions_in_words(versions: VersionRange) -> str:
    """``2012 and later``, ``2016 to 2022``."""
    first = year_of(versions.first) or versions.first
    if versions.last is None:
        return f"{first} and later"
    last = year_of(versions.last) or versions.last
    return str(first) if first == last else f"{first} to {last}"


def _named(name: str, bundled: Sequence[Query]) -> list[Query]:
    found = [query for query in bundled if query.name == name.strip().lower().removesuffix(".sql")]
    if not found:
        near = difflib.get_close_matches(name.lower(), sorted({query.name for query in bundled}), 3)
        meant = f"did you mean {' or '.join(near)}?" if near else "`assessor queries` lists them all."
        raise UsageError(f"--show {visible(name)}: there is no query of that name for such a version; {meant}")
    return found
