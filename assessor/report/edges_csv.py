"""The edges as CSV: one row a connection, for spreadsheets and scripts. Pure.

Written as RFC 4180 says (comma, CRLF, quotes doubled), in UTF-8 with the byte order mark that tells Excel so.
A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection", read
2026-11). The headings are a contract: ``docs/reports.md``.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields

from assessor.report.answer import by_urgency
from assessor.report.text import prose, visible
from assessor.snapshot import AssessedEdge, Snapshot

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class _Row:
    """The columns, in their order."""

    id: str
    verdict: str
    source: str
    kind: str
    role: str
    name: str
    target: str
    wave: str
    rules: str
    reasons: str
    missing: str
    error_number: str
    error_text: str
    remedies: str
    dialled: str
    endpoint: str
    provider: str
    product: str
    client_before: str
    client_after: str
    detail: str
    assumptions: str


def edges_csv(snapshot: Snapshot) -> bytes:
    """The file's bytes. Several values of one cell stand on lines of their own; an unknown one is ``unknown``."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    names = [field.name for field in fields(_Row)]
    writer.writerow(names)
    for edge in by_urgency(snapshot):
        row = _row(edge)
        writer.writerow([harmless(getattr(row, name)) for name in names])
    return stream.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """The text with an apostrophe in front of every line that a spreadsheet could take for a formula.

    A negative number is one: as text it can be read, as a formula it could not be told from an attack.
    """
    return "\n".join(f"'{line}" if line.lstrip(" ").startswith(_STARTS_FORMULA) else line for line in text.split("\n"))


def _row(edge: AssessedEdge) -> _Row:
    error = edge.error
    return _Row(
        id=visible(edge.id),
        verdict=edge.verdict.value,
        source=visible(edge.source),
        kind=edge.kind.value,
        role=edge.role.value if edge.role else "",
        name=visible(edge.name),
        target=visible(edge.target),
        wave="" if edge.wave is None else str(edge.wave),
        rules=_lines(edge.rules),
        reasons=_lines(edge.reasons),
        missing=_lines(edge.missing),
        error_number="" if error is None or error.number is None else str(error.number),
        error_text=_lines((*error.wrapped_in, error.text)) if error else "",
        remedies=_lines(
            tuple(remedy.title if remedy.is_secure else f"{remedy.title} (NOT SECURE)" for remedy in edge.remedies)
        ),
        dialled=_known(edge.data_source),
        endpoint=visible(edge.endpoint) if edge.endpoint is not None else "",
        provider=_known(edge.provider),
        product=_known(edge.product),
        client_before=visible(edge.before.client) if edge.before else "",
        client_after=visible(edge.after.client) if edge.after else "",
        detail=prose(edge.detail),
        assumptions=_lines(edge.assumptions),
    )


def _lines(texts: tuple[str, ...]) -> str:
    return "\n".join(prose(text) for text in texts)


def _known(text: str | None) -> str:
    return "unknown" if text is None else visible(text)
