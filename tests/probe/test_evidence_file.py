"""Evidence travels as JSON: whole, and nothing that can't be evidence is taken for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.errors import UsageError
from assessor.probe.evidence import EncryptionAnswer, Endpoint, Evidence, FailureClass, TlsSession
from assessor.probe.evidence_file import evidence_as_json, parse_evidence, read_evidence
from assessor.probe.targets import read_targets

WHOLE = Evidence(
    endpoint=Endpoint("sql01.corp.example", None, "sales"),
    vantage="web01",
    probed_at=datetime(2026, 11, 23, 12, 0, 0, 5, UTC),
    address="10.0.0.1",
    port=50001,
    encryption=EncryptionAnswer.REQUIRED,
    server_version="16.0.4135",
    tls=TlsSession("TLSv1.2", "c", None, ("PEM 1", "PEM 2")),
    unfinished_chain=("PEM 3",),
    strict=TlsSession("TLSv1.3", "d", "tds/8.0", ("PEM 4",)),
    strict_failure_detail="x",
    milliseconds=7,
)
FAILED = Evidence(Endpoint("a", 1433), "web01", datetime(2026, 11, 23, tzinfo=UTC), failure=FailureClass.TIMED_OUT)


def file_of(*evidence: Evidence) -> bytes:
    return json.dumps([{"target": "x", "more": 1, "evidence": evidence_as_json(each)} for each in evidence]).encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_evidence_comes_back_whole_in_every_encoding_that_a_shell_writes(encoding: str) -> None:
    data = file_of(WHOLE, FAILED).decode().encode(encoding)
    assert parse_evidence(data, "f") == (WHOLE, FAILED)


def changed(**values: object) -> bytes:
    document = json.loads(file_of(WHOLE))
    document[0]["evidence"] |= values
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is empty"),
        (b"[", "is not what"),
        (b"{}", "is not what"),
        (b'[{"target": "x"}]', "at 0.evidence"),
        (changed(encryption=None), "either a failure or an encryption"),
        (changed(failure="timed_out"), "either a failure or an encryption"),
        (changed(encryption="never"), "is not what"),
        (changed(probed_at="2026-11-23T12:00:00"), "time zone"),
        (changed(vantage=" "), "which machine"),
        (changed(vantage=5), "is not what"),
        (changed(endpoint={"host": "a", "port": None, "instance": None}), "endpoint that is none"),
        (changed(endpoint={"host": "A", "port": 1433, "instance": None}), "endpoint that is none"),
        (changed(endpoint={"host": "a", "port": 70000, "instance": None}), "endpoint that is none"),
        (b"\xff\xfe\x00", "is not what"),
    ],
)
def test_what_can_not_be_evidence_is_refused_in_one_sentence(data: bytes, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_evidence(data, "f")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--evidence"):
        read_evidence(tmp_path / "none")


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_damaged_file_is_refused_and_never_crashes(data: st.DataObject) -> None:
    whole = file_of(WHOLE, FAILED)
    at = data.draw(st.integers(0, len(whole)))
    damaged = whole[:at] + data.draw(st.binary(max_size=10)) + whole[at + data.draw(st.integers(0, 30)) :]
    try:
        parse_evidence(damaged, "f")
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - refused or not, both are right


def test_a_target_list_is_read_without_comments_blanks_and_doubles() -> None:
    text = "\ufeff# head\n\nsql01,1433   # answered\nsql02\\sales\nsql01,1433\n  tcp:x  \n"
    assert read_targets(text, "f") == ("sql01,1433", "sql02\\sales", "tcp:x")


@pytest.mark.parametrize(
    ("text", "complaint"), [("", "names no target"), ("# only\n", "names no target"), ("x" * 1001, "line 1")]
)
def test_a_list_without_targets_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        read_targets(text, "f")
