"""The rights that a bundled query needs, as its header states them for machines: for ``grants`` and ``check``.

One line of the header, rights joined by semicolons, all of which the whole answer needs::

    -- rights: VIEW SERVER STATE (11-15) else refused; VIEW SERVER SECURITY STATE (16-) else refused
    -- rights: SELECT ON msdb.dbo.MSdistpublishers [name, active] else refused
    -- rights: ALTER ANY LINKED SERVER else hidden
    -- rights: none

``(11-15)`` are major versions, ``[…]`` the columns that are read where the others must not be granted, and the last
word says what happens without the right: an error (*refused*), or an answer with something left out (*hidden*).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_RIGHT = re.compile(
    r"(?P<permission>sysadmin|securityadmin|[A-Z]+(?: [A-Z]+)*)"
    r"(?: ON (?P<securable>[\w$()]+\.\w+\.\w+))?"
    r"(?: \[(?P<columns>\w+(?:, \w+)*)\])?"
    r"(?: \((?P<first>\d+)-(?P<last>\d*)\))?"
    r" else (?P<otherwise>refused|hidden)"
)
#: How a securable of the database that is asked about begins.
IN_DATABASE = "$(database)."
_ON_SECURABLES = ("SELECT", "EXECUTE")
#: Fixed server roles, where no permission will do.
ROLES = ("sysadmin", "securityadmin")


class BadRights(ValueError):
    """The text is no list of rights; says which part."""


class Otherwise(StrEnum):
    """What a query comes to without a right."""

    REFUSED = "refused"  #: an error
    HIDDEN = "hidden"  #: an answer that looks whole and is not


@dataclass(frozen=True, slots=True)
class Right:
    """One right. ``permission`` is a server permission, ``SELECT`` or ``EXECUTE`` on a securable, or a server role."""

    permission: str
    securable: str | None  #: three parts: ``msdb.dbo.sysjobs``, ``$(database).dbo.syspublications``
    columns: tuple[str, ...]  #: all that is read, where the rest must not be granted; empty: the whole object
    first: int
    last: int | None
    otherwise: Otherwise

    @property
    def in_database(self) -> bool:
        """It belongs to a user of each database that the query is asked about."""
        return self.securable is not None and self.securable.startswith(IN_DATABASE)

    @property
    def is_role(self) -> bool:
        """It is membership of a fixed server role, which nobody should grant for reading's sake."""
        return self.permission in ROLES

    def needed_by(self, major: int) -> bool:
        """The query needs it on this major version."""
        return self.first <= major and (self.last is None or major <= self.last)

    def __str__(self) -> str:
        return self.permission if self.securable is None else f"{self.permission} ON {self.securable}"


def parse_rights(text: str) -> tuple[Right, ...]:
    """Read the header's line. Raises :class:`BadRights`."""
    if text == "none":
        return ()
    return tuple(_parse(item.strip()) for item in text.split(";"))


def _parse(item: str) -> Right:
    found = _RIGHT.fullmatch(item)
    if found is None:
        raise BadRights(f"{item!r} is no right of the form 'VIEW SERVER STATE (11-15) else refused'")
    permission, securable = found["permission"], found["securable"]
    if (permission in _ON_SECURABLES) is (securable is None):
        raise BadRights(f"{item!r}: SELECT and EXECUTE, and only these, are ON something")
    if found["columns"] and permission != "SELECT":
        raise BadRights(f"{item!r}: only SELECT is granted on columns")
    return Right(
        permission,
        securable,
        tuple(found["columns"].split(", ")) if found["columns"] else (),
        int(found["first"] or 0),
        int(found["last"]) if found["last"] else None,
        Otherwise(found["otherwise"]),
    )
