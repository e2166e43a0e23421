"""Write a snapshot as JSON, and read one back.

It stands beside :mod:`assessor.snapshot` and not in ``report/``, for a snapshot is read as often as it is
written: to compare, to judge again, to draw reports from. ``report/`` only ever draws.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from assessor.atomic import write_whole
from assessor.errors import SnapshotError
from assessor.report.text import prose, shorten, visible
from assessor.snapshot import SCHEMA_VERSION, Snapshot

_NOT_ASCII: Final = re.compile("[\x7f-\U0010ffff]")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def snapshot_json(snapshot: Snapshot) -> str:
    """The snapshot as JSON text: keys in the order declared, indented by two, datetimes in ISO 8601, a line
    feed last.

    Safe to print on a terminal: control and invisible characters are escaped. UTF-8 has no lone surrogates,
    so each (an ``nvarchar`` may hold them) becomes U+FFFD; that is the only thing that does not survive the
    round trip.
    """
    plain = _adapter().dump_python(snapshot, mode="json")
    text = json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False)
    text = _LONE_SURROGATE.sub("\ufffd", text)
    return _NOT_ASCII.sub(_escape_unless_printable, text) + "\n"


def write_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write :func:`snapshot_json` to ``path`` in UTF-8, whole or not at all.

    Raises :class:`~assessor.errors.OutputError` when that can't be done.
    """
    write_whole(path, snapshot_json(snapshot).encode("utf-8"))


def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot. UTF-16 is accepted too, for Windows PowerShell 5.1 writes it when output is
    redirected.

    Raises :class:`~assessor.errors.SnapshotError` with one sentence that names file and place.
    """
    shown = visible(str(path))
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SnapshotError(f"{shown}: there is no such file.") from error
    except IsADirectoryError as error:
        raise SnapshotError(f"{shown}: is a folder; name the snapshot file in it.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SnapshotError(f"{shown}: cannot be read ({visible(reason)}).") from error
    return parse_snapshot(data, str(path))


def parse_snapshot(data: bytes, origin: str) -> Snapshot:
    """Make a snapshot of the bytes of a file; ``origin`` names it in messages.

    Every key must be there, also those whose value would be the default: an absent ``gaps`` would else read
    as "nothing was missed". Keys that this version does not know are ignored. Raises
    :class:`~assessor.errors.SnapshotError`.
    """
    shown = visible(origin)
    if not data.strip():
        raise SnapshotError(f"{shown}: is empty; a snapshot is written by `assessor assess --snapshot`.")
    try:
        text = data.decode(json.detect_encoding(data))
        raw = json.loads(text)
    except UnicodeDecodeError as error:
        raise SnapshotError(f"{shown}: is not a snapshot (byte {error.start} is not UTF-8).") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SnapshotError(f"{shown}: is not JSON from {place} on ({error.msg}).") from error
    except (ValueError, RecursionError) as error:  # a huge number; endless brackets
        raise SnapshotError(f"{shown}: is not a snapshot ({shorten(visible(str(error)), 200)}).") from error
    _check_version(raw, shown)
    try:
        snapshot = _adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "missing":
            raise _missing_key(shown, first["loc"]) from error
        place, message = _place(first["loc"]), shorten(prose(first["msg"]), 200)
        if first["type"] == "json_invalid":  # stricter than Python's reader: half a surrogate pair, say
            raise SnapshotError(f"{shown}: is not a snapshot ({message}).") from error
        raise SnapshotError(f"{shown}: wrong value at {place} ({message}).") from error
    absent = _absent_key(raw, snapshot, ())
    if absent is not None:
        raise _missing_key(shown, absent)
    _refuse_twins(snapshot, shown)
    return snapshot


def _refuse_twins(snapshot: Snapshot, shown: str) -> None:
    """Comparisons and what people typed go by the id of an edge: two with one id would be mistaken for each other."""
    seen: set[str] = set()
    for edge in snapshot.edges:
        if edge.id in seen:
            raise SnapshotError(
                f"{shown}: has two edges of the id {visible(shorten(edge.id, 200))}; it was edited by hand."
            )
        seen.add(edge.id)


@cache
def _adapter() -> TypeAdapter[Snapshot]:
    return TypeAdapter(Snapshot)


def _escape_unless_printable(match: re.Match[str]) -> str:
    r"""``\uXXXX`` for what a terminal would obey and a reader would not see: DEL, C1, bidirectional
    overrides and such.

    In JSON text these can only stand inside strings, where the escape means the same.
    """
    if match[0].isprintable():
        return match[0]
    code = ord(match[0])
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _check_version(raw: object, shown: str) -> None:
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise SnapshotError(f"{shown}: is JSON but not a snapshot: there is no number `schema_version` at the top.")
    if version > SCHEMA_VERSION:
        raise SnapshotError(
            f"{shown}: has schema version {shorten(str(version), 20)}, and this assessor reads "
            f"up to {SCHEMA_VERSION}; read it with the newer assessor that wrote it."
        )
    if version < 1:
        raise SnapshotError(f"{shown}: has schema version {shorten(str(version), 20)}, which never existed.")


def _missing_key(shown: str, place: tuple[int | str, ...]) -> SnapshotError:
    inside = f" in {_place(place[:-1])}" if len(place) > 1 else " at the top"
    return SnapshotError(
        f"{shown}: key `{visible(str(place[-1]))}` is missing{inside}, so this is not a whole snapshot; "
        "write it again with `assessor assess --snapshot`."
    )


def _place(location: tuple[int | str, ...]) -> str:
    """``('edges', 3, 'verdict')`` as ``edges[3].verdict``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return shorten(visible(text.lstrip(".")), 200) or "the top"


def _absent_key(raw: Any, value: object, place: tuple[int | str, ...]) -> tuple[int | str, ...] | None:
    """The place of the first key that the file lacks though ``value`` has it (a default filled it in)."""
    if is_dataclass(value):
        for field in fields(value):
            if field.name not in raw:
                return (*place, field.name)
            found = _absent_key(raw[field.name], getattr(value, field.name), (*place, field.name))
            if found is not None:
                return found
    elif isinstance(value, tuple):
        for index, (raw_item, item) in enumerate(zip(raw, value, strict=True)):
            found = _absent_key(raw_item, item, (*place, index))
            if found is not None:
                return found
    return None
