"""Which client a stored provider name loads on a source of a given version; the knowledge is ``providers.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any, Final

OTHER: Final = "other"
MSDASQL: Final = "msdasql"


class ProviderBasis(StrEnum):
    """How well it is known that a name loads a client."""

    DOCUMENTED = "documented"  #: Microsoft says so
    OBSERVED = "observed"  #: a third party saw it
    UNVERIFIED = "unverified"  #: documented for a neighbouring product only
    INFERRED = "inferred"  #: our reasoning
    UNKNOWN = "unknown"  #: the name is in no list of ours


@dataclass(frozen=True, slots=True)
class ProviderFamily:
    """The client that a definition really loads.

    ``client`` is the id of a client profile: ``sqlncli-11``, ``oledb-18``, ``oledb-19``, ``msdasql`` or ``other``.
    With ``basis`` ``UNKNOWN`` the client is ``other`` for want of knowledge: nobody may conclude from it that
    the upgrade leaves the definition alone.
    """

    client: str
    meaning: str
    basis: ProviderBasis
    source: str

    @property
    def is_sql_server_client(self) -> bool:
        """It dials a SQL Server by a data source of :mod:`assessor.names`' grammar."""
        return self.client not in (OTHER, MSDASQL)

    @property
    def is_known(self) -> bool:
        """The name is in ``providers.toml``."""
        return self.basis is not ProviderBasis.UNKNOWN


@dataclass(frozen=True, slots=True)
class _Row:
    patterns: tuple[str, ...]
    first: int
    last: int | None
    family: ProviderFamily

    def fits(self, provider: str, major: int) -> bool:
        in_range = self.first <= major and (self.last is None or major <= self.last)
        return in_range and any(fnmatchcase(provider, pattern) for pattern in self.patterns)


def resolve(provider: str, product: str, major: int) -> ProviderFamily:
    """The client that a row of ``sys.servers`` loads on a source of major version ``major`` (17 is 2025).

    ``provider`` and ``product`` are as stored. An empty provider is the short form of a definition, made with
    product ``SQL Server`` alone; with another product it is unknown.
    """
    name = provider.strip().lower()
    if name or product.strip().lower() in ("", "sql server"):
        for candidate in (name, re.sub(r"\.\d{1,2}$", "", name)):
            for row in _rows():
                if row.fits(candidate, major):
                    return row.family
    return ProviderFamily(
        OTHER, "a provider that providers.toml does not list", ProviderBasis.UNKNOWN, "not in clients/providers.toml"
    )


@cache
def _rows() -> tuple[_Row, ...]:
    text = resources.files(__package__).joinpath("providers.toml").read_text(encoding="utf-8")
    return tuple(_row(entry, load) for entry in tomllib.loads(text)["provider"] for load in entry["loads"])


def _row(entry: dict[str, Any], load: dict[str, Any]) -> _Row:
    first, dash, last = load["versions"].partition("-")
    return _Row(
        patterns=tuple(name.lower() for name in entry["names"]),
        first=int(first),
        last=int(last) if last else None if dash else int(first),
        family=ProviderFamily(load["client"], entry["meaning"], ProviderBasis(load["basis"]), load["source"]),
    )
