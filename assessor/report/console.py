"""The summary at the console, and the snapshot on standard output.

Nothing that came from a server is obeyed: no mark-up, no terminal escapes, no control characters.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from rich.console import Console
from rich.text import Text

from assessor.collect.inventory import Gap
from assessor.judge.verdicts import VerdictKind
from assessor.report.answer import (
    answer,
    by_urgency,
    connections_made,
    first_actions,
    gap_count,
    unread_instances,
    verdict_counts,
)
from assessor.report.text import prose, shorten, visible
from assessor.report.words import NOT_CONNECTED, VALIDATED, VERDICTS, connection_words, count
from assessor.snapshot import AssessedEdge, Snapshot
from assessor.snapshot_file import snapshot_json

_MIN_WIDTH: Final = 40
_MAX_BREAKING: Final = 20
_MAX_OTHERS: Final = 5
_MAX_LINE: Final = 500  #: characters of one line before it meets the width

_STYLES: Final[dict[VerdictKind, str]] = {
    VerdictKind.BREAKS: "bold red",
    VerdictKind.NOT_ASSESSED: "bold magenta",
    VerdictKind.FAILS_TODAY: "yellow",
    VerdictKind.EXPIRES: "yellow",
    VerdictKind.WORKS_INSECURELY: "yellow",
    VerdictKind.WORKS: "green",
    VerdictKind.NOT_AFFECTED: "dim",
}


def console_for_text(width: int, colour: bool) -> Console:
    """A console that draws into memory, takes no markup, and looks at nothing but ``width`` (columns) and ``colour``."""
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )


def text_of(console: Console) -> str:
    """What was drawn on a console of :func:`console_for_text`."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def summary_text(snapshot: Snapshot, width: int, colour: bool, written: Sequence[Path] = ()) -> str:
    """The run on one screen: the answer, the counts, what breaks and why, what to do first, what nobody
    knows.

    ``width`` is in columns (below 40 it is taken as 40); ``written`` are the files that this run wrote.
    """
    console = console_for_text(max(width, _MIN_WIDTH), colour)
    console.print(Text(visible(answer(snapshot)), style="bold"))
    console.print()
    _print_counts(console, snapshot)
    _print_edges(console, snapshot, VerdictKind.BREAKS, "Breaks:", _MAX_BREAKING)
    _print_actions(console, snapshot)
    _print_edges(console, snapshot, VerdictKind.NOT_ASSESSED, "Not assessed:", _MAX_OTHERS)
    _print_blind_spots(console, snapshot)
    if written:
        console.print()
        for path in written:
            console.print(Text(f"Written: {visible(str(path))}", overflow="fold"))
    return text_of(console)


def print_snapshot(snapshot: Snapshot, stream: BinaryIO) -> None:
    """For ``--format json``: the snapshot in UTF-8, whatever the console's own encoding."""
    stream.write(snapshot_json(snapshot).encode("utf-8"))
    stream.flush()


def _print_counts(console: Console, snapshot: Snapshot) -> None:
    for kind, number in verdict_counts(snapshot).items():
        if number:
            words = VERDICTS[kind]
            _print_line(console, f"{number:>7,}  ", Text(f"{words.label:<20}", style=_STYLES[kind]), words.meaning)


def _print_edges(console: Console, snapshot: Snapshot, kind: VerdictKind, title: str, limit: int) -> None:
    edges = [edge for edge in by_urgency(snapshot) if edge.verdict is kind]
    if not edges:
        return
    _print_title(console, title)
    for edge in edges[:limit]:
        _print_line(console, f"  {VERDICTS[kind].symbol} ", Text(_edge_words(edge), style=_STYLES[kind]), _reason(edge))
    _print_rest(console, len(edges) - limit)


def _print_actions(console: Console, snapshot: Snapshot) -> None:
    actions = first_actions(snapshot)
    if not actions:
        return
    _print_title(console, "Do first:")
    for number, action in enumerate(actions[:_MAX_OTHERS], start=1):
        secure = "" if action.is_secure else " (NOT SECURE)"
        mends = f"{prose(action.title)}{secure}: mends {action.unblocks:,}, leaves {action.left:,}"
        _print_line(console, f"  {number}. ", Text(), mends)
    _print_rest(console, len(actions) - _MAX_OTHERS)


def _print_blind_spots(console: Console, snapshot: Snapshot) -> None:
    unread = unread_instances(snapshot)
    if unread:
        _print_title(console, "Not read:")
    for item in unread[:_MAX_OTHERS]:
        _print_line(console, "  ? ", Text(visible(shorten(item.address, 60)), style="bold magenta"), _why(item.gaps))
    _print_rest(console, len(unread) - _MAX_OTHERS)
    gaps = gap_count(snapshot)
    opened = [way for way in connections_made(snapshot) if way.way not in (VALIDATED, NOT_CONNECTED)]
    if gaps or opened:
        console.print()
    if gaps:
        _print_line(console, "", Text(), f"{count(gaps, 'fact')} could not be read; the reports say which and why.")
    for connection in opened:
        names = ", ".join(visible(shorten(address, 60)) for address in connection.addresses[:_MAX_OTHERS])
        rest = len(connection.addresses) - _MAX_OTHERS
        more = f" and {rest:,} more" if rest > 0 else ""
        console.print(Text(f"{names}{more}: {connection_words(connection.way)}."))


def _print_title(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold"))


def _print_rest(console: Console, rest: int) -> None:
    if rest > 0:
        console.print(Text(f"  and {rest:,} more", style="dim"))


def _print_line(console: Console, lead: str, subject: Text, rest: str) -> None:
    """One line and never two: what does not fit ends in an ellipsis."""
    line = Text(lead, no_wrap=True, overflow="ellipsis")
    line.append_text(subject)
    if rest:
        line.append("  " if subject.plain else "")
        line.append(shorten(rest, _MAX_LINE))
    console.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def _edge_words(edge: AssessedEdge) -> str:
    source, target, name = (visible(shorten(text, 40)) for text in (edge.source, edge.target, edge.name))
    return f"{source} → {target}" + (f" ({name})" if name != target else "")


def _reason(edge: AssessedEdge) -> str:
    return prose(shorten(edge.reasons[0], _MAX_LINE)) if edge.reasons else ""


def _why(gaps: Sequence[Gap]) -> str:
    return prose(shorten(gaps[0].message, _MAX_LINE)) if gaps else "the run never came to it"
