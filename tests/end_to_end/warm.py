"""A process that has loaded the command line, and forks for each command that is to be run.

Loading takes longer than most of the commands that the tests run. Each command still has a process of its own, with its
arguments, folder, environment, standard streams and exit code: only the loading is shared. Run as a program it is that
process. It reads one request a line, ``{"arguments", "folder", "environment", "stdout", "stderr"}``, and answers each
with the number of the command's process, and then with what :func:`os.waitpid` said.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

# What the first --help loads late.
import typer.rich_utils  # noqa: F401

from assessor.cli import main

ROOT = Path(__file__).parents[2]
#: Seconds until a command that does not end is killed.
_PATIENCE = 100


class _Warm:
    """The process, from the outside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.end_to_end.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            # A process that forks has one thread only; NumPy's linear algebra would start more.
            env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
            text=True,
        )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        atexit.register(self._close)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def _close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def _answer(self, seconds: float | None) -> int:
        line = self._answers.get(timeout=seconds)
        if not line:
            raise RuntimeError("the process that runs the command line has ended")
        return int(line)

    def run(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
        """The exit code, as :mod:`subprocess` counts it, and what was written."""
        assert self._process.stdin is not None
        with tempfile.TemporaryDirectory(prefix="command-") as streams:
            out, err = Path(streams, "stdout"), Path(streams, "stderr")
            request = {
                "arguments": list(arguments),
                "folder": str(folder),
                "environment": dict(environment),
                "stdout": str(out),
                "stderr": str(err),
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            command = self._answer(_PATIENCE)
            try:
                status = self._answer(_PATIENCE)
            except queue.Empty:
                os.kill(command, signal.SIGKILL)
                self._answer(None)
                written = f"{out.read_text('utf-8')}\n{err.read_text('utf-8')}"
                raise TimeoutError(f"assessor {arguments} did not end:\n{written}") from None
            return os.waitstatus_to_exitcode(status), out.read_text("utf-8"), err.read_text("utf-8")


@functools.cache
def _warm() -> _Warm:
    return _Warm()


def run_warm(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run ``assessor`` with these arguments in this folder, with this environment and no standard input.

    Returns exit code, standard output and standard error. Raises :class:`TimeoutError` for a command that does not end.
    """
    return _warm().run(arguments, folder, environment)


def _become(request: Mapping[str, object]) -> None:
    """Make this process one that was started for the command alone."""
    for number, key, flags in ((0, None, os.O_RDONLY), (1, "stdout", os.O_WRONLY), (2, "stderr", os.O_WRONLY)):
        path = os.devnull if key is None else str(request[key])
        opened = os.open(path, flags if key is None else flags | os.O_CREAT | os.O_EXCL, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    environment = request["environment"]
    arguments = request["arguments"]
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(request["folder"]))
    sys.argv = ["assessor", *arguments]


def _run_and_leave() -> NoReturn:
    """Run the command and end as Python does, but for taking down what this process shares with its parent: that
    takes longer than most commands.
    """
    code: object = None
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    assert code is None or isinstance(code, int), "a sentence as exit code is not what this tool ends with"
    os._exit(code or 0)


def _serve() -> None:
    gc.freeze()  # the collector of a command has no business with what was loaded
    # Numbers 0, 1 and 2 belong to the commands; the requests and the answers move out of their way.
    requests, answers = os.fdopen(os.dup(0), "r", encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    with requests, answers:
        for line in requests:
            request = json.loads(line)
            command = os.fork()
            if command == 0:
                requests.close()
                answers.close()
                _become(request)
                _run_and_leave()
            answers.write(f"{command}\n")
            answers.flush()
            _, status = os.waitpid(command, 0)
            answers.write(f"{status}\n")
            answers.flush()


if __name__ == "__main__":
    _serve()
