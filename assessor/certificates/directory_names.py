"""Directory names: the subject and issuer of a certificate, as text for people and in the form OpenSSL compares."""

from __future__ import annotations

from dataclasses import dataclass

from assessor.certificates import der
from assessor.certificates.der import DerError, Element

COMMON_NAME, ORGANISATION, EMAIL = "2.5.4.3", "2.5.4.10", "1.2.840.113549.1.9.1"
IA5_STRING = 0x16

#: Short names of RFC 4514 section 3; all other types are shown as dotted numbers.
_SHORT = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
_BLANKS = " \t\n\v\f\r"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One part of a name: its type, its string type, its text (``None`` if it has none) and its bytes."""

    kind: str
    tag: int
    text: str | None
    body: bytes

    @property
    def shown(self) -> str:
        """The text, or the bytes in hex where there is none."""
        return self.text if self.text is not None else f"#{self.body.hex()}"

    @property
    def canonical(self) -> tuple[str, int, str]:
        """As OpenSSL compares it: blanks collapsed, ASCII folded to lower case, string types alike."""
        if self.text is None:
            return self.kind, self.tag, self.body.hex()
        words = self.text.strip(_BLANKS)
        for blank in _BLANKS:
            words = words.replace(blank, " ")
        words = " ".join(word for word in words.split(" ") if word)
        return self.kind, 0, "".join(each.lower() if each.isascii() else each for each in words)


#: Relative names from the top down; each has one attribute, rarely more.
DirectoryName = tuple[tuple[Attribute, ...], ...]


def read_name(element: Element) -> DirectoryName:
    """Read a ``Name``. Raises :class:`DerError`."""
    return tuple(
        tuple(_attribute(each) for each in der.children(relative, der.SET)) for relative in der.children(element)
    )


def _attribute(element: Element) -> Attribute:
    parts = der.children(element)
    if len(parts) != 2:
        raise DerError("a name of another form")
    return Attribute(der.oid(parts[0]), parts[1].tag, der.string(parts[1]), parts[1].body)


def canonical_name(name: DirectoryName) -> tuple[tuple[tuple[str, int, str], ...], ...]:
    """A name as OpenSSL compares it (crypto/x509/x_name.c, ``x509_name_canon``): the order of its parts counts."""
    return tuple(tuple(sorted(attribute.canonical for attribute in relative)) for relative in name)


def attributes(name: DirectoryName, kind: str) -> tuple[Attribute, ...]:
    """Every attribute of one type, in order."""
    return tuple(attribute for relative in name for attribute in relative if attribute.kind == kind)


def shown_name(name: DirectoryName) -> str:
    """RFC 4514 text: the last relative name first."""
    return ",".join(
        "+".join(f"{_SHORT.get(attribute.kind, attribute.kind)}={_escaped(attribute)}" for attribute in relative)
        for relative in reversed(name)
    )


def _escaped(attribute: Attribute) -> str:
    if attribute.text is None:
        return attribute.shown
    text = "".join("\\00" if each == "\0" else f"\\{each}" if each in '\\",+;<>' else each for each in attribute.text)
    if text[:1] in ("#", " "):
        text = "\\" + text
    return text[:-1] + "\\ " if text.endswith(" ") and text != "\\ " else text
