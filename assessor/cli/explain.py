"""``assessor explain WHAT``: what a rule, an edge of a snapshot or an error message means, and what to do."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from assessor.cli.options import Format
from assessor.explain import LONGEST_MESSAGE, Explanation, Kind, Strength
from assessor.explain import explain as explain_what
from assessor.snapshot_file import read_snapshot

CONTEXT_SETTINGS = {"ignore_unknown_options": True}
"""To register the command with: a pasted ``-2146893019`` is an argument, not an option."""


def explain(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT",
            help="A rule id (LS-01), an error number (-2146893019), an error message, an edge id with --snapshot, "
            "or - to read a message from standard input.",
        ),
    ],
    snapshot: Annotated[
        Path | None, typer.Option(help="Snapshot that holds the edge.", metavar="FILE", show_default=False)
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="How to write the answer.")] = Format.TEXT,
) -> None:
    """Explain a rule, an edge of a snapshot or an error message: cause, what decides it, checks, remedies."""
    asked = _from_stdin() if what == ["-"] else " ".join(what)
    found = explain_what(asked, read_snapshot(snapshot) if snapshot is not None else None)
    typer.echo(as_json(found) if output is Format.JSON else as_text(found, _width()))


def as_json(explanations: tuple[Explanation, ...]) -> str:
    """The explanations as a JSON object with one list, ``explanations``, in ASCII."""
    return json.dumps({"explanations": [asdict(each) for each in explanations]}, indent=2)


def as_text(explanations: tuple[Explanation, ...], width: int) -> str:
    """The explanations as paragraphs of at most ``width`` columns."""
    return "\n\n".join("\n".join(_paragraphs(each, width)) for each in explanations)


def _paragraphs(each: Explanation, width: int) -> Iterator[str]:
    heading = each.title if each.kind is Kind.MESSAGE else f"{each.id}  {each.title}"
    yield from _wrapped(heading, width, "")
    if each.recognised_by:
        doubt = {Strength.SPECIFIC: "", Strength.VAGUE: " (several causes give this message)"}
        quoted = ", ".join(f"“{seen}”" for seen in each.recognised_by[:4])
        words = f"Recognised by {quoted}{doubt.get(each.strength, ' (a wrapper around the real message)')}."
        yield from _wrapped(words, width, "  ")
    for label, entries in (
        ("When", (each.when,) if each.when else ()),
        ({Kind.RULE: "Then", Kind.EDGE: "Reasons", Kind.MESSAGE: "Cause"}[each.kind], each.cause),
        ("Decided by" if each.kind is not Kind.EDGE else "Outcome", each.decided_by),
        ("Check", each.check),
        ("What helps, most secure first", each.remedies),
        ("Note", each.notes),
        ("Rules", each.rules),
        ("Sources", each.sources),
    ):
        if entries:
            yield ""
            yield label
            for number, entry in enumerate(entries, start=1):
                bullet = "" if len(entries) == 1 else f"{number}. " if entries is each.remedies else "- "
                yield from _wrapped(entry, width, f"  {bullet}")


def _wrapped(text: str, width: int, lead: str) -> list[str]:
    return textwrap.wrap(
        text,
        width=width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _width() -> int:
    return max(40, min(100, shutil.get_terminal_size().columns))


def _from_stdin() -> str:
    data = sys.stdin.buffer.read(4 * LONGEST_MESSAGE)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # A console's own code page; what it can't show stays visible as a mark, numbers survive in any case.
        return data.decode("cp1252", errors="replace")
