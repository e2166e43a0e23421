"""Saved outputs that are cut, mixed up, edited or no outputs at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.collect.connection import AnswerTooLarge
from assessor.collect.inventory import GapKind
from assessor.collect.plan import Step
from assessor.collect.queries import Column, Platform, Query, Scope, VersionRange
from assessor.collect.rows import BadAnswer, read_answer
from assessor.collect.saved import SavedOutput, UnreadableOutput, read_outputs

HEAD = "<assessor-inventory><format>1</format><tool>0.1.0</tool><for>15</for><started>2026-11-23T12:00:00.1234567</started>"
TAIL = "</assessor-inventory>"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
QUERY = Query(
    name="sample",
    purpose="",
    scope=Scope.SERVER,
    versions=VersionRange(11, None),
    platform=Platform.ANY,
    permission=None,
    loses="",
    returns=(
        Column("name", "nvarchar(128)", True),
        Column("count", "int"),
        Column("at", "datetime2"),
        Column("two words", "bit"),
    ),
    text="-- assessor: sample\n",
)


def document(*steps: str) -> str:
    return HEAD + "".join(steps) + TAIL


def step(answer: str, versions: str = "11-", database: str | None = None) -> str:
    of = f"<database>{database}</database>" if database else ""
    return f"<step><query>sample</query><versions>{versions}</versions>{of}{answer}</step>"


def rows(*bodies: str) -> str:
    return f"<answer {XSI}>" + "".join(f"<row>{body}</row>" for body in bodies) + "</answer>"


GOOD = "<name>a</name><count>7</count><at>2026-01-02T03:04:05.1234567</at><two_x0020_words>1</two_x0020_words>"


def lines(text: str, run: str = "0A1B2C3D") -> list[str]:
    pieces = [text[at : at + 60].ljust(60) for at in range(0, len(text), 60)]
    return [f"{run} {number:07}|{piece}|" for number, piece in enumerate(pieces, 1)]


def saved(text: str, run: str = "0A1B2C3D") -> bytes:
    return "".join(f"{line}\r\n" for line in lines(text, run)).encode()


def read(text: str) -> SavedOutput:
    (output,) = read_outputs(saved(text), "file.txt")
    return output


def the_answer(text: str) -> object:
    return read(document(step(text))).answers[Step("sample")].answer(QUERY)


def test_values_get_the_types_that_the_query_promises() -> None:
    output = read(document(step(rows(GOOD))))
    table = read_answer(QUERY, output.answers[Step("sample")].answer(QUERY))
    assert output.started == datetime(2026, 11, 23, 12, 0, 0, 123456, UTC)
    row = table.only
    assert (row.text("name"), row.integer("count"), row.flag("two words")) == ("a", 7, True)
    assert row.moment("at") == datetime(2026, 1, 2, 3, 4, 5, 123456)


def test_an_answer_without_rows_has_the_promised_columns() -> None:
    assert len(read_answer(QUERY, read(document(step("<answer/>"))).answers[Step("sample")].answer(QUERY))) == 0


def test_null_is_not_an_empty_text() -> None:
    nil = '<count xsi:nil="true"/>'
    row = read_answer(QUERY, the_answer(rows(GOOD.replace("<count>7</count>", nil).replace(">a<", "><")))).only  # type: ignore[arg-type]
    assert row.text("name") == ""
    assert row.integer("count") is None


def test_an_error_is_kept_with_its_number_and_kind() -> None:
    text = step("<error>229</error><message>The SELECT permission was denied.</message>", database="Sales &amp; Co")
    failure = read(document(text)).answers[Step("sample", "Sales & Co")].error
    assert failure is not None
    assert (failure.kind, failure.number) == (GapKind.REFUSED, 229)


def test_an_answer_of_another_variant_of_the_query_is_refused_with_the_mend() -> None:
    with pytest.raises(BadAnswer, match="--version"):
        read(document(step(rows(GOOD), versions="11-12"))).answers[Step("sample")].answer(QUERY)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (GOOD.replace("count", "number"), "lacks the column count"),
        (GOOD.replace("<name>a</name>", ""), "lacks the column name"),
        (GOOD.replace(">7<", ">seven<"), "column count is not of type int"),
        (GOOD.replace(">7<", ">7.5<"), "column count is not of type int"),
        (GOOD.replace("2026-01-02T", "02.01.2026 "), "column at is not of type datetime2"),
        (GOOD.replace("<name>a</name>", '<name xsi:nil="true"/>'), "column name is NULL"),
        (GOOD.replace(">a<", f">{'a' * 8001}<"), "longer than 8000"),
    ],
)
def test_a_missing_renamed_or_mistyped_column_is_a_bad_answer_that_says_which(body: str, complaint: str) -> None:
    with pytest.raises(BadAnswer, match=complaint):
        read_answer(QUERY, the_answer(rows(body)))  # type: ignore[arg-type]


def test_an_extra_column_is_left_out() -> None:
    table = read_answer(QUERY, the_answer(rows(GOOD + "<more>x</more>")))  # type: ignore[arg-type]
    assert len(table) == 1


def test_rows_that_differ_in_their_columns_are_an_error_and_no_crash() -> None:
    failure = read(document(step(rows(GOOD, "<name>b</name>")))).answers[Step("sample")].error
    assert failure is not None
    assert "differ" in failure.message


def test_more_rows_than_any_query_asks_for_are_refused() -> None:
    with pytest.raises(AnswerTooLarge):
        the_answer(rows(*["<name>a</name>"] * 60_001))


def test_characters_that_xml_forbids_and_halves_of_characters_are_read() -> None:
    text = "&#11;&#x0B;&#55357;&#56832;&#228;&lt;&amp;&gt;\"'&#65;"
    row = read_answer(QUERY, the_answer(rows(GOOD.replace(">a<", f">{text}<")))).only  # type: ignore[arg-type]
    assert row.text("name") == "\x0b\x0b\U0001f600ä<&>\"'A"


def test_a_lone_half_of_a_character_becomes_the_replacement_character() -> None:
    row = read_answer(QUERY, the_answer(rows(GOOD.replace(">a<", ">x&#55357;y<")))).only  # type: ignore[arg-type]
    assert row.text("name") == "x\ufffdy"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_an_output_that_breaks_off_is_refused(count: int) -> None:
    data = "".join(f"{line}\n" for line in lines(document(step(rows(GOOD * 3))))[:-count]).encode()
    with pytest.raises(UnreadableOutput, match="breaks off"):
        read_outputs(data, "f")


def test_a_lost_line_is_named() -> None:
    kept = lines(document(step(rows(GOOD))))
    del kept[2]
    with pytest.raises(UnreadableOutput, match="line 3 of the output is missing"):
        read_outputs("\n".join(kept).encode(), "f")


@pytest.mark.parametrize("width", [40, 60, 77])
def test_wrapped_and_cut_lines_are_refused_with_the_mend(width: int) -> None:
    for joint in ("\r\n", "...\r\n"):
        cut = [
            line[:width] + joint + (line[width:] if joint == "\r\n" else "")
            for line in lines(document(step(rows(GOOD))))
        ]
        with pytest.raises(UnreadableOutput, match="at least 80"):
            read_outputs("\n".join(cut).encode(), "f")


def test_one_file_may_hold_the_outputs_of_many_servers_mixed() -> None:
    first, second = lines(document(step(rows(GOOD))), "AAAAAAAA"), lines(document(), "BBBBBBBB")
    mixed = [line for pair in zip(first, second, strict=False) for line in pair] + first[len(second) :]
    assert [len(output.answers) for output in read_outputs("\n".join(mixed).encode(), "f")] == [1, 0]


def test_an_output_saved_twice_into_one_file_counts_once() -> None:
    assert len(read_outputs(saved(document()) * 2, "f")) == 1


def test_one_line_with_two_meanings_is_refused() -> None:
    with pytest.raises(UnreadableOutput, match="there twice"):
        read_outputs(saved(document(step(rows(GOOD)))) + saved(document(step("<answer/>"))), "f")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"hello",
        b"<?xml version='1.0'?><assessor-inventory/>",
        bytes(range(256)) * 10,
        b"PK\x03\x04" + b"\0" * 500,
    ],
)
def test_a_file_that_is_no_output_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(UnreadableOutput, match="no output of the collect script"):
        read_outputs(data, "f")


@pytest.mark.parametrize(
    "text",
    [
        document("<!DOCTYPE x [<!ENTITY a 'b'>]>"),
        document("&a;"),
        document("<step>&lol9;</step>"),
        document("<step>"),
        document("</step>"),
        document("<a><b></a></b>"),
        document("<a>" * 10 + "</a>" * 10),
        document("<step><query>sample</query></step>"),
        document("<step><query>sample</query><error>x</error></step>"),
        document(step("<answer/>"), step("<answer/>")),
        document().replace("<format>1", "<format>2"),
        document().replace("2026", "year"),
        HEAD + TAIL + TAIL,
    ],
)
def test_xml_that_the_script_does_not_write_is_refused(text: str) -> None:
    with pytest.raises(UnreadableOutput):
        read(text)


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(codec="utf-16"), max_size=200))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    units = text.encode("utf-16-le")
    codes = [int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2)]
    plain = {code: chr(code) for code in range(0x20, 0x7F)} | {38: "&amp;", 60: "&lt;", 62: "&gt;"}
    encoded = "".join(plain.get(code, f"&#{code};") for code in codes)
    row = read_answer(QUERY, the_answer(rows(GOOD.replace(">a<", f">{encoded}<")))).only  # type: ignore[arg-type]
    assert row.text("name") == text


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_file_is_read_rightly_or_refused_and_never_crashes(data: st.DataObject) -> None:
    whole = saved(document(step(rows(GOOD, GOOD)), step("<error>229</error><message>no</message>", database="x")))
    at = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.integers(0, 100))
    damaged = whole[:at] + data.draw(st.binary(max_size=20)) + whole[at + length :]
    try:
        outputs = read_outputs(damaged, "f")
    except UnreadableOutput:
        return
    for output in outputs:
        for answer in output.answers.values():
            try:
                answer.answer(QUERY)
            except BadAnswer:
                continue
