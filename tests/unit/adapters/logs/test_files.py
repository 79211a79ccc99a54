from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ccr.adapters.logs.files import FileWriter

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def now() -> datetime:
    return NOW


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "logs"


@pytest.fixture
def umask() -> Iterator[None]:
    old = os.umask(0)
    yield
    os.umask(old)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.usefixtures("umask")
def test_files_are_for_their_owner_alone_from_the_first_byte(logs: Path) -> None:
    writer = FileWriter(logs, now=now)
    writer.write(b"one")
    writer.write(b"two")
    writer.close()

    file = logs / "ccr-20261124.log"
    assert file.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(logs.stat().st_mode) == 0o700
    assert writer.dropped == 0


def test_an_existing_file_is_continued(logs: Path) -> None:
    for line in (b"one", b"two"):
        writer = FileWriter(logs, now=now)
        writer.write(line)
        writer.close()

    assert (logs / "ccr-20261124.log").read_bytes() == b"one\ntwo\n"


def test_an_empty_line_does_not_end_the_log(logs: Path) -> None:
    writer = FileWriter(logs, now=now)
    writer.write(b"")
    writer.write(b"two")
    writer.close()

    assert (logs / "ccr-20261124.log").read_bytes() == b"\ntwo\n"


def test_a_file_that_has_grown_is_followed_by_the_next(logs: Path) -> None:
    writer = FileWriter(logs, now=now, most_bytes=10)
    for _ in range(5):
        writer.write(b"12345678")
    writer.close()

    assert names(logs) == ["ccr-20261124.1.log", "ccr-20261124.2.log", "ccr-20261124.log"]
    assert sum(path.read_bytes().count(b"\n") for path in logs.iterdir()) == 5


def test_every_day_begins_a_file(logs: Path) -> None:
    days = iter([24, 24, 25])
    writer = FileWriter(logs, now=lambda: NOW.replace(day=next(days)))
    for line in (b"a", b"b", b"c"):
        writer.write(line)
    writer.close()

    assert names(logs) == ["ccr-20261124.log", "ccr-20261125.log"]


def test_nine_files_are_kept_and_nothing_of_others_is_touched(logs: Path) -> None:
    logs.mkdir(parents=True)
    for day in range(1, 15):
        path = logs / f"ccr-202610{day:02}.log"
        path.write_bytes(b"old")
        os.utime(path, (day, day))
    for foreign in ("ccr-notes.log", "ccr-20250101120000.log", "other.log"):
        (logs / foreign).write_bytes(b"theirs")
        os.utime(logs / foreign, (0, 0))
    writer = FileWriter(logs, now=now)
    writer.write(b"new")
    writer.close()

    kept = names(logs)
    assert {"ccr-notes.log", "ccr-20250101120000.log", "other.log"} < set(kept)
    assert [f"ccr-202610{day:02}.log" for day in range(7, 15)] + ["ccr-20261124.log"] == [
        name for name in kept if len(name) == len("ccr-20261124.log")
    ]


def test_lines_that_cannot_be_written_are_counted_and_writing_goes_on_when_it_can(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the directory should be")
    asked, tickets = threading.Semaphore(0), threading.Semaphore(0)

    def clock() -> datetime:
        asked.release()
        tickets.acquire()
        return NOW

    writer = FileWriter(blocked / "logs", now=clock)
    for line in (b"lost", b"lost too", b"kept"):
        writer.write(line)
    tickets.release(2)
    for _ in range(3):  # the third line is in hand, so the fate of the first two is settled
        asked.acquire()
    blocked.unlink()
    tickets.release()
    writer.close()

    assert writer.dropped == 2
    assert (blocked / "logs" / "ccr-20261124.log").read_bytes() == b"kept\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_drops_lines_and_counts_each(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode=0o777: real("/dev/full", os.O_WRONLY))
    held = threading.Event()

    def clock() -> datetime:
        held.wait()
        return NOW

    writer = FileWriter(logs, now=clock)
    for line in (b"1", b"2", b"3"):
        writer.write(line)
    held.set()
    writer.close()

    assert writer.dropped == 3


def test_a_link_in_the_place_of_the_file_is_not_followed(logs: Path, tmp_path: Path) -> None:
    logs.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (logs / "ccr-20261124.log").symlink_to(victim)
    writer = FileWriter(logs, now=now)
    writer.write(b"line")
    writer.close()

    assert victim.read_bytes() == b"precious"
    assert writer.dropped == 1


def test_a_burst_beyond_the_queue_is_dropped_and_counted_without_waiting(logs: Path) -> None:
    held, started = threading.Event(), threading.Event()

    def clock() -> datetime:
        started.set()
        held.wait()
        return NOW

    writer = FileWriter(logs, now=clock, most_queued=2)
    writer.write(b"in hand")
    started.wait()
    for line in (b"queued", b"queued", b"dropped", b"dropped"):
        writer.write(line)
    held.set()
    writer.close()

    assert writer.dropped == 2
    assert (logs / "ccr-20261124.log").read_bytes().count(b"\n") == 3
