"""The error that a client shows for a reason: which number, which text, what the engine prints around it.

The texts are data, ``errors.toml`` beside this file; this module reads and checks them. The number is what to match
on: SChannel's texts follow the display language of Windows, and .NET's are translated since SqlClient 5.2.
Source: clients.md, section 2, and sql-server-2025-changes.md, section 1.9; each row names its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assessor.clients.outcome import Basis, PredictedError, ReasonClass
from assessor.data_files import read_as
from assessor.errors import UsageError

_FILE = "assessor/clients/errors.toml"

SUCCESSES = frozenset(
    {
        ReasonClass.CONNECTED,
        ReasonClass.CONNECTED_UNVALIDATED,
        ReasonClass.CONNECTED_LOGIN_ONLY,
        ReasonClass.CONNECTED_IN_CLEAR,
    }
)
"""Reasons that bring no error."""


class ErrorTableError(UsageError):
    """``errors.toml`` was edited into something that can't be used; the sentence says where."""


@dataclass(frozen=True, slots=True)
class VerifyText:
    """What OpenSSL says about a chain that it refuses."""

    text: str  #: as OpenSSL 3 spells it
    spellings: tuple[str, ...]  #: as every release spells it, this one first; mostly one
    reasons: tuple[ReasonClass, ...]  #: the likeliest first
    source: str


@dataclass(frozen=True, slots=True)
class StatusCode:
    """A Windows status code that names a certificate or TLS problem."""

    symbol: str  #: ``SEC_E_UNTRUSTED_ROOT``
    number: int  #: signed, as drivers print it: -2146893019
    text: str  #: English; empty where none is published
    reasons: tuple[ReasonClass, ...]
    source: str


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One family's error for one reason, in full."""

    family: str
    reason: ReasonClass
    number: int | None
    sqlstate: str | None
    text: str
    wrapped_in: tuple[str, ...]
    source: str
    basis: Basis


def predicted_error(
    family: str, reason: ReasonClass, detail: str | None = None, case: str | None = None
) -> PredictedError | None:
    """The error that a client of ``family`` shows for ``reason``; ``None`` when there is none or it is not known.

    ``<name>`` and the like in a text stand for what differs from case to case. ``detail`` replaces the
    verification text of an OpenSSL family where the chain says which one it will be, e.g.
    ``self-signed certificate`` instead of ``unable to get local issuer certificate``; it may come from any release
    of OpenSSL and is put in the words of the family's.
    Raises :class:`ValueError` for a family that is not in the table.
    """
    table = _table()
    if family not in table.families:
        raise ValueError(f"{family!r} is not a client family of {_FILE}")
    row = table.row(family, reason, detail, case)
    if row is None:
        return None
    return PredictedError(row.number, row.text, row.wrapped_in, row.source)


def families() -> tuple[str, ...]:
    """The client families of the table, in its order."""
    return tuple(_table().families)


def rows() -> tuple[ErrorRow, ...]:
    """Every error of every family and reason that is known."""
    table = _table()
    found = (table.row(family, reason) for family in table.families for reason in ReasonClass)
    return tuple(row for row in found if row is not None)


def why_unknown(family: str, reason: ReasonClass) -> str | None:
    """Why the table has no error for this family and reason; ``None`` when it has one, or none can occur."""
    return _table().unknown.get((family, reason))


def verify_texts() -> tuple[VerifyText, ...]:
    """Every text that OpenSSL gives for a chain that it refuses."""
    table = _table()
    return tuple(
        VerifyText(
            entry.text,
            tuple(dict.fromkeys(filter(None, (entry.text, entry.old, entry.newer)))),
            tuple(entry.reasons),
            table.sources[entry.source],
        )
        for entry in table.openssl
    )


def status_codes() -> tuple[StatusCode, ...]:
    """Every Windows status code that names a certificate or TLS problem."""
    table = _table()
    return tuple(
        StatusCode(entry.symbol, signed(entry.code), entry.text, tuple(entry.reasons), table.sources[entry.source])
        for entry in table.schannel
    )


def signed(code: int) -> int:
    """A 32-bit status code as drivers print it: 0x80090325 is -2146893019."""
    return code - (1 << 32) if code >= 1 << 31 else code


# ------------------------------------------------------------------------------------------------- the file's form

_Text = Annotated[str, StringConstraints(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Family(_Part):
    id: _Text
    title: _Text
    list: str | None = Field(default=None, pattern="^(schannel|openssl)$")
    old_spelling: bool = False
    number: int | None = None
    sqlstate: str | None = None
    frame: str | None = Field(default=None, pattern=r"\{text\}")
    wrapped_in: tuple[_Text, ...] = ()
    source: str | None = None
    basis: Basis | None = None


class _Listed(_Part):
    text: str
    reasons: tuple[ReasonClass, ...] = Field(min_length=1)
    shown: bool = False
    source: _Text
    basis: Basis


class _Schannel(_Listed):
    symbol: _Text
    code: int = Field(ge=1 << 31, lt=1 << 32)


class _OpenSsl(_Listed):
    old: str | None = None
    newer: str | None = None


class _Error(_Part):
    family: _Text
    reason: ReasonClass
    case: _Text | None = None
    number: int | None = None
    sqlstate: str | None = None
    text: _Text
    source: _Text
    basis: Basis


class _Unknown(_Part):
    families: tuple[_Text, ...] = Field(min_length=1)
    reasons: tuple[ReasonClass, ...] = Field(min_length=1)
    why: _Text


class _File(_Part):
    sources: dict[str, _Text]
    families: tuple[_Family, ...]
    schannel: tuple[_Schannel, ...]
    openssl: tuple[_OpenSsl, ...]
    errors: tuple[_Error, ...]
    unknown: tuple[_Unknown, ...]


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """The file, checked and indexed."""

    sources: dict[str, str]
    families: dict[str, _Family]
    schannel: tuple[_Schannel, ...]
    openssl: tuple[_OpenSsl, ...]
    errors: dict[tuple[str, ReasonClass, str | None], _Error]  #: the last is the case
    unknown: dict[tuple[str, ReasonClass], str]

    def row(
        self, family_id: str, reason: ReasonClass, detail: str | None = None, case: str | None = None
    ) -> ErrorRow | None:
        """The family's error for the reason: its own row if it has one, else the one its list gives."""
        family = self.families[family_id]
        own = self.errors.get((family_id, reason, case)) or self.errors.get((family_id, reason, None))
        if own is not None:
            sqlstate = own.sqlstate or family.sqlstate
            return ErrorRow(
                family=family_id,
                reason=reason,
                number=own.number,
                sqlstate=sqlstate,
                text=own.text,
                wrapped_in=family.wrapped_in,
                source=self.sources[own.source],
                basis=own.basis,
            )
        listed, number = self._listed(family, reason)
        if listed is None or family.frame is None or family.source is None or family.basis is None:
            return None
        text = listed.text
        if isinstance(listed, _OpenSsl):
            text = self._spelt_for(family, detail or listed.text)
        return ErrorRow(
            family=family_id,
            reason=reason,
            number=number,
            sqlstate=family.sqlstate,
            text=family.frame.replace("{text}", text),
            wrapped_in=family.wrapped_in,
            source=f"{self.sources[family.source]}; {self.sources[listed.source]}"
            if family.source != listed.source
            else self.sources[family.source],
            basis=max(family.basis, listed.basis, key=list(Basis).index),
        )

    def _spelt_for(self, family: _Family, text: str) -> str:
        """The words of the OpenSSL that the family runs on; ``text`` may come from another release's."""
        for entry in self.openssl:
            if text in (entry.text, entry.old, entry.newer):
                return entry.old if family.old_spelling and entry.old else entry.text
        return text

    def _listed(self, family: _Family, reason: ReasonClass) -> tuple[_Listed | None, int | None]:
        if family.list == "schannel":
            for code in self.schannel:
                if code.shown and reason in code.reasons:
                    return code, signed(code.code)
        if family.list == "openssl":
            for verify in self.openssl:
                if verify.shown and reason in verify.reasons:
                    return verify, family.number
        return None, None


def parse_errors(text: str) -> ErrorTable:
    """Read an error table.

    Raises :class:`ErrorTableError` for bad TOML, an unknown or missing key, reason, family or source, and for a
    family and reason that is there twice, or both known and unknown.
    """
    raw = read_as(_File, text, _FILE, ErrorTableError)
    known = {family.id: family for family in raw.families}
    if len(known) != len(raw.families):
        raise ErrorTableError(f"{_FILE}: a family is there twice.")
    used = [family.source for family in raw.families if family.source]
    used += [listed.source for listed in (*raw.schannel, *raw.openssl)]
    used += [error.source for error in raw.errors]
    if strange := sorted(set(used) - set(raw.sources)):
        raise ErrorTableError(f"{_FILE}: the source {strange[0]} is not in [sources].")
    errors: dict[tuple[str, ReasonClass, str | None], _Error] = {}
    for entry in raw.errors:
        if entry.family not in known:
            raise ErrorTableError(f"{_FILE}: the family {entry.family} is not in [[families]].")
        if (entry.family, entry.reason, entry.case) in errors:
            raise ErrorTableError(f"{_FILE}: {entry.family} with {entry.reason} is there twice.")
        errors[entry.family, entry.reason, entry.case] = entry
    unknown: dict[tuple[str, ReasonClass], str] = {}
    table = ErrorTable(dict(raw.sources), known, raw.schannel, raw.openssl, errors, unknown)
    for gap in raw.unknown:
        for family in gap.families:
            if family not in known:
                raise ErrorTableError(f"{_FILE}: the family {family} is not in [[families]].")
            for reason in gap.reasons:
                if (family, reason) in unknown or table.row(family, reason) is not None:
                    raise ErrorTableError(f"{_FILE}: {family} with {reason} is there twice.")
                unknown[family, reason] = gap.why
    return table


@cache
def _table() -> ErrorTable:
    return parse_errors(resources.files("assessor.clients").joinpath("errors.toml").read_text(encoding="utf-8"))
