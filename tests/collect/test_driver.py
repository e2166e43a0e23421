"""Which ODBC driver is used, and what is said when there is none."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import typer

from assessor.cli.doctor import checks, doctor
from assessor.collect import driver as module
from assessor.collect.driver import Driver, _Machine, bundled_driver, find_driver, load_pyodbc
from assessor.errors import DriverMissing

DEBIAN = _Machine("Linux", "x86_64", frozenset({"debian"}), is_musl=False)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(module, "load_pyodbc", lambda: SimpleNamespace(drivers=lambda: names))
    return names


def test_an_installed_driver_18_comes_first(installed: list[str]) -> None:
    installed += ["FreeTDS", "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server"]
    assert find_driver() == Driver("ODBC Driver 18 for SQL Server", "installed")


def test_without_one_the_bundled_library_is_used_and_never_freetds(installed: list[str]) -> None:
    installed += ["FreeTDS"]
    if bundled_driver() is None:
        pytest.skip("mssql-python-odbc has no driver for this platform")
    found = find_driver()
    assert Path(found.name).is_file()
    assert "msodbcsql" in found.name
    assert "mssql-python-odbc" in str(found)


def test_a_named_driver_is_taken_whatever_its_case(installed: list[str]) -> None:
    installed += ["ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server"]
    assert find_driver("odbc driver 17 for sql server").name == "ODBC Driver 17 for SQL Server"


def test_a_path_is_taken_when_it_is_microsofts_library(installed: list[str], tmp_path: Path) -> None:
    library = tmp_path / "libmsodbcsql-18.9.so.1.1"
    library.touch()
    assert find_driver(str(library)).name == str(library)


@pytest.mark.parametrize("name", ["FreeTDS", "SQL Server"])
def test_a_driver_that_validates_otherwise_is_refused_even_when_named(installed: list[str], name: str) -> None:
    installed += [name]
    with pytest.raises(DriverMissing, match="does not validate"):
        find_driver(name)


def test_a_library_of_somebody_else_is_refused(installed: list[str], tmp_path: Path) -> None:
    library = tmp_path / "libtdsodbc.so"
    library.touch()
    with pytest.raises(DriverMissing, match="not Microsoft's"):
        find_driver(str(library))


def test_an_unknown_name_is_told_with_what_is_installed(installed: list[str]) -> None:
    installed += ["FreeTDS"]
    with pytest.raises(DriverMissing, match=r"no ODBC driver called 'x'.*FreeTDS"):
        find_driver("x")


@pytest.mark.parametrize(
    ("machine", "folder"),
    [
        (DEBIAN, "linux/debian_ubuntu/x86_64"),
        (
            _Machine("Linux", "x86_64", frozenset({"linuxmint", "ubuntu", "debian"}), is_musl=False),
            "linux/debian_ubuntu/x86_64",
        ),
        (_Machine("Linux", "aarch64", frozenset({"rocky", "rhel", "fedora"}), is_musl=False), "linux/rhel/arm64"),
        (_Machine("Linux", "x86_64", frozenset({"opensuse-leap", "suse"}), is_musl=False), "linux/suse/x86_64"),
        (_Machine("Linux", "x86_64", frozenset({"alpine"}), is_musl=True), "linux/alpine/x86_64"),
        (_Machine("Linux", "x86_64", frozenset(), is_musl=True), "linux/alpine/x86_64"),
        (_Machine("Linux", "x86_64", frozenset(), is_musl=False), "linux/debian_ubuntu/x86_64"),
    ],
)
def test_the_bundled_library_is_that_of_the_distribution(tmp_path: Path, machine: _Machine, folder: str) -> None:
    library = tmp_path / folder / "lib" / "libmsodbcsql-18.6.so.2.1"
    library.parent.mkdir(parents=True)
    library.touch()
    (tmp_path / "linux/other/x86_64/lib").mkdir(parents=True)
    assert bundled_driver(machine, tmp_path) == library


def test_a_mac_has_a_dylib(tmp_path: Path) -> None:
    library = tmp_path / "macos/arm64/lib/libmsodbcsql.18.dylib"
    library.parent.mkdir(parents=True)
    library.touch()
    assert bundled_driver(_Machine("Darwin", "arm64", frozenset(), is_musl=False), tmp_path) == library


@pytest.mark.parametrize(
    ("system", "sentence"),
    [("Windows", "no ODBC Driver 18 for SQL Server is installed"), ("Linux", "neither installed nor")],
)
def test_no_driver_at_all_is_one_sentence_with_the_mend(
    installed: list[str], monkeypatch: pytest.MonkeyPatch, system: str, sentence: str
) -> None:
    monkeypatch.setattr(module, "_this_machine", lambda: _Machine(system, "riscv64", frozenset(), is_musl=False))
    monkeypatch.setattr(module, "_bundled_libraries", lambda: None)
    with pytest.raises(DriverMissing, match=sentence) as raised:
        find_driver()
    assert "aka.ms" in str(raised.value)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("libodbc.so.2: cannot open shared object file: No such file or directory", "apt install unixodbc"),
        ("No module named 'pyodbc'", "pip install pyodbc"),
    ],
)
def test_a_missing_driver_manager_is_told_apart_from_a_missing_pyodbc(
    monkeypatch: pytest.MonkeyPatch, reason: str, sentence: str
) -> None:
    def fail(name: str, *_: Any) -> ModuleType:
        raise ImportError(reason)

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(DriverMissing, match=sentence):
        load_pyodbc()


def test_pooling_is_off() -> None:
    assert load_pyodbc().pooling is False


def test_doctor_finds_what_a_run_needs(capsys: pytest.CaptureFixture[str]) -> None:
    if bundled_driver() is None and "ODBC Driver 18 for SQL Server" not in load_pyodbc().drivers():
        pytest.skip("no driver here")
    doctor()
    out = capsys.readouterr().out
    assert "MISSING" not in out
    assert "ODBC driver" in out


def test_doctor_ends_with_2_and_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        doctor("no such driver")
    assert ended.value.exit_code == 2
    assert "MISSING  ODBC driver: there is no ODBC driver called" in capsys.readouterr().out


def test_doctor_survives_a_missing_pyodbc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyodbc", None)
    found = {check.name: check.found for check in checks(None)}
    assert found["pyodbc and driver manager"] is False
    assert found["bundled queries"] is True
