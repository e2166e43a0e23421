"""``assessor explain`` at the command line: what is pasted arrives whole, and the answer can be read."""

from __future__ import annotations

import json
from pathlib import Path

import snapshots_by_hand as by_hand
import typer
from typer.testing import CliRunner

from assessor.cli.explain import CONTEXT_SETTINGS
from assessor.cli.explain import explain as explain_command
from assessor.explain import NotRecognised
from assessor.snapshot_file import write_snapshot

NOT_TRUSTED = "The certificate chain was issued by an authority that is not trusted."
PRINCIPAL = "The target principal name is incorrect."


def command() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    app.command("explain", context_settings=CONTEXT_SETTINGS)(explain_command)
    return app


def test_a_negative_number_is_an_argument_and_not_an_option() -> None:
    result = CliRunner().invoke(command(), ["explain", "-2146893019"])
    assert result.exit_code == 0
    assert "not trusted" in result.output
    assert "What helps, most secure first\n  1. Configure a CA certificate" in result.output


def test_words_without_quotation_marks_are_one_message() -> None:
    result = CliRunner().invoke(command(), ["explain", *NOT_TRUSTED.split()])
    assert result.exit_code == 0


def test_a_message_is_read_from_standard_input() -> None:
    result = CliRunner().invoke(command(), ["explain", "-", "--format", "json"], input=f"SSL Provider: {PRINCIPAL}\n")
    assert [each["id"] for each in json.loads(result.output)["explanations"]] == ["name_mismatch"]


def test_a_message_in_the_console_s_code_page_is_read_too() -> None:
    data = "La chaîne de certificats a été fournie par une autorité qui n'est pas approuvée".encode("cp1252")
    result = CliRunner().invoke(command(), ["explain", "-", "--format", "json"], input=data)
    assert json.loads(result.output)["explanations"][0]["id"] == "untrusted_root"


def test_the_command_reads_the_snapshot(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write_snapshot(by_hand.snapshot(edges=(by_hand.edge("E\x1b[2JRP"),)), file)
    result = CliRunner().invoke(command(), ["explain", "E\x1b[2JRP", "--snapshot", str(file)])
    assert result.exit_code == 0
    assert "Reasons\n  - The certificate of sql02 is signed by itself" in result.output
    assert "E␛[2JRP" in result.output
    assert "\x1b" not in result.output


def test_an_unknown_message_ends_in_bad_input() -> None:
    result = CliRunner().invoke(command(), ["explain", "hello"])
    assert isinstance(result.exception, NotRecognised)
    assert result.exception.exit_code == 2
