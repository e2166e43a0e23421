"""What the driver says is read strictly."""

from __future__ import annotations

import pytest

from assessor.clients.errors import verify_texts
from assessor.clients.outcome import ReasonClass

from .driver import Said
from .words import OTHERS, VERIFY, classes

FRAME = "[Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: [error:0A000086:SSL routines::certificate verify failed:{}] (-1)"


def said(text: str) -> Said:
    return Said(connected=False, state="08001", text=text)


@pytest.mark.parametrize("text", VERIFY)
def test_a_verification_text_is_found_inside_the_whole_message(text: str) -> None:
    assert classes(said(FRAME.format(text)), strict=False) == VERIFY[text]


def test_no_text_forgives_more_than_three_classes() -> None:
    assert all(len(meant) <= 2 for meant in VERIFY.values())
    assert all(len(meant) <= 3 for _, _, meant in OTHERS)


def test_an_unknown_text_means_nothing() -> None:
    assert classes(said(FRAME.format("the moon is full")), strict=False) is None
    assert classes(said("Login timeout expired"), strict=False) is None


def test_self_signed_is_not_read_out_of_self_signed_in_chain() -> None:
    text = "self-signed certificate in certificate chain"
    assert classes(said(FRAME.format(text)), strict=True) == frozenset({ReasonClass.UNTRUSTED_ROOT})
    assert classes(said(FRAME.format("self-signed")), strict=True) is None


def test_a_closed_handshake_means_strict_only_to_clients_of_tds_7() -> None:
    text = "Client unable to establish connection because an error was encountered during handshakes before login. (26)"
    assert classes(said(text), strict=False) == frozenset({ReasonClass.STRICT_REQUIRED})
    assert classes(said(text), strict=True) == frozenset({ReasonClass.BAD_CERTIFICATE})


def test_the_table_of_the_product_says_the_same_of_every_text_that_both_know() -> None:
    ours = {each.text: set(each.reasons) for each in verify_texts()}
    for text, meant in VERIFY.items():
        assert ours[text] == meant, text
