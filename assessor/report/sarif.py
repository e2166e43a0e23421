"""The edges as SARIF 2.1.0, for pipelines and viewers that know findings by rule. Pure.

Source: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS standard of 2020-03-27. A result
is an edge: ``kind`` and ``level`` follow its verdict (section 3.27.9: where ``kind`` is not ``fail``, ``level`` is
``none``), its id is the stable fingerprint (3.27.17), source and target are logical locations. There is no file to
point into, so there are no physical locations.

*Not assessed* is a warning and not ``open``, which many viewers hide: what is not known must not look like a pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from assessor.collect.inventory import Gap
from assessor.judge.verdicts import VerdictKind
from assessor.report.answer import by_urgency
from assessor.report.text import prose, visible
from assessor.report.words import VERDICTS, kind_words
from assessor.snapshot import AssessedEdge, Snapshot

if TYPE_CHECKING:
    from assessor.judge.rules import Rule

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_FINGERPRINT: Final = "assessorEdge/v1"
_LEVELS: Final[dict[VerdictKind, tuple[str, str]]] = {
    VerdictKind.BREAKS: ("fail", "error"),
    VerdictKind.NOT_ASSESSED: ("fail", "warning"),
    VerdictKind.FAILS_TODAY: ("fail", "warning"),
    VerdictKind.EXPIRES: ("fail", "warning"),
    VerdictKind.WORKS_INSECURELY: ("fail", "note"),
    VerdictKind.WORKS: ("pass", "none"),
    VerdictKind.NOT_AFFECTED: ("notApplicable", "none"),
}
_DOCUMENT: Final = re.compile(r"(?P<place>MicrosoftDocs/[\w-]+) (?P<path>\S+\.md)(?=[, ])")
_SITE: Final = re.compile(r"(?P<place>(?:github|learn\.microsoft)\.com/[^\s,]+)")
_PAGE: Final = "docs/rules.md"


def sarif_log(snapshot: Snapshot, rules: Sequence[Rule]) -> str:
    """The log as JSON text in ASCII, ending in a line feed. Only rules that an edge cites are described."""
    edges = by_urgency(snapshot)
    known = {rule.id: rule for rule in rules}
    cited = dict.fromkeys(rule for edge in edges for rule in _rule_ids(edge))
    places = {rule: place for place, rule in enumerate(cited)}
    run = snapshot.run
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "assessor",
                        "version": visible(run.tool_version),
                        "shortDescription": {"text": "Which connections between SQL Servers break on the way to 2025."},
                        "rules": [_descriptor(rule, known.get(rule)) for rule in cited],
                        "properties": {"rulePack": visible(run.rules_version)},
                    }
                },
                "automationDetails": {"id": f"assessor/{prose(snapshot.estate.name)}/{_moment(run.started)}"},
                "columnKind": "utf16CodeUnits",
                "invocations": [
                    {
                        "executionSuccessful": not run.interrupted,
                        "startTimeUtc": _moment(run.started),
                        "endTimeUtc": _moment(run.finished),
                        "machine": visible(run.vantage),
                        "toolExecutionNotifications": _notifications(snapshot),
                    }
                ],
                "results": [_result(edge, places) for edge in edges],
                "properties": {
                    "upgradeDate": snapshot.estate.upgrade_date.isoformat(),
                    "horizonDays": snapshot.estate.horizon_days,
                    "pseudonymised": run.pseudonymised,
                },
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def rules_anchor(rule_id: str, title: str) -> str:
    """Where ``docs/rules.md`` explains a rule, with the anchor that GitHub's renderer gives its heading."""
    heading = re.sub(r"[^\w\- ]", "", f"{rule_id} {title}".lower())
    return f"{_PAGE}#{heading.replace(' ', '-')}"


def source_url(source: str) -> str | None:
    """The address of a source, for those that are public pages or files of a public repository."""
    if document := _DOCUMENT.search(source):
        return f"https://github.com/{document['place']}/blob/live/{document['path']}"
    if site := _SITE.search(source):
        return f"https://{site['place']}"
    return None


def _rule_ids(edge: AssessedEdge) -> tuple[str, ...]:
    """The rules of an edge, deciding one first; an edge that no rule is about has one made of its verdict."""
    return tuple(visible(rule) for rule in edge.rules) or (f"verdict/{edge.verdict.value}",)


def _descriptor(rule_id: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        words = next((VERDICTS[kind] for kind in VERDICTS if rule_id == f"verdict/{kind.value}"), None)
        text = f"{words.word}: {words.meaning}" if words else "not in the rule pack that this log was written with"
        return {"id": rule_id, "shortDescription": {"text": text}}
    urls = [url for source in rule.sources if (url := source_url(source))]
    helps = "\n".join(f"{number}. {prose(remedy)}" for number, remedy in enumerate(rule.remedies, start=1))
    sources = "\n".join(f"- {prose(source)}" for source in rule.sources)
    text = "\n\n".join(
        part
        for part in (
            f"When: {prose(rule.precondition)}",
            f"Then: {prose(rule.consequence)}",
            f"Seen: {prose(rule.text_seen)}" if rule.text_seen else "",
            f"What helps, most secure first:\n{helps}" if helps else "",
            f"Note: {prose(rule.note)}" if rule.note else "",
            f"Sources:\n{sources}",
        )
        if part
    )
    descriptor: dict[str, Any] = {
        "id": rule_id,
        "shortDescription": {"text": prose(rule.title)},
        "fullDescription": {"text": prose(rule.consequence)},
        "help": {"text": text},
        "properties": {"status": rule.status.value, "page": rules_anchor(rule.id, rule.title), "sources": urls},
    }
    if urls:  # the standard wants an absolute address here, which a page of our own tree does not have
        descriptor["helpUri"] = urls[0]
    return descriptor


def _result(edge: AssessedEdge, places: dict[str, int]) -> dict[str, Any]:
    kind, level = _LEVELS[edge.verdict]
    words = VERDICTS[edge.verdict]
    rule_ids = _rule_ids(edge)
    sentences = [f"{words.word.capitalize()}:", *(prose(reason) for reason in edge.reasons)]
    sentences += [f"To do: {prose(item)}" for item in edge.missing]
    error = edge.error
    return {
        "ruleId": rule_ids[0],
        "ruleIndex": places[rule_ids[0]],
        "kind": kind,
        "level": level,
        "message": {"text": " ".join(sentences)},
        "locations": [
            {
                "logicalLocations": [
                    {
                        "name": visible(edge.name),
                        "fullyQualifiedName": f"{visible(edge.source)} -> {visible(edge.target)} ({visible(edge.name)})",
                        "kind": kind_words(edge.kind, edge.role),
                    }
                ]
            }
        ],
        "partialFingerprints": {_FINGERPRINT: visible(edge.id)},
        "properties": {
            "edge": visible(edge.id),
            "verdict": edge.verdict.value,
            "source": visible(edge.source),
            "target": visible(edge.target),
            "wave": edge.wave,
            "rules": [visible(rule) for rule in edge.rules],
            "errorNumber": error.number if error else None,
            "errorText": prose(error.text) if error else None,
            "remedies": [prose(remedy.title) for remedy in edge.remedies],
            "assumptions": [prose(assumption) for assumption in edge.assumptions],
        },
    }


def _notifications(snapshot: Snapshot) -> list[dict[str, Any]]:
    found = [("the run", gap) for gap in snapshot.gaps]
    found += [(inventory.instance, gap) for inventory in snapshot.inventories for gap in inventory.gaps]
    return [_notification(place, gap) for place, gap in found]


def _notification(place: str, gap: Gap) -> dict[str, Any]:
    text = f"{visible(place)}, {visible(gap.query)}: {prose(gap.message)}; unknown is {prose(gap.loses)}"
    return {"level": "warning", "message": {"text": text}, "descriptor": {"id": f"gap/{gap.kind.value}"}}


def _moment(moment: datetime) -> str:
    plain = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return plain.strftime("%Y-%m-%dT%H:%M:%S.000Z")
