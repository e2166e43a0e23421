"""The key of pseudonyms: which name got which. Kept by those who made the report, never sent along with it.

A JSON file that its owner alone may read. The same key, given again, gives the same pseudonyms, so that reports of several
runs can be compared by somebody who must not know the names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assessor.atomic import write_whole
from assessor.errors import UsageError
from assessor.report.text import visible

_FORMAT: Final = "assessor pseudonym key"
_VERSION: Final = 1
_MAX_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """One name and what stands for it."""

    kind: str  #: what the name was first met as: ``host``, ``database``
    name: str  #: as first met
    pseudonym: str


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """All pseudonyms given so far, in the order in which they were given."""

    entries: tuple[Pseudonym, ...] = ()


def default_key_path(report: Path | None) -> Path | None:
    """``report.html.key.json`` beside ``report.html``."""
    return None if report is None else report.with_name(report.name + ".key.json")


def read_key(path: Path | None) -> PseudonymKey:
    """The key in a file; an empty one if there is no such file yet.

    Raises :class:`~assessor.errors.UsageError` with one sentence for a file that is no key, or one that was damaged.
    """
    if path is None:
        return PseudonymKey()
    shown = visible(str(path))
    try:
        if not path.exists():
            return PseudonymKey()
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{shown}: is too large for a key; name another file with --key.")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{shown}: the key cannot be read ({visible(error.strerror or str(error))}).") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON
        raise UsageError(f"{shown}: is not a key that assessor wrote; name another file with --key.") from error
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise UsageError(f"{shown}: is not a key that assessor wrote; name another file with --key.")
    if document.get("version") != _VERSION:
        raise UsageError(f"{shown}: is a key of another version of assessor; use that version, or begin a new key.")
    entries = document.get("pseudonyms")
    if not isinstance(entries, list):
        raise UsageError(f"{shown}: the key has no list `pseudonyms`; restore it, or begin a new key.")
    key = PseudonymKey(tuple(_entry(entry, place, shown) for place, entry in enumerate(entries)))
    names, pseudonyms = [entry.name for entry in key.entries], [entry.pseudonym for entry in key.entries]
    for what, seen in (("name", names), ("pseudonym", pseudonyms)):
        if len({each.lower() for each in seen}) != len(seen):
            raise UsageError(f"{shown}: a {what} is in the key twice, so it can't be read back; restore the key.")
    return key


def write_key(key: PseudonymKey, path: Path) -> None:
    """Write the key, whole or not at all, for its owner's eyes only.

    Raises :class:`~assessor.errors.OutputError`.
    """
    document = {
        "format": _FORMAT,
        "version": _VERSION,
        "pseudonyms": [{"kind": entry.kind, "name": entry.name, "pseudonym": entry.pseudonym} for entry in key.entries],
    }
    write_whole(path, (json.dumps(document, indent=1) + "\n").encode("ascii"), private=True)


def _entry(entry: object, place: int, shown: str) -> Pseudonym:
    if isinstance(entry, dict):
        kind, name, pseudonym = entry.get("kind"), entry.get("name"), entry.get("pseudonym")
        if isinstance(kind, str) and isinstance(name, str) and isinstance(pseudonym, str) and name and pseudonym:
            return Pseudonym(kind, name, pseudonym)
    raise UsageError(
        f"{shown}: pseudonyms[{place}] lacks kind, name or pseudonym; restore the key, or begin a new one."
    )
