"""T-SQL as words: a small tokenizer for module texts and job steps, and what in them leads to another server.

No parser: it knows comments, strings and quoted names, so that what stands in a comment is not taken for code. Code
in strings (dynamic SQL) is read as well, as far as it stands there whole. Lexical rules: sql-docs
``t-sql/language-elements/slash-star-comment-transact-sql.md`` (comments nest) and
``relational-databases/databases/database-identifiers.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"  #: keyword, plain name, number or variable
    NAME = "name"  #: in brackets or double quotes
    STRING = "string"
    SIGN = "sign"  #: one character


@dataclass(frozen=True, slots=True)
class Token:
    """One token; ``text`` is without quotes, doubled quotes made single."""

    kind: Kind
    text: str
    is_open: bool = False  #: the closing quote is missing, so nobody knows where it ends

    def is_word(self, *words: str) -> bool:
        """It is one of these plain words, in any case."""
        return self.kind is Kind.WORD and self.text.lower() in words

    def is_sign(self, sign: str) -> bool:
        """It is this character."""
        return self.kind is Kind.SIGN and self.text == sign


_SPACE = re.compile(r"\s+")
_LINE_COMMENT = re.compile(r"--[^\r\n]*")
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_WORD = re.compile(r"[\w@#$]+")
_CLOSING: Final = {"[": "]", '"': '"', "'": "'"}


def tokens(text: str) -> Iterator[Token]:
    """The tokens of ``text``, comments left out. Never raises: text that is no T-SQL gives tokens, too."""
    position = 0
    while position < len(text):
        if found := _SPACE.match(text, position) or _LINE_COMMENT.match(text, position):
            position = found.end()
        elif text.startswith("/*", position):
            position = _end_of_comment(text, position)
        elif text[position] in _CLOSING:
            token, position = _quoted(text, position)
            yield token
        elif text[position] in "nN" and text.startswith("'", position + 1):
            token, position = _quoted(text, position + 1)
            yield token
        elif word := _WORD.match(text, position):
            position = word.end()
            yield Token(Kind.WORD, word.group())
        else:
            yield Token(Kind.SIGN, text[position])
            position += 1


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for edge in _BLOCK_EDGE.finditer(text, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def _quoted(text: str, start: int) -> tuple[Token, int]:
    closing = _CLOSING[text[start]]
    kind = Kind.STRING if closing == "'" else Kind.NAME
    content: list[str] = []
    position = start + 1
    while True:
        close = text.find(closing, position)
        if close < 0:
            content.append(text[position:])
            return Token(kind, "".join(content), is_open=True), len(text)
        content.append(text[position:close])
        if not text.startswith(closing, close + 1):
            return Token(kind, "".join(content)), close + 1
        content.append(closing)
        position = close + 2


# ---------------------------------------------------------------------------------------------- what leads elsewhere

OPENROWSET: Final = "OPENROWSET"
OPENDATASOURCE: Final = "OPENDATASOURCE"
_DEEPEST: Final = 3  #: strings in strings in strings
_PROVIDER_CALL = re.compile(r"openrowset|opendatasource", re.IGNORECASE)
_DYNAMIC = re.compile(r"openrowset|opendatasource|xp_cmdshell", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One OPENROWSET or OPENDATASOURCE with a provider, as written: **with its secrets**; redact what is kept.

    ``is_known`` is ``False`` when an argument is put together at run time or cut off.
    """

    function: str
    provider: str | None
    data_source: str | None
    provider_string: str | None
    is_three_part: bool
    is_known: bool


def provider_calls(text: str) -> tuple[ProviderCall, ...]:
    """Every ad hoc call in ``text``, dynamic SQL included. ``BULK``, which reads a file, is none."""
    return tuple(_provider_calls(tuple(tokens(text)), 0)) if _PROVIDER_CALL.search(text) else ()


def _provider_calls(found: Sequence[Token], depth: int) -> Iterator[ProviderCall]:
    for number, token in enumerate(found):
        if token.is_word("openrowset", "opendatasource") and _at(found, number + 1).is_sign("("):
            if not _at(found, number + 2).is_word("bulk"):
                yield _call(token.text.upper(), found, number + 2)
        elif token.kind is not Kind.WORD and depth < _DEEPEST and _DYNAMIC.search(token.text):
            yield from _provider_calls(tuple(tokens(token.text)), depth + 1)


_END = Token(Kind.SIGN, "")


def _at(found: Sequence[Token], number: int) -> Token:
    return found[number] if number < len(found) else _END


def _call(function: str, found: Sequence[Token], start: int) -> ProviderCall:
    arguments, is_whole = _arguments(found, start, 4 if function == OPENROWSET else 3)
    provider = arguments[0].text if arguments and arguments[0] is not None else None
    rest = arguments[1:]
    if function == OPENROWSET and len(rest) >= 3 and is_whole:
        source = rest[0]
        return ProviderCall(
            function, provider, source.text if source else None, None, True, provider is not None and source is not None
        )
    string = rest[0] if rest else None
    known = is_whole and provider is not None and string is not None
    return ProviderCall(function, provider, None, string.text if string and known else None, False, known)


def _arguments(found: Sequence[Token], start: int, most: int) -> tuple[list[Token | None], bool]:
    """The literals that begin a call: the provider and then one, or three between semicolons. ``None``: no literal.

    The second value is ``False`` when the call is cut off or its second argument is an expression.
    """
    arguments: list[Token | None] = []
    position = start
    while len(arguments) < most:
        token, after = _at(found, position), _at(found, position + 1)
        is_literal = token.kind in (Kind.STRING, Kind.NAME) and not token.is_open
        arguments.append(token if is_literal else None)
        if not is_literal and not (token.kind is Kind.WORD and token.text.startswith("@")):
            return arguments, False
        if (len(arguments) == 1 and after.is_sign(",")) or (len(arguments) > 1 and after.is_sign(";")):
            position += 2
        else:
            return arguments, len(arguments) > 1 and (after.is_sign(",") or after.is_sign(")"))
    return arguments, True


def shell_commands(text: str) -> tuple[str, ...]:
    """The literal command lines that ``xp_cmdshell`` is given, **with their secrets**; ``""`` for one that is computed."""
    return tuple(_shell_commands(tuple(tokens(text)), 0)) if "xp_cmdshell" in text.lower() else ()


def _shell_commands(found: Sequence[Token], depth: int) -> Iterator[str]:
    for number, token in enumerate(found):
        if token.kind is not Kind.STRING and token.text.lower() == "xp_cmdshell":
            position = number + 1
            if _at(found, position).text.startswith("@") and _at(found, position + 1).is_sign("="):
                position += 2
            argument, after = _at(found, position), _at(found, position + 1)
            if argument.kind is Kind.STRING and not argument.is_open and not after.is_sign("+"):
                yield argument.text
            elif argument.kind is Kind.STRING or argument.text.startswith("@"):
                yield ""
        elif token.kind is Kind.STRING and depth < _DEEPEST and _DYNAMIC.search(token.text):
            yield from _shell_commands(tuple(tokens(token.text)), depth + 1)


def enables_ad_hoc_queries(text: str) -> bool:
    """It sets ``Ad Hoc Distributed Queries`` by itself, so that the setting as read says little."""
    return "ad hoc distributed" in text.lower() and any(
        token.kind is Kind.STRING and "ad hoc distributed queries" in token.text.lower() for token in tokens(text)
    )


def servers_used(text: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Which linked servers ``text`` uses. ``names`` is by :meth:`str.casefold`, and gives the name as defined.

    Four-part names, ``OPENQUERY(name, …)`` and ``EXEC … AT name``; in strings, too.
    """
    # Most texts name none: they need not be taken apart.
    return tuple(dict.fromkeys(_servers_used(tuple(tokens(text)), names, 0))) if _mentions(text, names) else ()


def _servers_used(found: Sequence[Token], names: Mapping[str, str], depth: int) -> Iterator[str]:
    for number, token in enumerate(found):
        if token.kind in (Kind.STRING, Kind.NAME) and depth < _DEEPEST and _mentions(token.text, names):
            yield from _servers_used(tuple(tokens(token.text)), names, depth + 1)
        if token.kind not in (Kind.WORD, Kind.NAME):
            continue
        name = names.get(token.text.casefold())
        if name is None:
            continue
        before = _at(found, number - 1) if number else _END
        is_opened = before.is_sign("(") and number > 1 and found[number - 2].is_word("openquery")
        is_first_of_four = not before.is_sign(".") and _begins_four_parts(found, number)
        if before.is_word("at") or is_opened or is_first_of_four:
            yield name


def _mentions(text: str, names: Mapping[str, str]) -> bool:
    if len(text) < 6:  # the shortest is a...b
        return False
    folded = text.casefold()
    # In code a closing bracket or a quote inside a name is doubled.
    return any(
        name in folded or name.replace("]", "]]") in folded or name.replace('"', '""') in folded for name in names
    )


def _begins_four_parts(found: Sequence[Token], number: int) -> bool:
    dots = 0
    position = number + 1
    while dots < 3 and _at(found, position).is_sign("."):
        dots += 1
        position += 1
        if dots < 3 and _at(found, position).kind in (Kind.WORD, Kind.NAME):
            position += 1
    return dots == 3 and _at(found, position).kind in (Kind.WORD, Kind.NAME)


def server_of_name(text: str) -> str | None:
    """The first of the four parts of an object's name, as synonyms store it; ``None`` with fewer parts."""
    found = tuple(tokens(text))
    if not found or found[0].kind not in (Kind.WORD, Kind.NAME) or not _begins_four_parts(found, 0):
        return None
    return found[0].text
