"""Which client the ODBC driver is that a provider string names; the knowledge is ``odbc_drivers.toml``."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Final

OTHER: Final = "other"


def client_of_driver(driver: str) -> str | None:
    """The id of a client profile, :data:`OTHER` for a driver of another vendor; ``None`` when nobody knows the name."""
    name = " ".join(driver.split()).lower()
    for names, client in _rows():
        if any(fnmatchcase(name, pattern) for pattern in names):
            return client
    return None


@cache
def _rows() -> tuple[tuple[tuple[str, ...], str], ...]:
    text = resources.files(__package__).joinpath("odbc_drivers.toml").read_text(encoding="utf-8")
    return tuple((tuple(name.lower() for name in row["names"]), row["client"]) for row in tomllib.loads(text)["driver"])
