"""What one instance has answered so far: the book that a live connection and a saved output are both entered into.

Rows become facts and refusals become gaps in exactly one place, wherever the answers come from. Does no I/O.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from assessor.collect import plan, reading
from assessor.collect.assembling import assemble
from assessor.collect.connection import Answer
from assessor.collect.failures import NO_DISTRIBUTOR, NO_SUCH_OBJECT, Failure
from assessor.collect.inventory import Gap, GapKind, Inventory
from assessor.collect.plan import IDENTITY, Catalogue, Step
from assessor.collect.queries import Finds, Query
from assessor.collect.rows import Table, read_answer

EVERYTHING: Final = "everything about this instance: its linked servers, replication and encryption settings"

#: What is known of a step that was neither answered nor failed.
Unasked = Callable[[Step], tuple[GapKind, str]]


def unreached(address: str, kind: GapKind, message: str) -> Inventory:
    """The inventory of an instance that told nothing."""
    return Inventory(instance=address, gaps=(Gap("connection", kind, message, EVERYTHING),))


@dataclass(slots=True)
class Ledger:
    """The answers and failures of one instance. Written by one thread, read by another, hence the lock."""

    catalogue: Catalogue
    answers: dict[Step, Table] = field(default_factory=dict)
    failures: dict[Step, Gap] = field(default_factory=dict)
    unreached: Gap | None = None
    progress: float = field(default_factory=time.monotonic)  #: when something last happened
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open_steps(self) -> list[Step]:
        """The steps that make sense by now and were not taken, in the order to take them."""
        return [
            step
            for step in plan.steps(self.catalogue, self.answers, frozenset(self.failures))
            if step not in self.answers and step not in self.failures
        ]

    def query_of(self, step: Step) -> Query:
        """The variant that fits the instance; ``step`` is one of :meth:`open_steps`."""
        table = self.answers.get(IDENTITY)
        query = self.catalogue.fitting(step.query, reading.identity_of(table) if table is not None else None)
        assert query is not None  # plan.steps yields only what fits
        return query

    def enter(self, step: Step, answer: Answer) -> None:
        """Take an answer. Raises :class:`~assessor.collect.rows.BadAnswer` when it is not what the query promises."""
        query = self.query_of(step)
        table = read_answer(query, answer, has_one_row=query.name in reading.ONE_ROW)
        if step == IDENTITY:
            reading.identity_of(table)
        self._enter(step, table)

    def enter_failure(self, step: Step, failure: Failure) -> None:
        """Take a refusal or an error. That no distributor is set up is an answer, told by an error."""
        if step.query == "distributor" and failure.number in NO_DISTRIBUTOR:
            self._enter(step, Table(()))
            return
        kind, message = failure.kind, failure.message
        if failure.number == NO_SUCH_OBJECT:
            kind = GapKind.HIDDEN  # what we may not see looks as if it did not exist
            message = f"{message} (it is absent, or hidden from our login)"
        with self.lock:
            self.failures[step] = self._gap(step, kind, message)

    def enter_unreached(self, kind: GapKind, message: str) -> None:
        """There is no connection, or no longer one."""
        self.unreached = Gap("connection", kind, message, EVERYTHING)

    def close(
        self, address: str, unasked: Unasked, *, collected_at: datetime, connection_validated: bool | None
    ) -> Inventory:
        """The inventory, with a gap for each step that was not answered; ``unasked`` says why one was never taken."""
        with self.lock:
            answers, failures = dict(self.answers), dict(self.failures)
        if IDENTITY not in answers:
            gap = self.unreached or failures.get(IDENTITY)
            if gap is not None:
                return Inventory(instance=address, gaps=(gap,))
            return unreached(address, *unasked(IDENTITY))
        for step in plan.steps(self.catalogue, answers, frozenset(failures)):
            if step not in answers and step not in failures:
                kind, message = unasked(step)
                if self.unreached is not None:
                    kind, message = GapKind.FAILED, f"the connection was lost: {self.unreached.message}"
                failures[step] = self._gap(step, kind, message)
        return assemble(
            address,
            self.catalogue,
            answers,
            failures,
            collected_at=collected_at,
            connection_validated=connection_validated,
        )

    def _enter(self, step: Step, table: Table) -> None:
        with self.lock:
            self.answers[step] = table

    def _gap(self, step: Step, kind: GapKind, message: str) -> Gap:
        query = self.catalogue.any_of(step.query)
        return Gap(step.query, kind, message, query.loses, query.permission, step.database, query.finds is Finds.EDGES)
