"""Verdicts: what happens to an edge after the upgrade, and everything that makes one believable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assessor.clients.outcome import Outcome, PredictedError
from assessor.remedies.ladder import Remedy


class VerdictKind(StrEnum):
    """The seven fates of an edge, in the vocabulary of the design."""

    BREAKS = "breaks"  #: works today, fails after
    FAILS_TODAY = "fails_today"  #: already fails; the upgrade is not to blame
    WORKS = "works"  #: validated, in date past the horizon
    WORKS_INSECURELY = "works_insecurely"  #: only because validation is switched off
    EXPIRES = "expires"  #: works on the upgrade date but not for long after it
    NOT_AFFECTED = "not_affected"  #: a provider or source the upgrade does not touch
    NOT_ASSESSED = "not_assessed"  #: something was missing


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one edge. Made by :mod:`assessor.judge` only; every report draws it unchanged."""

    kind: VerdictKind
    reasons: tuple[str, ...]  #: sentences, the deciding one first; never empty
    rules: tuple[str, ...]  #: ids in ``judge/rules.toml``
    before: Outcome | None  #: with the driver the source uses today
    after: Outcome | None  #: with the driver it will use
    error: PredictedError | None  #: what will appear, when it breaks or fails
    remedies: tuple[Remedy, ...]  #: most secure first
    missing: tuple[str, ...]  #: for ``not_assessed``: what to do to get it assessed
    assumptions: tuple[str, ...]  #: what the verdict rests on that was not seen, e.g. whose trust store was used
