"""Remedies for connections that are no linked servers: the same ladder, told in the words of where the options stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assessor.remedies.ladder import Change, Remedy, RemedyId


@dataclass(frozen=True, slots=True)
class Place:
    """Where the options of a connection stand, and what is written there. ``None``: it can't be said in that place."""

    where: str  #: ``the CONNECTION_OPTIONS of Sales.Archive``
    how: str  #: how the text is changed, one sentence
    trust: str | None
    optional: str | None
    strict: str | None
    mandatory: str | None
    host_name: str | None  #: with ``{}`` for the name
    dial: str = "Change the server from {old} to {new}"
    new_words_only_after: bool = True  #: what is written is refused by today's client


def told_for(place: Place, remedies: tuple[Remedy, ...], dialled: str) -> tuple[Remedy, ...]:
    """``remedies`` of the ladder with their edits told for ``place``; rungs that it does not have are left out."""
    return tuple(told for remedy in remedies if (told := _told(place, remedy, dialled)) is not None)


def _told(place: Place, remedy: Remedy, dialled: str) -> Remedy | None:
    match remedy.change:
        case Change.TRACE_FLAG | Change.USER_ID | Change.DISTRIBUTOR_HOST_NAME | Change.DISTRIBUTOR_TRUST:
            return None
        case Change.DATA_SOURCE:
            new = remedy.setting
            return _edit(place, remedy, f"Dial {new} in {place.where}", place.dial.format(old=dialled, new=new) + ".")
        case Change.HOST_NAME:
            return _written(place, remedy, place.host_name and place.host_name.format(remedy.setting.partition("=")[2]))
        case Change.TRUST:
            return _written(place, remedy, place.trust)
        case Change.ENCRYPT_OPTIONAL:
            return _written(place, remedy, place.optional)
        case Change.ENCRYPT_STRICT:
            return _written(place, remedy, place.strict)
        case Change.ENCRYPT_MANDATORY:
            return _written(place, remedy, place.mandatory)
        case Change.DROP_PIN:
            return _edit(place, remedy, f"Drop the pinned certificate in {place.where}", place.how)
        case _:
            return remedy


def _written(place: Place, remedy: Remedy, text: str | None) -> Remedy | None:
    if text is None:
        return None
    told = _edit(place, remedy, f"Write {text} in {place.where}", place.how)
    return replace(told, only_after_upgrade=remedy.only_after_upgrade or place.new_words_only_after)


def _edit(place: Place, remedy: Remedy, title: str, detail: str) -> Remedy:
    # No script is written for it: the change is told by its title, and where it is made by ``subject``.
    change, setting = Change.OTHER, ""
    return replace(remedy, title=title, detail=detail, change=change, setting=setting, subject=place.where)


def is_an_edit(remedy: Remedy) -> bool:
    """It changes the place itself, not a server, a certificate or a trust store."""
    return remedy.id in (
        RemedyId.DIAL_NAME,
        RemedyId.HOST_NAME,
        RemedyId.TRUST,
        RemedyId.OPTIONAL,
        RemedyId.STRICT,
    )
