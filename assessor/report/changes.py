"""The sheets of a rerun: what changed since the previous run, and the exceptions that people typed. Pure.

Every text has passed :func:`~assessor.report.text.visible` or :func:`~assessor.report.text.prose`: what stands in a
previous workbook or snapshot is input like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Final
from urllib.parse import unquote

from assessor.board import Board, BoardEntry, CarriedBoard, SubjectKind, carry_over
from assessor.compare import CertificateChange, CertificateFate, Comparison, EdgeChange, EdgeFate, InstanceAspect
from assessor.identity import Servers
from assessor.judge.verdicts import VerdictKind
from assessor.remedies.actions import plan_actions
from assessor.report.board_columns import ELSEWHERE, state_words
from assessor.report.tables import INSTANCES, Column, Table, table_of
from assessor.report.text import prose, visible
from assessor.report.words import UNKNOWN, VERDICTS, Words, count, numbered
from assessor.snapshot import Snapshot

CHANGES: Final = "Changes"
EXCEPTIONS: Final = "Exceptions"


#: Every fate of an edge, the one that needs attention most first.
FATES: Final[dict[EdgeFate, Words]] = {
    EdgeFate.REGRESSED: Words("▼", "regressed", "got worse since the previous run"),
    EdgeFate.NEW: Words("+", "new", "was not there in the previous run"),
    EdgeFate.STILL_OPEN: Words("✗", "still open", "was not in order, and still is not"),
    EdgeFate.NOT_SEEN: Words("?", "not seen this time", "nobody could look: neither fixed nor gone"),
    EdgeFate.FIXED: Words("✓", "fixed", "broke, failed or was about to expire, and works now"),
    EdgeFate.GONE: Words("–", "gone", "all who told of it were asked again, and it is not there any more"),
    EdgeFate.FIRST_ASSESSED: Words("◎", "assessed for the first time", "could not be assessed before"),
    EdgeFate.CHANGED: Words("~", "changed", "another verdict, in order before and after"),
    EdgeFate.UNCHANGED: Words("=", "unchanged", "in order before and after"),
}
RESTART: Final = "↻ restart pending"
_CERTIFICATES: Final[dict[CertificateFate, str]] = {
    CertificateFate.REPLACED: "certificate replaced",
    CertificateFate.RENEWED: "certificate renewed",
    CertificateFate.SHORTER: "certificate ends sooner",
    CertificateFate.ENDS_SOON: "certificate ends soon",
    CertificateFate.FIRST_SEEN: "certificate seen first",
    CertificateFate.NOT_SEEN: "certificate not seen",
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One thing that is not as it was."""

    change: Annotated[str, Column("Change", 18)]
    source: Annotated[str, Column("Source or place", 22, INSTANCES)]
    name: Annotated[str, Column("Name", 18)]
    target: Annotated[str, Column("Target", 19)]
    before: Annotated[str, Column("Before", 16)]
    after: Annotated[str, Column("Now", 16)]
    what: Annotated[str, Column("What happened", 44)]
    causes: Annotated[str, Column("What else differs", 44)]
    # On screen only from here on.
    thumbprint_before: Annotated[str, Column("Thumbprint before", 24)]
    thumbprint_after: Annotated[str, Column("Thumbprint now", 24)]
    id: Annotated[str, Column("Id", 36)]


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One exception, one entry whose subject is gone, or one note about the previous workbook.

    The headings are those of the board's columns, so that what was typed about a subject that is gone is carried over
    from this sheet to the next run; where the subject is there, its own row is the one that counts.
    """

    state: Annotated[str, Column("State", 22)]
    subject: Annotated[str, Column("What it is about", 34)]
    until: Annotated[date | str | None, Column("Board: exception until", 16)]
    reason: Annotated[str, Column("Board: exception, why", 34)]
    owner: Annotated[str, Column("Board: owner", 17)]
    decision: Annotated[str, Column("Board: decision", 18)]
    ticket: Annotated[str, Column("Board: ticket", 13)]
    due: Annotated[date | str | None, Column("Board: due date", 15)]
    note: Annotated[str, Column("What that means", 44)]
    # On screen only from here on.
    id: Annotated[str, Column("Id", 36)]


@dataclass(frozen=True, slots=True)
class Rerun:
    """What a run knows of the one before it; either part may be missing."""

    comparison: Comparison | None = None
    board: CarriedBoard | None = None


def carry_to(board: Board, snapshot: Snapshot, older: Snapshot | None = None) -> CarriedBoard:
    """Bring a board to a new run: its edges and actions, and the day on which it was made.

    ``older`` helps to recognise servers whose address is spelt differently now.
    """
    servers = Servers.of(older, snapshot) if older is not None else Servers.of(snapshot)
    settled = (VerdictKind.WORKS, VerdictKind.NOT_AFFECTED)
    subjects = {
        SubjectKind.EDGE: {edge.id: edge.verdict not in settled for edge in snapshot.edges},
        SubjectKind.ACTION: {action.id: bool(action.edges) for action in plan_actions(snapshot)},
    }
    return carry_over(board, subjects, servers.matching_id, snapshot.run.finished.date())


def changes_table(comparison: Comparison) -> Table:
    """The Changes sheet: all in a sentence, edges by what became of them, restarts, certificates, instances, notes.

    Edges that are as they were, and in order, are only counted.
    """
    rows = [_note_row("in short", changes_sentence(comparison))]
    rows += [_edge_row(change) for change in comparison.edges if change.fate is not EdgeFate.UNCHANGED]
    rows += _restart_rows(comparison)
    rows += _certificate_rows(comparison)
    rows += _instance_rows(comparison)
    rows += [_note_row("the runs", note) for note in comparison.notes]
    if unchanged := len(comparison.of(EdgeFate.UNCHANGED)):
        rows.append(
            _note_row(FATES[EdgeFate.UNCHANGED].label, f"{count(unchanged, 'connection')} in order, as before.")
        )
    return table_of(CHANGES, ChangeRow, rows, frozen=1, printed=8)


def exceptions_table(board: CarriedBoard) -> Table:
    """The Exceptions sheet: exceptions by urgency, what was typed about subjects that are gone, and notes."""
    excepted = {(each.entry.kind, each.entry.subject) for each in board.exceptions}
    gone = {(entry.kind, entry.subject) for entry in board.vanished}
    rows = [
        _exception_row(
            state_words(each.state),
            each.entry,
            each.sentence,
            is_gone=(each.entry.kind, each.entry.subject) in gone,
        )
        for each in board.exceptions
    ]
    rows += [
        _exception_row(
            "subject is gone", entry, "Kept as it was typed; this run has no such edge or action.", is_gone=True
        )
        for entry in board.vanished
        if (entry.kind, entry.subject) not in excepted
    ]
    rows += [
        ExceptionRow(
            "note", f"previous workbook {visible(board.origin)}", None, "", "", "", "", None, prose(note), ELSEWHERE
        )
        for note in board.notes
    ]
    return table_of(EXCEPTIONS, ExceptionRow, rows, frozen=2, printed=9)


def changes_sentence(comparison: Comparison) -> str:
    """The comparison in a sentence: ``Since 2026-11-23: 7 fixed, 2 still open, 1 regressed.``"""
    parts = [
        f"{len(found):,} {FATES[fate].word}"
        for fate in FATES
        if (found := comparison.of(fate)) and fate is not EdgeFate.UNCHANGED
    ]
    if comparison.restarts_pending:
        parts.append(f"{count(len(comparison.restarts_pending), 'restart')} pending")
    return f"Since {comparison.old.started:%Y-%m-%d %H:%M} UTC: {', '.join(parts) or 'nothing changed'}."


def _edge_row(change: EdgeChange) -> ChangeRow:
    edge = change.edge
    causes = [prose(cause) for cause in change.causes]
    if change.restart_pending:
        causes.append("A new certificate is configured at the target, and the old one is still presented: restart it.")
    return ChangeRow(
        change=FATES[change.fate].label,
        source=visible(edge.source),
        name=visible(edge.name),
        target=visible(edge.target),
        before=VERDICTS[change.before.verdict].label if change.before else "",
        after=VERDICTS[change.after.verdict].label if change.after else "",
        what=prose(change.sentence),
        causes=numbered(causes),
        thumbprint_before=visible(change.thumbprint_before or ""),
        thumbprint_after=visible(change.thumbprint_after or ""),
        id=visible(edge.id),
    )


def _restart_rows(comparison: Comparison) -> Iterator[ChangeRow]:
    for pending in comparison.restarts_pending:
        yield ChangeRow(
            change=RESTART,
            source=visible(pending.instance),
            name="",
            target=visible(pending.endpoint or ""),
            before="",
            after="",
            what=prose(pending.sentence),
            causes="",
            thumbprint_before=visible(pending.in_use or UNKNOWN),
            thumbprint_after=visible(pending.configured),
            id="",
        )


def certificates_that_changed(comparison: Comparison) -> tuple[CertificateChange, ...]:
    """The certificates that are not as they were; endpoints that are names of one certificate's server are one."""
    found: dict[tuple[object, ...], CertificateChange] = {}
    for change in comparison.certificates:
        if change.fate is CertificateFate.SAME:
            continue
        before = change.before.thumbprint if change.before else change.endpoint
        after = change.after.thumbprint if change.after else None
        key = (change.fate, before, after, change.sentence)
        alike = found.get(key)
        if alike is not None:
            change = replace(change, endpoint=f"{alike.endpoint}; {change.endpoint}", edges=alike.edges + change.edges)
        found[key] = change
    return tuple(found.values())


def _certificate_rows(comparison: Comparison) -> Iterator[ChangeRow]:
    for change in certificates_that_changed(comparison):
        yield ChangeRow(
            change=_CERTIFICATES[change.fate],
            source=visible(change.endpoint),
            name="",
            target="",
            before=f"until {change.before.not_after:%Y-%m-%d}" if change.before else "",
            after=f"until {change.after.not_after:%Y-%m-%d}" if change.after else "",
            what=prose(change.sentence),
            causes=f"{count(change.edges, 'connection')} to it",
            thumbprint_before=visible(change.before.thumbprint) if change.before else "",
            thumbprint_after=visible(change.after.thumbprint) if change.after else "",
            id="",
        )


def _instance_rows(comparison: Comparison) -> Iterator[ChangeRow]:
    for change in comparison.instances:
        label = {InstanceAspect.UNREADABLE: "? instance not read"}.get(
            change.aspect, f"instance: {change.aspect.replace('_', ' ')}"
        )
        yield ChangeRow(
            change=label,
            source=visible(change.instance),
            name="",
            target="",
            before=visible(change.before),
            after=visible(change.after),
            what=prose(change.sentence),
            causes="",
            thumbprint_before="",
            thumbprint_after="",
            id="",
        )


def _note_row(change: str, note: str) -> ChangeRow:
    return ChangeRow(change, "", "", "", "", "", prose(note), "", "", "", "")


def _exception_row(state: str, entry: BoardEntry, sentence: str, *, is_gone: bool) -> ExceptionRow:
    return ExceptionRow(
        state=state,
        subject=_subject_words(entry),
        until=_shown(entry.exception_until),
        reason=prose(entry.exception_reason),
        owner=prose(entry.owner),
        decision=prose(entry.decision),
        ticket=prose(entry.ticket),
        due=_shown(entry.due),
        note=prose(sentence),
        id=visible(entry.subject) if is_gone else ELSEWHERE,
    )


def _subject_words(entry: BoardEntry) -> str:
    """An id as people would say it, and no longer an id: ``linked server, fin01.corp.example, hr01``."""
    what, *parts = (visible(unquote(part)) for part in entry.subject.split(":"))
    return ", ".join([what.replace("_", " "), *parts])


def _shown(day: date | str | None) -> date | str | None:
    return prose(day) if isinstance(day, str) else day
