"""Strings that came from a server are data: make them safe to show, in one place, for console and cells
alike.

Nothing is dropped. What a terminal would obey, a reader would not see, or XML 1.0 forbids (section 2.2,
*Characters*, 5th edition, 2008) is replaced by a mark that can be seen, so that a doctored name looks
doctored.
"""

from __future__ import annotations

import re
import unicodedata

_BREAKS = re.compile(r"[ \t\r\n]*[\t\r\n][ \t\r\n]*")


def visible(text: str) -> str:
    """One line of text in which every character can be seen and none is obeyed. Idempotent.

    Control characters below U+0020 and U+007F become their control pictures (``ESC`` is ``␛``, a line feed
    ``␊``). Everything else without a shape of its own (C1 controls, bidirectional overrides and isolates,
    zero-width characters, line separators, lone surrogates, private and unassigned code points) becomes
    ``‹U+202E›`` and the like. Spaces of every width stay.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _mark(character) for character in text)


def visible_lines(text: str) -> str:
    """As :func:`visible`, but line feeds stay: for text that this package has broken into lines itself."""
    return "\n".join(visible(line) for line in text.split("\n"))


def prose(text: str) -> str:
    """A message from a server or driver as one line: its line breaks and tabs become single spaces, the
    rest is :func:`visible`. For sentences; a name keeps its oddities and wants :func:`visible`.
    """
    return visible(_BREAKS.sub(" ", text).strip(" "))


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters (at least 1), the last of them ``…`` when something was cut."""
    return text if len(text) <= limit else text[: max(limit, 1) - 1] + "…"


def _mark(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) == "Zs":
        return character
    return f"‹U+{code:04X}›"
