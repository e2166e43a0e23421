"""The command line: each command is parse → call → render, in a module of its own."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Final, NoReturn

import typer

from assessor import __version__
from assessor.cli.assess import assess
from assessor.cli.check import check
from assessor.cli.collect_script import collect_script
from assessor.cli.compare import compare
from assessor.cli.demo import demo
from assessor.cli.doctor import doctor
from assessor.cli.explain import CONTEXT_SETTINGS as EXPLAIN_SETTINGS
from assessor.cli.explain import explain
from assessor.cli.grants import grants
from assessor.cli.init import init
from assessor.cli.merge import merge, rejudge
from assessor.cli.probe import probe
from assessor.cli.probe_list import probe_list
from assessor.cli.queries import queries
from assessor.cli.remedies import remedies
from assessor.cli.report import report
from assessor.cli.trust_script import trust_script
from assessor.cli.waves import waves
from assessor.errors import AssessorError, ExitCode
from assessor.report.text import visible

app = typer.Typer(
    name="assessor",
    help="Which connections between SQL Servers break on the way to SQL Server 2025, why, and the smallest safe change.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback is a bug; one that shows local variables could show a password too.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (assess, demo, init, doctor, probe):
    app.command()(command)
# An error number such as -2146893019 is an argument, not an option.
app.command(context_settings=EXPLAIN_SETTINGS)(explain)
app.command("trust-script")(trust_script)
app.command("collect-script")(collect_script)
app.command("probe-list")(probe_list)
app.command()(merge)
app.command()(rejudge)
app.command()(compare)
app.command()(queries)
app.command()(grants)
app.command()(check)
app.command()(remedies)
app.command()(waves)
app.command()(report)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"assessor {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Options that belong to no command."""


#: A device or a quota that is full, as standard output may meet it.
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC})


def main() -> None:
    """Run the command line; every expected error is one sentence on stderr and a documented exit code."""
    try:
        _open_what_is_closed()
        try:
            app()
        finally:
            # Here a full disk can still be told as what it is; at the end of the process it could not.
            sys.stdout.flush()
    except AssessorError as error:
        sys.stderr.write(f"assessor: {visible(str(error))}\n")
        raise SystemExit(int(error.exit_code)) from None
    except KeyboardInterrupt:
        sys.stderr.write("assessor: interrupted; nothing was written.\n")
        raise SystemExit(int(ExitCode.INTERRUPTED)) from None
    except BrokenPipeError:
        # Whoever read our output has gone; writing the complaint would fail as well.
        sys.stderr.close()
        raise SystemExit(int(ExitCode.INTERRUPTED)) from None
    except OSError as error:
        if error.errno not in _NO_ROOM:
            _bug()
        # What could not be written would be tried again at the end of the process, and complained about.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"assessor: Cannot write the output: {error.strerror}; make room, or name another place.\n")
        raise SystemExit(int(ExitCode.BAD_INPUT)) from None
    except Exception:  # noqa: BLE001 - a bug, which must not end in a code that means something else
        _bug()


def _bug() -> NoReturn:
    traceback.print_exc()
    sys.stderr.write("assessor: this is a bug in assessor; please report it with the lines above.\n")
    raise SystemExit(int(ExitCode.BUG)) from None


def _open_what_is_closed() -> None:
    """Who starts us with a stream closed wants nothing from it: that is no reason to fail."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open as long as the process is
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
