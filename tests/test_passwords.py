"""Passwords: read where the estate file says, shown nowhere."""

from __future__ import annotations

import copy
import pickle
import traceback
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from assessor.passwords import (
    EnvironmentVariable,
    KeyringEntry,
    Password,
    PasswordFile,
    PasswordUnavailable,
    PasswordVault,
    Prompt,
    ask_for_passwords,
)

SECRET = "hunter2}{;'\"\\é"


def test_a_password_shows_itself_to_nobody_but_reveal() -> None:
    password = Password(SECRET)
    assert password.reveal() == SECRET
    for shown in (repr(password), str(password), f"{password}", f"{[password]}"):
        assert "hunter2" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(password)
    with pytest.raises(TypeError):
        copy.deepcopy(password)


def test_it_is_not_in_a_traceback_with_local_variables() -> None:
    try:
        password = Password(SECRET)
        raise ValueError(password)
    except ValueError as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        assert "hunter2" not in "".join(lines).split("password = ")[-1]


def test_the_environment_is_read_when_the_password_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = PasswordVault()
    monkeypatch.setenv("ASSESSOR_TEST", SECRET)
    assert vault.of(EnvironmentVariable("ASSESSOR_TEST")).reveal() == SECRET
    monkeypatch.delenv("ASSESSOR_TEST")
    assert vault.of(EnvironmentVariable("ASSESSOR_TEST")).reveal() == SECRET  # read once a run
    with pytest.raises(PasswordUnavailable, match="ASSESSOR_TEST is not set"):
        PasswordVault().of(EnvironmentVariable("ASSESSOR_TEST"))


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b"\xef\xbb\xbfsecret\n", "secret"),
        (b" secret \n", " secret "),
        (b"secret\r", "secret\r"),
    ],
)
def test_a_password_file_is_the_password_but_for_one_newline(tmp_path: Path, content: bytes, password: str) -> None:
    file = tmp_path / "p"
    file.write_bytes(content)
    assert PasswordVault().of(PasswordFile(file)).reveal() == password


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"hunter2\n\n", "more than one line"),
        (b"hunter2\xff", "not UTF-8"),
        (b"hunter2" * 1000, "larger than any password"),
        (b"hunter2\0", "NUL"),
    ],
)
def test_a_file_that_holds_no_password_is_told_without_its_content(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "p"
    file.write_bytes(content)
    with pytest.raises(PasswordUnavailable, match=sentence) as raised:
        PasswordVault().of(PasswordFile(file))
    assert "hunter2" not in str(raised.value)


def test_a_missing_password_file_or_a_folder_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(PasswordUnavailable, match="can't be read"):
            PasswordVault().of(PasswordFile(path))


class Keyring(keyring.backend.KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self, answer: str | Exception | None) -> None:
        super().__init__()
        self.answer = answer

    def get_password(self, service: str, username: str) -> str | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "has no password for service 's', user 'u'"),
        (keyring.errors.NoKeyringError(), "has no keyring"),
        (keyring.errors.KeyringLocked("hunter2"), "unlock it"),
    ],
)
def test_a_keyring_without_the_password_is_told(
    monkeypatch: pytest.MonkeyPatch, answer: str | Exception | None, sentence: str
) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring(answer))
    with pytest.raises(PasswordUnavailable, match=sentence) as raised:
        PasswordVault().of(KeyringEntry("s", "u"))
    assert "hunter2" not in str(raised.value)


def test_a_keyring_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring(SECRET))
    assert PasswordVault().of(KeyringEntry("s", "u")).reveal() == SECRET


def test_each_prompt_is_asked_once_and_before_the_run() -> None:
    asked: list[str] = []

    def ask(text: str) -> str:
        asked.append(text)
        return "hunter2"

    vault = ask_for_passwords([Prompt("sa"), Prompt("sa"), Prompt("b\x1b[2J")], ask, is_terminal=True)
    assert asked == ["Password of sa: ", "Password of b?[2J: "]
    assert vault.of(Prompt("sa")).reveal() == "hunter2"
    assert "hunter2" not in repr(vault)


def test_a_prompt_without_a_terminal_is_refused() -> None:
    with pytest.raises(PasswordUnavailable, match="standard input is no terminal"):
        ask_for_passwords([Prompt("sa")], lambda _: "x", is_terminal=False)


def test_nothing_to_ask_needs_no_terminal() -> None:
    ask_for_passwords([EnvironmentVariable("X")], lambda _: "x", is_terminal=False)


@pytest.mark.parametrize("ending", ["", EOFError()])
def test_an_empty_answer_is_refused(ending: str | EOFError) -> None:
    def ask(_: str) -> str:
        if isinstance(ending, EOFError):
            raise ending
        return ending

    with pytest.raises(PasswordUnavailable, match="no password was given"):
        ask_for_passwords([Prompt("sa")], ask, is_terminal=True)
