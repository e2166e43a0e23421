"""The report as a page of Markdown that a change ticket takes: the answer, what breaks, what to do, what nobody
knows. Pure.

Texts from servers are escaped so that no renderer makes markup of them: everything CommonMark 0.31.2 (2024-01-28)
lets a backslash escape is escaped, ``<``, ``>`` and ``&`` are entities for the benefit of renderers that pass HTML on,
and ``@`` and ``#`` get no chance to mention people or tickets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from assessor.judge.verdicts import VerdictKind
from assessor.report.answer import (
    answer,
    breaking_without_remedy,
    by_urgency,
    connections_made,
    first_actions,
    unread_instances,
    verdict_counts,
)
from assessor.report.decision import board_answer
from assessor.report.text import prose, shorten
from assessor.report.words import SEVERITIES, VERDICTS, connection_words, count, kind_words
from assessor.snapshot import AssessedEdge, Snapshot

_MAX_TEXT: Final = 600  #: characters of one cell; the snapshot has all
_MAX_ROWS: Final = 500  #: of a table: tickets have limits too
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;", ":": "&#58;"}
#: ``:`` only where it would make a link or an emoji of the text; a time or a drive letter keeps its own.
_SPECIAL: Final = re.compile(r"[\\`*_{}\[\]()!|~$^=+\"'-]|[&<>@#]|:(?=//|\w)|(?<=\d)\.(?= |$)|(?i:(?<=www)\.)")


def markdown_page(snapshot: Snapshot) -> str:
    """The whole page, ending in a line feed."""
    return "\n".join(_lines(snapshot)).rstrip("\n") + "\n"


def plain(text: str, limit: int = _MAX_TEXT) -> str:
    """Text that shows as itself in any Markdown renderer, on one line and inside a table cell."""
    return _SPECIAL.sub(_escaped, shorten(prose(text), limit))


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _ENTITIES.get(character, "\\" + character)


def _lines(snapshot: Snapshot) -> Iterator[str]:
    estate, run = snapshot.estate, snapshot.run
    yield f"# SQL Server 2025 upgrade: {plain(estate.name)}"
    yield ""
    decision = board_answer(snapshot)
    yield f"**{decision.recommendation.value}.** {plain(answer(snapshot))}"
    yield ""
    yield f"*{plain(decision.rule)}*"
    yield ""
    if run.interrupted:
        yield "**The run was interrupted: what is missing here was not looked at.**"
        yield ""
    if run.pseudonymised:
        yield "*Names are pseudonyms; the key is kept apart.*"
        yield ""
    yield "| Verdict | Connections | Meaning |"
    yield "|---|---:|---|"
    for kind, number in verdict_counts(snapshot).items():
        yield f"| {plain(VERDICTS[kind].label)} | {number} | {plain(VERDICTS[kind].meaning)} |"
    yield ""
    yield from _edges(snapshot, "What breaks", VerdictKind.BREAKS, "No connection that could be assessed breaks.")
    yield from _actions(snapshot)
    if verdict_counts(snapshot)[VerdictKind.EXPIRES]:
        yield from _edges(snapshot, "What expires soon after", VerdictKind.EXPIRES, "")
    if verdict_counts(snapshot)[VerdictKind.FAILS_TODAY]:
        yield from _edges(snapshot, "What fails already", VerdictKind.FAILS_TODAY, "")
    yield from _unknown(snapshot)
    yield from _findings(snapshot)
    yield "## Where this comes from"
    yield ""
    yield f"- assessor {plain(run.tool_version)}, rules of {plain(run.rules_version)}"
    yield f"- {run.started:%Y-%m-%d %H:%M} to {run.finished:%Y-%m-%d %H:%M} UTC, from {plain(run.vantage)}"
    yield f"- upgrade on {estate.upgrade_date.isoformat()}, certificates looked at {estate.horizon_days} days past it"
    for connection in connections_made(snapshot):
        names = ", ".join(plain(address) for address in connection.addresses)
        yield f"- {count(len(connection.addresses), 'instance')}: {plain(connection_words(connection.way))} ({names})"
    yield ""


def _edges(snapshot: Snapshot, title: str, verdict: VerdictKind, nothing: str) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    edges = [edge for edge in by_urgency(snapshot) if edge.verdict is verdict]
    if not edges:
        yield nothing
        yield ""
        return
    yield "| Source | Connection | Target | Wave | Why | Error | First remedy | Rules |"
    yield "|---|---|---|---:|---|---|---|---|"
    for edge in edges[:_MAX_ROWS]:
        yield f"| {' | '.join(_cells(edge))} |"
    if len(edges) > _MAX_ROWS:
        yield ""
        yield f"… and {len(edges) - _MAX_ROWS:,} more, which the snapshot has."
    yield ""


def _cells(edge: AssessedEdge) -> tuple[str, ...]:
    error = edge.error
    number = "" if error is None or error.number is None else f"{error.number} "
    first = edge.remedies[0] if edge.remedies else None
    return (
        plain(edge.source),
        f"{plain(edge.name)} ({plain(kind_words(edge.kind, edge.role))})",
        plain(edge.target),
        "–" if edge.wave is None else str(edge.wave),
        plain(edge.reasons[0] if edge.reasons else ""),
        plain(f"{number}{error.text}") if error else "",
        plain(first.title if first.is_secure else f"{first.title} (NOT SECURE)") if first else "none known",
        plain(", ".join(edge.rules)),
    )


def _actions(snapshot: Snapshot) -> Iterator[str]:
    actions, helpless = first_actions(snapshot), breaking_without_remedy(snapshot)
    if not actions and not helpless:
        return
    yield "## What to do"
    yield ""
    if actions:
        yield "| | Change | Mends | Still break after it | Who | Secure | When |"
        yield "|---:|---|---:|---:|---|---|---|"
    for number, action in enumerate(actions[:_MAX_ROWS], start=1):
        when = "after the upgrade" if action.only_after_upgrade else "now"
        title = plain(action.title) + (f" – price: {plain(action.price)}" if action.price else "")
        yield (
            f"| {number} | {title} | {action.unblocks} | {action.left} | {plain(action.owner.value)} "
            f"| {'yes' if action.is_secure else '**NO**'} | {when}{', restart' if action.restart else ''} |"
        )
    yield ""
    if helpless:
        yield f"No remedy is known for {count(helpless, 'breaking connection')}."
        yield ""


def _unknown(snapshot: Snapshot) -> Iterator[str]:
    yield "## What could not be assessed"
    yield ""
    edges = [edge for edge in by_urgency(snapshot) if edge.verdict is VerdictKind.NOT_ASSESSED]
    unread = unread_instances(snapshot)
    gaps = [(plain(each.instance), gap) for each in snapshot.inventories if each.identity for gap in each.gaps]
    gaps += [("the run", gap) for gap in snapshot.gaps]
    if not (edges or unread or gaps):
        yield "Nothing: every instance answered every question."
        yield ""
        return
    for item in unread[:_MAX_ROWS]:
        why = "; ".join(gap.message for gap in item.gaps) or "the run never came to it"
        yield f"- **{plain(item.address)}** was not read: {plain(why)}"
    for edge in edges[:_MAX_ROWS]:
        what = f"{plain(edge.source)} → {plain(edge.target)} ({plain(edge.name)})"
        todo = " ".join(plain(item) for item in edge.missing)
        yield f"- **{what}**: {plain(edge.reasons[0] if edge.reasons else '')}{f' To do: {todo}' if todo else ''}"
    for place, gap in gaps[:_MAX_ROWS]:
        what = gap.kind.value.replace("_", " ")
        yield f"- {place}, {plain(gap.query)}: {what}, so unknown is {plain(gap.loses)}"
    left_out = sum(max(0, len(items) - _MAX_ROWS) for items in (unread, edges, gaps))
    if left_out:
        yield f"- … and {left_out:,} more, which the snapshot has"
    yield ""


def _findings(snapshot: Snapshot) -> Iterator[str]:
    if not snapshot.findings:
        return
    yield "## What else the upgrade meets"
    yield ""
    yield "| Severity | Instance | About | What was found | What to do | Rule |"
    yield "|---|---|---|---|---|---|"
    order = list(SEVERITIES)
    for finding in sorted(snapshot.findings, key=lambda each: order.index(each.severity))[:_MAX_ROWS]:
        texts = (finding.instance, finding.subject, finding.message, finding.what_to_do, finding.rule)
        yield f"| {plain(SEVERITIES[finding.severity])} | {' | '.join(plain(text) for text in texts)} |"
    if len(snapshot.findings) > _MAX_ROWS:
        yield ""
        yield f"… and {len(snapshot.findings) - _MAX_ROWS:,} more, which the snapshot has."
    yield ""
