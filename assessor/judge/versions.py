"""What is published about the versions that people upgrade from: ``versions.toml``, read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from assessor.data_files import read_toml
from assessor.errors import UsageError

_FILE = "assessor/judge/versions.toml"


class VersionsError(UsageError):
    """``versions.toml`` was edited into something that can't be used; the sentence says where."""


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """One major version as a starting point of an upgrade to SQL Server 2025."""

    major: int
    name: str  #: ``SQL Server 2016``
    in_place: tuple[int, ...] | None  #: first build that Setup upgrades in place on Windows; ``None``: none
    needs: str  #: what that build is called, ``Service Pack 3``; empty: every build will do
    ends: date | None  #: last day of extended support; ``None``: not known here
    sources: tuple[str, ...]


def build_of(version: str) -> tuple[int, ...]:
    """``13.0.6300.2`` as numbers, so that two builds can be compared."""
    return tuple(int(part) for part in version.split("."))


@cache
def source_versions() -> dict[int, SourceVersion]:
    """By major version. Raises :class:`VersionsError`."""
    return parse_versions(resources.files("assessor.judge").joinpath("versions.toml").read_text(encoding="utf-8"))


def parse_versions(text: str) -> dict[int, SourceVersion]:
    """Read the file's text. Raises :class:`VersionsError` with the place and the mend."""
    document = read_toml(text, _FILE, VersionsError)
    try:
        sources: dict[str, str] = document["sources"]
        return {int(major): _version(int(major), table, sources) for major, table in document["versions"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise VersionsError(
            f"{_FILE}: {error} is missing or not what is expected there; compare it with its neighbours."
        ) from error


def _version(major: int, table: dict[str, Any], sources: dict[str, str]) -> SourceVersion:
    ends = table.get("ends")
    if ends is not None and not isinstance(ends, date):
        raise ValueError(f"[versions.{major}] ends")
    return SourceVersion(
        major=major,
        name=str(table["name"]),
        in_place=build_of(table["in_place"]) if "in_place" in table else None,
        needs=str(table.get("needs", "")),
        ends=ends,
        sources=tuple(sources[key] for key in table["sources"]),
    )
