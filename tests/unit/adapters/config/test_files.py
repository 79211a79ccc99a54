from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccr.adapters.config import files

NOW = datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_directory_is_private_and_an_old_one_only_when_asked(tmp_path: Path) -> None:
    files.make_private_directory(tmp_path / "new")
    assert mode(tmp_path / "new") == 0o700
    old = tmp_path / "old"
    old.mkdir(mode=0o755)
    files.make_private_directory(old)
    assert mode(old) == 0o755
    files.make_private_directory(old, tighten=True)
    assert mode(old) == 0o700


def test_a_created_file_is_private_and_never_replaces(tmp_path: Path) -> None:
    files.create_private(tmp_path / "a", b"x")
    assert mode(tmp_path / "a") == 0o600
    with pytest.raises(FileExistsError):
        files.create_private(tmp_path / "a", b"y")


def test_a_write_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o644)
    files.write_atomically(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o600)
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    files.write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "dir"
    path.mkdir()
    (path / "inside").touch()
    with pytest.raises(OSError, match="irectory"):
        files.write_atomically(path, b"new")
    assert [found.name for found in tmp_path.iterdir()] == ["dir"]


def test_the_newest_three_versions_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    other = tmp_path / "config.json.mine.txt"
    other.touch()
    for number in range(5):
        files.back_up(path, str(number).encode(), NOW + timedelta(seconds=number))
    kept = sorted(tmp_path.glob("*.bak"))
    assert [found.read_text() for found in kept] == ["2", "3", "4"]
    assert kept[0].name == "config.json.2026-01-02T03-04-07-678900Z.bak"
    assert mode(kept[0]) == 0o600
    assert other.exists()


def test_two_versions_of_one_moment_are_both_kept(tmp_path: Path) -> None:
    files.back_up(tmp_path / "c", b"1", NOW)
    files.back_up(tmp_path / "c", b"2", NOW)
    assert len(list(tmp_path.glob("*.bak"))) == 2


def test_the_lock_is_a_private_file(tmp_path: Path) -> None:
    with files.locked(tmp_path / "c"):
        assert mode(tmp_path / ".c.lock") == 0o600
