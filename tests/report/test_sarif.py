"""The SARIF log as the standard wants it (SARIF 2.1.0, OASIS, 2020-03-27)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from snapshots_by_hand import RULES, edge, hostile, snapshot

from assessor.judge.rules import load_rules
from assessor.judge.rules_page import rules_page
from assessor.judge.verdicts import VerdictKind
from assessor.report.sarif import rules_anchor, sarif_log, source_url
from assessor.snapshot import Snapshot

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")


def log_of(run: Snapshot) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(sarif_log(run, RULES))
    return log


def only_run(run: Snapshot) -> dict[str, Any]:
    (found,) = log_of(run)["runs"]
    assert isinstance(found, dict)
    return found


def test_it_has_the_structure_that_the_standard_requires() -> None:
    for made in (snapshot(), hostile(), snapshot(edges=(), inventories=())):
        log = log_of(made)
        assert log["version"] == "2.1.0"
        assert urlsplit(log["$schema"]).scheme == "https"
        run = only_run(made)
        rules = run["tool"]["driver"]["rules"]
        assert run["tool"]["driver"]["name"] == "assessor"
        assert len({rule["id"] for rule in rules}) == len(rules)
        for rule in rules:
            assert rule["shortDescription"]["text"]
            assert "helpUri" not in rule or urlsplit(rule["helpUri"]).scheme == "https"
        (invocation,) = run["invocations"]
        assert isinstance(invocation["executionSuccessful"], bool)
        assert MOMENT.fullmatch(invocation["startTimeUtc"])
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["kind"] in ("pass", "fail", "notApplicable")
            assert result["level"] in ("error", "warning", "note", "none")
            assert (result["level"] == "none") == (result["kind"] != "fail")  # section 3.27.10
            assert result["message"]["text"]
            assert all(isinstance(value, str) for value in result["partialFingerprints"].values())


def test_levels_follow_the_verdict_and_what_is_not_assessed_never_looks_like_a_pass() -> None:
    levels = {
        result["properties"]["verdict"]: (result["kind"], result["level"]) for result in only_run(snapshot())["results"]
    }
    assert levels == {
        "breaks": ("fail", "error"),
        "not_assessed": ("fail", "warning"),
        "fails_today": ("fail", "warning"),
        "expires": ("fail", "warning"),
        "works_insecurely": ("fail", "note"),
        "works": ("pass", "none"),
        "not_affected": ("notApplicable", "none"),
    }


def test_the_fingerprint_is_the_edge_id_so_that_a_rerun_is_the_same_finding() -> None:
    results = only_run(snapshot())["results"]
    assert {result["partialFingerprints"]["assessorEdge/v1"] for result in results} == {
        item.id for item in snapshot().edges
    }


def test_an_edge_without_rules_has_one_made_of_its_verdict() -> None:
    run = only_run(snapshot(edges=(edge("a", VerdictKind.WORKS, rules=()),)))
    assert run["results"][0]["ruleId"] == "verdict/works"
    assert run["tool"]["driver"]["rules"][0]["shortDescription"]["text"].startswith("works: ")


def test_gaps_are_notifications_and_an_interrupted_run_was_no_success() -> None:
    made = snapshot()
    invocation = only_run(replace(made, run=replace(made.run, interrupted=True)))["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert len(invocation["toolExecutionNotifications"]) == sum(len(each.gaps) for each in made.inventories)


def test_every_rule_of_the_pack_is_found_on_the_rules_page_by_its_anchor() -> None:
    headings = [line.removeprefix("### ") for line in rules_page().splitlines() if line.startswith("### ")]
    plain = [re.sub(r"\\(.)", r"\1", heading) for heading in headings]
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}
    for rule in load_rules():
        page, _, anchor = rules_anchor(rule.id, rule.title).partition("#")
        assert page == "docs/rules.md"
        assert anchor in anchors


def test_sources_that_are_public_pages_have_an_address() -> None:
    source = "MicrosoftDocs/sql-docs docs/connect/oledb/major-version-differences.md, ms.date 08/26/2026"
    assert source_url(source) == (
        "https://github.com/MicrosoftDocs/sql-docs/blob/live/docs/connect/oledb/major-version-differences.md"
    )
    assert (
        source_url("github.com/dotnet/SqlClient/issues/2243, 11/27/2023")
        == "https://github.com/dotnet/SqlClient/issues/2243"
    )
    assert source_url("somebody said so, undated") is None


def test_it_is_ascii_so_that_any_pipeline_can_read_it() -> None:
    assert sarif_log(hostile(), RULES).isascii()
