"""The names that people know SQL Server's major versions by."""

from __future__ import annotations

from typing import Final

#: Year in the name of each release that the queries know, to its major version.
YEARS: Final = {2012: 11, 2014: 12, 2016: 13, 2017: 14, 2019: 15, 2022: 16, 2025: 17}
_YEAR_OF: Final = {major: year for year, major in YEARS.items()}


def year_of(major: int) -> int | None:
    """The year in the name of a major version; ``None`` for one that is not known here."""
    return _YEAR_OF.get(major)
