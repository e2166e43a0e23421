"""What an error means for the inventory: which kind of gap, told in words that may be shown.

pyodbc keeps only the first diagnostic record of a failed statement on Linux and macOS, and puts the native number
into the text, in parentheses (pyodbc ``src/errors.cpp``, 2026-02-15). Texts are translated on localised servers,
numbers and SQLSTATEs are not, so only these decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from assessor.collect.inventory import GapKind

#: "You may not": catalog reference 0.1, and the pages of the procedures it names.
REFUSED = frozenset({229, 230, 262, 297, 300, 371, 916, 14260, 15003, 15247, 15562, 27219})
LOGIN_FAILED = frozenset({4060, 4064, 18452, 18456, 18470, 18486, 18487, 18488})
LOCK_TIMED_OUT = 1222
NO_SUCH_OBJECT = 208
#: sp_helpdistributor and its relatives where no distributor was ever set up.
NO_DISTRIBUTOR = frozenset({14071, 20028})

_NUMBER = re.compile(r"\((-?\d+)\)(?= \(SQL\w+\)|;|$)")
_DRIVER_NOISE = re.compile(r"^\[\w{5}\] (?:\[[^\]]{1,60}\])+")
_FUNCTION = re.compile(r" \(SQL\w+\)$")
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed statement or connection."""

    kind: GapKind
    number: int | None  #: the server's message number, or the driver's own code
    message: str  #: scrubbed, one line
    lost: bool = False  #: the connection is gone


def classify_query(error: BaseException, secrets: Iterable[str] = ()) -> Failure:
    """What a failed query means."""
    state, text = _state_and_text(error)
    number = _number(text)
    kind = GapKind.TIMED_OUT if state in ("HYT00", "HYT01") else _kind(number)
    lost = state in ("08S01", "08003", "08007", "01002") or (state.startswith("08") and number not in REFUSED)
    return Failure(kind, number, _shown(text, number, secrets), lost)


def classify_number(number: int, text: str) -> Failure:
    """What a failed query means, from the server's own number and text (``ERROR_NUMBER()``, ``ERROR_MESSAGE()``)."""
    return Failure(_kind(number), number, f"Msg {number}: {scrub(text)}")


def _kind(number: int | None) -> GapKind:
    if number == LOCK_TIMED_OUT:
        return GapKind.TIMED_OUT
    return GapKind.REFUSED if number in REFUSED else GapKind.FAILED


def classify_connection(error: BaseException, secrets: Iterable[str] = ()) -> Failure:
    """What a failed connection means: refused login, or out of reach; the message says how to mend our own part."""
    state, text = _state_and_text(error)
    number = _number(text)
    shown = _shown(text, number, secrets)
    if state == "28000" or number in LOGIN_FAILED:
        return Failure(GapKind.LOGIN_FAILED, number, shown, lost=True)
    if state in ("HYT00", "HYT01"):
        shown += "; no answer within login_timeout_seconds"
    elif _is_certificate_failure(text, number):
        shown += (
            "; our own connection validates certificates: install the issuing CA where assessor runs, name it in "
            "connect_trust_store (Linux and macOS), or set host_name_in_certificate; to connect without "
            "validation, which the report then states, set connection.validate = false"
        )
    return Failure(GapKind.UNREACHABLE, number, shown, lost=True)


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` on one line, without our own password, control characters or excessive length."""
    for secret in secrets:
        # A password of one or two characters would tear every word apart, and tells nobody anything it doesn't
        # know: drivers and servers don't repeat passwords. The guard is for the day that one does.
        if len(secret) > 2:
            for form in {secret, secret.replace("}", "}}")}:
                text = text.replace(form, "***")
    text = "".join(character if character.isprintable() else " " for character in text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _state_and_text(error: BaseException) -> tuple[str, str]:
    """Errors of pyodbc have the SQLSTATE as first argument and the text as second; others have just a text."""
    arguments = [str(argument) for argument in error.args]
    if len(arguments) >= 2:
        return arguments[0], arguments[1]
    return "", arguments[0] if arguments else type(error).__name__


def _number(text: str) -> int | None:
    found = _NUMBER.search(text)
    return int(found[1]) if found else None


def _shown(text: str, number: int | None, secrets: Iterable[str]) -> str:
    shown = _DRIVER_NOISE.sub("", _FUNCTION.sub("", text))
    if number is not None:
        shown = shown.removesuffix(f"({number})").rstrip()
    shown = scrub(shown, secrets)
    return f"Msg {number}: {shown}" if number is not None and number > 0 else shown


def _is_certificate_failure(text: str, number: int | None) -> bool:
    # Windows gives the SChannel code as number; OpenSSL's texts come from the library and are never translated.
    return number in (-2146893019, -2146893022, -2146893016) or "certificate verify failed" in text.lower()
