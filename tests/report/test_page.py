"""The HTML page before a browser sees it; what a browser makes of it is in ``test_page_in_browser.py``."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from snapshots_by_hand import HOSTILE, RULES, edge, hostile, snapshot

from assessor.judge.verdicts import VerdictKind
from assessor.report.page import page_data, page_html, script_json
from assessor.snapshot import Snapshot


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(run: Snapshot) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Elements()
    parser.feed(page_html(run, RULES))
    parser.close()
    return parser.found


def data_of(page: str) -> str:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_data_come_back_as_they_went_in() -> None:
    assert json.loads(data_of(page_html(snapshot(), RULES))) == page_data(snapshot(), RULES)


def test_nothing_in_the_page_can_be_loaded_from_anywhere() -> None:
    for tag, attributes in elements(snapshot()):
        assert "src" not in attributes
        assert tag not in ("iframe", "object", "embed", "base", "form")
        assert not (attributes.get("href") or "").startswith(("http:", "//")), attributes
    page = page_html(snapshot(), RULES)
    assert "@import" not in page
    assert "url(" not in page


def test_the_policy_forbids_every_request() -> None:
    policy = next(
        attributes["content"] or ""
        for tag, attributes in elements(snapshot())
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:")


def test_hostile_names_add_no_element() -> None:
    assert [tag for tag, _ in elements(hostile())] == [tag for tag, _ in elements(snapshot())]


def test_hostile_names_can_not_leave_the_data() -> None:
    data = data_of(page_html(hostile((*HOSTILE, "</script><script>alert(1)</script>", "<!--<script>")), RULES))
    assert data.isascii()
    assert not set("<>&") & set(data)


def test_a_name_that_looks_like_a_mark_of_the_template_stays_a_name() -> None:
    run = snapshot(edges=(edge("{{title}}{{data}}{{answer}}"),), estate=replace(snapshot().estate, name="{{data}}"))
    page = page_html(run, RULES)
    assert "<title>SQL Server 2025 upgrade: {{data}}</title>" in page
    assert json.loads(data_of(page))["edges"][0]["name"] == "{{title}}{{data}}{{answer}}"


def test_line_separators_are_escaped_for_old_javascript() -> None:
    assert script_json("\u2028\u2029<&>") == '"\\u2028\\u2029\\u003c\\u0026\\u003e"'


def test_the_domain_that_most_servers_share_is_left_out_of_the_labels_while_they_stay_apart() -> None:
    nodes = {node["name"]: node["label"] for node in page_data(snapshot(), RULES)["nodes"]}
    assert nodes["sql01.corp.example"] == "sql01"
    assert nodes["sql02.corp.example"] == "sql02.corp.example"  # for there is a node sql02 too


def test_instances_of_the_plan_are_drawn_even_without_edges() -> None:
    nodes = page_data(snapshot(edges=()), RULES)["nodes"]
    assert [node["name"] for node in nodes if node["estate"]] == [
        "sql01.corp.example",
        "sql02.corp.example",
        "sql03.corp.example",
    ]


def test_a_large_estate_is_drawn_whole() -> None:
    edges = tuple(
        edge(f"L{number}", VerdictKind.WORKS, id=f"e{number}", source=f"s{number % 90}", target=f"t{number % 70}")
        for number in range(600)
    )
    data = page_data(snapshot(edges=edges), RULES)
    assert len(data["edges"]) == 600
    assert len(data["nodes"]) == 160 + 3
