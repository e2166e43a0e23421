"""Connection options: what a definition says about encryption, parsed from its provider string.

The dialect is that of an OLE DB provider string: ``Keyword=value;``, keywords in any case, the first of two
wins, braces may wrap a value, a blank right after ``=`` belongs to the value (and so spoils it). The spaced
spellings of the other dialect (IDataInitialize) are recognised and set aside: they have no effect here.
Sources: sql-docs ``connect/oledb/applications/using-connection-string-keywords-with-oledb-driver-for-sql-
server.md``, 2020-09-30; ``connect/oledb/major-version-differences.md``, 2026-08-26; 2025 reference 1.2 and 1.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Encrypt(StrEnum):
    """The three encryption modes of the current drivers; older ones know the first two as no and yes."""

    OPTIONAL = "optional"
    MANDATORY = "mandatory"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What one definition states; ``None`` means it does not state it, and the driver's default holds."""

    encrypt: Encrypt | None = None
    trust_server_certificate: bool | None = None
    host_name_in_certificate: str | None = None
    server_certificate: str | None = None  #: path of a pinned certificate, on the source's disk
    authentication: str | None = None  #: new-style ``Authentication=``; changes driver 18's defaults
    has_user_id_keyword: bool = False  #: ``User ID=`` is present (the cure of Msg 7416)
    has_text: bool = False  #: the definition has a provider string at all
    invalid: tuple[str, ...] = ()  #: ``Keyword=value`` pairs that a driver may refuse
    ineffective: tuple[str, ...] = ()  #: spaced spellings, which have no effect in a provider string
    encrypt_word: str | None = None  #: ``Encrypt``'s value as written: driver 18 knows only yes and no
    server: str | None = None  #: ``Address=`` or ``Server=``; dialled where the definition has no data source
    read_only_intent: bool = False  #: ``ApplicationIntent=ReadOnly``: a listener sends the session on to a replica
    failover_partner: str | None = None  #: dialled when the first server does not answer
    driver: str | None = None  #: ``Driver=`` of an MSDASQL string, without braces


MASK: Final = "***"

#: What each word means to driver 19. Driver 18 takes ``yes`` and ``no`` only (2025 reference 1.2).
ENCRYPT_WORDS: Final = {
    "no": Encrypt.OPTIONAL,
    "false": Encrypt.OPTIONAL,
    "optional": Encrypt.OPTIONAL,
    "yes": Encrypt.MANDATORY,
    "true": Encrypt.MANDATORY,
    "mandatory": Encrypt.MANDATORY,
    "strict": Encrypt.STRICT,
}

#: The other dialect's spellings of the encryption keywords.
SPACED_KEYWORDS: Final = frozenset(
    {
        "use encryption for data",
        "trust server certificate",
        "host name in certificate",
        "server certificate",
    }
)

#: Keywords whose value may be shown. All others are masked, so a keyword nobody thought of can't leak.
HARMLESS_KEYWORDS: Final = SPACED_KEYWORDS | frozenset(
    {
        "address", "addr", "ansinpw", "app", "application intent", "application name", "applicationintent",
        "authentication", "auto translate", "autotranslate", "catalog", "chunksize", "connect timeout",
        "connection timeout", "connectretrycount", "connectretryinterval", "current language", "data source",
        "database", "datatypecompatibility", "driver", "encrypt", "failover partner", "failover_partner",
        "failoverpartner", "failoverpartnerspn", "fetchsize", "general timeout", "hdr", "hostnameincertificate",
        "imex", "initial catalog", "integrated security", "ipaddresspreference", "language", "location",
        "login timeout", "mars connection", "mars_connection", "multi subnet failover",
        "multisubnetfailover", "net", "network", "network address", "network library", "option",
        "packet size", "packetsize",
        "persist security info", "pooling", "port", "provider", "query timeout", "quotedid", "regional",
        "server", "servercertificate", "serverspn", "timeout", "transparentnetworkipresolution", "trusted_connection",
        "trustservercertificate", "use encryption", "usefmtonly", "workstation id", "wsid",
    }
)  # fmt: skip

#: Keywords that hold a secret or a login: their value is masked, but their name is worth showing.
KNOWN_SECRET_KEYWORDS: Final = frozenset(
    {"uid", "user id", "user", "user name", "username", "pwd", "password", "old password", "new password"}
)

_KEYWORD_END = re.compile("[;=]")
#: Provider strings, or first parts of one, that are no ``keyword=value`` and hold no secret: driver names and
#: file formats that definitions of non-SQL providers carry (corpus of definitions found in public scripts).
_HARMLESS_WORDS = re.compile(
    r"excel \d{1,2}\.\d(?: (?:xml|macro))?|text|dbase (?:iii|iv|5\.0)|(?:adsdsoobject|vfpoledb|msdasql)(?:\.\d)?",
    re.IGNORECASE,
)
_HARMLESS_VALUE = re.compile(r"""[^;={}'"\x00-\x1f\x7f-\x9f\u2028\u2029]{0,400}""")
_USER_AND_PASSWORD = re.compile(r":[^/\\]*@|://[^/]*@")


@dataclass(frozen=True, slots=True)
class _Part:
    """One piece between semicolons, reduced to what may be shown. ``keyword`` is ``None`` without a ``=``."""

    keyword: str | None  #: lower-case, inner blanks single; :data:`MASK` when nobody knows it
    shown_keyword: str
    value: str  #: as the driver reads it, or :data:`MASK`
    is_open: bool  #: a brace or quote was never closed, so nobody knows where the value ends

    def __str__(self) -> str:
        if self.keyword is None:
            return self.value
        if self.is_open:
            return f"{self.shown_keyword}={{{self.value}"
        braced = self.value != self.value.rstrip()  # trailing blanks count only inside braces
        return f"{self.shown_keyword}={{{self.value}}}" if braced else f"{self.shown_keyword}={self.value}"


def parse_provider_string(text: str | None) -> ConnectionOptions:
    """Read what a provider string says; never raises, for what is stored is stored.

    Text that has passed :func:`redact` gives the same options as the original.
    """
    if text is None or not text.strip():
        return ConnectionOptions()
    first: dict[str, str] = {}
    invalid: list[str] = []
    ineffective: list[str] = []
    for part in _parts(text):
        if part.keyword is None:
            continue
        if part.is_open:
            invalid.append(str(part))
        elif part.keyword in SPACED_KEYWORDS:
            ineffective.append(str(part))
        elif part.keyword not in first:
            first[part.keyword] = part.value
            if not _is_valid(part):
                invalid.append(str(part))
    encrypt = first.get("encrypt")
    return ConnectionOptions(
        encrypt=ENCRYPT_WORDS.get(encrypt.lower()) if encrypt is not None else None,
        trust_server_certificate=_YES_NO.get(first.get("trustservercertificate", "").lower()),
        host_name_in_certificate=_stated(first.get("hostnameincertificate")),
        server_certificate=_stated(first.get("servercertificate")),
        authentication=_stated(first.get("authentication")),
        has_user_id_keyword="user id" in first,
        has_text=True,
        invalid=tuple(invalid),
        ineffective=tuple(ineffective),
        encrypt_word=encrypt,
        # Address wins over Server (clients reference 3.1); the others are synonyms seen in the corpus.
        server=next(filter(None, (_stated(first.get(keyword)) for keyword in _SERVER_KEYWORDS)), None),
        read_only_intent=any(first.get(keyword, "").lower() == "readonly" for keyword in _INTENT_KEYWORDS),
        failover_partner=next(filter(None, (_stated(first.get(keyword)) for keyword in _PARTNER_KEYWORDS)), None),
        driver=_stated(first.get("driver")),
    )


def redact(text: str) -> str:
    """``text`` with every value masked that is not known to be harmless.

    An allow-list: only values of :data:`HARMLESS_KEYWORDS` survive, and only when they can't hold another
    pair (no ``;``, ``=``, brace, quote or control character, no ``user:password@``). A keyword nobody knows
    is masked together with its name: it may be the tail of a password. Redacting twice changes nothing more.
    """
    shown = ";".join(str(part) for part in _parts(text))
    return shown or (";" if text.strip() else "")  # a string of nothing but semicolons is still a string


@dataclass(frozen=True, slots=True)
class StringPart:
    """One part of a redacted provider string, as it would be written again."""

    keyword: str | None  #: lower-case; ``None`` for a part without ``=``
    text: str  #: as written; :data:`MASK` stands wherever something was hidden
    is_open: bool  #: a brace or quote was never closed: nothing can be added after it


def string_parts(text: str | None) -> tuple[StringPart, ...]:
    """The parts of a provider string, for whoever writes a changed one. What is secret comes out masked."""
    return tuple(StringPart(part.keyword, str(part), part.is_open) for part in _parts(text or ""))


_YES_NO: Final = {"yes": True, "no": False}
_INTENT_KEYWORDS: Final = ("applicationintent", "application intent")
_PARTNER_KEYWORDS: Final = ("failoverpartner", "failover partner", "failover_partner")
_SERVER_KEYWORDS: Final = ("address", "addr", "server", "data source", "network address")


def _is_valid(part: _Part) -> bool:
    match part.keyword:
        case "encrypt":
            return part.value.lower() in ENCRYPT_WORDS
        case "trustservercertificate":
            return part.value.lower() in _YES_NO
        case "hostnameincertificate" | "servercertificate" | "authentication":
            return _stated(part.value) is not None
        case _:
            return True


def _stated(value: str | None) -> str | None:
    """The value, unless it is empty, hidden, or spoilt by quotes or a blank after ``=``."""
    if not value or value == MASK or value != value.strip() or value[0] in "'\"":
        return None
    return value


def _parts(text: str) -> Iterator[_Part]:
    position = 0
    while position < len(text):
        stop = _KEYWORD_END.search(text, position)
        end = stop.start() if stop else len(text)
        piece = text[position:end]
        if stop is None or stop.group() == ";":
            position = end + 1
            if bare := piece.strip():
                yield _Part(None, "", bare if _HARMLESS_WORDS.fullmatch(bare) else MASK, is_open=False)
            continue
        value = _value(text, end + 1)
        position = value.end
        shown_keyword = " ".join(piece.split())
        keyword = shown_keyword.lower()
        may_be_shown = value.may_be_shown and keyword in HARMLESS_KEYWORDS
        if keyword not in HARMLESS_KEYWORDS | KNOWN_SECRET_KEYWORDS:
            keyword = shown_keyword = MASK
        yield _Part(keyword, shown_keyword, value.text if may_be_shown else MASK, value.is_open)


@dataclass(frozen=True, slots=True)
class _Value:
    text: str  #: without braces, but with quotes: a provider string knows no quotes, so they spoil a value
    end: int  #: where the next part begins
    may_be_shown: bool
    is_open: bool = False


def _value(text: str, start: int) -> _Value:
    """Read the value that begins at ``start``.

    Braces double to escape as in ODBC, quotes wrap as in IDataInitialize: what belongs to a value in any of
    the dialects is taken as its part, so that no tail of a secret is mistaken for the next pair.
    """
    begin = start
    while begin < len(text) and text[begin].isspace():
        begin += 1
    blanks = text[start:begin]
    if begin == len(text) or text[begin] not in "{'\"":
        end = _end(text, start)
        value = text[start:end].rstrip() or text[start:end]
        return _Value(value, end + 1, _is_harmless(value))
    quote, closing = ("", "}") if text[begin] == "{" else (text[begin], text[begin])
    content: list[str] = []
    position = begin + 1
    while True:
        close = text.find(closing, position)
        if close < 0:
            return _Value(MASK, len(text), may_be_shown=False, is_open=True)
        content.append(text[position:close])
        if not text.startswith(closing, close + 1):
            break
        content.append(closing)
        position = close + 2
    end = _end(text, close + 1)
    value = "".join(content)
    nothing_follows = not text[close + 1 : end].strip()
    may_be_shown = nothing_follows and _is_harmless(value) and _is_harmless(blanks)
    return _Value(f"{blanks}{quote}{value}{quote}", end + 1, may_be_shown)


def _is_harmless(value: str) -> bool:
    return bool(_HARMLESS_VALUE.fullmatch(value)) and not _USER_AND_PASSWORD.search(value)


def _end(text: str, start: int) -> int:
    found = text.find(";", start)
    return found if found >= 0 else len(text)
