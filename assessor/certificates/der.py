"""A reader of DER, as far as certificates need it, and as forgiving as OpenSSL's.

``cryptography`` refuses whole certificates, or all of their extensions, for faults that the clients we speak of never
look at: a default written out, a name in UniversalString, a strange entry in a SAN. A client meets such a certificate
and does something with it; so must we. Every function raises :class:`DerError` and nothing else, and none recurses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


class DerError(ValueError):
    """The bytes are not what they should be; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its identifier octet, its content, and all of its bytes."""

    tag: int
    body: bytes
    whole: bytes

    @property
    def is_context(self) -> bool:
        """Context-specific: ``[0]`` and its like."""
        return self.tag & 0xC0 == 0x80


BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OBJECT, SEQUENCE, SET = 0x01, 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18

#: String types that OpenSSL turns into UTF-8, and their encodings; T61String is taken for Latin-1.
STRINGS = {
    0x0C: "utf-8",
    0x13: "latin-1",
    0x14: "latin-1",
    0x16: "latin-1",
    0x1A: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


def first(data: bytes) -> Element:
    """The element that ``data`` begins with; what follows it is left alone."""
    if len(data) < 2:
        raise DerError("cut short")
    tag, size, start = data[0], data[1], 2
    if tag & 0x1F == 0x1F:
        raise DerError("a tag of several bytes")
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or len(data) < 2 + count:
            raise DerError("a bad length")
        start = 2 + count
        size = int.from_bytes(data[2:start], "big")
    end = start + size
    if end > len(data):
        raise DerError("cut short")
    return Element(tag, data[start:end], data[:end])


def elements(data: bytes) -> tuple[Element, ...]:
    """All elements of ``data``, which must hold nothing else."""
    found: list[Element] = []
    at = 0
    view = memoryview(data)
    while at < len(data):
        # A header has at most six bytes; the content is sliced once.
        element = _at(view, at)
        found.append(element)
        at += len(element.whole)
    return tuple(found)


def _at(view: memoryview, at: int) -> Element:
    header = bytes(view[at : at + 6])
    if len(header) < 2:
        raise DerError("cut short")
    size = header[1]
    total = 2 + size
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4:
            raise DerError("a bad length")
        total = 2 + count + int.from_bytes(header[2 : 2 + count], "big")
    return first(bytes(view[at : at + total]))


def children(element: Element, tag: int = SEQUENCE) -> tuple[Element, ...]:
    """The elements within ``element``, which must have the identifier ``tag``."""
    return elements(expect(element, tag).body)


def expect(element: Element, tag: int) -> Element:
    """``element`` itself, if it has the identifier ``tag``."""
    if element.tag != tag:
        raise DerError(f"tag {element.tag:#04x} in place of {tag:#04x}")
    return element


def boolean(element: Element) -> bool:
    """A BOOLEAN; any byte but zero is true."""
    if element.tag != BOOLEAN or len(element.body) != 1:
        raise DerError("no boolean")
    return element.body != b"\x00"


def integer(element: Element, tag: int = INTEGER) -> int:
    """An INTEGER of any size, negative ones included."""
    if element.tag != tag or not element.body:
        raise DerError("no integer")
    if len(element.body) > 1 and element.body[0] in (0x00, 0xFF) and not (element.body[0] ^ element.body[1]) & 0x80:
        raise DerError("an integer with needless bytes")
    return int.from_bytes(element.body, "big", signed=True)


def bits(element: Element, tag: int = BIT_STRING) -> bytes:
    """A BIT STRING's bytes, its unused bits cleared."""
    if element.tag != tag or not element.body or element.body[0] > 7:
        raise DerError("no bit string")
    unused, data = element.body[0], bytearray(element.body[1:])
    if data:
        data[-1] &= 0xFF << unused & 0xFF
    return bytes(data)


def octets(element: Element, tag: int = OCTET_STRING) -> bytes:
    """An OCTET STRING's bytes."""
    return expect(element, tag).body


def oid(element: Element, tag: int = OBJECT) -> str:
    """An OBJECT IDENTIFIER, dotted."""
    body = expect(element, tag).body
    if not body or body[-1] & 0x80 or len(body) > 64:
        raise DerError("no object identifier")
    numbers: list[int] = []
    value, starts = 0, True
    for byte in body:
        if starts and byte == 0x80:
            raise DerError("an object identifier with needless bytes")
        value = value << 7 | byte & 0x7F
        starts = not byte & 0x80
        if starts:
            numbers.append(value)
            value = 0
    top = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (top, numbers[0] - 40 * top, *numbers[1:]))


def string(element: Element) -> str | None:
    """The text of a string type; ``None`` for a type that has no text for OpenSSL."""
    encoding = STRINGS.get(element.tag)
    if encoding is None:
        return None
    try:
        return element.body.decode(encoding)
    except UnicodeDecodeError:
        raise DerError(f"a string that is not {encoding}") from None


def instant(element: Element) -> datetime | None:
    """A time of X.509; ``None`` where the form is wrong, which OpenSSL finds out only when it compares."""
    size = {UTC_TIME: 13, GENERALIZED_TIME: 15}.get(element.tag)
    if size is None:
        raise DerError("no time")
    text = element.body.decode("ascii", "replace")
    if len(text) != size or text[-1] != "Z" or not (text[:-1].isascii() and text[:-1].isdigit()):
        return None
    if element.tag == UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
