"""The command line of a replication agent: ``-Publisher [SQL01] -SubscriberPassword x -EncryptionLevel 2 -Continuous``.

It stands in the job step that runs the agent, with logins and passwords in clear, so reading and redacting are one
step here: nothing of a command leaves this module but values of switches that are known to be harmless.
Sources: sql-docs ``relational-databases/replication/agents/replication-distribution-agent.md``, 2025-05-30, and its
siblings for the other agents; catalog reference D.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MASK: Final = "***"

#: Switches whose value may be shown: names of servers, databases and publications, modes and numbers.
_HARMLESS_VALUES: Final = frozenset(
    {
        "distributionagentname", "distributiondb", "distributor", "distributorsecuritymode", "encryptionlevel",
        "packetsize", "profilename", "publication", "publisher", "publisherdb", "publisherfailoverpartner",
        "publishersecuritymode", "subscriber", "subscriberdb", "subscribersecuritymode", "subscribertype",
        "subscriptiontype",
    }
)  # fmt: skip
#: Switches that stand alone, and those whose value is masked but whose name is worth showing.
_HARMLESS_NAMES: Final = _HARMLESS_VALUES | frozenset(
    {
        "continuous", "distributorlogin", "distributorpassword", "publisherlogin", "publisherpassword",
        "subscriberlogin", "subscriberpassword", "usequickloadforsnapshot",
    }
)  # fmt: skip
_HARMLESS_VALUE: Final = re.compile(r"""[^;='"\x00-\x1f\x7f-\x9f\u2028\u2029]{1,256}""")
_LEVELS: Final = range(5)


@dataclass(frozen=True, slots=True)
class AgentCommand:
    """What a command line says, as far as it matters to its connections. ``None``: not said."""

    publisher: str | None
    publisher_database: str | None
    publication: str | None
    subscriber: str | None
    subscriber_database: str | None
    distributor: str | None
    encryption_level: int | None
    shown: str  #: the command line, all but harmless values masked


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    is_wrapped: bool  #: in brackets or quotes, so never a switch
    is_open: bool = False  #: the bracket or quote was never closed


def parse_agent_command(text: str) -> AgentCommand:
    """Read and redact in one; never raises, for what is stored is stored. Where a switch is repeated the last counts."""
    said: dict[str, str] = {}
    shown: list[str] = []
    tokens = list(_tokens(text))
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        if token.is_wrapped or not token.text.startswith("-"):
            shown.append(MASK)
            continue
        name = token.text[1:].lower()
        shown.append(token.text if name in _HARMLESS_NAMES else f"-{MASK}")
        following = tokens[position] if position < len(tokens) else None
        takes_anything = name not in _HARMLESS_VALUES and name != "continuous"
        if following is None or (_is_switch(following) and not (takes_anything and "password" in name)):
            continue
        position += 1
        if name in _HARMLESS_VALUES and not following.is_open and _HARMLESS_VALUE.fullmatch(following.text):
            said[name] = following.text
            shown.append(f"[{following.text}]" if following.is_wrapped else following.text)
        else:
            shown.append(MASK)
    level = said.get("encryptionlevel", "")
    return AgentCommand(
        publisher=said.get("publisher"),
        publisher_database=said.get("publisherdb"),
        publication=said.get("publication"),
        subscriber=said.get("subscriber"),
        subscriber_database=said.get("subscriberdb"),
        distributor=said.get("distributor"),
        encryption_level=encryption_level(level),
        shown=" ".join(shown),
    )


def encryption_level(text: str | None) -> int | None:
    """The value of ``-EncryptionLevel``, 0 to 4, or ``None`` when it is none of these."""
    bare = (text or "").strip()
    return int(bare) if re.fullmatch(r"[0-9]", bare) and int(bare) in _LEVELS else None


def _is_switch(token: _Token) -> bool:
    return not token.is_wrapped and token.text.startswith("-")


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        closing = {"[": "]", '"': '"', "'": "'"}.get(text[position])
        if closing is None:
            end = position
            while end < len(text) and not text[end].isspace():
                end += 1
            yield _Token(text[position:end], is_wrapped=False)
            position = end
            continue
        content: list[str] = []
        position += 1
        while True:
            close = text.find(closing, position)
            if close < 0:
                yield _Token("".join(content) + text[position:], is_wrapped=True, is_open=True)
                return
            content.append(text[position:close])
            position = close + 1
            if not text.startswith(closing, position):
                break
            content.append(closing)
            position += 1
        # What touches a closing bracket belongs to the same word: it may be the tail of a secret.
        end = position
        while end < len(text) and not text[end].isspace():
            end += 1
        yield _Token("".join(content), is_wrapped=True, is_open=end > position)
        position = end
