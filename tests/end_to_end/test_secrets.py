"""Canaries: passwords planted where passwords live, looked for everywhere anything is written."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.end_to_end.small_estate import CANARY, ESTATE, PAY01, assessor, small_lab

LOGIN_CANARY = "Canary}Heron;8843{'\""


def everything_in(folder: Path) -> str:
    """All text of all files below, workbooks unpacked."""
    found: list[str] = []
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as book:
                found.extend(book.read(name).decode("utf-8", "replace") for name in book.namelist())
        else:
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(found)


@pytest.mark.parametrize("arguments", [[], ["--format", "json"]])
def test_no_password_reaches_any_output(tmp_path: Path, arguments: list[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with small_lab(tmp_path) as lab:
        password = lab.passwords["assessor"]
        done = assessor("assess", lab.estate_file, *arguments, folder=out)
    assert done.returncode == 1, done.stderr
    for secret in (CANARY, password):
        assert secret not in done.stdout + done.stderr
        assert secret not in everything_in(out)
    assert "***" in everything_in(out)  # the provider strings are there, their secrets masked


@pytest.mark.parametrize(
    "pay01",
    [
        pytest.param('host = "pay01.corp.example"\nlogins = []\n', id="login refused"),
        pytest.param('host = "pay01.corp.example"\nstate = "closes"\n', id="hangs up"),
        pytest.param(PAY01.replace("version =", 'drops = ["linked_servers"]\nversion ='), id="connection lost"),
    ],
)
def test_no_password_reaches_an_error_message(tmp_path: Path, pay01: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    estate = ESTATE.replace('{ file = "passwords/assessor.txt" }', '{ env = "SECRET_FOR_TEST" }')
    with small_lab(tmp_path, pay01=pay01, estate=estate) as lab:
        done = assessor("assess", lab.estate_file, folder=out, SECRET_FOR_TEST=LOGIN_CANARY)
    assert done.returncode in (3, 4), done.stderr
    assert "Heron" not in done.stdout + done.stderr
    assert "Heron" not in everything_in(out)
    assert "Traceback" not in done.stderr


def test_a_password_written_into_the_estate_file_is_refused_without_being_repeated(tmp_path: Path) -> None:
    file = tmp_path / "estate.toml"
    file.write_text(
        f'name = "x"\nupgrade_date = 2027-01-22\n[defaults]\n'
        f'login = {{ method = "sql", user = "a", password = "{CANARY}" }}\n[[instances]]\naddress = "a"\n',
        encoding="utf-8",
    )
    done = assessor("assess", file, folder=tmp_path)
    assert done.returncode == 2
    assert "password" in done.stderr
    assert CANARY not in done.stdout + done.stderr
