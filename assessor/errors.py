"""What can go wrong, drawn as a tree, with the exit code each branch ends in.

    AssessorError                 one sentence for the person at the console
    ├── UsageError                exit 2: the command line, a file or a value given to us is wrong
    │   ├── EstateError           … and it is the estate file; names file, key and mend
    │   └── SnapshotError         … and it is a snapshot
    ├── DriverMissing             exit 2: no ODBC driver that we may use
    ├── OutputError               exit 2: a report could not be written
    └── NothingReached            exit 4: no instance answered

Anything else that escapes is a bug, and is allowed to look like one.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The codes that ``assessor`` ends with; part of the contract, listed in ``docs/exit-codes.md``."""

    NOTHING_BREAKS = 0
    SOMETHING_BREAKS = 1
    BAD_INPUT = 2
    NOT_ALL_ASSESSED = 3
    NOTHING_REACHED = 4
    BUG = 70
    INTERRUPTED = 130


class AssessorError(Exception):
    """Base of every error that is reported as one sentence instead of a traceback."""

    exit_code: ClassVar[ExitCode] = ExitCode.BAD_INPUT


class UsageError(AssessorError):
    """The person gave us something we can't use; the sentence says what to change."""


class EstateError(UsageError):
    """The estate file is missing, malformed or contradicts itself."""


class SnapshotError(UsageError):
    """A snapshot can't be read as one."""


class DriverMissing(AssessorError):
    """No Microsoft ODBC driver was found, or the driver manager is absent."""


class OutputError(AssessorError):
    """A file could not be written whole, so it was not written at all."""


class NothingReached(AssessorError):
    """Not one instance of the estate could be connected to."""

    exit_code: ClassVar[ExitCode] = ExitCode.NOTHING_REACHED
