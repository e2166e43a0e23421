"""A snapshot survives the trip to disk and back, and says what is wrong with one that does not."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snapshots_by_hand import hostile, snapshot

from assessor.errors import ExitCode, OutputError, SnapshotError
from assessor.snapshot import SCHEMA_VERSION, Snapshot
from assessor.snapshot_file import parse_snapshot, read_snapshot, snapshot_json, write_snapshot
from assessor.snapshot_schema import schema_text

SCHEMA = Path(__file__).parents[1] / "docs" / "snapshot.schema.json"

moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))
leaves: dict[object, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),  # hypothesis leaves lone surrogates out by itself
    int: st.integers(-(2**70), 2**70),
    bool: st.booleans(),
    type(None): st.none(),
    date: st.dates(),
    datetime: moments | st.datetimes(),  # the second kind is what servers tell in their local time
}


def anything(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type, every field of every dataclass filled, defaults or not."""
    if hint in leaves:
        return leaves[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: anything(hints[field.name]) for field in dataclasses.fields(hint)})
    if get_origin(hint) in (types.UnionType, Union):
        return st.one_of(*map(anything, get_args(hint)))
    if get_origin(hint) is tuple:
        item, ellipsis = get_args(hint)
        assert ellipsis is ...
        return st.lists(anything(item), max_size=1).map(tuple)
    raise AssertionError(f"the test knows no values of {hint}")


whole = anything(Snapshot).map(lambda made: dataclasses.replace(made, schema_version=SCHEMA_VERSION))


class TestWriting:
    def test_keys_stand_in_the_order_declared_and_the_version_first(self) -> None:
        text = snapshot_json(snapshot())
        raw = json.loads(text)
        assert text.startswith('{\n  "schema_version": 1,\n  "run": {\n    "tool_version": "0.1.0",')
        assert list(raw) == [field.name for field in dataclasses.fields(Snapshot)]
        assert text.endswith("}\n")

    def test_the_edges_keep_the_contract(self) -> None:
        for edge in json.loads(snapshot_json(snapshot()))["edges"]:
            assert {"id", "source", "kind", "name", "target", "verdict", "rules", "reasons"} <= set(edge)

    def test_moments_are_iso_8601_with_zone_and_a_servers_local_time_has_none(self) -> None:
        raw = json.loads(snapshot_json(snapshot()))
        assert raw["run"]["started"] == "2026-11-23T12:00:00Z"
        assert raw["estate"]["upgrade_date"] == "2026-12-20"
        assert raw["inventories"][0]["linked_servers"][0]["modified"] == "2016-05-04T03:02:01"

    def test_the_same_snapshot_gives_the_same_bytes(self) -> None:
        assert snapshot_json(snapshot()) == snapshot_json(snapshot())

    def test_letters_stay_readable_and_what_a_terminal_would_obey_is_escaped(self) -> None:
        run = snapshot(run=dataclasses.replace(snapshot().run, vantage="Ærø\x1b\x9b\u202e\x7f\U000e0041"))
        text = snapshot_json(run)
        assert '"vantage": "Ærø\\u001b\\u009b\\u202e\\u007f\\udb40\\udc41"' in text
        assert parse_snapshot(text.encode(), "x") == run

    def test_a_lone_surrogate_becomes_the_replacement_character(self) -> None:
        run = snapshot(run=dataclasses.replace(snapshot().run, vantage="a\ud800b"))
        assert parse_snapshot(snapshot_json(run).encode("utf-8"), "x").run.vantage == "a\ufffdb"

    def test_hostile_names_make_inert_json(self) -> None:
        text = snapshot_json(hostile())
        assert all(character.isprintable() or character == "\n" for character in text)

    def test_a_file_that_cannot_be_written_is_an_output_error(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="there is no folder"):
            write_snapshot(snapshot(), tmp_path / "absent" / "run.json")


class TestRoundTrip:
    def test_through_a_file(self, tmp_path: Path) -> None:
        write_snapshot(snapshot(), tmp_path / "run.json")
        assert read_snapshot(tmp_path / "run.json") == snapshot()

    @given(whole)
    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    def test_of_any_snapshot(self, made: Snapshot) -> None:
        text = snapshot_json(made)
        read = parse_snapshot(text.encode("utf-8"), "x")
        assert read == made
        assert snapshot_json(read) == text

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
    def test_from_what_an_editor_or_powershell_made_of_it(self, encoding: str) -> None:
        assert parse_snapshot(snapshot_json(snapshot()).encode(encoding), "x") == snapshot()


def damaged(change: Callable[[dict[str, Any]], object]) -> bytes:
    raw = json.loads(snapshot_json(snapshot()))
    change(raw)
    return json.dumps(raw).encode()


class TestReadingWhatIsNoSnapshot:
    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(SnapshotError, match=r"absent\.json: there is no such file\.$"):
            read_snapshot(tmp_path / "absent.json")

    def test_a_folder_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(SnapshotError, match=r"is a folder|cannot be read"):
            read_snapshot(tmp_path)

    def test_a_name_that_no_file_can_have_is_shown_safely(self) -> None:
        with pytest.raises(SnapshotError, match=r"^a␀b: cannot be read"):
            read_snapshot(Path("a\x00b"))

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "run.json: is empty"),
            (b" \n", "run.json: is empty"),
            (b"[estate]\nname = 1\n", "run.json: is not JSON from line 1, column 2 on"),
            (b'{"schema_version": 1,}', "run.json: is not JSON from line 1, column 22 on"),
            (b"\xff\xfe\xfd", "run.json: is not "),
            (b'{"x": "\xe9"}', "run.json: is not a snapshot (byte 7 is not UTF-8)"),
            (b"[]", "run.json: is JSON but not a snapshot"),
            (b"null", "run.json: is JSON but not a snapshot"),
            (b'{"edges": []}', "run.json: is JSON but not a snapshot"),
            (b'{"schema_version": "1"}', "run.json: is JSON but not a snapshot"),
            (b'{"schema_version": true}', "run.json: is JSON but not a snapshot"),
            (b'{"schema_version": 2}', "run.json: has schema version 2, and this assessor reads up to 1"),
            (b'{"schema_version": 0}', "run.json: has schema version 0, which never existed"),
            (b'{"schema_version": 1}', "run.json: key `run` is missing at the top"),
            (b'{"schema_version": ' + b"9" * 5_000 + b"}", "run.json: is not a snapshot"),
            (b'{"schema_version": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "run.json: is not a snapshot"),
        ],
    )
    def test_other_bytes_give_one_sentence(self, data: bytes, sentence: str) -> None:
        with pytest.raises(SnapshotError) as caught:
            parse_snapshot(data, "run.json")
        assert str(caught.value).startswith(sentence)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code is ExitCode.BAD_INPUT

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (lambda raw: raw.pop("edges"), "key `edges` is missing at the top"),
            (lambda raw: raw["edges"][3].pop("verdict"), "key `verdict` is missing in edges[3]"),
            # Not only what has no default: an absent `gaps` must not read as "nothing was missed".
            (lambda raw: raw["inventories"][1].pop("gaps"), "key `gaps` is missing in inventories[1]"),
            (
                lambda raw: raw["inventories"][0]["encryption"].pop("force_encryption"),
                "key `force_encryption` is missing in inventories[0].encryption",
            ),
            (lambda raw: raw["edges"][0].update(verdict="fine"), "wrong value at edges[0].verdict"),
            (lambda raw: raw["edges"][0].update(wave="1"), "wrong value at edges[0].wave"),
            (lambda raw: raw["edges"][0].update(reasons="one"), "wrong value at edges[0].reasons"),
            (lambda raw: raw["run"].update(started="yesterday"), "wrong value at run.started"),
            (lambda raw: raw["run"].update(interrupted="no"), "wrong value at run.interrupted"),
            (lambda raw: raw["run"].update(vantage="\ud800"), "is not a snapshot (Invalid JSON: "),
            (lambda raw: raw.update(estate=[]), "wrong value at estate"),
        ],
    )
    def test_a_damaged_snapshot_names_the_place(
        self, change: Callable[[dict[str, Any]], object], sentence: str
    ) -> None:
        with pytest.raises(SnapshotError) as caught:
            parse_snapshot(damaged(change), "run.json")
        assert str(caught.value).startswith("run.json: " + sentence)
        assert "\n" not in str(caught.value)

    def test_every_key_of_every_object_is_needed(self) -> None:
        """Take each key away in turn, wherever it stands: the first object of every list stands for its kind."""
        text = snapshot_json(snapshot())

        def places(value: object, place: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
            if isinstance(value, dict):
                return [found for key, item in value.items() for found in ((*place, key), *places(item, (*place, key)))]
            return places(value[0], (*place, 0)) if isinstance(value, list) and value else []

        for *path, key in places(json.loads(text), ()):
            raw = json.loads(text)
            holder = raw
            for step in path:
                holder = holder[step]
            del holder[key]
            with pytest.raises(SnapshotError, match="schema_version" if key == "schema_version" else f"`{key}`"):
                parse_snapshot(json.dumps(raw).encode(), "run.json")

    def test_a_key_that_this_version_does_not_know_is_passed_over(self) -> None:
        assert parse_snapshot(damaged(lambda raw: raw.update(later="yes")), "x") == snapshot()

    @given(st.binary(max_size=60))
    @settings(deadline=None)
    def test_no_bytes_give_anything_but_a_sentence(self, data: bytes) -> None:
        with pytest.raises(SnapshotError):
            parse_snapshot(data, "x")

    def test_a_file_name_cannot_speak_to_the_terminal(self) -> None:
        with pytest.raises(SnapshotError, match=r"^␛\[31m\.json: "):
            parse_snapshot(b"", "\x1b[31m.json")


class TestSchema:
    def test_the_published_file_is_current(self) -> None:
        assert SCHEMA.read_text(encoding="utf-8") == schema_text(), (
            "run: python -m assessor.snapshot_schema docs/snapshot.schema.json"
        )

    def test_it_is_a_valid_schema_and_snapshots_keep_it(self) -> None:
        schema = json.loads(schema_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for made in (snapshot(), hostile(), snapshot(edges=(), endpoints=(), inventories=())):
            validator.validate(json.loads(snapshot_json(made)))

    def test_it_refuses_a_snapshot_without_gaps(self) -> None:
        raw = json.loads(damaged(lambda raw: raw["inventories"][0].pop("gaps")))
        with pytest.raises(jsonschema.ValidationError, match="'gaps' is a required property"):
            jsonschema.validate(raw, json.loads(schema_text()))

    def test_every_key_of_every_object_is_required_and_has_no_default(self) -> None:
        schema = json.loads(schema_text())
        for definition in (schema, *schema["$defs"].values()):
            if definition["type"] == "object":
                assert definition["required"] == list(definition["properties"])
                assert not [value for value in definition["properties"].values() if "default" in value]

    def test_comments_of_the_source_describe_fields_and_words(self) -> None:
        defs = json.loads(schema_text())["$defs"]
        assert defs["CertificateSummary"]["properties"]["key"]["description"] == "`RSA 2048`, `ECDSA secp256r1`"
        assert "description" not in defs["CertificateSummary"]["properties"]["subject"]
        assert "breaks: works today, fails after" in defs["VerdictKind"]["description"]


def test_two_edges_of_one_id_are_refused() -> None:
    whole = snapshot()
    twins = dataclasses.replace(whole, edges=(whole.edges[0], whole.edges[0]))
    with pytest.raises(SnapshotError, match="two edges of the id"):
        parse_snapshot(snapshot_json(twins).encode("utf-8"), "edited.json")
