"""The board's question and our answer: go, go with conditions, or no go, with the rule behind it. Pure.

A recommendation, not a verdict: it adds up what the judge said and what the board itself has excepted, by the one rule
that is printed beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from assessor.board import CarriedBoard, ExceptionState, SubjectKind
from assessor.judge.verdicts import VerdictKind
from assessor.report.answer import is_for_a_past_day, unread_instances, verdict_counts
from assessor.report.words import count
from assessor.snapshot import AssessedEdge, Snapshot


class Recommendation(StrEnum):
    """The three answers, as they are read aloud."""

    GO = "GO"
    CONDITIONS = "GO WITH CONDITIONS"
    NO_GO = "NO GO"


#: The rule, printed beside the answer.
RULE = (
    "NO GO while any connection breaks without an exception that holds. GO WITH CONDITIONS when none does, but something "
    "expires, works insecurely, fails today, could not be assessed, rests on an exception, or the upgrade date is over. GO when "
    "none of this is left."
)


@dataclass(frozen=True, slots=True)
class BoardAnswer:
    """What the first sheet says first."""

    recommendation: Recommendation
    because: str  #: one sentence
    conditions: tuple[str, ...]  #: what has to be done, or accepted, before or soon after
    rule: str = RULE


def board_answer(snapshot: Snapshot, board: CarriedBoard | None = None) -> BoardAnswer:
    """The recommendation for this snapshot, given what the board has excepted."""
    breaking = [edge for edge in snapshot.edges if edge.verdict is VerdictKind.BREAKS]
    excepted = [edge for edge in breaking if _holds(edge, board)]
    open_edges = len(breaking) - len(excepted)
    conditions = tuple(_conditions(snapshot, len(excepted)))
    day = snapshot.estate.upgrade_date.isoformat()
    if open_edges:
        verb = "breaks" if open_edges == 1 else "break"
        return BoardAnswer(
            Recommendation.NO_GO,
            f"{count(open_edges, 'connection')} {verb} if the upgrade of {day} goes ahead as it is.",
            conditions,
        )
    if conditions or snapshot.run.interrupted or not snapshot.edges:
        because = f"No connection that could be assessed breaks on {day}, but not everything is in order."
        if snapshot.run.interrupted:
            because += " The run was interrupted."
        if not snapshot.edges:
            because = "No connection was found, which an estate rarely has; make sure that the tool saw everything."
        return BoardAnswer(Recommendation.CONDITIONS, because, conditions)
    return BoardAnswer(
        Recommendation.GO,
        f"All {count(len(snapshot.edges), 'connection')} were assessed, and none breaks on {day}.",
        (),
    )


def _holds(edge: AssessedEdge, board: CarriedBoard | None) -> bool:
    found = board.exception(SubjectKind.EDGE, edge.id) if board is not None else None
    return found is not None and found.state is ExceptionState.HOLDS


def _conditions(snapshot: Snapshot, excepted: int) -> Iterator[str]:
    number = verdict_counts(snapshot)
    if is_for_a_past_day(snapshot):
        yield (
            f"The upgrade date {snapshot.estate.upgrade_date.isoformat()} was over before this run, so certificates that ended "
            "since still count as valid: write the new date into the estate file and run again."
        )
    if excepted:
        yield f"{count(excepted, 'breaking connection')} excepted by the board: watch the expiry of each exception."
    if number[VerdictKind.NOT_ASSESSED]:
        yield f"{count(number[VerdictKind.NOT_ASSESSED], 'connection')} could not be assessed: get the facts, or test by hand."
    unread = len(unread_instances(snapshot))
    if unread:
        yield f"{count(unread, 'instance')} could not be read, so nobody knows what connections start there."
    if number[VerdictKind.EXPIRES]:
        yield (
            f"{count(number[VerdictKind.EXPIRES], 'connection')} will stop within {snapshot.estate.horizon_days} days after the "
            "upgrade, when a certificate ends: order the renewal now."
        )
    if number[VerdictKind.WORKS_INSECURELY]:
        insecure = count(number[VerdictKind.WORKS_INSECURELY], "connection")
        yield f"{insecure} work only because nothing is validated: accept it, with an end date."
    if number[VerdictKind.FAILS_TODAY]:
        yield f"{count(number[VerdictKind.FAILS_TODAY], 'connection')} fail today already: decide whether anybody needs them."
