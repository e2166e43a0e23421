"""The words that every report uses for a verdict, a kind of edge and a kind of connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assessor.judge.findings import Severity
from assessor.judge.verdicts import VerdictKind
from assessor.report.text import visible
from assessor.topology.edges import EdgeKind, Role

#: Shown where a fact could not be read; never an empty cell, which would read as "nothing".
UNKNOWN: Final = "unknown"
#: Shown where a definition does not state an option, so that the driver's default holds.
NOT_STATED: Final = "not stated"


@dataclass(frozen=True, slots=True)
class Words:
    """How a verdict, or the fate of an edge, is shown: a symbol and a word, so that colour is never needed, and what it means."""

    symbol: str
    word: str
    meaning: str

    @property
    def label(self) -> str:
        """Symbol and word, for example ``✗ breaks``."""
        return f"{self.symbol} {self.word}"


#: Every verdict, the one that needs attention most first: the order of every list and table.
VERDICTS: Final[dict[VerdictKind, Words]] = {
    VerdictKind.BREAKS: Words("✗", "breaks", "works today and fails after the upgrade"),
    VerdictKind.NOT_ASSESSED: Words(
        "?", "not assessed", "a fact was missing: a risk until it is assessed, and never a sign that it works"
    ),
    VerdictKind.FAILS_TODAY: Words("!", "fails today", "fails already; the upgrade is not to blame"),
    VerdictKind.EXPIRES: Words("◷", "expires", "works on the upgrade date, but a certificate it needs ends soon after"),
    VerdictKind.WORKS_INSECURELY: Words("~", "works insecurely", "works only because nobody validates the certificate"),
    VerdictKind.WORKS: Words("✓", "works", "works, with the certificate validated"),
    VerdictKind.NOT_AFFECTED: Words(
        "–", "not affected", "the upgrade does not touch the provider or the source of this connection"
    ),
}

#: Every severity of an upgrade finding, worst first, with a symbol so that colour is never needed.
SEVERITIES: Final[dict[Severity, str]] = {
    Severity.BLOCKS: "✗ blocks",
    Severity.BREAKS: "✗ breaks",
    Severity.CHANGES: "~ changes",
    Severity.UNKNOWN: "? unknown",
    Severity.NOTE: "– note",
}

VALIDATED: Final = "validated"
NOT_CONNECTED: Final = "not_connected"
NOT_KNOWN_VALIDATED: Final = "not_known_validated"
#: How the tool itself connected, and what that is worth: ``PlannedInstance.connection``, and two more for an
#: instance that did not answer, and for one where validation was asked for and is not known to have happened.
CONNECTIONS: Final[dict[str, str]] = {
    NOT_CONNECTED: "no connection was made",
    NOT_KNOWN_VALIDATED: "NOT KNOWN whether the server's certificate was validated, though that was asked for",
    VALIDATED: "encrypted, and the server's certificate was validated",
    "trusted_without_validation": (
        "NOT VALIDATED: the estate file says to trust any certificate, so somebody between could have read "
        "or changed what was collected"
    ),
    "unencrypted": (
        "NOT ENCRYPTED: the estate file says so, and everybody between could have read or changed what was collected"
    ),
}


def connection_words(way: str) -> str:
    """How the tool connected to an instance, as a plain statement; an unknown word is shown as it is."""
    return CONNECTIONS.get(way, visible(way))


def kind_words(kind: EdgeKind, role: Role | None) -> str:
    """``linked server``, or ``replication: log reader agent``."""
    return _spaced(kind) if role is None else f"{_spaced(kind)}: {_spaced(role)}"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 connection``, ``2 connections``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def numbered(lines: Sequence[str]) -> str:
    """One line each, numbered when there are several."""
    if len(lines) < 2:
        return "".join(lines)
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))


def _spaced(value: str) -> str:
    return str(value).replace("_", " ")
