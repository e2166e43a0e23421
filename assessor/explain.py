"""What a rule, an edge of a snapshot or an error message means: cause, deciding facts, checks, remedies.

Pure: text in, explanations out. Messages are recognised by number, which no translation changes, and by text.
The texts are data, ``explanations.toml`` beside this file; the lists of OpenSSL texts and Windows codes come from
``clients/errors.toml``. Source: clients.md, section 2, and sql-server-2025-changes.md, section 1.9; each entry
names its own.

Order of matching. A message that names its cause goes before one that several causes give, and that before a
wrapper such as 7303, which says nothing by itself. Where the text names a cause, a number is not asked: SqlClient on
Linux and macOS reports -2146893019 for every certificate problem (clients.md, section 7, trap 1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import islice
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from assessor.clients.errors import signed, status_codes, verify_texts
from assessor.clients.outcome import ReasonClass
from assessor.data_files import read_as
from assessor.errors import UsageError
from assessor.judge.rules import Rule, find_rule, load_rules
from assessor.report.text import prose, shorten, visible
from assessor.snapshot import AssessedEdge, Snapshot

_FILE = "assessor/explanations.toml"
LONGEST_MESSAGE = 64 * 1024
"""Characters of a message that are looked at; nobody pastes more on purpose."""

_GAP = r".{0,200}?"
_MOST_MATCHES = 5  # of one text in one message: more say nothing new, and cost time
_RULE_ID = re.compile(r"[A-Za-z]{2}-[0-9]{1,3}")
_BARE_NUMBER = re.compile(r"(?:(?:msg|error|fehler|erreur|meldung|number)\W{0,3})?(-?[0-9]+|0x[0-9a-f]+)")
_HEX = re.compile(r"(?<![0-9a-z])0x([89a-f][0-9a-f]{7})(?![0-9a-z])")
_STATUS = re.compile(r"(?<![\w.])-?[0-9]{9,10}(?![\w])")
_MESSAGE_NUMBER = re.compile(r"(?:^|(?<=[\s(\[:#'\"]))([0-9]{3,5})(?=$|[\s,.;:)\]'\"])")
# What a number is, where it is no error number, and what must stand before one too short to be known by itself.
_PLACE_BEFORE = re.compile(r"(?:line|zeile|ligne|línea|port|state|level|severity|class|row|pid)[\s:]*$")
_ERROR_BEFORE = re.compile(r"(?:\(|\b(?:error|err|msg|number|code|fehler|erreur|meldung|errno)[\s:#]*)$")
# "(provider: SQL Network Interfaces, error: 26 - ...", in any language, but not "State:0,Class:20 ---".
_NETWORK_NUMBER = re.compile(r"\([^()]{2,100}[,;] ?[^\W\d]{2,20} ?: ?([0-9]{1,2}) ?[-–—]")
_LINKED_SERVER = re.compile(r'linked server "([^"]{1,128})"', re.IGNORECASE)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "«": '"', "»": '"', "−": "-"})
_SPACES = re.compile(r"\s+")

# SqlClient's managed network layer (Linux, macOS) is known by these words; its number then says nothing.
_MANAGED_NUMBER = -2146893019
_MANAGED_MARKS = (
    "remotecertificatevalidationcallback",
    "authenticationexception",
    "an internal exception was caught",
    "provider: tcp provider, error: 35",
    "certificate failed chain validation",
    "certificate name mismatch",
)


class NotRecognised(UsageError):
    """Nothing is known by this name, number or text."""


class ExplanationsError(UsageError):
    """``explanations.toml`` was edited into something that can't be used; the sentence says where."""


class Kind(StrEnum):
    """What was asked about."""

    RULE = "rule"
    EDGE = "edge"
    MESSAGE = "message"


class Strength(StrEnum):
    """How much a message says about its cause; the order is the order of preference."""

    SPECIFIC = "specific"
    VAGUE = "vague"
    WRAPPER = "wrapper"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One answer, in sentences; every string is safe to print. Empty parts are left out when it is drawn."""

    kind: Kind
    id: str  #: of the rule, the edge or the cause
    title: str
    strength: Strength  #: how sure a message is about it; ``specific`` for rules and edges
    recognised_by: tuple[str, ...]  #: the words and numbers of the message that gave it away
    when: str  #: a rule's precondition
    cause: tuple[str, ...]
    decided_by: tuple[str, ...]  #: the facts of an assessment that decide it
    check: tuple[str, ...]
    remedies: tuple[str, ...]  #: most secure first
    notes: tuple[str, ...]
    rules: tuple[str, ...]  #: ``LS-01 title``
    sources: tuple[str, ...]


def explain(what: str, snapshot: Snapshot | None = None) -> tuple[Explanation, ...]:
    """Explain a rule id, an edge of ``snapshot`` (by id, or by name where only one edge has it), or a message.

    The first explanation is the likeliest; there are several when a message names several causes, as .NET's does.
    Raises :class:`NotRecognised` when nothing is known, with a sentence that says what to try.
    """
    asked = what.strip()
    if not asked:
        raise NotRecognised("Say what to explain: a rule id, an error message, or an edge id with --snapshot.")
    if len(asked) > LONGEST_MESSAGE:
        raise NotRecognised(f"This is longer than {LONGEST_MESSAGE} characters; paste the message only.")
    if snapshot is not None:
        edge = _find_edge(asked, snapshot)
        if edge is not None:
            return (explain_edge(edge),)
    rule = find_rule(asked)
    if rule is not None:
        return (explain_rule(rule),)
    if _RULE_ID.fullmatch(asked):
        raise NotRecognised(f"There is no rule {visible(asked.upper())}; docs/rules.md lists them all.")
    return explain_message(asked, with_snapshot=snapshot is not None)


def explain_rule(rule: Rule) -> Explanation:
    """A rule of the pack, with the checks of the causes that name it."""
    # The checks of a vague cause speak of the message ("look above this line"), which a rule has not.
    named = (entry for entry in _catalogue().causes if rule.id in entry.rules)
    causes = [entry for entry in named if entry.strength is Strength.SPECIFIC]
    notes = [f"Standing of this rule: {rule.status}.", *([rule.note] if rule.note else [])]
    if rule.text_seen:
        notes.insert(0, f"What is seen: {rule.text_seen}")
    return Explanation(
        kind=Kind.RULE,
        id=rule.id,
        title=rule.title,
        strength=Strength.SPECIFIC,
        recognised_by=(),
        when=rule.precondition,
        cause=(rule.consequence,),
        decided_by=_unique(fact for entry in causes[:1] for fact in entry.decided_by),
        check=_unique(step for entry in causes[:1] for step in entry.check),
        remedies=rule.remedies,
        notes=tuple(notes),
        rules=(),
        sources=rule.sources,
    )


def explain_edge(edge: AssessedEdge) -> Explanation:
    """An edge of a snapshot: its verdict, as it was judged, with everything that made it."""
    rules = [rule for rule_id in edge.rules if (rule := find_rule(rule_id)) is not None]
    notes = [f"Assumed: {prose(text)}" for text in edge.assumptions]
    if edge.error is not None:
        number = f"{edge.error.number}: " if edge.error.number is not None else ""
        notes.insert(0, f"Error to expect: {number}{prose(edge.error.text)}")
    outcomes = [
        f"{moment}: {prose(outcome.explanation)}"
        for moment, outcome in (("Today", edge.before), ("After the upgrade", edge.after))
        if outcome is not None
    ]
    target = edge.data_source or edge.target
    return Explanation(
        kind=Kind.EDGE,
        id=visible(edge.id),
        title=f"{visible(edge.source)} → {visible(edge.target)}, {visible(edge.name)}: "
        + edge.verdict.replace("_", " "),
        strength=Strength.SPECIFIC,
        recognised_by=(),
        when="",
        cause=tuple(prose(reason) for reason in edge.reasons),
        decided_by=tuple(outcomes),
        check=(f"assessor probe {visible(target)}", *(prose(step) for step in edge.missing)),
        remedies=tuple(
            " ".join(prose(part) for part in (f"{remedy.title.rstrip('.')}.", remedy.detail, remedy.price) if part)
            for remedy in edge.remedies
        ),
        notes=tuple(notes),
        rules=tuple(f"{rule.id} {rule.title}" for rule in rules),
        sources=_unique(source for rule in rules for source in rule.sources),
    )


def explain_message(message: str, *, with_snapshot: bool = False) -> tuple[Explanation, ...]:
    """The causes that a message names, the likeliest first. Raises :class:`NotRecognised`."""
    text = _normalise(message[:LONGEST_MESSAGE])
    matches = _by_text(text)
    if not any(match.cause.strength is Strength.SPECIFIC for match in matches):
        matches += [match for match in _by_number(text) if match not in matches]
    if not matches:
        shown = visible(shorten(_SPACES.sub(" ", message), 60))
        hint = (
            "no edge of this snapshot has that id, and no message or number that we know is in it"
            if with_snapshot
            else "if it is the id of an edge, add --snapshot FILE"
        )
        raise NotRecognised(
            f"Not recognised: {shown}. Paste the whole message with its numbers; {hint}. "
            "`assessor probe TARGET` says what is wrong at the target without any message."
        )
    strongest = min((match.cause.strength for match in matches), key=list(Strength).index)
    kept = [match for match in matches if match.cause.strength is strongest]
    order = {entry.id: position for position, entry in enumerate(_catalogue().causes)}
    causes = sorted({match.cause.id: match.cause for match in kept}.values(), key=lambda each: order[each.id])
    linked_server = _LINKED_SERVER.search(message.translate(_QUOTES))
    titles = {rule.id: rule.title for rule in load_rules()}
    catalogue = _catalogue()
    explanations = []
    for cause in causes:
        notes = [cause.note] if cause.note else []
        if linked_server is not None:
            notes.append(f"The message is about the linked server {visible(linked_server[1])}.")
        if len(causes) > 1:
            notes.append("The message names more than one cause; each must be mended.")
        numbers_only = all(match.number is not None for match in kept if match.cause is cause)
        if numbers_only and any(match.number == _MANAGED_NUMBER for match in kept):
            notes.append(
                "Recognised by its number only. From .NET on Linux or macOS this number says no more than "
                "'certificate rejected'; the inner exception names the cause."
            )
        explanations.append(
            Explanation(
                kind=Kind.MESSAGE,
                id=cause.id,
                title=cause.title,
                strength=cause.strength,
                recognised_by=_unique(visible(match.seen) for match in kept if match.cause is cause),
                when="",
                cause=(cause.cause,),
                decided_by=cause.decided_by,
                check=cause.check,
                remedies=cause.remedies,
                notes=tuple(notes),
                rules=tuple(f"{rule_id} {titles[rule_id]}" for rule_id in cause.rules),
                sources=tuple(catalogue.sources[key] for key in cause.sources),
            )
        )
    return tuple(explanations)


def covered_reasons() -> frozenset[ReasonClass]:
    """The reasons that some message is explained by; the tests hold it against the error table."""
    return frozenset(reason for entry in _catalogue().causes for reason in entry.reasons)


def reasons_of(cause_id: str) -> tuple[ReasonClass, ...]:
    """The reasons that a cause stands for; empty when it is none that we predict."""
    return next(entry.reasons for entry in _catalogue().causes if entry.id == cause_id)


def _find_edge(asked: str, snapshot: Snapshot) -> AssessedEdge | None:
    """The edge by its id or name, raw or as reports print it; people copy from reports."""

    def spellings(text: str) -> set[str]:
        return {each.strip().casefold() for each in (text, visible(text), prose(text))}

    wanted = asked.casefold()
    by_id = [edge for edge in snapshot.edges if wanted in spellings(edge.id)]
    named = by_id or [edge for edge in snapshot.edges if wanted in spellings(edge.name)]
    exact = [edge for edge in named if asked in (edge.id, visible(edge.id))]
    if len(exact) == 1:
        return exact[0]
    if len(named) > 1:
        ids = ", ".join(visible(edge.id) for edge in named[:10])
        more = f" and {len(named) - 10} more" if len(named) > 10 else ""
        raise NotRecognised(f"{len(named)} edges have the name {visible(asked)}; give one id: {ids}{more}.")
    return named[0] if named else None


# ----------------------------------------------------------------------------------------------------- recognition


@dataclass(frozen=True, slots=True)
class _Match:
    cause: _Cause
    seen: str  #: the words or the number, as found
    start: int
    end: int
    number: int | None = None


def _normalise(text: str) -> str:
    return _SPACES.sub(" ", text.translate(_QUOTES).casefold())


def _by_text(text: str) -> list[_Match]:
    """Every sign in the text, save those that are only a part of a longer one."""
    found = [
        _Match(cause, each[0], each.start(), each.end())
        for cause, pattern in _signs()
        for each in islice(pattern.finditer(text), _MOST_MATCHES)
    ]
    return [
        match
        for match in found
        if not any(
            other.cause is not match.cause
            and other.start <= match.start
            and match.end <= other.end
            and other.end - other.start > match.end - match.start
            for other in found
        )
    ]


def _by_number(text: str) -> list[_Match]:
    catalogue = _catalogue()
    managed = any(mark in text for mark in _MANAGED_MARKS)
    matches = []
    bare = _BARE_NUMBER.fullmatch(text.strip()) is not None
    for number, where in _numbers(text):
        cause = catalogue.numbers.get(number) or (catalogue.network.get(number) if bare else None)
        if number == _MANAGED_NUMBER and managed:
            cause = catalogue.by_id("certificate_rejected")
        if cause is not None:
            matches.append(_Match(cause, where[0].strip(), where.start(), where.end(), number))
    for where in _NETWORK_NUMBER.finditer(text):
        cause = catalogue.network.get(int(where[1]))
        if cause is not None:
            matches.append(_Match(cause, where[0].strip(" (-–—"), where.start(), where.end(), int(where[1])))
    return matches


def _numbers(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Every number of a message that may be an error number, as drivers print it: status codes signed."""
    bare = _BARE_NUMBER.fullmatch(text.strip())
    if bare is not None:
        number = int(bare[1], 0) if bare[1].startswith("0x") else int(bare[1].lstrip("-")[:12])
        yield (-number if bare[1].startswith("-") else signed(number)), bare
        return
    for where in _HEX.finditer(text):
        yield signed(int(where[1], 16)), where
    for where in _STATUS.finditer(text):
        number = int(where[0])
        yield (signed(number) if number < 1 << 32 else number), where
    for where in _MESSAGE_NUMBER.finditer(text):
        before = text[max(0, where.start() - 20) : where.start()]
        if _PLACE_BEFORE.search(before) or (len(where[1]) < 4 and not _ERROR_BEFORE.search(before)):
            continue
        yield int(where[1]), where


@cache
def _signs() -> tuple[tuple[_Cause, re.Pattern[str]], ...]:
    """Each text by which a cause is known, as a pattern that takes bounded time."""
    texts: list[tuple[_Cause, str]] = []
    catalogue = _catalogue()
    for cause in catalogue.causes:
        texts += [(cause, text) for text in cause.texts]
    for entry in verify_texts():
        cause = catalogue.by_reason(entry.reasons[0])
        texts += [(cause, text) for text in entry.spellings]
    for code in status_codes():
        texts.append((catalogue.by_reason(code.reasons[0]), code.symbol))
    return tuple((cause, _pattern(text)) for cause, text in texts)


def _pattern(text: str) -> re.Pattern[str]:
    parts = [re.escape(_normalise(part)) for part in text.split("<...>")]
    before = r"(?<!\w)" if text[0].isalnum() and text[0].isascii() else ""
    return re.compile(before + _GAP.join(parts))


# ------------------------------------------------------------------------------------------------- the file's form

_Text = Annotated[str, StringConstraints(min_length=1)]


class _Cause(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _Text
    strength: Strength
    title: _Text
    cause: _Text
    decided_by: tuple[_Text, ...]
    check: tuple[_Text, ...]
    remedies: tuple[_Text, ...]
    rules: tuple[_Text, ...]
    sources: tuple[_Text, ...]
    reasons: tuple[ReasonClass, ...] = ()
    texts: tuple[_Text, ...] = ()
    numbers: tuple[int, ...] = ()
    network: tuple[int, ...] = ()
    note: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: dict[str, _Text]
    causes: tuple[_Cause, ...]


@dataclass(frozen=True, slots=True)
class _Catalogue:
    sources: dict[str, str]
    causes: tuple[_Cause, ...]
    numbers: dict[int, _Cause]
    network: dict[int, _Cause]

    def by_id(self, cause_id: str) -> _Cause:
        return next(cause for cause in self.causes if cause.id == cause_id)

    def by_reason(self, reason: ReasonClass) -> _Cause:
        """The cause that stands for the reason: the first in the file that names it."""
        return next(cause for cause in self.causes if reason in cause.reasons)


@cache
def _catalogue() -> _Catalogue:
    text = resources.files("assessor").joinpath("explanations.toml").read_text(encoding="utf-8")
    return _parse(text)


def _parse(text: str) -> _Catalogue:
    raw = read_as(_File, text, _FILE, ExplanationsError)
    known_rules = {rule.id for rule in load_rules()}
    ids: set[str] = set()
    numbers: dict[int, _Cause] = {}
    network: dict[int, _Cause] = {}
    for cause in raw.causes:
        if cause.id in ids:
            raise ExplanationsError(f"{_FILE}: {cause.id} is there twice.")
        ids.add(cause.id)
        if strange := sorted(set(cause.sources) - set(raw.sources)):
            raise ExplanationsError(f"{_FILE}, {cause.id}: {strange[0]} is not in [sources].")
        if strange := sorted(set(cause.rules) - known_rules):
            raise ExplanationsError(f"{_FILE}, {cause.id}: there is no rule {strange[0]}.")
        for table, given in ((numbers, cause.numbers), (network, cause.network)):
            for number in given:
                if number in table:
                    raise ExplanationsError(f"{_FILE}: {cause.id} and {table[number].id} both claim {number}.")
                table[number] = cause
    catalogue = _Catalogue(dict(raw.sources), raw.causes, numbers, network)
    for code in status_codes():
        numbers.setdefault(code.number, catalogue.by_reason(code.reasons[0]))
    return catalogue


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
