"""The JSON Schema of a snapshot, made from the dataclasses, with their comments as descriptions.

``python -m assessor.snapshot_schema docs/snapshot.schema.json`` writes it anew; a test says when that is due.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from assessor import snapshot
from assessor.atomic import write_whole
from assessor.clients import options, outcome
from assessor.collect import inventory
from assessor.judge import verdicts
from assessor.probe import evidence
from assessor.remedies import ladder
from assessor.topology import edges

#: Where the types of a snapshot are declared.
_MODULES: Final = (snapshot, options, outcome, inventory, verdicts, evidence, ladder, edges)
_COMMENTED: Final = re.compile(r"^    (?P<name>\w+)(?:: [^#\n]*| = [^#\n]*)#: (?P<comment>.+)$", re.MULTILINE)
_ROLE: Final = re.compile(r":\w+:`~?([^`]+)`")


class _EveryKeyRequired(GenerateJsonSchema):
    """A snapshot is whole: a key whose value is the default is written too, and its absence is an error."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return True


def schema_text() -> str:
    """The schema as JSON text, a line feed last. Every key is required and none has a default."""
    adapter = TypeAdapter(snapshot.Snapshot)
    schema = adapter.json_schema(mode="serialization", schema_generator=_EveryKeyRequired)
    comments = _comments()
    for name, definition in schema["$defs"].items():
        _describe(name, definition, comments)
    _describe("Snapshot", schema, comments)
    schema["properties"]["schema_version"]["const"] = snapshot.SCHEMA_VERSION
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "assessor snapshot",
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _describe(name: str, definition: JsonSchemaValue, comments: dict[tuple[str, str], str]) -> None:
    """Put the source's comments in as descriptions, and take out what pydantic adds and nobody needs."""
    if "description" in definition:
        definition["description"] = _plain(definition["description"])
    for key, value in definition.get("properties", {}).items():
        value.pop("title", None)
        value.pop("default", None)
        if (name, key) in comments:
            value["description"] = comments[name, key]
    values = [value for value in definition.get("enum", ()) if (name, value) in comments]
    meanings = [f"{value}: {comments[name, value]}" for value in values]
    if meanings:
        definition["description"] = "\n".join([definition.get("description", ""), "", *meanings]).strip()


def _comments() -> dict[tuple[str, str], str]:
    """The ``#:`` comment of each field (by class and field) and enumeration member (by class and value)."""
    found: dict[tuple[str, str], str] = {}
    for module in _MODULES:
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ != module.__name__ or not (is_dataclass(kind) or issubclass(kind, Enum)):
                continue
            for match in _COMMENTED.finditer(inspect.getsource(kind)):
                key = match["name"]
                if issubclass(kind, Enum):
                    key = str(kind[key].value)
                found[name, key] = _plain(match["comment"])
    return found


def _plain(text: str) -> str:
    """Docstring mark-up as plain text with single back-ticks."""
    return _ROLE.sub(r"`\1`", text.replace("\\\\", "\\")).replace("``", "`")


def main(arguments: list[str]) -> None:
    """Write the schema to the file named, or print it."""
    if arguments:
        write_whole(Path(arguments[0]), schema_text().encode("utf-8"))
    else:
        sys.stdout.buffer.write(schema_text().encode("utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
