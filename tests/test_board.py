"""What people typed for the change board, carried from one run to the next."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.board import Board, BoardEntry, CarriedBoard, ExceptionState, SubjectKind, carry_over

TODAY = date(2026, 11, 23)
EDGE = SubjectKind.EDGE


def entry(subject: str = "linked_server:sql01:hr", **typed: object) -> BoardEntry:
    return BoardEntry(EDGE, subject, **typed)  # type: ignore[arg-type]


def carried(*entries: BoardEntry, subjects: dict[str, bool] | None = None) -> CarriedBoard:
    present = subjects if subjects is not None else {"linked_server:sql01:hr": True}
    return carry_over(Board("old.xlsx", entries), {EDGE: present}, str.lower, TODAY)


def state(needs_one: bool = True, **typed: object) -> ExceptionState:
    (exception,) = carried(entry(**typed), subjects={"linked_server:sql01:hr": needs_one}).exceptions
    return exception.state


def test_an_entry_finds_its_edge_by_id() -> None:
    board = carried(entry(owner="Ada", decision="retire", ticket="CHG-1", due=date(2026, 12, 1)))
    found = board.entry(EDGE, "linked_server:sql01:hr")
    assert found is not None
    assert (found.owner, found.decision, found.ticket, found.due) == ("Ada", "retire", "CHG-1", date(2026, 12, 1))
    assert board.vanished == ()
    assert board.notes == ()


def test_an_entry_whose_server_is_spelt_differently_now_gets_the_new_id() -> None:
    board = carried(entry("linked_server:SQL01:HR", owner="Ada"))
    assert [each.subject for each in board.entries] == ["linked_server:sql01:hr"]


def test_an_entry_of_an_edge_that_is_gone_is_kept_and_listed() -> None:
    lost = entry("linked_server:sql09:old", owner="Ada")
    board = carried(lost, entry(owner="Bob"))
    assert board.vanished == (lost,)
    assert board.notes == (
        "1 entry belongs to a subject that this run does not have: kept, and listed with the exceptions.",
    )


def test_an_entry_of_an_action_is_not_taken_for_one_of_an_edge() -> None:
    action = BoardEntry(SubjectKind.ACTION, "linked_server:sql01:hr", owner="Ada")
    assert carried(action).vanished == (action,)


def test_rows_that_were_duplicated_without_a_change_are_one_entry() -> None:
    board = carried(entry(owner="Ada"), entry(owner="Ada"))
    assert [each.owner for each in board.entries] == ["Ada"]
    assert board.notes == ()


def test_duplicates_fill_each_other_up() -> None:
    (found,) = carried(entry(owner="Ada"), entry(ticket="CHG-1")).entries
    assert (found.owner, found.ticket) == ("Ada", "CHG-1")


def test_of_duplicates_that_contradict_each_other_the_first_counts_and_a_note_says_so() -> None:
    board = carried(entry(owner="Ada", ticket="CHG-1"), entry(owner="Bob"), entry(owner="Cy"))
    assert board.entries[0].owner == "Ada"
    (note,) = board.notes
    assert "linked_server:sql01:hr" in note
    assert "owner 'Bob', owner 'Cy'" in note


def test_two_spellings_of_one_edge_are_duplicates_too() -> None:
    board = carried(entry("linked_server:SQL01:hr", owner="Ada"), entry(owner="Bob"))
    assert [each.owner for each in board.entries] == ["Ada"]
    assert len(board.notes) == 1


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"exception_reason": "legacy", "exception_until": date(2026, 11, 23)}, ExceptionState.HOLDS),
        ({"exception_reason": "legacy", "exception_until": date(2026, 11, 22)}, ExceptionState.EXPIRED),
        ({"exception_reason": "legacy"}, ExceptionState.NO_EXPIRY),
        ({"exception_reason": "legacy", "exception_until": "end of March"}, ExceptionState.UNREADABLE_EXPIRY),
        ({"exception_until": date(2027, 1, 1)}, ExceptionState.NO_REASON),
    ],
)
def test_an_exception_holds_to_the_end_of_its_last_day_and_never_without_one(
    typed: dict[str, object], expected: ExceptionState
) -> None:
    assert state(**typed) is expected


def test_an_exception_for_an_edge_that_works_is_no_longer_needed() -> None:
    assert (
        state(needs_one=False, exception_reason="legacy", exception_until=date(2027, 1, 1)) is ExceptionState.NEEDLESS
    )
    assert (
        state(needs_one=False, exception_reason="legacy", exception_until=date(2020, 1, 1)) is ExceptionState.NEEDLESS
    )


def test_an_exception_for_an_edge_that_is_gone_is_listed_as_such() -> None:
    (exception,) = carried(entry("gone:x:y", exception_reason="legacy", exception_until=date(2027, 1, 1))).exceptions
    assert exception.state is ExceptionState.SUBJECT_GONE


def test_exceptions_that_need_somebody_come_first() -> None:
    subjects = {f"linked_server:a:{number}": True for number in range(3)}
    board = carried(
        entry("linked_server:a:0", exception_reason="x", exception_until=date(2027, 1, 1)),
        entry("linked_server:a:1", exception_reason="x"),
        entry("linked_server:a:2", exception_reason="x", exception_until=date(2026, 1, 1)),
        subjects=subjects,
    )
    assert [each.state for each in board.exceptions] == [
        ExceptionState.EXPIRED,
        ExceptionState.NO_EXPIRY,
        ExceptionState.HOLDS,
    ]


TEXTS = st.text(max_size=20)
DATES = st.one_of(st.none(), st.dates(), st.text(min_size=1, max_size=10))
ENTRIES = st.builds(
    BoardEntry,
    kind=st.sampled_from(SubjectKind),
    subject=st.sampled_from(["linked_server:a:x", "linked_server:A:x", "certificate:a", "gone:b:c"]),
    owner=TEXTS,
    decision=TEXTS,
    ticket=TEXTS,
    due=DATES,
    exception_reason=TEXTS,
    exception_until=DATES,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(ENTRIES, max_size=8))
def test_nothing_typed_is_dropped_without_a_note(entries: list[BoardEntry]) -> None:
    subjects = {EDGE: {"linked_server:a:x": True}, SubjectKind.ACTION: {"certificate:a": True}}
    board = carry_over(Board("old.xlsx", tuple(entries)), subjects, str.lower, TODAY)
    kept = (*board.entries, *board.vanished)
    told = " ".join(board.notes)
    assert len({(each.kind, each.subject) for each in kept}) == len(kept)
    for each in entries:
        for typed in (each.owner, each.decision, each.ticket, each.due, each.exception_reason, each.exception_until):
            if typed:
                texts = [
                    value
                    for one in kept
                    for value in (
                        one.owner,
                        one.decision,
                        one.ticket,
                        one.due,
                        one.exception_reason,
                        one.exception_until,
                    )
                ]
                assert typed in texts or f"'{typed}'" in told
    assert len(board.exceptions) == sum(each.has_exception for each in kept)
