"""Text from a server is shown, never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshots_by_hand import HOSTILE

from assessor.report.text import prose, shorten, visible, visible_lines

any_text = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("SQL01\\PROD", "SQL01\\PROD"),
        ("\x1b[31m", "␛[31m"),
        ("a\r\nb\tc\x00", "a␍␊b␉c␀"),
        ("\x7f", "␡"),
        ("\x9b31m", "‹U+009B›31m"),
        ("\u202eLQS", "‹U+202E›LQS"),
        ("a\u2066b\u2069", "a‹U+2066›b‹U+2069›"),
        ("zero\u200bwidth", "zero‹U+200B›width"),
        ("\ufeff", "‹U+FEFF›"),
        ("\ud800", "‹U+D800›"),
        ("\u2028", "‹U+2028›"),
        ("\U000e0041", "‹U+E0041›"),
        ("non\xa0breaking", "non\xa0breaking"),
        ("Ærø 数据库 бд", "Ærø 数据库 бд"),
    ],
)
def test_what_has_no_shape_gets_one_and_the_rest_stays(raw: str, shown: str) -> None:
    assert visible(raw) == shown


@given(any_text)
@settings(deadline=None)
def test_visible_text_holds_nothing_that_is_obeyed_or_unseen(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert visible(shown) == shown
    assert shown.encode("utf-8").decode("utf-8") == shown


@given(any_text, any_text)
@settings(deadline=None)
def test_texts_that_differ_in_a_control_character_are_shown_differently(left: str, right: str) -> None:
    assert visible(left + "\x1b" + right) != visible(left + right)


def test_only_the_line_feeds_that_we_made_stay_in_lines() -> None:
    assert visible_lines("1. a\rb\n2. c") == "1. a␍b\n2. c"


def test_the_line_breaks_of_a_message_become_spaces() -> None:
    assert prose("  Login failed.\r\n\tReason: \x1b[1mnone\n") == "Login failed. Reason: ␛[1mnone"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_message_is_one_line(text: str) -> None:
    assert len((prose(text) or "-").splitlines()) == 1


@given(any_text, st.integers(min_value=1, max_value=80))
@settings(deadline=None)
def test_a_shortened_text_keeps_to_its_limit_and_says_that_it_was_cut(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
