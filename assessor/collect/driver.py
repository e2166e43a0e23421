"""Which ODBC driver we collect with, and the one place that loads pyodbc.

In this order: what ``--driver`` names, an installed "ODBC Driver 18 for SQL Server", the copy inside the wheel
``mssql-python-odbc``. Never FreeTDS, and never the old "SQL Server" driver: they don't know ``Encrypt`` and
``HostNameInCertificate`` as we use them, so "validated" would be a guess.
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from assessor.errors import DriverMissing

PREFERRED = "ODBC Driver 18 for SQL Server"
_MICROSOFT_NAME = re.compile(r"ODBC Driver 1[789] for SQL Server", re.IGNORECASE)
_MICROSOFT_FILE = re.compile(r"(?:lib)?msodbcsql[-.\d].*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver that pyodbc can use. ``name`` goes into ``DRIVER=``: a registered name, or a library's path."""

    name: str
    origin: str  #: where it was found, for the report

    def __str__(self) -> str:
        return f"{self.name} ({self.origin})"


@dataclass(frozen=True, slots=True)
class _Machine:
    system: str  #: as ``platform.system()``
    architecture: str  #: as ``platform.machine()``
    os_release: frozenset[str]  #: ``ID`` and ``ID_LIKE`` of os-release, empty off Linux
    is_musl: bool


def load_pyodbc() -> ModuleType:
    """Import pyodbc, with its pooling off: a run opens one connection an instance and closes it.

    Raises :class:`DriverMissing` when pyodbc or the driver manager it is linked with is not there.
    """
    try:
        pyodbc: Any = importlib.import_module("pyodbc")
    except ImportError as error:
        if "libodbc" in str(error):
            raise DriverMissing(
                "the ODBC driver manager is missing (libodbc, from unixODBC); install the package unixodbc "
                "(Debian, Ubuntu: apt install unixodbc; RHEL: dnf install unixODBC; macOS: brew install unixodbc)"
            ) from None
        raise DriverMissing(f"pyodbc can't be loaded ({error}); install it with: pip install pyodbc") from None
    pyodbc.pooling = False
    module: ModuleType = pyodbc
    return module


def find_driver(explicit: str | None = None) -> Driver:
    """The driver to collect with. ``explicit`` is the value of ``--driver``: a registered name or a path.

    Raises :class:`DriverMissing` with one sentence that says what to do.
    """
    installed: list[str] = list(load_pyodbc().drivers())
    if explicit is not None:
        return _explicit(explicit, installed)
    for name in installed:
        if name.lower() == PREFERRED.lower():
            return Driver(name, "installed")
    machine = _this_machine()
    bundled = bundled_driver(machine)
    if bundled is not None:
        return Driver(str(bundled), "from the package mssql-python-odbc")
    if machine.system == "Windows":
        # The Windows driver manager takes registered names only, so the copy in the wheel is of no use there.
        raise DriverMissing(
            f"no {PREFERRED} is installed; install it from https://aka.ms/downloadmsodbcsql and run again"
        )
    raise DriverMissing(
        f"no {PREFERRED} was found, neither installed nor in the package mssql-python-odbc for this platform "
        f"({machine.system} {machine.architecture}); install it from https://aka.ms/downloadmsodbcsql or name one "
        "with --driver"
    )


def bundled_driver(machine: _Machine | None = None, libraries: Path | None = None) -> Path | None:
    """The library inside ``mssql-python-odbc`` that suits this machine, or ``None``."""
    machine = machine or _this_machine()
    libraries = libraries or _bundled_libraries()
    if libraries is None or machine.system == "Windows":
        return None
    folder = libraries / _variant(machine)
    found = sorted([*folder.glob("lib/libmsodbcsql-18*.so*"), *folder.glob("lib/libmsodbcsql*18*.dylib")])
    return found[-1] if found else None


def _explicit(explicit: str, installed: list[str]) -> Driver:
    path = Path(explicit).expanduser()
    if path.is_file():
        if not _MICROSOFT_FILE.fullmatch(path.name):
            raise DriverMissing(
                f"{explicit} is not Microsoft's ODBC driver (libmsodbcsql-18…); other drivers don't validate "
                "certificates in the same way, so name that one"
            )
        return Driver(str(path.resolve()), "named with --driver")
    for name in installed:
        if name.lower() == explicit.lower():
            if not _MICROSOFT_NAME.fullmatch(name):
                raise DriverMissing(
                    f"the driver {name} does not validate certificates as {PREFERRED} does; name that one, or "
                    "leave --driver out"
                )
            return Driver(name, "installed, named with --driver")
    known = ", ".join(installed) or "none"
    raise DriverMissing(f"there is no ODBC driver called {explicit!r} and no such file; installed drivers: {known}")


def _bundled_libraries() -> Path | None:
    spec = importlib.util.find_spec("mssql_python_odbc")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "libs"


def _variant(machine: _Machine) -> Path:
    """The folder inside the wheel, which has one for each family of Linux distributions."""
    is_arm = machine.architecture.lower() in ("arm64", "aarch64")
    architecture = "arm64" if is_arm else "x86_64"
    if machine.system == "Darwin":
        return Path("macos") / architecture
    if machine.is_musl or "alpine" in machine.os_release:
        family = "alpine"
    elif machine.os_release & {"rhel", "fedora", "centos", "ol", "rocky", "almalinux", "amzn", "mariner", "azurelinux"}:
        family = "rhel"
    elif machine.os_release & {"suse", "sles", "opensuse", "opensuse-leap", "opensuse-tumbleweed"}:
        family = "suse"
    else:
        family = "debian_ubuntu"
    return Path("linux") / family / architecture


def _this_machine() -> _Machine:
    words: set[str] = set()
    if sys.platform == "linux":
        try:
            release = platform.freedesktop_os_release()
        except OSError:
            release = {}
        words = {release.get("ID", "").lower(), *release.get("ID_LIKE", "").lower().split()}
    return _Machine(
        system=platform.system(),
        architecture=platform.machine(),
        os_release=frozenset(words),
        is_musl=platform.libc_ver()[0] != "glibc" and sys.platform == "linux",
    )
