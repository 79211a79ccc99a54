from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ccr.adapters.system.daemon import Lock, PortOwner, claim_port, port_owner, runs

_HOLD = """
import sys
from pathlib import Path
from ccr.adapters.system.daemon import Lock
lock = Lock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_by_one_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = Lock(path), Lock(path)

    assert first.holder is None
    assert first.acquire()
    assert not second.acquire()
    assert second.holder == os.getpid()
    first.release()
    assert second.holder is None
    assert second.acquire()
    second.release()
    second.release()


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        held = Lock(path).holder
        other.kill()

    assert held == other.pid
    assert Lock(path).holder is None


def test_a_lock_that_names_nobody_is_held_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = Lock(path)
    lock.acquire()
    path.write_text("junk")

    assert Lock(path).holder == 0
    lock.release()


def test_a_lock_in_no_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Lock(tmp_path / "nowhere" / "lock").acquire()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_a_port_is_claimed_once() -> None:
    port = 100_000 + os.getpid()  # no real port: the claim is a name
    claim = claim_port(port)
    second = claim_port(port)

    assert claim is not None
    assert second is None
    claim.close()
    again = claim_port(port)
    assert again is not None
    again.close()


def test_nobody_owns_a_port_that_cannot_be() -> None:
    assert port_owner(0) is None


def test_an_owner_is_described() -> None:
    assert str(PortOwner(7, "node server.js")) == "node server.js (pid 7)"
    assert str(PortOwner()) == "a process of another user"


def test_a_process_is_known_by_its_command_line() -> None:
    assert runs(os.getpid(), "pytest") or not Path("/proc").exists()
    assert not runs(2**22 + 1, "pytest") or not Path("/proc").exists()
