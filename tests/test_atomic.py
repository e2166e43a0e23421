"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from assessor import atomic
from assessor.atomic import check_writable, write_whole
from assessor.errors import OutputError

needs_rights = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere, and Windows has other rights"
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_holds_the_bytes_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "new.json", b"whole")
    assert (tmp_path / "new.json").read_bytes() == b"whole"
    assert names(tmp_path) == ["new.json"]


def test_a_new_file_gets_the_rights_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_whole(tmp_path / "new", b"")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_old_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "old.json"
    target.write_bytes(b"old")
    target.chmod(0o600)
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    if os.name == "posix":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="making a link takes a privilege on Windows")
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), MemoryError()])
def test_an_interruption_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    target = tmp_path / "old"
    target.write_bytes(b"old")

    def interrupted(_: int) -> None:
        raise stop

    monkeypatch.setattr(atomic.os, "fsync", interrupted)
    with pytest.raises(type(stop)):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["old"]


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "old"
    target.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["old"]


def test_a_file_that_excel_holds_open_is_named_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(self: Path, target: Path) -> Path:
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(OutputError, match=r"board\.xlsx: another program holds it open; close it \(in Excel\?\)"):
        write_whole(tmp_path / "board.xlsx", b"new")
    assert names(tmp_path) == []


@pytest.mark.parametrize("write", [check_writable, lambda path: write_whole(path, b"")])
class TestWhatCannotBeWrittenIsRefusedInOneSentence:
    def test_a_missing_folder(self, tmp_path: Path, write: object) -> None:
        with pytest.raises(OutputError, match=r"there is no folder .*absent; create it"):
            write(tmp_path / "absent" / "x.json")  # type: ignore[operator]

    def test_a_folder_in_place_of_the_file(self, tmp_path: Path, write: object) -> None:
        with pytest.raises(OutputError, match="it is a folder; name a file in it"):
            write(tmp_path)  # type: ignore[operator]

    def test_a_file_in_place_of_the_folder(self, tmp_path: Path, write: object) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(OutputError, match="Cannot write"):
            write(tmp_path / "file" / "x.json")  # type: ignore[operator]

    @pytest.mark.skipif(not Path("/dev/null").exists(), reason="there are no devices in the file system")
    def test_a_device(self, tmp_path: Path, write: object) -> None:
        with pytest.raises(OutputError, match="not a regular file"):
            write(Path("/dev/null"))  # type: ignore[operator]

    def test_a_name_with_a_nul(self, tmp_path: Path, write: object) -> None:
        with pytest.raises(OutputError, match=r"x␀\.json"):
            write(tmp_path / "x\x00.json")  # type: ignore[operator]

    @needs_rights
    def test_a_folder_without_rights(self, tmp_path: Path, write: object) -> None:
        tmp_path.chmod(0o500)
        try:
            with pytest.raises(OutputError, match="no right to create files"):
                write(tmp_path / "x.json")  # type: ignore[operator]
        finally:
            tmp_path.chmod(0o700)

    @needs_rights
    def test_a_read_only_file(self, tmp_path: Path, write: object) -> None:
        target = tmp_path / "approved.xlsx"
        target.write_bytes(b"approved")
        target.chmod(0o400)
        with pytest.raises(OutputError, match="read-only"):
            write(target)  # type: ignore[operator]
        assert target.read_bytes() == b"approved"


def test_the_check_leaves_nothing_behind_and_the_old_file_alone(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    check_writable(tmp_path / "old")
    check_writable(tmp_path / "new")
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"
