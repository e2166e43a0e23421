"""Write a file whole or not at all.

A report that is half there is worse than none: somebody mails it. The bytes go to a temporary file in the
same folder (so that the rename stays on one file system), reach the disk, and only then take the name, with
``os.replace``.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from assessor.errors import OutputError
from assessor.report.text import visible


def check_writable(path: Path) -> None:
    """Find out before a long run whether ``path`` could be written after it. Leaves nothing behind.

    Raises :class:`~assessor.errors.OutputError` with one sentence that says what to mend.
    """
    target = _target(path)
    try:
        draft, descriptor = _open_draft(target)
        os.close(descriptor)
        draft.unlink()
    except OSError as error:
        raise OutputError(_sentence(path, error, replacing=False)) from error


def check_apart(*paths: Path) -> None:
    """Refuse to write two files to one place, or one over what it was made from: the first would be lost.

    Raises :class:`OutputError`.
    """
    seen: dict[str, Path] = {}
    for path in paths:
        place = os.path.normcase(path.resolve())
        if place in seen:
            raise OutputError(f"Cannot write {path}: {seen[place]} is the same file and would be lost; name another.")
        seen[place] = path


def write_whole(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write ``data`` to ``path``, replacing what is there. A reader sees the old file or the new one, never
    a part.

    A link is followed, the mode of an existing file is kept, and whatever interrupts the writing (Ctrl-C
    too) leaves no temporary file. ``private``: nobody but the owner may read it, from the first byte on, whatever the
    mode was before (POSIX; on Windows the folder's rights hold). Raises :class:`~assessor.errors.OutputError` with one
    sentence that says what to mend.
    """
    target = _target(path)
    try:
        draft, descriptor = _open_draft(target, 0o600 if private else 0o666)
    except OSError as error:
        raise OutputError(_sentence(path, error, replacing=False)) from error
    replacing = False
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists() and not private:
            shutil.copymode(target, draft)
        replacing = True
        draft.replace(target)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OutputError(_sentence(path, error, replacing=replacing)) from error
        raise


def write_folder(path: Path, files: Mapping[str, bytes], *, keep_old: bool = False) -> Path | None:
    """Make the folder ``path`` with ``files`` (relative path with ``/`` → bytes), whole or not at all.

    A folder that holds anything is refused unless ``keep_old``: then it is renamed to the first free ``NAME.1``, ``NAME.2``
    …, which is returned; nothing is ever deleted. Raises :class:`~assessor.errors.OutputError`.
    """
    shown = visible(str(path))
    target = Path(os.path.abspath(path))  # noqa: PTH100 - a link is replaced by nothing, it is refused below
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"Cannot write {shown}: it is not a folder; name another.")
    if not target.parent.is_dir():
        raise OutputError(
            f"Cannot write {shown}: there is no folder {visible(str(path.parent))}; create it, or name another."
        )
    draft = target.with_name(f".assessor-{secrets.token_hex(8)}.part")
    kept: Path | None = None
    try:
        is_taken = target.exists() and any(target.iterdir())
        if is_taken and not keep_old:
            raise OutputError(
                f"Cannot write {shown}: the folder is not empty; name another, or give --force to keep it aside."
            )
        draft.mkdir()
        for name, data in files.items():
            file = draft.joinpath(*name.split("/"))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        if is_taken:
            kept = next(
                free for number in count(1) if not (free := target.with_name(f"{target.name}.{number}")).exists()
            )
            target.replace(kept)
        elif target.exists():
            target.rmdir()
        try:
            draft.replace(target)
        except BaseException:
            if kept is not None:
                kept.replace(target)
            raise
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(error, OSError):
            raise OutputError(_sentence(path, error, replacing=False)) from error
        raise
    return kept


def _target(path: Path) -> Path:
    """The file that will really be replaced, links followed; refuse what can't be replaced."""
    shown = visible(str(path))
    try:
        target = path.resolve()
        mode = target.stat().st_mode if target.exists() else None
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links, a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputError(f"Cannot write {shown}: that place cannot be looked at ({visible(reason)}).") from error
    if mode is not None and stat.S_ISDIR(mode):
        raise OutputError(f"Cannot write {shown}: it is a folder; name a file in it.")
    if mode is not None and not stat.S_ISREG(mode):
        raise OutputError(f"Cannot write {shown}: it is not a regular file, so it cannot be replaced whole.")
    if mode is not None and not os.access(target, os.W_OK):
        raise OutputError(f"Cannot write {shown}: the file is read-only; name another, or make it writable.")
    if not target.parent.exists():
        folder = visible(str(path.parent))
        raise OutputError(f"Cannot write {shown}: there is no folder {folder}; create it, or name another.")
    if not target.parent.is_dir():
        raise OutputError(f"Cannot write {shown}: {visible(str(path.parent))} is not a folder.")
    return target


def _open_draft(target: Path, mode: int = 0o666) -> tuple[Path, int]:
    # O_EXCL with the ordinary mode, not mkstemp: the report gets the rights of any new file.
    draft = target.with_name(f".assessor-{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return draft, os.open(draft, flags, mode)


def _sentence(path: Path, error: OSError, *, replacing: bool) -> str:
    shown = visible(str(path))
    if replacing and isinstance(error, PermissionError):
        return f"Cannot write {shown}: another program holds it open; close it (in Excel?) and run again."
    if isinstance(error, PermissionError):
        folder = visible(str(path.parent))
        return f"Cannot write {shown}: no right to create files in {folder}; name another folder."
    if error.errno == errno.EROFS:
        return f"Cannot write {shown}: the file system is read-only; name another folder."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"Cannot write {shown}: the disk is full; free some space, or name another folder."
    return f"Cannot write {shown}: {visible(error.strerror or str(error))}."
