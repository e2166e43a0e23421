"""Passwords: where one comes from, and the wrapping that keeps it out of every report, log and traceback.

The estate file names a place, never a password. The place is read right before connecting; only a prompt is
asked earlier, once, in the main thread (:func:`ask_for_passwords`), for a thread can't talk to a person.
"""

from __future__ import annotations

import getpass
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from assessor.errors import UsageError

_LARGEST_FILE = 4096  #: bytes; the drivers take 128 characters


class PasswordUnavailable(UsageError):
    """The place that should hold the password is empty, missing or locked; one sentence with the mend."""


class Password:
    """A secret that shows itself only to :meth:`reveal`; printing, formatting or pickling it gives nothing."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The password itself, for the one line that builds the connection string."""
        return self._text

    def __repr__(self) -> str:
        return "Password(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a password is never written anywhere")


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """``password = { env = "NAME" }``"""

    name: str


@dataclass(frozen=True, slots=True)
class KeyringEntry:
    """``password = { keyring = { service = "…", user = "…" } }``: the desktop's or Windows' own vault."""

    service: str
    user: str


@dataclass(frozen=True, slots=True)
class PasswordFile:
    """``password = { file = "…" }``: the whole file is the password, but for one newline at its end."""

    path: Path


@dataclass(frozen=True, slots=True)
class Prompt:
    """``password = { prompt = true }``: asked at the console, once for each user name."""

    user: str


PasswordSource = EnvironmentVariable | KeyringEntry | PasswordFile | Prompt


class PasswordVault:
    """Reads each source once and remembers the answer for the run; may be used from many threads."""

    def __init__(self, prompted: Mapping[Prompt, Password] | None = None) -> None:
        self._known: dict[PasswordSource, Password] = {}
        for prompt, password in (prompted or {}).items():
            self._known[prompt] = password
        self._lock = threading.Lock()  # keyrings talk to one desktop service, and not all take two callers

    def __repr__(self) -> str:
        return f"PasswordVault({len(self._known)} known)"

    def of(self, source: PasswordSource) -> Password:
        """The password that ``source`` holds. Raises :class:`PasswordUnavailable`."""
        with self._lock:
            if source not in self._known:
                self._known[source] = _read(source)
            return self._known[source]


def ask_for_passwords(
    sources: Iterable[PasswordSource],
    ask: Callable[[str], str] = getpass.getpass,
    *,
    is_terminal: bool | None = None,
) -> PasswordVault:
    """A vault that already holds the answers of all prompts among ``sources``, each asked once.

    Raises :class:`PasswordUnavailable` when there is something to ask but no terminal to ask at, or the
    answer is empty.
    """
    prompts = list(dict.fromkeys(source for source in sources if isinstance(source, Prompt)))
    if is_terminal is None:
        is_terminal = sys.stdin is not None and sys.stdin.isatty()
    if prompts and not is_terminal:
        raise PasswordUnavailable(
            f"the password of {prompts[0].user!r} is to be asked for, but standard input is no terminal; "
            "run assessor at a console, or let the password come from env, keyring or file"
        )
    answers: dict[Prompt, Password] = {}
    for prompt in prompts:
        try:
            answer = ask(f"Password of {_printable(prompt.user)}: ")
        except EOFError:
            answer = ""
        if not answer:
            raise PasswordUnavailable(f"no password was given for {prompt.user!r}; run again and type it")
        answers[prompt] = Password(answer)
    return PasswordVault(answers)


def _read(source: PasswordSource) -> Password:
    match source:
        case EnvironmentVariable(name):
            text = os.environ.get(name, "")
            if not text:
                raise PasswordUnavailable(
                    f"the environment variable {name} is not set or empty; set it to the password"
                )
        case KeyringEntry():
            text = _from_keyring(source)
        case PasswordFile(path):
            text = _from_file(path)
        case Prompt(user):
            raise PasswordUnavailable(f"the password of {user!r} was not asked for before the run began")
    if "\0" in text:
        raise PasswordUnavailable("the password contains a NUL character, which no driver can send")
    return Password(text)


def _from_keyring(source: KeyringEntry) -> str:
    # Looks for desktop services when it is loaded, and most estates don't need it.
    import keyring
    import keyring.errors

    where = f"service {source.service!r}, user {source.user!r}"
    try:
        text = keyring.get_password(source.service, source.user)
    except keyring.errors.NoKeyringError:
        raise PasswordUnavailable(
            f"this machine has no keyring to look up {where}; let the password come from env, file or prompt"
        ) from None
    except keyring.errors.KeyringError as error:
        raise PasswordUnavailable(
            f"the keyring did not give the password of {where} ({type(error).__name__}); unlock it and run again"
        ) from None
    if not text:
        raise PasswordUnavailable(f"the keyring has no password for {where}; store one with: keyring set SERVICE USER")
    return text


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise PasswordUnavailable(
            f"the password file {path} can't be read ({error.strerror or type(error).__name__}); "
            "check its path and permissions"
        ) from None
    if len(data) > _LARGEST_FILE:
        raise PasswordUnavailable(f"the password file {path} is larger than any password; check its path")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PasswordUnavailable(f"the password file {path} is not UTF-8; save it as UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
    if not text:
        raise PasswordUnavailable(f"the password file {path} is empty; write the password into it")
    if "\n" in text:
        raise PasswordUnavailable(f"the password file {path} has more than one line; leave only the password in it")
    return text


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
