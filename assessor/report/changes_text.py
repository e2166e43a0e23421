"""A comparison as text for the console, as Markdown for a pull request or ticket, and as JSON for a pipeline. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from assessor.compare import Comparison, EdgeChange, EdgeFate
from assessor.report.changes import FATES, RESTART, certificates_that_changed, changes_sentence
from assessor.report.text import prose, shorten, visible
from assessor.report.words import VERDICTS, count

#: Fates that are listed edge by edge; the others are only counted.
_LISTED: Final = tuple(fate for fate in FATES if fate is not EdgeFate.UNCHANGED)
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")
_LONGEST: Final = 400


def changes_text(comparison: Comparison, width: int) -> str:
    """For the console: one line an edge, cut to ``width`` characters, and a line a certificate and instance."""
    lines = [changes_sentence(comparison), ""]
    for fate in _LISTED:
        changes = comparison.of(fate)
        if changes:
            lines.append(f"{FATES[fate].label} ({len(changes):,}): {FATES[fate].meaning}")
            lines += [shorten(f"  {_edge(change)}  {prose(change.sentence)}", max(width, 60)) for change in changes]
            lines.append("")
    others = list(_other_lines(comparison))
    if others:
        lines += [*others, ""]
    if unchanged := len(comparison.of(EdgeFate.UNCHANGED)):
        lines.append(f"{count(unchanged, 'connection')} in order, as before.")
    return "\n".join(lines).rstrip("\n") + "\n"


def changes_markdown(comparison: Comparison) -> str:
    """For a ticket: a table a fate, with the thumbprints of what was fixed."""
    lines = ["# Changes", "", _escaped(changes_sentence(comparison)), ""]
    for fate in _LISTED:
        changes = comparison.of(fate)
        if not changes:
            continue
        lines += [
            f"## {FATES[fate].label} ({len(changes):,})",
            "",
            "| connection | before | now | what happened |",
            "|---|---|---|---|",
        ]
        for change in changes:
            what = [change.sentence, *change.causes]
            cells = (_edge(change), _verdict(change, True), _verdict(change, False), " ".join(map(prose, what)))
            lines.append("| " + " | ".join(_escaped(shorten(cell, 4 * _LONGEST)) for cell in cells) + " |")
        lines.append("")
    others = list(_other_lines(comparison))
    if others:
        lines += ["## Servers and certificates", "", *(f"- {_escaped(line)}" for line in others), ""]
    lines += ["## From verdict to verdict", "", "| before | now | connections |", "|---|---|---|"]
    for transition in comparison.transitions:
        before, after = (VERDICTS[kind].label if kind else "–" for kind in (transition.before, transition.after))
        lines.append(f"| {before} | {after} | {transition.edges:,} |")
    return "\n".join(lines).rstrip("\n") + "\n"


def changes_json(comparison: Comparison) -> str:
    """For a pipeline: every edge of either run with its fate, and everything else that changed. ASCII only."""
    edges = [
        {
            "fate": change.fate,
            "id": change.edge.id,
            "id_before": change.before.id if change.before else None,
            "source": change.edge.source,
            "kind": change.edge.kind,
            "name": change.edge.name,
            "target": change.edge.target,
            "verdict_before": change.before.verdict if change.before else None,
            "verdict": change.after.verdict if change.after else None,
            "is_open": change.is_open,
            "sentence": change.sentence,
            "causes": change.causes,
            "thumbprint_before": change.thumbprint_before,
            "thumbprint": change.thumbprint_after,
            "restart_pending": change.restart_pending,
        }
        for change in comparison.edges
    ]
    whole: dict[str, Any] = {
        "old": asdict(comparison.old),
        "new": asdict(comparison.new),
        "counts": {fate: len(comparison.of(fate)) for fate in EdgeFate},
        "edges": edges,
        "certificates": [asdict(change) for change in comparison.certificates],
        "restarts_pending": [asdict(pending) for pending in comparison.restarts_pending],
        "instances": [asdict(change) for change in comparison.instances],
        "transitions": [asdict(transition) for transition in comparison.transitions],
        "notes": comparison.notes,
        "unread": comparison.unread,
    }
    return json.dumps(whole, indent=2, default=_plain) + "\n"


def _plain(value: object) -> str:
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"JSON holds no {type(value).__name__}")


def _other_lines(comparison: Comparison) -> Iterator[str]:
    for pending in comparison.restarts_pending:
        yield f"{RESTART}: {prose(pending.sentence)}"
    for certificate in certificates_that_changed(comparison):
        before = visible(certificate.before.thumbprint) if certificate.before else "none"
        after = visible(certificate.after.thumbprint) if certificate.after else "none"
        prints = f" ({before} → {after})" if before != after else ""
        yield f"certificate of {visible(certificate.endpoint)}: {prose(certificate.sentence)}{prints}"
    for instance in comparison.instances:
        yield f"instance: {prose(instance.sentence)}"
    for address in comparison.unread:
        yield f"not read: {visible(address)}; what starts there is not known."
    for note in comparison.notes:
        yield f"note: {prose(note)}"


def _edge(change: EdgeChange) -> str:
    edge = change.edge
    return f"{visible(edge.source)} → {visible(edge.target)} ({visible(edge.name)})"


def _verdict(change: EdgeChange, before: bool) -> str:
    edge = change.before if before else change.after
    return VERDICTS[edge.verdict].label if edge is not None else "–"


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text).replace("\n", " ")
