"""The rules by id: what each one needs to hold, what follows, what appears on the screen, and what helps.

The texts are data, ``rules.toml`` beside this file, so that a DBA can read and correct them; this module only
reads and checks them. What decides whether a rule holds for an edge is the judge's, not this module's.
Source of the pack: sql-server-2025-changes.md, section 10; each rule names the documents behind it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from assessor.data_files import read_toml
from assessor.errors import UsageError
from assessor.remedies.ladder import RemedyId

_FILE = "assessor/judge/rules.toml"
_ID = re.compile(r"(?:LS|RP|SH|PB|AG|JB|OS|UP|FT)-[0-9]{2}")
_DATED = re.compile(r"\b(?:[0-9]{2}/[0-9]{2}/[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2})\b|, undated$")
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TEXTS = ("id", "title", "precondition", "consequence", "text_seen", "status")
_KEYS = frozenset((*_TEXTS, "remedies", "sources", "note"))


class RulePackError(UsageError):
    """``rules.toml`` was edited into something that can't be used; the sentence says where."""


class RuleStatus(StrEnum):
    """How well a rule is founded."""

    DOCUMENTED = "documented"  #: Microsoft publishes it
    INFERRED = "inferred"  #: our reasoning from published mechanisms
    UNVERIFIED = "unverified"  #: a third party, a preview or a neighbouring product only
    CONFLICT = "conflict"  #: Microsoft's pages disagree; ``note`` gives both sides


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, in sentences. ``remedies`` are spelled out, most secure first; none if nothing is needed."""

    id: str  #: ``LS-01``
    title: str
    precondition: str
    consequence: str
    text_seen: str  #: what a person sees; empty when nothing appears
    remedies: tuple[str, ...]
    status: RuleStatus
    sources: tuple[str, ...]  #: document and date each, or ``…, undated``
    note: str = ""  #: what the sources leave open or disagree about


@dataclass(frozen=True, slots=True)
class RulePack:
    """The whole file."""

    version: str  #: date of the pack, ``2026-11-23``
    rules: tuple[Rule, ...]  #: in the file's order, which groups them by feature


def load_rules() -> tuple[Rule, ...]:
    """All rules of the shipped pack, in the file's order. Raises :class:`RulePackError` if it is damaged."""
    return _shipped().rules


def rules_version() -> str:
    """The date of the shipped pack. A snapshot records it, so that newer rules can judge it again."""
    return _shipped().version


def find_rule(rule_id: str) -> Rule | None:
    """The rule of that id, in any case (``ls-01``), or ``None``."""
    wanted = rule_id.strip().upper()
    return next((rule for rule in load_rules() if rule.id == wanted), None)


@cache
def _shipped() -> RulePack:
    return parse_rules(resources.files("assessor.judge").joinpath("rules.toml").read_text(encoding="utf-8"))


def parse_rules(text: str) -> RulePack:
    """Read a rule pack.

    Raises :class:`RulePackError` for bad TOML, unknown or missing keys, a duplicate or ill-formed id, an
    unknown status or source, a source without a date, remedies out of order, and a conflict without a note.
    """
    document = read_toml(text, _FILE, RulePackError)
    version = document.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise RulePackError(f'{_FILE}: write the pack\'s date as version = "2026-11-23".')
    sources = _texts(document, "sources")
    for key, source in sources.items():
        if not _DATED.search(source):
            raise RulePackError(f"{_FILE}, [sources] {key}: add the date, or end it with ', undated'.")
    remedies = _texts(document, "remedies")
    if strange := sorted(set(remedies) - set(RemedyId)):
        raise RulePackError(f"{_FILE}, [remedies]: {strange[0]} is not a rung of the ladder.")
    tables = document.get("rules")
    if not isinstance(tables, list) or not tables:
        raise RulePackError(f"{_FILE} has no [[rules]].")
    rules = tuple(_rule(table, number, sources, remedies) for number, table in enumerate(tables, start=1))
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise RulePackError(f"{_FILE}: {rule.id} is there twice; give the second one its own number.")
        seen.add(rule.id)
    return RulePack(version, rules)


def _texts(document: Mapping[str, object], name: str) -> dict[str, str]:
    table = document.get(name)
    if not isinstance(table, dict) or not table:
        raise RulePackError(f"{_FILE} has no [{name}].")
    for key, value in table.items():
        if not isinstance(value, str) or not value.strip():
            raise RulePackError(f"{_FILE}, [{name}] {key}: write a text between quotation marks.")
    return table


def _rule(table: object, number: int, sources: Mapping[str, str], ladder: Mapping[str, str]) -> Rule:
    if not isinstance(table, dict):
        raise RulePackError(f"{_FILE}: rule number {number} is not a table.")
    rule_id = table.get("id")
    if not isinstance(rule_id, str) or not _ID.fullmatch(rule_id):
        raise RulePackError(f"{_FILE}: rule number {number} needs an id such as LS-20.")
    if strange := sorted(set(table) - _KEYS):
        raise RulePackError(f"{_FILE}, {rule_id}: the key {strange[0]} is not known.")
    texts: dict[str, str] = {}
    for key in _TEXTS:
        value = table.get(key)
        if not isinstance(value, str) or not (value.strip() or key == "text_seen"):
            raise RulePackError(f"{_FILE}, {rule_id}: {key} is missing or empty.")
        texts[key] = value
    try:
        status = RuleStatus(texts["status"])
    except ValueError:
        choices = ", ".join(RuleStatus)
        raise RulePackError(f"{_FILE}, {rule_id}: status is one of {choices}.") from None
    note = table.get("note", "")
    if not isinstance(note, str):
        raise RulePackError(f"{_FILE}, {rule_id}: note is not a text.")
    if status is RuleStatus.CONFLICT and not note.strip():
        raise RulePackError(f"{_FILE}, {rule_id}: say in note who disagrees with whom.")
    keys = _strings(table, "sources", rule_id)
    if not keys:
        raise RulePackError(f"{_FILE}, {rule_id}: name at least one source.")
    if unknown := [key for key in keys if key not in sources]:
        raise RulePackError(f"{_FILE}, {rule_id}: {unknown[0]} is not in [sources].")
    return Rule(
        id=rule_id,
        title=texts["title"],
        precondition=texts["precondition"],
        consequence=texts["consequence"],
        text_seen=texts["text_seen"],
        remedies=_remedies(_strings(table, "remedies", rule_id), rule_id, ladder),
        status=status,
        sources=tuple(sources[key] for key in keys),
        note=note,
    )


def _strings(table: Mapping[str, object], key: str, rule_id: str) -> tuple[str, ...]:
    value = table.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise RulePackError(f"{_FILE}, {rule_id}: {key} is a list of texts.")
    return tuple(value)


def _remedies(entries: tuple[str, ...], rule_id: str, ladder: Mapping[str, str]) -> tuple[str, ...]:
    """Spell out the letters; they must climb down the ladder, since people take the first remedy offered."""
    rungs = [list(RemedyId).index(RemedyId(entry)) for entry in entries if entry in ladder]
    if rungs != sorted(set(rungs)):
        raise RulePackError(f"{_FILE}, {rule_id}: order the remedies' letters from most to least secure.")
    for entry in entries:
        if len(entry) <= 2 and entry not in ladder:
            raise RulePackError(f"{_FILE}, {rule_id}: the remedy {entry} is not in [remedies].")
    return tuple(ladder.get(entry, entry) for entry in entries)
