"""Canned answers: recognises a bundled query by its first line and answers with the rows of an instance file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from assessor.collect.queries import Query, Scope
from assessor.lab.behaviour import Refused, Reply, Rows
from assessor.lab.wire import Column, ServerMessage, SqlType

_FIRST_LINE = re.compile(r"\s*-- assessor: (?P<name>[a-z][a-z0-9_]*)\s*?(?:\r?\n|$)")
_THREE_PART_NAME = re.compile(r"\[((?:[^\]]|\]\])+)\]\s*\.")


@dataclass(frozen=True, slots=True)
class CannedAnswers:
    """Answers of one instance. Callable, so that it serves as :data:`~assessor.lab.behaviour.Answers`.

    ``replies`` is keyed by query name and, for queries of scope database, the database's name in lower case
    (``None`` for scope server). A bundled query without a reply answers with its columns and no rows.
    """

    queries: Mapping[str, Query]
    databases: tuple[str, ...]
    replies: Mapping[tuple[str, str | None], Reply] = field(default_factory=dict)

    def __call__(self, batch: str, database: str) -> Reply | None:
        """The reply to ``batch``; ``None`` when it is no bundled query."""
        match = _FIRST_LINE.match(batch)
        if match is None or (query := self.queries.get(match["name"])) is None:
            return None
        if query.scope is Scope.SERVER:
            return self.replies.get((query.name, None), Rows(columns_of(query)))
        name = self._database_of(batch)
        if name is None:
            text = "The lab found none of this instance's databases in the query."
            return Refused((ServerMessage(911, text, 16),))
        # A refusal without a database holds for all of them.
        everywhere = self.replies.get((query.name, None), Rows(columns_of(query)))
        return self.replies.get((query.name, name), everywhere)

    def _database_of(self, batch: str) -> str | None:
        known = {name.lower() for name in self.databases}
        body = "\n".join(line for line in batch.splitlines() if not line.startswith("--"))
        names = (match[1].replace("]]", "]").lower() for match in _THREE_PART_NAME.finditer(body))
        return next((name for name in names if name in known), None)


def columns_of(query: Query) -> tuple[Column, ...]:
    """The columns that ``query`` promises in its header, with their wire types.

    Raises:
        ValueError: the lab has no such type.

    """
    return tuple(Column(column.name, SqlType.parse(column.type)) for column in query.returns)
