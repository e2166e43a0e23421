"""The report as one HTML file that works from a file share: nothing is loaded, nothing is sent. Pure.

``page.html`` beside this module has the looks and the behaviour; this module fills in two texts and the data, as JSON in
which ``<``, ``>`` and ``&`` are escaped, so that no text can end the script element. The page makes text of the data and
never markup. Its content security policy forbids every request, whatever a text might try.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from assessor.clients.outcome import Outcome
from assessor.judge.verdicts import VerdictKind
from assessor.report.answer import (
    answer,
    breaking_without_remedy,
    by_urgency,
    connections_made,
    first_actions,
    gap_count,
    verdict_counts,
)
from assessor.report.decision import board_answer
from assessor.report.layout import names_by_node, place
from assessor.report.sarif import source_url
from assessor.report.tables import FINDINGS, NOT_ASSESSED, tables
from assessor.report.text import prose, shorten, visible
from assessor.report.words import NOT_STATED, UNKNOWN, VALIDATED, VERDICTS, connection_words, count, kind_words
from assessor.snapshot import AssessedEdge, AssessedEndpoint, Snapshot

if TYPE_CHECKING:
    from assessor.judge.rules import Rule

_MAX_LABEL: Final = 30
_LETTER: Final = 7.1  #: width of a letter in a label, CSS pixels
_BOX_HEIGHT: Final = 28.0
#: What JSON may hold and an HTML parser or an old JavaScript would trip over.
_UNSAFE: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page_html(snapshot: Snapshot, rules: Sequence[Rule]) -> str:
    """The whole page."""
    title = f"SQL Server 2025 upgrade: {visible(snapshot.estate.name)}"
    template = resources.files("assessor.report").joinpath("page.html").read_text(encoding="utf-8")
    filled = {
        "{{title}}": html.escape(title),
        "{{answer}}": html.escape(prose(answer(snapshot))),
        "{{data}}": script_json(page_data(snapshot, rules)),
    }
    parts = [template]
    for mark in filled:  # split, not replaced one after the other: a text may hold the next mark
        parts = [piece for part in parts for piece in _split(part, mark)]
    return "".join(filled.get(part, part) for part in parts)


def script_json(data: object) -> str:
    """JSON that may stand in a ``script`` element (HTML living standard, "Restrictions for contents of script
    elements", read 2026-11).
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return "".join(_UNSAFE.get(character, character) for character in text)


def page_data(snapshot: Snapshot, rules: Sequence[Rule]) -> dict[str, Any]:
    """What the page shows, each text made visible."""
    edges = by_urgency(snapshot)
    endpoints = {item.id: item for item in snapshot.endpoints}
    counts = verdict_counts(snapshot)
    run, estate = snapshot.run, snapshot.estate
    gaps = gap_count(snapshot)
    decision = board_answer(snapshot)
    return {
        "decision": {
            "answer": decision.recommendation.value,
            "because": prose(decision.because),
            "conditions": [prose(condition) for condition in decision.conditions],
            "rule": decision.rule,
        },
        "interrupted": run.interrupted,
        "pseudonymised": run.pseudonymised,
        "verdicts": [
            {
                "id": kind.value,
                "symbol": words.symbol,
                "word": words.word,
                "meaning": words.meaning,
                "count": counts[kind],
            }
            for kind, words in VERDICTS.items()
        ],
        "edges": [_edge(edge, endpoints.get(edge.endpoint or "")) for edge in edges],
        "nodes": _nodes(snapshot),
        "actions": [
            {
                "title": prose(action.title),
                "detail": prose(action.detail),
                "price": prose(action.price),
                "secure": action.is_secure,
                "owner": action.owner.value,
                "mends": action.unblocks,
                "left": action.left,
                "when": ("after the upgrade" if action.only_after_upgrade else "now")
                + (", restart" if action.restart else ""),
            }
            for action in first_actions(snapshot)
        ],
        "helpless": breaking_without_remedy(snapshot),
        "missing": _sheet(snapshot, rules, NOT_ASSESSED),
        "findings": _sheet(snapshot, rules, FINDINGS),
        "missed": f"{count(counts[VerdictKind.NOT_ASSESSED], 'connection')} without a verdict, {count(gaps, 'fact')} missing",
        "rules": _rules(snapshot, rules),
        "provenance": [
            ["Tool", f"assessor {visible(run.tool_version)}"],
            ["Rules of", visible(run.rules_version)],
            ["Started", f"{run.started:%Y-%m-%d %H:%M} UTC"],
            ["Finished", f"{run.finished:%Y-%m-%d %H:%M} UTC"],
            ["Ran on", visible(run.vantage)],
            ["ODBC driver", visible(run.driver)],
            ["Upgrade date", f"{estate.upgrade_date.isoformat()}, looked {estate.horizon_days} days past it"],
            *(
                [
                    f"Trust store {visible(store.id)}",
                    f"{visible(store.origin)}, {store.certificates_total:,} certificates",
                ]
                for store in snapshot.trust_stores
            ),
        ],
        "connections": [
            {
                "words": connection_words(connection.way),
                "validated": connection.way == VALIDATED,
                "instances": [visible(address) for address in connection.addresses],
            }
            for connection in connections_made(snapshot)
        ],
    }


def _split(text: str, mark: str) -> list[str]:
    before, found, after = text.partition(mark)
    return [before, found, *_split(after, mark)] if found else [text]


def _edge(edge: AssessedEdge, endpoint: AssessedEndpoint | None) -> dict[str, Any]:
    return {
        "id": visible(edge.id),
        "verdict": edge.verdict.value,
        "source": visible(edge.source),
        "target": visible(edge.target),
        "name": visible(edge.name),
        "kind": kind_words(edge.kind, edge.role),
        "wave": edge.wave,
        "rules": [visible(rule) for rule in edge.rules],
        "reasons": [prose(reason) for reason in edge.reasons],
        "missing": [prose(item) for item in edge.missing],
        "assumptions": [prose(assumption) for assumption in edge.assumptions],
        "error": [prose(text) for text in (*edge.error.wrapped_in, edge.error.text)] if edge.error else [],
        "number": edge.error.number if edge.error else None,
        "remedies": [
            {
                "title": prose(remedy.title),
                "detail": prose(remedy.detail),
                "secure": remedy.is_secure,
                "price": prose(remedy.price),
                "owner": remedy.owner.value,
                "after": remedy.only_after_upgrade,
                "restart": remedy.restart,
            }
            for remedy in edge.remedies
        ],
        "facts": _facts(edge, endpoint),
    }


def _facts(edge: AssessedEdge, endpoint: AssessedEndpoint | None) -> list[list[str]]:
    options = edge.options
    facts = [
        ["Kind", kind_words(edge.kind, edge.role)],
        ["Today", _outcome(edge.before)],
        ["After", _outcome(edge.after)],
        ["Dialled", UNKNOWN if edge.data_source is None else visible(edge.data_source)],
        ["Provider", UNKNOWN if edge.provider is None else visible(edge.provider)],
        ["Product", UNKNOWN if edge.product is None else visible(edge.product)],
        ["Detail", prose(edge.detail)],
    ]
    if options is None:
        facts.append(["Encryption options", UNKNOWN])
    else:
        trust = options.trust_server_certificate
        facts += [
            ["Encrypt", NOT_STATED if options.encrypt is None else options.encrypt.value],
            ["TrustServerCertificate", NOT_STATED if trust is None else "yes" if trust else "no"],
            ["HostNameInCertificate", _stated(options.host_name_in_certificate)],
            ["ServerCertificate", _stated(options.server_certificate)],
            ["Without effect", ", ".join(visible(text) for text in (*options.invalid, *options.ineffective))],
        ]
    if endpoint is not None:
        seen = endpoint.evidence
        shown = "" if seen.failure is None else f", {seen.failure.value.replace('_', ' ')} {prose(seen.failure_detail)}"
        facts.append(["Endpoint", visible(endpoint.id) + shown])
        if endpoint.certificates:
            leaf = endpoint.certificates[0]
            facts += [
                ["Names in certificate", ", ".join(visible(name) for name in leaf.names)],
                ["Issuer", visible(leaf.issuer)],
                ["Valid", f"{leaf.not_before:%Y-%m-%d} to {leaf.not_after:%Y-%m-%d}"],
                ["Thumbprint", visible(leaf.thumbprint)],
            ]
    facts.append(["Id", visible(edge.id)])
    return [fact for fact in facts if fact[1]]


def _outcome(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    ends = {True: "connects", False: "fails", None: "depends"}[outcome.connects]
    return f"{visible(outcome.client)} {ends} ({outcome.basis.value}): {prose(outcome.explanation)}"


def _stated(text: str | None) -> str:
    return NOT_STATED if text is None else visible(text)


def _nodes(snapshot: Snapshot) -> list[dict[str, Any]]:
    waves = {visible(planned.address): planned.wave for planned in snapshot.estate.instances}
    ends = [(visible(edge.source), visible(edge.target)) for edge in snapshot.edges]
    touched = names_by_node(ends, waves)
    labels = _labels(list(touched))
    sizes = {name: (max(64.0, round(len(labels[name]) * _LETTER + 22)), _BOX_HEIGHT) for name in touched}
    boxes = place(sizes, ends)
    return [
        {
            "name": name,
            "label": labels[name],
            "estate": name in waves,
            "wave": waves.get(name),
            "x": box.x,
            "y": box.y,
            "w": box.width,
            "h": box.height,
        }
        for name, box in boxes.items()
    ]


def _labels(names: Sequence[str]) -> dict[str, str]:
    """Short labels: without the domain that most names share, as long as that leaves them apart."""
    domains = Counter(_domain(name) for name in names if _domain(name))
    common = domains.most_common(1)[0][0] if domains else ""
    short = {name: name.replace(common, "", 1) if common and _domain(name) == common else name for name in names}
    twice = Counter(short.values())
    return {name: shorten(text if twice[text] == 1 else name, _MAX_LABEL) for name, text in short.items()}


def _domain(name: str) -> str:
    r"""``.corp.example`` of ``sql01.corp.example\INST,1433``."""
    host = name.split("\\", 1)[0].split(",", 1)[0]
    _, dot, rest = host.partition(".")
    return dot + rest if any(character.isalpha() for character in rest) else ""


def _sheet(snapshot: Snapshot, rules: Sequence[Rule], title: str) -> dict[str, Any]:
    """A sheet of the workbook: its headings and rows, as texts."""
    table = next(table for table in tables(snapshot, rules) if table.title == title)
    return {
        "headings": [column.heading for column in table.columns],
        "rows": [
            ["" if cell is None else str(cell) for cell in row]
            for row in table.frame.itertuples(index=False, name=None)
        ],
    }


def _rules(snapshot: Snapshot, rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """The rules that an edge cites, most cited first."""
    known = {rule.id: rule for rule in rules}
    cited = Counter(rule for edge in snapshot.edges for rule in dict.fromkeys(edge.rules))
    return [_rule(rule_id, edges, known.get(rule_id)) for rule_id, edges in cited.most_common()]


def _rule(rule_id: str, edges: int, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        absent = "not in the rule pack that this page was drawn with"
        return {"id": visible(rule_id), "edges": edges, "title": absent, "texts": [], "remedies": [], "sources": []}
    texts = [
        ["When", rule.precondition],
        ["Then", rule.consequence],
        ["Seen", rule.text_seen],
        ["Note", rule.note],
        ["Status", rule.status.value],
    ]
    return {
        "id": visible(rule.id),
        "edges": edges,
        "title": prose(rule.title),
        "texts": [[label, prose(text)] for label, text in texts if text],
        "remedies": [prose(remedy) for remedy in rule.remedies],
        "sources": [{"text": prose(source), "url": source_url(source)} for source in rule.sources],
    }
