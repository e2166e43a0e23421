"""Command lines of job steps: every tool is found, with its server and switches, and no password ever leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessor.collect.code import job_facts_of
from assessor.collect.command_lines import calls_in_command, calls_in_package_step, calls_in_powershell
from assessor.collect.connection import Answer
from assessor.collect.inventory import LinkedServer, ToolCall
from assessor.collect.rows import read_answer

from .scripted import QUERIES

CORPUS = Path(__file__).parents[1] / "data" / "corpus" / "job_commands.jsonl"
STEPS: list[dict[str, Any]] = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
CANARY = "Canary-Wren-2290"


def facts_of(*commands: tuple[str, str], servers: tuple[LinkedServer, ...] = ()) -> Any:
    from assessor.collect.code import Names

    query = QUERIES["job_steps"]
    names = [column.name for column in query.returns]
    rows = []
    for number, (subsystem, command) in enumerate(commands, 1):
        row: dict[str, object] = {
            "job_name": "Nightly",
            "is_enabled": 1,
            "step_id": number,
            "subsystem": subsystem,
            "command": command,
            "command_bytes": len(command.encode("utf-16-le", "surrogatepass")),
        }
        rows.append(tuple(row.get(name) for name in names))
    return job_facts_of(read_answer(query, Answer(tuple(names), tuple(rows))), Names.of(servers))


def calls_of(subsystem: str, command: str) -> tuple[ToolCall, ...]:
    return tuple(facts_of((subsystem, command)).tool_calls)


@pytest.mark.parametrize("step", STEPS, ids=[f"{step['subsystem']}-{n}" for n, step in enumerate(STEPS)])
def test_each_command_of_the_corpus_is_read_as_its_tool_would(step: dict[str, Any]) -> None:
    found = calls_of(step["subsystem"], step["command"])
    assert [[each.tool, each.server, each.is_server_known, each.switches] for each in found] == step["calls"]


@pytest.mark.parametrize("step", [step for step in STEPS if CANARY in step["command"]])
def test_no_password_of_the_corpus_is_kept(step: dict[str, Any]) -> None:
    assert CANARY not in repr(facts_of((step["subsystem"], step["command"])))


def test_the_corpus_has_passwords_in_every_kind_of_step() -> None:
    assert {"CmdExec", "SSIS", "PowerShell", "TSQL"} == {s["subsystem"] for s in STEPS if CANARY in s["command"]}


def test_switches_become_connection_options() -> None:
    (call,) = calls_in_command("sqlcmd -S a -Ns -C -F other.example -J c:\\pin.cer")
    assert (
        call.options
        == "Encrypt=Strict;TrustServerCertificate=yes;HostNameInCertificate=other.example;ServerCertificate=c:\\pin.cer"
    )
    (call,) = calls_in_command("bcp a in b -S a -Ym -u -H other.example -N -C RAW")
    assert (call.options, call.switches) == (
        "Encrypt=Mandatory;TrustServerCertificate=yes;HostNameInCertificate=other.example",
        "-Ym -u -H",
    )


def test_a_path_tells_the_generation_of_the_tool() -> None:
    path = '"C:\\Program Files\\Microsoft SQL Server\\Client SDK\\ODBC\\170\\Tools\\Binn\\SQLCMD.EXE"'
    assert calls_in_command(f"{path} -S a")[0].tools_version == 170
    assert (
        calls_in_command('"C:\\Program Files\\Microsoft SQL Server\\110\\Tools\\Binn\\bcp.exe" a in b')[0].tools_version
        == 110
    )
    assert calls_in_command("sqlcmd -S a")[0].tools_version is None


def test_a_package_step_keeps_the_package_and_the_provider_of_its_connections_only() -> None:
    (call,) = calls_in_package_step(
        f'/FILE "\\"E:\\x.dtsx\\"" /CONNECTION D;"\\"Data Source=DW01;Provider=SQLNCLI11.1;Password={CANARY}\\""'
    )
    assert (call.runs, call.provider, call.server) == ("E:\\x.dtsx", "SQLNCLI11.1", None)


def test_two_providers_in_one_package_name_none() -> None:
    command = '/FILE x.dtsx /CONNECTION A;"Provider=SQLNCLI11" /CONNECTION B;"Provider=MSOLEDBSQL19"'
    assert calls_in_package_step(command)[0].provider is None


def test_the_same_call_twice_in_a_step_is_one() -> None:
    assert len(calls_in_command("sqlcmd -S a -i x\nsqlcmd -S a -i y\nsqlcmd -S b -i z")) == 2


def test_a_command_longer_than_was_read_is_named() -> None:
    query = QUERIES["job_steps"]
    names = [column.name for column in query.returns]
    row: dict[str, object] = {
        "job_name": "J",
        "step_id": 3,
        "subsystem": "CmdExec",
        "command": "sqlcmd",
        "command_bytes": 9000,
    }
    table = read_answer(query, Answer(tuple(names), (tuple(row.get(name) for name in names),)))
    from assessor.collect.code import Names

    assert job_facts_of(table, Names({})).cut == ("J, step 3",)


@pytest.mark.parametrize("day", [0, -1, 20261345, 99999999, 2**31 - 1])
def test_a_last_run_that_is_no_date_is_unknown(day: int) -> None:
    query = QUERIES["job_steps"]
    names = [column.name for column in query.returns]
    row: dict[str, object] = {
        "job_name": "J", "step_id": 1, "subsystem": "CmdExec", "command": "sqlcmd -S a", "last_run_date": day, "last_run_time": 0,
    }  # fmt: skip
    from assessor.collect.code import Names

    table = read_answer(query, Answer(tuple(names), (tuple(row.get(name) for name in names),)))
    assert job_facts_of(table, Names({})).tool_calls[0].last_run is None


# ------------------------------------------------------------------------------------------------------- properties

SECRET = st.text(st.sampled_from("abKQ19-/\\;=!%&|^<>()[]{}$@#,.:'`~ \"é漢"), min_size=6, max_size=24).map(
    lambda text: "Zq7" + text.replace('"', "") + "7qZ"
)
TEMPLATES = [
    ("CmdExec", 'sqlcmd -S FIN01 -U sa -P "{}" -Q "select 1"'),
    ("CmdExec", 'sqlcmd -S FIN01 -U sa "-P{}"'),
    ("CmdExec", 'osql -U sa -P "{}" -S FIN01'),
    ("CmdExec", 'bcp a.dbo.b in c.dat -U sa -P "{}" -S FIN01'),
    ("CmdExec", 'dtexec /FILE x.dtsx /DE "{}" /SERVER FIN01'),
    ("CmdExec", 'dtexec /FILE x.dtsx /PASSWORD "{}" /SERVER FIN01'),
    ("SSIS", '/FILE x.dtsx /DECRYPT "{}" /SERVER FIN01'),
    ("PowerShell", "Invoke-Sqlcmd -ServerInstance FIN01 -Password '{}'"),
]


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(TEMPLATES), SECRET)
def test_whatever_the_password_is_nothing_of_it_is_kept(template: tuple[str, str], secret: str) -> None:
    subsystem, text = template
    if subsystem == "PowerShell":
        secret = secret.replace("'", "")
    facts = repr(facts_of((subsystem, text.replace("{}", secret))))
    assert "Zq7" not in facts
    assert "7qZ" not in facts


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["CmdExec", "PowerShell", "SSIS", "Dts", "TSQL", "ActiveScripting", "Other"]), st.text(max_size=300)
)
def test_no_text_whatever_brings_a_step_to_a_stop(subsystem: str, text: str) -> None:
    facts_of((subsystem, text))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                "sqlcmd",
                "-S",
                "bcp",
                "'",
                '"',
                "\\",
                "^",
                "&",
                "@'",
                "\n",
                "$(",
                "ESCAPE_NONE(",
                "{",
                "<#",
                "`",
                "/c",
                "cmd",
                "powershell",
                "-Command",
                "xp_cmdshell",
            ]
        ),
        max_size=60,
    )
)
def test_broken_quotes_and_tokens_end(parts: list[str]) -> None:
    text = " ".join(parts)
    calls_in_command(text)
    calls_in_powershell(text)
    calls_in_package_step(text)
