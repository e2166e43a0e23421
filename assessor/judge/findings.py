"""What else an upgrade to SQL Server 2025 meets on one instance, beside its connections: the sheet "Upgrade findings".

A connection gets a verdict; these things have none, for nothing dials: an index that stops being filled, a feature
that is gone, a version that has no supported way up. Judged for instances that are planned for upgrade, and for no
others. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters on the upgrade date, worst first."""

    BLOCKS = "blocks"  #: the upgrade itself cannot be done, or not in this way
    BREAKS = "breaks"  #: something that works today stops after the upgrade
    CHANGES = "changes"  #: something behaves in another way, or must be done by hand
    UNKNOWN = "unknown"  #: could not be assessed; ``what_to_do`` says how it could be
    NOTE = "note"  #: good to know; nothing has to be done for the upgrade


@dataclass(frozen=True, slots=True)
class UpgradeFinding:
    """One finding of one instance."""

    rule: str  #: id of the rule in ``rules.toml``: ``UP-01``
    instance: str  #: address as the estate file writes it
    subject: str  #: what it is about: a database, a feature, a publication, a version
    severity: Severity
    message: str  #: what was found and what follows from it
    what_to_do: str
    sources: tuple[str, ...]  #: document and date each
