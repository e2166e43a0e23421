"""What people typed into the workbook for the change board, and what becomes of it in the next run. Pure.

An entry belongs to an edge or an action by its id, never to a row. Nothing typed is dropped: an entry whose
subject the estate no longer has is kept and listed, a date that can't be read stays as it was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final


class SubjectKind(StrEnum):
    """What an entry is about; each has a sheet."""

    EDGE = "edge"
    ACTION = "action"


#: What the board usually decides; offered as a list in the workbook, where any other text may be typed, too.
DECISIONS: Final = ("mend before upgrade", "accept risk", "retire", "postpone", "not ours")


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """What people typed about one subject. A text that no date could be read from stays a text."""

    kind: SubjectKind
    subject: str  #: id of the edge or action
    owner: str = ""
    decision: str = ""
    ticket: str = ""
    due: date | str | None = None
    exception_reason: str = ""
    exception_until: date | str | None = None  #: last day on which the exception holds

    @property
    def is_empty(self) -> bool:
        """Nothing was typed."""
        return not (
            self.owner or self.decision or self.ticket or self.due or self.exception_reason or self.exception_until
        )

    @property
    def has_exception(self) -> bool:
        """An exception was asked for: it has a reason or an expiry."""
        return bool(self.exception_reason or self.exception_until)


class ExceptionState(StrEnum):
    """Whether an exception still holds."""

    HOLDS = "holds"
    EXPIRED = "expired"  #: shown as open again
    NO_EXPIRY = "no_expiry"  #: an exception for ever is none: pointed out, and shown as open
    UNREADABLE_EXPIRY = "unreadable_expiry"  #: typed, but no date: shown as open
    NO_REASON = "no_reason"  #: holds until its expiry, but nobody said why
    NEEDLESS = "needless"  #: its edge works, so there is nothing left to except
    SUBJECT_GONE = "subject_gone"


@dataclass(frozen=True, slots=True)
class BoardException:
    """One exception and whether it still holds, for the Exceptions sheet."""

    entry: BoardEntry
    state: ExceptionState
    sentence: str


@dataclass(frozen=True, slots=True)
class Board:
    """All entries of one workbook, as read from it."""

    origin: str  #: file name
    entries: tuple[BoardEntry, ...]
    notes: tuple[str, ...] = ()  #: one sentence for each thing that reading it met


@dataclass(frozen=True, slots=True)
class CarriedBoard:
    """A board as it belongs to a new run: every entry by the id that its subject has now."""

    origin: str
    entries: tuple[BoardEntry, ...]  #: of subjects that are there
    vanished: tuple[BoardEntry, ...]  #: of subjects that are not; kept, with the id they had
    exceptions: tuple[BoardException, ...]  #: those that need somebody first
    notes: tuple[str, ...]

    def exception(self, kind: SubjectKind, subject: str) -> BoardException | None:
        """The exception that was made for one subject."""
        return next(
            (each for each in self.exceptions if (each.entry.kind, each.entry.subject) == (kind, subject)), None
        )

    def entry(self, kind: SubjectKind, subject: str) -> BoardEntry | None:
        """What was typed about one subject."""
        return next((each for each in self.entries if each.kind is kind and each.subject == subject), None)


def carry_over(
    board: Board,
    subjects: Mapping[SubjectKind, Mapping[str, bool]],
    same: Callable[[str], Hashable],
    today: date,
) -> CarriedBoard:
    """Give every entry the id that its subject has in the new run.

    ``subjects`` are the ids of the new run, by kind, each with whether it is in need of anything (an edge that breaks,
    say); ``same`` makes of an id what two spellings of it have in common. Of several entries that end up with one
    subject the first is kept whole, and what the others add to it; where they contradict it, a note says so.
    """
    merged, notes = _merged(board.entries)
    alike = {kind: {same(subject): subject for subject in ids} for kind, ids in subjects.items()}
    present: list[BoardEntry] = []
    vanished: list[BoardEntry] = []
    for entry in merged:
        ids = subjects.get(entry.kind, {})
        subject = entry.subject if entry.subject in ids else alike.get(entry.kind, {}).get(same(entry.subject))
        if subject is None:
            vanished.append(entry)
        else:
            present.append(replace(entry, subject=subject))
    present, more = _merged(present)
    notes += more
    if vanished:
        some = "1 entry belongs to a subject" if len(vanished) == 1 else f"{len(vanished)} entries belong to subjects"
        notes.append(f"{some} that this run does not have: kept, and listed with the exceptions.")
    exceptions = [
        _judged(entry, subjects.get(entry.kind, {}).get(entry.subject), today)
        for entry in (*present, *vanished)
        if entry.has_exception
    ]
    place = {state: number for number, state in enumerate(_MOST_URGENT_FIRST)}
    exceptions.sort(key=lambda each: (place[each.state], each.entry.subject))
    return CarriedBoard(board.origin, tuple(present), tuple(vanished), tuple(exceptions), (*board.notes, *notes))


_MOST_URGENT_FIRST: Final = (
    ExceptionState.EXPIRED,
    ExceptionState.UNREADABLE_EXPIRY,
    ExceptionState.NO_EXPIRY,
    ExceptionState.NO_REASON,
    ExceptionState.HOLDS,
    ExceptionState.NEEDLESS,
    ExceptionState.SUBJECT_GONE,
)

#: What is typed about a subject, and what the columns are called.
TYPED: Final = {
    "owner": "owner",
    "decision": "decision",
    "ticket": "ticket",
    "due": "due date",
    "exception_reason": "reason of the exception",
    "exception_until": "expiry of the exception",
}


def _merged(entries: Sequence[BoardEntry]) -> tuple[list[BoardEntry], list[str]]:
    """One entry a subject: the first, filled up from the later ones."""
    found: dict[tuple[SubjectKind, str], BoardEntry] = {}
    contradicted: dict[tuple[SubjectKind, str], list[str]] = {}
    for entry in entries:
        key = (entry.kind, entry.subject)
        first = found.setdefault(key, entry)
        if first is entry:
            continue
        for name, words in TYPED.items():
            kept, other = getattr(first, name), getattr(entry, name)
            if other and not kept:
                first = replace(first, **{name: other})
            elif other and other != kept:
                contradicted.setdefault(key, []).append(f"{words} '{other}'")
        found[key] = first
    notes = [
        f"{subject} stands there several times with different texts: the first was kept, and not {', '.join(others)}."
        for (_, subject), others in contradicted.items()
    ]
    return list(found.values()), notes


def _judged(entry: BoardEntry, needs_one: bool | None, today: date) -> BoardException:
    """Whether an exception holds. ``needs_one``: its subject is in need of it; ``None``: it is not there any more."""
    until = entry.exception_until
    if needs_one is None:
        return BoardException(entry, ExceptionState.SUBJECT_GONE, "What it was made for is not in this run.")
    if isinstance(until, date) and until < today:
        expired = (
            f"It ended on {until}: open again." if needs_one else f"It ended on {until}, and nothing is left to except."
        )
        return BoardException(entry, ExceptionState.EXPIRED if needs_one else ExceptionState.NEEDLESS, expired)
    if not needs_one:
        return BoardException(entry, ExceptionState.NEEDLESS, "Nothing is left to except; it can be taken back.")
    if isinstance(until, str) and until:
        sentence = f"Its expiry '{until}' is no date (write 2027-03-31): counted as open until it is one."
        return BoardException(entry, ExceptionState.UNREADABLE_EXPIRY, sentence)
    if not isinstance(until, date):
        return BoardException(
            entry, ExceptionState.NO_EXPIRY, "It has no expiry, so it is counted as open: give it one."
        )
    if not entry.exception_reason:
        return BoardException(entry, ExceptionState.NO_REASON, f"It holds until {until}, but nobody wrote why.")
    return BoardException(entry, ExceptionState.HOLDS, f"It holds until {until}.")
