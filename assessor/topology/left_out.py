"""What hints at a connection that could not be drawn: kept, so that nothing is dropped in silence."""

from __future__ import annotations

from dataclasses import dataclass

from assessor.topology.edges import EdgeKind


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A connection, or the trace of one, that became no edge, and why."""

    seen_at: str  #: address of the instance that told of it
    kind: EdgeKind
    name: str  #: the partner, as the instance calls it
    reason: str  #: one sentence
