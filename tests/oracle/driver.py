"""Microsoft's ODBC Driver 18 in a process of its own, so that names and trust can be arranged without root."""

from __future__ import annotations

import ctypes.util
import json
import os
import selectors
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from assessor.collect.driver import bundled_driver

_PATIENCE = 30.0  #: seconds for one attempt; the driver's own login timeout is far below
_WORKER = Path(__file__).with_name("worker.py")


class NoReferee(RuntimeError):
    """The driver, or what is needed to run it, is not on this machine."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the driver made of one attempt."""

    connected: bool
    state: str = ""  #: SQLSTATE
    text: str = ""


def driver_library() -> Path:
    """The driver inside ``mssql-python-odbc``. Raises :class:`NoReferee`."""
    found = bundled_driver()
    if found is None:
        raise NoReferee(
            "Microsoft's ODBC Driver 18 is not in the package mssql-python-odbc for this platform; "
            "the oracle runs on Linux with glibc only"
        )
    return found


def _name_wrapper() -> str:
    found = ctypes.util.find_library("nss_wrapper") or "libnss_wrapper.so"
    try:
        ctypes.CDLL(found)
    except OSError:
        raise NoReferee("nss_wrapper is missing; run tools/setup test, or: apt install libnss-wrapper") from None
    return found


class DriverProcess:
    """Connects for us, one attempt at a time. ``folder`` is for its files; ``hosts`` maps names to addresses."""

    def __init__(self, folder: Path, hosts: dict[str, str]) -> None:
        self._library = driver_library()
        wrapper = _name_wrapper()
        nowhere = folder / "no-certificates"
        nowhere.mkdir(exist_ok=True)
        table = folder / "hosts"
        table.write_text("".join(f"{address} {name}\n" for name, address in hosts.items()), "utf-8")
        self._environment = {
            **os.environ,
            "LD_PRELOAD": wrapper,
            "NSS_WRAPPER_HOSTS": str(table),
            "SSL_CERT_DIR": str(nowhere),  # else the system's store leaks in
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process: subprocess.Popen[str] | None = None

    def connect(self, server: str, options: dict[str, str], store: Path) -> Said:
        """Dial ``server`` with ``options``, trusting what the PEM file ``store`` holds."""
        words = {
            "DRIVER": str(self._library),
            "SERVER": server,
            "UID": "oracle",
            "PWD": "secret",
            "ConnectRetryCount": "0",
            **options,
        }
        order = {"connect": ";".join(f"{word}={{{value}}}" for word, value in words.items()), "store": str(store)}
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        answer = json.loads(self._line(process))
        return Said(answer["ok"], answer["state"], answer["text"])

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, str(_WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self._environment,
                text=True,
            )
        return self._process

    def _line(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(_PATIENCE):
                self.close()
                return json.dumps({"ok": False, "state": "HANG", "text": f"no answer within {_PATIENCE:.0f} s"})
        line = process.stdout.readline()
        if line:
            return line
        code = process.wait()
        self.close()
        return json.dumps({"ok": False, "state": "CRASH", "text": f"the driver's process ended with {code}"})

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
